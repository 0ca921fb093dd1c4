/** The trust file (docs/spec/9-trust.md): whom the reader of a report believes. It never comes out of a bundle. */

import { parse as parseToml } from "smol-toml";

import { decodeUtf8, fromHex, toHex, utf8 } from "./bytes.js";
import { type Json, type JsonObject, requireFields } from "./canonical.js";
import { parseValidators, type ValidatorSet } from "./consensus/validators.js";
import { sha256Hex } from "./crypto/hashing.js";
import { PublicKey, requireKeyid } from "./crypto/keys.js";
import { NoteKey } from "./documents/note.js";
import { Policy } from "./documents/policy.js";
import { Fault, LaterVersion } from "./errors.js";
import { parseInstant } from "./instants.js";
import { type Authority, parseAuthorities, parseRetired, parseCertifiers, type Retired } from "./timestamp/authority.js";

const FORMAT = "mizheng/trust/v1";
const MAX_TRUST_BYTES = 16 * 1024 * 1024;

interface Sizes {
  readonly firstSize: number;
  readonly lastSize: number | undefined;
}

export interface TrustedLog extends Sizes {
  readonly key: NoteKey;
}

export interface TrustedLogId extends Sizes {
  readonly origin: string;
  /** Hex. */
  readonly logId: string;
}

export interface TrustedChain {
  readonly name: string;
  readonly kind: string;
  readonly chainId: number;
  /** Hex, as all that follow. */
  readonly genesisHash: string;
  readonly contract: string;
  readonly codeHash: string;
  readonly logIds: readonly TrustedLogId[];
  /** Block number to hash. */
  readonly pins: ReadonlyMap<number, string>;
  readonly validators: readonly ValidatorSet[];
}

export interface NamedKey {
  readonly name: string;
  readonly key: PublicKey;
}

/** A program or page that was published. */
export interface Release {
  readonly name: string;
  /** Hex. */
  readonly sha256: string;
}

export interface Trust {
  readonly name: string;
  readonly issuedAt: string;
  readonly expiresAt: string;
  readonly logs: readonly TrustedLog[];
  readonly issuers: readonly NamedKey[];
  readonly observers: readonly NamedKey[];
  readonly observerQuorum: number;
  readonly chains: readonly TrustedChain[];
  readonly require: readonly string[];
  readonly revokedKeys: ReadonlySet<string>;
  readonly witnessPolicy: Policy | undefined;
  /** Of time stamps. */
  readonly authorities: readonly Authority[];
  /** Whose X.509 certificates name depositors. */
  readonly cas: readonly Authority[];
  readonly retiredHashes: Retired;
  readonly releases: readonly Release[];
  /** Who may have the evidence of a deposit, beside its depositor. */
  readonly custodians: readonly NamedKey[];
  /** Hex, of the file's bytes. */
  readonly sha256: string;
}

/** Whether a range of tree sizes holds this one. */
export function covers(range: Sizes, size: bigint | number): boolean {
  return range.firstSize <= size && (range.lastSize === undefined || size <= range.lastSize);
}

export function findKey(keys: readonly NamedKey[], key: PublicKey): NamedKey | undefined {
  return keys.find((each) => each.key.isSame(key));
}

export function findChain(trust: Trust, chainId: number, genesisHash: string): TrustedChain | undefined {
  return trust.chains.find((chain) => chain.chainId === chainId && chain.genesisHash === genesisHash);
}

/** Read a trust file; a fault says which part is wrong. */
export function parseTrust(file: string | Uint8Array): Trust {
  const data = typeof file === "string" ? utf8(file) : file;
  if (data.length > MAX_TRUST_BYTES) throw new Fault("a trust file of {size} bytes", { size: data.length });
  const value = readToml(data);
  if (value["format"] !== FORMAT) throw new LaterVersion("not a trust file of format {expected}", { expected: FORMAT });
  requireFields(
    value,
    { format: "string", name: "string", issued_at: "string", expires_at: "string", logs: "list", chains: "list" },
    {
      issuers: "list",
      observers: "object",
      require: "object",
      revoked_keys: "list",
      witness_policy: "string",
      tsas: "list",
      certifiers: "list",
      cas: "list",
      retired_hashes: "object",
      releases: "list",
      custodians: "list",
    },
  );
  if (parseInstant(value["issued_at"]) > parseInstant(value["expires_at"])) {
    throw new Fault("a trust file that expires before it is issued");
  }
  const observers = requireFields(value["observers"] ?? { quorum: 1, keys: [] }, { quorum: "number", keys: "list" });
  const quorum = observers["quorum"] as number;
  if (quorum < 1) throw new Fault("an observer quorum below one would believe nobody's word");
  const keys = listOf(observers["keys"]).map(parseNamedKey);
  if (new Set(keys.map(({ key }) => key.keyid)).size !== keys.length) {
    throw new Fault("an observer key that is listed twice would count twice");
  }
  const logs = listOf(value["logs"]).map(parseLog);
  // This verifier reads no PDF: the table is held to its form and to nothing else.
  parseCertifiers(listOf(value["certifiers"]));
  const required = requireFields(value["require"] ?? { checks: [] }, { checks: "list" });
  return {
    name: value["name"] as string,
    issuedAt: value["issued_at"] as string,
    expiresAt: value["expires_at"] as string,
    logs,
    issuers: listOf(value["issuers"]).map(parseNamedKey),
    observers: keys,
    observerQuorum: quorum,
    chains: parseChains(listOf(value["chains"])),
    require: listOf(required["checks"]).map(requireText),
    revokedKeys: new Set(listOf(value["revoked_keys"]).map(requireKeyid)),
    witnessPolicy: parsePolicy(value["witness_policy"], logs),
    authorities: parseAuthorities(listOf(value["tsas"])),
    cas: parseCertifiers(listOf(value["cas"])),
    retiredHashes: parseRetired((value["retired_hashes"] ?? {}) as JsonObject),
    releases: parseReleases(listOf(value["releases"])),
    custodians: listOf(value["custodians"]).map(parseNamedKey),
    sha256: sha256Hex(data),
  };
}

