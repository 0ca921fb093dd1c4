"""X.509 evidence that lies in a bundle as files: certificates, and what says whether they were revoked.

Each is a certificate of version 3, a revocation list (RFC 5280) or an OCSPResponse (RFC 6960), in DER.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import FormatError, LimitError
from . import der
from .given import Given
from .ocsp import OcspAnswer, parse_ocsp_response
from .x509 import Certificate, RevocationList, load_certificate, load_revocation_list

# A chain has up to eight certificates; of each a list or an answer, from before and after.
MAX_ENCLOSED = 24


@dataclass(frozen=True, slots=True)
class Enclosed:
    """What was read, in its order; who signed lists and answers is not looked at yet."""

    certificates: tuple[Certificate, ...]
    """At least one: the first stands before everything else."""
    given: Given


def read_enclosed(members: Iterable[bytes]) -> Enclosed:
    """FormatError for what is none of the three, and where the first is not a certificate."""
    certificates: list[Certificate] = []
    lists: list[RevocationList] = []
    answers: list[OcspAnswer] = []
    for number, data in enumerate(members, 1):
        if number > MAX_ENCLOSED:
            raise LimitError("more than {limit} X.509 members", limit=MAX_ENCLOSED)
        sort = _sort_of(data)
        if sort == "certificate":
            certificates.append(load_certificate(data))
        elif not certificates:
            raise FormatError("the first X.509 member is not a certificate")
        elif sort == "list":
            lists.append(load_revocation_list(data))
        else:
            answer = parse_ocsp_response(data)
            answers += [answer] if answer else []
    if not certificates:
        raise FormatError("the first X.509 member is not a certificate")
    return Enclosed(tuple(certificates), Given(tuple(lists), tuple(answers)))


def _sort_of(data: bytes) -> str:
    """By what comes first: [0] of a certificate's version, the ENUMERATED of a response, else a list."""
    inside = der.parse(data).reader(der.SEQUENCE).next()
    if inside.tag != der.SEQUENCE:
        return "response"
    return "certificate" if inside.reader().next().tag == der.context(0) else "list"
