/** Both digests of a file, and its checksum, in one pass over pieces. */

import type { FileDigests } from "./checks/context.js";
import { startHash } from "./crypto/hashing.js";

/** How to digest a whole blob; with its CRC-32 in hex where a ZIP asks for that. */
export type DigestBlob = (blob: Blob, withChecksum: boolean) => Promise<FileDigests & { readonly crc32: string }>;

export async function digestPieces(pieces: AsyncIterable<Uint8Array>): Promise<FileDigests> {
  const running = await startHash("both");
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    running.update(piece);
  }
  const both = running.finish();
  return { size, sha256: both.slice(0, 64), sm3: both.slice(64) };
}

/** The same for a blob, on this thread. */
export const digestBlob: DigestBlob = async (blob, withChecksum) => {
  const crc = withChecksum ? await startHash("crc32") : undefined;
  const digests = await digestPieces(
    (async function* () {
      for await (const piece of piecesOf(blob)) {
        crc?.update(piece);
        yield piece;
      }
    })(),
  );
  return { ...digests, crc32: crc?.finish() ?? "" };
};

export type Piece = Uint8Array<ArrayBuffer>;

// What the browser's pipe holds.
const PIECE_BYTES = 2 * 1024 * 1024;

/**
 * A blob piece by piece, each of up to two megabytes: the browser fills a pipe while the last one is worked on. That
 * takes about 0.6 of the processor's time of reads of its slices.
 *
 * A piece is read into the memory of the one before, so it is good until the next one is asked for. Whoever gives a
 * piece away lays memory into `spare` when there is some again. New memory for each takes a tenth of the time of the
 * digests.
 */
export async function* piecesOf(blob: Blob, spare: ArrayBuffer[] = []): AsyncGenerator<Piece> {
  const read = startReading(blob, spare);
  try {
    for (;;) {
      const { done, value } = await read();
      if (done) return;
      yield value;
      const isGivenAway = value.buffer.byteLength === 0;
      if (!isGivenAway) spare.push(value.buffer);
    }
  } catch (error) {
    // A stream does not say what broke it; a read does.
    await blob.slice(0, 1).arrayBuffer();
    throw error;
  }
}

function startReading(blob: Blob, spare: ArrayBuffer[]): () => Promise<ReadableStreamReadResult<Piece>> {
  const stream = blob.stream();
  try {
    const reader = stream.getReader({ mode: "byob" });
    return () => reader.read(new Uint8Array(spare.pop() ?? new ArrayBuffer(PIECE_BYTES)));
  } catch {
    // In Chromium 109 each piece comes with memory of its own.
    const reader = stream.getReader();
    return () => {
      spare.length = 0;
      return reader.read();
    };
  }
}
