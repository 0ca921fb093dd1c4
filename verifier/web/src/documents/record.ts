/** Records, one secret thing each (docs/spec/1-record.md). */

import { decodeUtf8, fromBase64, fromHex, latin1, spell, utf8 } from "../bytes.js";
import { type Fields, isObject, type Json, type JsonObject, parse, requireFields } from "../canonical.js";
import { Fault } from "../errors.js";
import { parseInstant } from "../instants.js";

export const MAX_RECORD_BYTES = 64 * 1024;

type Content = (value: JsonObject) => void;
interface Kind {
  readonly label: "path" | "number" | "none";
  readonly required: Fields;
  readonly optional?: Fields;
  readonly check?: Content;
}

const MEASURES = ["agreement", "rules", "premises", "marking", "systems", "departure", "other"];
const CORROBORATIONS = ["notarization", "witness", "corroboration", "none"];
const SUPPLEMENTS = ["project", "notarization", "witness", "other"];
/** What an observation's state is told as. */
const STATES: Readonly<Record<string, string>> = {
  observed: "PASS",
  not_observed: "FAIL",
  not_checked: "NOT_CHECKED",
};

const KINDS: Readonly<Record<string, Kind>> = {
  file: {
    label: "path",
    required: { size: "number", sha256: "string", sm3: "string" },
    optional: { modified_at: "string" },
    check: checkFile,
  },
  link: { label: "path", required: {}, optional: { target: "string", target_bytes: "string" }, check: checkLink },
  unreadable: { label: "path", required: { reason: "string" } },
  point: {
    label: "number",
    required: { title: "string", statement: "string", distinction: "string", level: "string", term: "string" },
  },
  locator: { label: "number", required: { point: "number", path: "string", where: "string" } },
  measure: {
    label: "number",
    required: { type: "string", scope: "string", effective_from: "string", proof_sha256: "string?" },
    check: (value) => {
      requireOneOf(value["type"], MEASURES);
      requireDigestOrNull(value["proof_sha256"]);
    },
  },
  carrier: { label: "number", required: { type: "string", serial: "string", place: "string", custodian: "string" } },
  source: { label: "number", required: { who: "string", system: "string", how: "string" } },
  corroboration: {
    label: "number",
    required: { type: "string", detail: "string", sha256: "string?" },
    check: (value) => {
      requireOneOf(value["type"], CORROBORATIONS);
      requireDigestOrNull(value["sha256"]);
    },
  },
  supplement: {
    label: "number",
    required: { matter: "string", type: "string", title: "string", envelope_sha256: "string" },
    check: (value) => {
      requireOneOf(value["type"], SUPPLEMENTS);
      checkEarlier(value);
    },
  },
  environment: { label: "none", required: { observations: "list" }, check: checkEnvironment },
  authority: { label: "none", required: { sha256: "string" }, check: (value) => void fromHex(value["sha256"], 32) },
  previous: { label: "none", required: { envelope_sha256: "string" }, check: checkEarlier },
};

export interface ParsedRecord {
  readonly kind: string;
  /** What is unique within the kind, one character a byte. */
  readonly label: string;
  /** How a person calls it. */
  readonly name: string;
  readonly fields: JsonObject;
  /** False for a kind of a later version: its content cannot be checked. */
  readonly isKnown: boolean;
  /** A numbered record, whose words are the depositor's own. */
  readonly isTold: boolean;
}

export function parseRecord(data: Uint8Array): ParsedRecord {
  if (data.length > MAX_RECORD_BYTES) throw new Fault("a record of {size} bytes", { size: data.length });
  const value = parse(data);
  const kind = isObject(value) ? value["kind"] : undefined;
  if (!isObject(value) || typeof kind !== "string") throw new Fault("a record without a kind");
  fromHex(value["salt"], 32);
  const known = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (known === undefined) {
    return { kind, label: "", name: kind, fields: value, isKnown: false, isTold: false };
  }
  const common: Fields = { kind: "string", salt: "string" };
  let label = "";
  let name = kind;
  if (known.label === "path") {
    requireFields(value, { ...common, ...known.required }, { ...known.optional, path: "string", path_bytes: "string" });
    const bytes = readPath(value);
    label = latin1(bytes);
    name = spell(bytes);
  } else if (known.label === "number") {
    requireFields(value, { ...common, ...known.required, number: "number" });
    if ((value["number"] as number) < 1) throw new Fault("record numbers start at 1");
    label = String(value["number"]);
    name = `${kind} ${label}`;
  } else {
    requireFields(value, { ...common, ...known.required });
  }
  known.check?.(value);
  return { kind, label, name, fields: value, isKnown: true, isTold: known.label === "number" };
}

/** What the depositor wrote in a numbered record, field by field. */
export function tellRecord(record: ParsedRecord): string {
  return Object.entries(record.fields)
    .filter(([name]) => !["kind", "number", "salt"].includes(name))
    .map(([name, value]) => `${name}: ${value === null ? "None" : String(value)}`)
    .join("; ");
}

/** What was seen of the sealing machine: `check: PASS value (how)`, one behind the other. */
export function tellObservations(record: ParsedRecord): string {
  const told = (record.fields["observations"] as JsonObject[]).map(({ check, state, value, how }) => {
    const seen = value ? ` ${value}` : "";
    return `${check}: ${STATES[state as string]}${seen}${how ? ` (${how})` : ""}`;
  });
  return told.join("; ");
}

function readPath(value: JsonObject): Uint8Array {
  const [path, encoded] = [value["path"], value["path_bytes"]];
  if ((path === undefined) === (encoded === undefined)) {
    throw new Fault("a record needs exactly one of path and path_bytes");
  }
  const bytes = typeof path === "string" ? utf8(path) : fromBase64(encoded);
  if (path === undefined && decodeUtf8(bytes) !== undefined) throw new Fault("a path that is UTF-8 is written as path");
  const parts = latin1(bytes).split("/");
  if (bytes.includes(0) || parts.some((part) => ["", ".", ".."].includes(part))) {
    throw new Fault("a path that is not relative, or has empty, . or .. parts");
  }
  return bytes;
}

function checkFile(value: JsonObject): void {
  if ((value["size"] as number) < 0) throw new Fault("a negative size");
  fromHex(value["sha256"], 32);
  fromHex(value["sm3"], 32);
  if (value["modified_at"] !== undefined) parseInstant(value["modified_at"]);
}

function checkLink(value: JsonObject): void {
  if ((value["target"] === undefined) === (value["target_bytes"] === undefined)) {
    throw new Fault("a link needs exactly one of target and target_bytes");
  }
  if (value["target_bytes"] !== undefined) fromBase64(value["target_bytes"]);
}

function checkEarlier(value: JsonObject): void {
  fromHex(value["envelope_sha256"], 32);
}

function checkEnvironment(value: JsonObject): void {
  const seen = new Set<Json | undefined>();
  for (const item of value["observations"] as Json[]) {
    const fields = requireFields(item, { check: "string", state: "string", value: "string?", how: "string" });
    requireOneOf(fields["state"], Object.keys(STATES));
    if (seen.has(fields["check"])) throw new Fault("an environment record that names one check twice");
    seen.add(fields["check"]);
  }
}

function requireOneOf(value: Json | undefined, allowed: readonly string[]): void {
  if (typeof value !== "string" || !allowed.includes(value)) {
    throw new Fault("a value that is not one of: {allowed}", { allowed: allowed.join(", ") });
  }
}

function requireDigestOrNull(value: Json | undefined): void {
  if (value !== null) fromHex(value, 32);
}
