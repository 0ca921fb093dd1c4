/**
 * Digests of files of any size, read piece by piece and never whole: SHA-256 and the checksum on one processor, SM3 on
 * another. The workers run this very script; where a page may start none, the work is done here.
 */

import { type FileHash, startHash } from "../crypto/hashing.js";
import { type DigestBlob, digestBlob, piecesOf } from "../digests.js";

interface Job {
  readonly blob: Blob;
  readonly hashes: readonly FileHash[];
}

interface Answer {
  /** Bytes done so far. */
  readonly done?: number;
  /** Hex digests in the order asked. */
  readonly digests?: readonly string[];
  readonly error?: string;
}

/** Called with how many bytes were digested since the last call. */
export type Progress = (bytes: number) => void;

// Known while the script runs for the first time only.
const own = typeof document === "undefined" ? null : (document.currentScript as HTMLScriptElement | null);
let address: string | undefined;

/** Whether this is a worker; it then answers the one job it is given. */
export function isWorker(): boolean {
  return typeof document === "undefined";
}

export function serve(): void {
  self.onmessage = async ({ data }: MessageEvent<Job>) => {
    const tell = (answer: Answer): void => self.postMessage(answer);
    try {
      const running = await Promise.all(data.hashes.map(startHash));
      for await (const piece of piecesOf(data.blob)) {
        for (const hash of running) hash.update(piece);
        tell({ done: piece.length });
      }
      tell({ digests: running.map((hash) => hash.finish()) });
    } catch (error) {
      tell({ error: String(error) });
    }
  };
}

// Below this a worker takes longer to start than the digests to compute.
const SMALL_BYTES = 8 * 1024 * 1024;

/** Digest a blob, a large one on two processors. */
export function digestInWorkers(progress: Progress): DigestBlob {
  return async (blob, withChecksum) => {
    if (blob.size < SMALL_BYTES) return digestBlob(blob, withChecksum);
    const first: readonly FileHash[] = withChecksum ? ["sha256", "crc32"] : ["sha256"];
    try {
      const answers = await Promise.all([
        start({ blob, hashes: first }, progress),
        start({ blob, hashes: ["sm3"] }, progress),
      ]);
      const [[sha256, crc32 = ""], [sm3]] = answers as unknown as [[string, string?], [string]];
      return { size: blob.size, sha256, sm3, crc32 };
    } catch (error) {
      if (!(error instanceof NoWorkers)) throw error;
      const digests = await digestBlob(blob, withChecksum);
      progress(2 * blob.size);
      return digests;
    }
  };
}

/** SHA-256 alone, beside other work. */
export async function sha256InWorker(blob: Blob): Promise<string> {
  try {
    if (blob.size >= SMALL_BYTES) return (await start({ blob, hashes: ["sha256"] }, () => undefined))[0] as string;
  } catch (error) {
    if (!(error instanceof NoWorkers)) throw error;
  }
  const running = await startHash("sha256");
  for await (const piece of piecesOf(blob)) running.update(piece);
  return running.finish();
}

class NoWorkers extends Error {}

function start(job: Job, progress: Progress): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    let worker: Worker;
    try {
      worker = new Worker(findAddress());
    } catch {
      reject(new NoWorkers());
      return;
    }
    let hasStarted = false;
    const end = (finish: () => void): void => {
      worker.terminate();
      finish();
    };
    worker.onerror = () => end(() => reject(hasStarted ? new Error("a worker ended") : new NoWorkers()));
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      hasStarted = true;
      if (data.done !== undefined) progress(data.done);
      else if (data.digests !== undefined) end(() => resolve(data.digests as readonly string[]));
      else end(() => reject(new Error(data.error)));
    };
    worker.postMessage(job);
  });
}

/** Where workers find this script: its own address on a site, a copy of its text in a file opened from disk. */
function findAddress(): string {
  if (own === null) throw new NoWorkers();
  address ??= own.src || URL.createObjectURL(new Blob([own.textContent ?? ""], { type: "text/javascript" }));
  return address;
}
