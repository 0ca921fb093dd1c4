/** The statement: what the depositor declares and signs (docs/spec/3-statement.md), and the entry that logs it. */

import { fromHex, toHex, utf8 } from "../bytes.js";
import { type Json, parseTyped, requireFields } from "../canonical.js";
import { sha256Hex } from "../crypto/hashing.js";
import { PublicKey } from "../crypto/keys.js";
import { Fault } from "../errors.js";
import { parseInstant } from "../instants.js";
import { leafHash } from "../merkle.js";
import { parseEnvelope, verifyEnvelope } from "./dsse.js";

const MAX_NAME = 400;
const CONTROL = /[\u0000-\u001f\u007f]/;

export interface Depositor {
  readonly name: string;
  readonly idScheme: string;
  readonly id: string;
}

/** A block named by chain, number and hash. */
export interface BlockReference {
  readonly chainId: number;
  /** Hex, as `hash`. */
  readonly genesisHash: string;
  readonly number: number;
  readonly hash: string;
}

export interface Statement {
  readonly publicKey: PublicKey;
  readonly commitment: Uint8Array;
  readonly depositor: Depositor;
  readonly operator: string | null;
  readonly claimedAt: string;
  readonly notBefore: BlockReference | null;
  readonly software: string;
}

/** The statement in an envelope, the signature checked by the key that the statement names. */
export function openStatement(data: Uint8Array): Statement {
  const envelope = parseEnvelope(data, "application/vnd.mizheng.statement.v1+json");
  const fields = parseTyped(envelope.payload, "mizheng/deposit/v1", {
    public_key: "string",
    commitment: "string",
    depositor: "object",
    operator: "string?",
    claimed_at: "string",
    not_before: "object?",
    software: "object",
    nonce: "string",
  });
  const software = requireFields(fields["software"], { name: "string", version: "string", digest: "string?" });
  if (software["digest"] !== null) fromHex(software["digest"], 32);
  fromHex(fields["nonce"], 16);
  parseInstant(fields["claimed_at"]);
  const statement = {
    publicKey: PublicKey.fromBase64(fields["public_key"]),
    commitment: fromHex(fields["commitment"], 32),
    depositor: parseDepositor(fields["depositor"]),
    operator: fields["operator"] as string | null,
    claimedAt: fields["claimed_at"] as string,
    notBefore: fields["not_before"] === null ? null : parseReference(fields["not_before"]),
    software: `${software["name"]} ${software["version"]}`,
  };
  verifyEnvelope(envelope, statement.publicKey);
  return statement;
}

export function parseDepositor(value: Json | undefined): Depositor {
  const fields = requireFields(value, { name: "string", id_scheme: "string", id: "string" });
  for (const text of Object.values(fields) as string[]) {
    if (text === "" || CONTROL.test(text)) {
      throw new Fault("a depositor's name or number that is empty or holds control characters");
    }
    // Counted in characters of Unicode, as the limit is.
    const size = [...text].length;
    if (size > MAX_NAME) throw new Fault("a depositor's name or number of {size} characters", { size });
  }
  return {
    name: fields["name"] as string,
    idScheme: fields["id_scheme"] as string,
    id: fields["id"] as string,
  };
}

export function isSameDepositor(left: Depositor, right: Depositor): boolean {
  return left.name === right.name && left.idScheme === right.idScheme && left.id === right.id;
}

function parseReference(value: Json | undefined): BlockReference {
  const fields = requireFields(value, { chain_id: "number", genesis_hash: "string", number: "number", hash: "string" });
  const [chainId, number] = [fields["chain_id"] as number, fields["number"] as number];
  if (chainId < 1 || number < 0) throw new Fault("a chain id or block number out of range");
  return {
    chainId,
    genesisHash: toHex(fromHex(fields["genesis_hash"], 32)),
    number,
    hash: toHex(fromHex(fields["hash"], 32)),
  };
}

/** Whether two blocks are of one chain and height; their hashes may differ. */
export function isAtSamePlace(left: BlockReference, right: BlockReference): boolean {
  return left.chainId === right.chainId && left.genesisHash === right.genesisHash && left.number === right.number;
}

export function isSameBlock(left: BlockReference, right: BlockReference): boolean {
  return isAtSamePlace(left, right) && left.hash === right.hash;
}

/** The log's leaf hash for an envelope's bytes (docs/spec/4-entry.md). */
export function entryLeaf(envelope: Uint8Array): Uint8Array {
  return leafHash(utf8(`mizheng/entry/v1\nsha256 ${sha256Hex(envelope)}\n`));
}
