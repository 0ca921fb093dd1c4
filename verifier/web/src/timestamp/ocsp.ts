/**
 * Answers of an OCSP responder about single certificates (RFC 6960 §4.2). One counts if the certificate's issuer signed
 * it, or a responder that this issuer named for it.
 */

import { sha1 } from "@noble/hashes/legacy.js";

import { isEqual } from "../bytes.js";
import { HASHES } from "../crypto/hashing.js";
import { Fault } from "../errors.js";
import { verifySignatureAlone } from "./algorithms.js";
import * as der from "./der.js";
import { Certificate, readSigned, type Signed } from "./x509.js";

const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_SINGLE = 16;
const MAX_CERTIFICATES = 8;
const ENUMERATED = 0x0a;
const BASIC = "1.3.6.1.5.5.7.48.1.1";
const OCSP_SIGNING = "1.3.6.1.5.5.7.3.9";
const NO_CHECK = "1.3.6.1.5.5.7.48.1.5";
// By these an issuer is named, no more; whoever signed decides, so that SHA-1 does no harm here (§4.3).
const ID_HASHES: Readonly<Record<string, (data: Uint8Array) => Uint8Array>> = {
  "1.3.14.3.2.26": sha1,
  "2.16.840.1.101.3.4.2.1": HASHES.sha256,
  "2.16.840.1.101.3.4.2.2": HASHES.sha384,
  "2.16.840.1.101.3.4.2.3": HASHES.sha512,
};
/** CRLReason (RFC 5280 §5.3.1) by number; 7 is not used. */
export const REASONS = [
  "unspecified",
  "keyCompromise",
  "cACompromise",
  "affiliationChanged",
  "superseded",
  "cessationOfOperation",
  "certificateHold",
  "",
  "removeFromCRL",
  "privilegeWithdrawn",
  "aACompromise",
];

/** Since when a certificate is revoked, seconds since 1970, and why, where that is said. */
export interface Revoked {
  readonly since: number;
  readonly reason: string | undefined;
}

/** What an answer says of one certificate. */
interface Single {
  readonly hash: string;
  readonly nameHash: Uint8Array;
  readonly keyHash: Uint8Array;
  readonly serial: bigint;
  /** False: the responder says that it does not know this certificate. */
  readonly isKnown: boolean;
  readonly revoked: Revoked | undefined;
  readonly thisUpdate: number;
  readonly nextUpdate: number | undefined;
  readonly isUnderstood: boolean;
}

/** A BasicOCSPResponse. */
export class OcspAnswer {
  readonly #responder: der.Node;
  readonly #producedAt: number;
  readonly #singles: readonly Single[];
  readonly #isUnderstood: boolean;
  readonly #signed: Signed;
  readonly #certificates: readonly Uint8Array[];

  private constructor(
    responder: der.Node,
    producedAt: number,
    singles: readonly Single[],
    isUnderstood: boolean,
    signed: Signed,
    certificates: readonly Uint8Array[],
  ) {
    this.#responder = responder;
    this.#producedAt = producedAt;
    this.#singles = singles;
    this.#isUnderstood = isUnderstood;
    this.#signed = signed;
    this.#certificates = certificates;
  }

  /** Of an OCSPResponse; undefined if the responder gave no answer (§2.3), or one of another kind. */
  static parseResponse(data: Uint8Array): OcspAnswer | undefined {
    limit(data);
    const reader = der.parse(data).reader(der.SEQUENCE);
    const status = reader.next(ENUMERATED).content;
    const inner = reader.optional(der.context(0));
    reader.end();
    if (status.length !== 1 || status[0] !== 0) return undefined;
    if (inner === undefined) throw new Fault("an OCSP answer that is empty");
    const body = der.parse(inner.content).reader(der.SEQUENCE);
    if (body.next().oid() !== BASIC) return undefined;
    const answer = body.next().octets();
    body.end();
    return OcspAnswer.parse(answer);
  }

  static parse(data: Uint8Array): OcspAnswer {
    limit(data);
    const outer = der.parse(data).reader(der.SEQUENCE);
    const parts = [outer.next(der.SEQUENCE), outer.next(der.SEQUENCE), outer.next()] as const;
    const given = outer.optional(der.context(0));
    outer.end();
    const certificates = given ? der.parse(given.content).reader(der.SEQUENCE).rest() : [];
    const signed = readSigned(der.parse(der.encode(der.SEQUENCE, ...parts.map(({ encoded }) => encoded))));
    const body = parts[0].reader();
    if (body.optional(der.context(0)) !== undefined) {
      throw new Fault("an OCSP answer of a version that does not exist");
    }
    const responder = body.next();
    if (![der.context(1), der.context(2)].includes(responder.tag)) {
      throw new Fault("an OCSP answer that does not say whose it is");
    }
    const producedAt = secondsOf(body.next());
    const singles = body.next(der.SEQUENCE).reader().rest(der.SEQUENCE);
    const understood = isUnderstood(body.optional(der.context(1)));
    body.end();
    if (singles.length > MAX_SINGLE || certificates.length > MAX_CERTIFICATES) {
      throw new Fault("an OCSP answer about more than {limit} certificates", { limit: MAX_SINGLE });
    }
    const encoded = certificates.map((node) => node.encoded);
    return new OcspAnswer(responder, producedAt, singles.map(readSingle), understood, signed, encoded);
  }

