/**
 * Verification, in the order of the specification (docs/spec/10-verdict.md, 11-court-list.md).
 *
 *  1. trust       is the trust file there, and has it not expired
 *  2. structure   ZIP, names, limits, form
 *  3. envelope    the statement and its signature
 *  4. members     the depositor's signed list, every digest
 *  5. records     each opened record in the commitment; each file against its record
 *  6. log         entry, inclusion, checkpoint signature, witnesses
 *  7. chain       observations; seals; each anchor; anchors with foreign headers
 *  8. tokens      each time-stamp token, and whether it still counts
 *  9. time        not before the beacon, not after the earliest token or anchor
 * 10. depositor   enrolment in the same tree, key not revoked
 * 11. disclosure  for whom this opening was made, for exactly these records, on record in the log
 * 12. custody     who had the evidence since: one chain of events, signed, on record, of known keys
 * 13. others      the X.509 certificate that names the depositor; what the platform says of itself; the enclosed page
 * 14. verdict
 */

import { checkAnchors } from "./checks/anchors.js";
import { checkObservations } from "./checks/block.js";
import { checkConsensus } from "./checks/consensus.js";
import { checkOriginals, checkRecords } from "./checks/content.js";
import type { Context, FileDigests, Original } from "./checks/context.js";
import { checkCustody } from "./checks/custody.js";
import { checkDisclosure } from "./checks/disclosure.js";
import { checkForeign } from "./checks/foreign.js";
import { checkEnrolment, checkKeyStatus } from "./checks/identity.js";
import { checkLog, checkWitnesses } from "./checks/log.js";
import { checkOthers } from "./checks/others.js";
import { checkRenewals } from "./checks/renewals.js";
import { checkForm, checkMemberList, checkMembers } from "./checks/structure.js";
import { checkSupplements } from "./checks/supplements.js";
import { checkX509 } from "./checks/x509.js";
import { checkBeacon, checkTimeOrder } from "./checks/times.js";
import { checkTokens, conclude } from "./checks/tokens.js";
import { ready, sha256Hex } from "./crypto/hashing.js";
import { type DigestBlob, digestPieces } from "./digests.js";
import { Bundle, STATEMENT } from "./documents/bundle.js";
import { MAX_ENVELOPE_BYTES } from "./documents/dsse.js";
import { openStatement } from "./documents/statement.js";
import { Fault } from "./errors.js";
import { parseInstant } from "./instants.js";
import { computeVerdict, Findings, type Report, type Support } from "./report.js";
import type { Trust } from "./trust.js";
import { Source } from "./zip/source.js";

export interface Options {
  /** Seconds since 1970 by the caller's clock; without it nothing says whether the trust file has expired. */
  readonly now?: number | undefined;
  /** Files that were laid beside the bundle. */
  readonly originals?: readonly Original[];
  /** How to digest originals inside the bundle; here, piece by piece, without it. */
  readonly digestBlob?: DigestBlob;
}

/** Check a bundle against a trust file. Any bytes whatever give a report. */
export async function verify(file: Uint8Array | Blob, trust: Trust | undefined, options: Options = {}): Promise<Report> {
  await ready();
  const findings = new Findings();
  checkTrust(findings, trust, options.now);
  const bundle = await findings.attempt("bundle.structure", "", () => Bundle.open(Source.of(file)));
  if (bundle === undefined) return finish(findings, trust, undefined);
  findings.passed("bundle.structure");
  const read = await findings.attempt("envelope.signature", STATEMENT, async () => {
    const envelope = await bundle.read(STATEMENT, MAX_ENVELOPE_BYTES);
    return { envelope, statement: openStatement(envelope) };
  });
  if (read === undefined) return finish(findings, trust, undefined);
  const envelopeSha256 = sha256Hex(read.envelope);
  const { keyid } = read.statement.publicKey;
  findings.passed("envelope.signature", STATEMENT, "", { keyid, sha256: envelopeSha256 });
  const context: Context = {
    ...read,
    envelopeSha256,
    bundle,
    trust,
    findings,
    originals: options.originals ?? [],
    now: options.now,
    digestMember: makeDigester(bundle, file, options.digestBlob),
    proven: [],
    records: [],
    heads: [],
    custody: [],
    latest: [],
    anchoredSizes: new Set(),
    earliest: undefined,
    isTrial: false,
    isEnrolled: false,
    issuer: undefined,
  };
  await checkAll(context);
  return finish(findings, trust, context);
}

