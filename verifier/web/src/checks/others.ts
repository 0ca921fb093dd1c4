/** Members that are known by name only, and the page that may be enclosed. */

import type { Group } from "../documents/bundle.js";
import { OpenQuestion } from "../errors.js";
import type { Context } from "./context.js";

const PAGE = "verify.html";
const UNKNOWN = new OpenQuestion("the bundle carries this, but this version does not check it");
const PAPER = new OpenQuestion("this page reads no PDF: mizheng verify and PDF readers show who signed it");
const LIST = new OpenQuestion("its digest is in the depositor's signed list; what its pages name was not compared");
const UNCHECKED: readonly (readonly [group: Group, code: string, why: OpenQuestion])[] = [
  ["x509", "depositor.x509", UNKNOWN],
  ["platform", "platform.facts", UNKNOWN],
  ["certificate", "certificate.signature", PAPER],
  ["exhibits", "exhibits.list", LIST],
];

export async function checkOthers(context: Context): Promise<void> {
  const { bundle, findings } = context;
  for (const [group, code, why] of UNCHECKED) {
    const [first] = bundle.group(group);
    if (first === undefined) findings.notProvided(code);
    else findings.failed(code, first, why);
  }
  await checkPage(context);
}

/** The enclosed page is one that the trust file names as published. It is a convenience, never evidence. */
async function checkPage({ bundle, findings, trust }: Context): Promise<void> {
  if (!bundle.has(PAGE)) {
    findings.notProvided("page.digest");
    return;
  }
  const sha256 = await findings.attempt("page.digest", PAGE, () => bundle.sha256(PAGE));
  if (sha256 === undefined) return;
  if (trust === undefined) {
    findings.notChecked("page.digest", PAGE, "no trust file was given");
    return;
  }
  const release = trust.releases.find((each) => each.sha256 === sha256);
  if (release) findings.passed("page.digest", PAGE, "published as {name}", { name: release.name, sha256 });
  else findings.notChecked("page.digest", PAGE, "the trust file does not name this page as published", { sha256 });
}
