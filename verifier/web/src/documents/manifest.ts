/** Opened records (docs/spec/2-manifest.md): a record's bytes and its place under the deposited commitment. */

import { concat, fromBase64, fromHex, fromNumber, isEqual, utf8 } from "../bytes.js";
import { type Json, parseObject } from "../canonical.js";
import { sha256 } from "../crypto/hashing.js";
import type { PublicKey } from "../crypto/keys.js";
import { Fault } from "../errors.js";
import { leafHash, rootFromInclusion } from "../merkle.js";
import { MAX_RECORD_BYTES } from "./record.js";

// A proof of 32 hashes in hex and a record in Base64: twice the record's own limit holds both.
export const MAX_OPENED_BYTES = 2 * MAX_RECORD_BYTES;
const MIN_TREE_SIZE = 1024;
const MAX_TREE_SIZE = 2 ** 32;
const CONTEXT = utf8("mizheng/manifest/v1\n");

export interface OpenedRecord {
  readonly record: Uint8Array;
  readonly index: number;
  readonly treeSize: number;
  readonly hashes: readonly Uint8Array[];
}

/** Read `records/NNNN.json`. */
export function parseOpened(data: Uint8Array): OpenedRecord {
  const fields = parseObject(
    data,
    { record: "string", index: "number", tree_size: "number", hashes: "list" },
    MAX_OPENED_BYTES,
  );
  const treeSize = fields["tree_size"] as number;
  const isPower = treeSize > 0 && Number.isInteger(Math.log2(treeSize));
  if (treeSize < MIN_TREE_SIZE || treeSize > MAX_TREE_SIZE || !isPower) {
    throw new Fault("a manifest's tree size is a power of two, at least {least}", { least: MIN_TREE_SIZE });
  }
  const hashes = (fields["hashes"] as Json[]).map((item) => fromHex(item, 32));
  return { record: fromBase64(fields["record"]), index: fields["index"] as number, treeSize, hashes };
}

/** The same, held against the commitment, which is bound to the depositor's key. */
export function openRecord(data: Uint8Array, commitment: Uint8Array, key: PublicKey): OpenedRecord {
  const opened = parseOpened(data);
  const { record, index, treeSize, hashes } = opened;
  const root = rootFromInclusion(leafHash(record), BigInt(index), BigInt(treeSize), hashes);
  const found = sha256(concat(CONTEXT, sha256(key.spki), fromNumber(treeSize, 8), root));
  if (!isEqual(found, commitment)) {
    throw new Fault("the record does not belong to the commitment of this statement and key");
  }
  return opened;
}
