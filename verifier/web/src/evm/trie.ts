/**
 * The way down a Merkle-Patricia trie from its root to one key (Yellow Paper, appendices C and D). A proof lists the
 * nodes on the way that have a hash of their own, root first (EIP-1186); shorter ones stand inside their parent.
 */

import { isEqual, toHex } from "../bytes.js";
import { keccak256 } from "../crypto/hashing.js";
import { Fault } from "../errors.js";
import * as rlp from "./rlp.js";

export const MAX_NODE_BYTES = 64 * 1024 + 64;
const HASH_BYTES = 32;
const BRANCH = 17;

/** What the trie with this root holds at `key`. Every node of the proof has to be used, once and in order. */
export function verifyValue(root: Uint8Array, key: Uint8Array, proof: readonly Uint8Array[]): Uint8Array {
  let path = toHex(key);
  let target: rlp.Item = root;
  let used = 0;
  for (;;) {
    let node: readonly rlp.Item[];
    if (target instanceof Uint8Array) {
      const digest = rlp.asBytes(target, HASH_BYTES);
      const data = proof[used];
      if (data === undefined) throw new Fault("the trie proof ends before it reaches the key");
      node = openNode(data, digest, used === 0);
      used++;
    } else {
      node = openEmbedded(target);
    }
    const step = takeStep(node, path);
    if (step.isEnd || isEmpty(step.target)) {
      if (used < proof.length) {
        throw new Fault("the trie proof has nodes that the path to the key does not use");
      }
      if (isEmpty(step.target)) throw new Fault("the trie does not hold this key");
      return rlp.asBytes(step.target);
    }
    ({ target, path } = step);
  }
}

interface Step {
  /** What is left of the path, in hex digits. */
  readonly path: string;
  /** A value at the end, a reference before; empty where there is nothing. */
  readonly target: rlp.Item;
  readonly isEnd: boolean;
}

function openNode(data: Uint8Array, digest: Uint8Array, isRoot: boolean): readonly rlp.Item[] {
  if (!isEqual(keccak256(data), digest)) {
    throw new Fault("a trie node does not match the hash that refers to it");
  }
  if (data.length < HASH_BYTES && !isRoot) throw new Fault("a trie node that belongs inside its parent");
  const node = rlp.decode(data, MAX_NODE_BYTES);
  // An empty trie is the empty string: a branch with nothing below it.
  if (isRoot && isEmpty(node)) return Array.from({ length: BRANCH }, () => new Uint8Array());
  return rlp.asList(node);
}

function openEmbedded(node: readonly rlp.Item[]): readonly rlp.Item[] {
  if (rlp.encode(node).length >= HASH_BYTES) {
    throw new Fault("a trie node inside its parent that should have a hash of its own");
  }
  return node;
}

function takeStep(node: readonly rlp.Item[], path: string): Step {
  if (node.length === BRANCH) {
    if (path === "") return { path, target: rlp.asBytes(node[16]), isEnd: true };
    const target = node[Number.parseInt(path[0] as string, 16)] as rlp.Item;
    return { path: path.slice(1), target, isEnd: false };
  }
  const [encoded, target] = rlp.asList(node, 2) as readonly [rlp.Item, rlp.Item];
  const { digits, isLeaf } = parseHexPrefix(rlp.asBytes(encoded));
  if (isEmpty(target) || (!isLeaf && digits === "")) throw new Fault("a trie node that no trie has");
  if (isLeaf) {
    return { path: "", target: path === digits ? rlp.asBytes(target) : new Uint8Array(), isEnd: true };
  }
  if (!path.startsWith(digits)) return { path: "", target: new Uint8Array(), isEnd: false };
  return { path: path.slice(digits.length), target, isEnd: false };
}

/** Its first digit: 2 for a leaf, and 1 if the number of digits that follow is odd; else a zero stands between. */
function parseHexPrefix(data: Uint8Array): { readonly digits: string; readonly isLeaf: boolean } {
  const found = /^(?:([02])0|([13]))([0-9a-f]*)$/.exec(toHex(data));
  if (!found) throw new Fault("a trie node whose path is not hex-prefix encoded");
  return { digits: found[3] as string, isLeaf: found[1] === "2" || found[2] === "3" };
}

function isEmpty(item: rlp.Item): boolean {
  return item instanceof Uint8Array && item.length === 0;
}
