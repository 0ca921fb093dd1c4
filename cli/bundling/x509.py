"""A CA's certificate of the signing key as members of a bundle, with its chain and revocation lists."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from mizheng.cli.errors import InputFault
from mizheng.verifier.canonical import from_base64
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.statement import Statement
from mizheng.verifier.timestamp.enclosed import MAX_ENCLOSED, is_certificate, parse_x509
from mizheng.verifier.timestamp.x509 import MAX_CRL_BYTES, load_certificate, read_key_info

_PEM = re.compile(rb"-----BEGIN (CERTIFICATE|X509 CRL)-----(.*?)-----END \1-----", re.DOTALL)
# Of one file; base64 takes a third more than what it holds.
_MAX_BYTES = 2 * MAX_CRL_BYTES


def x509_members(files: Sequence[str], statement: Statement) -> dict[str, bytes]:
    """Members x509/NNNN.der, the certificate of the statement's key first.

    InputFault where there is none, or one that names another than the depositor.

    Files hold certificates, revocation lists and OCSP responses: DER, or the first two in PEM, one or many.
    """
    found = [(name, data) for name in files for data in _read(name)]
    if len(found) > MAX_ENCLOSED:
        raise InputFault(
            "more than {limit} X.509 members",
            "take the lists of the authority that issued the certificate, and no others",
            limit=MAX_ENCLOSED,
        )
    first = [data for name, data in found if _is_of(statement.public_key.keyid, data)][:1]
    if not first:
        raise InputFault(
            "none of these files is a certificate of the key that signed the deposit",
            "mizheng key request writes what a certification authority needs to issue one",
        )
    for name, data in found:
        try:
            parse_x509(data)
        except MizhengError as error:
            raise _unreadable(name) from error
    if not load_certificate(first[0]).is_named(statement.depositor.name):
        raise InputFault(
            "the X.509 certificate does not have the depositor's name",
            "ask the authority for one with the name in the deposit; the bundle would read invalid",
        )
    others = [data for _, data in found if data not in first]
    return {f"x509/{number:04}.der": data for number, data in enumerate([*first, *others], 1)}


def _read(name: str) -> list[bytes]:
    with Path(name).open("rb") as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise InputFault(
            "{name} is larger than {size} bytes",
            "take the lists of the authority that issued the certificate, and no others",
            name=name,
            size=_MAX_BYTES,
        )
    blocks = [b"".join(body.split()).decode("latin-1") for _, body in _PEM.findall(data)]
    try:
        return [from_base64(block) for block in blocks] or [data]
    except MizhengError as error:
        raise _unreadable(name) from error


def _unreadable(name: str) -> InputFault:
    return InputFault(
        "{name} holds no X.509 certificate, revocation list or OCSP response that can be read",
        "PKCS#7: openssl pkcs7 -in FILE -inform DER -print_certs",
        name=name,
    )


def _is_of(keyid: str, data: bytes) -> bool:
    try:
        return is_certificate(data) and sha256(read_key_info(data).encoded).hexdigest() == keyid
    except MizhengError:
        return False
