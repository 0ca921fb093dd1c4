/** Distinguished names as people read them (RFC 4514). For reports: names of issuers are compared byte for byte. */

import { latin1 } from "../bytes.js";
import * as der from "./der.js";

const SHORT: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "2.5.4.6": "C",
  "2.5.4.9": "STREET",
  "0.9.2342.19200300.100.1.25": "DC",
  "0.9.2342.19200300.100.1.1": "UID",
};
const NAMES = ["2.5.4.10", "2.5.4.3"];
// UTF8String, PrintableString, BMPString.
const ENCODINGS: Readonly<Record<number, string>> = { 0x0c: "utf-8", 0x13: "utf-8", 0x1e: "utf-16be" };

/** The last part first, parts joined with commas, attributes of one part with plus signs. */
export function nameForPeople(name: Uint8Array): string {
  const parts = der.parse(name, der.SEQUENCE).reader().rest(der.SET);
  return parts
    .map((part) => part.reader().rest(der.SEQUENCE).map(attribute).join("+"))
    .reverse()
    .join(",");
}

/**
 * Whether it has an organization or a common name of exactly these characters; of the first 64, as there is no room for
 * more (RFC 5280 appendix A.1).
 */
export function isNamed(name: Uint8Array, text: string): boolean {
  const parts = der.parse(name, der.SEQUENCE).reader().rest(der.SET);
  const start = [...text].slice(0, 64).join("");
  return parts
    .flatMap((part) => part.reader().rest(der.SEQUENCE))
    .map(readAttribute)
    .some(([oid, value]) => NAMES.includes(oid) && exactText(value) === start);
}

function readAttribute(node: der.Node): [oid: string, value: der.Node] {
  const reader = node.reader();
  return [reader.next().oid(), reader.next()];
}

function attribute(node: der.Node): string {
  const [oid, value] = readAttribute(node);
  return `${SHORT[oid] ?? oid}=${escapeText(exactText(value) ?? latin1(value.content))}`;
}

/** The characters of a string of a type that is in use; undefined for any other, and for what is none. */
function exactText({ tag, content }: der.Node): string | undefined {
  const encoding = ENCODINGS[tag];
  try {
    return encoding && new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return undefined;
  }
}

function escapeText(text: string): string {
  return text
    .replace(/[\\",+;<>]/g, "\\$&")
    .replaceAll("\0", "\\00")
    .replace(/^[# ]/, "\\$&")
    .replace(/ $/, "\\ ");
}
