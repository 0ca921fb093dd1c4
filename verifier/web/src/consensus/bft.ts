/** IBFT 2.0 and QBFT: a quorum of committed seals in the block's own header; as verifier/consensus/bft.py. */

import { Fault, OpenQuestion } from "../errors.js";
import type { SealedHeader } from "./sealed.js";
import { computeQuorum, requireList, type ValidatorSet } from "./validators.js";

/** The header holds up by its own account. */
export function checkHeader(sealed: SealedHeader): void {
  if (new Set(sealed.signers).size !== sealed.signers.length) throw new Fault("a validator sealed twice");
  if (sealed.listed.length === 0) return;
  const listed = new Set(sealed.listed);
  if (listed.size !== sealed.listed.length) throw new Fault("a header that lists a validator twice");
  if (!sealed.signers.every((signer) => listed.has(signer))) {
    throw new Fault("a seal of somebody whom the header does not list as validator");
  }
  const needed = computeQuorum("ibft2", listed.size);
  if (sealed.signers.length < needed) {
    throw new Fault("{count} seals, where the header's own validators ask for {needed}", {
      count: sealed.signers.length,
      needed,
    });
  }
}

/** Which of the trusted validators sealed. */
export function judgeHeader(sealed: SealedHeader, trusted: ValidatorSet): ReadonlySet<string> {
  requireList(trusted, sealed.listed);
  if (!sealed.signers.every((signer) => trusted.members.has(signer))) {
    throw new OpenQuestion("the block is sealed by somebody whom the trust file does not name");
  }
  return new Set(sealed.signers);
}
