/** The words of the page, in Chinese or English. Message ids are English sentences, as everywhere in Mizheng. */

import packed from "mizheng:texts";

import { concat, decodeUtf8, fromBase64 } from "../bytes.js";
import type { Values } from "../errors.js";
import { fill, readMessagesWith } from "../report.js";
import { Inflater } from "../zip/inflate.js";
import { clean } from "./dom.js";

export type Language = "zh-CN" | "en";

type Texts = Readonly<Record<string, readonly [english: string, chinese: string]>>;

const texts = JSON.parse(decodeUtf8(concat(...new Inflater().push(fromBase64(packed), true))) ?? "{}") as Texts;
let current: Language = "zh-CN";
// In this page a message is a short mark: the build has put its sentence into the table.
readMessagesWith((message) => texts[message]?.[0] ?? message);

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
  const text = texts[message]?.[current === "zh-CN" ? 1 : 0] ?? message;
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
