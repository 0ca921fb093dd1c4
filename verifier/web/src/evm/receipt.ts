/** A transaction receipt, its place in a block, and the contract's event in it (Yellow Paper §4.3.1, EIP-2718). */

import { fromNumber, isEqual, NOTHING, toHex, utf8 } from "../bytes.js";
import { keccak256 } from "../crypto/hashing.js";
import { Fault, LaterVersion } from "../errors.js";
import type { Header } from "./header.js";
import * as rlp from "./rlp.js";
import { verifyValue } from "./trie.js";

export const MAX_RECEIPT_BYTES = 64 * 1024;
// Receipts of these have the four fields of the oldest kind (EIP-2930, EIP-1559, EIP-4844, EIP-7702).
const TYPES = [1, 2, 3, 4];
const EVENT = utf8("Anchored(bytes32,uint64,bytes32)");

interface Log {
  readonly address: Uint8Array;
  readonly topics: readonly Uint8Array[];
  readonly data: Uint8Array;
}

export interface Receipt {
  readonly isSuccess: boolean;
  readonly logs: readonly Log[];
}

/** The receipt, if it is number `index` (from 0) under the header's receipts root. */
export function verifyReceipt(
  header: Header,
  index: number,
  data: Uint8Array,
  proof: readonly Uint8Array[],
): Receipt {
  const scalar = index === 0 ? NOTHING : fromNumber(index, Math.ceil(index.toString(16).length / 2));
  if (!isEqual(verifyValue(header.receiptsRoot, rlp.encode(scalar), proof), data)) {
    throw new Fault("the block holds another receipt at index {index}", { index });
  }
  return parseReceipt(data);
}

function parseReceipt(data: Uint8Array): Receipt {
  const type = data[0];
  const isTyped = type === undefined || type < 0x80;
  if (type !== undefined && isTyped && !TYPES.includes(type)) {
    throw new LaterVersion("a receipt of unsupported transaction type {type}", { type });
  }
  const fields = rlp.asList(rlp.decode(isTyped ? data.subarray(1) : data, MAX_RECEIPT_BYTES), 4);
  rlp.asInt(fields[1], 8);
  rlp.asBytes(fields[2], 256);
  const status = toHex(fields[0] instanceof Uint8Array ? fields[0] : Uint8Array.of(0));
  if (status !== "" && status !== "01") {
    throw new Fault("a receipt that does not say whether the transaction succeeded");
  }
  return { isSuccess: status === "01", logs: rlp.asList(fields[3]).map(parseLog) };
}

function parseLog(item: rlp.Item): Log {
  const [address, topics, data] = rlp.asList(item, 3);
  return {
    topics: rlp.asList(topics).map((topic) => rlp.asBytes(topic, 32)),
    address: rlp.asBytes(address, 20),
    data: rlp.asBytes(data),
  };
}

/** What the event has to say. */
export interface Anchored {
  readonly contract: Uint8Array;
  readonly logId: Uint8Array;
  readonly size: number;
  readonly root: Uint8Array;
}

/** Return if the receipt's log number `place` is the contract's event with just these values. */
export function verifyEvent(receipt: Receipt, place: number, wanted: Anchored): void {
  if (!receipt.isSuccess) throw new Fault("the transaction failed");
  const log = receipt.logs[place];
  if (log === undefined) throw new Fault("the receipt has no event at index {index}", { index: place });
  if (!isEqual(log.address, wanted.contract)) throw new Fault("the event comes from another contract");
  const [name, logId, size] = log.topics;
  if (log.topics.length !== 3 || !isEqual(name as Uint8Array, keccak256(EVENT))) {
    throw new Fault("the event is not Anchored");
  }
  if (!isEqual(logId as Uint8Array, wanted.logId)) throw new Fault("the event is about another log");
  if (!isEqual(size as Uint8Array, fromNumber(wanted.size, 32))) {
    throw new Fault("the event is about another tree size");
  }
  if (!isEqual(log.data, wanted.root)) throw new Fault("the event holds another root");
}
