/**
 * CMS SignedData (RFC 5652 §5) as time stamps use it: content inside, one signer, signed attributes, the signer's
 * certificate bound by ESSCertIDv2 (RFC 5035, RFC 5816).
 */

import { isEqual } from "../bytes.js";
import { digestWith, type HashName } from "../crypto/hashing.js";
import { Fault, LaterVersion, orFault } from "../errors.js";
import { parseHash, verifySignature } from "./algorithms.js";
import * as der from "./der.js";
import { type Given, readGiven } from "./given.js";
import { Certificate } from "./x509.js";

const MAX_CERTIFICATES = 32;
const MAX_BYTES = 8 * 1024 * 1024;
const SIGNED_DATA = "1.2.840.113549.1.7.2";
const CONTENT_TYPE = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST = "1.2.840.113549.1.9.4";
const SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47";
const OTHER_CERTIFICATE = "the signature names another certificate than the one beside it";

/** Nothing is checked until `verify`. */
export class SignedData {
  readonly contentType: string;
  readonly content: Uint8Array;
  /** Those that can be read: what cannot is nobody's word. */
  readonly certificates: readonly Certificate[];
  /** All of them, with the fault of those that cannot: the signer's may be among them. */
  readonly #found: readonly (readonly [data: Uint8Array, certificate: Certificate | Fault])[];
  /** Lists and answers about revocation; who signed them is not looked at yet. */
  readonly given: Given;
  readonly digest: HashName;
  readonly signature: Uint8Array;
  readonly #issuer: Uint8Array;
  readonly #serial: bigint;
  readonly #attributes: ReadonlyMap<string, der.Node>;
  readonly #signedBytes: Uint8Array;
  readonly #algorithm: der.Node;

  constructor(data: Uint8Array) {
    if (data.length > MAX_BYTES) throw new Fault("a token of {size} bytes", { size: data.length });
    const outer = der.parse(data).reader(der.SEQUENCE);
    if (outer.next().oid() !== SIGNED_DATA) throw new Fault("not a signed message (CMS)");
    const body = der.parse(outer.next(der.context(0)).content).reader(der.SEQUENCE);
    outer.end();
    const version = body.next(der.INTEGER).integer();
    const digests = body.next(der.SET);
    const content = body.next(der.SEQUENCE);
    const certificates = body.optional(der.context(0));
    const crls = body.optional(der.context(1));
    const signers = body.next(der.SET);
    body.end();
    if (version !== 3n && version !== 5n) throw new LaterVersion("a token in a version of CMS that is not known");
    const encapsulated = content.reader();
    this.contentType = encapsulated.next().oid();
    this.content = der.parse(encapsulated.next(der.context(0)).content).octets();
    encapsulated.end();
    const [signer, ...others] = signers.reader().rest(der.SEQUENCE);
    if (signer === undefined || others.length > 0) throw new Fault("a token that is not signed by exactly one");
    const reader = signer.reader();
    if (reader.next().integer() !== 1n) throw new LaterVersion("a signer that is named in a way that is not known");
    const who = reader.next().reader(der.SEQUENCE);
    this.#issuer = who.next(der.SEQUENCE).encoded;
    this.#serial = who.next().integer();
    who.end();
    this.digest = parseHash(reader.next());
    const attributes = reader.next(der.context(0));
    this.#algorithm = reader.next(der.SEQUENCE);
    this.signature = reader.next().octets();
    const unsigned = reader.optional(der.context(1));
    reader.end();
    const named = digests.reader().rest().map(parseHash);
    if (!named.includes(this.digest)) throw new Fault("a token whose signer's hash is not in its list");
    this.#found = readCertificates(certificates);
    this.certificates = this.#found.map(([, each]) => each).filter((each) => each instanceof Certificate);
    this.given = readGiven(crls, unsigned);
    this.#attributes = readAttributes(attributes);
    // Signed is the SET OF itself, not the [0] that stands in its place (§5.4).
    this.#signedBytes = attributes.encoded.slice();
    this.#signedBytes[0] = der.SET;
  }

