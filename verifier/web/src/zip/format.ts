/**
 * The structures of a ZIP (PKWARE APPNOTE 6.3.10), read strictly: whatever is said twice has to agree, and what a second
 * reader could understand otherwise is refused (docs/spec/8-bundle.md, "The ZIP").
 */

import { compareBytes, concat, isAscii, isEqual, latin1, utf8 } from "../bytes.js";
import { Fault } from "../errors.js";

export const STORED = 0;
export const DEFLATED = 8;
const FULL16 = 0xffff;
const FULL32 = 0xffffffff;
const MEMBER_BYTES = 30;
const ENTRY_BYTES = 46;
const END_BYTES = 22;
const END64_BYTES = 56;
const LOCATOR_BYTES = 20;
const TAIL64_BYTES = END64_BYTES + LOCATOR_BYTES;
/** The longest comment and the records around it. */
export const MAX_TAIL_BYTES = TAIL64_BYTES + END_BYTES + FULL16;
export const MEMBER_HEADER_BYTES = MEMBER_BYTES;

const ENCRYPTED = 0x1 | 0x40 | 0x2000;
const DESCRIPTOR = 0x8;
const ZIP64 = 0x0001;
const UNICODE_PATH = 0x7075;
const REGULAR_FILE = 0x8000;
const FOLDER = 0x4000;
const UNIX = 3 << 8;
const DATE_1980 = 0x21;

export const DISAGREE = "a ZIP whose directory and members disagree";
const PARTS = "a ZIP in several parts";
const OTHER_NAME = "a member whose name is not on the list of formats §8";

export interface Entry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
}

export interface Directory {
  readonly offset: number;
  readonly size: number;
  readonly count: number;
}

export function isFolder(entry: Entry): boolean {
  return entry.name.endsWith("/");
}

/** Whether sizes and checksum stand behind the data. */
export function isDeferred(entry: Entry): boolean {
  return (entry.flags & DESCRIPTOR) !== 0;
}

class Fields {
  readonly #view: DataView;

  constructor(
    readonly data: Uint8Array,
    private at = 0,
  ) {
    this.#view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  }

  u16(): number {
    this.at += 2;
    return this.#view.getUint16(this.at - 2, true);
  }

  u32(): number {
    this.at += 4;
    return this.#view.getUint32(this.at - 4, true);
  }

  /** Above 2^53 not exact, and above the size of every file: nothing it is compared with is so large. */
  u64(): number {
    this.at += 8;
    return Number(this.#view.getBigUint64(this.at - 8, true));
  }

  starts(signature: string): boolean {
    const found = latin1(this.data.subarray(this.at, this.at + 4)) === signature;
    this.at += 4;
    return found;
  }
}

function written(...parts: readonly (readonly [bytes: number, value: number])[]): Uint8Array {
  return concat(
    ...parts.map(([bytes, value]) => {
      const data = new Uint8Array(bytes);
      let rest = BigInt(value);
      for (let at = 0; at < bytes; at++, rest >>= 8n) data[at] = Number(rest & 0xffn);
      return data;
    }),
  );
}

/** The records at the end of a file of this size, whose last bytes are `tail`. */
export function parseEnd(tail: Uint8Array, fileSize: number): Directory {
  const at = findEnd(tail);
  if (at < 0) {
    throw new Fault("not a ZIP file, or one that was cut short", {}, "copy the bundle again from where it was made");
  }
  const fields = new Fields(tail, at + 4);
  const [disk, startDisk, here, count] = [fields.u16(), fields.u16(), fields.u16(), fields.u16()];
  const [size, offset, comment] = [fields.u32(), fields.u32(), fields.u16()];
  if (at + END_BYTES + comment !== tail.length) throw new Fault("a ZIP with bytes after its end");
  if (disk !== 0 || startDisk !== 0 || here !== count) throw new Fault(PARTS);
  let directory: Directory = { offset, size, count };
  let start = fileSize - tail.length + at;
  if (at >= TAIL64_BYTES && new Fields(tail, at - LOCATOR_BYTES).starts("PK\x06\x07")) {
    start -= TAIL64_BYTES;
    directory = parseEnd64(tail.subarray(at - TAIL64_BYTES, at), start, directory);
  }
  if (directory.offset + directory.size !== start) throw new Fault("a ZIP with bytes that belong to no member");
  return directory;
}

/** The last place where the record could stand; no comment that holds its signature is believed. */
function findEnd(tail: Uint8Array): number {
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail[at] === 0x50 && latin1(tail.subarray(at, at + 4)) === "PK\x05\x06") return at;
  }
  return -1;
}

