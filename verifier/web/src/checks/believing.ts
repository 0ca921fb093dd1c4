/** Whether a checkpoint is to be believed, and whether two proofs speak of one tree. */

import { isEqual } from "../bytes.js";
import type { TlogProof } from "../documents/checkpoint.js";
import { findSigners } from "../documents/note.js";
import { Fault, type Values } from "../errors.js";
import { covers, type TrustedLog } from "../trust.js";
import type { Context } from "./context.js";

/** The trusted key of the proof's log that signed its checkpoint; undefined, and a finding, without one. */
export async function believe(
  { findings, trust }: Context,
  code: string,
  subject: string,
  proof: TlogProof,
  values: Values = {},
): Promise<TrustedLog | undefined> {
  const { origin } = proof.checkpoint;
  const logs = trust?.logs.filter((log) => log.key.name === origin) ?? [];
  if (logs.length > 0) return findings.attempt(code, subject, () => requireLogKey(proof, logs));
  const message = trust ? "the trust file does not know the log {origin}" : "no trust file was given";
  findings.notChecked(code, subject, message, { origin, ...values });
  return undefined;
}

/** Which of these keys of one log signed the checkpoint and may sign a tree of its size. */
function requireLogKey({ note, checkpoint }: TlogProof, logs: readonly TrustedLog[]): TrustedLog {
  const signers = findSigners(
    note,
    logs.map(({ key }) => key),
  );
  const { size } = checkpoint;
  const found = logs.find((log) => signers.some(({ vkey }) => vkey === log.key.vkey) && covers(log, size));
  if (found === undefined) throw new Fault("the log key that signed is not trusted for tree size {size}", { size });
  return found;
}

/** Two entries of one log can be of one tree, and stand in it in this order. */
export function requireOrder(earlier: TlogProof, later: TlogProof): void {
  const [first, second] = [earlier.checkpoint, later.checkpoint];
  if (first.size === second.size && !isEqual(first.root, second.root)) {
    throw new Fault("the two entries are not of one tree");
  }
  if (earlier.index >= later.index) throw new Fault("it names a deposit that does not stand before it in the log");
}
