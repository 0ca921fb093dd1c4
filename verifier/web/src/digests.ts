/** Both digests of a file, and its checksum, in one pass over pieces. */

import type { FileDigests } from "./checks/context.js";
import { startHash } from "./crypto/hashing.js";

/** How to digest a whole blob; with its CRC-32 in hex where a ZIP asks for that. */
export type DigestBlob = (blob: Blob, withChecksum: boolean) => Promise<FileDigests & { readonly crc32: string }>;

// A browser takes its time to begin a read and little to go on: with two of this size on their way it reads three times as
// quickly as with one of four megabytes.
const PIECE_BYTES = 8 * 1024 * 1024;
const READ_AHEAD = 2;

export async function digestPieces(pieces: AsyncIterable<Uint8Array>): Promise<FileDigests> {
  const [sha256, sm3] = [await startHash("sha256"), await startHash("sm3")];
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    sha256.update(piece);
    sm3.update(piece);
  }
  return { size, sha256: sha256.finish(), sm3: sm3.finish() };
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

/** A blob piece by piece; the next ones are read while one is worked on. */
export async function* piecesOf(blob: Blob): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const coming: Promise<ArrayBuffer>[] = [];
  for (let at = 0; at < blob.size || coming.length > 0; ) {
    while (at < blob.size && coming.length < READ_AHEAD) {
      const piece = blob.slice(at, at + PIECE_BYTES).arrayBuffer();
      // One that is not waited for yet may fail meanwhile: that is found when its turn comes.
      piece.catch(() => undefined);
      coming.push(piece);
      at += PIECE_BYTES;
    }
    yield new Uint8Array(await (coming.shift() as Promise<ArrayBuffer>));
  }
}
