/** The check codes (docs/spec/10-verdict.md). They come from verifier/codes.py when this is built. */

import words from "mizheng:words";

/** Code to its title, a message id, in the order of a report. */
export const CODES: Readonly<Record<string, string>> = words.codes;
/** Codes that have to pass for `valid`, and those of which one has to. */
export const NEEDED: readonly string[] = words.needed;
export const NEEDED_ONE_OF: readonly string[] = words.neededOneOf;
