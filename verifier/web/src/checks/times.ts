/** The proven interval of time: not before the beacon's block, not after the earliest token or anchor. */

import { MAX_BEACON_BYTES, parseBeacon, verifyBeacon } from "../evm/anchor.js";
import { Fault } from "../errors.js";
import { formatInstant } from "../instants.js";
import { fill, type ProvenTime } from "../report.js";
import { findTrustedChain } from "./consensus.js";
import { checkCanonical, type Seen } from "./block.js";
import type { Context } from "./context.js";

const BEACON = "beacon.json";
const FAR_APART_SECONDS = 3600;

/** The statement names a block hash nobody could know earlier: it was signed after that block. */
export async function checkBeacon(context: Context, seen: readonly Seen[]): Promise<void> {
  const { bundle, findings, trust } = context;
  const block = context.statement.notBefore;
  if (block === null) {
    findings.notProvided("beacon.block", "", "the statement names no not-before block");
    return;
  }
  if (!bundle.has(BEACON)) {
    findings.notChecked("beacon.block", "", "the bundle does not carry the header of the not-before block");
    return;
  }
  const found = await findings.attempt("beacon.block", BEACON, async () => {
    const beacon = parseBeacon(await bundle.read(BEACON, MAX_BEACON_BYTES));
    context.isTrial ||= beacon.chain.kind === "trial";
    return { beacon, header: verifyBeacon(beacon, block) };
  });
  if (found === undefined) return;
  findings.passed("beacon.block", BEACON, "", { number: block.number, hash: block.hash });
  if (trust === undefined) {
    findings.notChecked("beacon.canonical", BEACON, "no trust file was given");
    return;
  }
  // The kind is in no block and in no statement: without it a trial chain could pass for a real one.
  const chain = findTrustedChain(trust, found.beacon.chain);
  if (chain === undefined) {
    const values = { chain_id: block.chainId };
    findings.notChecked("beacon.canonical", BEACON, "the trust file does not know this chain", values);
    return;
  }
  if (checkCanonical(context, "beacon.canonical", BEACON, chain, block, seen)) {
    const values = { number: block.number, chain: chain.name };
    context.earliest = { at: found.header.timestamp, by: "block {number} of {chain}", values };
  }
}

/** The earliest of the latest times. */
export function checkTimeOrder(context: Context): ProvenTime | undefined {
  const { bundle, findings, earliest } = context;
  const clocks = [...context.latest].sort((left, right) => left.at - right.at);
  checkClocks(context, clocks);
  const latest = clocks[0];
  const hasLatest = bundle.group("anchors").length > 0 || bundle.group("timestamps").length > 0;
  if (context.statement.notBefore === null || !hasLatest) {
    const message = "only with a not-before block and an anchor or token is there an order to check";
    findings.notProvided("time.order", "", message);
  } else if (latest === undefined || earliest === undefined) {
    findings.notChecked("time.order", "", "not both of the times are proven");
  } else {
    const values = { earliest: formatInstant(earliest.at), latest: formatInstant(latest.at) };
    if (earliest.at > latest.at) {
      const message = "the not-before block of {earliest} is later than {latest}";
      findings.failed("time.order", "", new Fault(message, values));
    } else {
      findings.passed("time.order", "", "", values);
    }
  }
  return latest;
}

/** Whether all that dates the bundle tells about the same time. No clock is right because others are. */
function checkClocks({ findings }: Context, clocks: readonly ProvenTime[]): void {
  const [first, last] = [clocks[0], clocks.at(-1)];
  if (clocks.length < 2 || first === undefined || last === undefined) {
    const message = "fewer than two clocks date this: there is nothing to compare";
    findings.notProvided("time.clocks", "", message);
    return;
  }
  const values = {
    first: fill(first.by, first.values),
    first_at: formatInstant(first.at),
    last: fill(last.by, last.values),
    last_at: formatInstant(last.at),
  };
  if (last.at - first.at > FAR_APART_SECONDS) {
    const message =
      "more than an hour apart: the first says {first_at}, the last {last_at}; one was asked late, or its clock is " +
      "wrong";
    findings.notChecked("time.clocks", "", message, values);
  } else {
    findings.passed("time.clocks", "", "the first says {first_at}, the last {last_at}", values);
  }
}
