"""Reading the signature of a PDF with pyHanko: whether it checks, and whether anything was changed since.

Whom it is by is not decided here: the certificates go to the caller as they stand.
"""

from __future__ import annotations

import io
from typing import Any

from ..checks.papers import PdfSignature
from ..errors import FormatError, MizhengError, ProofError
from ..timestamp import der
from ..timestamp.token import parse_token
from .missing import need


class PyHankoReader:
    """The reader that `verify_bundle` takes. pyHanko, slow to load, comes with the first certificate."""

    def read_signature(self, pdf: bytes) -> PdfSignature:
        """FormatError for what is no PDF; ProofError when it is not signed or its signature is wrong."""
        need("pyhanko.sign.validation")
        try:
            return _read(pdf)
        except MizhengError:
            raise
        except Exception as error:
            # A broken PDF can break a reader of PDF in any way.
            raise FormatError("the certificate is no PDF that can be read") from error


def find_reader() -> PyHankoReader | None:
    """A reader, if the extra `pdf` is installed; nothing is loaded yet."""
    import importlib.util

    return PyHankoReader() if importlib.util.find_spec("pyhanko") else None


def _read(pdf: bytes) -> PdfSignature:
    reader = need("pyhanko.pdf_utils.reader").PdfFileReader(io.BytesIO(pdf))
    signatures = list(reader.embedded_regular_signatures)
    if len(signatures) != 1:
        raise ProofError("the certificate is not signed by exactly one")
    signature = signatures[0]
    _require_signed(signature)
    _require_unchanged(signature)
    _require_stamps(reader, pdf)
    certificates = [signature.signer_cert, *signature.other_embedded_certs]
    information = reader.trailer["/Info"]
    return PdfSignature(
        certificates=tuple(item.dump() for item in certificates),
        value=signature.signer_info["signature"].native,
        token=_find_token(signature.signer_info),
        crls=_find_lists(reader),
        keywords=tuple(str(information["/Keywords"]).split(", ")) if "/Keywords" in information else (),
    )


def _require_signed(signature: Any) -> None:
    """The signature is by the key of the certificate beside it, over the bytes that it names."""
    signature.compute_integrity_info()
    certificate = signature.signer_cert
    checks = need("pyhanko.sign.validation.generic_cms")
    is_intact, is_valid = checks.validate_sig_integrity(
        signature.signer_info, certificate, "data", signature.compute_digest()
    )
    if not (is_intact and is_valid):
        raise ProofError("the certificate's signature does not check: the file was changed")
    # RFC 5035: without this, another certificate for the same key could be put in its place.
    named = checks.get_signing_cert_attr(signature.signer_info["signed_attrs"])
    if named is None or not checks.check_ess_certid(certificate, named["certs"][0]):
        raise ProofError("the signature names another certificate than the one beside it")


def _require_unchanged(signature: Any) -> None:
    """The signature is over the whole file as it was; since then nothing came but proofs and stamps."""
    levels = need("pyhanko.sign.validation.status").SignatureCoverageLevel
    changes = need("pyhanko.sign.diff_analysis").ModificationLevel
    found = signature.summarise_integrity_info()
    if found["coverage"] < levels.ENTIRE_REVISION:
        raise ProofError("the certificate's signature is not over the whole file")
    difference = found["diff_result"]
    is_stamped_only = difference is None or (
        hasattr(difference, "modification_level") and difference.modification_level <= changes.LTA_UPDATES
    )
    if not found["docmdp_ok"] or not is_stamped_only:
        raise ProofError("the certificate was changed after it was signed")


def _require_stamps(reader: Any, pdf: bytes) -> None:
    """Each stamp over the file holds, and the last signature or stamp reaches to the file's end."""
    for stamp in reader.embedded_timestamp_signatures:
        stamp.compute_integrity_info()
        # Who made it is not asked: it keeps the bytes together. The time is that of the signature's token.
        parse_token(_content_info(stamp.signed_data)).require_imprint(stamp.compute_digest())
    for item in reader.embedded_signatures:
        _require_plain(item, pdf)
    last = reader.embedded_signatures[-1]
    if last.coverage != need("pyhanko.sign.validation.status").SignatureCoverageLevel.ENTIRE_FILE:
        raise ProofError("something was added to the certificate behind its signature")


def _require_plain(item: Any, pdf: bytes) -> None:
    """The place of a signature, which nothing signs, holds it in capital hex, then nothing but zeros."""
    first, length, second, _ = (int(number) for number in item.byte_range)
    content = bytes(item.pkcs7_content)
    padding = content[len(der.Reader(content).next().encoded) :]
    if pdf[first + length : second] != b"<%s>" % content.hex().upper().encode() or padding.strip(b"\0"):
        raise ProofError("the place of a signature in the certificate holds more than the signature")


def _content_info(signed_data: Any) -> bytes:
    content = need("asn1crypto.cms")
    data: bytes = content.ContentInfo({"content_type": "signed_data", "content": signed_data}).dump()
    return data


def _find_token(signer_info: Any) -> bytes | None:
    """The time-stamp token among the unsigned attributes (RFC 3161, appendix A)."""
    if not signer_info["unsigned_attrs"]:
        return None
    for attribute in signer_info["unsigned_attrs"]:
        if attribute["type"].native == "signature_time_stamp_token" and len(attribute["values"]) == 1:
            data: bytes = attribute["values"][0].dump()
            return data
    return None


def _find_lists(reader: Any) -> tuple[bytes, ...]:
    if "/DSS" not in reader.root:
        return ()
    found = need("pyhanko.sign.validation").DocumentSecurityStore.read_dss(reader)
    return tuple(item.get_object().data for item in found.crls)
