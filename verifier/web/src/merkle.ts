/** The hash tree of RFC 6962 §2.1 with SHA-256, and inclusion proofs after RFC 9162 §2.1.3.2. */

import { isEqual } from "./bytes.js";
import { sha256 } from "./crypto/hashing.js";
import { Fault } from "./errors.js";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

export function leafHash(data: Uint8Array): Uint8Array {
  return sha256(LEAF, data);
}

/**
 * The root to which the proof leads from a leaf hash at `index` in a tree of `size`, lowest hash first. The position
 * is bound: exactly as many hashes as it needs.
 */
export function rootFromInclusion(
  leaf: Uint8Array,
  index: bigint,
  size: bigint,
  proof: readonly Uint8Array[],
): Uint8Array {
  if (index < 0n || index >= size) {
    throw new Fault("leaf index {index} is outside a tree of {size}", { index, size });
  }
  let place = index;
  let last = size - 1n;
  let node = leaf;
  for (const sibling of proof) {
    if (last === 0n) throw new Fault("the inclusion proof is longer than the tree is high");
    if ((place & 1n) === 1n || place === last) {
      node = sha256(NODE, sibling, node);
      // At the right edge: levels at which this node has no sibling are passed over.
      while ((place & 1n) === 0n && place !== 0n) [place, last] = [place >> 1n, last >> 1n];
    } else {
      node = sha256(NODE, node, sibling);
    }
    [place, last] = [place >> 1n, last >> 1n];
  }
  if (last !== 0n) throw new Fault("the inclusion proof is shorter than the tree is high");
  return node;
}

/** Return if the leaf is at that place under that root. */
export function verifyInclusion(
  leaf: Uint8Array,
  index: bigint,
  size: bigint,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): void {
  if (!isEqual(rootFromInclusion(leaf, index, size, proof), root)) {
    throw new Fault("the inclusion proof does not lead to the tree's root");
  }
}
