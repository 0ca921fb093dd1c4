/** Who signed: the enrolment of the depositor's key, and whether it was revoked (docs/spec/3-statement.md). */

import { isEqual } from "../bytes.js";
import { MAX_PROOF_BYTES, parseTlogProof, type TlogProof, verifyProof } from "../documents/checkpoint.js";
import { MAX_ENVELOPE_BYTES } from "../documents/dsse.js";
import { type Enrolment, type KeyStatus, openEnrolment, openKeyStatus } from "../documents/issued.js";
import { entryLeaf, isSameDepositor } from "../documents/statement.js";
import { Fault } from "../errors.js";
import { findKey } from "../trust.js";
import type { Context } from "./context.js";

const ENROLMENT = "enrolment.dsse.json";
const ENROLMENT_PROOF = "enrolment.tlog-proof";
const KEY_STATUS = "key-status.dsse.json";
const ENROLLED = "depositor.enrolment";
const STATUS = "depositor.key-status";

export async function checkEnrolment(context: Context): Promise<void> {
  const { bundle, findings, trust, anchoredSizes } = context;
  if (!bundle.has(ENROLMENT)) {
    findings.notProvided(ENROLLED, "", "no enrolment: the depositor's name is only claimed");
    return;
  }
  const found = await findings.attempt(ENROLLED, ENROLMENT, () => readEnrolment(context));
  if (found === undefined) return;
  const { enrolment, proof } = found;
  if (proof === undefined) {
    findings.notChecked(ENROLLED, ENROLMENT, "no checkpoint of the bundle is signed by a trusted log key");
    return;
  }
  // A head that no anchor holds may be of a tree that the log's operator forked for this one bundle.
  if (anchoredSizes.size > 0 && !anchoredSizes.has(proof.checkpoint.size)) {
    const message = "the enrolment is proven in a checkpoint that no anchor in a known block holds";
    findings.notChecked(ENROLLED, ENROLMENT, message);
    return;
  }
  const issuer = trust && findKey(trust.issuers, enrolment.signer);
  if (issuer === undefined) {
    const message = "the issuer is not in a trust file; the depositor's name is only claimed";
    findings.notChecked(ENROLLED, ENROLMENT, message);
    return;
  }
  context.isEnrolled = true;
  context.issuer = issuer;
  findings.passed(ENROLLED, ENROLMENT, "enrolled by {issuer} ({method}), leaf index {index}", {
    issuer: issuer.name,
    method: enrolment.method,
    index: proof.index,
    authenticated_at: enrolment.authenticatedAt,
  });
}

async function readEnrolment(
  context: Context,
): Promise<{ readonly enrolment: Enrolment; readonly proof: TlogProof | undefined }> {
  const { bundle, statement, heads } = context;
  const data = await bundle.read(ENROLMENT, MAX_ENVELOPE_BYTES);
  const enrolment = openEnrolment(data);
  if (!enrolment.publicKey.isSame(statement.publicKey)) throw new Fault("the enrolment is of another key");
  if (!isSameDepositor(enrolment.depositor, statement.depositor)) {
    throw new Fault("the enrolment is of another depositor than the statement names");
  }
  const trusted = heads.filter(({ isTrusted }) => isTrusted);
  if (trusted.length === 0) return { enrolment, proof: undefined };
  if (!bundle.has(ENROLMENT_PROOF)) throw new Fault("the enrolment has no proof that it is in the log");
  const proof = parseTlogProof(await bundle.read(ENROLMENT_PROOF, MAX_PROOF_BYTES));
  verifyProof(proof, entryLeaf(data));
  if (!trusted.some((head) => isEqual(head.proof.signed, proof.signed))) {
    throw new Fault("the enrolment is proven in another tree than the deposit");
  }
  const first = heads[0]?.proof.index ?? 0n;
  if (proof.index >= first) throw new Fault("the key was enrolled after the deposit");
  return { enrolment, proof };
}

/** The key was not revoked at or before the deposit, by the issuer's word or the trust file's. */
export async function checkKeyStatus(context: Context): Promise<void> {
  const { bundle, findings, trust, statement, heads } = context;
  if (trust?.revokedKeys.has(statement.publicKey.keyid)) {
    findings.failed(STATUS, "", new Fault("the trust file lists the depositor's key as revoked"));
    return;
  }
  if (!bundle.has(KEY_STATUS)) {
    findings.notChecked(STATUS, "", "no word from the issuer on whether the key was revoked");
    return;
  }
  const status = await findings.attempt(STATUS, KEY_STATUS, () => readStatus(context));
  if (status === undefined) return;
  const issuer = trust && findKey(trust.issuers, status.signer);
  if (issuer === undefined) {
    findings.notChecked(STATUS, KEY_STATUS, "the issuer is not in a trust file");
  } else if (context.issuer?.name !== issuer.name) {
    // A status counts the entries of its issuer's own log; another notary's word is about another log.
    const message = "the key was not enrolled by the issuer who speaks of its status";
    findings.notChecked(STATUS, KEY_STATUS, message);
  } else if (heads.length === 0) {
    findings.notChecked(STATUS, KEY_STATUS, "the bundle carries no proof from the log");
  } else {
    const values = { issuer: issuer.name, size: status.asOfSize };
    findings.passed(STATUS, KEY_STATUS, "not revoked, by {issuer}'s word for the first {size} entries", values);
  }
}

async function readStatus({ bundle, statement, heads }: Context): Promise<KeyStatus> {
  const status = openKeyStatus(await bundle.read(KEY_STATUS, MAX_ENVELOPE_BYTES));
  if (status.keyid !== statement.publicKey.keyid) throw new Fault("the key status is of another key");
  const { revokedIndex, asOfSize } = status;
  if (heads.length > 0 && heads.every(({ proof }) => proof.checkpoint.size > asOfSize)) {
    throw new Fault("the key status is older than the deposit");
  }
  const index = heads[0]?.proof.index;
  if (index !== undefined && revokedIndex !== null && revokedIndex <= index) {
    throw new Fault("the key was revoked before the deposit");
  }
  return status;
}
