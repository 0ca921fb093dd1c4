/** Whether an opened supplement names an earlier deposit of the same depositor (docs/spec/8-bundle.md, "Supplements"). */

import { sha256Hex } from "../crypto/hashing.js";
import { MAX_PROOF_BYTES, parseTlogProof, type TlogProof, verifyProof } from "../documents/checkpoint.js";
import { MAX_ENVELOPE_BYTES } from "../documents/dsse.js";
import { entryLeaf, openStatement } from "../documents/statement.js";
import { Fault, type Values } from "../errors.js";
import { believe, requireOrder } from "./believing.js";
import type { Context } from "./context.js";

const CODE = "supplement.link";
const [ENVELOPE, PROOF] = ["supplemented.dsse.json", "supplemented.tlog-proof"] as const;

/** A check for each supplement that is opened; none where there is nothing of the sort. */
export async function checkSupplements(context: Context): Promise<void> {
  const found = context.records.filter(({ record }) => record.kind === "supplement");
  const [enclosed] = context.bundle.group("supplemented");
  for (const { member, record } of found) {
    const { number, matter, type, title, envelope_sha256 } = record.fields;
    await checkLink(context, member, enclosed, { number, matter, type, title, envelope_sha256 } as Values);
  }
  if (found.length === 0 && enclosed !== undefined) {
    context.findings.failed(CODE, enclosed, new Fault("a deposit that no opened supplement names"));
  }
}

async function checkLink(context: Context, member: string, enclosed: string | undefined, told: Values): Promise<void> {
  const { findings, heads } = context;
  const leaveOpen = (message: string): void => findings.notChecked(CODE, member, message, told);
  if (enclosed === undefined) {
    leaveOpen("the deposit that it names is not in the bundle: {envelope_sha256}");
    return;
  }
  const earlier = await findings.attempt(CODE, member, () => readNamed(context, told["envelope_sha256"]));
  if (earlier === undefined || !(await believe(context, CODE, member, earlier, told))) return;
  if (!heads.some(({ isTrusted }) => isTrusted)) {
    leaveOpen("the checkpoint's signature was not verified");
  } else if (earlier.checkpoint.origin !== heads[0]?.proof.checkpoint.origin) {
    leaveOpen("the deposit that it names is in another log: which of the two came first is not shown");
  } else {
    const message = "names the deposit {envelope_sha256}, which precedes it in the log: leaf index {index}";
    findings.passed(CODE, member, message, { index: earlier.index, ...told });
  }
}

/** The place in the log of the deposit that is enclosed, which is the one named. */
async function readNamed({ bundle, heads, statement }: Context, named: unknown): Promise<TlogProof> {
  for (const name of [ENVELOPE, PROOF]) {
    if (!bundle.has(name)) throw new Fault("half of the deposit that a supplement names: {name} is missing", { name });
  }
  const envelope = await bundle.read(ENVELOPE, MAX_ENVELOPE_BYTES);
  const { depositor } = openStatement(envelope);
  if (sha256Hex(envelope) !== named) {
    throw new Fault("the supplement names another deposit than the one that is enclosed");
  }
  if (depositor.idScheme !== statement.depositor.idScheme || depositor.id !== statement.depositor.id) {
    throw new Fault("the supplement names a deposit of another depositor");
  }
  const proof = parseTlogProof(await bundle.read(PROOF, MAX_PROOF_BYTES));
  verifyProof(proof, entryLeaf(envelope));
  for (const { proof: head } of heads) {
    if (head.checkpoint.origin === proof.checkpoint.origin) requireOrder(proof, head);
  }
  return proof;
}
