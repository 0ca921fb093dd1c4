"""OCSP answers made by `openssl ocsp` about a time-stamp authority's certificates, at the present time."""

from __future__ import annotations

import subprocess
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from mizheng.verifier.timestamp import der

from tests.support.tsa import DAY, Issued, issue, make_key, moment


def make_responder(by: Issued, at: int, *, no_check: bool = True, **options: object) -> Issued:
    """A certificate for signing answers in the name of `by`, from a day before `at` for ten days."""
    more = [(x509.OCSPNoCheck(), False)] if no_check else []
    options = {"purposes": (ExtendedKeyUsageOID.OCSP_SIGNING,), **options}
    key = make_key("p256", 3000)
    return issue("responder", key, by, start=at - DAY, end=at + 9 * DAY, more=more, **options)  # type: ignore[arg-type]


def answer_with_openssl(
    folder: Path,
    subject: Issued,
    issuer: Issued,
    *,
    revoked: tuple[int, str] | None = None,
    is_listed: bool = True,
    responder: Issued | None = None,
    by_key: bool = False,
    days: int | None = 7,
    digest: str = "sha1",
    request: bytes | None = None,
) -> bytes:
    """An OCSPResponse about `subject`, which openssl knows by a list of what was issued.

    `revoked`: when, and the reason as openssl calls it. Not `is_listed`: it does not know the certificate.
    `request`: what is asked; None: openssl asks itself.
    """
    signer = responder or issuer
    ends = moment(int(subject.certificate.not_valid_after_utc.timestamp())).strftime("%y%m%d%H%M%SZ")
    since = "" if revoked is None else f"{moment(revoked[0]).strftime('%y%m%d%H%M%SZ')},{revoked[1]}"
    serial = f"{subject.certificate.serial_number:x}".upper()
    serial = serial.zfill(len(serial) + len(serial) % 2)
    row = f"{'V' if revoked is None else 'R'}\t{ends}\t{since}\t{serial}\tunknown\t/CN=x\n"
    files = {
        "subject.pem": subject.pem,
        "issuer.pem": issuer.pem,
        "signer.pem": signer.pem,
        "signer.key": signer.key_pem,
        "index": row.encode() if is_listed else b"",
        "request": request or b"",
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    command = ["openssl", "ocsp", "-index", "index", "-CA", "issuer.pem", "-rsigner", "signer.pem"]
    command += ["-rkey", "signer.key"]
    if request is None:
        command += [f"-{digest}", "-issuer", "issuer.pem", "-cert", "subject.pem"]
    else:
        command += ["-reqin", "request"]
    command += ["-noverify", "-respout", "answer.der", *(["-resp_key_id"] if by_key else [])]
    command += [] if days is None else ["-ndays", str(days)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return (folder / "answer.der").read_bytes()


def in_crls(response: bytes) -> bytes:
    """As it stands in the `crls` of SignedData (RFC 5940)."""
    return der.encode(der.context(1), der.encode_oid("1.3.6.1.5.5.7.16.2"), response)


def basic(response: bytes) -> bytes:
    """The BasicOCSPResponse inside."""
    body = der.parse(response).reader()
    body.next()
    inner = der.parse(body.next().content).reader()
    inner.next()
    return inner.next().octets()


def in_values(*responses: bytes, lists: tuple[bytes, ...] = ()) -> bytes:
    """As they stand in an unsigned attribute revocation-values (RFC 5126 §6.3.4)."""
    fields = b""
    for number, items in enumerate((lists, tuple(basic(response) for response in responses))):
        if items:
            fields += der.encode(der.context(number), der.encode(der.SEQUENCE, *items))
    value = der.encode(der.SET, der.encode(der.SEQUENCE, fields))
    return der.encode(der.SEQUENCE, der.encode_oid("1.2.840.113549.1.9.16.2.24"), value)
