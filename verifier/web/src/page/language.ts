/** The words of the page, in Chinese or English. Message ids are English sentences, as everywhere in Mizheng. */

import packed from "mizheng:texts";

import { concat, decodeUtf8, fromBase64 } from "../bytes.js";
import type { Values } from "../errors.js";
import { fill, readMessagesWith } from "../report.js";
import { Inflater } from "../zip/inflate.js";
import { clean } from "./dom.js";

export type Language = "zh-CN" | "en";

const lines = (decodeUtf8(concat(...new Inflater().push(fromBase64(packed), true))) ?? "").split("\n");
const count = lines.length / 2;
// Words stand in the code as they are, sentences as marks: a tilde and their line.
const places = new Map(lines.slice(0, count).flatMap((line, place) => [[line, place], [`~${place}`, place]] as const));
let current: Language = "zh-CN";
readMessagesWith((message) => find(message, 0));

function find(message: string, offset: number): string {
  const place = places.get(message);
  return place === undefined ? message : (lines[place + offset] as string);
}

export function setLanguage(language: Language): void {
  current = language;
}

export function getLanguage(): Language {
  return current;
}

/** What the page or the browser asks for. */
export function chooseLanguage(asked: string | undefined): Language {
  const wish = asked || navigator.language;
  return wish.toLowerCase().startsWith("zh") ? "zh-CN" : "en";
}

/** The text of a message id, its placeholders filled with values made safe to show. */
export function _(message: string, values: Values = {}): string {
  const text = find(message, current === "zh-CN" ? count : 0);
  const safe = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, clean(value)]));
  return fill(text, safe);
}

/** A size in bytes as people read it. */
export function formatSize(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let [value, place] = [bytes, 0];
  while (value >= 1024 && place < units.length - 1) [value, place] = [value / 1024, place + 1];
  return `${place === 0 ? value : value.toFixed(1)} ${units[place]}`;
}
