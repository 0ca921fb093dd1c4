/**
 * SHA-256 (FIPS 180-4 §6.2) and SM3 (GB/T 32905-2016 §5) over blocks of 64 bytes, as WebAssembly. Their rounds follow
 * one another, but the words that go into four rounds are made together, as a vector, while earlier rounds are done.
 */

import {
  add,
  addFour,
  and,
  assemble,
  type Code,
  four,
  get,
  isBelow,
  type Local,
  load,
  loadFour,
  or,
  repeat,
  rotateFourLeft,
  rotateLeft,
  set,
  shiftFourRight,
  store,
  storeFour,
  swapFour,
  tee,
  word,
  xor,
  xorFour,
} from "./assembler.js";

/** Where things stand in memory: the state, constants, words for the rounds, and what is to be digested. */
export const STATE = 0;
export const CONSTANTS = 64;
const SCHEDULE = 320;
const SECOND = 576;
export const DATA = 1024;
export const BLOCK = 64;

const ZERO = word(0);
const FROM: Local = 0;
const TO: Local = 1;
const [T1, T2, T3] = [10, 11, 12] as const;
const WORDS = 11;
// Vectors: the last sixteen words, one more that is never set, and what is in between.
const X: readonly Local[] = [13, 14, 15, 16];
const NONE: Local = 17;
const [V1, V2] = [18, 19] as const;
const VECTORS = 7;

/** A block function: `prepare` stores what rounds 4g to 4g+3 need, and makes vector g+4; `round` does one. */
function digestBlocks(
  prepare: (group: number) => Code,
  before: (s: readonly Local[]) => Code,
  round: (at: number, s: readonly Local[]) => Code,
  order: (at: number) => readonly Local[],
  close: (left: Code, right: Code) => Code,
): Uint8Array<ArrayBuffer> {
  const state: readonly Local[] = [2, 3, 4, 5, 6, 7, 8, 9];
  const groups = Array.from({ length: 16 }, (_, group) => [
    ...prepare(group),
    ...[0, 1, 2, 3].flatMap((step) => round(4 * group + step, order(4 * group + step))),
  ]);
  const body = [
    ...X.flatMap((local, at) => set(local, swapFour(loadFour(get(FROM), 16 * at), V1))),
    ...state.flatMap((local, at) => set(local, load(ZERO, STATE + 4 * at))),
    ...before(state),
    ...groups.flat(),
    ...state.flatMap((local, at) => store(ZERO, STATE + 4 * at, close(load(ZERO, STATE + 4 * at), get(local)))),
    ...set(FROM, add(get(FROM), word(BLOCK))),
  ];
  return assemble(WORDS, VECTORS, repeat(body, isBelow(get(FROM), get(TO))));
}

const turned = (local: Local, bits: number): Code => rotateLeft(get(local), bits);