async function checkAll(context: Context): Promise<void> {
  checkForm(context);
  const list = await checkMemberList(context);
  if (list) await checkMembers(context, list);
  await checkRecords(context);
  await checkOriginals(context);
  await checkLog(context);
  await checkWitnesses(context);
  const seen = await checkObservations(context);
  await checkConsensus(context);
  await checkAnchors(context, seen);
  await checkForeign(context);
  const stamped = await checkTokens(context);
  const renewed = await checkRenewals(context, stamped);
  for (const item of stamped) conclude(context, item, renewed.get(item.member));
  await checkBeacon(context, seen);
  await checkEnrolment(context);
  await checkKeyStatus(context);
  await checkDisclosure(context, list);
  await checkSupplements(context);
  await checkCustody(context);
  await checkX509(context);
  await checkOthers(context);
}

function checkTrust(findings: Findings, trust: Trust | undefined, now: number | undefined): void {
  if (trust === undefined) {
    findings.notProvided("trust.current", "", "no trust file was given");
  } else if (now === undefined) {
    findings.notChecked("trust.current", "", "no present time was given to hold the expiry against");
  } else if (now >= parseInstant(trust.expiresAt)) {
    const message = "the trust file expired at {expires_at}: get the current one";
    findings.notChecked("trust.current", "", message, { expires_at: trust.expiresAt });
  } else {
    findings.passed("trust.current", "", "", { sha256: trust.sha256, expires_at: trust.expiresAt });
  }
}

/** Digests of members, each computed once. A stored one of a file on disk goes to whoever digests blobs best. */
function makeDigester(
  bundle: Bundle,
  file: Uint8Array | Blob,
  digestBlob: DigestBlob | undefined,
): (name: string) => Promise<FileDigests> {
  const known = new Map<string, Promise<FileDigests>>();
  const compute = async (name: string): Promise<FileDigests> => {
    const place = bundle.archive.place(name);
    if (digestBlob === undefined || place === undefined || !(file instanceof Blob)) {
      return digestPieces(bundle.archive.pieces(name));
    }
    const found = await digestBlob(file.slice(place.start, place.start + place.size), true);
    if (Number.parseInt(found.crc32, 16) !== place.crc) {
      throw new Fault("member {name} does not unpack to what the ZIP says", { name });
    }
    return found;
  };
  return (name) => {
    const found = known.get(name) ?? compute(name);
    known.set(name, found);
    return found;
  };
}

// Records that speak for the time before anchoring (Online Litigation Rules, Art. 18), as a report lists them.
const SUPPORTS: readonly (readonly [kinds: string, what: string])[] = [
  ["environment", "environment of the sealing machine, by the depositor's own account"],
  ["source", "source, and how it was produced in the ordinary course"],
  ["corroboration supplement", "notarization, third-party witness, corroborating data"],
  ["measure", "secrecy measures"],
  ["carrier", "carriers"],
  ["authority", "the operator's power of attorney"],
];

function finish(findings: Findings, trust: Trust | undefined, context: Context | undefined): Report {
  const latest = context && checkTimeOrder(context);
  const required = [...(trust?.require ?? []), ...(trust?.retiredHashes.has("sha256") ? ["hash.current"] : [])];
  const [verdict, missing] = computeVerdict(findings, required);
  const isUnchanged =
    context !== undefined &&
    context.anchoredSizes.size > 0 &&
    context.records.length > 0 &&
    !findings.hasFailed &&
    !missing.includes("hash.current");
  return {
    checks: findings.checks,
    verdict,
    missing: verdict === "valid" ? [] : missing,
    isTrial: context?.isTrial ?? false,
    earliest: context?.earliest,
    latest,
    clocks: [...(context?.latest ?? [])].sort((left, right) => left.at - right.at),
    isUnchangedSinceAnchored: isUnchanged,
    supports: context ? SUPPORTS.map(([kinds, what]) => findSupport(context, kinds.split(" "), what)) : [],
    facts: { trust_sha256: trust?.sha256 ?? null, ...(context && listFacts(context)) },
    custody: context?.custody ?? [],
  };
}

function findSupport({ records }: Context, kinds: readonly string[], what: string): Support {
  const found = records.filter(({ record }) => kinds.includes(record.kind)).map(({ member }) => member);
  return { what, isGiven: found.length > 0, detail: found.join(", ") };
}

function listFacts({ statement, heads, isEnrolled, envelopeSha256 }: Context): Report["facts"] {
  const sizes = heads.map(({ proof }) => proof.checkpoint.size);
  return {
    depositor: statement.depositor.name,
    depositor_id: `${statement.depositor.idScheme} ${statement.depositor.id}`,
    depositor_is_enrolled: isEnrolled,
    operator: statement.operator,
    claimed_at: statement.claimedAt,
    envelope_sha256: envelopeSha256,
    commitment: Array.from(statement.commitment, (byte) => byte.toString(16).padStart(2, "0")).join(""),
    software: statement.software,
    leaf_index: heads[0]?.proof.index ?? null,
    tree_size: sizes.length > 0 ? sizes.reduce((least, size) => (size < least ? size : least)) : null,
  };
}
