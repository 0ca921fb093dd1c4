/** Anchors on chains whose headers nobody can hash here: the word of observers (docs/spec/13-foreign.md). */

import { fromBase64, fromHex, toHex } from "../bytes.js";
import { type Fields, type Json, type JsonObject, natural, parseTyped } from "../canonical.js";
import type { PublicKey } from "../crypto/keys.js";
import { Fault, LaterVersion } from "../errors.js";
import { parseInstant } from "../instants.js";
import { openSigned } from "./dsse.js";

export const MAX_FOREIGN_BYTES = 256 * 1024;
const MAX_OBSERVATIONS = 64;
const KINDS: readonly Json[] = ["fisco-bcos"];

const CLAIM: Fields = {
  kind: "string",
  chain_id: "number",
  genesis_hash: "string",
  contract: "string",
  code_hash: "string",
  log_id: "string",
  tree_size: "number",
  root_hash: "string",
  number: "number",
  hash: "string",
  block_time: "string",
};

export interface ForeignAnchor {
  readonly kind: string;
  readonly chainId: number;
  /** Hex, as all that follow. */
  readonly genesisHash: string;
  readonly contract: string;
  readonly codeHash: string;
  readonly logId: string;
  readonly treeSize: number;
  readonly rootHash: string;
  readonly number: number;
  /** All fields that observers sign, in one text. */
  readonly claim: string;
  readonly observations: readonly Uint8Array[];
}

export function parseForeign(data: Uint8Array): ForeignAnchor {
  const fields = parseTyped(
    data,
    "mizheng/foreign-anchor/v1",
    { ...CLAIM, observations: "list" },
    MAX_FOREIGN_BYTES,
  );
  const observations = fields["observations"] as Json[];
  if (observations.length > MAX_OBSERVATIONS) {
    throw new Fault("more observations than the {limit} allowed", { limit: MAX_OBSERVATIONS });
  }
  return { ...readClaim(fields), observations: observations.map(fromBase64) };
}

/** The observer who signed, if he says exactly what the anchor says. */
export function openForeignObservation(anchor: ForeignAnchor, envelope: Uint8Array): PublicKey {
  const { fields, signer } = openSigned(
    envelope,
    "mizheng/foreign-observation/v1",
    "application/vnd.mizheng.foreign-observation.v1+json",
    { ...CLAIM, rule: "string", observed_at: "string" },
  );
  parseInstant(fields["observed_at"]);
  if (readClaim(fields).claim !== anchor.claim) throw new Fault("an observation of something else than this anchor");
  return signer;
}

function readClaim(fields: JsonObject): Omit<ForeignAnchor, "observations"> {
  const kind = fields["kind"] as string;
  if (!KINDS.includes(kind)) {
    throw new LaterVersion("unsupported kind of chain {kind!r}", { kind: kind.slice(0, 32) });
  }
  parseInstant(fields["block_time"]);
  const hex = (name: string, length: number): string => toHex(fromHex(fields[name], length));
  return {
    kind,
    chainId: natural(fields["chain_id"], 1),
    genesisHash: hex("genesis_hash", 32),
    contract: hex("contract", 20),
    codeHash: hex("code_hash", 32),
    logId: hex("log_id", 32),
    treeSize: natural(fields["tree_size"], 1),
    rootHash: hex("root_hash", 32),
    number: natural(fields["number"]),
    claim: JSON.stringify(Object.keys(CLAIM).map((name) => [name, name === "hash" ? hex(name, 32) : fields[name]])),
  };
}
