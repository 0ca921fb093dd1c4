/** Block headers that carry their validators' seals, taken apart; as verifier/consensus/sealed.py. */

import { isEqual, fromHex, toHex } from "../bytes.js";
import { keccak256 } from "../crypto/hashing.js";
import { Fault } from "../errors.js";
import { BASE_FIELDS, type Header, parseHeader } from "../evm/header.js";
import * as rlp from "../evm/rlp.js";
import { recoverAddress } from "./secp256k1.js";
import { type Kind, MAX_VALIDATORS } from "./validators.js";

export const MAX_SEALED_HEADER_BYTES = 12 * 1024;
const BFT_DIGEST = fromHex("63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365");
const VANITY_BYTES = 32;
const SEAL_BYTES = 65;
const DIFFICULTY = 7;
const EXTRA_DATA = 12;
const MIX_HASH = 13;
const NONE = new Uint8Array();

export interface SealedHeader {
  /** Its hash is the block's. */
  readonly header: Header;
  /** The validators' addresses as the header itself lists them; none in most clique headers. */
  readonly listed: readonly string[];
  /** Whose seals it carries, in their order; one for clique. */
  readonly signers: readonly string[];
  readonly difficulty: bigint;
}

/** Read a header as a node shows it and recover who sealed it. */
export function parseSealed(kind: Kind, data: Uint8Array): SealedHeader {
  const items = rlp.asList(rlp.decode(data, MAX_SEALED_HEADER_BYTES));
  if (items.length < BASE_FIELDS) throw new Fault("a header with {count} fields", { count: items.length });
  const extra = rlp.asBytes(items[EXTRA_DATA]);
  return kind === "clique" ? parseClique(data, items, extra) : parseBft(kind, items, extra);
}

function parseClique(data: Uint8Array, items: readonly rlp.Item[], extra: Uint8Array): SealedHeader {
  const cut = Math.max(extra.length - SEAL_BYTES, 0);
  const signed = extra.subarray(0, cut);
  const rest = signed.subarray(VANITY_BYTES);
  if (extra.length < VANITY_BYTES + SEAL_BYTES || rest.length % 20 !== 0) {
    throw new Fault("extraData that is not clique's");
  }
  const listed: string[] = [];
  for (let at = 0; at < rest.length; at += 20) listed.push(toHex(rest.subarray(at, at + 20)));
  requireFew(listed.length);
  // EIP-225: in an epoch block in ascending order, so each of them once.
  if (listed.some((address, place) => place > 0 && (listed[place - 1] as string) >= address)) {
    throw new Fault("a clique header whose list of signers is not in order");
  }
  const digest = keccak256(rlp.encode(withExtra(items, signed)));
  const header = parseHeader(data);
  const signers = [recoverAddress(digest, extra.subarray(cut))];
  return { header, listed, signers, difficulty: rlp.asInt(items[DIFFICULTY], 32) };
}

function parseBft(kind: Kind, items: readonly rlp.Item[], extra: Uint8Array): SealedHeader {
  const mixHash = items[MIX_HASH];
  if (!(mixHash instanceof Uint8Array) || !isEqual(mixHash, BFT_DIGEST)) {
    throw new Fault("a header whose mixHash is not that of BFT consensus");
  }
  const [vanity, validators, vote, round, seals] = rlp.asList(rlp.decode(extra, MAX_SEALED_HEADER_BYTES), 5);
  rlp.asBytes(vanity, VANITY_BYTES);
  const listed = rlp.asList(validators).map((address) => toHex(rlp.asBytes(address, 20)));
  const signatures = rlp.asList(seals).map((seal) => rlp.asBytes(seal, SEAL_BYTES));
  requireFew(listed.length);
  requireFew(signatures.length);
  const kept = [vanity as rlp.Item, validators as rlp.Item, vote as rlp.Item];
  let hashed: rlp.Item[];
  let signed: rlp.Item[];
  if (kind === "ibft2") {
    [hashed, signed] = [kept, [...kept, rlp.asBytes(round, 4)]];
  } else {
    rlp.asInt(round, 4);
    [hashed, signed] = [
      [...kept, NONE, []],
      [...kept, round as rlp.Item, []],
    ];
  }
  const header = parseHeader(rlp.encode(withExtra(items, rlp.encode(hashed))));
  const digest = keccak256(rlp.encode(withExtra(items, rlp.encode(signed))));
  const signers = signatures.map((seal) => recoverAddress(digest, seal));
  return { header, listed, signers, difficulty: rlp.asInt(items[DIFFICULTY], 32) };
}

function withExtra(items: readonly rlp.Item[], extra: Uint8Array): rlp.Item {
  return items.map((item, place) => (place === EXTRA_DATA ? extra : item));
}

function requireFew(count: number): void {
  if (count > MAX_VALIDATORS) {
    throw new Fault("{count} validators, more than the {limit} allowed", { count, limit: MAX_VALIDATORS });
  }
}
