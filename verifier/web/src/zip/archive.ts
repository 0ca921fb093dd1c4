/** An open ZIP of which every byte belongs to exactly one member. Nothing is unpacked beyond what is declared. */

import { compareBytes, isEqual, latin1 } from "../bytes.js";
import { startHash } from "../crypto/hashing.js";
import { Fault } from "../errors.js";
import {
  canonicalDirectory,
  DEFLATED,
  descriptorForms,
  type Directory,
  type Entry,
  isCanonicalHeader,
  isDeferred,
  isFolder,
  MAX_TAIL_BYTES,
  MEMBER_HEADER_BYTES,
  parseDirectory,
  parseEnd,
  verifyMemberHeader,
} from "./format.js";
import { Inflater } from "./inflate.js";
import type { Source } from "./source.js";

const MAX_MEMBERS = 1_010_000;
const MAX_DIRECTORY_BYTES = 160 * 1024 * 1024;
/** A member that is read whole. */
export const MAX_MEMORY_BYTES = 64 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;
const PAUSE_BYTES = 16 * 1024 * 1024;
const LONGEST_DESCRIPTOR = 24;
const EXTRA_GUESS = 512;
const HIDDEN = "a ZIP with overlapping members or bytes that belong to none";

export class Archive {
  /** In the order of the directory, folders left out. */
  readonly names: readonly string[];
  readonly folders: readonly string[];
  readonly #members: ReadonlyMap<string, Entry>;

  readonly #source: Source;
  readonly #starts: ReadonlyMap<Entry, number>;

  private constructor(
    source: Source,
    entries: readonly Entry[],
    /** Where each member's data starts. */
    starts: ReadonlyMap<Entry, number>,
    /** Byte for byte as it would be written, the order of names aside. */
    readonly isCanonical: boolean,
  ) {
    this.#source = source;
    this.#starts = starts;
    const files = entries.filter((entry) => !isFolder(entry));
    this.names = files.map((entry) => entry.name);
    this.folders = entries.filter(isFolder).map((entry) => entry.name);
    this.#members = new Map(files.map((entry) => [entry.name, entry]));
  }

  static async open(source: Source): Promise<Archive> {
    const tail = await source.read(Math.max(0, source.size - MAX_TAIL_BYTES), MAX_TAIL_BYTES);
    const directory = parseEnd(tail, source.size);
    if (directory.count > MAX_MEMBERS || directory.size > MAX_DIRECTORY_BYTES) {
      throw new Fault("a ZIP with {count} members", { count: directory.count });
    }
    const rest = await source.read(directory.offset, source.size - directory.offset);
    const entries = parseDirectory(rest.subarray(0, directory.size), directory.count);
    const isAsWritten = isEqual(rest, canonicalDirectory(entries, directory));
    const layout = new Layout(source, directory);
    const hasRightHeaders = await layout.check(entries);
    if (new Set(entries.map((entry) => entry.name.toLowerCase())).size !== entries.length) {
      throw new Fault("a ZIP with two members of one name");
    }
    return new Archive(source, entries, layout.starts, isAsWritten && hasRightHeaders);
  }

  has(name: string): boolean {
    return this.#members.has(name);
  }

