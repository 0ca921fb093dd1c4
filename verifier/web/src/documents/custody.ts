/** Custody events: who had the evidence of a deposit, and what was done with it (docs/spec/8-bundle.md, "Custody"). */

import { fromHex } from "../bytes.js";
import { type Json, type JsonObject, parseTyped, requireFields } from "../canonical.js";
import { sha256Hex } from "../crypto/hashing.js";
import { PublicKey } from "../crypto/keys.js";
import { Fault } from "../errors.js";
import { parseInstant } from "../instants.js";
import { type Envelope, parseEnvelope, verifyEnvelope } from "./dsse.js";
import { requireText } from "./event.js";

// What each sort of event does: two sign it, the content may be another one after it, or nothing is left.
const SORTS: Readonly<Record<string, "two" | "changes" | "ends" | "">> = {
  handover: "two",
  "copy-handover": "two",
  opening: "changes",
  copy: "",
  "medium-change": "changes",
  "seal-number": "",
  inspection: "",
  storage: "",
  destruction: "ends",
  other: "changes",
};

export interface Party {
  readonly name: string;
  readonly organisation: string | null;
  readonly role: string | null;
  readonly key: PublicKey;
}

/** One custody event, its signatures not yet checked; digests are hex. */
export interface Custody {
  readonly envelopeSha256: string;
  readonly previous: string | null;
  readonly what: string;
  readonly by: Party;
  readonly to: Party | null;
  readonly at: string;
  readonly where: string;
  readonly why: string;
  readonly note: string | null;
  readonly before: string | null;
  readonly after: string | null;
  readonly sealNumber: string | null;
  /** Of the document: what the next event names. */
  readonly sha256: string;
  readonly envelope: Envelope;
}

export function readCustody(data: Uint8Array): Custody {
  const envelope = parseEnvelope(data, "application/vnd.mizheng.custody.v1+json", undefined, [1, 2]);
  const fields = parseTyped(envelope.payload, "mizheng/custody/v1", {
    envelope_sha256: "string",
    previous: "string?",
    what: "string",
    by: "object",
    to: "object?",
    at: "string",
    where: "string",
    why: "string",
    note: "string?",
    before: "string?",
    after: "string?",
    seal_number: "string?",
    nonce: "string",
  });
  const digest = (name: string): string | null => {
    if (fields[name] !== null) fromHex(fields[name], 32);
    return fields[name] as string | null;
  };
  fromHex(fields["nonce"], 32);
  const event: Custody = {
    envelopeSha256: digest("envelope_sha256") as string,
    previous: digest("previous"),
    what: fields["what"] as string,
    by: readParty(fields["by"]),
    to: fields["to"] === null ? null : readParty(fields["to"]),
    at: fields["at"] as string,
    where: requireText(fields["where"]) as string,
    why: requireText(fields["why"]) as string,
    note: requireText(fields["note"]),
    before: digest("before"),
    after: digest("after"),
    sealNumber: requireText(fields["seal_number"]),
    sha256: sha256Hex(data),
    envelope,
  };
  parseInstant(event.at);
  requireSense(event);
  return event;
}

/** Return if everybody signed it who has to: who did it; in a hand-over giver and taker, in this order. */
export function verifyCustody({ envelope, by, to }: Custody): void {
  verifyEnvelope(envelope, ...(to === null ? [by.key] : [by.key, to.key]));
}

function readParty(value: Json | undefined): Party {
  const fields: JsonObject = requireFields(value, {
    name: "string",
    organisation: "string?",
    role: "string?",
    public_key: "string",
  });
  return {
    name: requireText(fields["name"]) as string,
    organisation: requireText(fields["organisation"]),
    role: requireText(fields["role"]),
    key: PublicKey.fromBase64(fields["public_key"]),
  };
}

/** The event does not contradict itself. */
function requireSense({ what, by, to, note, sealNumber, before, after }: Custody): void {
  if (!Object.hasOwn(SORTS, what)) throw new Fault("a custody event of an unknown sort");
  const does = SORTS[what];
  if ((does === "two") !== (to !== null)) {
    throw new Fault("a hand-over has a taker, and no other custody event has one");
  }
  if (to?.key.isSame(by.key)) throw new Fault("a hand-over whose giver and taker are one key");
  if (what === "other" && note === null) {
    throw new Fault("a custody event of another sort that does not say what it was");
  }
  if (what === "seal-number" && sealNumber === null) throw new Fault("a new seal number that is not said");
  if (does === "ends") {
    if (after !== null) throw new Fault("a digest of what was destroyed, after it was");
  } else if (before !== null && after === null) {
    throw new Fault("a digest before the event and none after it");
  } else if (does !== "changes" && before !== after) {
    throw new Fault("the content is another one after an event that changes nothing in it");
  }
}
