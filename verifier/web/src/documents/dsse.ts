/** DSSE envelopes (DSSE v1.0) with exactly one signature, in canonical JSON. */

import { concat, fromBase64, utf8 } from "../bytes.js";
import { type Json, type JsonObject, otherType, parseObject, parseTyped, requireFields, type Fields } from "../canonical.js";
import { sha256Hex } from "../crypto/hashing.js";
import { PublicKey, requireKeyid } from "../crypto/keys.js";
import { Fault } from "../errors.js";

export const MAX_ENVELOPE_BYTES = 64 * 1024;

/** An envelope whose signature is not yet checked. */
export interface Envelope {
  readonly payload: Uint8Array;
  readonly payloadType: string;
  readonly keyid: string;
  readonly signature: Uint8Array;
  /** Hex, of the envelope's bytes. */
  readonly sha256: string;
}

export function parseEnvelope(data: Uint8Array, payloadType: string, maxBytes = MAX_ENVELOPE_BYTES): Envelope {
  const fields = parseObject(data, { payload: "string", payloadType: "string", signatures: "list" }, maxBytes);
  if (fields["payloadType"] !== payloadType) throw otherType(fields["payloadType"] as string, payloadType);
  const signatures = fields["signatures"] as Json[];
  if (signatures.length !== 1) throw new Fault("expected {count} signatures", { count: 1 });
  const signature = requireFields(signatures[0], { keyid: "string", sig: "string" });
  return {
    payload: fromBase64(fields["payload"]),
    payloadType,
    keyid: requireKeyid(signature["keyid"]),
    signature: fromBase64(signature["sig"]),
    sha256: sha256Hex(data),
  };
}

/** Return if the envelope names this key, and the signature over type and payload is this key's. */
export function verifyEnvelope(envelope: Envelope, key: PublicKey): void {
  if (envelope.keyid !== key.keyid) {
    throw new Fault("the signature names another key than the one that should sign");
  }
  const head = `DSSEv1 ${utf8(envelope.payloadType).length} ${envelope.payloadType} ${envelope.payload.length} `;
  key.verify(envelope.signature, concat(utf8(head), envelope.payload));
}

/** A document that carries its signer's key: its fields and that key, the signature checked. */
export function openSigned(
  data: Uint8Array,
  type: string,
  payloadType: string,
  required: Fields,
  { keyField = "signer", maxBytes = MAX_ENVELOPE_BYTES } = {},
): { readonly fields: JsonObject; readonly signer: PublicKey } {
  const envelope = parseEnvelope(data, payloadType, maxBytes);
  const fields = parseTyped(envelope.payload, type, { ...required, [keyField]: "string" }, maxBytes);
  const signer = PublicKey.fromBase64(fields[keyField]);
  verifyEnvelope(envelope, signer);
  return { fields, signer };
}
