/** Recursive Length Prefix, strict, as verifier/evm/rlp.py (Yellow Paper, appendix B). */

import { concat } from "../bytes.js";
import { Fault } from "../errors.js";

export type Item = Uint8Array | readonly Item[];

const MAX_DEPTH = 4;
const TOO_EARLY = "RLP that ends too early";

/** The one item that `data` encodes. */
export function decode(data: Uint8Array, maxBytes: number): Item {
  if (data.length > maxBytes) {
    throw new Fault("RLP of {size} bytes, more than the {limit} allowed", { size: data.length, limit: maxBytes });
  }
  const [item, end] = read(data, 0, data.length, 0);
  if (end !== data.length) throw new Fault("bytes after the end of the RLP item");
  return item;
}

export function encode(item: Item): Uint8Array {
  if (item instanceof Uint8Array) {
    if (item.length === 1 && (item[0] as number) < 0x80) return item;
    return concat(prefix(0x80, item.length), item);
  }
  const body = concat(...item.map(encode));
  return concat(prefix(0xc0, body.length), body);
}

/** A string, of exactly `length` bytes when given. */
export function asBytes(item: Item | undefined, length?: number): Uint8Array {
  if (!(item instanceof Uint8Array)) throw new Fault("a list in RLP where a string belongs");
  if (length !== undefined && item.length !== length) {
    throw new Fault("a string of {found} bytes in RLP where {length} belong", { found: item.length, length });
  }
  return item;
}

/** A scalar of at most `width` bytes. */
export function asInt(item: Item | undefined, width: number): bigint {
  const data = asBytes(item);
  if (data.length > width) {
    throw new Fault("a number of {found} bytes in RLP, more than {width}", { found: data.length, width });
  }
  if (data[0] === 0) throw new Fault("a number in RLP with a leading zero byte");
  return data.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** A list, of exactly `count` items when given. */
export function asList(item: Item | undefined, count?: number): readonly Item[] {
  if (item === undefined || item instanceof Uint8Array) throw new Fault("a string in RLP where a list belongs");
  if (count !== undefined && item.length !== count) {
    throw new Fault("a list of {found} items in RLP where {count} belong", { found: item.length, count });
  }
  return item;
}

function read(data: Uint8Array, from: number, end: number, depth: number): [Item, number] {
  let at = from;
  if (at === end) throw new Fault(TOO_EARLY);
  const first = data[at] as number;
  let start = at + 1;
  if (first < 0x80) return [data.subarray(at, start), start];
  const isList = first >= 0xc0;
  let length = first - (isList ? 0xc0 : 0x80);
  if (length > 55) {
    at = start;
    start += length - 55;
    // At most 8 bytes, of data that is at most 12 KiB: what does not fit a double is too long in any case.
    length = data.subarray(at, start).reduce((sum, byte) => sum * 256 + byte, 0);
    if (start > end) throw new Fault(TOO_EARLY);
    if (data[at] === 0 || length <= 55) throw new Fault("an RLP length that has a shorter form");
  }
  const stop = start + length;
  if (stop > end) throw new Fault(TOO_EARLY);
  if (!isList) {
    if (length === 1 && (data[start] as number) < 0x80) {
      throw new Fault("a single byte in RLP that is its own encoding");
    }
    return [data.subarray(start, stop), stop];
  }
  if (depth === MAX_DEPTH) throw new Fault("RLP nested more than {limit} levels deep", { limit: MAX_DEPTH });
  const items: Item[] = [];
  while (start < stop) {
    const [item, next] = read(data, start, stop, depth + 1);
    items.push(item);
    start = next;
  }
  return [items, stop];
}

function prefix(base: number, length: number): Uint8Array {
  if (length <= 55) return Uint8Array.of(base + length);
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return Uint8Array.of(base + 55 + digits.length, ...digits);
}
