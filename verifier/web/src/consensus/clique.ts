/** Clique: one seal a block, so a block is as good as the signers that built on it; as verifier/consensus/clique.py. */

import { isEqual } from "../bytes.js";
import { Fault, OpenQuestion } from "../errors.js";
import type { SealedHeader } from "./sealed.js";
import { computeQuorum, findSet, requireList, type ValidatorSet } from "./validators.js";

const IN_TURN = 2n;
const OUT_OF_TURN = 1n;

/** The headers follow on each other and contradict nothing they say. */
export function checkHeaders(headers: readonly SealedHeader[]): void {
  headers.slice(1).forEach((later, place) => {
    const earlier = headers[place] as SealedHeader;
    if (!isEqual(later.header.parentHash, earlier.header.hash)) {
      throw new Fault("a header does not follow on the one before it");
    }
    if (later.header.number !== earlier.header.number + 1n) {
      throw new Fault("a header whose number does not follow on the one before it");
    }
  });
  for (const sealed of headers) {
    if (sealed.difficulty !== IN_TURN && sealed.difficulty !== OUT_OF_TURN) {
      throw new Fault("a clique header of difficulty {found}", { found: sealed.difficulty.toString() });
    }
    const listed = sealed.listed;
    if (listed.length > 0 && !sealed.signers.every((signer) => listed.includes(signer))) {
      throw new Fault("an epoch block sealed by somebody whom it does not list as signer");
    }
  }
}

/** Which of the signers trusted for the first block sealed it or built on it. */
export function judgeHeaders(
  headers: readonly SealedHeader[],
  trusted: ValidatorSet,
  sets: readonly ValidatorSet[],
): ReadonlySet<string> {
  const signedAt = new Map<string, number>();
  for (const sealed of headers) {
    const number = Number(sealed.header.number);
    const signer = sealed.signers[0] as string;
    const current = findSet(sets, "clique", number);
    if (!current.members.has(signer)) {
      throw new OpenQuestion("block {number} is sealed by somebody whom the trust file does not name", { number });
    }
    const order = [...current.members.keys()].sort();
    requireList(current, sealed.listed);
    const before = signedAt.get(signer);
    if (before !== undefined && number - before < computeQuorum("clique", order.length)) {
      throw new OpenQuestion("block {number} is sealed by a signer whose turn it could not be yet", { number });
    }
    const isInTurn = order[number % order.length] === signer;
    if (sealed.difficulty !== (isInTurn ? IN_TURN : OUT_OF_TURN)) {
      throw new OpenQuestion("the difficulty of block {number} does not fit the signers of the trust file", { number });
    }
    signedAt.set(signer, number);
  }
  return new Set([...signedAt.keys()].filter((signer) => trusted.members.has(signer)));
}
