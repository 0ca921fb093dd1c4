/** What the checks share: the bundle, the trust, what came from outside, and what was found so far. */

import type { Bundle } from "../documents/bundle.js";
import type { TlogProof } from "../documents/checkpoint.js";
import type { ParsedRecord } from "../documents/record.js";
import type { BlockReference, Statement } from "../documents/statement.js";
import type { CustodyLine, Findings, ProvenTime } from "../report.js";
import type { NamedKey, Trust } from "../trust.js";

/** What a file record says of content. */
export interface FileDigests {
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly sm3: string;
}

/** A file that was laid beside the bundle. */
export interface Original {
  readonly name: string;
  readonly digests: FileDigests;
}

/** A checkpoint of the bundle in which the statement's entry was found. */
export interface Head {
  readonly member: string;
  readonly proof: TlogProof;
  /** Signed by a trusted log key that covers its size. */
  readonly isTrusted: boolean;
}

/** A block that the chain's own validators, whom the trust file names, stand for. */
export interface ProvenBlock {
  readonly block: BlockReference;
  readonly by: string;
}

export interface OpenedRecord {
  readonly member: string;
  readonly record: ParsedRecord;
}

export interface Context {
  readonly bundle: Bundle;
  readonly trust: Trust | undefined;
  readonly findings: Findings;
  readonly statement: Statement;
  readonly envelope: Uint8Array;
  readonly envelopeSha256: string;
  readonly originals: readonly Original[];
  /** Seconds since 1970. */
  readonly now: number | undefined;
  /** Digests of a member that is an original; computed once, and a fault if it does not unpack. */
  readonly digestMember: (name: string) => Promise<FileDigests>;
  readonly proven: ProvenBlock[];
  readonly records: OpenedRecord[];
  readonly heads: Head[];
  /** Events of the evidence's custody, up to the first that does not hold. */
  readonly custody: CustodyLine[];
  readonly latest: ProvenTime[];
  /** Tree sizes of the heads that an anchor in a canonical block holds. */
  readonly anchoredSizes: Set<bigint>;
  earliest: ProvenTime | undefined;
  isTrial: boolean;
  isEnrolled: boolean;
  /** Who enrolled the depositor's key, where the trust file knows him. */
  issuer: NamedKey | undefined;
}
