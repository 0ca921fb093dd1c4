/** Seals of validators: which blocks the chain's own validators, whom the trust file names, stand for. */

import { CODE, judgeSeals, MAX_BYTES, readSeals } from "../consensus/seals.js";
import { referTo } from "../evm/anchor.js";
import type { Chain } from "../evm/block.js";
import { findChain, type Trust, type TrustedChain } from "../trust.js";
import type { Context } from "./context.js";

// One for each block that a bundle stands on; whoever passes a bundle on can add as many as he likes.
const MAX_MEMBERS = 32;

export async function checkConsensus(context: Context): Promise<void> {
  const { bundle, findings } = context;
  const names = bundle.group("seals");
  for (const name of names.slice(0, MAX_MEMBERS)) await checkSeals(context, name);
  for (const name of names.slice(MAX_MEMBERS)) {
    const message = "the bundle carries more of these than it can need: only the first {limit} count";
    findings.notChecked(CODE, name, message, { limit: MAX_MEMBERS });
  }
  if (names.length === 0) findings.notProvided(CODE);
}

async function checkSeals(context: Context, name: string): Promise<void> {
  const { bundle, findings, trust } = context;
  const seals = await findings.attempt(CODE, name, async () => readSeals(await bundle.read(name, MAX_BYTES)));
  if (seals === undefined) return;
  context.isTrial ||= seals.chain.kind === "trial";
  if (trust === undefined) {
    findings.notChecked(CODE, name, "no trust file was given");
    return;
  }
  const chain = findTrustedChain(trust, seals.chain);
  if (chain === undefined) {
    findings.notChecked(CODE, name, "the trust file does not know this chain", { chain_id: seals.chain.chainId });
    return;
  }
  const sealers = await findings.attempt(CODE, name, () => judgeSeals(seals, chain.validators));
  if (sealers === undefined) return;
  context.proven.push({ block: referTo(seals.chain, seals.number, seals.hash), by: sealers.who });
  findings.passed(CODE, name, "block {number}, sealed by {by}; {needed} are needed", {
    number: seals.number,
    by: sealers.who,
    needed: sealers.needed,
    hash: seals.hash,
    chain: chain.name,
  });
}

/** The trust file's chain of this id and genesis, if it is also of this kind. */
export function findTrustedChain(trust: Trust, chain: Chain): TrustedChain | undefined {
  const found = findChain(trust, chain.chainId, chain.genesisHash);
  return found?.kind === chain.kind ? found : undefined;
}
