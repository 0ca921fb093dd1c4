/** Signed notes (C2SP signed-note), and the keys that sign them as vkeys. */

import { concat, decodeUtf8, fromBase64, isEqual, toBase64, toHex, toNumber, utf8, WHITE_SPACE } from "../bytes.js";
import { sha256 } from "../crypto/hashing.js";
import { PublicKey } from "../crypto/keys.js";
import { Fault, OpenQuestion } from "../errors.js";

export const MAX_NOTE_BYTES = 64 * 1024;
const MAX_SIGNATURES = 100;
const DASH = "— ";
const CONTROLS = /[\u0000-\u0009\u000b-\u001f]/;
const BAD_NAME = new RegExp(`[${WHITE_SPACE}+]`);
const MAX_TIME = 2n ** 63n - 1n;

export interface NoteSignature {
  readonly name: string;
  /** First four bytes of SHA-256(name || LF || type || key). */
  readonly keyHash: Uint8Array;
  readonly signature: Uint8Array;
}

/** A note whose signatures are not yet checked. */
export interface Note {
  /** What is signed, ending in LF. */
  readonly text: Uint8Array;
  readonly signatures: readonly NoteSignature[];
}

export function parseNote(data: Uint8Array): Note {
  if (data.length > MAX_NOTE_BYTES) throw new Fault("a signed note of {size} bytes", { size: data.length });
  const whole = decodeUtf8(data);
  if (whole === undefined) throw new Fault("a signed note that is not UTF-8");
  if (CONTROLS.test(whole)) throw new Fault("a signed note with control characters");
  const end = whole.lastIndexOf("\n\n");
  if (end < 0 || !whole.endsWith("\n") || end + 2 === whole.length) {
    throw new Fault("a signed note without signatures");
  }
  const lines = whole.slice(end + 2, -1).split("\n");
  if (lines.length > MAX_SIGNATURES) {
    throw new Fault("a signed note with {count} signatures", { count: lines.length });
  }
  return { text: utf8(whole.slice(0, end + 1)), signatures: lines.map(parseLine) };
}

function parseLine(line: string): NoteSignature {
  const space = line.indexOf(" ", DASH.length);
  if (!line.startsWith(DASH) || space < 0) throw new Fault("a malformed signature line in a note");
  const name = line.slice(DASH.length, space);
  requireName(name);
  const blob = fromBase64(line.slice(space + 1));
  if (blob.length < 5) throw new Fault("a malformed signature line in a note");
  return { name, keyHash: blob.subarray(0, 4), signature: blob.subarray(4) };
}

function requireName(name: string): void {
  if (name === "" || BAD_NAME.test(name)) {
    throw new Fault("a key name that is empty or holds spaces or a plus sign");
  }
}

/** A key that may have signed a note, from its vkey `name+hex(key hash)+base64(type || key)`. */
export class NoteKey {
  static readonly LOG = 1;
  static readonly WITNESS = 4;

  readonly #keyHash: Uint8Array;
  readonly #type: number;

  private constructor(
    readonly vkey: string,
    readonly name: string,
    readonly key: PublicKey,
    keyHash: Uint8Array,
    type: number,
  ) {
    this.#keyHash = keyHash;
    this.#type = type;
  }

  static parse(vkey: unknown, type: number): NoteKey {
    const parts = typeof vkey === "string" ? vkey.split("+") : [];
    if (parts.length < 3) throw new Fault("not a verifier key of the form name+hash+key");
    const [name, hash] = parts as [string, string];
    const body = fromBase64(parts.slice(2).join("+"));
    if (body.length !== 33 || body[0] !== type) throw new Fault("a verifier key of an unknown signature type");
    requireName(name);
    const key = PublicKey.fromEd25519(body.subarray(1));
    const keyHash = sha256(utf8(`${name}\n`), body).slice(0, 4);
    if (toHex(keyHash) !== hash || toBase64(body) !== parts.slice(2).join("+")) {
      throw new Fault("the verifier key's hash does not belong to its name and key");
    }
    return new NoteKey(vkey as string, name, key, keyHash, type);
  }

  matches(line: NoteSignature): boolean {
    return line.name === this.name && isEqual(line.keyHash, this.#keyHash);
  }

  /** Return if the line's signature is this key's over the note's text: a log's plainly, a witness's with its time. */
  verify(text: Uint8Array, signature: Uint8Array): void {
    if (this.#type === NoteKey.LOG) {
      this.key.verify(signature, text);
      return;
    }
    if (signature.length !== 72) {
      throw new Fault("a cosignature has 72 bytes, this one {found}", { found: signature.length });
    }
    const time = toNumber(signature.subarray(0, 8));
    if (time > MAX_TIME) throw new Fault("a cosignature with a time out of range");
    this.key.verify(signature.subarray(8), concat(utf8(`cosignature/v1\ntime ${time}\n`), text));
  }
}

/** Which of the keys signed the note; an open question if none did, a fault if one seems to have and did not. */
export function findSigners(note: Note, keys: readonly NoteKey[]): NoteKey[] {
  const signed: NoteKey[] = [];
  for (const line of note.signatures) {
    for (const key of keys) {
      if (key.matches(line) && !signed.includes(key)) {
        key.verify(note.text, line.signature);
        signed.push(key);
      }
    }
  }
  if (signed.length === 0) throw new OpenQuestion("the note carries no signature of a known key");
  return signed;
}
