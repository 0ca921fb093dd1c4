/**
 * EvidenceRecord in DER (RFC 4998 §3 to §5, implicit tags), and its hash trees.
 *
 *     EvidenceRecord    version, digestAlgorithms, archiveTimeStampSequence
 *     sequence          chains, one for each hash, oldest first
 *     chain             archive time stamps under one hash, oldest first
 *     ArchiveTimeStamp  digestAlgorithm [0], attributes [1], reducedHashtree [2], timeStamp
 */

import { compareBytes, isEqual } from "../bytes.js";
import { digestWith, type HashName } from "../crypto/hashing.js";
import { Fault, LaterVersion } from "../errors.js";
import { parseHash, sizeOf } from "../timestamp/algorithms.js";
import * as der from "../timestamp/der.js";

export const MAX_RECORD_BYTES = 4 * 1024 * 1024;
const MAX_TIME_STAMPS = 64;
const MAX_LEVELS = 64;
const MAX_GROUP = 16;
const JOINS_NOTHING = "a hash tree with a list that joins nothing";
const OTHER_OBJECTS = "the hash tree is not over these objects";

/** Lists of hashes, lowest first; none where the stamp is over the one object itself. */
type Reduced = readonly (readonly Uint8Array[])[];

export interface ArchiveTimeStamp {
  /** ContentInfo, as it stands. */
  readonly token: Uint8Array;
  readonly reduced: Reduced;
  /** Of the tree; undefined: the token's own. */
  readonly algorithm: HashName | undefined;
}

export interface Chain {
  readonly encoded: Uint8Array;
  readonly stamps: readonly ArchiveTimeStamp[];
}

export interface EvidenceRecord {
  readonly chains: readonly Chain[];
  readonly algorithms: readonly HashName[];
}

export function parseRecord(data: Uint8Array): EvidenceRecord {
  if (data.length > MAX_RECORD_BYTES) throw new Fault("an evidence record of {size} bytes", { size: data.length });
  const reader = der.parse(data).reader(der.SEQUENCE);
  if (reader.next().integer() !== 1n) throw new LaterVersion("an evidence record of a later version");
  const algorithms = reader.next().reader(der.SEQUENCE).rest().map(parseHash);
  if (reader.optional(der.context(0)) || reader.optional(der.context(1))) {
    throw new LaterVersion("an evidence record over encrypted objects");
  }
  const chains = reader
    .next(der.SEQUENCE)
    .reader()
    .rest()
    .map((node) => ({ encoded: node.encoded, stamps: node.reader(der.SEQUENCE).rest().map(parseStamp) }));
  reader.end();
  if (chains.length === 0 || chains.some(({ stamps }) => stamps.length === 0)) {
    throw new Fault("an evidence record without time stamps");
  }
  if (chains.reduce((sum, { stamps }) => sum + stamps.length, 0) > MAX_TIME_STAMPS) {
    throw new Fault("an evidence record with more than {limit} time stamps", { limit: MAX_TIME_STAMPS });
  }
  return { chains, algorithms };
}

/** The DER of the sequence of these chains alone: what a hash-tree renewal hashes of all that was before (§5.2). */
export function encodeSequence(chains: readonly Chain[]): Uint8Array {
  return der.encode(der.SEQUENCE, ...chains.map(({ encoded }) => encoded));
}

function parseStamp(node: der.Node): ArchiveTimeStamp {
  const reader = node.reader(der.SEQUENCE);
  const algorithm = reader.optional(der.context(0));
  if (reader.optional(der.context(1))) {
    throw new LaterVersion("an archive time stamp with attributes, not known here");
  }
  const tree = reader.optional(der.context(2));
  const token = reader.next(der.SEQUENCE).encoded;
  reader.end();
  return {
    token,
    reduced: tree ? parseReduced(tree) : [],
    // Implicit: the tag [0] stands in the place of SEQUENCE.
    algorithm: algorithm && parseHash(new der.Node(der.SEQUENCE, algorithm.content, algorithm.encoded)),
  };
}

function parseReduced(node: der.Node): Reduced {
  const lists = node
    .reader()
    .rest()
    .map((part) =>
      part
        .reader(der.SEQUENCE)
        .rest()
        .map((value) => value.octets()),
    );
  if (lists.length === 0) throw new Fault(JOINS_NOTHING);
  if (lists.length > MAX_LEVELS || lists.some((part) => part.length > MAX_GROUP)) {
    throw new Fault("a hash tree deeper or wider than any archive");
  }
  return lists;
}

/**
 * The root to which objects of these hashes lead (§4.3). Several are a group: the first list holds them and nothing
 * else. A first list of one hash is refused: two readings of it are about.
 */
export function computeRoot(hash: HashName, reduced: Reduced, values: readonly Uint8Array[]): Uint8Array {
  if (reduced.some((part) => part.some((value) => value.length !== sizeOf(hash)))) {
    throw new Fault("a hash tree with hashes of another length than its algorithm's");
  }
  const [first, ...rest] = reduced;
  if (first === undefined) {
    if (values.length !== 1) throw new Fault("a time stamp over one object, for a group of several");
    return values[0] as Uint8Array;
  }
  if (first.length < 2 || rest.some((part) => part.length === 0)) throw new Fault(JOINS_NOTHING);
  const isIn = (value: Uint8Array, list: readonly Uint8Array[]): boolean => list.some((each) => isEqual(each, value));
  const isGroup = values.length > 1;
  if (!values.every((value) => isIn(value, first)) || (isGroup && !first.every((value) => isIn(value, values)))) {
    throw new Fault(OTHER_OBJECTS);
  }
  return rest.reduce<Uint8Array>((node, part) => join(hash, [node, ...part]), join(hash, first));
}

function join(hash: HashName, values: readonly Uint8Array[]): Uint8Array {
  return digestWith(hash, ...[...values].sort(compareBytes));
}
