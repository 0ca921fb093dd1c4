/**
 * The second verifier, for programs: tests and anybody's scripts ask it through Node.js, the page through `verify`.
 *
 * `verifyBundle` answers with the same JSON as `mizheng verify --json` (docs/spec/10-verdict.md).
 */

import { ready } from "./crypto/hashing.js";
import { digestBlob } from "./digests.js";
import { Fault } from "./errors.js";
import { parseInstant } from "./instants.js";
import { fill, toJson } from "./report.js";
import { parseTrust } from "./trust.js";
import { verify } from "./verify.js";

export { type Answer, verifySeals } from "./consensus/seals.js";
export { ready } from "./crypto/hashing.js";
export { digestBlob } from "./digests.js";

export interface BundleOptions {
  /** The present time, `2026-11-23T02:00:00Z`; without it nothing says whether the trust file has expired. */
  readonly now?: string | null;
  /** Files laid beside the bundle, by name. */
  readonly originals?: Readonly<Record<string, Uint8Array>>;
}

/** A trust file that cannot be used is no finding: it is an error of whoever gave it. */
export class TrustError extends Error {}

/** Check a bundle against the text of a trust file. Any bundle whatever gives a report. */
export async function verifyBundle(
  bundle: Uint8Array | Blob,
  trustToml: string | null,
  options: BundleOptions = {},
): Promise<Record<string, unknown>> {
  await ready();
  let trust: ReturnType<typeof parseTrust> | undefined;
  try {
    trust = trustToml === null ? undefined : parseTrust(trustToml);
  } catch (error) {
    throw error instanceof Fault ? new TrustError(fill(error.id, error.values)) : error;
  }
  const originals = await Promise.all(
    Object.entries(options.originals ?? {}).map(async ([name, data]) => ({
      name,
      digests: await digestBlob(new Blob([data as Uint8Array<ArrayBuffer>]), false),
    })),
  );
  const now = options.now == null ? undefined : parseInstant(options.now);
  return toJson(await verify(bundle, trust, { now, originals }));
}
