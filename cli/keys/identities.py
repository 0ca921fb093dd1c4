"""age identities (X25519) of this person, each under a name: that of the seals, those that he receives with.

    keyring      the platform's keyring, under the service `mizheng`
    file         keys/NAME.txt, 0600, as age-keygen writes it: for unattended use
    passphrase   keys/NAME.age, 0600: the same, in an age file under a passphrase (scrypt: a second each time)

keys/NAME.pub holds the recipient: to encrypt needs no more than that.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mizheng.cli.errors import DataFault, PermissionFault, UsageFault
from mizheng.cli.files import write_private
from mizheng.cli.keys.signing import SERVICE, keyring_call, read_passphrase

if TYPE_CHECKING:
    from pyrage import x25519


def create_identity(home: Path, store: str, name: str) -> str:
    """Make the identity and keep it; its recipient. The public half comes last: without it there is none."""
    from pyrage import passphrase, x25519

    identity = x25519.Identity.generate()
    text = f"# public key: {identity.to_public()}\n{identity}\n"
    if store == "keyring":
        keyring_call(lambda ring: ring.set_password(SERVICE, name, str(identity)))
    elif store == "passphrase":
        word = read_passphrase(confirm=True).decode()
        write_private(keys_folder(home) / f"{name}.age", passphrase.encrypt(text.encode(), word))
    else:
        write_private(keys_folder(home) / f"{name}.txt", text.encode())
    public = str(identity.to_public())
    write_private(public_path(home, name), public.encode() + b"\n")
    return public


def load_identity(home: Path, name: str) -> list[x25519.Identity]:
    """The identities kept under a name, none if there are none; PermissionFault when one cannot be used."""
    if not public_path(home, name).exists():
        return []
    plain, closed = keys_folder(home) / f"{name}.txt", keys_folder(home) / f"{name}.age"
    if plain.exists():
        return read_identities(plain)
    if closed.exists():
        return parse_identities(_open_closed(closed), closed)
    text = keyring_call(lambda ring: ring.get_password(SERVICE, name))
    if text is None:
        raise PermissionFault(
            "the platform keyring does not have the key {key}",
            "unlock the keyring of the person who made it",
            key=name,
        )
    return parse_identities(text, keys_folder(home))


def read_identities(path: Path) -> list[x25519.Identity]:
    """The identities in a file as age-keygen writes it."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PermissionFault("{name} cannot be read", name=str(path)) from error
    return parse_identities(text, path)


def parse_identities(text: str, path: Path) -> list[x25519.Identity]:
    """One identity a line; DataFault when there is none."""
    from pyrage import IdentityError, x25519

    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        found = [x25519.Identity.from_str(line) for line in lines]
    except IdentityError as error:
        raise DataFault("{name} holds no age identity", name=str(path)) from error
    if not found:
        raise DataFault("{name} holds no age identity", name=str(path))
    return found


def parse_recipient(text: str) -> x25519.Recipient:
    """An age recipient (age1…); UsageFault when it is none."""
    from pyrage import RecipientError, x25519

    try:
        return x25519.Recipient.from_str(text)
    except RecipientError as error:
        raise UsageFault(
            "{value} is not an age recipient", "it looks like age1…; age-keygen makes one", value=text[:80]
        ) from error


def public_path(home: Path, name: str) -> Path:
    return keys_folder(home) / f"{name}.pub"


def keys_folder(home: Path) -> Path:
    return home / "keys"


def _open_closed(path: Path) -> str:
    from pyrage import DecryptError, passphrase

    try:
        text = bytes(passphrase.decrypt(path.read_bytes(), read_passphrase(confirm=False).decode()))
        return text.decode()
    except (DecryptError, UnicodeDecodeError) as error:
        raise PermissionFault(
            "the key in {name} cannot be opened", "check the passphrase", name=str(path)
        ) from error
