/** An account and one slot of its storage under a state root (Yellow Paper §4.1, EIP-1186). */

import { concat, fromNumber } from "../bytes.js";
import { keccak256 } from "../crypto/hashing.js";
import * as rlp from "./rlp.js";
import { verifyValue } from "./trie.js";

// nonce, balance, two hashes, and the list's own two bytes.
const MAX_ACCOUNT_BYTES = 9 + 33 + 33 + 33 + 2;
const MAX_SLOT_BYTES = 33;

export interface Account {
  readonly storageRoot: Uint8Array;
  readonly codeHash: Uint8Array;
}

export function verifyAccount(stateRoot: Uint8Array, address: Uint8Array, proof: readonly Uint8Array[]): Account {
  const value = verifyValue(stateRoot, keccak256(address), proof);
  const [nonce, balance, storageRoot, codeHash] = rlp.asList(rlp.decode(value, MAX_ACCOUNT_BYTES), 4);
  rlp.asInt(nonce, 8);
  rlp.asInt(balance, 32);
  return { storageRoot: rlp.asBytes(storageRoot, 32), codeHash: rlp.asBytes(codeHash, 32) };
}

/** The 32 bytes in a slot. */
export function verifySlot(storageRoot: Uint8Array, slot: Uint8Array, proof: readonly Uint8Array[]): Uint8Array {
  const value = verifyValue(storageRoot, keccak256(slot), proof);
  return fromNumber(rlp.asInt(rlp.decode(value, MAX_SLOT_BYTES), 32), 32);
}

/** Where the contract keeps the root of a log at a tree size: a mapping in the mapping of slot 0 (docs/spec §7). */
export function rootSlot(logId: Uint8Array, size: number): Uint8Array {
  return keccak256(concat(fromNumber(size, 32), keccak256(concat(logId, fromNumber(0, 32)))));
}
