/** Distinguished names as people read them (RFC 4514). For reports: names of issuers are compared byte for byte. */

import { decodeUtf8, latin1, toHex } from "../bytes.js";
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
const BMP_STRING = 0x1e;
const UTF8_STRING = 0x0c;

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
    .some(([oid, value]) => NAMES.includes(oid) && value === start);
}

function readAttribute(node: der.Node): [oid: string, value: string] {
  const reader = node.reader();
  return [reader.next().oid(), textOf(reader.next())];
}

function attribute(node: der.Node): string {
  const [oid, value] = readAttribute(node);
  return `${SHORT[oid] ?? oid}=${escapeText(value)}`;
}

function textOf(node: der.Node): string {
  if (node.tag === BMP_STRING) return new TextDecoder("utf-16be").decode(node.content);
  if (node.tag === UTF8_STRING) return decodeUtf8(node.content) ?? toHex(node.content);
  return latin1(node.content);
}

function escapeText(text: string): string {
  return text
    .replace(/[\\",+;<>]/g, "\\$&")
    .replaceAll("\0", "\\00")
    .replace(/^[# ]/, "\\$&")
    .replace(/ $/, "\\ ");
}
