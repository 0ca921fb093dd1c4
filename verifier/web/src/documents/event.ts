/** Documents that are on record in the log by their digest alone (docs/spec/4-entry.md, "Events"). */

import { fromHex, toHex, WHITE_SPACE } from "../bytes.js";
import type { Json } from "../canonical.js";
import { sha256Hex } from "../crypto/hashing.js";
import { Fault } from "../errors.js";
import { parseTlogProof, type TlogProof, verifyProof } from "./checkpoint.js";
import { openSigned } from "./dsse.js";
import { entryLeaf } from "./statement.js";

const MAX_TEXT = 1000;
const CONTROL = /[\u0000-\u001f\u007f]/;
const BLANK = new RegExp(`^[${WHITE_SPACE}]*$`);

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

/** What a person wrote, or null, as it may stand in such a document. */
export function requireText(value: Json | undefined): string | null {
  if (value === null) return null;
  const text = value as string;
  if (BLANK.test(text) || CONTROL.test(text)) throw new Fault("a text that is empty or holds control characters");
  const size = [...text].length;
  if (size > MAX_TEXT) throw new Fault("a text of {size} characters", { size });
  return text;
}