function readToml(data: Uint8Array): JsonObject {
  const text = decodeUtf8(data);
  try {
    if (text === undefined) throw new TypeError("not UTF-8");
    return plain(parseToml(text, { integersAsBigInt: true })) as JsonObject;
  } catch {
    throw new Fault("the trust file is not valid TOML");
  }
}

/** What TOML has beside JSON (dates, fractions, numbers too large) becomes something that no field may be. */
function plain(value: unknown): Json {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : null;
  }
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null || value instanceof Date) return null;
  const found = Object.create(null) as JsonObject;
  for (const [key, item] of Object.entries(value)) found[key] = plain(item);
  return found;
}

function listOf(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

function requireText(value: Json): string {
  if (typeof value !== "string") throw new Fault("expected a string");
  return value;
}

function parsePolicy(value: Json | undefined, logs: readonly TrustedLog[]): Policy | undefined {
  if (value === undefined) return undefined;
  const policy = new Policy(value as string);
  for (const witness of policy.witnesses.values()) {
    if (logs.some((log) => log.key.key.isSame(witness.key))) throw new Fault("a witness whose key is a log's own key");
  }
  return policy;
}

function parseSizes(fields: JsonObject): Sizes {
  return { firstSize: fields["first_size"] as number, lastSize: fields["last_size"] as number | undefined };
}

function parseLog(value: Json): TrustedLog {
  const fields = requireFields(value, { vkey: "string", first_size: "number" }, { last_size: "number" });
  return { key: NoteKey.parse(fields["vkey"], NoteKey.LOG), ...parseSizes(fields) };
}

function parseNamedKey(value: Json): NamedKey {
  const fields = requireFields(value, { name: "string", public_key: "string" });
  return { name: fields["name"] as string, key: PublicKey.fromBase64(fields["public_key"]) };
}

function parseChains(items: readonly Json[]): TrustedChain[] {
  const chains = items.map(parseChain);
  if (new Set(chains.map((chain) => `${chain.chainId} ${chain.genesisHash}`)).size !== chains.length) {
    throw new Fault("a chain that is listed twice: give it one table with several log_ids");
  }
  return chains;
}

function parseChain(value: Json): TrustedChain {
  const fields = requireFields(
    value,
    {
      name: "string",
      kind: "string",
      chain_id: "number",
      genesis_hash: "string",
      contract: "string",
      code_hash: "string",
      log_ids: "list",
    },
    { pins: "list", validators: "list" },
  );
  const pins = new Map<number, string>();
  for (const item of listOf(fields["pins"])) {
    const pin = requireFields(item, { number: "number", hash: "string" });
    const number = pin["number"] as number;
    if (pins.has(number)) throw new Fault("a block number that is pinned twice");
    pins.set(number, toHex(fromHex(pin["hash"], 32)));
  }
  return {
    name: fields["name"] as string,
    kind: fields["kind"] as string,
    chainId: fields["chain_id"] as number,
    genesisHash: toHex(fromHex(fields["genesis_hash"], 32)),
    contract: toHex(fromHex(fields["contract"], 20)),
    codeHash: toHex(fromHex(fields["code_hash"], 32)),
    logIds: listOf(fields["log_ids"]).map(parseLogId),
    pins,
    validators: parseValidators(listOf(fields["validators"])),
  };
}

function parseLogId(value: Json): TrustedLogId {
  const required = { origin: "string", log_id: "string", first_size: "number" } as const;
  const fields = requireFields(value, required, { last_size: "number" });
  return {
    origin: fields["origin"] as string,
    logId: toHex(fromHex(fields["log_id"], 32)),
    ...parseSizes(fields),
  };
}

function parseReleases(items: readonly Json[]): Release[] {
  return items.map((item) => {
    const fields = requireFields(item, { name: "string", sha256: "string" });
    return { name: fields["name"] as string, sha256: toHex(fromHex(fields["sha256"], 32)) };
  });
}
