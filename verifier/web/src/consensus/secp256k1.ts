/** From a seal to the address that made it. */

import { secp256k1 } from "@noble/curves/secp256k1.js";

import { concat, toHex } from "../bytes.js";
import { keccak256 } from "../crypto/hashing.js";
import { Fault } from "../errors.js";

/** The address, in hex, whose key made the 65-byte `seal` r || s || v over the 32-byte `digest`. */
export function recoverAddress(digest: Uint8Array, seal: Uint8Array): string {
  const v = seal[64] as number;
  if (v > 1) throw new Fault("a seal that is no signature");
  let point: Uint8Array;
  try {
    // noble puts the recovery id first; neither it nor we ask for a low s.
    const key = secp256k1.recoverPublicKey(concat(Uint8Array.of(v), seal.subarray(0, 64)), digest, { prehash: false });
    point = secp256k1.Point.fromBytes(key).toBytes(false);
  } catch {
    throw new Fault("a seal that is no signature");
  }
  return toHex(keccak256(point.subarray(1)).subarray(12));
}
