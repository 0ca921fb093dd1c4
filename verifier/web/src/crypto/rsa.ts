/** RSA signatures (RFC 8017): PKCS #1 v1.5 and PSS, checking only. Public numbers, so plain big integers will do. */

import { concat, fromHex, fromNumber, isEqual, toHex, toNumber } from "../bytes.js";
import { digestWith, type HashName } from "./hashing.js";

/** The key's two numbers. */
export interface RsaKey {
  readonly modulus: bigint;
  readonly exponent: bigint;
}

// DigestInfo up to the digest: SEQUENCE { AlgorithmIdentifier with NULL, OCTET STRING } (RFC 8017 §9.2).
const DIGEST_INFO: Readonly<Record<HashName, Uint8Array>> = {
  sha256: fromHex("3031300d060960864801650304020105000420"),
  sha384: fromHex("3041300d060960864801650304020205000430"),
  sha512: fromHex("3051300d060960864801650304020305000440"),
  sha3_256: fromHex("3031300d060960864801650304020805000420"),
  sha3_384: fromHex("3041300d060960864801650304020905000430"),
  sha3_512: fromHex("3051300d060960864801650304020a05000440"),
};

export function bitsOf(key: RsaKey): number {
  return key.modulus.toString(2).length;
}

export function verifyPkcs1(key: RsaKey, hash: HashName, signature: Uint8Array, message: Uint8Array): boolean {
  const found = open(key, signature);
  if (found === undefined) return false;
  const tail = concat(DIGEST_INFO[hash], digestWith(hash, message));
  const fill = found.length - tail.length - 3;
  if (fill < 8) return false;
  return isEqual(found, concat(Uint8Array.of(0, 1), new Uint8Array(fill).fill(0xff), Uint8Array.of(0), tail));
}

/** PSS with one hash everywhere and a salt as long as its digest (§9.1.2). */
export function verifyPss(key: RsaKey, hash: HashName, signature: Uint8Array, message: Uint8Array): boolean {
  const whole = open(key, signature);
  if (whole === undefined) return false;
  const bits = bitsOf(key) - 1;
  const size = Math.ceil(bits / 8);
  // One byte less than the modulus where that has a bit more than whole bytes.
  if (whole.subarray(0, whole.length - size).some((byte) => byte !== 0)) return false;
  const encoded = whole.subarray(whole.length - size);
  const digest = digestWith(hash, message);
  const saltSize = digest.length;
  const maskedSize = size - digest.length - 1;
  if (maskedSize < saltSize + 1 || encoded[size - 1] !== 0xbc) return false;
  const masked = encoded.slice(0, maskedSize);
  const seed = encoded.subarray(maskedSize, size - 1);
  const top = 0xff >> (8 * size - bits);
  if (((masked[0] as number) & ~top) !== 0) return false;
  const mask = generateMask(hash, seed, maskedSize);
  const block = masked.map((byte, at) => byte ^ (mask[at] as number));
  block[0] = (block[0] as number) & top;
  const padding = maskedSize - saltSize - 1;
  if (block.subarray(0, padding).some((byte) => byte !== 0) || block[padding] !== 1) return false;
  const salt = block.subarray(padding + 1);
  return isEqual(digestWith(hash, new Uint8Array(8), digest, salt), seed);
}

/** signature^exponent mod modulus, as long as the modulus; undefined for a signature that is none of this key. */
function open(key: RsaKey, signature: Uint8Array): Uint8Array | undefined {
  const size = Math.ceil(bitsOf(key) / 8);
  const value = toNumber(signature);
  if (signature.length !== size || value >= key.modulus) return undefined;
  return fromNumber(power(value, key.exponent, key.modulus), size);
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % modulus;
    if (bit === "1") result = (result * base) % modulus;
  }
  return result;
}

/** MGF1 (§B.2.1). */
function generateMask(hash: HashName, seed: Uint8Array, size: number): Uint8Array {
  let text = "";
  for (let counter = 0; text.length < 2 * size; counter++) {
    text += toHex(digestWith(hash, seed, fromNumber(counter, 4)));
  }
  return fromHex(text.slice(0, 2 * size));
}
