/** A chain's name and one of its blocks, as anchors, beacons and seals carry them (docs/spec/7-anchor.md). */

import { fromHex, limitedHex, toHex } from "../bytes.js";
import { type Json, natural, requireFields } from "../canonical.js";
import { Fault, LaterVersion } from "../errors.js";
import { type Header, MAX_HEADER_BYTES, parseHeader } from "./header.js";

const CHAIN_KINDS: readonly Json[] = ["ethereum", "clique", "ibft2", "qbft", "trial"];

/** Which chain. Nothing in a block proves this: it is compared with the trust file. */
export interface Chain {
  readonly kind: string;
  readonly chainId: number;
  /** Hex. */
  readonly genesisHash: string;
}

/** What evidence says of a block. */
export interface Block {
  readonly number: number;
  /** Hex. */
  readonly hash: string;
  readonly header: Uint8Array;
}

export function parseChain(value: Json | undefined, kinds = CHAIN_KINDS): Chain {
  const fields = requireFields(value, { kind: "string", chain_id: "number", genesis_hash: "string" });
  const kind = fields["kind"] as string;
  if (!kinds.includes(kind)) {
    throw new LaterVersion("unsupported kind of chain {kind!r}", { kind: kind.slice(0, 32) });
  }
  return { kind, chainId: natural(fields["chain_id"], 1), genesisHash: toHex(fromHex(fields["genesis_hash"], 32)) };
}

export function parseBlock(value: Json | undefined): Block {
  const fields = requireFields(value, { number: "number", hash: "string", header: "string" });
  return {
    header: limitedHex(fields["header"], MAX_HEADER_BYTES),
    number: natural(fields["number"]),
    hash: toHex(fromHex(fields["hash"], 32)),
  };
}

export function isSameBlockData(left: Block, right: Block): boolean {
  return left.number === right.number && left.hash === right.hash && toHex(left.header) === toHex(right.header);
}

/** The header, if hash and number are its own. It says nothing of whether the chain has it. */
export function verifyBlock(block: Block): Header {
  const header = parseHeader(block.header);
  requireNamed(header, block.number, block.hash);
  return header;
}

/** Return if the header has this number and hash (hex). */
export function requireNamed(header: Header, number: number, hash: string): void {
  const found = toHex(header.hash);
  if (found !== hash) throw new Fault("the header has the hash {found}, not {named}", { found, named: hash });
  if (header.number !== BigInt(number)) {
    throw new Fault("the header is that of block {found}, not {named}", {
      found: header.number.toString(),
      named: number,
    });
  }
}
