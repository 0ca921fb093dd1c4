/** The report as a person reads it: the verdict first, then what it rests on, then every check. */

import { formatForPeople } from "../instants.js";
import type { ProvenTime, Report, Verdict } from "../report.js";
import type { Checked } from "./app.js";
import { renderChecks } from "./checktable.js";
import { renderCustody } from "./custody.js";
import { code, el, foreign, moment } from "./dom.js";
import { _, formatSize } from "./language.js";

const NAMES: Readonly<Record<Verdict, string>> = {
  valid: "VALID",
  invalid: "INVALID",
  undetermined: "UNDETERMINED",
};
const MEANINGS: Readonly<Record<Verdict, string>> = {
  valid: "every check that a valid bundle needs has passed",
  invalid: "at least one check failed",
  undetermined: "nothing failed, but not all that is needed could be checked",
};
const MARKS: Readonly<Record<Verdict, string>> = { valid: "✓", invalid: "✕", undetermined: "?" };
// docs/spec/10-verdict.md: what no bundle ever proves.
const NOT_PROVEN = [
  "who created the content, and who owns it",
  "that it was secret, and that the depositor's claims are true",
  "that no other record or deposit contradicts it: a depositor may seal many versions and open one",
  "the order of deposits within one anchor interval",
];

export function renderReport(checked: Checked): HTMLElement {
  const { report } = checked;
  return el(
    "article",
    { class: "report" },
    verdictOf(report),
    checked.clue !== undefined && el("p", { class: "warning" }, checked.clue),
    originalsOf(checked),
    factsOf(report),
    timesOf(report),
    renderCustody(report),
    conclusionsOf(report),
    notProvenOf(report),
    renderChecks(report),
    materialOf(checked),
    el(
      "div",
      { class: "actions" },
      el("button", { type: "button", click: () => window.print() }, _("Print")),
    ),
  );
}

function verdictOf(report: Report): HTMLElement {
  const { verdict, missing } = report;
  return el(
    "section",
    { class: `verdict ${verdict}`, tabindex: "-1", "aria-labelledby": "mizheng-verdict" },
    report.isTrial &&
      el("p", { class: "trial" }, _("TRIAL, no evidential value: "), _("These times come from a chain for trying and are no evidence.")),
    el("span", { class: "sign", "aria-hidden": "true" }, MARKS[verdict]),
    el(
      "div",
      {},
      el("h2", { id: "mizheng-verdict" }, _(NAMES[verdict])),
      el("p", {}, _(MEANINGS[verdict])),
      missing.length > 0 &&
        el("p", { class: "missing" }, _("Still needed for a valid verdict: {codes}", { codes: [...new Set(missing)].join(", ") })),
    ),
  );
}

/** "This file is not the one" is told apart from "the evidence is broken". */
function originalsOf({ report, originals }: Checked): HTMLElement | undefined {
  if (originals.length === 0) return undefined;
  const rows = originals.map(({ file, digests }) => {
    const found = report.checks.filter(({ code, subject }) => code === "original.match" && subject === file.name);
    const isMatch = found.some(({ status }) => status === "PASS");
    const isChecked = found.length > 0;
    const word = isMatch
      ? _("This is the file that was sealed, byte for byte.")
      : isChecked
        ? _("This file is not the one that was sealed. That says nothing about the evidence itself.")
        : _("This file could not be compared: the bundle cannot be read.");
    return el(
      "li",
      { class: isMatch ? "match" : isChecked ? "other" : "open" },
      el("p", {}, el("strong", {}, foreign(file.name)), " ", el("span", { class: "size" }, formatSize(file.size))),
      el("p", {}, word),
      table([
        ["SHA-256", code(digests.sha256)],
        ["SM3", code(digests.sm3)],
      ]),
    );
  });
  return el("section", {}, el("h2", {}, _("Originals")), el("ul", { class: "originals" }, ...rows));
}

