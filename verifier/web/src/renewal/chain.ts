/** Whether an evidence record holds: each time stamp over the one before, none too late (RFC 4998 §5.3). */

import { isEqual } from "../bytes.js";
import { digestWith, type HashName } from "../crypto/hashing.js";
import { Fault, OpenQuestion } from "../errors.js";
import { formatInstant } from "../instants.js";
import { type Authority, type Judgement, judge, type Retired } from "../timestamp/authority.js";
import { checkRevocation } from "../timestamp/revocation.js";
import { parseToken, requireImprint, type Token } from "../timestamp/token.js";
import { type ArchiveTimeStamp, computeRoot, encodeSequence, type EvidenceRecord } from "./record.js";

const NEVER = 2 ** 52;

/** The hash of one object under any algorithm, computed once. */
export type Digest = (hash: HashName) => Promise<Uint8Array>;

/** What a chain after the first may be over. */
export interface Group {
  readonly name: string;
  readonly digests: readonly Digest[];
}

/** A record that holds together. */
export interface Renewed {
  readonly last: Judgement;
  /** Name of the group that the chains after the first are over; undefined where there is only one chain. */
  readonly group: string | undefined;
  /** Time stamps after the first. */
  readonly renewals: number;
  /** Seconds since 1970. */
  readonly holdsUntil: number;
  /** Of the last chain. */
  readonly hash: HashName;
}

export async function verifyRecord(
  record: EvidenceRecord,
  text: Uint8Array,
  groups: readonly Group[],
  authorities: readonly Authority[],
  retired: Retired,
): Promise<Renewed> {
  const judged: Judgement[] = [];
  let group: Group | undefined;
  let hash: HashName = "sha256";
  for (const [number, chain] of record.chains.entries()) {
    const tokens = chain.stamps.map((stamp) => parseToken(stamp.token));
    hash = (tokens[0] as Token).hash;
    if (!record.algorithms.includes(hash)) throw new Fault("an evidence record whose hash is not in its list");
    for (const [place, stamp] of chain.stamps.entries()) {
      const token = tokens[place] as Token;
      if (token.hash !== hash || (stamp.algorithm !== undefined && stamp.algorithm !== hash)) {
        throw new Fault("a chain of time stamps under more than one hash");
      }
      const before = chain.stamps[place - 1];
      if (before !== undefined) {
        requireOver(stamp, token, [digestWith(hash, before.token)]);
      } else if (number > 0) {
        const past = digestWith(hash, encodeSequence(record.chains.slice(0, number)));
        group = await findGroup(stamp, token, past, group ? [group] : groups);
      } else {
        requireOver(stamp, token, [digestWith(hash, text)]);
      }
      const found = judge(token, authorities, new Map());
      checkRevocation(found.path, token.signed.given, token.at);
      const last = judged.at(-1);
      if (last) requireInTime(last, found, retired);
      judged.push(found);
    }
    const following = record.chains[number + 1]?.stamps[0];
    if (following) requireHashInTime(hash, parseToken(following.token), retired);
  }
  const last = judged.at(-1) as Judgement;
  const signatureEnds = Math.min(last.holdsUntil, retired.get(last.token.signed.digest) ?? NEVER);
  const holdsUntil = Math.min(signatureEnds, retired.get(hash) ?? NEVER);
  return { last, group: group?.name, renewals: judged.length - 1, holdsUntil, hash };
}

function requireOver(stamp: ArchiveTimeStamp, token: Token, values: readonly Uint8Array[]): void {
  requireImprint(token, computeRoot(token.hash, stamp.reduced, values));
}

/** The first group that the time stamp is over, each object hashed anew together with all chains before (§5.2). */
async function findGroup(
  stamp: ArchiveTimeStamp,
  token: Token,
  past: Uint8Array,
  groups: readonly Group[],
): Promise<Group> {
  const { hash } = token;
  const known = stamp.reduced[0] ?? [token.imprint];
  const renew = async (digest: Digest): Promise<Uint8Array> => digestWith(hash, await digest(hash), past);
  for (const group of groups) {
    const first = await renew(group.digests[0] as Digest);
    if (!known.some((value) => isEqual(value, first))) continue;
    const values = [first];
    for (const digest of group.digests.slice(1)) values.push(await renew(digest));
    if (isOver(stamp, hash, values)) {
      requireOver(stamp, token, values);
      return group;
    }
  }
  throw new Fault("the hash tree is not over these objects");
}

function isOver(stamp: ArchiveTimeStamp, hash: HashName, values: readonly Uint8Array[]): boolean {
  try {
    computeRoot(hash, stamp.reduced, values);
    return true;
  } catch (error) {
    if (error instanceof Fault) return false;
    throw error;
  }
}

function requireInTime(before: Judgement, after: Judgement, retired: Retired): void {
  if (after.token.generated < before.token.generated) {
    throw new Fault("a time stamp that is older than the one it renews");
  }
  if (after.token.latest > before.holdsUntil) {
    throw new Fault("the time stamp of {at} came too late: the one before held until {until}", {
      at: formatInstant(after.token.latest),
      until: formatInstant(before.holdsUntil),
    });
  }
  requireHashInTime(before.token.signed.digest, after.token, retired);
}

function requireHashInTime(hash: HashName, following: Token, retired: Retired): void {
  const ends = retired.get(hash) ?? NEVER;
  if (following.latest > ends) {
    // The record is not broken: other trust files may let the hash count longer.
    throw new OpenQuestion("the time stamp of {at} came too late: {hash} was retired at {until}", {
      at: formatInstant(following.latest),
      hash,
      until: formatInstant(ends),
    });
  }
}
