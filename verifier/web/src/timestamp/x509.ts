/** X.509 certificates and revocation lists (RFC 5280), as much as time stamps rest on. */

import { isEqual, toHex } from "../bytes.js";
import { sha256Hex } from "../crypto/hashing.js";
import { Fault, LaterVersion, orFault } from "../errors.js";
import { secondsOf } from "../instants.js";
import { type Key, parseKey, verifySignature } from "./algorithms.js";
import * as der from "./der.js";
import { nameForPeople } from "./names.js";

const MAX_CERTIFICATE_BYTES = 64 * 1024;
const UNREADABLE = "a certificate or revocation list that cannot be read";
const KEY_USAGE = "2.5.29.15";
const ALTERNATIVE_NAME = "2.5.29.17";
const BASIC_CONSTRAINTS = "2.5.29.19";
const POLICIES = "2.5.29.32";
const PURPOSES = "2.5.29.37";
const KNOWN = ["2.5.29.14", KEY_USAGE, ALTERNATIVE_NAME, BASIC_CONSTRAINTS, POLICIES, "2.5.29.35", PURPOSES];
export const TIME_STAMPING = "1.3.6.1.5.5.7.3.8";
const ANY_PURPOSE = "2.5.29.37.0";
const DIGITAL_SIGNATURE = 0;
const CONTENT_COMMITMENT = 1;
const KEY_CERT_SIGN = 5;
export const CRL_SIGN = 6;

export interface Extension {
  readonly isCritical: boolean;
  readonly value: Uint8Array;
}

/** What of a signed structure the signature needs. */
export interface Signed {
  readonly body: Uint8Array;
  readonly algorithm: der.Node;
  readonly signature: Uint8Array;
}

export class Certificate {
  readonly #signed: Signed;

  private constructor(
    readonly encoded: Uint8Array,
    /** Names as they stand. */
    readonly issuer: Uint8Array,
    readonly subject: Uint8Array,
    readonly serial: bigint,
    /** Seconds since 1970. */
    readonly notBefore: number,
    readonly notAfter: number,
    readonly key: Key,
    readonly extensions: ReadonlyMap<string, Extension>,
    signed: Signed,
  ) {
    this.#signed = signed;
  }

  static parse(data: Uint8Array): Certificate {
    if (data.length > MAX_CERTIFICATE_BYTES) throw new Fault("a certificate of {size} bytes", { size: data.length });
    const signed = readSigned(der.parse(data));
    const body = der.parse(signed.body).reader(der.SEQUENCE);
    const version = body.optional(der.context(0));
    const serial = body.next().integer();
    if (serial <= 0n) throw new Fault("a certificate whose serial number is not positive");
    if (!isEqual(body.next(der.SEQUENCE).encoded, signed.algorithm.encoded)) throw new Fault(UNREADABLE);
    const issuer = body.next(der.SEQUENCE).encoded;
    const validity = body.next(der.SEQUENCE).reader();
    const [notBefore, notAfter] = [readTime(validity.next()), readTime(validity.next())];
    validity.end();
    const subject = body.next(der.SEQUENCE).encoded;
    const key = parseKey(body.next(der.SEQUENCE));
    if (key.kind === "unknown") throw new LaterVersion("a certificate with a key of a kind that is not known");
    body.optional(der.context(1, false));
    body.optional(der.context(2, false));
    const extensions = readExtensions(body.optional(der.context(3)));
    body.end();
    if (version !== undefined && der.parse(version.content).integer() > 2n) throw new Fault(UNREADABLE);
    return new Certificate(data, issuer, subject, serial, notBefore, notAfter, key, extensions, signed);
  }

  get sha256(): string {
    return sha256Hex(this.encoded);
  }

  /** The content of subjectPublicKey, of which OCSP takes a digest. */
  get keyBits(): Uint8Array {
    return (der.parse(readKeyInfo(this.encoded)).reader().rest()[1] as der.Node).bits();
  }

  /** The subject as people read it (RFC 4514). */
  get name(): string {
    try {
      return nameForPeople(this.subject);
    } catch {
      // Anybody can write a name that is none into a certificate of his own.
      return `#${toHex(this.subject)}`;
    }
  }

