/** Who had the evidence since it was deposited: a line of time of what was recorded. */

import { parseInstant } from "../instants.js";
import type { CustodyLine, PartyLine, Report } from "../report.js";
import { clean, el, moment } from "./dom.js";
import { _ } from "./language.js";

const WHAT: Readonly<Record<string, string>> = {
  handover: "hand-over",
  "copy-handover": "hand-over of a copy",
  opening: "opening",
  copy: "copying",
  "medium-change": "change of medium",
  "seal-number": "new seal number",
  inspection: "inspection",
  storage: "putting into storage",
  destruction: "destruction",
  other: "other",
};
// A page of thousands helps nobody; the report as JSON has them all.
const [FIRST, LAST] = [50, 150];

export function renderCustody({ custody }: Report): HTMLElement | undefined {
  if (custody.length === 0) return undefined;
  const hidden = Math.max(0, custody.length - FIRST - LAST);
  const items = custody.flatMap((line, place) => {
    if (hidden > 0 && place === FIRST) {
      return [el("li", {}, _("{count} further events are left out here; they stand in the report as JSON", { count: hidden }))];
    }
    return hidden > 0 && place > FIRST && place < FIRST + hidden ? [] : [renderLine(line)];
  });
  return el(
    "section",
    {},
    el("h2", {}, _("Custody, as those who took part tell it")),
    el("ol", { class: "custody" }, ...items),
    el("p", {}, _("This is what was recorded. Nothing shows that nothing else happened, or that no later event is missing.")),
  );
}

function renderLine(line: CustodyLine): HTMLElement {
  const { by, to, before, after } = line;
  const said: [string, ...string[]][] = [
    [_("who"), nameOf(by), ...(to === null ? [] : [`→ ${nameOf(to)}`])],
    [_("where"), clean(line.where)],
    [_("why"), clean(line.why)],
  ];
  if (line.note !== null) said.push([_("what exactly"), clean(line.note)]);
  if (line.seal_number !== null) said.push([_("seal number"), clean(line.seal_number)]);
  if (before !== null || after !== null) {
    const [first, second] = [before, after].map((digest) => (digest === null ? _("not said") : `${digest.slice(0, 12)}…`));
    said.push(["SHA-256", first === second ? _("{digest}, before and after", { digest: first as string }) : `${first} → ${second}`]);
  }
  // Of one that does not hold it was not looked at, unless that is what is wrong with it.
  if (line.holds || line.leaf_index !== null) {
    said.push([_("place in the log"), line.leaf_index === null ? _("not on record") : String(line.leaf_index)]);
  }
  const title = `${line.number}. ${_(WHAT[line.what] ?? line.what)}`;
  return el(
    "li",
    { class: line.holds ? "" : "other" },
    el("h3", {}, title, line.holds ? "" : ` · ${_("does not hold")}`),
    el("p", {}, moment(parseInstant(line.at))),
    el("dl", {}, ...said.map(([name, ...lines]) => el("div", {}, el("dt", {}, name), el("dd", {}, ...lines.map((text) => el("bdi", {}, text)))))),
  );
}

function nameOf(party: PartyLine): string {
  const name = [party.name, party.organisation, party.role].filter((text) => text !== null).join(" · ");
  if (party.known_as === null) return _("{name} [nobody says whose key it is]", { name });
  return _("{name} [key of {owner}]", { name, owner: party.known_as });
}
