/**
 * Canonical JSON: RFC 8785 limited to objects, arrays, strings, booleans, null and whole numbers.
 *
 * What is read is written again and compared, so every other spelling fails.
 */

import { Fault, OpenQuestion } from "./errors.js";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Kind = "string" | "number" | "list" | "object";

const MAX_DEPTH = 16;

/** The value whose canonical form is exactly `data`. */
export function parse(data: Uint8Array, maxBytes: number): Json {
  if (data.length > maxBytes) {
    throw new Fault("JSON of {size} bytes, more than the {limit} allowed", { size: data.length, limit: maxBytes });
  }
  let text: string;
  let value: Json;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
    value = JSON.parse(text) as Json;
  } catch {
    throw new Fault("not valid JSON");
  }
  if (dump(value, 0) !== text) throw new Fault("not canonical JSON (RFC 8785)");
  return value;
}

/** An object of type `kind` with exactly these fields; its type is looked at first, a later one is no fault. */
export function parseTyped(
  data: Uint8Array,
  kind: string,
  required: Readonly<Record<string, Kind>>,
  maxBytes: number,
): Record<string, Json> {
  const value = parse(data, maxBytes);
  const found = isObject(value) ? value["type"] : undefined;
  if (typeof found === "string" && found !== kind) {
    const [stem, version] = [found.replace(/v[1-9][0-9]{0,8}$/, "v1"), /v([1-9][0-9]{0,8})$/.exec(found)?.[1]];
    const isLater = stem === kind && Number(version) > 1;
    const values = { found: found.slice(0, 80), expected: kind };
    const message = "a document of type {found}, expected {expected}";
    throw isLater ? new OpenQuestion(message, values) : new Fault(message, values);
  }
  return requireFields(value, { type: "string", ...required });
}

/** The value, if it is an object with exactly these fields. */
export function requireFields(
  value: Json | undefined,
  required: Readonly<Record<string, Kind>>,
  optional: Readonly<Record<string, Kind>> = {},
): Record<string, Json> {
  if (!isObject(value)) throw new Fault("expected an object");
  const known: Readonly<Record<string, Kind>> = { ...required, ...optional };
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(known, name)) throw new Fault("unknown field {field!r}", { field: name.slice(0, 64) });
  }
  for (const name of Object.keys(required)) {
    if (!Object.hasOwn(value, name)) throw new Fault("missing field {field!r}", { field: name });
  }
  for (const [name, item] of Object.entries(value)) {
    if (kindOf(item) !== known[name]) throw new Fault("field {field!r} has the wrong type", { field: name });
  }
  return value;
}

/** A whole number from `least` up to what JSON holds. */
export function natural(value: Json | undefined, least = 0): number {
  if (typeof value !== "number" || value < least || value > Number.MAX_SAFE_INTEGER) {
    throw new Fault("a number below {least} or too large", { least });
  }
  return value;
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kindOf(value: Json): string {
  if (Array.isArray(value)) return "list";
  // JavaScript calls null an object.
  if (value === null) return "null";
  return typeof value;
}

function dump(value: Json, depth: number): string {
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new Fault("a number outside ±(2^53−1)");
    return JSON.stringify(value);
  }
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (depth === MAX_DEPTH) throw new Fault("JSON nested more than {limit} levels deep", { limit: MAX_DEPTH });
  if (Array.isArray(value)) return `[${value.map((item) => dump(item, depth + 1)).join(",")}]`;
  // RFC 8785 §3.2.3 orders keys by UTF-16 code units, which is how JavaScript compares strings.
  const keys = Object.keys(value).sort((left, right) => (left < right ? -1 : 1));
  return `{${keys.map((key) => `${JSON.stringify(key)}:${dump(value[key] as Json, depth + 1)}`).join(",")}}`;
}
