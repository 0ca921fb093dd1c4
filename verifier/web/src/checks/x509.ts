/** The X.509 certificate that names the depositor, its chain, and whether it was revoked (docs/spec/3-statement.md). */

import { sha256Hex } from "../crypto/hashing.js";
import { Fault, OpenQuestion, type Values } from "../errors.js";
import { formatInstant } from "../instants.js";
import { findAuthority } from "../timestamp/authority.js";
import * as der from "../timestamp/der.js";
import type { Given } from "../timestamp/given.js";
import { isNamed } from "../timestamp/names.js";
import { OcspAnswer } from "../timestamp/ocsp.js";
import { checkRevocation, MAX_CRL_BYTES, RevocationList } from "../timestamp/revocation.js";
import { Certificate } from "../timestamp/x509.js";
import type { Context } from "./context.js";

const CODE = "depositor.x509";
const MAX_MEMBERS = 24;

export async function checkX509(context: Context): Promise<void> {
  const { bundle, findings } = context;
  const members = bundle.group("x509");
  const [first] = members;
  if (first === undefined) {
    findings.notProvided(CODE);
    return;
  }
  const found = await findings.attempt(CODE, first, async () => judge(context, await readMembers(context, members)));
  if (found) findings.passed(CODE, first, "{ca} names {name}, at {at}; not revoked as of {as_of}", found);
}

interface Members extends Given {
  readonly certificates: readonly Certificate[];
}

/** What the report says of a certificate that held when the statement was signed at the latest. */
function judge({ statement, latest, trust }: Context, { certificates, ...given }: Members): Values {
  const [leaf, ...others] = certificates as [Certificate, ...Certificate[]];
  if (sha256Hex(leaf.keyInfo.encoded) !== statement.publicKey.keyid) {
    throw new Fault("the X.509 certificate is for another key than the one that signed");
  }
  leaf.requireSigning();
  // By its own claim a statement could be signed whenever the certificate was valid.
  const at = Math.min(...latest.map((time) => time.at));
  if (!Number.isFinite(at)) {
    throw new OpenQuestion("nothing proves a time at which the X.509 certificate could be judged");
  }
  const { name, subject } = leaf;
  const ca = findAuthority(trust?.cas ?? [], leaf, others, at);
  if (ca === undefined) throw new OpenQuestion("the trust file does not know the authority that names {name}", { name });
  if (!isNamed(subject, statement.depositor.name)) {
    throw new Fault("the X.509 certificate names {name}, and not the depositor", { name });
  }
  const asOf = checkRevocation(ca.path, given, at);
  if (asOf === undefined) {
    throw new OpenQuestion("nothing in the bundle says whether the X.509 certificates were revoked");
  }
  return { ca: ca.name, name, at: formatInstant(at), as_of: formatInstant(asOf), certificate: leaf.sha256 };
}

async function readMembers({ bundle }: Context, members: readonly string[]): Promise<Members> {
  if (members.length > MAX_MEMBERS) throw new Fault("more than {limit} X.509 members", { limit: MAX_MEMBERS });
  const certificates: Certificate[] = [];
  const lists: RevocationList[] = [];
  const answers: OcspAnswer[] = [];
  for (const member of members) {
    const data = await bundle.read(member, MAX_CRL_BYTES);
    // What comes first: [0] of a certificate's version, the ENUMERATED of a response, else it is a list.
    const inside = der.parse(data).reader(der.SEQUENCE).next();
    const isResponse = inside.tag !== der.SEQUENCE;
    if (!isResponse && inside.reader().next().tag === der.context(0)) {
      certificates.push(Certificate.parse(data));
    } else if (certificates.length === 0) {
      throw new Fault("the first X.509 member is not a certificate");
    } else if (isResponse) {
      const answer = OcspAnswer.parseResponse(data);
      if (answer) answers.push(answer);
    } else {
      lists.push(RevocationList.parse(data));
    }
  }
  return { certificates, lists, answers };
}
