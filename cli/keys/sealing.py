"""The key that opens this person's seals: an age identity (X25519), apart from the signing key.

    keyring      the platform's keyring, under the service `mizheng`, name `seals`
    file         keys/seals.txt, 0600, as age-keygen writes it: for unattended use
    passphrase   keys/seals.age, 0600: the same, in an age file under a passphrase (scrypt: a second each
    time)

keys/seals.pub holds the recipient: sealing needs no more than that. Recipients of the company's escrow
stand in keys/escrow.txt, one a line; every new seal can be opened by them too. Where the identity is
somebody else's, as on the escrow's own machine, MIZHENG_SEAL_IDENTITY names a file with it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mizheng.cli.errors import ConfigurationFault, DataFault, PermissionFault, UsageFault
from mizheng.cli.files import write_private
from mizheng.cli.keys.signing import SERVICE, keyring_call, read_passphrase
from mizheng.cli.sealfile.box import Secret
from mizheng.cli.sealfile.content import Content
from mizheng.cli.sealfile.read import Seal

if TYPE_CHECKING:
    from pyrage import x25519

_NAME = "seals"


def recipients(home: Path, store: str) -> list[x25519.Recipient]:
    """Who can open a new seal: this person, the key made first if there is none, and the escrow."""
    own = _folder(home) / f"{_NAME}.pub"
    if not own.exists():
        create_seal_key(home, store)
    return [parse_recipient(own.read_text("ascii").strip()), *load_escrow(home)]


def create_seal_key(home: Path, store: str) -> str:
    """Make the identity and keep it; its recipient. The public half comes last: without it there is none."""
    from pyrage import passphrase, x25519

    identity = x25519.Identity.generate()
    text = f"# public key: {identity.to_public()}\n{identity}\n"
    if store == "keyring":
        keyring_call(lambda ring: ring.set_password(SERVICE, _NAME, str(identity)))
    elif store == "passphrase":
        word = read_passphrase(confirm=True).decode()
        write_private(_folder(home) / f"{_NAME}.age", passphrase.encrypt(text.encode(), word))
    else:
        write_private(_folder(home) / f"{_NAME}.txt", text.encode())
    public = str(identity.to_public())
    write_private(_folder(home) / f"{_NAME}.pub", public.encode() + b"\n")
    return public


def open_seal(seal: Seal, home: Path) -> Content:
    """The contents of a seal; PermissionFault when none of the identities here opens it."""
    identities = load_identities(home)
    secret = Secret.unwrap(seal.wrapped_keys, identities) if identities else None
    if secret is None:
        raise missing_key(seal.path, home)
    return Content(seal, secret)


def missing_key(path: Path, home: Path) -> PermissionFault:
    """None of the identities here opens the seal."""
    return PermissionFault(
        "the key that opens {name} is not on this machine",
        "work where it was made, bring back the folder {home} from a copy, or ask the holder of the "
        "escrow key",
        name=str(path),
        home=str(home),
    )


def load_identities(home: Path) -> list[x25519.Identity]:
    """The identities of this person; PermissionFault when one is there and cannot be used."""
    named = os.environ.get("MIZHENG_SEAL_IDENTITY")
    if named:
        return _parse_identities(_read(Path(named)), Path(named))
    folder = _folder(home)
    if not (folder / f"{_NAME}.pub").exists():
        return []
    plain, closed = folder / f"{_NAME}.txt", folder / f"{_NAME}.age"
    if plain.exists():
        return _parse_identities(_read(plain), plain)
    if closed.exists():
        return _parse_identities(_open_closed(closed), closed)
    text = keyring_call(lambda ring: ring.get_password(SERVICE, _NAME))
    if text is None:
        raise PermissionFault(
            "the platform keyring does not have the key of the seals",
            "unlock the keyring of the person who sealed them",
        )
    return _parse_identities(text, folder)


def load_escrow(home: Path) -> list[x25519.Recipient]:
    """Recipients of the company's escrow; ConfigurationFault when the list is damaged."""
    path = escrow_path(home)
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationFault("{name} cannot be read", name=str(path)) from error
    return [parse_recipient(line.split()[0]) for line in lines if line.strip() and not line.startswith("#")]


def escrow_path(home: Path) -> Path:
    return _folder(home) / "escrow.txt"


def parse_recipient(text: str) -> x25519.Recipient:
    """An age recipient (age1…); UsageFault when it is none."""
    from pyrage import RecipientError, x25519

    try:
        return x25519.Recipient.from_str(text)
    except RecipientError as error:
        raise UsageFault(
            "{value} is not an age recipient", "it looks like age1…; age-keygen makes one", value=text[:80]
        ) from error


def _open_closed(path: Path) -> str:
    from pyrage import DecryptError, passphrase

    try:
        text = bytes(passphrase.decrypt(path.read_bytes(), read_passphrase(confirm=False).decode()))
        return text.decode()
    except (DecryptError, UnicodeDecodeError) as error:
        raise PermissionFault("the key of the seals cannot be opened", "check the passphrase") from error


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PermissionFault("{name} cannot be read", name=str(path)) from error


def _parse_identities(text: str, path: Path) -> list[x25519.Identity]:
    from pyrage import IdentityError, x25519

    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        found = [x25519.Identity.from_str(line) for line in lines]
    except IdentityError as error:
        raise DataFault("{name} holds no age identity", name=str(path)) from error
    if not found:
        raise DataFault("{name} holds no age identity", name=str(path))
    return found


def _folder(home: Path) -> Path:
    return home / "keys"
