/** Revocation lists, and what lists and answers inside a token say of its certificates (RFC 5280 §6.3, RFC 3161 §4.1). */

import { isEqual } from "../bytes.js";
import { Fault } from "../errors.js";
import { formatInstant } from "../instants.js";
import * as der from "./der.js";
import type { Given } from "./given.js";
import { REASONS, type Revoked } from "./ocsp.js";
import { type Certificate, CRL_SIGN, type Extension, isSignedBy, readExtensions, readSigned, readTime, type Signed } from "./x509.js";

export const MAX_CRL_BYTES = 4 * 1024 * 1024;
const REASON = "2.5.29.21";
const DELTA = "2.5.29.27";
const DISTRIBUTION_POINT = "2.5.29.28";
// With one of these, what was stamped before the revocation stays good.
const HARMLESS = ["unspecified", "affiliationChanged", "superseded", "cessationOfOperation"];

export class RevocationList {
  readonly #issuer: Uint8Array;
  readonly #revoked: readonly der.Node[];
  readonly #extensions: ReadonlyMap<string, Extension>;
  readonly #signed: Signed;

  private constructor(
    issuer: Uint8Array,
    readonly thisUpdate: number,
    readonly nextUpdate: number | undefined,
    revoked: readonly der.Node[],
    extensions: ReadonlyMap<string, Extension>,
    signed: Signed,
  ) {
    this.#issuer = issuer;
    this.#revoked = revoked;
    this.#extensions = extensions;
    this.#signed = signed;
  }

  static parse(data: Uint8Array): RevocationList {
    if (data.length > MAX_CRL_BYTES) throw new Fault("a revocation list of {size} bytes", { size: data.length });
    const signed = readSigned(der.parse(data));
    const body = der.parse(signed.body).reader(der.SEQUENCE);
    // Version 2; a list without extensions may have none (§5.1.2.1).
    if ((body.optional(der.INTEGER)?.integer() ?? 1n) !== 1n) throw unreadable();
    if (!isEqual(body.next(der.SEQUENCE).encoded, signed.algorithm.encoded)) throw unreadable();
    const issuer = body.next(der.SEQUENCE).encoded;
    const thisUpdate = readTime(body.next());
    const next = body.optional(der.UTC_TIME) ?? body.optional(der.GENERALIZED_TIME);
    const revoked = body.optional(der.SEQUENCE)?.reader().rest(der.SEQUENCE) ?? [];
    const extensions = readExtensions(body.optional(der.context(0)));
    body.end();
    return new RevocationList(issuer, thisUpdate, next && readTime(next), revoked, extensions, signed);
  }

  /** Whether it counts for a certificate of this issuer in a token of `at`. */
  speaks(certificate: Certificate, issuer: Certificate, at: number, isAuthority: boolean): boolean {
    // After a certificate has ended, a list need not name it any more (RFC 5280 §3.3).
    const isInTime =
      this.thisUpdate <= certificate.notAfter && (this.nextUpdate === undefined || at <= this.nextUpdate);
    return isInTime && this.#isOf(issuer) && this.#covers(isAuthority);
  }

  find(serial: bigint): Revoked | undefined {
    for (const node of this.#revoked) {
      const reader = node.reader();
      if (reader.next().integer() !== serial) continue;
      const since = readTime(reader.next());
      const extensions = reader.isAtEnd ? undefined : reader.next(der.SEQUENCE);
      reader.end();
      const found = readExtensions(extensions && new der.Node(0, extensions.encoded, extensions.encoded)).get(REASON);
      return { since, reason: found && REASONS[readEnumerated(found.value)] };
    }
    return undefined;
  }

  #isOf(issuer: Certificate): boolean {
    return isEqual(this.#issuer, issuer.subject) && issuer.mayBeUsed(CRL_SIGN) && isSignedBy(this.#signed, issuer.key);
  }

  /** Whether it speaks of such certificates whatever the reason: no part of a list, no delta. */
  #covers(isAuthority: boolean): boolean {
    for (const [oid, { isCritical, value }] of this.#extensions) {
      if (oid === DISTRIBUTION_POINT) {
        if (isPartial(value, isAuthority)) return false;
      } else if (isCritical || oid === DELTA) {
        return false;
      }
    }
    return true;
  }
}

/** IssuingDistributionPoint (§5.2.5): only some certificates, some reasons, or another issuer's. */
function isPartial(value: Uint8Array, isAuthority: boolean): boolean {
  const reader = der.parse(value).reader(der.SEQUENCE);
  reader.optional(der.context(0));
  const flag = (number: number): boolean => {
    const node = reader.optional(der.context(number, false));
    return node !== undefined && node.content[0] !== 0;
  };
  const [onlyUsers, onlyAuthorities] = [flag(1), flag(2)];
  const someReasons = reader.optional(der.context(3, false)) !== undefined;
  const [isIndirect, onlyAttributes] = [flag(4), flag(5)];
  reader.end();
  return (isAuthority ? onlyUsers : onlyAuthorities) || someReasons || isIndirect || onlyAttributes;
}

function readEnumerated(value: Uint8Array): number {
  const content = der.parse(value).expect(0x0a).content;
  const number = content[0];
  if (content.length !== 1 || number === undefined || !REASONS[number]) throw unreadable();
  return number;
}

function unreadable(): Fault {
  return new Fault("a certificate or revocation list that cannot be read");
}

/**
 * By lists and answers of when the whole chain was good, seconds since 1970; undefined where none speaks of a
 * certificate.
 */
export function checkRevocation(path: readonly Certificate[], given: Given, at: number): number | undefined {
  let asOf = Infinity;
  path.slice(0, -1).forEach((certificate, place) => {
    const issuer = path[place + 1] as Certificate;
    const updates: number[] = [];
    for (const list of given.lists) {
      if (!list.speaks(certificate, issuer, at, place > 0)) continue;
      requireGood(list.find(certificate.serial), certificate, at);
      updates.push(list.thisUpdate);
    }
    for (const answer of given.answers) {
      const single = answer.speak(certificate, issuer, at);
      if (single === undefined) continue;
      requireGood(single.revoked, certificate, at);
      updates.push(single.thisUpdate);
    }
    // Of a later one more is known than of an earlier one; with none, nothing.
    asOf = Math.min(asOf, Math.max(-Infinity, ...updates));
  });
  return Number.isFinite(asOf) ? asOf : undefined;
}

function requireGood(entry: Revoked | undefined, certificate: Certificate, at: number): void {
  if (entry === undefined) return;
  if (entry.since <= at || entry.reason === undefined || !HARMLESS.includes(entry.reason)) {
    throw new Fault("the certificate {name} was revoked on {since} ({reason})", {
      name: certificate.name,
      since: formatInstant(entry.since),
      reason: entry.reason ?? "-",
    });
  }
}
