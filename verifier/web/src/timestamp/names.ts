/** Distinguished names as people read them (RFC 4514). For reports only: names are compared byte for byte. */

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

function attribute(node: der.Node): string {
  const reader = node.reader();
  const oid = reader.next().oid();
  return `${SHORT[oid] ?? oid}=${escapeText(textOf(reader.next()))}`;
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
