/** What renewed the tokens (RFC 4998), and whether the hash of all proofs still counts (docs/spec/6-time-stamps.md). */

import { find, isEqual, concat, utf8 } from "../bytes.js";
import { digestWith, type HashName, startDigest } from "../crypto/hashing.js";
import { numberOf, padded } from "../documents/bundle.js";
import { MAX_PROOF_BYTES, parseTlogProof } from "../documents/checkpoint.js";
import { Fault, OpenQuestion } from "../errors.js";
import { formatInstant } from "../instants.js";
import { type Digest, type Group, verifyRecord } from "../renewal/chain.js";
import { type EvidenceRecord, MAX_RECORD_BYTES, parseRecord } from "../renewal/record.js";
import { parseToken } from "../timestamp/token.js";
import type { Context, Head } from "./context.js";
import { MAX_TOKENS, type StampedText } from "./tokens.js";

const CODE = "renewal.chain";
const HASH_CODE = "hash.current";
const TEXT = "text";
const DEPOSIT = "deposit";

/** How long what renews one token holds, by name of what it is over; seconds since 1970. */
type Until = Map<string, number>;

/** Until when each token holds by what renewed it, by its member; tokens that nothing renewed are left out. */
export async function checkRenewals(context: Context, stamped: readonly StampedText[]): Promise<Map<string, number>> {
  const { bundle, findings } = context;
  const names = bundle.group("renewals");
  if (names.length === 0) findings.notProvided(CODE, "", "the bundle carries no evidence record");
  const until = new Map<string, Until>(stamped.map(({ member }) => [member, new Map()]));
  const limit = MAX_TOKENS * (bundle.group("records").length + 2);
  if (names.length > limit) {
    const message = "more evidence records than the {limit} that what is opened can need";
    findings.failed(CODE, "", new Fault(message, { limit }));
  } else {
    const groups = new Map<string, Promise<Group[]>>();
    for (const name of names) await checkRecord(context, name, stamped, until, groups);
  }
  const needed = listNeeded(context);
  checkHash(context, [...until.values()], needed);
  const found = new Map<string, number>();
  for (const [member, times] of until) {
    const holds = isRetired(context) ? untilAll(times, needed) : untilAny(times);
    if (holds !== undefined) found.set(member, holds);
  }
  return found;
}

async function checkRecord(
  context: Context,
  name: string,
  stamped: readonly StampedText[],
  until: ReadonlyMap<string, Until>,
  groups: Map<string, Promise<Group[]>>,
): Promise<void> {
  const { bundle, findings, trust } = context;
  const record = await findings.attempt(CODE, name, async () => parseRecord(await bundle.read(name, MAX_RECORD_BYTES)));
  if (record === undefined) return;
  if (trust === undefined) {
    findings.notChecked(CODE, name, "no trust file was given");
    return;
  }
  const found = await findings.attempt(CODE, name, async () => {
    const item = findToken(record, stamped);
    const objects = groups.get(item.member) ?? listGroups(context, item);
    groups.set(item.member, objects);
    const renewed = await verifyRecord(record, item.text, await objects, trust.authorities, trust.retiredHashes);
    return { item, renewed };
  });
  if (found === undefined) return;
  const { item, renewed } = found;
  const times = until.get(item.member) as Until;
  const group = renewed.group ?? TEXT;
  times.set(group, Math.max(renewed.holdsUntil, times.get(group) ?? 0));
  findings.passed(
    CODE,
    name,
    "{token}, renewed {count} times, last by {authority} on {at}; holds until {until}",
    {
      token: item.member,
      count: renewed.renewals,
      authority: renewed.last.authority.name,
      at: formatInstant(renewed.last.token.at),
      until: formatInstant(renewed.holdsUntil),
      hash: renewed.hash,
    },
  );
}

/** The token of the bundle with which the record begins; revocation lists may have been added to it since. */
function findToken(record: EvidenceRecord, stamped: readonly StampedText[]): StampedText {
  const first = parseToken(record.chains[0]?.stamps[0]?.token as Uint8Array).signed;
  const found = stamped.find(({ judgement }) => {
    const { content, signature } = judgement.token.signed;
    return isEqual(content, first.content) && isEqual(signature, first.signature);
  });
  if (found === undefined) throw new OpenQuestion("it renews no token of this bundle that holds by itself");
  return found;
}

