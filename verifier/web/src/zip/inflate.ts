/**
 * Unpacking of deflated data (RFC 1951), a piece at a time whatever the ratio, and strict about the end: the stream
 * ends where its data ends. The browser's own DecompressionStream leaves bytes behind the end unmentioned.
 */

import { Fault } from "../errors.js";

const OUT_BYTES = 256 * 1024;
const WINDOW = 32 * 1024;
// A block's header with two code tables stays below; a length, a distance and their extra bits take 48 bits.
const HEADER_BYTES = 512;
const SYMBOL_BYTES = 8;
const LONGEST = 258;
const CODE_BITS = 15;
const END_OF_BLOCK = 256;
const LENGTH_BASE = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
];
const LENGTH_EXTRA = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASE = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
  8193, 12289, 16385, 24577,
];
const DISTANCE_EXTRA = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];
const LENGTHS_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** By the next 15 bits: the symbol, and in the low four bits how long its code is; 0 for no code. */
type Table = Uint16Array;

function broken(): Fault {
  return new Fault("deflated data that cannot be unpacked");
}

/** A code from the lengths of its symbols' codes (§3.2.2). Only a code of one symbol may leave bits unused. */
function buildTable(lengths: readonly number[]): Table {
  const counts = new Array<number>(CODE_BITS + 1).fill(0);
  for (const length of lengths) counts[length] = (counts[length] as number) + 1;
  counts[0] = 0;
  const next: number[] = [0];
  let code = 0;
  let left = 1;
  for (let bits = 1; bits <= CODE_BITS; bits++) {
    code = (code + (counts[bits - 1] as number)) << 1;
    next[bits] = code;
    left = left * 2 - (counts[bits] as number);
    if (left < 0) throw broken();
  }
  const used = counts.reduce((sum, count) => sum + count, 0);
  if (left > 0 && used > 0 && !(used === 1 && counts[1] === 1)) throw broken();
  const table = new Uint16Array(1 << CODE_BITS);
  lengths.forEach((length, symbol) => {
    if (length === 0) return;
    // Codes come with their first bit first, numbers with their last.
    let reversed = 0;
    for (let bit = 0, value = next[length] as number; bit < length; bit++, value >>= 1) {
      reversed = (reversed << 1) | (value & 1);
    }
    next[length] = (next[length] as number) + 1;
    for (let at = reversed; at < table.length; at += 1 << length) table[at] = (symbol << 4) | length;
  });
  return table;
}

const FIXED_LENGTHS = buildTable(
  Array.from({ length: 288 }, (_, symbol) => (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8)),
);
const FIXED_DISTANCES = buildTable(new Array<number>(32).fill(5));

/** Unpacks one stream. */
export class Inflater {
  #input: Uint8Array = new Uint8Array();
  #at = 0;
  #hold = 0;
  #bits = 0;
  #isLast = false;
  #out = new Uint8Array(WINDOW + OUT_BYTES + LONGEST);
  /** Where output goes next, and from where on it was not handed out yet. */
  #end = 0;
  #start = 0;
  #state: "header" | "stored" | "codes" | "over" = "header";
  #isFinalBlock = false;
  #stored = 0;
  #lengths: Table = FIXED_LENGTHS;
  #distances: Table = FIXED_DISTANCES;

