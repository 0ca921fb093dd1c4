/**
 * As much of WebAssembly's binary format as the digests need (WebAssembly Core Specification 2.0, §5; SIMD is in every
 * Chromium from 91). Programs that repeat a step sixty-four times are written down as loops here and made when the page
 * starts: that is shorter than their bytes would be, and can be read.
 *
 * Each function gives the code of an expression or of a statement; code is put together by nesting.
 */

/** Bytes, and codes within codes: laid flat once, at the end, as to copy them at every step would slow the start. */
export type Code = readonly (number | Code)[];

/** A local variable: 0 and 1 are the arguments of `run`, words come next, vectors last. */
export type Local = number;
export const FIRST_VECTOR: Local = 24;
const LOCALS = 40;

function unsigned(value: number): Code {
  const low = value & 0x7f;
  return value < 0x80 ? [low] : [low | 0x80, unsigned(value >>> 7)];
}

function signed(value: number): Code {
  const low = value & 0x7f;
  const rest = value >> 7;
  const isLast = rest === (low & 0x40 ? -1 : 0);
  return isLast ? [low] : [low | 0x80, signed(rest)];
}

export const get = (local: Local): Code => [0x20, unsigned(local)];
export const set = (local: Local, value: Code): Code => [value, 0x21, unsigned(local)];
/** Set it, and give what it was set to. */
export const tee = (local: Local, value: Code): Code => [value, 0x22, unsigned(local)];
export const word = (value: number): Code => [0x41, signed(value | 0)];

function fold(operation: Code, values: readonly Code[]): Code {
  return values.map((value, at) => (at === 0 ? value : [value, operation]));
}

// i32
export const add = (...values: readonly Code[]): Code => fold([0x6a], values);
export const subtract = (left: Code, right: Code): Code => [left, right, 0x6b];
export const and = (...values: readonly Code[]): Code => fold([0x71], values);
export const xor = (...values: readonly Code[]): Code => fold([0x73], values);
export const rotateLeft = (value: Code, bits: number): Code => [value, word(bits % 32), 0x77];
export const isBelow = (left: Code, right: Code): Code => [left, right, 0x49];
/** Four bytes, least significant first. */
export const load = (at: Code, offset = 0): Code => [at, 0x28, 0, unsigned(offset)];
export const store = (at: Code, offset: number, value: Code): Code => [at, value, 0x36, 0, unsigned(offset)];

// v128, as four words
const vector = (operation: number): Code => [0xfd, unsigned(operation)];
export const loadFour = (at: Code, offset = 0): Code => [at, vector(0x00), 0, unsigned(offset)];
export const storeFour = (at: Code, offset: number, value: Code): Code => [
  at,
  value,
  vector(0x0b),
  0,
  unsigned(offset),
];
export const addFour = (...values: readonly Code[]): Code => fold(vector(0xae), values);
export const subtractFour = (left: Code, right: Code): Code => [left, right, vector(0xb1)];
export const xorFour = (...values: readonly Code[]): Code => fold(vector(0x51), values);
const orFour = (...values: readonly Code[]): Code => fold(vector(0x50), values);
const shiftFourLeft = (value: Code, bits: number): Code => [value, word(bits), vector(0xab)];
export const shiftFourRight = (value: Code, bits: number): Code => [value, word(bits), vector(0xad)];
export const rotateFourLeft = (local: Local, bits: number): Code =>
  orFour(shiftFourLeft(get(local), bits % 32), shiftFourRight(get(local), 32 - (bits % 32)));
/** Four of eight words: places 0 to 3 are those of `first`, 4 to 7 those of `second`. */
export const pick = (first: Local, second: Local, ...places: readonly number[]): Code => [
  get(first),
  get(second),
  vector(0x0d),
  places.map((place) => [0, 1, 2, 3].map((byte) => 4 * place + byte)),
];
/** The bytes of each word in another order, the same for all four; least significant first. */
export const moveBytes = (value: Code, ...places: readonly number[]): Code => [
  value,
  vector(0x0c),
  Array.from({ length: 16 }, (_, at) => (at & ~3) + (places[at & 3] as number)),
  vector(0x0e),
];
/** As two numbers of 64 bits. */
export const shiftTwoLeft = (value: Code, bits: number): Code => [value, word(bits), vector(0xcb)];
export const shiftTwoRight = (value: Code, bits: number): Code => [value, word(bits), vector(0xcd)];

/** Do it, and again as long as the condition holds. */
export const repeat = (body: Code, condition: Code): Code => [0x03, 0x40, body, condition, 0x0d, 0, 0x0b];

const I32 = 0x7f;
const V128 = 0x7b;

/** The bytes of it, added to those before. */
function flatten(code: Code, before: number[] = []): number[] {
  for (const part of code) {
    if (typeof part === "number") before.push(part);
    else flatten(part, before);
  }
  return before;
}

function section(id: number, ...content: Code): Code {
  const inside = flatten(content);
  return [id, unsigned(inside.length), inside];
}

/** A module with `memory` of two pages and `run(from, to)`. */
export function assemble(body: Code): Uint8Array<ArrayBuffer> {
  const code = flatten([2, FIRST_VECTOR - 2, I32, LOCALS - FIRST_VECTOR, V128, body, 0x0b]);
  const name = (text: string): Code => [text.length, Array.from(text, (character) => character.charCodeAt(0))];
  const parts = [
    [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    section(1, 1, 0x60, 2, I32, I32, 0),
    section(3, 1, 0),
    section(5, 1, 0, 2),
    section(7, 2, name("memory"), 2, 0, name("run"), 0, 0),
    section(10, 1, unsigned(code.length), code),
  ];
  return new Uint8Array(flatten(parts));
}
