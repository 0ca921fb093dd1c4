/**
 * DER (X.690 §10) as tokens, certificates and evidence records need it, read strictly: definite shortest lengths,
 * shortest numbers, nothing behind the end. The reader never goes down by itself.
 */

import { toHex } from "../bytes.js";
import { Fault } from "../errors.js";
import { secondsOf } from "../instants.js";

export const BOOLEAN = 0x01;
export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const NULL = 0x05;
export const OID = 0x06;
export const UTC_TIME = 0x17;
export const GENERALIZED_TIME = 0x18;
export const SEQUENCE = 0x30;
export const SET = 0x31;
export const MICROSECOND = 1_000_000n;

const EARLY = "DER that ends too early";
const OTHER_KIND = "DER: a value of another kind than expected";
const NO_LENGTH = "DER: a length that is none";
// Fractions end in no zero, and the zone is Z (RFC 3161 §2.4.2).
const TIME = /^([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})(?:\.([0-9]{0,11}[1-9]))?Z$/;

/** The tag [number] of a context. */
export function context(number: number, isConstructed = true): number {
  return (isConstructed ? 0xa0 : 0x80) | number;
}

/** One value: tag, content, and both as they stand. */
export class Node {
  constructor(
    readonly tag: number,
    readonly content: Uint8Array,
    readonly encoded: Uint8Array,
  ) {}

  expect(tag: number): this {
    if (this.tag !== tag) throw new Fault(OTHER_KIND);
    return this;
  }

  /** What is inside, one value after the other. */
  reader(tag = this.tag): Reader {
    this.expect(tag);
    if ((this.tag & 0x20) === 0) throw new Fault("DER: a value that holds no others");
    return new Reader(this.content);
  }

  integer(tag = INTEGER): bigint {
    const { content } = this.expect(tag);
    const [first, second] = content;
    const isLong = second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
    if (first === undefined || isLong) throw new Fault("DER: a number that is not written in the shortest way");
    const value = BigInt(`0x${toHex(content)}`);
    return first >= 0x80 ? value - (1n << BigInt(8 * content.length)) : value;
  }

  boolean(): boolean {
    const { content } = this.expect(BOOLEAN);
    if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) {
      throw new Fault("DER: a truth value that is neither");
    }
    return content[0] === 0xff;
  }

  octets(tag = OCTET_STRING): Uint8Array {
    return this.expect(tag).content;
  }

  /** A bit string of whole bytes. */
  bits(): Uint8Array {
    const { content } = this.expect(BIT_STRING);
    if (content[0] !== 0) throw new Fault("DER: a bit string that is not whole bytes");
    return content.subarray(1);
  }

  /** An object identifier in dots. */
  oid(): string {
    const { content } = this.expect(OID);
    if (content.length === 0 || content.length > 64 || (content.at(-1) as number) >= 0x80) {
      throw new Fault("DER: an object identifier that is none");
    }
    const numbers: bigint[] = [];
    let value = 0n;
    let isStart = true;
    for (const byte of content) {
      if (isStart && byte === 0x80) {
        throw new Fault("DER: an object identifier that is not written in the shortest way");
      }
      value = (value << 7n) | BigInt(byte & 0x7f);
      isStart = byte < 0x80;
      if (isStart) {
        numbers.push(value);
        value = 0n;
      }
    }
    const head = numbers.shift() as bigint;
    const first = head < 80n ? head / 40n : 2n;
    return [first, head - 40n * first, ...numbers].join(".");
  }

  /** Microseconds since 1970 of a GeneralizedTime, digits beyond cut off. */
  time(): bigint {
    const found = TIME.exec(String.fromCharCode(...this.expect(GENERALIZED_TIME).content.subarray(0, 99)));
    if (!found) throw new Fault("DER: a time that is not written as in RFC 3161");
    const seconds = secondsOf(found.slice(1, 7).map(Number));
    if (seconds === undefined) throw new Fault("DER: a time that no calendar has");
    return BigInt(seconds) * MICROSECOND + BigInt((found[7] ?? "0").slice(0, 6).padEnd(6, "0"));
  }
}

export class Reader {
  #at = 0;

  readonly #data: Uint8Array;

  constructor(data: Uint8Array) {
    this.#data = data;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#data.length;
  }

  /** The next value, of this tag if one is named. */
  next(tag?: number): Node {
    const [start, data] = [this.#at, this.#data];
    const [found, short] = [data[start], data[start + 1]];
    if (found === undefined || short === undefined) throw new Fault(EARLY);
    if ((found & 0x1f) === 0x1f) throw new Fault("DER: a tag that none of these formats has");
    let content = start + 2;
    let length = short;
    if (short >= 0x80) {
      const size = short & 0x7f;
      content += size;
      const written = data.subarray(start + 2, content);
      if (size < 1 || size > 4 || written.length !== size) throw new Fault(NO_LENGTH);
      length = Number(`0x${toHex(written)}`);
      if (length < 0x80 || written[0] === 0) {
        throw new Fault("DER: a length that is not written in the shortest way");
      }
    }
    const end = content + length;
    if (end > data.length) throw new Fault(EARLY);
    this.#at = end;
    const node = new Node(found, data.subarray(content, end), data.subarray(start, end));
    return tag === undefined ? node : node.expect(tag);
  }

  /** The next value if it has this tag. */
  optional(tag: number): Node | undefined {
    return this.#data[this.#at] === tag ? this.next(tag) : undefined;
  }

  /** All that are left, each of this tag if one is named. */
  rest(tag?: number): Node[] {
    const found: Node[] = [];
    while (!this.isAtEnd) found.push(this.next(tag));
    return found;
  }

  end(): void {
    if (!this.isAtEnd) throw new Fault("DER: more values than expected");
  }
}

/** The one value that `data` is. */
export function parse(data: Uint8Array, tag?: number): Node {
  const reader = new Reader(data);
  const node = reader.next(tag);
  reader.end();
  return node;
}

/** A value of this tag around parts. */
export function encode(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const digits: number[] = [];
  for (let rest = size; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  const head = size < 0x80 ? [tag, size] : [tag, 0x80 | digits.length, ...digits];
  const whole = new Uint8Array(head.length + size);
  whole.set(head);
  let at = head.length;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Object identifier and parameters as they stand of an AlgorithmIdentifier. */
export function readAlgorithm(node: Node): { readonly oid: string; readonly parameters: Uint8Array } {
  const reader = node.reader(SEQUENCE);
  const oid = reader.next().oid();
  const parameters = reader.isAtEnd ? new Uint8Array() : reader.next().encoded;
  reader.end();
  return { oid, parameters };
}
