/** Disclosures: to whom and for what records were opened, and the event that put that on record (docs/spec §8, §4). */

import { fromHex, toHex, WHITE_SPACE } from "../bytes.js";
import type { Json } from "../canonical.js";
import { sha256Hex } from "../crypto/hashing.js";
import type { PublicKey } from "../crypto/keys.js";
import { Fault } from "../errors.js";
import { parseInstant } from "../instants.js";
import { MAX_MEMORY_BYTES } from "../zip/archive.js";
import { parseTlogProof, type TlogProof, verifyProof } from "./checkpoint.js";
import { openSigned } from "./dsse.js";
import { entryLeaf } from "./statement.js";

const MAX_TEXT = 1000;
const CONTROL = /[\u0000-\u001f\u007f]/;
const BLANK = new RegExp(`^[${WHITE_SPACE}]*$`);

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
  const purpose = fields["purpose"] as string | null;
  fromHex(fields["nonce"], 32);
  return {
    publicKey: signer,
    envelopeSha256: fields["envelope_sha256"] as string,
    recipient: requireText(fields["recipient"] as string),
    purpose: purpose === null ? null : requireText(purpose),
    records,
    originals,
    createdAt: fields["created_at"] as string,
  };
}

/** The proof that a document is on record: the event names it, its signature holds, and the log has it. */
export function openRecorded(document: Uint8Array, event: Uint8Array, proof: Uint8Array): TlogProof {
  const { fields } = openSigned(
    event,
    "mizheng/event/v1",
    "application/vnd.mizheng.event.v1+json",
    { document_sha256: "string" },
    { keyField: "public_key" },
  );
  if (toHex(fromHex(fields["document_sha256"], 32)) !== sha256Hex(document)) {
    throw new Fault("the event is of another document");
  }
  const logged = parseTlogProof(proof);
  verifyProof(logged, entryLeaf(event));
  return logged;
}

function requireText(text: string): string {
  if (BLANK.test(text) || CONTROL.test(text)) {
    throw new Fault("a text that is empty or holds control characters");
  }
  const size = [...text].length;
  if (size > MAX_TEXT) throw new Fault("a text of {size} characters", { size });
  return text;
}

function readLeaves(values: readonly Json[]): string[] {
  const leaves = values.map((value) => toHex(fromHex(value, 32)));
  if (leaves.some((leaf, place) => place > 0 && (leaves[place - 1] as string) >= leaf)) {
    throw new Fault("records of a disclosure that are not in ascending order, each once");
  }
  return leaves;
}
