/**
 * Evidence `mizheng/validator-seals/v1` (docs/spec/12-seals.md).
 *
 * 1. form  2. block  3. seals  4. validators  5. quorum. Up to 3 what is wrong is a failure; from 4 on the evidence
 * is held against the trust file, and what does not fit leaves the check open.
 */

import { fromHex, limitedHex, toHex } from "../bytes.js";
import { type Json, natural, parseTyped } from "../canonical.js";
import { Fault, LaterVersion, OpenQuestion, type Values } from "../errors.js";
import { type Chain, parseChain, requireNamed } from "../evm/block.js";
import * as bft from "./bft.js";
import * as clique from "./clique.js";
import { MAX_SEALED_HEADER_BYTES, parseSealed, type SealedHeader } from "./sealed.js";
import { findSet, isKind, type Kind, MAX_VALIDATORS, parseValidators, type ValidatorSet } from "./validators.js";

export const CODE = "anchor.seals";
export const MAX_BYTES = 512 * 1024;
const TYPE = "mizheng/validator-seals/v1";
const MAX_HEADERS = 2 * MAX_VALIDATORS;

/** What a report says of one member: the check's status, a message id of the catalogue, and its values. */
export interface Answer {
  readonly code: typeof CODE;
  readonly outcome: "PASS" | "FAIL" | "NOT_CHECKED";
  readonly message: string;
  readonly values: Values;
}

/** Evidence that holds up by itself: steps 1 to 3. */
export interface Seals {
  readonly chain: Chain;
  readonly kind: Kind;
  readonly number: number;
  /** Hex. */
  readonly hash: string;
  readonly headers: readonly SealedHeader[];
}

/** Who of the trust file's validators sealed: steps 4 and 5. */
export interface Sealers {
  /** For people: names, and how many of how many. */
  readonly who: string;
  readonly needed: number;
}

/** Judge a member by a trust file's rows `[[chains.validators]]`, whatever chain it is of. */
export function verifySeals(data: Uint8Array, validators: readonly Json[]): Answer {
  try {
    const seals = readSeals(data);
    const sealers = judgeSeals(seals, parseValidators(validators));
    const values = { number: seals.number, by: sealers.who, needed: sealers.needed, hash: seals.hash };
    return { code: CODE, outcome: "PASS", message: "block {number}, sealed by {by}; {needed} are needed", values };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const outcome = error instanceof OpenQuestion ? "NOT_CHECKED" : "FAIL";
    return { code: CODE, outcome, message: error.id, values: error.values };
  }
}

export function readSeals(data: Uint8Array): Seals {
  const required = { chain: "object", kind: "string", number: "number", hash: "string", headers: "list" } as const;
  const fields = parseTyped(data, TYPE, required, MAX_BYTES);
  const kind = fields["kind"];
  if (!isKind(kind)) {
    throw new LaterVersion("unsupported kind of validators {kind!r}", { kind: String(kind).slice(0, 32) });
  }
  const shown = fields["headers"] as Json[];
  const limit = kind === "clique" ? MAX_HEADERS : 1;
  if (shown.length < 1 || shown.length > limit) {
    throw new Fault("{count} headers, where 1 to {limit} belong", { count: shown.length, limit });
  }
  const chain = parseChain(fields["chain"]);
  const number = natural(fields["number"]);
  const hash = toHex(fromHex(fields["hash"], 32));
  const headers = shown
    .map((header) => limitedHex(header, MAX_SEALED_HEADER_BYTES))
    .map((header) => parseSealed(kind, header));
  const first = headers[0] as SealedHeader;
  requireNamed(first.header, number, hash);
  if (kind === "clique") clique.checkHeaders(headers);
  else bft.checkHeader(first);
  return { chain, kind, number, hash, headers };
}

export function judgeSeals(seals: Seals, sets: readonly ValidatorSet[]): Sealers {
  const trusted = findSet(sets, seals.kind, seals.number);
  const sealed =
    seals.kind === "clique"
      ? clique.judgeHeaders(seals.headers, trusted, sets)
      : bft.judgeHeader(seals.headers[0] as SealedHeader, trusted);
  const of = trusted.members.size;
  if (sealed.size < trusted.needed) {
    throw new OpenQuestion("{count} of {of} validators of the trust file sealed, {needed} are needed", {
      count: sealed.size,
      of,
      needed: trusted.needed,
    });
  }
  const names = [...trusted.members].filter(([address]) => sealed.has(address)).map(([, name]) => name);
  return { who: `${names.join(", ")} (${sealed.size}/${of})`, needed: trusted.needed };
}
