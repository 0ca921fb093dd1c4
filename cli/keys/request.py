"""What a certification authority asks for before it certifies a key: a PKCS#10 request (RFC 2986)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mizheng.verifier.signature import PrivateKey


def make_request(key: PrivateKey, name: str) -> bytes:
    """PEM, signed by the key; the subject is the company's legal name, as organization and as common name.

    More of the subject (country, place, registration number) is for the authority to add: it checks them.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    private = serialization.load_pem_private_key(key.to_pem(), None)
    # There is no room for more, and the verifier asks for no more (x509.Certificate.is_named).
    names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, name[:64])]
    # The library counts bytes here, of which a Chinese character has three.
    if len(name.encode()) <= 64:
        names.append(x509.NameAttribute(NameOID.COMMON_NAME, name))
    subject = x509.Name(names)
    algorithm = hashes.SHA256() if isinstance(private, ec.EllipticCurvePrivateKey) else None
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return builder.sign(private, algorithm).public_bytes(serialization.Encoding.PEM)  # type: ignore[arg-type]
