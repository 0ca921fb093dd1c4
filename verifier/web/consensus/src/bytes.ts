/** Hex and comparison of bytes. */

import { Fault } from "./errors.js";

const HEX = /^(?:[0-9a-f]{2})*$/;

/** Bytes of lower-case hex without 0x; `length` in bytes when fixed. */
export function fromHex(text: unknown, length?: number): Uint8Array {
  if (typeof text !== "string" || !HEX.test(text)) throw new Fault("expected lower-case hex");
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
  return Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
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