/** What chains after the first may be over; whole groups before what they hold. */
async function listGroups({ bundle, heads, envelope }: Context, item: StampedText): Promise<Group[]> {
  const head = heads.find(({ proof }) => proof.checkpoint.size === item.size) as Head;
  const proof = await bundle.read(head.member, MAX_PROOF_BYTES);
  const groups: Group[] = [
    { name: DEPOSIT, digests: [item.text, envelope, withoutSignatures(proof)].map(digestOf) },
    { name: TEXT, digests: [digestOf(item.text)] },
  ];
  for (const name of bundle.group("records")) {
    const record = digestOf(await bundle.read(name));
    const original = originalOf(name);
    if (bundle.has(original)) {
      const pieces = (): AsyncIterable<Uint8Array> => bundle.archive.pieces(original);
      groups.push({ name: original, digests: [record, once((hash) => digestPieces(hash, pieces()))] });
    }
    groups.push({ name, digests: [record] });
  }
  return groups;
}

/** A proof whose note is cut down to its text: witnesses may add their signatures later. */
function withoutSignatures(proof: Uint8Array): Uint8Array {
  const head = proof.subarray(0, find(proof, utf8("\n\n")) + 2);
  return concat(head, parseTlogProof(proof).note.text);
}

function originalOf(record: string): string {
  return `originals/${padded(numberOf(record))}`;
}

/** Names of the groups that have to be hashed anew before SHA-256 is retired. */
function listNeeded({ bundle }: Context): string[] {
  const records = bundle.group("records");
  return [DEPOSIT, ...records.map((name) => (bundle.has(originalOf(name)) ? originalOf(name) : name))];
}

/** How long all of these hold; undefined if one of them was not renewed at all. */
function untilAll(times: Until, names: readonly string[]): number | undefined {
  const found = names.map((name) => times.get(name) ?? Number.NaN);
  const least = Math.min(...found);
  return Number.isNaN(least) ? undefined : least;
}

function untilAny(times: Until): number | undefined {
  const found = [TEXT, DEPOSIT].flatMap((name) => times.get(name) ?? []);
  return found.length > 0 ? Math.max(...found) : undefined;
}

function isRetired({ trust, now }: Context): boolean {
  const at = trust?.retiredHashes.get("sha256");
  return at !== undefined && now !== undefined && now > at;
}

/** Whether the bundle's own proofs still count. Only asked where the trust file retires their hash. */
function checkHash(context: Context, renewed: readonly Until[], needed: readonly string[]): void {
  const { findings, trust, now, originals } = context;
  const retired = trust?.retiredHashes.get("sha256");
  if (retired === undefined) return;
  const values = { hash: "sha256", at: formatInstant(retired) };
  if (now === undefined) {
    findings.notChecked(HASH_CODE, "", "no present time was given");
  } else if (now <= retired) {
    findings.passed(HASH_CODE, "", "{hash} counts until {at}", values);
  } else if (originals.length > 0) {
    const message =
      "{hash} was retired at {at}: originals have to be in the bundle, beside it they prove nothing";
    findings.notChecked(HASH_CODE, "", message, values);
  } else if (renewed.some((times) => (untilAll(times, needed) ?? 0) >= now)) {
    const message = "{hash} was retired at {at}; all that is opened was hashed anew before";
    findings.passed(HASH_CODE, "", message, values);
  } else {
    const message = "{hash} was retired at {at}, and not all that is opened was hashed anew before";
    findings.notChecked(HASH_CODE, "", message, values);
  }
}

function digestOf(data: Uint8Array): Digest {
  return once(async (hash) => digestWith(hash, data));
}

async function digestPieces(hash: HashName, pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const running = await startDigest(hash);
  for await (const piece of pieces) running.update(piece);
  return running.digest();
}

function once(compute: Digest): Digest {
  const known = new Map<HashName, Promise<Uint8Array>>();
  return (hash) => {
    const found = known.get(hash) ?? compute(hash);
    known.set(hash, found);
    return found;
  };
}
