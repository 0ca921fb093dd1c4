/** To whom and for what this opening was made, and whether that is on record (docs/spec/8-bundle.md, "Disclosure"). */

import { toHex } from "../bytes.js";
import { type MemberList, numberOf } from "../documents/bundle.js";
import { MAX_PROOF_BYTES, type TlogProof } from "../documents/checkpoint.js";
import { type Disclosure, openDisclosure } from "../documents/disclosure.js";
import { MAX_ENVELOPE_BYTES } from "../documents/dsse.js";
import { openRecorded } from "../documents/event.js";
import { MAX_OPENED_BYTES, parseOpened } from "../documents/manifest.js";
import { Fault } from "../errors.js";
import { leafHash } from "../merkle.js";
import { believe, requireOrder } from "./believing.js";
import type { Context } from "./context.js";

const CODE = "disclosure.entry";
const DISCLOSURE = "disclosure.dsse.json";
const EVENT = "disclosure.event.dsse.json";
const PROOF = "disclosure.tlog-proof";

export async function checkDisclosure(context: Context, list: MemberList | undefined): Promise<void> {
  const { bundle, findings } = context;
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
  const proof = await findings.attempt(CODE, PROOF, () => readProof(context));
  if (proof === undefined) return;
  if ((await believe(context, CODE, PROOF, proof)) === undefined) return;
  findings.passed(CODE, DISCLOSURE, "leaf index {index} in a tree of {size}. For: {recipient} ({purpose})", {
    index: proof.index,
    size: proof.checkpoint.size,
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
  if (!isSameList(disclosure.records, [...leaves.values()])) {
    throw new Fault("the disclosure is of other records than those that are opened");
  }
  // An original without a record is a finding of its own.
  const handedOver = bundle.group("originals").flatMap((name) => leaves.get(numberOf(name)) ?? []);
  if (!isSameList(disclosure.originals, handedOver)) {
    throw new Fault("the disclosure is of other files than those that are handed over");
  }
  return disclosure;
}

/** Whether an ascending list holds just these, each once. */
function isSameList(ascending: readonly string[], found: readonly string[]): boolean {
  const sorted = [...new Set(found)].sort();
  return ascending.length === sorted.length && ascending.every((item, place) => item === sorted[place]);
}

async function readProof({ bundle, heads }: Context): Promise<TlogProof> {
  for (const name of [EVENT, PROOF]) {
    if (!bundle.has(name)) {
      throw new Fault("half of the proof that the disclosure is on record: {name} is missing", { name });
    }
  }
  const [document, event] = [await bundle.read(DISCLOSURE), await bundle.read(EVENT, MAX_ENVELOPE_BYTES)];
  const proof = openRecorded(document, event, await bundle.read(PROOF, MAX_PROOF_BYTES));
  for (const { proof: head } of heads) {
    if (head.checkpoint.origin !== proof.checkpoint.origin) {
      throw new Fault("the disclosure is on record in another log than the deposit");
    }
    // It names the deposit, so it was made after it.
    requireOrder(head, proof);
  }
  return proof;
}
