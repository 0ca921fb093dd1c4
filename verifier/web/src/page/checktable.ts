/** Every check, in the groups in which an appraiser goes through them. */

import { CODES } from "../codes.js";
import type { Check, Report, Status } from "../report.js";
import { code, el, foreign } from "./dom.js";
import { _ } from "./language.js";

const WORDS: Readonly<Record<Status, string>> = {
  PASS: "passed",
  FAIL: "FAILED",
  NOT_CHECKED: "not checked",
  NOT_PROVIDED: "not provided",
};
// More passed checks of one code than this are folded into one row.
const MANY = 12;

function groups(): readonly (readonly [title: string, prefixes: readonly string[]])[] {
  return [
    [_("Bundle and trust file"), ["trust.", "bundle."]],
    [_("Statement, records, originals"), ["envelope.", "record.", "original."]],
    [_("Log and witnesses"), ["log.", "checkpoint.", "witness."]],
    [_("Chain"), ["anchor.", "observation.", "foreign.", "online."]],
    [_("Time stamps"), ["timestamp.", "token.", "renewal.", "hash."]],
    [_("Order of times"), ["beacon.", "time."]],
    [_("Depositor"), ["depositor."]],
    [_("Other members"), [""]],
  ];
}

export function renderChecks(report: Report): HTMLElement {
  const left = new Set(report.checks);
  const sections = groups().map(([title, prefixes]) => {
    const found = [...left].filter((check) => prefixes.some((prefix) => check.code.startsWith(prefix)));
    for (const check of found) left.delete(check);
    return found.length > 0 && renderGroup(title, found, report.verdict === "undetermined");
  });
  const count = (status: Status): number => report.checks.filter((check) => check.status === status).length;
  const summary = _("{passed} passed, {failed} failed, {open} not checked, {absent} not provided", {
    passed: count("PASS"),
    failed: count("FAIL"),
    open: count("NOT_CHECKED"),
    absent: count("NOT_PROVIDED"),
  });
  return el("section", { class: "checks" }, el("h2", {}, _("Checks")), el("p", {}, summary), ...sections);
}

function renderGroup(title: string, checks: readonly Check[], isUndetermined: boolean): HTMLElement {
  const order = Object.keys(CODES);
  const byCode = new Map<string, Check[]>();
  for (const check of checks) byCode.set(check.code, [...(byCode.get(check.code) ?? []), check]);
  const sorted = [...byCode].sort(([left], [right]) => order.indexOf(left) - order.indexOf(right));
  const statuses = (Object.keys(WORDS) as Status[]).flatMap((status) => {
    const count = checks.filter((check) => check.status === status).length;
    return count > 0 ? [el("span", { class: `pill ${status}` }, `${_(WORDS[status])} ${count}`)] : [];
  });
  // What needs a look is open; the rest opens at a touch, and for printing.
  const isOpen = checks.some(({ status }) => status === "FAIL" || (isUndetermined && status === "NOT_CHECKED"));
  return el(
    "details",
    { class: "group", open: isOpen },
    el("summary", {}, el("h3", {}, title), el("span", { class: "counts" }, ...statuses)),
    el("ul", { class: "rows" }, ...sorted.flatMap(([, same]) => renderSame(same))),
  );
}

function renderSame(checks: readonly Check[]): HTMLElement[] {
  const passed = checks.filter(({ status }) => status === "PASS");
  if (passed.length <= MANY) return checks.map(renderRow);
  const others = checks.filter(({ status }) => status !== "PASS").map(renderRow);
  const rows = el("ul", { class: "rows" });
  const first = passed[0] as Check;
  const folded = el(
    "details",
    {
      // Made when somebody looks: a bundle may open thousands.
      toggle: () => {
        if (rows.childElementCount === 0) rows.append(...passed.map(renderRow));
      },
    },
    el("summary", {}, _("{count} passed", { count: passed.length })),
    rows,
  );
  return [...others, el("li", { class: "PASS" }, pill("PASS"), el("div", {}, heading(first), folded))];
}

function renderRow(check: Check): HTMLElement {
  const { status, subject, message, values } = check;
  const names = Object.keys(values);
  return el(
    "li",
    { class: status },
    pill(status),
    el(
      "div",
      {},
      heading(check),
      subject !== "" && el("p", { class: "subject" }, foreign(subject)),
      message !== "" && el("p", { class: "message" }, _(message, values)),
      names.length > 0 &&
        el(
          "details",
          {},
          el("summary", {}, _("values compared")),
          el(
            "dl",
            { class: "values" },
            ...names.map((name) => el("div", {}, el("dt", {}, name), el("dd", {}, code(values[name])))),
          ),
        ),
    ),
  );
}

function heading(check: Check): HTMLElement {
  return el("p", { class: "title" }, _(CODES[check.code] ?? check.code), " ", el("code", { class: "code" }, check.code));
}

function pill(status: Status): HTMLElement {
  return el("span", { class: `pill ${status}` }, _(WORDS[status]));
}
