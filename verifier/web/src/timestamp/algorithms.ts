/** The algorithms that a token may use (docs/spec/6-time-stamps.md). What is broken is not in the list. */

import { ed25519 as noble } from "@noble/curves/ed25519.js";
import { p256, p384, p521 } from "@noble/curves/nist.js";

import { toHex } from "../bytes.js";
import { digestWith, HASHES, type HashName } from "../crypto/hashing.js";
import { bitsOf, type RsaKey, verifyPkcs1, verifyPss } from "../crypto/rsa.js";
import { Fault, LaterVersion } from "../errors.js";
import * as der from "./der.js";

const MIN_RSA_BITS = 2048;
const RSA = "1.2.840.113549.1.1.1";
const PSS = "1.2.840.113549.1.1.10";
const MGF1 = "1.2.840.113549.1.1.8";
const EC = "1.2.840.10045.2.1";
const ED25519 = "1.3.101.112";
const NIST = "2.16.840.1.101.3.4.2.";
const HASH_OIDS: Readonly<Record<string, HashName>> = {
  [`${NIST}1`]: "sha256",
  [`${NIST}2`]: "sha384",
  [`${NIST}3`]: "sha512",
  [`${NIST}8`]: "sha3_256",
  [`${NIST}9`]: "sha3_384",
  [`${NIST}10`]: "sha3_512",
};
const RSA_OIDS: Readonly<Record<string, HashName>> = {
  "1.2.840.113549.1.1.11": "sha256",
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
};
const ECDSA_OIDS: Readonly<Record<string, HashName>> = {
  "1.2.840.10045.4.3.2": "sha256",
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
};
const CURVES: Readonly<Record<string, { readonly curve: typeof p256; readonly bytes: number }>> = {
  "1.2.840.10045.3.1.7": { curve: p256, bytes: 32 },
  "1.3.132.0.34": { curve: p384, bytes: 48 },
  "1.3.132.0.35": { curve: p521, bytes: 66 },
};
const UNKNOWN_KEY = "a signature by a key of a kind that is not known";

/** A certificate's key, or why there is none that could be used. */
export type Key =
  | { readonly kind: "rsa"; readonly rsa: RsaKey }
  | { readonly kind: "ec"; readonly curve: typeof p256; readonly bytes: number; readonly point: Uint8Array }
  | { readonly kind: "ed25519"; readonly raw: Uint8Array }
  | { readonly kind: "unknown" };

export function findHash(name: string): HashName {
  if (!Object.hasOwn(HASHES, name)) throw new Fault("a hash that is not known: {name}", { name: name.slice(0, 64) });
  return name as HashName;
}

export function sizeOf(hash: HashName): number {
  return { sha256: 32, sha384: 48, sha512: 64, sha3_256: 32, sha3_384: 48, sha3_512: 64 }[hash];
}

/** An AlgorithmIdentifier of a hash; its parameters are absent or NULL (RFC 5754 §2). */
export function parseHash(node: der.Node): HashName {
  const { oid, parameters } = der.readAlgorithm(node);
  if (!isEmptyOrNull(parameters)) throw new Fault("a hash with parameters");
  const found = Object.hasOwn(HASH_OIDS, oid) ? HASH_OIDS[oid] : undefined;
  if (found === undefined) throw new LaterVersion("the hash {oid} is not known or no longer safe", { oid });
  return found;
}

/** The key in a SubjectPublicKeyInfo. */
export function parseKey(node: der.Node): Key {
  const reader = node.reader(der.SEQUENCE);
  const { oid, parameters } = der.readAlgorithm(reader.next());
  const bits = reader.next().bits();
  reader.end();
  if (oid === RSA) {
    const numbers = der.parse(bits).reader(der.SEQUENCE);
    const rsa = { modulus: numbers.next().integer(), exponent: numbers.next().integer() };
    numbers.end();
    if (rsa.modulus <= 0n || rsa.exponent <= 0n) throw new Fault("a certificate or revocation list that cannot be read");
    return { kind: "rsa", rsa };
  }
  if (oid === EC && parameters[0] === der.OID) {
    const found = CURVES[der.parse(parameters).oid()];
    return found === undefined ? { kind: "unknown" } : { kind: "ec", ...found, point: bits };
  }
  if (oid === ED25519 && bits.length === 32) return { kind: "ed25519", raw: bits };
  return { kind: "unknown" };
}

/**
 * Check a signature whose algorithm is this AlgorithmIdentifier. In CMS the signer names his hash elsewhere as well,
 * and both have to agree (`digest`); in certificates the algorithm says it alone.
 */
