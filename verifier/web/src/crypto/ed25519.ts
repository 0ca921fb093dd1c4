/**
 * Ed25519 (RFC 8032) by the rules of docs/spec/README.md "Keys and signatures": canonical key of no small order,
 * S < L, and encode([S]B − [k]A) equal to the bytes of R.
 *
 * Written out over noble's curve and not left to a library's verify: libraries differ about just these cases.
 */

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";

import { concat, isEqual, toNumberLittle } from "../bytes.js";
import { Fault } from "../errors.js";

const { Point } = ed25519;
const PRIME = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const SIGN_BIT = 2n ** 255n;
// The y of the eight points of small order: orders 2 and 1, order 4, order 8 twice.
const ORDER_8_Y = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n;
const SMALL_ORDER = [0n, 1n, PRIME - 1n, ORDER_8_Y, PRIME - ORDER_8_Y];

/** Return if these 32 bytes may be a key at all. */
export function requireKey(raw: Uint8Array): void {
  const y = toNumberLittle(raw) % SIGN_BIT;
  if (y >= PRIME) throw new Fault("an Ed25519 key that is not canonically encoded");
  if (SMALL_ORDER.includes(y)) {
    throw new Fault("an Ed25519 key of small order: it would accept signatures nobody made");
  }
}

/** Return if the 64 bytes are this key's signature over the message. */
export function verify(raw: Uint8Array, signature: Uint8Array, message: Uint8Array): void {
  if (signature.length !== 64) {
    throw new Fault("an Ed25519 signature has 64 bytes, this one {found}", { found: signature.length });
  }
  const r = signature.subarray(0, 32);
  const s = toNumberLittle(signature.subarray(32));
  if (s >= ORDER) throw new Fault("an Ed25519 signature whose S is not below the group order");
  if (!isEqual(computeR(raw, s, toNumberLittle(sha512(concat(r, raw, message))) % ORDER), r)) throw noSignature();
}

function computeR(raw: Uint8Array, s: bigint, k: bigint): Uint8Array {
  let key: InstanceType<typeof Point>;
  try {
    key = Point.fromBytes(raw);
  } catch {
    // Not on the curve: a key by which nothing was ever signed.
    throw noSignature();
  }
  // noble multiplies by 1 to order − 1 only; the base point is of that order, the key's need not be.
  const base = s === 0n ? Point.ZERO : Point.BASE.multiply(s);
  const other = k === 0n ? Point.ZERO : key.multiplyUnsafe(k);
  return base.subtract(other).toBytes();
}

export function noSignature(): Fault {
  return new Fault("the signature does not belong to this key and text");
}
