/**
 * SHA-256 (FIPS 180-4 §6.2) and SM3 (GB/T 32905-2016 §5) over blocks of 64 bytes, as WebAssembly: each alone, or both
 * at once. Their rounds follow one another, but the words that go into four rounds are made together, as a vector,
 * while earlier rounds are done.
 */

import {
  add,
  addFour,
  and,
  assemble,
  type Code,
  FIRST_VECTOR,
  get,
  isBelow,
  type Local,
  load,
  loadFour,
  moveBytes,
  pick,
  repeat,
  rotateFourLeft,
  rotateLeft,
  set,
  shiftFourRight,
  shiftTwoLeft,
  shiftTwoRight,
  store,
  storeFour,
  subtract,
  subtractFour,
  tee,
  word,
  xor,
  xorFour,
} from "./assembler.js";

export type BlockHash = "sha256" | "sm3";

/** Where things stand in memory: states, constants, words for the rounds, and what is to be digested. */
export const STATE: Readonly<Record<BlockHash, number>> = { sha256: 0, sm3: 32 };
export const CONSTANTS = 64;
const SHA256_WORDS = 320;
const SM3_WORDS = 576;
const SM3_PAIRS = 832;
export const DATA = 1088;
export const BLOCK = 64;

const ZERO = word(0);
const FROM: Local = 0;
const TO: Local = 1;
const [T1, T2, T3] = [2, 3, 4] as const;
// Vectors: one that is never set, and what is in between.
const [NONE, V1, V2] = [FIRST_VECTOR, FIRST_VECTOR + 1, FIRST_VECTOR + 2] as const;

type Four = readonly [Local, Local, Local, Local];
type Eight = readonly [...Four, ...Four];

/** What a hash has of its own. A round changes its state in place: `order` says which place is a, b … h then. */
interface Hash {
  readonly state: Eight;
  /** The last sixteen words. */
  readonly words: Four;
  /** Stores what rounds 4g to 4g+3 take, and puts vector g+4 of the words where vector g was. */
  prepare(group: number, words: Four): Code;
  /** Once a block. */
  readonly before: Code;
  round(at: number, state: Eight): Code;
  order(at: number): readonly number[];
  close(before: Code, after: Code): Code;
}

/**
 * `run(from, to)` over blocks. Steps of one hash wait for one another and not for those of another hash: four rounds of
 * this and four of that stand close enough for a processor to do them side by side, far enough to have its registers.
 */
export function makeBlocks(names: readonly BlockHash[]): Uint8Array<ArrayBuffer> {
  const each = (make: (hash: Hash, at: number) => Code): Code =>
    names.map((name) => make(HASHES[name], STATE[name]));
  const group = (group: number): Code =>
    each(({ prepare, words, round, order, state }) => [
      prepare(group, [0, 1, 2, 3].map((step) => words[(group + step) % 4]) as unknown as Four),
      [0, 1, 2, 3].map((step) => {
        const at = 4 * group + step;
        return round(at, order(at).map((place) => state[place]) as unknown as Eight);
      }),
    ]);
  const body = [
    [0, 1, 2, 3].map((place) => [
      set(V2, moveBytes(loadFour(get(FROM), 16 * place), 3, 2, 1, 0)),
      each(({ words }) => set(words[place] as Local, get(V2))),
    ]),
    each(({ state, before }, at) => [
      state.map((local, place) => set(local, load(ZERO, at + 4 * place))),
      before,
    ]),
    Array.from({ length: 16 }, (_, at) => group(at)),
    each(({ state, close }, at) =>
      state.map((local, place) => store(ZERO, at + 4 * place, close(load(ZERO, at + 4 * place), get(local)))),
    ),
    set(FROM, add(get(FROM), word(BLOCK))),
  ];
  return assemble(repeat(body, isBelow(get(FROM), get(TO))));
}

const turned = (local: Local, bits: number): Code => rotateLeft(get(local), bits);

/**
 * The constants of SHA-256, the first bits of the fractional parts of the cube roots of the first 64 primes; negative,
 * as V8 takes a word from memory and subtracts it in one step, but adds it in two.
 */
