"""With what certificates are signed: the table `[certificates.signer]` of notary.toml.

    [certificates.signer]
    key = "/etc/mizheng/certificates.key"        # PKCS#8 in PEM, without a passphrase: RSA or P-256
    chain = "/etc/mizheng/certificates.pem"      # its certificate first, then each issuer's up to the root
    timestamps = "nfsq"                          # a [timestamps.NAME] with url: signatures of level B-LTA
    crls = ["http://ca.example/ca.crl"]          # lists of whoever issued it; needed with timestamps

Without the table a key and a certificate are made in the data directory. Nobody vouches for that
certificate, and its name says so: it is for trying.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from mizheng.notary.errors import ConfigurationError
from mizheng.notary.keys.files import write_secret
from mizheng.notary.timestamping.setup import AuthoritySetup
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.timestamp.authority import Authority
from mizheng.verifier.timestamp.x509 import Certificate, load_certificate

KEY_NAME, CHAIN_NAME = "certificates.key", "certificates.crt"
_KEYS = {"key", "chain", "timestamps", "crls"}
_DER = serialization.Encoding.DER
_LEAST_RSA_BITS = 2048
# For trying: longer than anybody tries.
_TRIAL_DAYS = 3_650


@dataclass(frozen=True, slots=True)
class SignerSetup:
    """A key, its certificate, and who dates what it signs."""

    key: bytes = field(repr=False)
    """PKCS#8 DER."""
    chain: tuple[Certificate, ...]
    """Its certificate, then its issuers' up to the root; one that signs itself is its own root."""
    authority: AuthoritySetup | None = None
    """None: signatures of level B-B."""
    crls: tuple[str, ...] = ()

    @property
    def keyid(self) -> str:
        """Hex SHA-256 of the SubjectPublicKeyInfo."""
        key = self.chain[0].parsed.public_key()
        return hashlib.sha256(
            key.public_bytes(_DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        ).hexdigest()


def load_signer(
    table: Mapping[str, Any] | None, authorities: Sequence[AuthoritySetup], keys_dir: Path, origin: str
) -> SignerSetup:
    """What the table says, or a signer for trying; ConfigurationError names what is wrong."""
    if table is None:
        return _load(*create_trial(keys_dir, origin), None, ())
    if set(table) - _KEYS or not all(isinstance(table.get(name), str) for name in ("key", "chain")):
        raise ConfigurationError("notary.toml: [certificates.signer] has key and chain; timestamps, crls")
    name, crls = table.get("timestamps"), table.get("crls", [])
    if not isinstance(crls, list) or not all(isinstance(url, str) for url in crls):
        raise ConfigurationError("notary.toml: [certificates.signer]: crls is a list of addresses")
    authority = None
    if name is not None:
        authority = next((item for item in authorities if item.name == name and item.url), None)
        if authority is None:
            raise ConfigurationError("notary.toml: there is no [timestamps.{name}] with a url", name=name)
        if not crls:
            raise ConfigurationError(
                "notary.toml: [certificates.signer]: timestamps without crls",
                hint="a signature that is to last carries a revocation list of the certificate's issuer",
            )
    return _load(Path(table["key"]), Path(table["chain"]), authority, tuple(crls))


def find_certifier(
    table: Mapping[str, Any] | None,
    authorities: Sequence[AuthoritySetup],
    keys_dir: Path,
    origin: str,
    name: str,
) -> Authority | None:
    """The signer as a trust file names it, by its root. None as long as one for trying was not made."""
    if table is None and not (keys_dir / CHAIN_NAME).exists():
        return None
    return Authority(name, (load_signer(table, authorities, keys_dir, origin).chain[-1],))


def create_trial(keys_dir: Path, origin: str) -> tuple[Path, Path]:
    """A key and a certificate that it signs itself, made where they are not there yet; their files."""
    key_path, chain_path = keys_dir / KEY_NAME, keys_dir / CHAIN_NAME
    if not chain_path.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "TRIAL 试用，无人担保 nobody vouches for it"),
                x509.NameAttribute(NameOID.COMMON_NAME, origin[:64]),
            ]
        )
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=_TRIAL_DAYS))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_signing_only(), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        # The certificate last: where it is, the key is too. A key that was left alone is replaced.
        key_path.unlink(missing_ok=True)
        write_secret(key_path, pem)
        write_secret(chain_path, certificate.public_bytes(serialization.Encoding.PEM))
    return key_path, chain_path


def _load(
    key_path: Path, chain_path: Path, authority: AuthoritySetup | None, crls: tuple[str, ...]
) -> SignerSetup:
    if key_path.exists() and key_path.stat().st_mode & 0o077:
        raise ConfigurationError(
            "the key {path} is open to other accounts", hint="run: chmod 600 {path}", path=key_path
        )
    try:
        key = serialization.load_pem_private_key(key_path.read_bytes(), None)
        found = x509.load_pem_x509_certificates(chain_path.read_bytes())
        chain = tuple(load_certificate(item.public_bytes(_DER)) for item in found)
    except (OSError, ValueError, TypeError, MizhengError):
        # Whose reason may show what the file holds.
        raise ConfigurationError(
            "{key} and {chain} are not a key and its certificates",
            hint="a key in PKCS#8 PEM without a passphrase; certificates in PEM, the key's own first",
            key=key_path,
            chain=chain_path,
        ) from None
    is_rsa = isinstance(key, rsa.RSAPrivateKey) and key.key_size >= _LEAST_RSA_BITS
    if not is_rsa and not (
        isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)
    ):
        raise ConfigurationError(
            "{key}: certificates are signed with RSA of 2048 bits or more, or P-256", key=key_path
        )
    if key.public_key() != chain[0].parsed.public_key():
        raise ConfigurationError(
            "{chain}: the first certificate is not that of {key}", chain=chain_path, key=key_path
        )
    for item, issuer in zip(chain, (*chain[1:], chain[-1]), strict=True):
        if not item.is_issued_by(issuer):
            raise ConfigurationError(
                "{chain}: the certificates do not lead up to a root",
                hint="each is followed by its issuer's; the last one signs itself",
                chain=chain_path,
            )
    data = key.private_bytes(_DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return SignerSetup(data, chain, authority, crls)


def _signing_only() -> x509.KeyUsage:
    """digitalSignature and nonRepudiation (RFC 5280 §4.2.1.3)."""
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
