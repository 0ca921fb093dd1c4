/** Whether a block belongs to its chain. A header alone proves nothing: anyone can build one (docs/spec §7). */

import { type Observation, openObservation } from "../documents/issued.js";
import { MAX_ENVELOPE_BYTES } from "../documents/dsse.js";
import { type BlockReference, isAtSamePlace, isSameBlock } from "../documents/statement.js";
import { Fault } from "../errors.js";
import { findKey, type TrustedChain } from "../trust.js";
import type { Context } from "./context.js";

/** An observation whose signature holds and whose observer is trusted. */
export interface Seen {
  readonly observation: Observation;
  readonly observer: string;
}

export async function checkObservations(context: Context): Promise<Seen[]> {
  const { bundle, findings, trust } = context;
  const seen: Seen[] = [];
  const names = bundle.group("observations");
  for (const name of names) {
    const observation = await findings.attempt("observation.signature", name, async () =>
      openObservation(await bundle.read(name, MAX_ENVELOPE_BYTES)),
    );
    if (observation === undefined) continue;
    const observer = trust && findKey(trust.observers, observation.signer)?.name;
    if (observer === undefined) {
      findings.notChecked("observation.signature", name, "the trust file does not know this observer");
      continue;
    }
    seen.push({ observation, observer });
    const { block, rule, observedAt } = observation;
    const values = { observer, number: block.number, rule, observed_at: observedAt };
    findings.passed("observation.signature", name, "{observer} saw block {number} ({rule})", values);
  }
  if (names.length === 0) findings.notProvided("observation.signature");
  return seen;
}

/** Whether somebody trusted vouches for the block; a finding says who, or why not. */
export function checkCanonical(
  context: Context,
  code: string,
  name: string,
  chain: TrustedChain,
  block: BlockReference,
  seen: readonly Seen[],
): boolean {
  const { findings } = context;
  const { number, hash } = block;
  const other = findContradiction(context, chain, block, seen);
  if (other !== undefined) {
    const message = "{source} has another block {number} on this chain: {other}";
    findings.failed(code, name, new Fault(message, { source: other.source, number, other: other.hash }));
    return false;
  }
  const vouchers = findVouchers(context, chain, block, seen);
  if (vouchers.length === 0) {
    const message =
      "nobody trusted vouches for this block: no pin, no seals of validators, no quorum of observers, no node was asked";
    findings.notChecked(code, name, message, { number, hash });
    return false;
  }
  const values = { number, by: vouchers.join(", "), hash, chain: chain.name };
  findings.passed(code, name, "block {number}, by {by}", values);
  return true;
}

/** Names of what makes the block canonical; none when nothing does. */
export function findVouchers(
  context: Context,
  chain: TrustedChain,
  block: BlockReference,
  seen: readonly Seen[],
): string[] {
  const { trust, proven } = context;
  if (trust === undefined) return [];
  const vouchers: string[] = [];
  if (chain.pins.get(block.number) === block.hash) vouchers.push(`trust.toml (${chain.name})`);
  vouchers.push(...proven.filter((each) => isSameBlock(each.block, block)).map(({ by }) => by));
  const observers = new Map(
    seen
      .filter(({ observation }) => isSameBlock(observation.block, block))
      .map(({ observation, observer }) => [observation.signer.keyid, observer]),
  );
  if (observers.size >= trust.observerQuorum) vouchers.push(...[...observers.values()].sort());
  return vouchers;
}

/** Who that is trusted knows another block at this height: a fork, or evidence of one that is gone. */
function findContradiction(
  { proven }: Context,
  chain: TrustedChain,
  block: BlockReference,
  seen: readonly Seen[],
): { readonly source: string; readonly hash: string } | undefined {
  const pinned = chain.pins.get(block.number);
  if (pinned !== undefined && pinned !== block.hash) return { source: `trust.toml (${chain.name})`, hash: pinned };
  const isOther = (found: BlockReference): boolean => isAtSamePlace(found, block) && found.hash !== block.hash;
  const sealed = proven.find((each) => isOther(each.block));
  if (sealed) return { source: sealed.by, hash: sealed.block.hash };
  const observed = seen.find(({ observation }) => isOther(observation.block));
  return observed && { source: observed.observer, hash: observed.observation.block.hash };
}