export function makeConstants(): Uint32Array {
  return Uint32Array.from(firstPrimes(64), (prime) => -fraction(prime, 3));
}

/** The first state of SHA-256: the same of the square roots of the first eight. */
export function makeFirstState(): Uint32Array {
  return Uint32Array.from(firstPrimes(8), (prime) => fraction(prime, 2));
}

function firstPrimes(count: number): number[] {
  const found: number[] = [];
  for (let next = 2; found.length < count; next++) if (found.every((prime) => next % prime !== 0)) found.push(next);
  return found;
}

/** The first 32 bits of the fraction of a root: found by trial, exactly, as roots of floating-point numbers are not. */
function fraction(value: number, degree: 2 | 3): number {
  const wanted = BigInt(value) << BigInt(32 * degree);
  let root = 0n;
  for (let bit = 1n << 36n; bit > 0n; bit >>= 1n) {
    if ((root + bit) ** BigInt(degree) <= wanted) root += bit;
  }
  return Number(root & 0xffffffffn);
}

/** x>>>first ⊕ x>>>second ⊕ x>>>third, turned: each step turns what the ones before it have in common. */
const mix = (x: Local, first: number, second: number, third: number): Code =>
  rotateLeft(
    xor(rotateLeft(xor(turned(x, 32 - third + second), get(x)), 32 - second + first), get(x)),
    32 - first,
  );

const mixFour = (x: Local, first: number, second: number, shift: number): Code =>
  xorFour(rotateFourLeft(x, 32 - first), rotateFourLeft(x, 32 - second), shiftFourRight(get(x), shift));

/** The same of two words, each twice side by side: as a number of 64 bits is shifted, its lower half is turned. */
const mixTwo = (x: Local, first: number, second: number, shift: number): Code =>
  xorFour(shiftTwoRight(get(x), first), shiftTwoRight(get(x), second), shiftFourRight(get(x), shift));

/** §4.1.2 and §6.2.2; x of the standard's σ is a local. */
const SHA256: Hash = {
  state: [5, 6, 7, 8, 9, 10, 11, 12],
  words: [FIRST_VECTOR + 3, FIRST_VECTOR + 4, FIRST_VECTOR + 5, FIRST_VECTOR + 6],
  prepare(group, [x0, x1, x2, x3]) {
    const constants = loadFour(ZERO, CONSTANTS + 16 * group);
    const ready = storeFour(ZERO, SHA256_WORDS + 16 * group, subtractFour(constants, get(x0)));
    if (group >= 12) return ready;
    return [
      ready,
      set(V1, pick(x0, x1, 1, 2, 3, 4)),
      set(V2, addFour(get(x0), pick(x2, x3, 1, 2, 3, 4), mixFour(V1, 7, 18, 3))),
      // The first two of the four depend on the last two words, the other two on the first.
      set(V1, pick(x3, x3, 2, 2, 3, 3)),
      set(V1, mixTwo(V1, 17, 19, 10)),
      set(V2, addFour(get(V2), pick(V1, NONE, 0, 2, 4, 4))),
      set(V1, pick(V2, V2, 0, 0, 1, 1)),
      set(V1, mixTwo(V1, 17, 19, 10)),
      set(x0, addFour(get(V2), pick(NONE, V1, 0, 0, 4, 6))),
    ];
  },
  before: set(13, xor(get(6), get(7))),
  round(at, [a, b, , d, e, f, g, h]) {
    // Maj(a, b, c) = b ⊕ ((a ⊕ b) ∧ (b ⊕ c)), and b ⊕ c is the last round's a ⊕ b.
    const [both, last] = at % 2 === 0 ? [14, 13] : [13, 14];
    return [
      set(
        h,
        add(
          subtract(get(h), load(ZERO, SHA256_WORDS + 4 * at)),
          xor(get(g), and(get(e), xor(get(f), get(g)))),
          mix(e, 6, 11, 25),
        ),
      ),
      set(d, add(get(d), get(h))),
      set(
        h,
        add(get(h), xor(get(b), and(tee(both, xor(get(a), get(b))), get(last))), mix(a, 2, 13, 22)),
      ),
    ];
  },
  order: (at) => Array.from({ length: 8 }, (_, place) => (place + 64 - at) % 8),
  close: (before, after) => add(before, after),
};