function factsOf({ checks, facts }: Report): HTMLElement | undefined {
  if (facts["depositor"] === undefined) return undefined;
  const isNamed = checks.some(({ code, status }) => code === "depositor.x509" && status === "PASS");
  const how = facts["depositor_is_enrolled"] ? _("enrolled") : _("claimed");
  // A certificate names the company; nothing compares its number.
  const certified = isNamed && !facts["depositor_is_enrolled"] ? ` (${_("certified")})` : "";
  const rows: [string, Node | string][] = [
    [_("depositor"), el("span", {}, foreign(facts["depositor"]), `${certified} · `, foreign(facts["depositor_id"]), ` (${how})`)],
  ];
  if (facts["operator"] !== null) rows.push([_("operator, as the depositor names him"), foreign(facts["operator"])]);
  rows.push(
    [_("claimed time, by the depositor alone"), String(facts["claimed_at"])],
    [_("software, by the depositor's account"), foreign(facts["software"])],
    [_("statement"), el("span", {}, "SHA-256 ", code(facts["envelope_sha256"]))],
    [_("commitment"), code(facts["commitment"])],
  );
  if (facts["leaf_index"] !== null) {
    const values = { index: facts["leaf_index"] as bigint, size: facts["tree_size"] as bigint };
    rows.push([_("place in the log"), _("leaf index {index} in a tree of {size}", values)]);
  }
  return el("section", {}, el("h2", {}, _("The deposit")), table(rows));
}

function timesOf(report: Report): HTMLElement {
  const rows: [string, Node | string][] = [
    [_("the statement was signed not before"), timeOf(report.earliest)],
    [_("what is opened existed not after"), timeOf(report.latest)],
    ...report.clocks.slice(1).map((clock): [string, Node] => [_("also dated"), timeOf(clock)]),
  ];
  return el("section", {}, el("h2", {}, _("Times proven")), table(rows));
}

function timeOf(time: ProvenTime | undefined): HTMLElement {
  if (time === undefined) return el("span", { class: "none" }, _("nothing proves it"));
  return el("span", {}, moment(time.at), ` · ${_(time.by, time.values)}`);
}

function conclusionsOf(report: Report): HTMLElement {
  const supports = report.supports.map(({ what, isGiven, detail }) => {
    const values = { what: _(what), detail: isGiven ? detail : _("not provided") };
    return el("li", { class: isGiven ? "" : "none" }, _("{what}: {detail}", values));
  });
  return el(
    "section",
    {},
    el("h2", {}, _("Conclusions")),
    el("h3", {}, _("Conclusion 1, unchanged since anchoring (Online Litigation Rules Art. 16)")),
    el("p", {}, firstConclusion(report)),
    el("h3", {}, _("Conclusion 2, the time before anchoring (Art. 18): for the court to weigh")),
    supports.length > 0
      ? el("ul", {}, ...supports)
      : el("p", {}, _("nothing could be read that would speak for it")),
  );
}

function firstConclusion(report: Report): string {
  if (report.isUnchangedSinceAnchored && report.latest) {
    const time = formatForPeople(report.latest.at);
    if (report.isTrial) return _("shown for trying only, no evidence: unchanged since {time}", { time });
    return _("shown: what is opened is unchanged since {time}", { time });
  }
  if (report.verdict === "invalid") return _("not shown: a check failed");
  return _("not shown: no anchor whose block is known to belong to the chain");
}

function notProvenOf(report: Report): HTMLElement {
  const items = [...NOT_PROVEN];
  if (report.supports.length > 0) items.push("how many further records the same deposit holds");
  return el(
    "section",
    {},
    el("h2", {}, _("Not proven by any bundle")),
    el("ul", {}, ...items.map((item) => el("li", {}, _(item)))),
  );
}

/** What was checked and with what: without it nobody could repeat the check. */
function materialOf({ bundle, bundleSha256, trust, at }: Checked): HTMLElement {
  const rows: [string, Node | string][] = [
    [_("bundle"), el("span", {}, foreign(bundle.name), ` · ${formatSize(bundle.size)} · SHA-256 `, code(bundleSha256))],
    [
      _("trust file"),
      trust
        ? el("span", {}, foreign(trust.name), ` · ${_("until {at}", { at: trust.expiresAt })} · SHA-256 `, code(trust.sha256))
        : _("none"),
    ],
    [_("checked at, by this machine's clock"), moment(at)],
    [_("software"), _("verify.html of Mizheng, the second verifier")],
  ];
  return el("section", {}, el("h2", {}, _("What was checked, and with what")), table(rows));
}

function table(rows: readonly (readonly [string, Node | string])[]): HTMLElement {
  return el("dl", {}, ...rows.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}
