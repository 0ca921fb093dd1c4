/** An Ethereum block header and its hash, by the Yellow Paper §4.3 and one row of fields for each fork since. */

import { keccak256 } from "../crypto/hashing.js";
import { Fault } from "../errors.js";
import * as rlp from "./rlp.js";

export const MAX_HEADER_BYTES = 8 * 1024;
const MAX_FIELDS = 32;
export const BASE_FIELDS = 15;
const MAX_TIMESTAMP = 253402300799n;
const PARENT_HASH = 0;
const STATE_ROOT = 3;
const RECEIPTS_ROOT = 5;
const NUMBER = 8;
const TIMESTAMP = 11;
// The length of each field in bytes; 0 is free, a negative one a scalar of at most that many bytes.
const LENGTHS = [32, 32, 20, 32, 32, 32, 256, -32, -8, -8, -8, -8, 0, 32, 8, -32, 32, -8, -8, 32, 32];

export interface Header {
  readonly hash: Uint8Array;
  readonly number: bigint;
  readonly parentHash: Uint8Array;
  readonly stateRoot: Uint8Array;
  readonly receiptsRoot: Uint8Array;
  /** Seconds since 1970, as the block's producer set it. */
  readonly timestamp: number;
}

export function parseHeader(data: Uint8Array): Header {
  const items = rlp.asList(rlp.decode(data, MAX_HEADER_BYTES));
  if (items.length < BASE_FIELDS || items.length > MAX_FIELDS) {
    throw new Fault("a header with {count} fields", { count: items.length });
  }
  items.forEach((item, place) => {
    const length = LENGTHS[place];
    if (length === undefined) {
      if (rlp.asBytes(item).length > 32) throw new Fault("a header field of more than 32 bytes");
    } else if (length < 0) {
      rlp.asInt(item, -length);
    } else {
      rlp.asBytes(item, length || undefined);
    }
  });
  const timestamp = rlp.asInt(items[TIMESTAMP], 8);
  if (timestamp > MAX_TIMESTAMP) {
    throw new Fault("a block time after the year 9999, perhaps not counted in seconds");
  }
  return {
    hash: keccak256(data),
    number: rlp.asInt(items[NUMBER], 8),
    parentHash: rlp.asBytes(items[PARENT_HASH], 32),
    stateRoot: rlp.asBytes(items[STATE_ROOT], 32),
    receiptsRoot: rlp.asBytes(items[RECEIPTS_ROOT], 32),
    timestamp: Number(timestamp),
  };
}
