"""PAdES signatures of certificates: level B-B, and B-LTA where a time-stamp authority is set up.

A signature of level B-B counts for as long as the signing certificate does. One of level B-LTA (ETSI EN 319
142-1) holds on: a token says when it was made, the certificates and revocation lists of that time are inside,
and a second token is over all of it. For that, whoever issued the signing certificate has to publish a list.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import httpx
from mizheng.notary.certificates.setup import CertificateSetup
from mizheng.notary.certificates.signer import SignerSetup, load_signer
from mizheng.notary.instance import Instance
from mizheng.notary.outgoing import make_client
from mizheng.notary.timestamping.asking import TIMEOUT_SECONDS, AskingError, ask_token, fetch_list
from mizheng.notary.timestamping.setup import AuthoritySetup, parse_timestamps
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.paper.missing import need
from mizheng.verifier.timestamp.algorithms import SHA256
from mizheng.verifier.timestamp.given import Given
from mizheng.verifier.timestamp.revocation import check_revocation
from mizheng.verifier.timestamp.x509 import Certificate, load_revocation_list

# The signature field's name, and what a reader shows as the reason.
FIELD = "Notary"
_REASON = "存证证书 certificate of deposit"


class SigningError(MizhengError):
    """The certificate could not be signed now; nothing is wrong with it."""


class CertificateSigner:
    """Signs PDFs with the notary's key and X.509 certificate. From one thread at a time."""

    def __init__(self, load: Callable[[], SignerSetup], client: httpx.Client | None = None) -> None:
        """`load` is called with the first certificate: a key for trying is not made before it is needed."""
        self._load = load
        self._setup: SignerSetup | None = None
        self._client = client or make_client(TIMEOUT_SECONDS)
        # Kept: it asks once for a token that is only measured, so that room can be left for the real ones.
        self._stamping: Any = None

    @property
    def setup(self) -> SignerSetup:
        if self._setup is None:
            self._setup = self._load()
        return self._setup

    @property
    def keyid(self) -> str:
        """Hex SHA-256 of the SubjectPublicKeyInfo of the signing certificate."""
        return self.setup.keyid

    def sign(self, pdf: bytes) -> bytes:
        """The signed PDF. SigningError when the authority or a revocation list cannot be had; PaperError
        without the extra `pdf`.
        """
        authority, context = self.setup.authority, None
        if authority is not None:
            context = _context(self.setup, authority, self._client)
            self._stamping = self._stamping or _timestamper(authority, self._client)
        return _sign(pdf, self.setup, self._stamping, context)


def make_signer(instance: Instance, setup: CertificateSetup) -> CertificateSigner:
    """What notary.toml says; ConfigurationError at once where that cannot be used."""
    settings = instance.settings
    load = partial(
        load_signer, setup.signer, parse_timestamps(settings.timestamps), settings.keys_dir, instance.origin
    )
    if setup.signer is None:
        return CertificateSigner(load)
    loaded = load()
    return CertificateSigner(lambda: loaded)


def sign_certificate(pdf: bytes, signer: CertificateSigner) -> bytes:
    """`pdf` with a signature that certifies it: afterwards nothing may change in it, only stamps may come."""
    return signer.sign(pdf)


def _sign(pdf: bytes, setup: SignerSetup, stamping: Any, context: Any) -> bytes:
    writers = need("pyhanko.pdf_utils.incremental_writer")
    fields, signers = need("pyhanko.sign.fields"), need("pyhanko.sign.signers")
    is_lta = stamping is not None
    metadata = signers.PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        reason=_REASON,
        subfilter=fields.SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES,
        embed_validation_info=is_lta,
        use_pades_lta=is_lta,
        validation_context=context,
        # The stamp is put on last, so that it reaches to the end of the file.
        dss_settings=signers.pdf_signer.DSSContentSettings(
            include_vri=False,
            next_ts_settings=signers.pdf_signer.TimestampDSSContentSettings(
                include_vri=False, update_before_ts=True
            ),
        ),
    )
    output = io.BytesIO()
    try:
        writer = writers.IncrementalPdfFileWriter(io.BytesIO(pdf))
        signers.PdfSigner(metadata, _signer(setup), timestamper=stamping).sign_pdf(writer, output=output)
    except MizhengError:
        raise
    except Exception as error:
        # pyHanko and its path validation have a dozen families of exceptions.
        raise SigningError(
            "the certificate could not be signed: {reason}", reason=type(error).__name__
        ) from error
    return output.getvalue()


def _signer(setup: SignerSetup) -> Any:
    keys, stores = need("asn1crypto.keys"), need("pyhanko_certvalidator.registry")
    store = stores.SimpleCertificateStore()
    store.register_multiple([_asn1(item) for item in setup.chain])
    return need("pyhanko.sign.signers").SimpleSigner(
        _asn1(setup.chain[0]),
        keys.PrivateKeyInfo.load(setup.key),
        store,
        # Without a stamp over it nothing would hold the root's own bytes; readers have it from elsewhere.
        embed_roots=setup.authority is not None,
    )


def _asn1(certificate: Certificate) -> Any:
    return need("asn1crypto.x509").Certificate.load(certificate.encoded)


def _context(setup: SignerSetup, authority: AuthoritySetup, client: httpx.Client) -> Any:
    """What is believed while signing, with the lists of today: they go into the file."""
    lists = [_list(client, url) for url in setup.crls]
    status = check_revocation(setup.chain, Given(tuple(lists)), int(time.time()))
    if not status.is_known:
        raise SigningError("no revocation list speaks for every certificate of the signing key's chain")
    for url in authority.crls:
        try:
            lists.append(_list(client, url))
        except SigningError:
            # The token is taken without: it says less about itself then, and no more than it does.
            continue
    roots = [setup.chain[-1], *authority.trusted.roots]
    return need("pyhanko_certvalidator").ValidationContext(
        trust_roots=[_asn1(root) for root in roots],
        other_certs=[_asn1(item) for item in setup.chain],
        crls=[listed.encoded for listed in lists],
        allow_fetching=False,
        revocation_mode="soft-fail",
    )


def _list(client: httpx.Client, url: str) -> Any:
    try:
        return load_revocation_list(fetch_list(client, url))
    except MizhengError as error:
        raise SigningError(
            "the revocation list {url} cannot be had: {reason}", url=url, reason=str(error)
        ) from error


def _timestamper(authority: AuthoritySetup, client: httpx.Client) -> Any:
    """pyHanko's view of an authority that the notary asks and checks in its own way."""
    timestamps, content = need("pyhanko.sign.timestamps"), need("asn1crypto.cms")

    # Without lists beside the token: nobody signs that place, and the last stamp is to hold every byte. They
    # go into the file, under the stamp.
    plain = replace(authority, crls=(), ocsp=())

    class Asking(timestamps.TimeStamper):  # type: ignore[misc, name-defined]
        async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> Any:
            assert md_algorithm == SHA256.name  # noqa: S101 - as the metadata say
            try:
                found = ask_token(client, plain, SHA256, message_digest)
            except AskingError as error:
                raise SigningError(
                    "no token from {name}: {reason}", name=authority.name, reason=str(error)
                ) from error
            return content.ContentInfo.load(found.token.encoded)

    return Asking()
