/** ECDSA over P-256 with SHA-256 (FIPS 186-5); signatures are strict DER with low s (docs/spec/README.md). */

import { p256 } from "@noble/curves/nist.js";

import { concat, fromNumber, toNumber } from "../bytes.js";
import { Fault } from "../errors.js";
import { noSignature } from "./ed25519.js";
import { sha256 } from "./hashing.js";

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const SEQUENCE = 0x30;
const INTEGER = 0x02;

/** Return if the 65 bytes 04 || x || y are a point of the curve. */
export function isPoint(point: Uint8Array): boolean {
  try {
    p256.Point.fromBytes(point);
    return true;
  } catch {
    return false;
  }
}

/** Return if the signature is this key's over the message. */
export function verify(point: Uint8Array, signature: Uint8Array, message: Uint8Array): void {
  const [r, s] = parseSignature(signature);
  const compact = concat(fromNumber(r, 32), fromNumber(s, 32));
  const options = { prehash: false, lowS: false, format: "compact" } as const;
  if (!p256.verify(compact, sha256(message), point, options)) throw noSignature();
}

/** r and s of strict DER, both in range, s not in the upper half. */
function parseSignature(data: Uint8Array): [bigint, bigint] {
  // Two numbers of at most 33 bytes: every length fits into one byte.
  if (data[0] !== SEQUENCE || data[1] !== data.length - 2) throw notDer();
  const [r, middle] = readInteger(data, 2);
  const [s, end] = readInteger(data, middle);
  if (end !== data.length || r <= 0n || r >= ORDER) throw notDer();
  if (s <= 0n || s > ORDER / 2n) {
    throw new Fault("an ECDSA signature with high S: a second form of a signature is refused");
  }
  return [r, s];
}

function readInteger(data: Uint8Array, at: number): [bigint, number] {
  const length = data[at + 1];
  if (data[at] !== INTEGER || length === undefined || length < 1 || length > 33) throw notDer();
  const bytes = data.subarray(at + 2, at + 2 + length);
  const first = bytes[0] as number;
  // Negative, or with a zero in front that nothing needs.
  if (bytes.length !== length || first >= 0x80 || (first === 0 && length > 1 && (bytes[1] as number) < 0x80)) {
    throw notDer();
  }
  return [toNumber(bytes), at + 2 + length];
}

function notDer(): Fault {
  return new Fault("an ECDSA signature that is not strict DER");
}
