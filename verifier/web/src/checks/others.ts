/** Members that are known by name only. */

import type { Group } from "../documents/bundle.js";
import type { Context } from "./context.js";

const UNCHECKED: readonly (readonly [group: Group, code: string])[] = [
  ["x509", "depositor.x509"],
  ["custody", "custody.chain"],
  ["disclosure", "disclosure.entry"],
  ["platform", "platform.facts"],
  ["certificate", "certificate.signature"],
  ["exhibits", "exhibits.list"],
  ["page", "page.digest"],
];

export function checkOthers({ bundle, findings }: Context): void {
  for (const [group, code] of UNCHECKED) {
    const [first] = bundle.group(group);
    if (first === undefined) findings.notProvided(code);
    else findings.notChecked(code, first, "the bundle carries this, but this version does not check it");
  }
}
