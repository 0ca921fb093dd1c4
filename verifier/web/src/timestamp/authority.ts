/** Whose tokens and certificates count: from a certificate to a root of an authority that the trust file names. */

import { fromBase64, fromHex, isEqual, toHex } from "../bytes.js";
import { type Json, requireFields } from "../canonical.js";
import type { HashName } from "../crypto/hashing.js";
import { Fault, OpenQuestion, orFault } from "../errors.js";
import { formatInstant, parseInstant } from "../instants.js";
import { findHash } from "./algorithms.js";
import type { Token } from "./token.js";
import { Certificate, TIME_STAMPING } from "./x509.js";

const MAX_LENGTH = 8;
// Certificates made to look alike must not make it take minutes.
const MAX_SIGNATURES = 200;
const OID = /^(?:[01]\.(?:[0-9]|[1-3][0-9])|2\.(?:0|[1-9][0-9]{0,8}))(?:\.(?:0|[1-9][0-9]{0,38})){0,30}$/;

export interface Authority {
  readonly name: string;
  readonly roots: readonly Certificate[];
  /** None: any policy. */
  readonly policies: readonly string[];
  /** Hex SHA-256 of the signing certificates that are believed; none: any under the roots. */
  readonly certificates: readonly string[];
  /** Tokens of a later time count for nothing, seconds since 1970. */
  readonly lastTime: number | undefined;
}

export type Retired = ReadonlyMap<HashName, number>;

/** A token that an authority of the trust file made, valid at its own time. */
export interface Judgement {
  readonly authority: Authority;
  readonly token: Token;
  readonly path: readonly Certificate[];
  /** From then on nobody can tell it from a forgery, unless it was renewed before; seconds since 1970. */
  readonly holdsUntil: number;
  /** What ends then: the name of a hash, or `certificate`. */
  readonly why: string;
}

export function judge(token: Token, authorities: readonly Authority[], retired: Retired): Judgement {
  let refusal: OpenQuestion | undefined;
  for (const authority of authorities) {
    const path = findPath(token.signer, token.signed.certificates, authority.roots, token.at, TIME_STAMPING);
    if (path === undefined) continue;
    const reason = refuse(token, authority);
    if (reason !== undefined) {
      refusal ??= reason;
      continue;
    }
    const certificateEnds = Math.min(...path.map((certificate) => certificate.notAfter));
    const ends = [{ at: certificateEnds, why: "certificate" }];
    for (const name of [...new Set([token.hash, token.signed.digest])].sort()) {
      const at = retired.get(name);
      if (at !== undefined) ends.push({ at, why: name });
    }
    const first = ends.reduce((left, right) => (right.at < left.at ? right : left));
    if (first.at < token.at) {
      throw new OpenQuestion("the token rests on {hash}, which was retired before it was made", { hash: first.why });
    }
    return { authority, token, path, holdsUntil: first.at, why: first.why };
  }
  throw refusal ?? new OpenQuestion("the trust file does not know the authority {name}", { name: token.signer.name });
}

function refuse(token: Token, authority: Authority): OpenQuestion | undefined {
  const { name, policies, certificates, lastTime } = authority;
  if (policies.length > 0 && !policies.includes(token.policy)) {
    const message = "the trust file believes {name}, but not under the policy {policy}";
    return new OpenQuestion(message, { name, policy: token.policy });
  }
  const digest = token.signer.sha256;
  if (certificates.length > 0 && !certificates.includes(digest)) {
    const message = "the trust file believes {name}, but not with the certificate {digest}";
    return new OpenQuestion(message, { name, digest });
  }
  if (lastTime !== undefined && token.latest > lastTime) {
    return new OpenQuestion("the trust file believes {name} up to {last} only", { name, last: formatInstant(lastTime) });
  }
  return undefined;
}

/**
 * The chain from the leaf to one of the roots, all valid at `at` (RFC 5280 §6.1, without policies); undefined if there
 * is none to these roots. A fault if there is one that does not hold at that instant.
 */
