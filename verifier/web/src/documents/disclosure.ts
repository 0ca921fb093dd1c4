/** Disclosures: to whom and for what records were opened (docs/spec/8-bundle.md, "Disclosure"). */

import { fromHex, toHex } from "../bytes.js";
import type { Json } from "../canonical.js";
import type { PublicKey } from "../crypto/keys.js";
import { Fault } from "../errors.js";
import { parseInstant } from "../instants.js";
import { MAX_MEMORY_BYTES } from "../zip/archive.js";
import { openSigned } from "./dsse.js";
import { requireText } from "./event.js";

export interface Disclosure {
  readonly publicKey: PublicKey;
  readonly envelopeSha256: string;
  readonly recipient: string;
  readonly purpose: string | null;
  /** Leaf hashes of the opened records, hex, ascending. */
  readonly records: readonly string[];
  /** Those of `records` whose files are handed over as well. */
  readonly originals: readonly string[];
  readonly createdAt: string;
}

/** The disclosure, signed by the key that it names. */
export function openDisclosure(data: Uint8Array): Disclosure {
  const { fields, signer } = openSigned(
    data,
    "mizheng/disclosure/v1",
    "application/vnd.mizheng.disclosure.v1+json",
    {
      envelope_sha256: "string",
      recipient: "string",
      purpose: "string?",
      records: "list",
      originals: "list",
      created_at: "string",
      nonce: "string",
    },
    { keyField: "public_key", maxBytes: MAX_MEMORY_BYTES },
  );
  fromHex(fields["envelope_sha256"], 32);
  parseInstant(fields["created_at"]);
  const [records, originals] = [readLeaves(fields["records"] as Json[]), readLeaves(fields["originals"] as Json[])];
  const opened = new Set(records);
  if (!originals.every((leaf) => opened.has(leaf))) {
    throw new Fault("a disclosure that hands over the file of a record it does not open");
  }
  fromHex(fields["nonce"], 32);
  return {
    publicKey: signer,
    envelopeSha256: fields["envelope_sha256"] as string,
    recipient: requireText(fields["recipient"]) as string,
    purpose: requireText(fields["purpose"]),
    records,
    originals,
    createdAt: fields["created_at"] as string,
  };
}

function readLeaves(values: readonly Json[]): string[] {
  const leaves = values.map((value) => toHex(fromHex(value, 32)));
  if (leaves.some((leaf, place) => place > 0 && (leaves[place - 1] as string) >= leaf)) {
    throw new Fault("records of a disclosure that are not in ascending order, each once");
  }
  return leaves;
}
