/** Anchor evidence `mizheng/anchor/v1` and the beacon `mizheng/beacon/v1` (docs/spec/7-anchor.md). */

import { fromHex, isEqual, limitedHex, toHex } from "../bytes.js";
import { type Json, natural, parseTyped, requireFields } from "../canonical.js";
import type { BlockReference } from "../documents/statement.js";
import { isSameBlock } from "../documents/statement.js";
import { Fault } from "../errors.js";
import { type Block, type Chain, isSameBlockData, parseBlock, parseChain, verifyBlock } from "./block.js";
import { type Header, MAX_HEADER_BYTES } from "./header.js";
import { MAX_RECEIPT_BYTES } from "./receipt.js";
import { type Account, rootSlot, verifyAccount, verifySlot } from "./storage.js";
import { MAX_NODE_BYTES } from "./trie.js";

export const MAX_ANCHOR_BYTES = 512 * 1024;
export const MAX_BEACON_BYTES = 2 * MAX_HEADER_BYTES + 1024;
// A path of 64 digits passes at most a branch for each of them, and ends in a leaf.
const MAX_PROOF_NODES = 65;

interface ReceiptProof {
  readonly index: number;
  readonly bytes: Uint8Array;
  readonly proof: readonly Uint8Array[];
  readonly logIndex: number;
}

interface StorageProof {
  readonly block: Block;
  readonly accountProof: readonly Uint8Array[];
  readonly codeHash: Uint8Array;
  readonly slotProof: readonly Uint8Array[];
}

/** Nothing of it is true until it was checked. */
export interface Anchor {
  readonly chain: Chain;
  readonly contract: Uint8Array;
  readonly logId: Uint8Array;
  readonly treeSize: number;
  readonly rootHash: Uint8Array;
  readonly block: Block;
  readonly receipt: ReceiptProof | null;
  readonly storage: StorageProof | null;
}

export function parseAnchor(data: Uint8Array): Anchor {
  const fields = parseTyped(
    data,
    "mizheng/anchor/v1",
    {
      chain: "object",
      contract: "string",
      log_id: "string",
      tree_size: "number",
      root_hash: "string",
      block: "object",
      receipt: "object?",
      storage: "object?",
    },
    MAX_ANCHOR_BYTES,
  );
  if (fields["receipt"] === null && fields["storage"] === null) {
    throw new Fault("an anchor with neither a receipt nor a storage proof");
  }
  return {
    chain: parseChain(fields["chain"]),
    contract: fromHex(fields["contract"], 20),
    logId: fromHex(fields["log_id"], 32),
    treeSize: natural(fields["tree_size"], 1),
    rootHash: fromHex(fields["root_hash"], 32),
    block: parseBlock(fields["block"]),
    receipt: fields["receipt"] === null ? null : parseReceipt(fields["receipt"]),
    storage: fields["storage"] === null ? null : parseStorage(fields["storage"]),
  };
}

function parseReceipt(value: Json | undefined): ReceiptProof {
  const fields = requireFields(value, { index: "number", bytes: "string", proof: "list", log_index: "number" });
  return {
    index: natural(fields["index"]),
    bytes: limitedHex(fields["bytes"], MAX_RECEIPT_BYTES),
    proof: parseProof(fields["proof"] as Json[]),
    logIndex: natural(fields["log_index"]),
  };
}

function parseStorage(value: Json | undefined): StorageProof {
  const required = { block: "object", account_proof: "list", code_hash: "string", slot_proof: "list" } as const;
  const fields = requireFields(value, required);
  return {
    block: parseBlock(fields["block"]),
    accountProof: parseProof(fields["account_proof"] as Json[]),
    codeHash: fromHex(fields["code_hash"], 32),
    slotProof: parseProof(fields["slot_proof"] as Json[]),
  };
}

function parseProof(nodes: readonly Json[]): Uint8Array[] {
  if (nodes.length > MAX_PROOF_NODES) {
    throw new Fault("a proof of {count} nodes, more than the {limit} allowed", {
      count: nodes.length,
      limit: MAX_PROOF_NODES,
    });
  }
  return nodes.map((node) => limitedHex(node, MAX_NODE_BYTES));
}

export interface StorageFinding {
  readonly header: Header;
  readonly account: Account;
  /** Hex. */
  readonly slot: string;
}

/**
 * What the state of the proof's block shows: the contract's code, and the root in the slot of log id and size. Without
 * a receipt the block has to be the anchor's own: nothing else ties the root to the block whose time counts.
 */
export function verifyStorage(anchor: Anchor, proof: StorageProof): StorageFinding {
  const isLater = anchor.receipt !== null && proof.block.number > anchor.block.number;
  if (!isLater && !isSameBlockData(proof.block, anchor.block)) {
    throw new Fault("a storage proof stands on the anchor's own block or, beside a receipt, on a later one");
  }
  const header = verifyBlock(proof.block);
  const account = verifyAccount(header.stateRoot, anchor.contract, proof.accountProof);
  if (!isEqual(account.codeHash, proof.codeHash)) {
    throw new Fault("the account has other code than the evidence says");
  }
  const slot = rootSlot(anchor.logId, anchor.treeSize);
  if (!isEqual(verifySlot(account.storageRoot, slot, proof.slotProof), anchor.rootHash)) {
    throw new Fault("the contract's storage holds another root");
  }
  return { header, account, slot: toHex(slot) };
}

/** A block and its chain. */
export interface Beacon {
  readonly chain: Chain;
  readonly block: Block;
}

export function parseBeacon(data: Uint8Array): Beacon {
  const required = { chain: "object", number: "number", hash: "string", header: "string" } as const;
  const fields = parseTyped(data, "mizheng/beacon/v1", required, MAX_BEACON_BYTES);
  const { number, hash, header } = fields;
  return { chain: parseChain(fields["chain"]), block: parseBlock({ number, hash, header } as Json) };
}

/** The header, if it is that of the block which the statement names. */
export function verifyBeacon(beacon: Beacon, notBefore: BlockReference): Header {
  if (!isSameBlock(referTo(beacon.chain, beacon.block.number, beacon.block.hash), notBefore)) {
    throw new Fault("the beacon is another block than the statement names");
  }
  return verifyBlock(beacon.block);
}

export function referTo(chain: Chain, number: number, hash: string): BlockReference {
  return { chainId: chain.chainId, genesisHash: chain.genesisHash, number, hash };
}
