/** The page: files in, the report out. Everything happens in this browser; nothing is sent anywhere. */

import type { FileDigests } from "../checks/context.js";
import { ready } from "../crypto/hashing.js";
import { Fault } from "../errors.js";
import type { Report } from "../report.js";
import { parseTrust, type Trust } from "../trust.js";
import { verify } from "../verify.js";
import { explainWrongFile } from "./clues.js";
import { el } from "./dom.js";
import { acceptDrops, Files, makeBox } from "./files.js";
import { _, chooseLanguage, getLanguage, setLanguage } from "./language.js";
import { renderReport } from "./result.js";
import { digestInWorkers, sha256InWorker } from "./workers.js";

/** What was checked, and with what: shown beside the report. */
export interface Checked {
  readonly report: Report;
  readonly bundle: File;
  readonly bundleSha256: string;
  readonly trust: Trust | undefined;
  readonly originals: readonly { readonly file: File; readonly digests: FileDigests }[];
  /** Seconds since 1970. */
  readonly at: number;
  /** Why the file is no bundle, in words for whoever took the wrong one. */
  readonly clue: string | undefined;
}

type State =
  | { readonly kind: "waiting" }
  | { readonly kind: "working" }
  | { readonly kind: "trouble"; readonly message: string }
  | { readonly kind: "done"; readonly checked: Checked };

const PAINT_MS = 200;

export class App {
  readonly #files = new Files();
  #state: State = { kind: "waiting" };
  readonly #status = el("p", { role: "status", class: "status" });
  readonly #bar = el("progress", { max: "1", value: "0" });
  #run = 0;

  readonly #place: HTMLElement;