  /** Unpack what this piece adds; `isLast` with the last one, and then the stream has to be over. */
  *push(piece: Uint8Array, isLast: boolean): Generator<Uint8Array> {
    const rest = this.#input.subarray(Math.min(this.#at, this.#input.length));
    const joined = new Uint8Array(rest.length + piece.length);
    joined.set(rest);
    joined.set(piece, rest.length);
    this.#input = joined;
    this.#at = 0;
    this.#isLast = isLast;
    while (this.#state !== "over" && this.#hasEnough()) {
      this.#step();
      if (this.#end >= WINDOW + OUT_BYTES) yield this.#takeOutput();
    }
    if (this.#end > this.#start) yield this.#takeOutput();
    if (isLast && this.#state !== "over") throw broken();
    // Whole bytes that were read ahead were not used: they stand behind the end as well.
    if (this.#state === "over" && this.#at - (this.#bits >> 3) !== this.#input.length) throw broken();
  }

  #hasEnough(): boolean {
    const needed = this.#state === "header" ? HEADER_BYTES : this.#state === "stored" ? 1 : SYMBOL_BYTES;
    return this.#isLast || this.#input.length - this.#at >= needed;
  }

  #step(): void {
    if (this.#state === "header") this.#readHeader();
    else if (this.#state === "stored") this.#copyStored();
    else this.#readCodes();
    // Behind the last byte zeros are read; to have used one of them is to have come too late.
    if (this.#at - (this.#bits >> 3) > this.#input.length) throw broken();
  }

  #takeOutput(): Uint8Array {
    const piece = this.#out.slice(this.#start, this.#end);
    if (this.#end > WINDOW) {
      this.#out.copyWithin(0, this.#end - WINDOW, this.#end);
      this.#end = WINDOW;
    }
    this.#start = this.#end;
    return piece;
  }

  #readHeader(): void {
    this.#isFinalBlock = this.#take(1) === 1;
    const type = this.#take(2);
    if (type === 0) {
      this.#take(this.#bits & 7);
      const length = this.#take(16);
      if (this.#take(16) !== (length ^ 0xffff)) throw broken();
      this.#stored = length;
      this.#state = "stored";
      if (length === 0) this.#endBlock();
    } else if (type === 3) {
      throw broken();
    } else {
      [this.#lengths, this.#distances] = type === 1 ? [FIXED_LENGTHS, FIXED_DISTANCES] : this.#readTables();
      this.#state = "codes";
    }
  }

  #copyStored(): void {
    // Bytes that wait among the bits come first.
    while (this.#bits >= 8 && this.#stored > 0) {
      this.#out[this.#end++] = this.#take(8);
      this.#stored--;
    }
    const room = WINDOW + OUT_BYTES - this.#end;
    const count = Math.min(this.#stored, this.#input.length - this.#at, Math.max(room, 0));
    if (count <= 0 && this.#stored > 0 && this.#input.length <= this.#at) throw broken();
    this.#out.set(this.#input.subarray(this.#at, this.#at + count), this.#end);
    this.#at += count;
    this.#end += count;
    this.#stored -= count;
    if (this.#stored === 0) this.#endBlock();
  }

  #readCodes(): void {
    const limit = WINDOW + OUT_BYTES;
    const [input, out] = [this.#input, this.#out];
    while (this.#end < limit && (this.#isLast || input.length - this.#at >= SYMBOL_BYTES)) {
      const symbol = this.#symbol(this.#lengths);
      if (symbol < END_OF_BLOCK) {
        out[this.#end++] = symbol;
      } else if (symbol === END_OF_BLOCK) {
        this.#endBlock();
        return;
      } else {
        this.#copyBack(symbol - END_OF_BLOCK - 1);
      }
      if (this.#at > input.length + 4) throw broken();
    }
  }

  #copyBack(place: number): void {
    const base = LENGTH_BASE[place];
    if (base === undefined) throw broken();
    const length = base + this.#take(LENGTH_EXTRA[place] as number);
    const symbol = this.#symbol(this.#distances);
    const far = DISTANCE_BASE[symbol];
    if (far === undefined) throw broken();
    const distance = far + this.#take(DISTANCE_EXTRA[symbol] as number);
    if (distance > this.#end) throw broken();
    for (let left = length; left > 0; left--, this.#end++) this.#out[this.#end] = this.#out[this.#end - distance] as number;
  }

  #endBlock(): void {
    this.#state = this.#isFinalBlock ? "over" : "header";
  }

  #readTables(): [Table, Table] {
    const [literals, distances, counted] = [this.#take(5) + 257, this.#take(5) + 1, this.#take(4) + 4];
    if (literals > 286 || distances > 30) throw broken();
    const order = new Array<number>(19).fill(0);
    for (const place of LENGTHS_ORDER.slice(0, counted)) order[place] = this.#take(3);
    const table = buildTable(order);
    const found: number[] = [];
    while (found.length < literals + distances) {
      const symbol = this.#symbol(table);
      if (symbol < 16) {
        found.push(symbol);
        continue;
      }
      const last = found[found.length - 1];
      if (symbol === 16 && last === undefined) throw broken();
      const value = symbol === 16 ? (last as number) : 0;
      const times = symbol === 16 ? 3 + this.#take(2) : symbol === 17 ? 3 + this.#take(3) : 11 + this.#take(7);
      for (let n = 0; n < times; n++) found.push(value);
    }
    if (found.length > literals + distances || found[END_OF_BLOCK] === 0) throw broken();
    return [buildTable(found.slice(0, literals)), buildTable(found.slice(literals))];
  }

  #symbol(table: Table): number {
    this.#fill(CODE_BITS);
    const entry = table[this.#hold & ((1 << CODE_BITS) - 1)] as number;
    const length = entry & 15;
    if (length === 0) throw broken();
    this.#hold >>>= length;
    this.#bits -= length;
    return entry >> 4;
  }

  #take(count: number): number {
    this.#fill(count);
    const value = this.#hold & ((1 << count) - 1);
    this.#hold >>>= count;
    this.#bits -= count;
    return value;
  }

  #fill(count: number): void {
    while (this.#bits < count) {
      this.#hold |= (this.#input[this.#at] ?? 0) << this.#bits;
      this.#at++;
      this.#bits += 8;
    }
  }
}
