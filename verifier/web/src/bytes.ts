/** Hex, Base64, numbers and comparison of bytes. */

import { Fault } from "./errors.js";

// What must not stand there is looked for: a pattern over the whole would need memory for every character.
const NOT_HEX = /[^0-9a-f]/;
const NOT_BASE64 = /[^A-Za-z0-9+/]/;
const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ENCODER = new TextEncoder();

/** White space as Unicode's property says, and the four separators of ASCII. */
export const WHITE_SPACE = "\\t-\\r\\u001c-\\u0020\\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
export const NOTHING = new Uint8Array();

/** Bytes of lower-case hex without 0x; `length` in bytes when fixed. */
export function fromHex(text: unknown, length?: number): Uint8Array {
  if (typeof text !== "string" || text.length % 2 !== 0 || NOT_HEX.test(text)) throw new Fault("expected lower-case hex");
  const data = new Uint8Array(text.length / 2);
  for (let at = 0; at < data.length; at++) data[at] = Number.parseInt(text.slice(2 * at, 2 * at + 2), 16);
  if (length !== undefined && data.length !== length) {
    throw new Fault("expected {length} bytes of hex, found {found}", { length, found: data.length });
  }
  return data;
}

/** Bytes of lower-case hex, at most `limit` of them. */
export function limitedHex(text: unknown, limit: number): Uint8Array {
  const data = fromHex(text);
  if (data.length > limit) {
    throw new Fault("{size} bytes, more than the {limit} allowed", { size: data.length, limit });
  }
  return data;
}

export function toHex(data: Uint8Array): string {
  let text = "";
  for (const byte of data) text += DIGITS[byte];
  return text;
}

/** Bytes of standard, padded Base64 (RFC 4648 §4) whose pad bits are zero. */
export function fromBase64(text: unknown): Uint8Array {
  if (typeof text !== "string" || text.length % 4 !== 0) throw new Fault("expected Base64");
  const pads = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  if (NOT_BASE64.test(text.slice(0, text.length - pads))) throw new Fault("expected Base64");
  const data = binary(atob(text));
  // With pads the last digit says more than the bytes hold: those bits have to be zero.
  if (pads > 0 && !toBase64(data.subarray(data.length - (3 - pads))).endsWith(text.slice(-4))) {
    throw new Fault("not canonical Base64");
  }
  return data;
}

export function toBase64(data: Uint8Array): string {
  let text = "";
  for (let at = 0; at < data.length; at += 0x8000) {
    text += String.fromCharCode(...data.subarray(at, at + 0x8000));
  }
  return btoa(text);
}

/** Text of UTF-8 bytes; undefined where they are none. Nothing is replaced or left out, a byte order mark neither. */
export function decodeUtf8(data: Uint8Array): string | undefined {
  try {
    return STRICT.decode(data);
  } catch {
    return undefined;
  }
}

/** UTF-8 as far as it is some, and every other byte by its number: `\xb2`. For names that people read. */
export function spell(data: Uint8Array): string {
  let text = "";
  for (let at = 0; at < data.length; ) {
    let size = 1;
    let found: string | undefined;
    while (size <= 4 && (found = decodeUtf8(data.subarray(at, at + size))) === undefined) size++;
    text += found ?? `\\x${(data[at] as number).toString(16).padStart(2, "0")}`;
    at += found === undefined ? 1 : size;
  }
  return text;
}

export function utf8(text: string): Uint8Array {
  return ENCODER.encode(text);
}

/** One byte a character: for ASCII, and for what is compared only. */
export function latin1(data: Uint8Array): string {
  let text = "";
  for (const byte of data) text += String.fromCharCode(byte);
  return text;
}

export function isAscii(data: Uint8Array): boolean {
  return data.every((byte) => byte < 0x80);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

/** Order of bytes, as for sorting: negative, zero or positive. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const shared = Math.min(left.length, right.length);
  for (let at = 0; at < shared; at++) {
    const difference = (left[at] as number) - (right[at] as number);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** The number that the bytes write, most significant first. */
export function toNumber(data: Uint8Array): bigint {
  return data.length === 0 ? 0n : BigInt(`0x${toHex(data)}`);
}

/** The number that the bytes write, least significant first. */
export function toNumberLittle(data: Uint8Array): bigint {
  return toNumber(data.slice().reverse());
}

/** `size` bytes, most significant first. */
export function fromNumber(value: bigint | number, size: number): Uint8Array {
  return fromHex(value.toString(16).padStart(2 * size, "0"), size);
}

/** Where `part` stands in `data` at or after `from`; −1 if nowhere. */
export function find(data: Uint8Array, part: Uint8Array, from = 0): number {
  const first = part[0] as number;
  for (let at = data.indexOf(first, from); at >= 0; at = data.indexOf(first, at + 1)) {
    if (isEqual(data.subarray(at, at + part.length), part)) return at;
  }
  return -1;
}

function binary(text: string): Uint8Array {
  const data = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) data[at] = text.charCodeAt(at);
  return data;
}
