/**
 * Digests. SHA-256 and SM3 run as WebAssembly (`blocks.ts`), because files may have gigabytes; what tokens and
 * signatures need beside them is small and comes from noble.
 */

import { keccak_256, sha3_256, sha3_384, sha3_512 } from "@noble/hashes/sha3.js";
import { sha384, sha512 } from "@noble/hashes/sha2.js";

import { concat, fromNumber, toHex } from "../bytes.js";
import {
  BLOCK,
  type BlockHash,
  CONSTANTS,
  DATA,
  makeBlocks,
  makeConstants,
  makeFirstState,
  SM3_FIRST_STATE,
  STATE,
} from "./blocks.js";
import { crc32 } from "./crc32.js";

/** A digest of content that comes in pieces. */
export interface Running {
  update(piece: Uint8Array): void;
  /** Lower-case hex; of both that of SHA-256, then that of SM3. */
  finish(): string;
}

/** `both` are SHA-256 and SM3, done side by side. */
export type FileHash = BlockHash | "both" | "crc32";

type Kind = Exclude<FileHash, "crc32">;
const PARTS: Readonly<Record<Kind, readonly BlockHash[]>> = { sha256: ["sha256"], sm3: ["sm3"], both: ["sha256", "sm3"] };
const FIRST: Readonly<Record<BlockHash, () => Uint32Array>> = { sha256: makeFirstState, sm3: () => SM3_FIRST_STATE };
const modules = new Map<FileHash, Promise<WebAssembly.Module>>();

/** Programs for a worker to take over: what a browser has made of them once, it need not make in each worker again. */
export type Programs = ReadonlyMap<FileHash, WebAssembly.Module>;

function compile(kind: Kind): Promise<WebAssembly.Module> {
  let module = modules.get(kind);
  if (module === undefined) modules.set(kind, (module = WebAssembly.compile(makeBlocks(PARTS[kind]))));
  return module;
}

export async function programsOf(names: readonly FileHash[]): Promise<Programs> {
  const programs = new Map<FileHash, WebAssembly.Module>();
  for (const name of names) if (name !== "crc32") programs.set(name, await compile(name));
  return programs;
}

export function takeOver(programs: Programs): void {
  for (const [name, module] of programs) modules.set(name, Promise.resolve(module));
}

// What is digested in one call; it stays in the processor's cache.
const WINDOW = 65536;

/** Merkle and Damgård's way, which SHA-256 and SM3 share: blocks, and at the end a bit and the length (FIPS 180-4 §5.1.1). */
class BlockDigest implements Running {
  #held = 0;
  #length = 0;
  readonly #memory: Uint8Array;
  readonly #run: (from: number, to: number) => void;
  readonly #parts: readonly (readonly [at: number, first: Uint32Array])[];

  constructor(instance: WebAssembly.Instance, names: readonly BlockHash[]) {
    this.#memory = new Uint8Array((instance.exports["memory"] as WebAssembly.Memory).buffer);
    this.#run = instance.exports["run"] as (from: number, to: number) => void;
    this.#parts = names.map((name) => [STATE[name], FIRST[name]()]);
    this.#words(CONSTANTS, 64).set(makeConstants());
    this.reset();
  }

  static async start(kind: Kind): Promise<BlockDigest> {
    return new BlockDigest(await WebAssembly.instantiate(await compile(kind)), PARTS[kind]);
  }

  reset(): void {
    for (const [at, first] of this.#parts) this.#words(at, 8).set(first);
    this.#held = this.#length = 0;
  }

  update(piece: Uint8Array): void {
    for (let at = 0; at < piece.length; ) {
      const size = Math.min(WINDOW - this.#held, piece.length - at);
      this.#memory.set(piece.subarray(at, at + size), DATA + this.#held);
      at += size;
      this.#held += size;
      if (this.#held === WINDOW) {
        this.#run(DATA, DATA + WINDOW);
        this.#held = 0;
      }
    }
    this.#length += piece.length;
  }

  /** Of both: one after the other. */
  digest(): Uint8Array {
    const end = DATA + Math.ceil((this.#held + 9) / BLOCK) * BLOCK;
    this.#memory.fill(0, DATA + this.#held, end);
    this.#memory[DATA + this.#held] = 0x80;
    this.#memory.set(fromNumber(8n * BigInt(this.#length), 8), end - 8);
    this.#run(DATA, end);
    const states = this.#parts.flatMap(([at]) => [...this.#words(at, 8)]);
    return concat(...states.map((word) => fromNumber(word, 4)));
  }

  finish(): string {
    return toHex(this.digest());
  }

  /** WebAssembly's memory and every machine that Chromium runs on have the least significant byte first. */
  #words(at: number, count: number): Uint32Array {
    return new Uint32Array(this.#memory.buffer, at, count);
  }
}

class Checksum implements Running {
  #value = 0;

  update(piece: Uint8Array): void {
    this.#value = crc32(this.#value, piece);
  }

  finish(): string {
    return toHex(fromNumber(this.#value, 4));
  }
}

export async function startHash(name: FileHash): Promise<Running> {
  return name === "crc32" ? new Checksum() : BlockDigest.start(name);
}

let shared: BlockDigest | undefined;

/** Has to be awaited once, before anything here is asked. */
export async function ready(): Promise<void> {
  shared ??= await BlockDigest.start("sha256");
}

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  if (shared === undefined) throw new Error("hashing was not made ready");
  shared.reset();
  for (const part of parts) shared.update(part);
  return shared.digest();
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
  return name === "sha256" ? BlockDigest.start(name) : HASHES[name].create();
}
