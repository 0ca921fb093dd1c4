/** What can be wrong with evidence. Messages are the message ids of verifier/errors.py, with the values for them. */

export type Values = Readonly<Record<string, string | number>>;

/** Malformed, or it contradicts itself: the check fails. */
export class Fault extends Error {
  constructor(
    readonly id: string,
    readonly values: Values = {},
  ) {
    super(id);
  }
}

/** A later version, or sound but not by those whom the trust file names: the check is left open. */
export class OpenQuestion extends Fault {}
