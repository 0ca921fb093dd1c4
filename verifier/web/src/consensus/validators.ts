/** The validators of a chain, as a trust file names them; as verifier/consensus/validators.py. */

import { fromHex, toHex } from "../bytes.js";
import { type Json, natural, requireFields } from "../canonical.js";
import { Fault, OpenQuestion } from "../errors.js";

export const KINDS = ["clique", "ibft2", "qbft"] as const;
export type Kind = (typeof KINDS)[number];
export const MAX_VALIDATORS = 128;

export interface ValidatorSet {
  readonly kind: Kind;
  readonly fromBlock: number;
  readonly toBlock: number | undefined;
  /** How many of them must have sealed. */
  readonly needed: number;
  /** Address in hex to what its holder is called, in the order of the trust file. */
  readonly members: ReadonlyMap<string, string>;
}

/** How many of `count` validators the consensus asks for. */
export function computeQuorum(kind: Kind, count: number): number {
  return kind === "clique" ? Math.floor(count / 2) + 1 : Math.ceil((2 * count) / 3);
}

export function isKind(text: Json | undefined): text is Kind {
  return KINDS.some((kind) => kind === text);
}

/** The set whose range holds this block. */
export function findSet(sets: readonly ValidatorSet[], kind: Kind, number: number): ValidatorSet {
  const found = sets.find((each) => covers(each, number) && each.kind === kind);
  if (found) return found;
  throw new OpenQuestion("the trust file names no validators of kind {kind} for block {number}", { kind, number });
}

/** Return if a header that lists these addresses lists none or just the trusted ones. */
export function requireList(trusted: ValidatorSet, listed: readonly string[]): void {
  const addresses = new Set(listed);
  const isSame = addresses.size === trusted.members.size && listed.every((each) => trusted.members.has(each));
  if (listed.length > 0 && !isSame) {
    throw new OpenQuestion("the header lists other validators than the trust file names for this block");
  }
}

/** Read the sets of one chain, as the trust file's `[[chains.validators]]` have them. */
export function parseValidators(items: readonly Json[]): ValidatorSet[] {
  const sets = items.map(parseSet).sort((left, right) => left.fromBlock - right.fromBlock);
  sets.forEach((later, place) => {
    const earlier = sets[place - 1];
    if (earlier && covers(earlier, later.fromBlock)) {
      throw new Fault("two sets of validators for block {number}", { number: later.fromBlock });
    }
  });
  return sets;
}

function covers(each: ValidatorSet, number: number): boolean {
  return each.fromBlock <= number && (each.toBlock === undefined || number <= each.toBlock);
}

function parseSet(item: Json): ValidatorSet {
  const fields = requireFields(
    item,
    { kind: "string", from_block: "number", members: "list" },
    { to_block: "number", quorum: "number" },
  );
  const kind = fields["kind"];
  if (!isKind(kind)) {
    throw new OpenQuestion("unsupported kind of validators {kind!r}", { kind: String(kind).slice(0, 32) });
  }
  const rows = (fields["members"] as Json[]).map(parseMember);
  if (rows.length === 0) throw new Fault("a set of validators without members");
  if (rows.length > MAX_VALIDATORS) {
    throw new Fault("{count} validators, more than the {limit} allowed", { count: rows.length, limit: MAX_VALIDATORS });
  }
  const members = new Map(rows);
  if (members.size !== rows.length) throw new Fault("a validator that is listed twice would count twice");
  const fromBlock = natural(fields["from_block"]);
  const toBlock = fields["to_block"] === undefined ? undefined : natural(fields["to_block"]);
  if (toBlock !== undefined && toBlock < fromBlock) throw new Fault("a range of blocks that ends before it begins");
  const least = computeQuorum(kind, rows.length);
  const quorum = fields["quorum"];
  if (typeof quorum === "number" && (quorum < least || quorum > rows.length)) {
    throw new Fault("a quorum of {quorum} of {count} validators, which must be at least {least}", {
      quorum,
      count: rows.length,
      least,
    });
  }
  return { kind, fromBlock, toBlock, needed: typeof quorum === "number" ? quorum : least, members };
}

function parseMember(item: Json): [string, string] {
  const fields = requireFields(item, { name: "string", address: "string" });
  const address = fromHex(fields["address"], 20);
  if (address.every((byte) => byte === 0)) throw new Fault("a validator with the address zero");
  return [toHex(address), String(fields["name"])];
}