  size(name: string): number {
    return (this.#members.get(name) as Entry).size;
  }

  /** Where an uncompressed member stands in the file; undefined for a packed one. */
  place(name: string): { readonly start: number; readonly size: number; readonly crc: number } | undefined {
    const entry = this.#members.get(name) as Entry;
    if (entry.method === DEFLATED) return undefined;
    return { start: this.#starts.get(entry) as number, size: entry.size, crc: entry.crc };
  }

  /** A member's whole content. */
  async read(name: string, limit = MAX_MEMORY_BYTES): Promise<Uint8Array> {
    const size = this.size(name);
    if (size > limit) throw new Fault("member {name} of {size} bytes", { name, size });
    const whole = new Uint8Array(size);
    let at = 0;
    for await (const piece of this.pieces(name)) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }

  /** A member's content in pieces; a fault before the end if it is not what the directory says. */
  async *pieces(name: string): AsyncGenerator<Uint8Array> {
    const entry = this.#members.get(name) as Entry;
    const crc = await startHash("crc32");
    let total = 0;
    let nextPause = PAUSE_BYTES;
    const inflater = entry.method === DEFLATED ? new Inflater() : undefined;
    try {
      for await (const [packed, isLast] of this.#packed(entry)) {
        for (const piece of inflater ? inflater.push(packed, isLast) : [packed]) {
          total += piece.length;
          if (total > entry.size) throw notAsDeclared(name);
          // Whatever the ratio, the page stays alive.
          if (total >= nextPause) {
            nextPause = total + PAUSE_BYTES;
            await new Promise((resolve) => setTimeout(resolve));
          }
          crc.update(piece);
          yield piece;
        }
      }
    } catch (error) {
      throw error instanceof Fault ? notAsDeclared(name) : error;
    }
    if (total !== entry.size || Number.parseInt(crc.finish(), 16) !== entry.crc) throw notAsDeclared(name);
  }

  async *#packed(entry: Entry): AsyncGenerator<[Uint8Array, boolean]> {
    const start = this.#starts.get(entry) as number;
    for (let at = 0; at === 0 || at < entry.packed; at += CHUNK_BYTES) {
      const length = Math.min(CHUNK_BYTES, entry.packed - at);
      yield [await this.#source.read(start + at, length), at + length === entry.packed];
    }
  }
}

function notAsDeclared(name: string): Fault {
  return new Fault("member {name} does not unpack to what the ZIP says", { name });
}

/** Members one after the other, from the first byte up to the directory. */
class Layout {
  readonly starts = new Map<Entry, number>();

  readonly #source: Source;
  readonly #directory: Directory;

  constructor(
    source: Source,
    directory: Directory,
  ) {
    this.#source = source;
    this.#directory = directory;
  }

  /** True when all headers are those that are written, in the order of the directory. */
  async check(entries: readonly Entry[]): Promise<boolean> {
    const ordered = [...entries].sort((left, right) => left.offset - right.offset);
    let isCanonical = ordered.every((entry, place) => entry === entries[place]);
    let position = 0;
    for (const entry of ordered) {
      if (entry.offset !== position) throw new Fault(HIDDEN);
      const header = await this.#header(entry);
      const length = verifyMemberHeader(entry, header);
      isCanonical &&= isCanonicalHeader(entry, header.subarray(0, length));
      this.starts.set(entry, position + length);
      position += length + entry.packed;
      if (position > this.#directory.offset) throw new Fault(HIDDEN);
      if (isDeferred(entry)) position += await this.#descriptor(entry, position);
      if (isFolder(entry) && entry.packed > 0) await this.#requireEmpty(entry);
    }
    if (position !== this.#directory.offset) throw new Fault(HIDDEN);
    return isCanonical;
  }

  async #header(entry: Entry): Promise<Uint8Array> {
    const known = MEMBER_HEADER_BYTES + entry.name.length;
    const header = await this.#source.read(entry.offset, known + EXTRA_GUESS);
    const extra = (header[28] ?? 0) + 256 * (header[29] ?? 0);
    return extra > EXTRA_GUESS ? this.#source.read(entry.offset, known + extra) : header;
  }

  /** Length of the descriptor behind the data: the spelling that the next header or the directory follows. */
  async #descriptor(entry: Entry, position: number): Promise<number> {
    const { offset } = this.#directory;
    const found = await this.#source.read(position, Math.min(LONGEST_DESCRIPTOR + 4, offset - position));
    for (const form of descriptorForms(entry)) {
      const follows = latin1(found.subarray(form.length, form.length + 4));
      const isAtEnd = position + form.length === offset;
      if (isEqual(found.subarray(0, form.length), form) && (isAtEnd || follows === "PK\x03\x04")) return form.length;
    }
    throw new Fault(HIDDEN);
  }

  /** A folder may hold the deflated form of nothing, as some tools write it. */
  async #requireEmpty(entry: Entry): Promise<void> {
    const data = await this.#source.read(this.starts.get(entry) as number, entry.packed);
    if (compareBytes(data, Uint8Array.of(3, 0)) !== 0) throw new Fault(HIDDEN);
  }
}