  constructor(place: HTMLElement) {
    this.#place = place;
    setLanguage(chooseLanguage(place.dataset["lang"]));
    addEventListener("beforeprint", () => {
      for (const group of place.querySelectorAll<HTMLDetailsElement>("details.group")) group.open = true;
    });
    acceptDrops(place, (files) => void this.#files.sortOut(files).then(() => this.#reset()));
  }

  show(): void {
    document.documentElement.lang = getLanguage();
    const focused = document.activeElement?.id;
    const isStandalone = this.#place.dataset["standalone"] !== undefined;
    if (isStandalone) document.title = _("Mizheng: check a bundle");
    this.#place.replaceChildren(
      ...(isStandalone ? [this.#header(), this.#notice()] : []),
      this.#form(),
      this.#output(),
      ...(isStandalone ? [this.#footer()] : []),
    );
    // What was made anew under somebody's fingers keeps the focus.
    if (focused) document.getElementById(focused)?.focus();
  }

  #header(): HTMLElement {
    const other = getLanguage() === "zh-CN" ? "en" : "zh-CN";
    const toggle = el(
      "button",
      {
        type: "button",
        id: "mizheng-language",
        class: "quiet",
        lang: other,
        click: () => {
          setLanguage(other);
          this.show();
        },
      },
      other === "en" ? "English" : "中文",
    );
    return el(
      "header",
      {},
      el("div", { class: "brand" }, el("span", { "aria-hidden": "true", class: "mark" }, "密证"), el("h1", {}, _("Check a bundle"))),
      toggle,
    );
  }

  /** A copy that came in a bundle says so: whoever made the bundle could have changed it. */
  #notice(): HTMLElement {
    const isCopy = document.documentElement.dataset["copy"] === "bundle";
    if (!isCopy) {
      return el("p", { class: "lead" }, _("Everything is computed in this browser. No file leaves it, and no network is used."));
    }
    return el(
      "div",
      { class: "warning", role: "note" },
      el("strong", {}, _("This page came inside a bundle.")),
      " ",
      _("Whoever made the bundle could have changed it, so it proves nothing to you. Use the copy of your own office, or mizheng verify."),
    );
  }

  #footer(): HTMLElement {
    return el(
      "footer",
      {},
      el(
        "p",
        {},
        _(
          "A second verifier, written apart: its answers have to be those of mizheng verify. Where they differ, " +
            "rely on neither.",
        ),
      ),
    );
  }

  #form(): HTMLElement {
    const changed = (): void => this.#reset();
    const pinned = readPinned();
    const boxes = [makeBox(this.#files, "bundle", changed)];
    if (pinned === undefined || this.#files.trust) boxes.push(makeBox(this.#files, "trust", changed));
    else boxes.push(pinnedBox(pinned.name));
    boxes.push(makeBox(this.#files, "originals", changed));
    const isReady = this.#files.bundle !== undefined && this.#state.kind !== "working";
    return el(
      "form",
      { class: "files-form", submit: (event) => event.preventDefault() },
      el("h2", { class: "hidden" }, _("Files")),
      el("p", { class: "drop" }, _("Drop the files anywhere on this page, or choose them.")),
      el("div", { class: "boxes" }, ...boxes),
      el(
        "button",
        { type: "button", id: "mizheng-check", class: "primary", disabled: !isReady, click: () => void this.#check() },
        _("Check"),
      ),
    );
  }

  #output(): HTMLElement {
    const state = this.#state;
    const parts: HTMLElement[] = [this.#status];
    this.#status.textContent = "";
    if (state.kind === "working") parts.push(this.#bar);
    if (state.kind === "trouble") parts.push(el("p", { class: "trouble", role: "alert" }, state.message));
    if (state.kind === "done") parts.push(renderReport(state.checked));
    return el("div", { class: "output" }, ...parts);
  }

  #reset(): void {
    this.#run++;
    this.#state = { kind: "waiting" };
    this.show();
  }

  async #check(): Promise<void> {
    const { bundle } = this.#files;
    if (bundle === undefined) return;
    const run = ++this.#run;
    const change = (state: State): void => {
      // Files were changed meanwhile: nobody asks for this answer any more.
      if (run !== this.#run) return;
      this.#state = state;
      this.show();
    };
    change({ kind: "working" });
    try {
      change({ kind: "done", checked: await this.#verify(bundle) });
      this.#place.querySelector<HTMLElement>(".verdict")?.focus();
    } catch (error) {
      change({ kind: "trouble", message: explain(error) });
    }
  }

  async #verify(bundle: File): Promise<Checked> {
    await ready();
    const trust = await this.#readTrust();
    const progress = this.#progress(bundle);
    const digest = digestInWorkers(progress);
    const whole = sha256InWorker(bundle);
    // Waited for at the end; until then a fault of it is nobody's.
    whole.catch(() => undefined);
    const originals = [];
    for (const file of [...this.#files.originals]) originals.push({ file, digests: await digest(file, false) });
    const at = Math.floor(Date.now() / 1000);
    const report = await verify(bundle, trust, {
      now: at,
      originals: originals.map(({ file, digests }) => ({ name: file.name, digests })),
      digestBlob: digest,
    });
    const isReadable = report.checks.some(({ code, status }) => code === "bundle.structure" && status !== "FAIL");
    const clue = isReadable ? undefined : await explainWrongFile(bundle);
    return { report, bundle, bundleSha256: await whole, trust, originals, at, clue };
  }

  async #readTrust(): Promise<Trust | undefined> {
    const file = this.#files.trust;
    const pinned = readPinned();
    if (file === undefined) return pinned && parseTrust(pinned.text);
    try {
      return parseTrust(new Uint8Array(await file.arrayBuffer()));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      throw new Fault("the trust file cannot be used: {reason}", { reason: _(error.id, error.values) });
    }
  }

  /** Counts bytes over all files that are digested, twice each: by two hashes. */
  #progress(bundle: File): (bytes: number) => void {
    const total = 2 * [bundle, ...this.#files.originals].reduce((sum, file) => sum + file.size, 0);
    let done = 0;
    let shown = -1;
    let painted = 0;
    return (bytes) => {
      done += bytes;
      // To paint at every piece would take the workers' processor.
      if (performance.now() - painted < PAINT_MS) return;
      painted = performance.now();
      this.#bar.value = Math.min(done / Math.max(total, 1), 1);
      // Said to a screen reader in steps, not at every piece.
      const tenth = Math.floor((10 * done) / Math.max(total, 1));
      if (tenth === shown) return;
      shown = tenth;
      this.#status.textContent = _("Computing digests: {percent} %", { percent: Math.min(10 * tenth, 100) });
    };
  }
}

interface Pinned {
  readonly name: string;
  readonly text: string;
}

/** The trust file that the site of this page pins: an element that is no script, `id` mizheng-pinned-trust. */
function readPinned(): Pinned | undefined {
  const element = document.getElementById("mizheng-pinned-trust");
  return element ? { name: element.dataset["name"] ?? "", text: element.textContent ?? "" } : undefined;
}

function pinnedBox(name: string): HTMLElement {
  return el(
    "section",
    { class: "box" },
    el("h3", {}, _("Trust file")),
    el("p", {}, _("Pinned by this site: {name}", { name })),
  );
}

function explain(error: unknown): string {
  if (error instanceof Fault) return _(error.id, error.values);
  if (error instanceof DOMException && error.name === "NotReadableError") {
    return _("A file could not be read: it was moved, changed or is open elsewhere. Choose it again.");
  }
  return _("This could not be checked, by a fault of the page itself: {reason}", { reason: String(error) });
}