function findPath(
  leaf: Certificate,
  others: readonly Certificate[],
  roots: readonly Certificate[],
  at: number,
  purpose?: string,
): readonly Certificate[] | undefined {
  let failure: Fault | undefined;
  for (const path of listPaths(leaf, others, roots)) {
    try {
      requireValid(path, at, purpose);
      return path;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  return undefined;
}

/** Every chain whose signatures lead to a root, short ones first. */
function* listPaths(
  leaf: Certificate,
  others: readonly Certificate[],
  roots: readonly Certificate[],
): Generator<readonly Certificate[]> {
  const isIn = (list: readonly Certificate[], item: Certificate): boolean =>
    list.some((each) => isEqual(each.encoded, item.encoded));
  if (isIn(roots, leaf)) yield [leaf];
  let left = MAX_SIGNATURES;
  const begun: (readonly Certificate[])[] = [[leaf]];
  for (let path = begun.shift(); path !== undefined; path = begun.shift()) {
    const last = path.at(-1) as Certificate;
    for (const candidate of [...roots, ...others]) {
      if (left <= 0) return;
      if (!isEqual(candidate.subject, last.issuer) || isIn(path, candidate)) continue;
      left--;
      if (!last.isIssuedBy(candidate)) continue;
      if (isIn(roots, candidate)) yield [...path, candidate];
      else if (path.length < MAX_LENGTH - 1) begun.push([...path, candidate]);
    }
  }
}

function requireValid(path: readonly Certificate[], at: number, purpose: string | undefined): void {
  path.forEach((certificate, place) => {
    if (at < certificate.notBefore || at > certificate.notAfter) {
      throw new Fault("at {at} the certificate {name} was not valid: it is from {start} to {end}", {
        at: formatInstant(at),
        name: certificate.name,
        start: formatInstant(certificate.notBefore),
        end: formatInstant(certificate.notAfter),
      });
    }
    certificate.requireUnderstood();
    if (place > 0) certificate.requireAuthority(place - 1, purpose);
  });
}

/** Read the tables `[[tsas]]` of a trust file. */
export function parseAuthorities(items: readonly Json[]): Authority[] {
  const found = items.map(parseAuthority);
  if (new Set(found.map(({ name }) => name)).size !== found.length) {
    throw new Fault("a time-stamp authority that is listed twice");
  }
  return found;
}

/** Read the tables `[[certifiers]]` or `[[cas]]`: as `[[tsas]]`, without policies. */
export function parseCertifiers(items: readonly Json[]): Authority[] {
  const found = parseAuthorities(items);
  if (found.some(({ policies }) => policies.length > 0)) throw new Fault("policies are for time-stamp authorities");
  return found;
}

/** Under whose root of these a signature of `at` by the leaf counts, and the chain to it. */
export function findAuthority(
  authorities: readonly Authority[],
  leaf: Certificate,
  others: readonly Certificate[],
  at: number,
): { readonly name: string; readonly path: readonly Certificate[] } | undefined {
  let failure: Fault | undefined;
  for (const { name, roots, certificates, lastTime } of authorities) {
    if (certificates.length > 0 && !certificates.includes(leaf.sha256)) continue;
    if (lastTime !== undefined && at > lastTime) continue;
    const path = orFault(() => findPath(leaf, others, roots, at));
    // Another may hold: a CA has an old root and a new one.
    if (path instanceof Fault) failure ??= path;
    else if (path !== undefined) return { name, path };
  }
  if (failure !== undefined) throw failure;
  return undefined;
}

function parseAuthority(item: Json): Authority {
  const fields = requireFields(
    item,
    { name: "string", roots: "list" },
    { policies: "list", certificates: "list", last_time: "string" },
  );
  for (const field of ["roots", "policies", "certificates"]) {
    const list = fields[field] as Json[] | undefined;
    // An empty list of what is believed could be taken for a prohibition; it would be none.
    if (list?.length === 0) throw new Fault("a time-stamp authority with an empty list: {field}", { field });
  }
  const policies = (fields["policies"] ?? []) as Json[];
  if (!policies.every((policy) => typeof policy === "string" && OID.test(policy))) {
    throw new Fault("a policy is an object identifier in dots, such as 1.2.3.4");
  }
  return {
    name: fields["name"] as string,
    roots: (fields["roots"] as Json[]).map((root) => Certificate.parse(fromBase64(root))),
    policies: policies as string[],
    certificates: ((fields["certificates"] ?? []) as Json[]).map((digest) => toHex(fromHex(digest, 32))),
    lastTime: fields["last_time"] === undefined ? undefined : parseInstant(fields["last_time"]),
  };
}

/** Hash name to when it stops counting, seconds since 1970. */
export function parseRetired(table: Readonly<Record<string, Json>>): Retired {
  return new Map(Object.entries(table).map(([name, at]) => [findHash(name), parseInstant(at)]));
}
