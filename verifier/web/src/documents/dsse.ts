/** DSSE envelopes (DSSE v1.0) with exactly as many signatures as are due, in canonical JSON. */

import { concat, fromBase64, utf8 } from "../bytes.js";
import { type Json, type JsonObject, otherType, parseObject, parseTyped, requireFields, type Fields } from "../canonical.js";
import { sha256Hex } from "../crypto/hashing.js";
import { PublicKey, requireKeyid } from "../crypto/keys.js";
import { Fault } from "../errors.js";

export const MAX_ENVELOPE_BYTES = 64 * 1024;

/** An envelope whose signatures are not yet checked. */
export interface Envelope {
  readonly payload: Uint8Array;
  readonly payloadType: string;
  /** In the order written. */
  readonly signatures: readonly { readonly keyid: string; readonly signature: Uint8Array }[];
  /** Hex, of the envelope's bytes. */
  readonly sha256: string;
}

/** `counts`: how many signatures there may be; of several numbers the payload says which. */
export function parseEnvelope(
  data: Uint8Array,
  payloadType: string,
  maxBytes = MAX_ENVELOPE_BYTES,
  counts: readonly number[] = [1],
): Envelope {
  const fields = parseObject(data, { payload: "string", payloadType: "string", signatures: "list" }, maxBytes);
  if (fields["payloadType"] !== payloadType) throw otherType(fields["payloadType"] as string, payloadType);
  const signatures = fields["signatures"] as Json[];
  if (!counts.includes(signatures.length)) {
    throw new Fault("expected {count} signatures", { count: counts.join(" / ") });
  }
  return {
    payload: fromBase64(fields["payload"]),
    payloadType,
    signatures: signatures.map((item) => {
      const signature = requireFields(item, { keyid: "string", sig: "string" });
      return { keyid: requireKeyid(signature["keyid"]), signature: fromBase64(signature["sig"]) };
    }),
    sha256: sha256Hex(data),
  };
}

/** Return if the envelope names these keys, and each signature over type and payload is its key's. */
export function verifyEnvelope(envelope: Envelope, ...keys: readonly PublicKey[]): void {
  const { signatures } = envelope;
  if (signatures.length !== keys.length) throw new Fault("expected {count} signatures", { count: keys.length });
  const head = `DSSEv1 ${utf8(envelope.payloadType).length} ${envelope.payloadType} ${envelope.payload.length} `;
  const message = concat(utf8(head), envelope.payload);
  for (const [place, key] of keys.entries()) {
    const { keyid, signature } = signatures[place] as (typeof signatures)[number];
    if (keyid !== key.keyid) throw new Fault("the signature names another key than the one that should sign");
    key.verify(signature, message);
  }
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
