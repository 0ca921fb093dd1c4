/** What checking a bundle gave: checks, times, conclusions and one verdict (docs/spec/10-verdict.md). */

import { CODES, NEEDED, NEEDED_ONE_OF } from "./codes.js";
import { Fault, LaterVersion, OpenQuestion, type Values } from "./errors.js";
import { formatInstant } from "./instants.js";

export type Status = "PASS" | "FAIL" | "NOT_CHECKED" | "NOT_PROVIDED";
export type Verdict = "valid" | "invalid" | "undetermined";

export interface Check {
  readonly code: string;
  readonly status: Status;
  /** The member or file that it is about; empty for the whole bundle. */
  readonly subject: string;
  /** A message id; `values` fill it and are the values compared. */
  readonly message: string;
  readonly values: Values;
}

/** An instant and what proves it. */
export interface ProvenTime {
  /** Seconds since 1970. */
  readonly at: number;
  readonly by: string;
  readonly values: Values;
}

/** Something that speaks for the time before anchoring: given, or not. */
export interface Support {
  readonly what: string;
  readonly isGiven: boolean;
  readonly detail: string;
}

/** Somebody who takes part in a custody event. */
export interface PartyLine {
  readonly name: string;
  readonly organisation: string | null;
  readonly role: string | null;
  readonly keyid: string;
  /** Whose key it is by those whom the trust file names. */
  readonly known_as: string | null;
}

/** One event of the evidence's custody, as its signers tell it; digests are hex, null is not said. */
export interface CustodyLine {
  readonly number: number;
  readonly what: string;
  readonly by: PartyLine;
  readonly to: PartyLine | null;
  readonly at: string;
  readonly where: string;
  readonly why: string;
  readonly note: string | null;
  readonly before: string | null;
  readonly after: string | null;
  readonly seal_number: string | null;
  readonly sha256: string;
  leaf_index: bigint | null;
  /** Nothing was found wrong with it or any before it. */
  holds: boolean;
}

export interface Report {
  readonly checks: readonly Check[];
  readonly verdict: Verdict;
  /** Codes that had to pass for `valid` and did not. */
  readonly missing: readonly string[];
  readonly isTrial: boolean;
  readonly earliest: ProvenTime | undefined;
  readonly latest: ProvenTime | undefined;
  readonly clocks: readonly ProvenTime[];
  readonly isUnchangedSinceAnchored: boolean;
  readonly supports: readonly Support[];
  readonly facts: Values;
  readonly custody: readonly CustodyLine[];
}

/** Collects checks while verifying. */
export class Findings {
  readonly checks: Check[] = [];
  hasLaterVersion = false;

  add(code: string, status: Status, subject: string, message: string, values: Values): void {
    if (!Object.hasOwn(CODES, code)) throw new Error(`check code ${code} is not in the list`);
    this.checks.push({ code, status, subject, message, values });
  }

  passed(code: string, subject = "", message = "", values: Values = {}): void {
    this.add(code, "PASS", subject, message, values);
  }

  /** What was not understood, or comes from somebody nobody trusts, is no failure; anything else is. */
  failed(code: string, subject: string, fault: Fault): void {
    this.hasLaterVersion ||= fault instanceof LaterVersion;
    this.add(code, fault instanceof OpenQuestion ? "NOT_CHECKED" : "FAIL", subject, fault.id, fault.values);
  }

  notChecked(code: string, subject: string, message: string, values: Values = {}): void {
    this.add(code, "NOT_CHECKED", subject, message, values);
  }

  notProvided(code: string, subject = "", message = "", values: Values = {}): void {
    this.add(code, "NOT_PROVIDED", subject, message, values);
  }

  /** What the action gives, or undefined and a finding where it finds a fault. */
  async attempt<T>(code: string, subject: string, action: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.failed(code, subject, error);
      return undefined;
    }
  }

  hasPassed(code: string): boolean {
    return this.checks.some((check) => check.code === code && check.status === "PASS");
  }

  get hasFailed(): boolean {
    return this.checks.some((check) => check.status === "FAIL");
  }
}

export function computeVerdict(findings: Findings, require: readonly string[]): [Verdict, readonly string[]] {
  const missing = [...NEEDED, ...require].filter((code) => !findings.hasPassed(code));
  if (!NEEDED_ONE_OF.some((code) => findings.hasPassed(code))) missing.push(...NEEDED_ONE_OF);
  if (findings.hasFailed) return ["invalid", missing];
  // A member of a later version was not looked at: what it would have said is not known.
  return [missing.length > 0 || findings.hasLaterVersion ? "undetermined" : "valid", missing];
}

let readMessage = (message: string): string => message;

/** How a message becomes English text, where it is not that itself. */
export function readMessagesWith(read: (message: string) => string): void {
  readMessage = read;
}

/** A message id with its placeholders filled; `{name!r}` puts quotes around, as the catalogue's ids ask for. */
export function fill(message: string, values: Values): string {
  return readMessage(message).replace(/\{(\w+)(!r)?\}/g, (whole, name: string, quoted: string | undefined) => {
    if (!Object.hasOwn(values, name)) return whole;
    const text = String(values[name]);
    return quoted ? `'${text}'` : text;
  });
}

/** The report as `mizheng verify --json` writes it (docs/spec/10-verdict.md, "The report as JSON"); words in English. */
export function toJson(report: Report): Record<string, unknown> {
  return {
    type: "mizheng/report/v1",
    trial: report.isTrial,
    verdict: report.verdict,
    missing: report.missing,
    earliest: report.earliest ? timeToJson(report.earliest) : null,
    latest: report.latest ? timeToJson(report.latest) : null,
    clocks: report.clocks.map(timeToJson),
    conclusions: {
      unchanged_since_anchored: report.isUnchangedSinceAnchored,
      before_anchoring: report.supports.map(({ what, isGiven, detail }) => ({ what, given: isGiven, detail })),
    },
    facts: plainValues(report.facts),
    custody: report.custody.map((line) => ({ ...line, leaf_index: line.leaf_index === null ? null : plainNumber(line.leaf_index) })),
    checks: report.checks.map((check) => ({
      code: check.code,
      status: check.status,
      subject: check.subject,
      message: fill(check.message, check.values),
      values: plainValues(check.values),
    })),
  };
}

function timeToJson(time: ProvenTime): Record<string, string> {
  return { at: formatInstant(time.at), by: fill(time.by, time.values) };
}

function plainValues(values: Values): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, typeof value === "bigint" ? plainNumber(value) : value]),
  );
}

function plainNumber(value: bigint): number | string {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
}
