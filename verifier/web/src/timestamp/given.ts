/**
 * What a token carries about revocation: lists, and answers about single certificates.
 *
 *     crls of SignedData                       lists (RFC 5652 §10.2.1) and OCSPResponses (RFC 5940)
 *     unsigned attribute revocation-values     lists and BasicOCSPResponses (RFC 5126 §6.3.4)
 *
 * Each is signed by itself.
 */

import { Fault, orFault } from "../errors.js";
import * as der from "./der.js";
import { OcspAnswer } from "./ocsp.js";
import { RevocationList } from "./revocation.js";

const MAX_GIVEN = 16;
const REVOCATION_VALUES = "1.2.840.113549.1.9.16.2.24";
const OCSP_RESPONSE = "1.3.6.1.5.5.7.16.2";

export interface Given {
  readonly lists: readonly RevocationList[];
  readonly answers: readonly OcspAnswer[];
}

type Kind = "list" | "response" | "answer";
type Found = readonly [kind: Kind, data: Uint8Array];

const PARSERS: Readonly<Record<Kind, (data: Uint8Array) => RevocationList | OcspAnswer | undefined>> = {
  list: RevocationList.parse,
  response: OcspAnswer.parseResponse,
  answer: OcspAnswer.parse,
};

/** What of it are lists and answers. What cannot be read is nobody's word, and counts for nothing. */
export function sortGiven(found: readonly unknown[]): Given {
  return {
    lists: found.filter((each) => each instanceof RevocationList),
    answers: found.filter((each) => each instanceof OcspAnswer),
  };
}

/** From the two fields of a SignedData and its signer. */
export function readGiven(crls: der.Node | undefined, unsigned: der.Node | undefined): Given {
  const found: unknown[] = [];
  let count = 0;
  for (const [kind, data] of [crls && readCrls(crls), unsigned && readValues(unsigned)].flatMap((each) => each ?? [])) {
    if (++count > MAX_GIVEN) {
      throw new Fault("a token with more than {limit} revocation lists and answers", { limit: MAX_GIVEN });
    }
    found.push(orFault(() => PARSERS[kind](data)));
  }
  return sortGiven(found);
}

function readCrls(node: der.Node): Found[] {
  const found: Found[] = [];
  for (const item of node.reader().rest()) {
    if (item.tag === der.SEQUENCE) {
      found.push(["list", item.encoded]);
    } else if (item.tag === der.context(1)) {
      const reader = item.reader();
      const [oid, value] = [reader.next().oid(), reader.next()];
      reader.end();
      if (oid === OCSP_RESPONSE) found.push(["response", value.encoded]);
    }
  }
  return found;
}

function readValues(unsigned: der.Node): Found[] {
  const found: Found[] = [];
  for (const attribute of unsigned.reader().rest(der.SEQUENCE)) {
    const reader = attribute.reader();
    if (reader.next().oid() !== REVOCATION_VALUES) continue;
    for (const value of reader.next(der.SET).reader().rest(der.SEQUENCE)) {
      const fields = value.reader();
      for (const [number, kind] of [[0, "list"], [1, "answer"]] as const) {
        const given = fields.optional(der.context(number));
        for (const item of given ? der.parse(given.content).reader(der.SEQUENCE).rest(der.SEQUENCE) : []) {
          found.push([kind, item.encoded]);
        }
      }
      // Of kinds that others made up.
      fields.optional(der.context(2));
      fields.end();
    }
    reader.end();
  }
  return found;
}