  /** Whether `other` is named as the issuer and its key signed this. */
  isIssuedBy(other: Certificate): boolean {
    return isEqual(this.issuer, other.subject) && isSignedBy(this.#signed, other.key);
  }

  /**
   * Return if it may issue others, with `below` further authorities under it (§6.1.4); for this purpose, where one is
   * asked for and the certificate is for some only.
   */
  requireAuthority(below: number, purpose: string | undefined): void {
    const constraints = this.#read(BASIC_CONSTRAINTS)?.reader(der.SEQUENCE);
    const isAuthority = constraints?.optional(der.BOOLEAN)?.boolean() ?? false;
    const limit = constraints?.optional(der.INTEGER)?.integer();
    constraints?.end();
    if (!isAuthority || !this.mayBeUsed(KEY_CERT_SIGN)) {
      throw new Fault("a certificate in the authority's chain may issue no others");
    }
    if (limit !== undefined && BigInt(below) > limit) {
      throw new Fault("the authority's chain is longer than one of its certificates allows");
    }
    const purposes = this.#purposes();
    if (purpose && purposes && !purposes.some((each) => [purpose, ANY_PURPOSE].includes(each))) {
      throw new Fault("a certificate in the authority's chain is not for time stamps");
    }
  }

  /** Return if it is for time stamps and nothing else (RFC 3161 §2.3). */
  requireTimeStamping(): void {
    const isCritical = this.extensions.get(PURPOSES)?.isCritical ?? false;
    const purposes = this.#purposes();
    if (!isCritical || purposes?.length !== 1 || purposes[0] !== TIME_STAMPING) {
      throw new Fault("the certificate does not say, as critical, that it is for time stamps alone");
    }
    this.requireSigning();
  }

  requireSigning(): void {
    if (!this.mayBeUsed(DIGITAL_SIGNATURE) && !this.mayBeUsed(CONTENT_COMMITMENT)) {
      throw new Fault("the certificate's key is not for signing");
    }
  }

  /** Whether its extended key usage names this purpose itself: "any" is not enough. */
  hasPurpose(purpose: string): boolean {
    return this.#purposes()?.includes(purpose) ?? false;
  }

  requireUnderstood(): void {
    for (const [oid, { isCritical }] of this.extensions) {
      if (isCritical && !KNOWN.includes(oid)) {
        throw new LaterVersion("a certificate with the critical extension {oid}, not known here", { oid });
      }
    }
  }

  /** Whether the key usage, if there is one, allows this use. */
  mayBeUsed(use: number): boolean {
    const content = this.#read(KEY_USAGE)?.expect(der.BIT_STRING).content;
    if (content === undefined) return true;
    const byte = content[1 + (use >> 3)] ?? 0;
    return (byte & (0x80 >> (use & 7))) !== 0;
  }

  #purposes(): string[] | undefined {
    return this.#read(PURPOSES)
      ?.reader(der.SEQUENCE)
      .rest()
      .map((node) => node.oid());
  }

  #read(oid: string): der.Node | undefined {
    const found = this.extensions.get(oid);
    return found && der.parse(found.value);
  }
}

/** subjectPublicKeyInfo of a certificate, as it stands. */
export function readKeyInfo(data: Uint8Array): Uint8Array {
  const body = der.parse(data).reader(der.SEQUENCE).next(der.SEQUENCE).reader();
  body.optional(der.context(0));
  body.next(der.INTEGER);
  // signature, issuer, validity, subject.
  for (let count = 4; count > 0; count--) body.next(der.SEQUENCE);
  return body.next(der.SEQUENCE).encoded;
}

/** Body, algorithm and signature of a certificate or revocation list. */
export function readSigned(node: der.Node): Signed {
  const reader = node.reader(der.SEQUENCE);
  const body = reader.next(der.SEQUENCE).encoded;
  const algorithm = reader.next(der.SEQUENCE);
  const signature = reader.next().bits();
  reader.end();
  return { body, algorithm, signature };
}

export function isSignedBy(signed: Signed, key: Key): boolean {
  return !orFault(() => verifySignature(key, signed.algorithm, undefined, signed.signature, signed.body));
}

/** Seconds since 1970 of a Time (§4.1.2.5). */
export function readTime(node: der.Node): number {
  const text = String.fromCharCode(...node.content.subarray(0, 20));
  const isShort = node.tag === der.UTC_TIME;
  const found = (isShort ? /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/ : /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/).exec(text);
  if (!found || (!isShort && node.tag !== der.GENERALIZED_TIME)) throw new Fault(UNREADABLE);
  const [year, ...rest] = found.slice(1).map(Number) as [number, ...number[]];
  const seconds = secondsOf([isShort ? year + (year < 50 ? 2000 : 1900) : year, ...rest]);
  if (seconds === undefined) throw new Fault(UNREADABLE);
  return seconds;
}

export function readExtensions(node: der.Node | undefined): Map<string, Extension> {
  const found = new Map<string, Extension>();
  for (const item of node ? der.parse(node.content).reader(der.SEQUENCE).rest(der.SEQUENCE) : []) {
    const reader = item.reader();
    const oid = reader.next().oid();
    const critical = reader.optional(der.BOOLEAN);
    const value = reader.next().octets();
    reader.end();
    // DER writes no value that is the default.
    if (found.has(oid) || critical?.boolean() === false) throw new Fault(UNREADABLE);
    found.set(oid, { isCritical: critical?.boolean() ?? false, value });
  }
  return found;
}

