/** What the platform says of itself, PDFs, and the page that may be enclosed. */

import type { Group } from "../documents/bundle.js";
import { MAX_ENVELOPE_BYTES } from "../documents/dsse.js";
import { openPlatform, type PlatformFacts } from "../documents/issued.js";
import { OpenQuestion } from "../errors.js";
import { findKey } from "../trust.js";
import type { Context } from "./context.js";

const PAGE = "verify.html";
const PLATFORM = "platform.dsse.json";
const FACTS = "platform.facts";
const PAPER = new OpenQuestion("this page reads no PDF: mizheng verify and PDF readers show who signed it");
const LIST = new OpenQuestion("its digest is in the depositor's signed list; what its pages name was not compared");

export async function checkOthers(context: Context): Promise<void> {
  await checkPlatform(context);
  leaveOpen(context, "certificate", "certificate.signature", PAPER);
  leaveOpen(context, "exhibits", "exhibits.list", LIST);
  await checkPage(context);
}

function leaveOpen({ bundle, findings }: Context, group: Group, code: string, why: OpenQuestion): void {
  const [first] = bundle.group(group);
  if (first === undefined) findings.notProvided(code);
  else findings.failed(code, first, why);
}

/** What the platform says of itself, signed by the issuer who enrolled the depositor's key. */
async function checkPlatform({ bundle, findings, issuer, now, trust }: Context): Promise<void> {
  if (!bundle.has(PLATFORM)) {
    findings.notProvided(FACTS);
    return;
  }
  const read = async (): Promise<PlatformFacts> => openPlatform(await bundle.read(PLATFORM, MAX_ENVELOPE_BYTES), now);
  const stated = await findings.attempt(FACTS, PLATFORM, read);
  if (stated === undefined) return;
  const signer = trust && findKey(trust.issuers, stated.signer);
  if (signer === undefined) findings.notChecked(FACTS, PLATFORM, "the issuer is not in a trust file");
  else if (issuer?.name !== signer.name) {
    const message = "the platform that speaks of itself is not the one that enrolled the key";
    findings.notChecked(FACTS, PLATFORM, message);
  } else {
    findings.passed(FACTS, PLATFORM, "by the own word of {operator}, {stated_at}: {words}", {
      operator: stated.operator,
      stated_at: stated.statedAt,
      words: stated.facts.map(({ told }) => told).join("; "),
      about: listSubjects(stated, false),
      ended: listSubjects(stated, true),
    });
  }
}

/** About what there are facts that still count, or that have run out; each once. */
function listSubjects({ facts }: PlatformFacts, hasExpired: boolean): string {
  return [...new Set(facts.filter((fact) => fact.hasExpired === hasExpired).map(({ about }) => about))].join(", ");
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
