/** Opened records, and the files that they speak of. */

import { numberOf, padded } from "../documents/bundle.js";
import { MAX_OPENED_BYTES, openRecord } from "../documents/manifest.js";
import { type ParsedRecord, parseRecord, tellObservations, tellRecord } from "../documents/record.js";
import { Fault } from "../errors.js";
import type { Context, FileDigests, OpenedRecord } from "./context.js";

/** Each opened record is at its place in the tree whose commitment the statement carries. */
export async function checkRecords(context: Context): Promise<void> {
  const { bundle, findings, statement } = context;
  const names = bundle.group("records");
  const seen = new Set<string>();
  for (const name of names) {
    const opened = await findings.attempt("record.inclusion", name, async () =>
      openRecord(await bundle.read(name, MAX_OPENED_BYTES), statement.commitment, statement.publicKey),
    );
    if (opened === undefined) continue;
    findings.passed("record.inclusion", name, "", { index: opened.index, tree_size: opened.treeSize });
    const record = await findings.attempt("record.content", name, () => parseRecord(opened.record));
    if (record === undefined) continue;
    context.records.push({ member: name, record });
    const label = `${record.kind}\0${record.label}`;
    if (!record.isKnown) {
      const message = "a record of kind {kind}, which this software does not know";
      findings.notChecked("record.content", name, message, { kind: record.kind.slice(0, 32) });
    } else if (seen.has(label)) {
      findings.failed("record.content", name, new Fault("two different records of one name in one manifest"));
    } else {
      passContent(context, name, record);
    }
    if (record.isKnown) seen.add(label);
  }
  if (names.length === 0) findings.notProvided("record.inclusion", "", "the bundle opens no record");
}

/**
 * What a person wrote is shown as he wrote it, and what was seen of the machine with how; a file's record speaks
 * through its digests.
 */
function passContent({ findings }: Context, member: string, record: ParsedRecord): void {
  const values = { kind: record.kind, record: record.name };
  if (record.isTold) {
    const message = "{record}, in the depositor's words: {words}";
    findings.passed("record.content", member, message, { ...values, words: tellRecord(record) });
  } else if (record.kind === "environment") {
    const message = "the sealing machine, by the depositor's own account: {words}";
    findings.passed("record.content", member, message, { ...values, words: tellObservations(record) });
  } else {
    findings.passed("record.content", member, "", values);
  }
}

/** Files inside the bundle or beside it are those of opened records. */
export async function checkOriginals(context: Context): Promise<void> {
  const { bundle, findings } = context;
  const records = new Map(
    context.records.filter(({ record }) => record.kind === "file").map((opened) => [opened.member, opened]),
  );
  const seen = new Set<string>();
  for (const name of bundle.group("originals")) {
    const member = `records/${padded(numberOf(name))}.json`;
    const opened = records.get(member);
    if (opened === undefined) {
      const fault = new Fault("an original without an opened file record of its number");
      findings.failed("original.match", name, fault);
      continue;
    }
    seen.add(member);
    await checkInside(context, name, opened);
  }
  for (const original of context.originals) {
    const found = [...records.values()].filter(({ record }) => isSame(record, original.digests));
    if (found.length === 0) findings.failed("original.match", original.name, otherFile());
    for (const { member, record } of found.sort((left, right) => (left.member < right.member ? -1 : 1))) {
      seen.add(member);
      pass(context, original.name, record, original.digests);
    }
  }
  for (const { member, record } of records.values()) {
    if (seen.has(member)) continue;
    const message = "the file was not given: only its digest is proven";
    findings.notProvided("original.match", member, message, { record: record.name });
  }
}

async function checkInside(context: Context, name: string, { record }: OpenedRecord): Promise<void> {
  const digests = await context.findings.attempt("original.match", name, async () => {
    // Not one byte more than the record speaks of is unpacked.
    if (context.bundle.archive.size(name) !== record.fields["size"]) throw otherFile();
    const found = await context.digestMember(name);
    if (!isSame(record, found)) throw otherFile();
    return found;
  });
  if (digests) pass(context, name, record, digests);
}

function pass({ findings }: Context, subject: string, record: ParsedRecord, { sha256, sm3 }: FileDigests): void {
  findings.passed("original.match", subject, "", { record: record.name, sha256, sm3 });
}

function isSame({ fields }: ParsedRecord, { size, sha256, sm3 }: FileDigests): boolean {
  return fields["size"] === size && fields["sha256"] === sha256 && fields["sm3"] === sm3;
}

function otherFile(): Fault {
  return new Fault("this file is not the one that was sealed; that says nothing about the evidence itself");
}