/** The first state of SM3, §4.1. */
export const SM3_FIRST_STATE = Uint32Array.of(
  ...[0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e],
);

/** §4.2 to §5.3.3. */
const SM3: Hash = {
  state: [15, 16, 17, 18, 19, 20, 21, 22],
  words: [FIRST_VECTOR + 7, FIRST_VECTOR + 8, FIRST_VECTOR + 9, FIRST_VECTOR + 10],
  prepare(group, [x0, x1, x2, x3]) {
    const ready = [
      storeFour(ZERO, SM3_WORDS + 16 * group, subtractFour(get(NONE), get(x0))),
      storeFour(ZERO, SM3_PAIRS + 16 * group, subtractFour(get(NONE), xorFour(get(x0), get(x1)))),
    ];
    if (group >= 13) return ready;
    return [
      ready,
      set(V1, pick(x3, NONE, 1, 2, 3, 4)),
      set(V1, xorFour(get(x0), pick(x1, x2, 3, 4, 5, 6), rotateFourLeft(V1, 15))),
      // P1(x) = x ⊕ (x ⊕ x <<< 8) <<< 15, where moving bytes turns by 8.
      set(V2, xorFour(get(V1), moveBytes(get(V1), 3, 0, 1, 2))),
      set(V1, xorFour(get(V1), rotateFourLeft(V2, 15))),
      set(V2, pick(x0, x1, 3, 4, 5, 6)),
      set(V1, xorFour(get(V1), rotateFourLeft(V2, 7), pick(x2, x3, 2, 3, 4, 5))),
      // The last of the four depends on the first: P1(first <<< 15) is what it lacks. With the first twice in a number
      // of 64 bits, what is shifted to the left is turned in the upper half.
      set(V2, pick(V1, V1, 0, 0, 0, 0)),
      set(V2, xorFour(shiftTwoLeft(get(V2), 15), shiftTwoLeft(get(V2), 30), shiftTwoLeft(get(V2), 6))),
      set(x0, xorFour(get(V1), pick(NONE, V2, 0, 1, 2, 7))),
    ];
  },
  before: [],
  round(at, [a, b, c, d, e, f, g, h]) {
    const early = at < 16;
    const constant = early ? 0x79cc4519 : 0x7a879d8a;
    const turns = at % 32;
    const t = turns === 0 ? constant : (constant << turns) | (constant >>> (32 - turns));
    // The two parts of the late FF have no bit in common: each is added by itself.
    const ff = early
      ? [xor(get(a), get(b), get(c))]
      : [and(get(a), get(b)), and(get(c), xor(get(a), get(b)))];
    const gg = early ? xor(get(e), get(f), get(g)) : xor(get(g), and(get(e), xor(get(f), get(g))));
    return [
      set(T1, turned(a, 12)),
      set(T2, rotateLeft(add(get(T1), word(t), get(e)), 7)),
      // TT1 and TT2; what was d and h becomes the next a and e.
      set(d, add(subtract(get(d), load(ZERO, SM3_PAIRS + 4 * at)), ...ff, xor(get(T1), get(T2)))),
      set(T3, add(subtract(get(h), load(ZERO, SM3_WORDS + 4 * at)), gg, get(T2))),
      set(h, xor(get(T3), turned(T3, 9), turned(T3, 17))),
      set(b, turned(b, 9)),
      set(f, turned(f, 19)),
    ];
  },
  order(at) {
    const turn = (place: number): number => (place + 64 - at) % 4;
    return [0, 1, 2, 3].map(turn).concat([0, 1, 2, 3].map((place) => 4 + turn(place)));
  },
  close: (before, after) => xor(before, after),
};

const HASHES: Readonly<Record<BlockHash, Hash>> = { sha256: SHA256, sm3: SM3 };
