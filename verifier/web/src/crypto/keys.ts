/** Public keys by their SubjectPublicKeyInfo (RFC 5280 §4.1.2.7): the one DER of an Ed25519 or a P-256 key. */

import { concat, fromBase64, fromHex, isEqual, toBase64, toHex } from "../bytes.js";
import { Fault } from "../errors.js";
import * as ed25519 from "./ed25519.js";
import { sha256 } from "./hashing.js";
import * as p256 from "./p256.js";

const ED25519 = fromHex("302a300506032b6570032100");
const P256 = fromHex("3059301306072a8648ce3d020106082a8648ce3d030107034200");

/** A key that may sign. `keyid` is the hex SHA-256 of its SPKI. */
export class PublicKey {
  readonly keyid: string;
  readonly #raw: Uint8Array;
  readonly #isEd25519: boolean;

  constructor(readonly spki: Uint8Array) {
    this.#isEd25519 = startsWith(spki, ED25519) && spki.length === ED25519.length + 32;
    this.#raw = spki.subarray(this.#isEd25519 ? ED25519.length : P256.length);
    if (this.#isEd25519) {
      ed25519.requireKey(this.#raw);
    } else if (!startsWith(spki, P256) || this.#raw.length !== 65 || this.#raw[0] !== 4 || !p256.isPoint(this.#raw)) {
      throw new Fault("keys here are Ed25519 or ECDSA P-256");
    }
    this.keyid = toHex(sha256(spki));
  }

  static fromBase64(text: unknown): PublicKey {
    return new PublicKey(fromBase64(text));
  }

  /** The key of 32 bytes, as verifier keys of signed notes carry it. */
  static fromEd25519(raw: Uint8Array): PublicKey {
    return new PublicKey(concat(ED25519, raw));
  }

  toBase64(): string {
    return toBase64(this.spki);
  }

  /** Return if the signature is this key's over the message. */
  verify(signature: Uint8Array, message: Uint8Array): void {
    (this.#isEd25519 ? ed25519 : p256).verify(this.#raw, signature, message);
  }

  isSame(other: PublicKey): boolean {
    return this.keyid === other.keyid;
  }
}

/** Check that a text is a keyid: 64 lower-case hex digits. */
export function requireKeyid(text: unknown): string {
  fromHex(text, 32);
  return text as string;
}

function startsWith(data: Uint8Array, start: Uint8Array): boolean {
  return isEqual(data.subarray(0, start.length), start);
}
