"""What a token carries about revocation: lists, and answers about single certificates.

    crls of SignedData                       lists (RFC 5652 §10.2.1) and OCSPResponses (RFC 5940)
    unsigned attribute revocation-values     lists and BasicOCSPResponses (RFC 5126 §6.3.4)

Neither place is under the token's signature, and need not be: each list and answer is signed by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ..errors import LimitError, MizhengError
from . import der
from .ocsp import OcspAnswer, parse_ocsp_answer, parse_ocsp_response
from .x509 import RevocationList, load_revocation_list

# A list and an answer for each certificate of a chain, from before and after.
MAX_GIVEN = 16

REVOCATION_VALUES = "1.2.840.113549.1.9.16.2.24"
_OCSP_RESPONSE = "1.3.6.1.5.5.7.16.2"


@dataclass(frozen=True, slots=True)
class Given:
    """Lists and answers, read; who signed them is not looked at yet."""

    lists: tuple[RevocationList, ...] = ()
    answers: tuple[OcspAnswer, ...] = ()


_PARSERS: Mapping[str, Callable[[bytes], RevocationList | OcspAnswer | None]] = {
    "list": load_revocation_list,
    "response": parse_ocsp_response,
    "answer": parse_ocsp_answer,
}


def read_given(crls: der.Node | None, unsigned: der.Node | None) -> Given:
    """From the two fields of a SignedData and its signer."""
    found: list[RevocationList | OcspAnswer | None] = []
    for number, (kind, data) in enumerate((*_read_crls(crls), *_read_values(unsigned)), 1):
        if number > MAX_GIVEN:
            raise LimitError("a token with more than {limit} revocation lists and answers", limit=MAX_GIVEN)
        # What cannot be read is nobody's word, and counts for nothing.
        with suppress(MizhengError):
            found.append(_PARSERS[kind](data))
    return sort_given(found)


def sort_given(found: Iterable[object]) -> Given:
    """What of it are lists and answers."""
    items = list(found)
    return Given(
        tuple(item for item in items if isinstance(item, RevocationList)),
        tuple(item for item in items if isinstance(item, OcspAnswer)),
    )


def add_to_values(unsigned: der.Node | None, answers: Sequence[bytes]) -> bytes:
    """The unsigned attributes with these BasicOCSPResponses among the revocation values, DER."""
    others = [item.encoded for oid, item in _attributes(unsigned) if oid != REVOCATION_VALUES]
    have = list(_read_values(unsigned))
    fields = b""
    for number, (kind, more) in enumerate((("list", ()), ("answer", answers))):
        values = dict.fromkeys([*(data for found, data in have if found == kind), *more])
        if values:
            fields += der.encode(der.context(number), der.encode(der.SEQUENCE, *values))
    value = der.encode(der.SET, der.encode(der.SEQUENCE, fields))
    attribute = der.encode(der.SEQUENCE, der.encode_oid(REVOCATION_VALUES), value)
    return der.encode(der.context(1), *sorted([*others, attribute]))


def _read_crls(node: der.Node | None) -> Iterator[tuple[str, bytes]]:
    for item in () if node is None else node.reader().rest():
        if item.tag == der.SEQUENCE:
            yield "list", item.encoded
        elif item.tag == der.context(1):
            reader = item.reader()
            oid, value = reader.next().oid(), reader.next()
            reader.end()
            if oid == _OCSP_RESPONSE:
                yield "response", value.encoded


def _read_values(node: der.Node | None) -> Iterator[tuple[str, bytes]]:
    for oid, attribute in _attributes(node):
        if oid == REVOCATION_VALUES:
            yield from _read_attribute(attribute)


def _read_attribute(attribute: der.Node) -> Iterator[tuple[str, bytes]]:
    reader = attribute.reader()
    reader.next()
    for value in reader.next(der.SET).reader().rest(der.SEQUENCE):
        fields = value.reader()
        for number, kind in ((0, "list"), (1, "answer")):
            given = fields.optional(der.context(number))
            if given is not None:
                for item in der.parse(given.content).reader(der.SEQUENCE).rest(der.SEQUENCE):
                    yield kind, item.encoded
        # Of kinds that others made up.
        fields.optional(der.context(2))
        fields.end()
    reader.end()


def _attributes(node: der.Node | None) -> Iterator[tuple[str, der.Node]]:
    for item in () if node is None else node.reader().rest(der.SEQUENCE):
        yield item.reader().next().oid(), item
