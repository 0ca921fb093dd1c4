/** Checkpoints (C2SP tlog-checkpoint, no extension lines) and proofs of one entry against one (C2SP tlog-proof). */

import { decodeUtf8, find, fromBase64, isAscii, latin1, utf8 } from "../bytes.js";
import { Fault } from "../errors.js";
import { verifyInclusion } from "../merkle.js";
import { MAX_NOTE_BYTES, type Note, parseNote } from "./note.js";

export const MAX_PROOF_BYTES = MAX_NOTE_BYTES + 4096;
const MAX_SIZE = 2n ** 63n - 1n;
const MAX_HASHES = 63;
const DECIMAL = /^(?:0|[1-9][0-9]{0,18})$/;
const BLANK_LINE = utf8("\n\n");

export interface Checkpoint {
  readonly origin: string;
  readonly size: bigint;
  readonly root: Uint8Array;
}

/** One entry's inclusion in one signed checkpoint; nothing of it is checked. */
export interface TlogProof {
  readonly index: bigint;
  readonly hashes: readonly Uint8Array[];
  /** The signed checkpoint as it stands. */
  readonly signed: Uint8Array;
  readonly note: Note;
  readonly checkpoint: Checkpoint;
}

/** Read the text of a checkpoint: origin, size and root, a line each. */
export function parseCheckpoint(text: Uint8Array): Checkpoint {
  const whole = decodeUtf8(text);
  if (whole === undefined) throw new Fault("a checkpoint that is not UTF-8");
  const lines = whole.split("\n");
  if (lines.length !== 4 || lines[3] !== "") throw new Fault("a checkpoint has exactly three lines");
  const [origin, size, encoded] = lines as [string, string, string];
  if (origin === "") throw new Fault("a checkpoint without an origin");
  const root = fromBase64(encoded);
  if (root.length !== 32) throw new Fault("a checkpoint's root has 32 bytes");
  return { origin, size: parseDecimal(size), root };
}

export function parseTlogProof(data: Uint8Array): TlogProof {
  if (data.length > MAX_PROOF_BYTES) throw new Fault("a log proof of {size} bytes", { size: data.length });
  const end = find(data, BLANK_LINE);
  const head = data.subarray(0, Math.max(end, 0));
  if (!isAscii(head)) throw new Fault("a log proof that is not text");
  const [header, index, ...hashes] = latin1(head).split("\n");
  if (end < 0 || header !== "c2sp.org/tlog-proof@v1") throw new Fault("not a log proof (c2sp.org/tlog-proof@v1)");
  if (!index?.startsWith("index ")) throw new Fault("a log proof without its index");
  const nodes = hashes.map(fromBase64);
  if (nodes.length > MAX_HASHES || nodes.some((node) => node.length !== 32)) {
    throw new Fault("a log proof with hashes that are not 32 bytes");
  }
  const signed = data.subarray(end + 2);
  const note = parseNote(signed);
  const checkpoint = parseCheckpoint(note.text);
  return { index: parseDecimal(index.slice(6)), hashes: nodes, signed, note, checkpoint };
}

/** Return if the leaf hash is at the proof's index under its checkpoint's root. */
export function verifyProof(proof: TlogProof, leaf: Uint8Array): void {
  verifyInclusion(leaf, proof.index, proof.checkpoint.size, proof.hashes, proof.checkpoint.root);
}

function parseDecimal(text: string): bigint {
  const value = DECIMAL.test(text) ? BigInt(text) : MAX_SIZE + 1n;
  if (value > MAX_SIZE) throw new Fault("expected a whole number without leading zeros");
  return value;
}