/** The constants of SHA-256: the first bits of the fractional parts of the cube roots of the first 64 primes. */
export function makeConstants(): Uint32Array {
  return Uint32Array.from(firstPrimes(64), (prime) => fraction(prime, 3));
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

/** §4.1.2 and §6.2.2; x of the standard's σ is a local. */
export function makeSha256(): Uint8Array<ArrayBuffer> {
  const mix = (local: Local, first: number, second: number, shift: number): Code =>
    xorFour(
      rotateFourLeft(local, 32 - first),
      rotateFourLeft(local, 32 - second),
      shiftFourRight(get(local), shift),
    );
  return digestBlocks(
    (group) => {
      const [x0, x1, x2, x3] = [0, 1, 2, 3].map((step) => X[(group + step) % 4]) as [Local, Local, Local, Local];
      const ready = storeFour(ZERO, SCHEDULE + 16 * group, addFour(get(x0), loadFour(ZERO, CONSTANTS + 16 * group)));
      if (group >= 12) return ready;
      return [
        ...ready,
        ...set(V1, four(x0, x1, 1)),
        ...set(V2, addFour(get(x0), four(x2, x3, 1), mix(V1, 7, 18, 3))),
        // The first two of the four depend on the last two words, the other two on the first.
        ...set(V1, four(x3, NONE, 2)),
        ...set(V2, addFour(get(V2), mix(V1, 17, 19, 10))),
        ...set(V1, four(NONE, V2, 2)),
        ...set(x0, addFour(get(V2), mix(V1, 17, 19, 10))),
      ];
    },
    ([, b, c]) => set(T2, xor(get(b as Local), get(c as Local))),
    (at, s) => {
      const [a, b, , d, e, f, g, h] = s as [Local, Local, Local, Local, Local, Local, Local, Local];
      // Maj(a, b, c) = b ⊕ ((a ⊕ b) ∧ (b ⊕ c)), and b ⊕ c is the last round's a ⊕ b.
      const [both, last] = at % 2 === 0 ? [T1, T2] : [T2, T1];
      return [
        ...set(
          T3,
          add(
            get(h),
            load(ZERO, SCHEDULE + 4 * at),
            xor(get(g), and(get(e), xor(get(f), get(g)))),
            xor(turned(e, 26), turned(e, 21), turned(e, 7)),
          ),
        ),
        ...set(d, add(get(d), get(T3))),
        ...set(
          h,
          add(
            get(T3),
            xor(get(b), and(tee(both, xor(get(a), get(b))), get(last))),
            xor(turned(a, 30), turned(a, 19), turned(a, 10)),
          ),
        ),
      ];
    },
    (at) => Array.from({ length: 8 }, (_, place) => 2 + ((place + 64 - at) % 8)),
    (left, right) => add(left, right),
  );
}

/** The first state of SM3, §4.1. */
export const SM3_FIRST_STATE = Uint32Array.of(
  ...[0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e],
);

/** §4.2 to §5.3.3. */
export function makeSm3(): Uint8Array<ArrayBuffer> {
  const [first, second] = [0x79cc4519, 0x7a879d8a];
  return digestBlocks(
    (group) => {
      const [x0, x1, x2, x3] = [0, 1, 2, 3].map((step) => X[(group + step) % 4]) as [Local, Local, Local, Local];
      const ready = [
        ...storeFour(ZERO, SCHEDULE + 16 * group, get(x0)),
        ...storeFour(ZERO, SECOND + 16 * group, xorFour(get(x0), get(x1))),
      ];
      if (group >= 13) return ready;
      return [
        ...ready,
        ...set(V1, four(x3, NONE, 1)),
        ...set(V1, xorFour(get(x0), four(x1, x2, 3), rotateFourLeft(V1, 15))),
        ...set(V2, four(x0, x1, 3)),
        ...set(
          V1,
          xorFour(
            get(V1),
            rotateFourLeft(V1, 15),
            rotateFourLeft(V1, 23),
            rotateFourLeft(V2, 7),
            four(x2, x3, 2),
          ),
        ),
        // The last of the four depends on the first: P1(first <<< 15) is what it lacks.
        ...set(V2, four(NONE, V1, 1)),
        ...set(x0, xorFour(get(V1), rotateFourLeft(V2, 15), rotateFourLeft(V2, 30), rotateFourLeft(V2, 6))),
      ];
    },
    () => [],
    (at, s) => {
      const [a, b, c, d, e, f, g, h] = s as [Local, Local, Local, Local, Local, Local, Local, Local];
      const constant = at < 16 ? first : second;
      const turns = at % 32;
      const t = turns === 0 ? constant : (constant << turns) | (constant >>> (32 - turns));
      const early = at < 16;
      const ff = early
        ? xor(get(a), get(b), get(c))
        : or(and(get(a), get(b)), and(get(c), or(get(a), get(b))));
      const gg = early ? xor(get(e), get(f), get(g)) : xor(get(g), and(get(e), xor(get(f), get(g))));
      return [
        ...set(T1, turned(a, 12)),
        ...set(T2, rotateLeft(add(get(e), word(t), get(T1)), 7)),
        // TT1 and TT2; what was d and h becomes the next a and e.
        ...set(d, add(get(d), load(ZERO, SECOND + 4 * at), ff, xor(get(T1), get(T2)))),
        ...set(T3, add(get(h), load(ZERO, SCHEDULE + 4 * at), gg, get(T2))),
        ...set(h, xor(get(T3), turned(T3, 9), turned(T3, 17))),
        ...set(b, turned(b, 9)),
        ...set(f, turned(f, 19)),
      ];
    },
    (at) => {
      const turn = (place: number): number => (place + 64 - at) % 4;
      return [0, 1, 2, 3].flatMap(turn).map((place) => 2 + place).concat([0, 1, 2, 3].map(turn).map((place) => 6 + place));
    },
    (left, right) => xor(left, right),
  );
}
