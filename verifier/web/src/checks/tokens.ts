/**
 * Time-stamp tokens over checkpoints (docs/spec/6-time-stamps.md): each by its own time, then whether it still counts.
 * A check that fails ends its token; what follows reads NOT_CHECKED.
 */

import { isEqual, toHex } from "../bytes.js";
import { numberOf, padded } from "../documents/bundle.js";
import { parseCheckpoint } from "../documents/checkpoint.js";
import { Fault } from "../errors.js";
import { formatInstant } from "../instants.js";
import { type Judgement, judge } from "../timestamp/authority.js";
import { checkRevocation } from "../timestamp/revocation.js";
import { MAX_TEXT_BYTES, MAX_TOKEN_BYTES, parseResponse, parseToken, requireOver, type Token } from "../timestamp/token.js";
import type { Context } from "./context.js";

export const MAX_TOKENS = 64;
const NOT_REACHED = "not reached: a check of this token before it did not pass";

/** A token that holds by its own time, over a checkpoint that the log signed. */
export interface StampedText {
  readonly member: string;
  readonly text: Uint8Array;
  readonly size: bigint;
  readonly judgement: Judgement;
}

export async function checkTokens(context: Context): Promise<StampedText[]> {
  const { bundle, findings } = context;
  const names = bundle.group("timestamps");
  if (names.length === 0) {
    findings.notProvided("token.valid", "", "the bundle carries no time-stamp token");
    return [];
  }
  const stems = [...new Set(names.map((name) => `timestamps/${padded(numberOf(name))}`))];
  if (stems.length > MAX_TOKENS) {
    const fault = new Fault("more than {limit} time-stamp tokens", { limit: MAX_TOKENS });
    findings.failed("timestamp.token", "", fault);
    return [];
  }
  const found: StampedText[] = [];
  for (const stem of stems) {
    const stamped = await checkToken(context, `${stem}.tsr`, `${stem}.txt`);
    if (stamped === undefined) findings.notChecked("token.valid", `${stem}.tsr`, NOT_REACHED);
    else found.push(stamped);
  }
  return found;
}

/** Whether it still counts at the present time; `renewedUntil`: how long later tokens over it hold, if there are any. */
export function conclude(context: Context, stamped: StampedText, renewedUntil: number | undefined): void {
  const { findings, now } = context;
  const { member, judgement } = stamped;
  const until = Math.max(judgement.holdsUntil, renewedUntil ?? 0);
  if (now === undefined) {
    findings.notChecked("timestamp.current", member, "no present time was given to hold the token's end against");
  } else if (now > until) {
    const message = "it held until {until} ({why}), and nothing in the bundle renewed it before";
    findings.notChecked("timestamp.current", member, message, { until: formatInstant(until), why: judgement.why });
  } else {
    findings.passed("timestamp.current", member, "holds until {until}", { until: formatInstant(until) });
    const authority = judgement.authority.name;
    const { latest } = judgement.token;
    const values = { authority, at: formatInstant(latest), size: stamped.size };
    findings.passed("token.valid", member, "by {authority}, at the latest {at}", values);
    context.latest.push({ at: latest, by: "time-stamp token of {authority}", values: { authority } });
    return;
  }
  findings.notChecked("token.valid", member, NOT_REACHED);
}

async function checkToken(context: Context, name: string, textName: string): Promise<StampedText | undefined> {
  const { bundle, findings } = context;
  const read = async (member: string, limit: number): Promise<Uint8Array> => {
    if (!bundle.has(member)) throw new Fault("half of a pair: {name} is missing", { name: member });
    return bundle.read(member, limit);
  };
  const token = await findings.attempt("timestamp.token", name, async () =>
    parseToken(parseResponse(await read(name, MAX_TOKEN_BYTES))),
  );
  if (token === undefined) return undefined;
  findings.passed("timestamp.token", name, "policy {policy}, serial number {serial}, {at}", {
    policy: token.policy,
    serial: token.serial,
    at: formatInstant(token.at),
    accuracy: token.accuracy === undefined ? "-" : `${token.accuracy} µs`,
    hash: token.hash,
  });
  const text = await findings.attempt("timestamp.imprint", name, async () => {
    const data = await read(textName, MAX_TEXT_BYTES);
    requireOver(token, data);
    return data;
  });
  if (text === undefined) return undefined;
  const size = await checkImprint(context, name, text, token);
  const judgement = await checkAuthority(context, name, token);
  if (judgement === undefined || !(await checkRevoked(context, name, judgement)) || size === undefined) return undefined;
  return { member: name, text, size, judgement };
}

/** The size of the checkpoint whose text is stamped: a head which holds the entry and which the log signed. */
async function checkImprint(
  { findings, heads }: Context,
  name: string,
  text: Uint8Array,
  token: Token,
): Promise<bigint | undefined> {
  const head = await findings.attempt("timestamp.imprint", name, () => {
    const { size } = parseCheckpoint(text);
    const found = heads.find(({ proof }) => proof.checkpoint.size === size);
    if (found === undefined) {
      throw new Fault("the token is of tree size {size}, for which the bundle proves nothing", { size });
    }
    if (!isEqual(found.proof.note.text, text)) {
      throw new Fault("the stamped text is another than the checkpoint of its size");
    }
    return found;
  });
  if (head === undefined) return undefined;
  if (!head.isTrusted) {
    findings.notChecked("timestamp.imprint", name, "the checkpoint's signature was not verified");
    return undefined;
  }
  const { size } = head.proof.checkpoint;
  const values = { size, imprint: toHex(token.imprint) };
  findings.passed("timestamp.imprint", name, "the checkpoint of tree size {size}", values);
  return size;
}

async function checkAuthority({ findings, trust }: Context, name: string, token: Token): Promise<Judgement | undefined> {
  if (trust === undefined) {
    findings.notChecked("timestamp.authority", name, "no trust file was given");
    return undefined;
  }
  const judgement = await findings.attempt("timestamp.authority", name, () =>
    judge(token, trust.authorities, trust.retiredHashes),
  );
  if (judgement) {
    findings.passed("timestamp.authority", name, "{authority}, certificate {digest}", {
      authority: judgement.authority.name,
      digest: token.signer.sha256,
      path: judgement.path.map((certificate) => certificate.name).join(" < "),
    });
  }
  return judgement;
}

async function checkRevoked({ findings }: Context, name: string, judgement: Judgement): Promise<boolean> {
  const { path, token } = judgement;
  const status = await findings.attempt("timestamp.revocation", name, () => ({
    asOf: checkRevocation(path, token.signed.given, token.at),
  }));
  if (status === undefined) return false;
  if (path.length === 1) {
    const message = "the trust file names the authority's own certificate: nobody above could revoke it";
    findings.notProvided("timestamp.revocation", name, message);
  } else if (status.asOf === undefined) {
    const message = "neither revocation lists nor OCSP answers in the token speak of its whole chain";
    findings.notChecked("timestamp.revocation", name, message);
  } else {
    const values = { as_of: formatInstant(status.asOf) };
    findings.passed("timestamp.revocation", name, "by lists or answers of {as_of} or later", values);
  }
  return true;
}
