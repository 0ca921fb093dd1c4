/** The check codes (docs/spec/10-verdict.md). Titles and translations are put in when the page is built. */

import words from "mizheng:words";

/** Code to its title, a message id, in the order of a report. */
export const CODES: Readonly<Record<string, string>> = words.codes;
/** Codes that have to pass for `valid`, and those of which one has to. */
export const NEEDED: readonly string[] = words.needed;
export const NEEDED_ONE_OF: readonly string[] = words.neededOneOf;
/** Message id to its Chinese text. */
export const CHINESE: Readonly<Record<string, string>> = words.chinese;
