/**
 * Digests. SHA-256, SM3 and CRC-32 run as WebAssembly (hash-wasm), because files may have gigabytes; what tokens and
 * signatures need beside them is small and comes from noble.
 */

import { keccak_256, sha3_256, sha3_384, sha3_512 } from "@noble/hashes/sha3.js";
import { sha384, sha512 } from "@noble/hashes/sha2.js";
import { createCRC32, createSHA256, createSM3, type IHasher } from "hash-wasm";

import { concat, toHex } from "../bytes.js";

let shared: IHasher | undefined;

/** Has to be awaited once, before anything here is asked. */
export async function ready(): Promise<void> {
  shared ??= await createSHA256();
}

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  if (shared === undefined) throw new Error("hashing was not made ready");
  shared.init();
  for (const part of parts) shared.update(part);
  return shared.digest("binary");
}

export function sha256Hex(data: Uint8Array): string {
  return toHex(sha256(data));
}

/** Keccak-256 as Ethereum uses it. */
export function keccak256(data: Uint8Array): Uint8Array {
  return keccak_256(data);
}

/** Hashes of time-stamp tokens by name (docs/spec/6-time-stamps.md). */
export const HASHES = {
  sha256: (data: Uint8Array) => sha256(data),
  sha384,
  sha512,
  sha3_256,
  sha3_384,
  sha3_512,
} as const;
export type HashName = keyof typeof HASHES;

export function digestWith(name: HashName, ...parts: readonly Uint8Array[]): Uint8Array {
  return HASHES[name](parts.length === 1 ? (parts[0] as Uint8Array) : concat(...parts));
}

/** A hash of that name over what comes in pieces. */
export async function startDigest(name: HashName): Promise<{ update(piece: Uint8Array): unknown; digest(): Uint8Array }> {
  if (name !== "sha256") return HASHES[name].create();
  const hasher = await createSHA256();
  hasher.init();
  return { update: (piece) => hasher.update(piece), digest: () => hasher.digest("binary") };
}

/** A digest of content that comes in pieces. */
export interface Running {
  update(piece: Uint8Array): void;
  /** Lower-case hex. */
  finish(): string;
}

export type FileHash = "sha256" | "sm3" | "crc32";

export async function startHash(name: FileHash): Promise<Running> {
  const create = { sha256: createSHA256, sm3: createSM3, crc32: createCRC32 }[name];
  const hasher = await create();
  hasher.init();
  return { update: (piece) => void hasher.update(piece), finish: () => hasher.digest("hex") };
}
