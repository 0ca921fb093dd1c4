// Passkeys: what the page's form asks for is asked of the browser, and its answer sent with the form.
// An invitation's code stands behind the # of its link, which browsers send to nobody.
"use strict";

const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

const described = (list) => (list || []).map((item) => ({ ...item, id: bytes(item.id) }));

async function ask(kind, options) {
  const publicKey = { ...options, challenge: bytes(options.challenge) };
  if (kind === "create") {
    publicKey.user = { ...options.user, id: bytes(options.user.id) };
    publicKey.excludeCredentials = described(options.excludeCredentials);
    const made = await navigator.credentials.create({ publicKey });
    return pack(made, {
      attestationObject: text(made.response.attestationObject),
      transports: made.response.getTransports ? made.response.getTransports() : [],
    });
  }
  publicKey.allowCredentials = described(options.allowCredentials);
  const found = await navigator.credentials.get({ publicKey });
  return pack(found, {
    authenticatorData: text(found.response.authenticatorData),
    signature: text(found.response.signature),
    userHandle: found.response.userHandle ? text(found.response.userHandle) : null,
  });
}

function pack(credential, response) {
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response: { ...response, clientDataJSON: text(credential.response.clientDataJSON) },
  });
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.addEventListener("submit", async (event) => {
    if (form.elements.credential.value) return;
    event.preventDefault();
    const wrong = form.querySelector("[role=alert]");
    wrong.hidden = true;
    try {
      form.elements.credential.value = await ask(form.dataset.passkey, JSON.parse(form.dataset.options));
      form.submit();
    } catch {
      wrong.hidden = false;
    }
  });
}

function takeCode() {
  const code = document.querySelector("input[data-fragment]");
  if (!code || location.hash.length < 2) return;
  code.value = decodeURIComponent(location.hash.slice(1));
  // Not left in the history.
  history.replaceState(null, "", location.pathname);
}

takeCode();
// The link was opened over a page that was here already.
addEventListener("hashchange", takeCode);
