/**
 * What can be wrong with evidence. Messages are message ids of the catalogue in verifier/locale, with the values
 * that fill their placeholders; so both verifiers speak with the same words.
 */

export type Value = string | number | bigint | boolean | null;
export type Values = Readonly<Record<string, Value>>;

/** Malformed, or it contradicts itself: the check fails. */
export class Fault extends Error {
  constructor(
    readonly id: string,
    readonly values: Values = {},
    /** What to do about it, a message id; empty where nothing can be done. */
    readonly hint = "",
  ) {
    super(id);
  }
}

/** What is made; or its fault, for whoever can leave that aside. */
export function orFault<T>(make: () => T): T | Fault {
  try {
    return make();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
}

/** Sound, but by nobody whom the trust file names: the check is left open. */
export class OpenQuestion extends Fault {}

/** A later version, or a kind that is not known here: left open, and the whole cannot be valid. */
export class LaterVersion extends OpenQuestion {}
