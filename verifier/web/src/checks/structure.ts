/** Form of the ZIP, the depositor's signed list, and every member on it. */

import { DOCUMENT, type MemberList, openMemberList } from "../documents/bundle.js";
import { Fault } from "../errors.js";
import type { Context } from "./context.js";

export function checkForm({ bundle, findings }: Context): void {
  if (bundle.isCanonical) findings.passed("bundle.form");
  else findings.notChecked("bundle.form", "", "somebody packed the ZIP anew; its members are judged one by one");
}

export async function checkMemberList(context: Context): Promise<MemberList | undefined> {
  const { bundle, findings, statement } = context;
  const list = await findings.attempt("bundle.signature", DOCUMENT, async () => {
    const found = openMemberList(await bundle.read(DOCUMENT), statement.publicKey);
    if (found.envelopeSha256 !== context.envelopeSha256) {
      throw new Fault("the list of members was made for another statement");
    }
    return found;
  });
  if (list) findings.passed("bundle.signature", DOCUMENT, "", { keyid: statement.publicKey.keyid });
  return list;
}

/** Every member of the depositor is listed with its digest, and every listed one is there. */
export async function checkMembers(context: Context, list: MemberList): Promise<void> {
  const { bundle, findings } = context;
  const there = bundle.depositorMembers;
  let isWhole = true;
  for (const name of [...new Set([...there, ...list.members.keys()])].sort()) {
    const isRight = await findings.attempt("bundle.members", name, async () => {
      const listed = list.members.get(name);
      if (listed === undefined) throw new Fault("a member that the depositor's list does not name");
      if (!bundle.has(name)) throw new Fault("a member of the depositor's list is missing");
      const isOriginal = name.startsWith("originals/");
      const found = isOriginal ? (await context.digestMember(name)).sha256 : await bundle.sha256(name);
      if (found !== listed) {
        const message = "the member is not the one the depositor listed: {found}, listed {listed}";
        throw new Fault(message, { found, listed });
      }
      return true;
    });
    isWhole &&= isRight === true;
  }
  if (isWhole) {
    const message = "{count} members agree with the depositor's signed list";
    findings.passed("bundle.members", "", message, { count: there.length });
  }
}
