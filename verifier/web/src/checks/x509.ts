/** The X.509 certificate that names the depositor, its chain, and whether it was revoked (docs/spec/3-statement.md). */

import { sha256Hex } from "../crypto/hashing.js";
import { Fault, OpenQuestion, orFault, type Values } from "../errors.js";
import { formatInstant } from "../instants.js";
import { findAuthority } from "../timestamp/authority.js";
import * as der from "../timestamp/der.js";
import { type Given, sortGiven } from "../timestamp/given.js";
import { isNamed } from "../timestamp/names.js";
import { OcspAnswer } from "../timestamp/ocsp.js";
import { checkRevocation, MAX_CRL_BYTES, RevocationList } from "../timestamp/revocation.js";
import { Certificate, readKeyInfo } from "../timestamp/x509.js";
import type { Context } from "./context.js";

const CODE = "depositor.x509";
const MAX_MEMBERS = 24;

export async function checkX509(context: Context): Promise<void> {
  const { bundle, findings } = context;
  const members = bundle.group("x509");
  const [name] = members;
  if (name === undefined) {
    findings.notProvided(CODE);
    return;
  }
  const found = await findings.attempt(CODE, name, async () => {
    if (members.length > MAX_MEMBERS) throw new Fault("more than {limit} X.509 members", { limit: MAX_MEMBERS });
    const data: Uint8Array[] = [];
    for (const member of members) data.push(await bundle.read(member, MAX_CRL_BYTES));
    return judge(context, data as [Uint8Array, ...Uint8Array[]]);
  });
  if (found) findings.passed(CODE, name, "{ca} names {name}, at {at}; not revoked as of {as_of}", found);
}

/** What the report says of a certificate that held when the statement was signed at the latest. */
function judge({ statement, latest, trust }: Context, [first, ...rest]: [Uint8Array, ...Uint8Array[]]): Values {
  if (sortOf(first) !== "certificate") throw new Fault("the first X.509 member is not a certificate");
  if (sha256Hex(readKeyInfo(first)) !== statement.publicKey.keyid) {
    throw new Fault("the X.509 certificate is for another key than the one that signed");
  }
  // By its own claim a statement could be signed whenever the certificate was valid.
  const at = Math.min(...latest.map((time) => time.at));
  if (!Number.isFinite(at)) {
    throw new OpenQuestion("nothing proves a time at which the X.509 certificate could be judged");
  }
  const [leaf] = readAll([first]).certificates;
  if (leaf === undefined) throw new OpenQuestion("the X.509 certificate cannot be read");
  // Nothing in a certificate is anybody's word before a CA is found that signed it.
  const { certificates, ...given } = readAll(rest);
  const { name } = leaf;
  const ca = findAuthority(trust?.cas ?? [], leaf, certificates, at);
  if (ca === undefined) throw new OpenQuestion("the trust file does not know the authority that names {name}", { name });
  leaf.requireSigning();
  if (!isNamed(leaf.subject, statement.depositor.name)) {
    throw new Fault("the X.509 certificate names {name}, and not the depositor", { name });
  }
  const asOf = checkRevocation(ca.path, given, at);
  if (asOf === undefined) {
    throw new OpenQuestion("nothing in the bundle says whether the X.509 certificates were revoked");
  }
  return { ca: ca.name, name, at: formatInstant(at), as_of: formatInstant(asOf), certificate: leaf.sha256 };
}

/** By what comes first: [0] of a certificate's version, the ENUMERATED of a response, else it is a list. */
function sortOf(data: Uint8Array): "certificate" | "response" | "list" {
  const inside = der.parse(data).reader(der.SEQUENCE).next();
  if (inside.tag !== der.SEQUENCE) return "response";
  return inside.reader().next().tag === der.context(0) ? "certificate" : "list";
}

/** What of them can be read. What cannot is nobody's word, and counts for nothing. */
function readAll(members: readonly Uint8Array[]): Given & { readonly certificates: readonly Certificate[] } {
  const found = members.map((data) =>
    orFault(() => {
      const sort = sortOf(data);
      if (sort === "certificate") return Certificate.parse(data);
      return sort === "list" ? RevocationList.parse(data) : OcspAnswer.parseResponse(data);
    }),
  );
  return { ...sortGiven(found), certificates: found.filter((each) => each instanceof Certificate) };
}
