"""The notary's private keys in one file of their own, each encrypted under a passphrase.

Never beside the log: who finds a backup of the database must not be able to sign for the notary. The
passphrase is stretched with scrypt (RFC 7914), because PKCS#8's own derivation is far too quick to hold up
somebody who guesses; the result, in Base64, is the password of encrypted PKCS#8 PEM (RFC 5958, RFC 8018), one
for each key. The publisher's key is an EC key on secp256k1. All of it is the cryptography library's.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from mizheng.notary.backup.archive import write_file
from mizheng.notary.errors import OperatorError
from mizheng.notary.instance import PUBLISHER_FILE
from mizheng.verifier.canonical import from_base64, require_fields, to_base64
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.signature import PrivateKey

KEYS_TYPE = "mizheng/notary-keys/v1"
# Who finds the file can try as many as he likes.
MIN_PASSPHRASE = 12
# 128 MiB and half a second for each guess: OWASP's figures for scrypt.
_N, _R, _P = 2**17, 8, 1


def read_passphrase(path: Path) -> bytes:
    """The first line of a file; OperatorError if it is none."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise OperatorError("{path} cannot be read", path=path) from None
    return check_passphrase(lines[0] if lines else "")


def check_passphrase(text: str) -> bytes:
    """The passphrase's bytes; OperatorError if it is too short to protect anything."""
    if len(text) < MIN_PASSPHRASE:
        raise OperatorError("the passphrase has fewer than {least} characters", least=MIN_PASSPHRASE)
    return text.encode()


def write_keys(keys_dir: Path, path: Path, passphrase: bytes) -> int:
    """Write every private key of the notary, encrypted, into the new file `path`; how many there were."""
    salt = os.urandom(16)
    password = _stretch(passphrase, salt)
    keys = {item.name: _seal_pem(item, password) for item in sorted(keys_dir.glob("*.pem"))}
    publisher = keys_dir / PUBLISHER_FILE
    if publisher.exists():
        keys[publisher.name] = _seal_publisher(publisher, password)
    fields = {"type": KEYS_TYPE, "scrypt": {"salt": to_base64(salt), "n": _N, "r": _R, "p": _P}, "keys": keys}
    try:
        write_file(path, json.dumps(fields, indent=1).encode() + b"\n")
    except FileExistsError:
        raise OperatorError("{path} exists already", hint="name another file", path=path) from None
    except OSError as error:
        raise OperatorError(
            "{path} cannot be written: {reason}", path=path, reason=error.strerror or "input/output error"
        ) from None
    # A backup that cannot be read back is none.
    read_keys(path, passphrase)
    return len(keys)


def read_keys(path: Path, passphrase: bytes) -> Mapping[str, bytes]:
    """File names and contents as they stand in the keys directory; OperatorError if it cannot be opened."""
    try:
        fields = require_fields(json.loads(path.read_bytes()), {"type": str, "scrypt": dict, "keys": dict})
        cost = require_fields(fields["scrypt"], {"salt": str, "n": int, "r": int, "p": int})
        # Another cost would be another version; and a forged one could ask for all memory there is.
        if fields["type"] != KEYS_TYPE or (cost["n"], cost["r"], cost["p"]) != (_N, _R, _P):
            raise ValueError("another version")
        password = _stretch(passphrase, from_base64(cost["salt"]))
        for name, pem in fields["keys"].items():
            if Path(name).name != name or name.startswith(".") or not isinstance(pem, str):
                raise ValueError("names become paths")
    except (OSError, ValueError, MizhengError):
        raise OperatorError("{path} is not a file with the notary's keys", path=path) from None
    return {name: _open(name, pem.encode(), password) for name, pem in fields["keys"].items()}


def _stretch(passphrase: bytes, salt: bytes) -> bytes:
    return to_base64(Scrypt(salt=salt, length=32, n=_N, r=_R, p=_P).derive(passphrase)).encode()


def _seal_pem(path: Path, password: bytes) -> str:
    try:
        return PrivateKey.from_pem(path.read_bytes()).to_pem(password).decode()
    except (OSError, MizhengError):
        raise OperatorError("{path} is not a key without a passphrase", path=path) from None


def _seal_publisher(path: Path, password: bytes) -> str:
    # Its form was checked when it was made; what is wrong here is wrong on the disk.
    try:
        number = int(path.read_text("ascii").strip().removeprefix("0x"), 16)
        key = ec.derive_private_key(number, ec.SECP256K1())
    except (OSError, ValueError):
        raise OperatorError("{path} does not hold a publisher's key", path=path) from None
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password),
    ).decode()


def _open(name: str, pem: bytes, password: bytes) -> bytes:
    try:
        if name != PUBLISHER_FILE:
            return PrivateKey.from_pem(pem, password).to_pem()
        key = serialization.load_pem_private_key(pem, password)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256K1):
            raise ValueError("another kind of key")
        return key.private_numbers().private_value.to_bytes(32, "big").hex().encode() + b"\n"
    except (ValueError, TypeError, MizhengError):
        raise OperatorError(
            "the key {name} cannot be opened", hint="is it this passphrase?", name=name
        ) from None
