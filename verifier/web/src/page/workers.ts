/**
 * Digests of files of any size, read piece by piece and never whole: SHA-256 and the checksum on one processor, which
 * hands each piece on to SM3 on another. The workers run this very script; where a page may start none, the work is
 * done here.
 */

import { type FileHash, type Programs, programsOf, startHash, takeOver } from "../crypto/hashing.js";
import { type DigestBlob, digestBlob, type Piece, piecesOf } from "../digests.js";

interface Task {
  readonly hashes: readonly FileHash[];
  /** What to digest: a blob, or the pieces that come from the worker that reads it. */
  readonly from: Blob | MessagePort;
  /** The worker that gets each piece next. */
  readonly to?: MessagePort;
}

interface Job extends Task {
  readonly programs: Programs;
}

interface Answer {
  /** Bytes done so far. */
  readonly done?: number;
  /** Hex digests in the order asked. */
  readonly digests?: readonly string[];
  readonly error?: { readonly name: string; readonly message: string };
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
      takeOver(data.programs);
      const running = await Promise.all(data.hashes.map(startHash));
      const spare: ArrayBuffer[] = [];
      const hand = data.to && handTo(data.to, spare);
      for await (const piece of data.from instanceof Blob ? piecesOf(data.from, spare) : piecesFrom(data.from)) {
        const { length } = piece;
        for (const hash of running) hash.update(piece);
        await hand?.(piece);
        tell({ done: length });
      }
      await hand?.(null);
      tell({ digests: running.map((hash) => hash.finish()) });
    } catch (error) {
      const { name, message } = error as Error;
      tell({ error: { name, message } });
    }
  };
}

// So far one worker may be ahead of the other: a few pieces of memory, whatever the file's size.
const AHEAD = 3;

/**
 * Give pieces away, without a copy; null is the end. Waits while the other one is too far behind; what it has done with
 * comes back into `spare`.
 */
function handTo(port: MessagePort, spare: ArrayBuffer[]): (piece: Piece | null) => Promise<void> {
  let ahead = 0;
  let goOn = (): void => undefined;
  port.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
    spare.push(data);
    ahead--;
    goOn();
  };
  return async (piece) => {
    if (ahead >= AHEAD) await new Promise<void>((resolve) => (goOn = resolve));
    ahead++;
    port.postMessage(piece, piece === null ? [] : [piece.buffer]);
  };
}

/** The other end: each piece is answered with its memory when it is done. */
async function* piecesFrom(port: MessagePort): AsyncGenerator<Piece> {
  const waiting: (Piece | null)[] = [];
  let wake = (): void => undefined;
  port.onmessage = ({ data }: MessageEvent<Piece | null>) => {
    waiting.push(data);
    wake();
  };
  for (;;) {
    if (waiting.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    const piece = waiting.shift() as Piece | null;
    if (piece === null) return;
    yield piece;
    port.postMessage(piece.buffer, [piece.buffer]);
  }
}

// Below this a worker takes longer to start than the digests to compute.
const SMALL_BYTES = 8 * 1024 * 1024;

/** Digest a blob, a large one on two processors; it is read once. */
export function digestInWorkers(progress: Progress): DigestBlob {
  return async (blob, withChecksum) => {
    if (blob.size < SMALL_BYTES) return digestBlob(blob, withChecksum);
    const first: readonly FileHash[] = withChecksum ? ["sha256", "crc32"] : ["sha256"];
    const team: Worker[] = [];
    const between = new MessageChannel();
    try {
      const answers = await Promise.all([
        start(team, { hashes: first, from: blob, to: between.port1 }, progress),
        start(team, { hashes: ["sm3"], from: between.port2 }, progress),
      ]);
      const [[sha256, crc32 = ""], [sm3]] = answers as unknown as [[string, string?], [string]];
      return { size: blob.size, sha256, sm3, crc32 };
    } catch (error) {
      if (!(error instanceof NoWorkers)) throw error;
      const digests = await digestBlob(blob, withChecksum);
      progress(2 * blob.size);
      return digests;
    } finally {
      // One that failed leaves the other waiting for ever.
      for (const worker of team) worker.terminate();
    }
  };
}

/** SHA-256 alone, beside other work. */
export async function sha256InWorker(blob: Blob): Promise<string> {
  const team: Worker[] = [];
  try {
    const task: Task = { hashes: ["sha256"], from: blob };
    if (blob.size >= SMALL_BYTES) return (await start(team, task, () => undefined))[0] as string;
  } catch (error) {
    if (!(error instanceof NoWorkers)) throw error;
  } finally {
    for (const worker of team) worker.terminate();
  }
  const running = await startHash("sha256");
  for await (const piece of piecesOf(blob)) running.update(piece);
  return running.finish();
}

class NoWorkers extends Error {}

/** Give the task to a worker more of the team. */
function start(team: Worker[], task: Task, progress: Progress): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    let worker: Worker;
    try {
      worker = new Worker(findAddress());
    } catch {
      reject(new NoWorkers());
      return;
    }
    team.push(worker);
    let hasStarted = false;
    worker.onerror = () => reject(hasStarted ? new Error("a worker ended") : new NoWorkers());
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      hasStarted = true;
      if (data.done !== undefined) progress(data.done);
      else if (data.digests !== undefined) resolve(data.digests);
      // The name says to the page whether it was the file's fault.
      else reject(new DOMException(data.error?.message, data.error?.name));
    };
    const send = (programs: Programs): void => {
      const job: Job = { ...task, programs };
      worker.postMessage(job, [task.from, task.to].filter((it) => it instanceof MessagePort));
    };
    programsOf(task.hashes).then(send).catch(reject);
  });
}

/** Where workers find this script: its own address on a site, a copy of its text in a file opened from disk. */
function findAddress(): string {
  if (own === null) throw new NoWorkers();
  address ??= own.src || URL.createObjectURL(new Blob([own.textContent ?? ""], { type: "text/javascript" }));
  return address;
}
