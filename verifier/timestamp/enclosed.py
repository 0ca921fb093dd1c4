"""X.509 evidence that lies in a bundle as files: certificates, and what says whether they were revoked.

Each is a certificate of version 3, a revocation list (RFC 5280) or an OCSPResponse (RFC 6960), in DER.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from ..errors import MizhengError
from . import der
from .given import Given, sort_given
from .ocsp import OcspAnswer, parse_ocsp_response
from .x509 import Certificate, RevocationList, load_certificate, load_revocation_list

# A chain has up to eight certificates; of each a list or an answer, from before and after.
MAX_ENCLOSED = 24


@dataclass(frozen=True, slots=True)
class Enclosed:
    """What was read; who signed it is not looked at yet."""

    certificates: tuple[Certificate, ...]
    given: Given


def read_enclosed(members: Iterable[bytes]) -> Enclosed:
    """What of them can be read. What cannot is nobody's word, and counts for nothing."""
    found: list[Certificate | RevocationList | OcspAnswer | None] = []
    for data in members:
        with suppress(MizhengError):
            found.append(parse_x509(data))
    certificates = tuple(item for item in found if isinstance(item, Certificate))
    return Enclosed(certificates, sort_given(found))


def parse_x509(data: bytes) -> Certificate | RevocationList | OcspAnswer | None:
    """One of the three; None for a response that answers nothing. FormatError for anything else."""
    if is_certificate(data):
        return load_certificate(data)
    # The ENUMERATED of a response comes first; in a list it is what is signed.
    inside = der.parse(data).reader(der.SEQUENCE).next()
    return load_revocation_list(data) if inside.tag == der.SEQUENCE else parse_ocsp_response(data)


def is_certificate(data: bytes) -> bool:
    """Whether [0], a certificate's version, comes first in what is signed; FormatError if it is no DER."""
    inside = der.parse(data).reader(der.SEQUENCE).next()
    return inside.tag == der.SEQUENCE and inside.reader().next().tag == der.context(0)
