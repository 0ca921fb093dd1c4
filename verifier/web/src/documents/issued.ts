/** What others than the depositor sign: enrolments and key status by an issuer, observations by an observer. */

import { fromHex, toHex } from "../bytes.js";
import { type Json, natural, requireFields } from "../canonical.js";
import { PublicKey, requireKeyid } from "../crypto/keys.js";
import { Fault } from "../errors.js";
import { parseInstant } from "../instants.js";
import { openSigned } from "./dsse.js";
import { requireText } from "./event.js";
import { type BlockReference, type Depositor, parseDepositor } from "./statement.js";

const RULE = /^[a-z]{1,32}(?::[1-9][0-9]{0,9})?$/;

export interface Enrolment {
  readonly signer: PublicKey;
  readonly publicKey: PublicKey;
  readonly depositor: Depositor;
  readonly method: string;
  readonly authenticatedAt: string;
}

export function openEnrolment(data: Uint8Array): Enrolment {
  const { fields, signer } = openSigned(
    data,
    "mizheng/enrolment/v1",
    "application/vnd.mizheng.enrolment.v1+json",
    { public_key: "string", depositor: "object", method: "string", authenticated_at: "string", replaces: "string?" },
  );
  parseInstant(fields["authenticated_at"]);
  if (fields["replaces"] !== null) requireKeyid(fields["replaces"]);
  return {
    signer,
    publicKey: PublicKey.fromBase64(fields["public_key"]),
    depositor: parseDepositor(fields["depositor"]),
    method: fields["method"] as string,
    authenticatedAt: fields["authenticated_at"] as string,
  };
}

export interface KeyStatus {
  readonly signer: PublicKey;
  readonly keyid: string;
  readonly revokedIndex: number | null;
  readonly asOfSize: number;
}

export function openKeyStatus(data: Uint8Array): KeyStatus {
  const { fields, signer } = openSigned(
    data,
    "mizheng/key-status/v1",
    "application/vnd.mizheng.key-status.v1+json",
    { keyid: "string", revoked_index: "number?", as_of_size: "number" },
  );
  const revokedIndex = fields["revoked_index"] as number | null;
  const asOfSize = fields["as_of_size"] as number;
  if (asOfSize < 0 || (revokedIndex !== null && (revokedIndex < 0 || revokedIndex >= asOfSize))) {
    throw new Fault("a key status whose revocation lies outside the log it speaks of");
  }
  return { signer, keyid: requireKeyid(fields["keyid"]), revokedIndex, asOfSize };
}

export interface Observation {
  readonly signer: PublicKey;
  readonly block: BlockReference;
  readonly rule: string;
  readonly observedAt: string;
}

export function openObservation(data: Uint8Array): Observation {
  const { fields, signer } = openSigned(
    data,
    "mizheng/observation/v1",
    "application/vnd.mizheng.observation.v1+json",
    {
      chain_id: "number",
      genesis_hash: "string",
      number: "number",
      hash: "string",
      rule: "string",
      observed_at: "string",
    },
  );
  const rule = fields["rule"] as string;
  if (!RULE.test(rule)) {
    throw new Fault("an observation under a rule that is not a word or a word and a number");
  }
  parseInstant(fields["observed_at"]);
  const block = {
    chainId: natural(fields["chain_id"], 1),
    genesisHash: toHex(fromHex(fields["genesis_hash"], 32)),
    number: natural(fields["number"]),
    hash: toHex(fromHex(fields["hash"], 32)),
  };
  return { signer, block, rule, observedAt: fields["observed_at"] as string };
}

const ABOUT = ["filing", "protection", "cryptography", "nodes", "keys", "shareholding", "administration", "other"];
const MAX_FACTS = 100;

export interface PlatformFacts {
  readonly signer: PublicKey;
  readonly operator: string;
  readonly statedAt: string;
  readonly facts: readonly { readonly about: string; readonly told: string; readonly hasExpired: boolean }[];
}

/** What the platform says of itself; `now` tells what has run out. */
export function openPlatform(data: Uint8Array, now: number | undefined): PlatformFacts {
  const { fields, signer } = openSigned(
    data,
    "mizheng/platform/v1",
    "application/vnd.mizheng.platform.v1+json",
    { operator: "string", stated_at: "string", facts: "list" },
  );
  parseInstant(fields["stated_at"]);
  const facts = fields["facts"] as Json[];
  if (facts.length === 0 || facts.length > MAX_FACTS) {
    throw new Fault("a platform that states nothing of itself, or too much");
  }
  return {
    signer,
    facts: facts.map((fact) => readFact(fact, now)),
    operator: requireText(fields["operator"]) as string,
    statedAt: fields["stated_at"] as string,
  };
}

function readFact(value: Json, now: number | undefined): PlatformFacts["facts"][number] {
  const fact = requireFields(value, { about: "string", text: "string", expires_at: "string?", sha256: "string?" });
  const about = fact["about"] as string;
  if (!ABOUT.includes(about)) throw new Fault("a fact about something that no platform states");
  const text = requireText(fact["text"]);
  const [end, sha256] = [fact["expires_at"], fact["sha256"]];
  const hasExpired = end !== null && parseInstant(end) <= (now ?? -Infinity);
  if (sha256 !== null) fromHex(sha256, 32);
  const until = end === null ? "" : hasExpired ? ` (EXPIRED ${end as string})` : ` (until ${end as string})`;
  return { about, hasExpired, told: `${about}: ${text}${until}${sha256 === null ? "" : ` [SHA-256 ${sha256 as string}]`}` };
}
