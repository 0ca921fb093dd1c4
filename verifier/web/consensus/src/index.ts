/**
 * Evidence `mizheng/validator-seals/v1`: the second verifier, as verifier/consensus/seals.py.
 *
 * 1. form  2. block  3. seals  4. validators  5. quorum. Up to 3 what is wrong is a failure; from 4 on the evidence
 * is held against the trust file, and what does not fit leaves the check open.
 */

import * as bft from "./bft.js";
import { fromHex, isEqual, limitedHex, toHex } from "./bytes.js";
import { type Json, natural, parseTyped, requireFields } from "./canonical.js";
import * as clique from "./clique.js";
import { Fault, OpenQuestion, type Values } from "./errors.js";
import { MAX_SEALED_HEADER_BYTES, parseSealed, type SealedHeader } from "./sealed.js";
import { findSet, isKind, type Kind, MAX_VALIDATORS, parseValidators, type ValidatorSet } from "./validators.js";

export const CODE = "anchor.seals";
const TYPE = "mizheng/validator-seals/v1";
const CHAIN_KINDS: readonly Json[] = ["ethereum", "clique", "ibft2", "qbft", "trial"];
const MAX_HEADERS = 2 * MAX_VALIDATORS;
const MAX_BYTES = 512 * 1024;

/** What a report says of one member: the check's status, a message id of the catalogue, and its values. */
export interface Answer {
  readonly code: typeof CODE;
  readonly outcome: "PASS" | "FAIL" | "NOT_CHECKED";
  readonly message: string;
  readonly values: Values;
}

interface Evidence {
  readonly kind: Kind;
  readonly number: number;
  readonly hash: Uint8Array;
  readonly headers: readonly Uint8Array[];
}

/** Judge a member `seals/NNNN.json` by a trust file's rows `[[chains.validators]]` of its chain. */
export function verifySeals(data: Uint8Array, validators: readonly Json[]): Answer {
  try {
    const evidence = parseSeals(data);
    const headers = readSeals(evidence);
    return { code: CODE, outcome: "PASS", ...judgeSeals(evidence, headers, parseValidators(validators)) };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const outcome = error instanceof OpenQuestion ? "NOT_CHECKED" : "FAIL";
    return { code: CODE, outcome, message: error.id, values: error.values };
  }
}

function parseSeals(data: Uint8Array): Evidence {
  const fields = parseTyped(
    data,
    TYPE,
    { chain: "object", kind: "string", number: "number", hash: "string", headers: "list" },
    MAX_BYTES,
  );
  const kind = fields["kind"];
  if (!isKind(kind)) {
    throw new OpenQuestion("unsupported kind of validators {kind!r}", { kind: String(kind).slice(0, 32) });
  }
  const headers = fields["headers"] as Json[];
  const limit = kind === "clique" ? MAX_HEADERS : 1;
  if (headers.length < 1 || headers.length > limit) {
    throw new Fault("{count} headers, where 1 to {limit} belong", { count: headers.length, limit });
  }
  requireChain(fields["chain"]);
  return {
    kind,
    number: natural(fields["number"]),
    hash: fromHex(fields["hash"], 32),
    headers: headers.map((header) => limitedHex(header, MAX_SEALED_HEADER_BYTES)),
  };
}

/** Whether it is the trust file's chain is for whoever chose the validators to judge by. */
function requireChain(value: Json | undefined): void {
  const fields = requireFields(value, { kind: "string", chain_id: "number", genesis_hash: "string" });
  const kind = fields["kind"] as string;
  if (!CHAIN_KINDS.includes(kind)) {
    throw new OpenQuestion("unsupported kind of chain {kind!r}", { kind: kind.slice(0, 32) });
  }
  natural(fields["chain_id"], 1);
  fromHex(fields["genesis_hash"], 32);
}

function readSeals(evidence: Evidence): readonly SealedHeader[] {
  const headers = evidence.headers.map((header) => parseSealed(evidence.kind, header));
  const first = headers[0] as SealedHeader;
  if (!isEqual(first.header.hash, evidence.hash)) {
    throw new Fault("the header has the hash {found}, not {named}", {
      found: toHex(first.header.hash),
      named: toHex(evidence.hash),
    });
  }
  if (first.header.number !== BigInt(evidence.number)) {
    throw new Fault("the header is that of block {found}, not {named}", {
      found: first.header.number.toString(),
      named: evidence.number,
    });
  }
  if (evidence.kind === "clique") clique.checkHeaders(headers);
  else bft.checkHeader(first);
  return headers;
}

function judgeSeals(
  evidence: Evidence,
  headers: readonly SealedHeader[],
  sets: readonly ValidatorSet[],
): { readonly message: string; readonly values: Values } {
  const trusted = findSet(sets, evidence.kind, evidence.number);
  const sealed =
    evidence.kind === "clique"
      ? clique.judgeHeaders(headers, trusted, sets)
      : bft.judgeHeader(headers[0] as SealedHeader, trusted);
  const of = trusted.members.size;
  if (sealed.size < trusted.needed) {
    throw new OpenQuestion("{count} of {of} validators of the trust file sealed, {needed} are needed", {
      count: sealed.size,
      of,
      needed: trusted.needed,
    });
  }
  const names = [...trusted.members].filter(([address]) => sealed.has(address)).map(([, name]) => name);
  return {
    message: "block {number}, sealed by {by}; {needed} are needed",
    values: {
      number: evidence.number,
      by: `${names.join(", ")} (${sealed.size}/${of})`,
      needed: trusted.needed,
      hash: toHex(evidence.hash),
    },
  };
}
