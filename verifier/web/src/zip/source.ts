/** Where a file's bytes come from: memory, or a file of the person who dropped it, read in windows. */

// Small files are read once and whole.
const WHOLE_BYTES = 64 * 1024 * 1024;
const WINDOW_BYTES = 4 * 1024 * 1024;

export class Source {
  #window: Uint8Array = new Uint8Array();
  #windowAt = 0;

  readonly #blob: Blob | undefined;

  private constructor(
    readonly size: number,
    blob: Blob | undefined,
  ) {
    this.#blob = blob;
  }

  static of(data: Uint8Array | Blob): Source {
    if (data instanceof Blob) return new Source(data.size, data);
    const source = new Source(data.length, undefined);
    source.#window = data;
    return source;
  }

  /** At most `length` bytes from `offset`; fewer where the file ends. Not to be changed. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const start = Math.min(offset, this.size);
    const end = Math.min(offset + length, this.size);
    if (start < this.#windowAt || end > this.#windowAt + this.#window.length) await this.#load(start, end);
    return this.#window.subarray(start - this.#windowAt, end - this.#windowAt);
  }

  async #load(start: number, end: number): Promise<void> {
    if (this.#blob === undefined) throw new Error("read outside of what is in memory");
    const isWhole = this.size <= WHOLE_BYTES;
    this.#windowAt = isWhole ? 0 : start;
    const stop = isWhole ? this.size : Math.max(end, Math.min(start + WINDOW_BYTES, this.size));
    this.#window = new Uint8Array(await this.#blob.slice(this.#windowAt, stop).arrayBuffer());
  }
}
