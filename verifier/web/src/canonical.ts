/**
 * Canonical JSON (docs/spec/README.md): RFC 8785 limited to objects, arrays, strings, booleans, null and whole numbers.
 *
 * This reader knows the one canonical spelling and no other: it never reads first and compares afterwards. White space,
 * keys out of order or twice, other escapes, other spellings of a number and lone surrogates are not in its grammar.
 */

import { decodeUtf8 } from "./bytes.js";
import { Fault, LaterVersion } from "./errors.js";

export type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json };
type Kind = "string" | "number" | "list" | "object" | "string?" | "number?" | "object?";
/** Field name to kind; a question mark allows null. */
export type Fields = Readonly<Record<string, Kind>>;

export const MAX_BYTES = 4 * 1024 * 1024;
const MAX_DEPTH = 16;
const NUMBER = /(?:0|-?[1-9][0-9]{0,15})(?![0-9.eE])/y;
// What does not stand in a string as it is.
const SPECIAL = /[\u0000-\u001f"\\]/g;
const ESCAPE = /\\(?:["\\bfnrt]|u00(?:0[0-7be-f]|1[0-9a-f]))/y;
const SHORT: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const SURROGATE = /\p{Surrogate}/u;

class Reader {
  #at = 0;

  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Json {
    const value = this.#value(0);
    if (this.#at !== this.#text.length) throw notCanonical();
    return value;
  }

  #value(depth: number): Json {
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object(depth + 1);
      case "[":
        return this.#list(depth + 1);
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): JsonObject {
    this.#deeper(depth);
    // Without a prototype, so that no key of a document has a meaning of its own.
    const found = Object.create(null) as JsonObject;
    let before: string | undefined;
    while (!this.#ends("}", before === undefined)) {
      if (this.#text[this.#at] !== '"') throw notCanonical();
      const key = this.#string();
      // RFC 8785 §3.2.3 orders keys by UTF-16 code units, which is how JavaScript compares strings.
      if (before !== undefined && !(before < key)) throw notCanonical();
      before = key;
      this.#expect(":");
      found[key] = this.#value(depth);
    }
    return found;
  }

  #list(depth: number): Json[] {
    this.#deeper(depth);
    const found: Json[] = [];
    while (!this.#ends("]", found.length === 0)) found.push(this.#value(depth));
    return found;
  }

  /** Whether the list or object is over; if not, the comma before what follows is taken. */
  #ends(bracket: string, isFirst: boolean): boolean {
    if (this.#text[this.#at] === bracket) {
      this.#at++;
      return true;
    }
    if (!isFirst) this.#expect(",");
    return false;
  }

  #deeper(depth: number): void {
    if (depth > MAX_DEPTH) throw new Fault("JSON nested more than {limit} levels deep", { limit: MAX_DEPTH });
    this.#at++;
  }

  #string(): string {
    this.#at++;
    let found = "";
    for (;;) {
      found += this.#plain();
      if (this.#text[this.#at] === '"') break;
      const escape = this.#match(ESCAPE);
      if (escape === "") throw notCanonical();
      const letter = escape[1] as string;
      found += letter === "u" ? String.fromCharCode(Number.parseInt(escape.slice(2), 16)) : (SHORT[letter] ?? letter);
    }
    this.#at++;
    if (SURROGATE.test(found)) throw notCanonical();
    return found;
  }

  #plain(): string {
    SPECIAL.lastIndex = this.#at;
    const end = SPECIAL.exec(this.#text)?.index;
    if (end === undefined) throw notCanonical();
    const found = this.#text.slice(this.#at, end);
    this.#at = end;
    return found;
  }

  #number(): number {
    const digits = this.#match(NUMBER);
    if (digits === "") throw notCanonical();
    const value = Number(digits);
    if (!Number.isSafeInteger(value)) throw new Fault("a number outside ±(2^53−1)");
    return value;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }

  #word<T>(letters: string, value: T): T {
    for (const letter of letters) this.#expect(letter);
    return value;
  }

  #expect(letter: string): void {
    if (this.#text[this.#at] !== letter) throw notCanonical();
    this.#at++;
  }
}

function notCanonical(): Fault {
  return new Fault("not canonical JSON (RFC 8785)");
}

/** The value whose canonical form is exactly `data`. */
export function parse(data: Uint8Array, maxBytes = MAX_BYTES): Json {
  if (data.length > maxBytes) {
    throw new Fault("JSON of {size} bytes, more than the {limit} allowed", { size: data.length, limit: maxBytes });
  }
  const text = decodeUtf8(data);
  if (text === undefined) throw new Fault("not valid JSON");
  try {
    return new Reader(text).whole();
  } catch (error) {
    // The same fault either way; only the word for it is another.
    throw isJson(text) ? error : new Fault("not valid JSON");
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A canonical object with exactly these fields. */
export function parseObject(data: Uint8Array, required: Fields, maxBytes = MAX_BYTES): JsonObject {
  return requireFields(parse(data, maxBytes), required);
}

/** An object of type `kind` with exactly these fields; its type is looked at first, a later one is no fault. */
export function parseTyped(data: Uint8Array, kind: string, required: Fields, maxBytes = MAX_BYTES): JsonObject {
  const value = parse(data, maxBytes);
  const found = isObject(value) ? value["type"] : undefined;
  if (typeof found === "string" && found !== kind) throw otherType(found, kind);
  return requireFields(value, { type: "string", ...required });
}

/** A later version of the expected type is left open, any other type is a fault. */
export function otherType(found: string, expected: string): Fault {
  const place = expected.indexOf("v1");
  const [before, after] = [expected.slice(0, place), expected.slice(place + 2)];
  const version = found.slice(before.length, found.length - after.length);
  const isSame = found.startsWith(before) && found.endsWith(after) && /^v[1-9][0-9]{0,8}$/.test(version);
  const values = { found: found.slice(0, 80), expected };
  const message = "a document of type {found}, expected {expected}";
  return isSame && version !== "v1" ? new LaterVersion(message, values) : new Fault(message, values);
}

/** The value, if it is an object with exactly these fields. */
export function requireFields(value: Json | undefined, required: Fields, optional: Fields = {}): JsonObject {
  if (!isObject(value)) throw new Fault("expected an object");
  const known: Fields = { ...required, ...optional };
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(known, name)) throw new Fault("unknown field {field!r}", { field: name.slice(0, 64) });
  }
  for (const name of Object.keys(required)) {
    if (!Object.hasOwn(value, name)) throw new Fault("missing field {field!r}", { field: name });
  }
  for (const [name, item] of Object.entries(value)) {
    const kind = known[name] as Kind;
    const isRight = kindOf(item) === kind.replace("?", "") || (item === null && kind.endsWith("?"));
    if (!isRight) throw new Fault("field {field!r} has the wrong type", { field: name });
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

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kindOf(value: Json): string {
  if (Array.isArray(value)) return "list";
  // JavaScript calls null an object.
  if (value === null) return "null";
  return typeof value;
}