  /** Check digest, binding and signature: the signer's certificate, whoever issued it. */
  verify(): Certificate {
    const binding = this.#attributes.get(SIGNING_CERTIFICATE_V2);
    const named = this.certificates.filter(
      ({ issuer, serial }) => isEqual(issuer, this.#issuer) && serial === this.#serial,
    );
    // Anybody can put another beside it that calls itself the same.
    const signer = named.find(
      ({ encoded }) => named.length === 1 || binding === undefined || isBound(readBinding(binding), encoded),
    );
    if (signer === undefined) throw this.#whyNoSigner(binding);
    if (this.#attribute(CONTENT_TYPE).oid() !== this.contentType) {
      throw new Fault("the signature is about content of another type");
    }
    if (!isEqual(this.#attribute(MESSAGE_DIGEST).octets(), digestWith(this.digest, this.content))) {
      throw new Fault("the signature is about other content");
    }
    requireBinding(this.#attribute(SIGNING_CERTIFICATE_V2), signer);
    verifySignature(signer.key, this.#algorithm, this.digest, this.signature, this.#signedBytes);
    return signer;
  }

  #whyNoSigner(binding: der.Node | undefined): Fault {
    const found = this.#found.find(
      ([data, each]) => each instanceof Fault && (binding === undefined || isBound(readBinding(binding), data)),
    );
    return (found?.[1] as Fault | undefined) ?? new Fault("the token does not carry the certificate of its signer");
  }

  #attribute(oid: string): der.Node {
    const found = this.#attributes.get(oid);
    if (found === undefined) throw new Fault("a signed attribute is missing: {oid}", { oid });
    return found;
  }
}

function readCertificates(node: der.Node | undefined): [data: Uint8Array, certificate: Certificate | Fault][] {
  const items = node?.reader().rest() ?? [];
  if (items.length > MAX_CERTIFICATES) {
    throw new Fault("a token with more than {limit} certificates", { limit: MAX_CERTIFICATES });
  }
  // Other kinds have tags of their own: nothing rests on them.
  return items
    .filter((item) => item.tag === der.SEQUENCE)
    .map(({ encoded }) => [encoded, orFault(() => Certificate.parse(encoded))]);
}

function readAttributes(node: der.Node): Map<string, der.Node> {
  const found = new Map<string, der.Node>();
  for (const item of node.reader().rest(der.SEQUENCE)) {
    const reader = item.reader();
    const oid = reader.next().oid();
    const values = reader.next(der.SET).reader().rest();
    reader.end();
    // These have one value and stand there once (§11).
    if (found.has(oid) || values.length !== 1) throw new Fault("a signed attribute that stands there twice");
    found.set(oid, values[0] as der.Node);
  }
  return found;
}

interface Binding {
  readonly hash: HashName;
  readonly digest: Uint8Array;
  /** What follows. */
  readonly identifier: der.Reader;
}

/** The first ESSCertIDv2 (RFC 5035 §4). */
function readBinding(node: der.Node): Binding {
  const identifier = node.reader(der.SEQUENCE).next(der.SEQUENCE).reader().next(der.SEQUENCE).reader();
  const algorithm = identifier.optional(der.SEQUENCE);
  return { hash: algorithm ? parseHash(algorithm) : "sha256", digest: identifier.next().octets(), identifier };
}

function isBound({ hash, digest }: Binding, data: Uint8Array): boolean {
  return isEqual(digest, digestWith(hash, data));
}

/** The first is the signer's; those behind it, of its issuers, add nothing. */
function requireBinding(node: der.Node, signer: Certificate): void {
  const binding = readBinding(node);
  const { identifier } = binding;
  if (!isBound(binding, signer.encoded)) throw new Fault(OTHER_CERTIFICATE);
  const named = identifier.optional(der.SEQUENCE);
  identifier.end();
  if (named === undefined) return;
  const reader = named.reader();
  const names = reader.next(der.SEQUENCE).reader().rest();
  const serial = reader.next().integer();
  reader.end();
  // directoryName is [4], explicit because a Name is a choice.
  const wanted = der.encode(der.context(4), signer.issuer);
  if (serial !== signer.serial || !names.some((name) => isEqual(name.encoded, wanted))) {
    throw new Fault(OTHER_CERTIFICATE);
  }
}
