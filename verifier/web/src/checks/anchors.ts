/**
 * Anchors on a chain: each proof of the evidence, then whether its block is the chain's at all. A check that fails ends
 * its anchor; only one of which every check passed gives a time.
 */

import { isEqual, toHex } from "../bytes.js";
import { type Anchor, MAX_ANCHOR_BYTES, parseAnchor, referTo, verifyStorage } from "../evm/anchor.js";
import { isSameBlockData, verifyBlock } from "../evm/block.js";
import type { Header } from "../evm/header.js";
import { verifyEvent, verifyReceipt } from "../evm/receipt.js";
import { Fault } from "../errors.js";
import { covers, type TrustedChain } from "../trust.js";
import { checkCanonical, findVouchers, type Seen } from "./block.js";
import { findTrustedChain } from "./consensus.js";
import type { Context } from "./context.js";

export async function checkAnchors(context: Context, seen: readonly Seen[]): Promise<void> {
  const names = context.bundle.group("anchors");
  for (const name of names) await checkAnchor(context, name, seen);
  if (names.length === 0) context.findings.notProvided("anchor.canonical", "", "the bundle carries no anchor");
}

async function checkAnchor(context: Context, name: string, seen: readonly Seen[]): Promise<void> {
  const { bundle, findings, trust } = context;
  const found = await findings.attempt("anchor.header", name, async () => {
    const anchor = parseAnchor(await bundle.read(name, MAX_ANCHOR_BYTES));
    context.isTrial ||= anchor.chain.kind === "trial";
    return { anchor, header: verifyBlock(anchor.block) };
  });
  if (found === undefined) return;
  const { anchor, header } = found;
  findings.passed("anchor.header", name, "", { number: anchor.block.number, hash: anchor.block.hash });
  const trusted = trust && findTrustedChain(trust, anchor.chain);
  const hasReceipt = await checkReceipt(context, name, anchor, header);
  const hasStorage = await checkStorage(context, name, anchor, trusted, seen);
  const hasCheckpoint = checkCheckpoint(context, name, anchor);
  const chain = checkContract(context, name, anchor, trusted);
  if (!hasReceipt || !hasStorage || !hasCheckpoint || chain === undefined) {
    findings.notChecked("anchor.canonical", name, "not reached: a check of this anchor before it did not pass");
    return;
  }
  const block = referTo(anchor.chain, anchor.block.number, anchor.block.hash);
  if (!checkCanonical(context, "anchor.canonical", name, chain, block, seen)) return;
  context.anchoredSizes.add(BigInt(anchor.treeSize));
  const values = { number: anchor.block.number, chain: chain.name };
  context.latest.push({ at: header.timestamp, by: "block {number} of {chain}", values });
}

async function checkReceipt(context: Context, name: string, anchor: Anchor, header: Header): Promise<boolean> {
  const { findings } = context;
  const proof = anchor.receipt;
  if (proof === null) {
    findings.notProvided("anchor.receipt", name);
    return true;
  }
  const receipt = await findings.attempt("anchor.receipt", name, () =>
    verifyReceipt(header, proof.index, proof.bytes, proof.proof),
  );
  if (receipt === undefined) return false;
  const place = { index: proof.index, number: anchor.block.number };
  findings.passed("anchor.receipt", name, "transaction {index} of block {number}", place);
  const { contract, logId, treeSize, rootHash } = anchor;
  const isThere = await findings.attempt("anchor.event", name, () => {
    verifyEvent(receipt, proof.logIndex, { contract, logId, size: treeSize, root: rootHash });
    return true;
  });
  if (isThere === undefined) return false;
  findings.passed("anchor.event", name, "", {
    contract: toHex(contract),
    log_id: toHex(logId),
    size: treeSize,
    root: toHex(rootHash),
  });
  return true;
}

async function checkStorage(
  context: Context,
  name: string,
  anchor: Anchor,
  trusted: TrustedChain | undefined,
  seen: readonly Seen[],
): Promise<boolean> {
  const { findings } = context;
  const proof = anchor.storage;
  if (proof === null) {
    findings.notProvided("anchor.storage", name);
    return true;
  }
  const found = await findings.attempt("anchor.storage", name, () => {
    const finding = verifyStorage(anchor, proof);
    // Another contract may be a newer one with other code: it is merely not known.
    const isKnown = trusted?.contract === toHex(anchor.contract);
    if (isKnown && trusted?.codeHash !== toHex(finding.account.codeHash)) {
      throw new Fault("the contract has other code than the trusted one");
    }
    return finding;
  });
  if (found === undefined) return false;
  if (!isSameBlockData(proof.block, anchor.block)) {
    const block = referTo(anchor.chain, proof.block.number, proof.block.hash);
    // The receipt already proves the anchor; state of a block nobody vouches for adds nothing.
    if (trusted === undefined || findVouchers(context, trusted, block, seen).length === 0) {
      const message = "nothing shows that the block of the storage proof belongs to the chain";
      findings.notChecked("anchor.storage", name, message);
      return true;
    }
  }
  findings.passed("anchor.storage", name, "block {number}", {
    number: proof.block.number,
    slot: found.slot,
    value: toHex(anchor.rootHash),
    code_hash: toHex(found.account.codeHash),
  });
  return true;
}

/** The anchored size and root are those of a head that holds the entry and that the log signed. */
function checkCheckpoint({ findings, heads }: Context, name: string, anchor: Anchor): boolean {
  const size = anchor.treeSize;
  const head = heads.find(({ proof }) => proof.checkpoint.size === BigInt(size));
  if (head === undefined) {
    const message = "the anchor is of tree size {size}, for which the bundle proves nothing";
    findings.failed("anchor.checkpoint", name, new Fault(message, { size }));
    return false;
  }
  if (!isEqual(head.proof.checkpoint.root, anchor.rootHash)) {
    const fault = new Fault("the anchored root is another than that of the checkpoint of its size");
    findings.failed("anchor.checkpoint", name, fault);
    return false;
  }
  if (!head.isTrusted) {
    findings.notChecked("anchor.checkpoint", name, "the checkpoint's signature was not verified");
    return false;
  }
  findings.passed("anchor.checkpoint", name, "", { size });
  return true;
}

/** Not known is not false: another contract may be a newer one. But nothing follows from it. */
function checkContract(
  { findings, trust, heads }: Context,
  name: string,
  anchor: Anchor,
  chain: TrustedChain | undefined,
): TrustedChain | undefined {
  if (trust === undefined) {
    findings.notChecked("anchor.contract", name, "no trust file was given");
    return undefined;
  }
  if (chain === undefined) {
    const values = { chain_id: anchor.chain.chainId };
    findings.notChecked("anchor.contract", name, "the trust file does not know this chain", values);
    return undefined;
  }
  const contract = toHex(anchor.contract);
  const logId = toHex(anchor.logId);
  const origins = heads.map(({ proof }) => proof.checkpoint.origin);
  const isKnown = chain.logIds.some(
    (item) => item.logId === logId && origins.includes(item.origin) && covers(item, anchor.treeSize),
  );
  if (chain.contract !== contract || !isKnown) {
    const message = "the trust file does not know this contract and log id for this log and size";
    findings.notChecked("anchor.contract", name, message, { contract });
    return undefined;
  }
  const values = { chain: chain.name, contract, log_id: logId };
  findings.passed("anchor.contract", name, "{chain}, contract {contract}", values);
  return chain;
}
