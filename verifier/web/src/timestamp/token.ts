/** Time-stamp tokens (RFC 3161 §2.4): read, and held against themselves. Who may make them is `authority`'s. */

import { isEqual, toHex } from "../bytes.js";
import { digestWith, type HashName } from "../crypto/hashing.js";
import { Fault, LaterVersion } from "../errors.js";
import { formatInstant } from "../instants.js";
import { parseHash, sizeOf } from "./algorithms.js";
import { SignedData } from "./cms.js";
import * as der from "./der.js";
import type { Certificate } from "./x509.js";

export const MAX_TOKEN_BYTES = 9 * 1024 * 1024;
export const MAX_TEXT_BYTES = 64 * 1024;
const TST_INFO = "1.2.840.113549.1.9.16.1.4";
const DAY = 86_400n * der.MICROSECOND;

export interface Token {
  readonly policy: string;
  readonly hash: HashName;
  readonly imprint: Uint8Array;
  readonly serial: bigint;
  /** genTime in microseconds since 1970. */
  readonly generated: bigint;
  /** Microseconds; undefined where the token does not say. */
  readonly accuracy: bigint | undefined;
  /** genTime in whole seconds, cut off: the instant at which certificates are judged. */
  readonly at: number;
  /** Seconds since 1970 by which it was made: genTime and accuracy, rounded up. */
  readonly latest: number;
  readonly signed: SignedData;
  readonly signer: Certificate;
}

/** The token in a TimeStampResp, as it stands. */
export function parseResponse(data: Uint8Array): Uint8Array {
  if (data.length > MAX_TOKEN_BYTES) throw new Fault("an answer of {size} bytes", { size: data.length });
  const reader = der.parse(data).reader(der.SEQUENCE);
  const status = reader.next().reader(der.SEQUENCE);
  const code = status.next().integer();
  if (code !== 0n && code !== 1n) throw new Fault("the authority granted no token (status {code})", { code });
  status.optional(der.SEQUENCE);
  status.end();
  const token = reader.next(der.SEQUENCE);
  reader.end();
  return token.encoded;
}

export function parseToken(data: Uint8Array): Token {
  const signed = new SignedData(data);
  if (signed.contentType !== TST_INFO) throw new Fault("a signed message that is not a time-stamp token");
  const reader = der.parse(signed.content).reader(der.SEQUENCE);
  if (reader.next().integer() !== 1n) throw new LaterVersion("a time-stamp token of a later version");
  const policy = reader.next().oid();
  const stamped = reader.next().reader(der.SEQUENCE);
  const [hash, imprint] = [parseHash(stamped.next()), stamped.next().octets()];
  stamped.end();
  if (imprint.length !== sizeOf(hash)) throw new Fault("an imprint that is not as long as its hash");
  const serial = reader.next().integer();
  const generated = reader.next().time();
  const accuracyNode = reader.optional(der.SEQUENCE);
  const ordering = reader.optional(der.BOOLEAN);
  if (ordering !== undefined && !ordering.boolean()) throw new Fault("DER: a default value that is written out");
  const nonce = reader.optional(der.INTEGER);
  // The authority's name for itself: the certificate says who it is.
  reader.optional(der.context(0));
  const extensions = reader.optional(der.context(1));
  reader.end();
  refuseCritical(extensions);
  const signer = signed.verify();
  signer.requireTimeStamping();
  const at = Number(generated / der.MICROSECOND);
  if (at < signer.notBefore || at > signer.notAfter) {
    throw new Fault("the token is of {at}, when its certificate was not valid: that is from {start} to {end}", {
      at: formatInstant(at),
      start: formatInstant(signer.notBefore),
      end: formatInstant(signer.notAfter),
    });
  }
  const accuracy = accuracyNode && readAccuracy(accuracyNode);
  nonce?.integer();
  const latest = Number((generated + (accuracy ?? 0n) + der.MICROSECOND - 1n) / der.MICROSECOND);
  return { policy, hash, imprint, serial, generated, accuracy, at, latest, signed, signer };
}

/** Return if the token is over this. */
export function requireOver(token: Token, data: Uint8Array): void {
  requireImprint(token, digestWith(token.hash, data));
}

export function requireImprint(token: Token, digest: Uint8Array): void {
  if (!isEqual(token.imprint, digest)) {
    throw new Fault("the token is over {found}, not over {expected}", {
      found: toHex(token.imprint),
      expected: toHex(digest),
    });
  }
}

/** Microseconds (§2.4.2): seconds, millis and micros, each optional. */
function readAccuracy(node: der.Node): bigint {
  const reader = node.reader(der.SEQUENCE);
  let total = 0n;
  for (const [tag, unit, limit] of [
    [der.INTEGER, der.MICROSECOND, 86_400n],
    [der.context(0, false), 1_000n, 999n],
    [der.context(1, false), 1n, 999n],
  ] as const) {
    const value = reader.optional(tag)?.integer(tag) ?? 0n;
    if (value < 0n || value > limit) throw new Fault("an accuracy that is none");
    total += value * unit;
  }
  reader.end();
  // An authority that knows the time no better than to a day tells none.
  if (total > DAY) throw new Fault("an accuracy that is none");
  return total;
}

function refuseCritical(extensions: der.Node | undefined): void {
  for (const item of extensions?.reader().rest(der.SEQUENCE) ?? []) {
    const reader = item.reader();
    const oid = reader.next().oid();
    if (reader.optional(der.BOOLEAN)?.boolean()) {
      throw new LaterVersion("a token with the critical extension {oid}, not known here", { oid });
    }
  }
}
