/** Anchors on chains with foreign headers: the word of observers, and no time (docs/spec/13-foreign.md). */

import { fromHex } from "../bytes.js";
import { type ForeignAnchor, MAX_FOREIGN_BYTES, openForeignObservation, parseForeign } from "../documents/foreign.js";
import { Fault } from "../errors.js";
import { covers, findChain, findKey, type Trust } from "../trust.js";
import type { Context } from "./context.js";
import { findHead } from "./log.js";

const CODE = "foreign.observed";

export async function checkForeign(context: Context): Promise<void> {
  const names = context.bundle.group("foreign");
  for (const name of names) await checkOne(context, name);
  if (names.length === 0) context.findings.notProvided(CODE);
}

async function checkOne(context: Context, name: string): Promise<void> {
  const { bundle, findings, trust } = context;
  const found = await findings.attempt(CODE, name, async () => {
    const anchor = parseForeign(await bundle.read(name, MAX_FOREIGN_BYTES));
    if (findHead(context, BigInt(anchor.treeSize), fromHex(anchor.rootHash, 32)) === undefined) {
      throw new Fault("what is anchored there is not a checkpoint of this bundle");
    }
    const signers = anchor.observations.map((envelope) => openForeignObservation(anchor, envelope));
    return { anchor, signers };
  });
  if (found === undefined) return;
  const { anchor, signers } = found;
  if (trust === undefined || !isTrustedPlace(context, trust, anchor)) {
    findings.notChecked(CODE, name, "the trust file does not know this chain, contract and log id");
    return;
  }
  const observers = new Map<string, string>();
  for (const signer of signers) {
    const observer = findKey(trust.observers, signer);
    if (observer) observers.set(signer.keyid, observer.name);
  }
  if (observers.size < trust.observerQuorum) {
    const message =
      "nothing in this evidence proves itself offline: the chain's headers are foreign, and no quorum of trusted " +
      "observers stands for it";
    findings.notChecked(CODE, name, message, { block: anchor.number, root: anchor.rootHash });
    return;
  }
  findings.passed(CODE, name, "by the word of {observers}, no proof: block {block} of {chain} holds this root", {
    observers: [...observers.values()].sort().join(", "),
    block: anchor.number,
    chain: anchor.kind,
    size: anchor.treeSize,
    root: anchor.rootHash,
  });
}

function isTrustedPlace({ heads }: Context, trust: Trust, anchor: ForeignAnchor): boolean {
  const chain = findChain(trust, anchor.chainId, anchor.genesisHash);
  const isSame =
    chain?.kind === anchor.kind && chain.contract === anchor.contract && chain.codeHash === anchor.codeHash;
  const origins = heads.filter(({ isTrusted }) => isTrusted).map(({ proof }) => proof.checkpoint.origin);
  return (
    isSame &&
    chain.logIds.some(
      (item) => item.logId === anchor.logId && origins.includes(item.origin) && covers(item, anchor.treeSize),
    )
  );
}