function parseEnd64(records: Uint8Array, start: number, short: Directory): Directory {
  const fields = new Fields(records);
  const isEnd = fields.starts("PK\x06\x06");
  const length = fields.u64();
  fields.u16();
  fields.u16();
  const [disk, startDisk, here, count] = [fields.u32(), fields.u32(), fields.u64(), fields.u64()];
  const [size, offset] = [fields.u64(), fields.u64()];
  fields.starts("PK\x06\x07");
  const [locatorDisk, position, disks] = [fields.u32(), fields.u64(), fields.u32()];
  if (!isEnd || length !== END64_BYTES - 12 || position !== start) throw new Fault(DISAGREE);
  if (disk !== 0 || startDisk !== 0 || locatorDisk !== 0 || disks > 1 || here !== count) throw new Fault(PARTS);
  const isSame = (brief: number, full: number, limit: number): boolean => brief === full || brief === limit;
  if (!isSame(short.count, count, FULL16) || !isSame(short.size, size, FULL32) || !isSame(short.offset, offset, FULL32)) {
    throw new Fault(DISAGREE);
  }
  return { offset, size, count };
}

/** Exactly `count` entries, which are all of `data`. */
export function parseDirectory(data: Uint8Array, count: number): Entry[] {
  const entries: Entry[] = [];
  let at = 0;
  for (let n = 0; n < count; n++) {
    if (at + ENTRY_BYTES > data.length) throw new Fault(DISAGREE);
    const fields = new Fields(data, at);
    if (!fields.starts("PK\x01\x02")) throw new Fault(DISAGREE);
    fields.u32();
    const [flags, method] = [fields.u16(), fields.u16()];
    fields.u32();
    const [crc, packed, size] = [fields.u32(), fields.u32(), fields.u32()];
    const [names, extras, comments, disk] = [fields.u16(), fields.u16(), fields.u16(), fields.u16()];
    fields.u16();
    const [attributes, offset] = [fields.u32(), fields.u32()];
    at += ENTRY_BYTES;
    const name = data.subarray(at, at + names);
    const extra = data.subarray(at + names, at + names + extras);
    at += names + extras + comments;
    if (disk !== 0) throw new Fault(PARTS);
    const [wideSize, widePacked, wideOffset] = widen(extra, [size, packed, offset]) as [number, number, number];
    const entry = { name: readName(name), flags, method, crc, packed: widePacked, size: wideSize, offset: wideOffset };
    refuseTricks(entry, attributes);
    entries.push(entry);
  }
  if (at !== data.length) throw new Fault(DISAGREE);
  return entries;
}

function readName(name: Uint8Array): string {
  const text = latin1(name);
  if (!isAscii(name) || text.includes("\0") || text.includes("\\")) throw new Fault(OTHER_NAME);
  return text;
}

function refuseTricks(entry: Entry, attributes: number): void {
  if ((entry.flags & ENCRYPTED) !== 0) throw new Fault("a ZIP with encrypted members");
  if (entry.method !== STORED && entry.method !== DEFLATED) {
    throw new Fault("a ZIP with a compression other than deflate");
  }
  const kind = (attributes >>> 16) & 0xf000;
  // 0x10 is the folder bit of DOS, which other readers go by.
  const isOtherKind = kind !== 0 && kind !== (isFolder(entry) ? FOLDER : REGULAR_FILE);
  if (isOtherKind || ((attributes & 0x10) !== 0 && !isFolder(entry))) {
    throw new Fault("a ZIP with a link or a special file in it");
  }
  const isStoredOtherwise = entry.method === STORED && entry.packed !== entry.size;
  if (isStoredOtherwise || (isFolder(entry) && entry.size !== 0)) throw new Fault(DISAGREE);
}

/** Each full 32-bit value replaced by the next one of the Zip64 extra field (§4.5.3). */
function widen(extra: Uint8Array, values: readonly number[]): number[] {
  let large: Uint8Array | undefined;
  let at = 0;
  while (at + 4 <= extra.length) {
    const fields = new Fields(extra, at);
    const [kind, length] = [fields.u16(), fields.u16()];
    if (kind === UNICODE_PATH || (kind === ZIP64 && large !== undefined)) {
      throw new Fault("a ZIP that gives a member two names or two sizes");
    }
    if (kind === ZIP64) large = extra.subarray(at + 4, at + 4 + length);
    at += 4 + length;
  }
  if (at !== extra.length) throw new Fault("a ZIP with an extra field that does not fit");
  let used = 0;
  return values.map((value) => {
    if (value !== FULL32 || large === undefined) return value;
    if (used + 8 > large.length) throw new Fault(DISAGREE);
    used += 8;
    return new Fields(large, used - 8).u64();
  });
}