  /** What it says of this certificate, where that counts in a token of `at`. */
  speak(certificate: Certificate, issuer: Certificate, at: number): Single | undefined {
    const single = this.#singles.find(
      (each) => this.#isUnderstood && each.isUnderstood && isAbout(each, certificate, issuer),
    );
    // Nothing need be known of a certificate after its end.
    if (single === undefined || !single.isKnown || single.thisUpdate > certificate.notAfter) return undefined;
    // Without a next one announced it speaks of the past alone: newer word may be had at any time.
    return at <= (single.nextUpdate ?? single.thisUpdate) && this.#isSignedFor(issuer) ? single : undefined;
  }

  #isSignedFor(issuer: Certificate): boolean {
    const { algorithm, signature, body } = this.#signed;
    for (const load of [() => issuer, ...this.#certificates.map((data) => () => this.#delegate(data, issuer))]) {
      try {
        const signer = load();
        if (signer === undefined || !this.#isNamed(signer)) continue;
        verifySignatureAlone(signer.key, algorithm, signature, body);
        return true;
      } catch (error) {
        // What is not understood, or is not so, signed nothing that counts.
        if (!(error instanceof Fault)) throw error;
      }
    }
    return false;
  }

  /** A responder that the issuer named (§4.2.2.2) and whose own revocation nobody has to ask for (§4.2.2.2.1). */
  #delegate(data: Uint8Array, issuer: Certificate): Certificate | undefined {
    const found = Certificate.parse(data);
    const isOne =
      found.notBefore <= this.#producedAt &&
      this.#producedAt <= found.notAfter &&
      found.hasPurpose(OCSP_SIGNING) &&
      found.extensions.has(NO_CHECK) &&
      found.isIssuedBy(issuer);
    return isOne ? found : undefined;
  }

  #isNamed(signer: Certificate): boolean {
    if (this.#responder.tag === der.context(1)) return isEqual(this.#responder.content, signer.subject);
    return isEqual(der.parse(this.#responder.content).octets(), sha1(signer.keyBits));
  }
}

function isAbout(single: Single, certificate: Certificate, issuer: Certificate): boolean {
  const digest = Object.hasOwn(ID_HASHES, single.hash) ? ID_HASHES[single.hash] : undefined;
  return (
    digest !== undefined &&
    single.serial === certificate.serial &&
    isEqual(single.nameHash, digest(certificate.issuer)) &&
    isEqual(single.keyHash, digest(issuer.keyBits))
  );
}

function readSingle(node: der.Node): Single {
  const reader = node.reader();
  const identifier = reader.next(der.SEQUENCE).reader();
  const hash = identifier.next(der.SEQUENCE).reader().next().oid();
  const [nameHash, keyHash] = [identifier.next().octets(), identifier.next().octets()];
  const serial = identifier.next().integer();
  identifier.end();
  const status = reader.next();
  const thisUpdate = secondsOf(reader.next());
  const next = reader.optional(der.context(0));
  const extensions = reader.optional(der.context(1));
  reader.end();
  const [good, revoked, unknown] = [der.context(0, false), der.context(1), der.context(2, false)];
  if (![good, revoked, unknown].includes(status.tag)) {
    throw new Fault("an OCSP answer that is none of good, revoked and unknown");
  }
  return {
    hash,
    nameHash,
    keyHash,
    serial,
    isKnown: status.tag !== unknown,
    revoked: status.tag === revoked ? readRevoked(status) : undefined,
    thisUpdate,
    nextUpdate: next && secondsOf(der.parse(next.content)),
    isUnderstood: isUnderstood(extensions),
  };
}

function readRevoked(status: der.Node): Revoked {
  const reader = status.reader();
  const since = secondsOf(reader.next());
  const given = reader.optional(der.context(0));
  reader.end();
  if (given === undefined) return { since, reason: undefined };
  const reason = REASONS[Number(der.parse(given.content).integer(ENUMERATED))];
  if (!reason) throw new Fault("an OCSP answer with a reason that does not exist");
  return { since, reason };
}

/** Whether nothing in them is critical: none is known here. */
function isUnderstood(extensions: der.Node | undefined): boolean {
  for (const item of extensions ? der.parse(extensions.content).reader(der.SEQUENCE).rest(der.SEQUENCE) : []) {
    const reader = item.reader();
    reader.next().oid();
    if (reader.optional(der.BOOLEAN)?.boolean()) return false;
  }
  return true;
}

const secondsOf = (node: der.Node): number => Number(node.time() / der.MICROSECOND);

function limit(data: Uint8Array): void {
  if (data.length > MAX_ANSWER_BYTES) throw new Fault("an OCSP answer of {size} bytes", { size: data.length });
}