export function verifySignature(
  key: Key,
  algorithm: der.Node,
  digest: HashName | undefined,
  signature: Uint8Array,
  signed: Uint8Array,
): void {
  const { oid, parameters } = der.readAlgorithm(algorithm);
  let holds: boolean;
  if (key.kind === "rsa") {
    // Asked of whoever signs a token; what its issuers use, their certificates' ends bound.
    if (digest !== undefined && bitsOf(key.rsa) < MIN_RSA_BITS) {
      throw new Fault("an RSA key of {bits} bits is too short", { bits: bitsOf(key.rsa) });
    }
    holds = verifyRsa(key.rsa, oid, parameters, digest, signature, signed);
  } else if (key.kind === "ec") {
    const hash = ECDSA_OIDS[oid];
    if (hash === undefined || (digest !== undefined && hash !== digest) || parameters.length > 0) throw unknown(oid);
    holds = verifyEcdsa(key, hash, signature, signed);
  } else if (key.kind === "ed25519") {
    // RFC 8419 §3.1: with signed attributes the digest of the content is SHA-512.
    if (oid !== ED25519 || parameters.length > 0 || (digest !== undefined && digest !== "sha512")) throw unknown(oid);
    holds = attempt(() => noble.verify(signature, signed, key.raw, { zip215: false }));
  } else {
    throw new LaterVersion(UNKNOWN_KEY);
  }
  if (!holds) throw new Fault("the signature of the token does not check");
}

/** Check a signature whose hash no field beside it names, as in OCSP answers: by a key that could sign a token. */
export function verifySignatureAlone(key: Key, algorithm: der.Node, signature: Uint8Array, signed: Uint8Array): void {
  const { oid, parameters } = der.readAlgorithm(algorithm);
  const named = { ...RSA_OIDS, ...ECDSA_OIDS, [ED25519]: "sha512" as const }[oid];
  const hash = oid === PSS ? parseHash(der.parse(der.parse(parameters).reader(der.SEQUENCE).next(der.context(0)).content)) : named;
  if (hash === undefined) throw unknown(oid);
  verifySignature(key, algorithm, hash, signature, signed);
}

function verifyRsa(
  key: RsaKey,
  oid: string,
  parameters: Uint8Array,
  digest: HashName | undefined,
  signature: Uint8Array,
  signed: Uint8Array,
): boolean {
  if (oid === PSS) {
    const hash = parsePss(parameters);
    if (digest !== undefined && hash !== digest) throw otherParameters();
    return verifyPss(key, hash, signature, signed);
  }
  // Plain rsaEncryption leaves the hash to the signer's digestAlgorithm (RFC 3370 §3.2).
  const hash = RSA_OIDS[oid] ?? (oid === RSA ? digest : undefined);
  if (hash === undefined || (digest !== undefined && hash !== digest) || !isEmptyOrNull(parameters)) throw unknown(oid);
  return verifyPkcs1(key, hash, signature, signed);
}

/** RSASSA-PSS-params (RFC 4055 §3.1): one hash everywhere, nothing left to the SHA-1 defaults. */
function parsePss(parameters: Uint8Array): HashName {
  const reader = der.parse(parameters).reader(der.SEQUENCE);
  const hash = parseHash(der.parse(reader.next(der.context(0)).content));
  const mask = der.readAlgorithm(der.parse(reader.next(der.context(1)).content));
  if (mask.oid !== MGF1 || parseHash(der.parse(mask.parameters)) !== hash) throw otherParameters();
  const length = der.parse(reader.next(der.context(2)).content).integer();
  reader.end();
  if (length !== BigInt(sizeOf(hash))) throw otherParameters();
  return hash;
}

function verifyEcdsa(key: Key & { kind: "ec" }, hash: HashName, signature: Uint8Array, signed: Uint8Array): boolean {
  const options = { prehash: false, lowS: false, format: "der" } as const;
  return attempt(() => {
    const digest = digestWith(hash, signed);
    return key.curve.verify(signature, digest, key.point, options);
  });
}

/** A library's complaint about bytes that are no signature or no point: it does not hold. */
function attempt(verify: () => boolean): boolean {
  try {
    return verify();
  } catch {
    return false;
  }
}

function isEmptyOrNull(parameters: Uint8Array): boolean {
  return parameters.length === 0 || toHex(parameters) === "0500";
}

function otherParameters(): LaterVersion {
  return new LaterVersion("an RSA signature with parameters that are not known");
}

function unknown(oid: string): LaterVersion {
  return new LaterVersion("the signature algorithm {oid} is not known or does not fit", { oid });
}