/** The length of a member's own header, held against the directory; `header` may go on behind its end. */
export function verifyMemberHeader(entry: Entry, header: Uint8Array): number {
  if (header.length < MEMBER_BYTES) throw new Fault(DISAGREE);
  const fields = new Fields(header);
  if (!fields.starts("PK\x03\x04")) throw new Fault(DISAGREE);
  fields.u16();
  const [flags, method] = [fields.u16(), fields.u16()];
  fields.u32();
  const [crc, packed, size, names, extras] = [fields.u32(), fields.u32(), fields.u32(), fields.u16(), fields.u16()];
  const length = MEMBER_BYTES + names + extras;
  const name = header.subarray(MEMBER_BYTES, MEMBER_BYTES + names);
  const extra = header.subarray(MEMBER_BYTES + names, length);
  if (extra.length !== extras) throw new Fault("not a ZIP file, or one that was cut short");
  if (flags !== entry.flags || method !== entry.method || !isEqual(name, utf8(entry.name))) throw new Fault(DISAGREE);
  const [wideSize, widePacked] = widen(extra, [size, packed]) as [number, number];
  const pairs = [
    [crc, entry.crc],
    [wideSize, entry.size],
    [widePacked, entry.packed],
  ];
  // Where a descriptor follows, the header may leave its numbers open with zeros.
  if (pairs.some(([found, known]) => found !== known && !(isDeferred(entry) && found === 0))) {
    throw new Fault(DISAGREE);
  }
  return length;
}

/** Every spelling of the descriptor behind the data (§4.3.9). */
export function descriptorForms(entry: Entry): Uint8Array[] {
  const wide = written([4, entry.crc], [8, entry.packed], [8, entry.size]);
  const forms = [wide];
  if (Math.max(entry.packed, entry.size) <= FULL32) {
    forms.push(written([4, entry.crc], [4, entry.packed], [4, entry.size]));
  }
  return forms.flatMap((form) => [form, concat(utf8("PK\x07\x08"), form)]);
}

/** Whether a member's header is, byte for byte, the one that is written. */
export function isCanonicalHeader(entry: Entry, header: Uint8Array): boolean {
  const isLarge = Math.max(entry.packed, entry.size) >= FULL32;
  const extra = isLarge ? written([2, ZIP64], [2, 16], [8, entry.size], [8, entry.packed]) : new Uint8Array();
  const [packed, size] = isLarge ? [FULL32, FULL32] : [entry.packed, entry.size];
  const head = written([2, isLarge ? 45 : 20], [2, 0], [2, STORED], [2, 0], [2, DATE_1980], [4, entry.crc]);
  const lengths = written([4, packed], [4, size], [2, entry.name.length], [2, extra.length]);
  return compareBytes(header, concat(utf8("PK\x03\x04"), head, lengths, utf8(entry.name), extra)) === 0;
}

/** The directory and the records behind it as they are written for these entries. */
export function canonicalDirectory(entries: readonly Entry[], directory: Directory): Uint8Array {
  return concat(...entries.map(canonicalEntry), canonicalEnd(directory));
}

function canonicalEntry(entry: Entry): Uint8Array {
  const large = [entry.size, entry.packed, entry.offset].filter((value) => value >= FULL32);
  const values = large.map((value): [number, number] => [8, value]);
  const extra = large.length > 0 ? written([2, ZIP64], [2, 8 * large.length], ...values) : new Uint8Array();
  const version = large.length > 0 ? 45 : 20;
  const low = (value: number): number => Math.min(value, FULL32);
  return concat(
    utf8("PK\x01\x02"),
    written([2, UNIX | version], [2, version], [2, 0], [2, STORED], [2, 0], [2, DATE_1980], [4, entry.crc]),
    written([4, low(entry.packed)], [4, low(entry.size)], [2, entry.name.length], [2, extra.length]),
    // No comment, the first part, no inner attributes, a regular file of mode 0644.
    written([2, 0], [2, 0], [2, 0], [4, (REGULAR_FILE | 0o644) * 0x10000], [4, low(entry.offset)]),
    utf8(entry.name),
    extra,
  );
}

function canonicalEnd({ offset, size, count }: Directory): Uint8Array {
  const isLarge = count >= FULL16 || size >= FULL32 || offset >= FULL32;
  const numbers = written([8, count], [8, count], [8, size], [8, offset]);
  const head64 = written([8, END64_BYTES - 12], [2, UNIX | 45], [2, 45], [4, 0], [4, 0]);
  const locator = written([4, 0], [8, offset + size], [4, 1]);
  const [briefCount, briefSize, briefOffset] = [Math.min(count, FULL16), Math.min(size, FULL32), Math.min(offset, FULL32)];
  return concat(
    ...(isLarge ? [utf8("PK\x06\x06"), head64, numbers, utf8("PK\x06\x07"), locator] : []),
    utf8("PK\x05\x06"),
    written([2, 0], [2, 0], [2, briefCount], [2, briefCount], [4, briefSize], [4, briefOffset], [2, 0]),
  );
}
