/** What a file seems to be, from its first bytes: for words that help whoever dropped the wrong one. */

import { Source } from "../zip/source.js";
import { _ } from "./language.js";

/** A sentence on why this is no bundle; undefined if it may be one. */
export async function explainWrongFile(file: Blob): Promise<string | undefined> {
  if (file.size === 0) return _("The file is empty. Copy it again from where it was made.");
  const head = await Source.of(file).read(0, 16);
  const starts = (text: string): boolean => String.fromCharCode(...head).startsWith(text);
  if (starts("PK")) return undefined;
  if (starts("%PDF")) {
    return _("This is a PDF: perhaps the certificate or the report. What is checked here is the bundle, a ZIP file.");
  }
  if (starts("mizheng/seal") || starts("{") || starts("format =")) {
    return _("This is not a bundle. What is checked here is a ZIP file made by mizheng bundle.");
  }
  return _("This is not a ZIP file. If it came by e-mail or a court's system, ask for the bundle as it was made.");
}

/** Whether a file is meant as a trust file. */
export function looksLikeTrust(file: File): boolean {
  return file.name.toLowerCase().endsWith(".toml");
}

/** Whether a file may be a bundle: a ZIP with the two members that every bundle has. */
export async function looksLikeBundle(file: File): Promise<boolean> {
  if (!file.name.toLowerCase().endsWith(".zip")) return false;
  const head = await Source.of(file.slice(0, 64)).read(0, 64);
  const name = String.fromCharCode(...head.subarray(30));
  return ["README.txt", "bundle.dsse.json", "statement.dsse.json"].some((member) => name.startsWith(member));
}
