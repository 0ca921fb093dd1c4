/** The entry in the log, the checkpoints that hold it, and the witnesses that cosigned them. */

import { isEqual, toHex } from "../bytes.js";
import { numberOf } from "../documents/bundle.js";
import { MAX_PROOF_BYTES, parseTlogProof, type TlogProof, verifyProof } from "../documents/checkpoint.js";
import type { Policy } from "../documents/policy.js";
import { entryLeaf } from "../documents/statement.js";
import { Fault } from "../errors.js";
import { believe } from "./believing.js";
import type { Context, Head } from "./context.js";

const NO_PROOF = "the bundle carries no proof from the log";

/** Entry, inclusion and signature for each head; all heads of one log and at one index. */
export async function checkLog(context: Context): Promise<void> {
  const { bundle, findings } = context;
  const leaf = entryLeaf(context.envelope);
  const names = bundle.group("heads");
  if (names.length === 0) {
    for (const code of ["log.entry", "log.inclusion", "checkpoint.signature"]) findings.notProvided(code, "", NO_PROOF);
    return;
  }
  for (const name of names) {
    const proof = await findings.attempt("log.inclusion", name, () => readProof(context, name, leaf));
    if (proof === undefined) continue;
    const { index, checkpoint } = proof;
    const values = { index, size: checkpoint.size, root: toHex(checkpoint.root) };
    findings.passed("log.inclusion", name, "leaf index {index} in a tree of {size}", values);
    const isTrusted = await checkSignature(context, name, proof);
    context.heads.push({ member: name, proof, isTrusted });
  }
  if (context.heads.length > 0) {
    findings.passed("log.entry", "", "", { sha256: context.envelopeSha256, leaf_hash: toHex(leaf) });
  }
}

async function readProof(context: Context, name: string, leaf: Uint8Array): Promise<TlogProof> {
  const proof = parseTlogProof(await context.bundle.read(name, MAX_PROOF_BYTES));
  verifyProof(proof, leaf);
  if (proof.checkpoint.size !== numberOf(name)) {
    throw new Fault("the proof is for another tree size than its name says");
  }
  const first = context.heads[0]?.proof;
  if (first && (first.checkpoint.origin !== proof.checkpoint.origin || first.index !== proof.index)) {
    throw new Fault("the proofs are not all of one entry in one log");
  }
  return proof;
}

async function checkSignature(context: Context, name: string, proof: TlogProof): Promise<boolean> {
  const log = await believe(context, "checkpoint.signature", name, proof);
  if (log) {
    const { origin } = proof.checkpoint;
    context.findings.passed("checkpoint.signature", name, "signed by {origin}", { origin, vkey: log.key.vkey });
  }
  return log !== undefined;
}

/** For each trusted head, whether the witnesses that cosigned it make the trust file's quorum. */
export async function checkWitnesses(context: Context): Promise<void> {
  const { findings, trust, heads } = context;
  const policy = trust?.witnessPolicy;
  const count = heads.reduce((sum, { proof }) => sum + proof.note.signatures.length - 1, 0);
  if (policy === undefined && count > 0) {
    const message = "{count} further signatures on the checkpoints; the trust file names no witness policy";
    findings.notChecked("witness.quorum", "", message, { count });
  } else if (policy === undefined || !policy.asksForWitnesses) {
    findings.notProvided("witness.quorum", "", "no policy asks for witnesses");
  } else {
    for (const head of heads) await checkQuorum(context, head, policy);
    if (heads.length === 0) findings.notProvided("witness.quorum", "", NO_PROOF);
  }
}

async function checkQuorum({ findings }: Context, head: Head, policy: Policy): Promise<void> {
  if (!head.isTrusted) {
    findings.notChecked("witness.quorum", head.member, "the checkpoint's signature was not verified");
    return;
  }
  const cosigned = await findings.attempt("witness.quorum", head.member, () => policy.cosigners(head.proof.note));
  if (cosigned === undefined) return;
  const values = { quorum: policy.quorum, witnesses: [...cosigned].sort().join(", ") || "-" };
  if (policy.isMet(cosigned)) {
    findings.passed("witness.quorum", head.member, "quorum {quorum} met by {witnesses}", values);
  } else {
    findings.notChecked("witness.quorum", head.member, "quorum {quorum} not met; cosigned by {witnesses}", values);
  }
}

/** The head of this size and root; undefined if there is none. */
export function findHead(context: Context, size: bigint, root: Uint8Array): Head | undefined {
  return context.heads.find(({ proof }) => proof.checkpoint.size === size && isEqual(proof.checkpoint.root, root));
}
