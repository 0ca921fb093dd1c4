/** To whom and for what this opening was made, and whether that is on record (docs/spec/8-bundle.md). */

import { isEqual, toHex } from "../bytes.js";
import { type MemberList, numberOf } from "../documents/bundle.js";
import { MAX_PROOF_BYTES, type TlogProof } from "../documents/checkpoint.js";
import { type Disclosure, openDisclosure, verifyRecorded } from "../documents/disclosure.js";
import { MAX_ENVELOPE_BYTES } from "../documents/dsse.js";
import { MAX_OPENED_BYTES, parseOpened } from "../documents/manifest.js";
import { Fault } from "../errors.js";
import { leafHash } from "../merkle.js";
import type { Context } from "./context.js";
import { believe } from "./log.js";

const DISCLOSURE = "disclosure.dsse.json";
const EVENT = "disclosure.event.dsse.json";
const PROOF = "disclosure.tlog-proof";
const CODE = "disclosure.entry";

/** The depositor said so for this very opening, and the log has it, later than the deposit. */
export async function checkDisclosure(context: Context, list: MemberList | undefined): Promise<void> {
  const { bundle, findings, trust } = context;
  if (bundle.group("disclosure").length === 0) {
    const isNamed = list !== undefined && list.recipient !== null;
    findings.notProvided(CODE, "", isNamed ? "the bundle names a recipient, but carries no disclosure" : "");
    return;
  }
  if (list === undefined) {
    const message = "the list of members, which the disclosure has to agree with, was not verified";
    findings.notChecked(CODE, DISCLOSURE, message);
    return;
  }
  const disclosure = await findings.attempt(CODE, DISCLOSURE, () => readDisclosure(context, list));
  if (disclosure === undefined) return;
  const told = { recipient: disclosure.recipient, purpose: disclosure.purpose ?? "-" };
  if (!bundle.has(EVENT) && !bundle.has(PROOF)) {
    const message = "signed by the depositor, but not on record in the log. For: {recipient} ({purpose})";
    findings.notProvided(CODE, DISCLOSURE, message, told);
    return;
  }
  const proof = await findings.attempt(CODE, PROOF, () => readRecorded(context));
  if (proof === undefined) return;
  const { origin, size } = proof.checkpoint;
  const logs = trust?.logs.filter((log) => log.key.name === origin) ?? [];
  if (logs.length === 0) {
    const message = trust ? "the trust file does not know the log {origin}" : "no trust file was given";
    findings.notChecked(CODE, PROOF, message, { origin });
    return;
  }
  const log = await findings.attempt(CODE, PROOF, () => believe(proof, logs));
  if (log === undefined) return;
  findings.passed(CODE, DISCLOSURE, "leaf index {index} in a tree of {size}. For: {recipient} ({purpose})", {
    index: proof.index,
    size,
    records: disclosure.records.length,
    originals: disclosure.originals.length,
    created_at: disclosure.createdAt,
    ...told,
  });
}

async function readDisclosure(context: Context, list: MemberList): Promise<Disclosure> {
  const { bundle, statement } = context;
  if (!bundle.has(DISCLOSURE)) throw new Fault("the proof of a disclosure without the disclosure");
  const disclosure = openDisclosure(await bundle.read(DISCLOSURE));
  if (!disclosure.publicKey.isSame(statement.publicKey)) {
    throw new Fault("the disclosure is signed by another key than the statement's");
  }
  if (disclosure.envelopeSha256 !== context.envelopeSha256) throw new Fault("the disclosure is of another deposit");
  if (disclosure.recipient !== list.recipient || disclosure.purpose !== list.purpose) {
    throw new Fault("the disclosure was made for another recipient or purpose than the bundle");
  }
  const leaves = new Map<bigint, string>();
  for (const name of bundle.group("records")) {
    const { record } = parseOpened(await bundle.read(name, MAX_OPENED_BYTES));
    leaves.set(numberOf(name), toHex(leafHash(record)));
  }
  if (!isSame(disclosure.records, leaves.values())) {
    throw new Fault("the disclosure is of other records than those that are opened");
  }
  // An original without a record is a finding of its own.
  const handedOver = bundle.group("originals").flatMap((name) => leaves.get(numberOf(name)) ?? []);
  if (!isSame(disclosure.originals, handedOver)) {
    throw new Fault("the disclosure is of other files than those that are handed over");
  }
  return disclosure;
}

async function readRecorded({ bundle, heads }: Context): Promise<TlogProof> {
  const missing = [EVENT, PROOF].find((name) => !bundle.has(name));
  if (missing !== undefined) {
    throw new Fault("half of the proof that the disclosure is on record: {name} is missing", { name: missing });
  }
  const proof = verifyRecorded(
    await bundle.read(DISCLOSURE),
    await bundle.read(EVENT, MAX_ENVELOPE_BYTES),
    await bundle.read(PROOF, MAX_PROOF_BYTES),
  );
  const { origin, size, root } = proof.checkpoint;
  for (const { proof: deposit } of heads) {
    if (deposit.checkpoint.origin !== origin) {
      throw new Fault("the disclosure is on record in another log than the deposit");
    }
    if (deposit.checkpoint.size === size && !isEqual(deposit.checkpoint.root, root)) {
      throw new Fault("the disclosure is on record in another tree than the deposit");
    }
    // It names the deposit, so it was made after it.
    if (proof.index <= deposit.index) {
      throw new Fault("the disclosure stands before the deposit that it speaks of");
    }
  }
  return proof;
}

/** Whether these, each once and in ascending order, are the ones that are listed. */
function isSame(listed: readonly string[], found: Iterable<string>): boolean {
  const sorted = [...new Set(found)].sort();
  return sorted.length === listed.length && sorted.every((leaf, at) => leaf === listed[at]);
}
