"""The company's signing keys on this machine: made, kept, unlocked.

Each key is described by keys/<keyid>.json (no secrets: public key, where the private part is, the
enrolment once the notary gave one). The private part is PKCS#8 PEM in one of three places:

    passphrase   keys/<keyid>.pem, 0600, encrypted (PBES2 with scrypt or PBKDF2, AES-256)
    keyring      the platform's keyring, under the service `mizheng`
    file         keys/<keyid>.pem, 0600, not encrypted: for unattended use

Old keys stay after a rotation: only the key that signed a statement can sign bundles of it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from mizheng.cli.errors import ConfigurationFault, PermissionFault
from mizheng.cli.files import write_private
from mizheng.cli.terminal.language import _
from mizheng.verifier.canonical import dump, parse_object
from mizheng.verifier.errors import FormatError, KeyFormatError

if TYPE_CHECKING:
    from mizheng.verifier.signature import PrivateKey, PublicKey

Store = Literal["passphrase", "keyring", "file"]
STORES: tuple[Store, ...] = ("passphrase", "keyring", "file")
KEY_TYPE = "mizheng/key/v1"
SERVICE = "mizheng"
# NIST SP 800-63B asks for eight characters at least; the file is also private.
MIN_PASSPHRASE = 8


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A key of this machine without its private part."""

    public_key: str
    """Base64 SPKI."""
    store: Store
    created_at: str
    replaces: str | None
    """keyid of the key it is to follow."""
    enrolment: dict[str, Any] | None
    """{envelope, leaf_index, tlog_proof} as checked; null before the notary answered."""

    @property
    def public(self) -> PublicKey:
        from mizheng.verifier.signature import PublicKey

        return PublicKey.from_base64(self.public_key)

    def enrolled(self, enrolment: dict[str, Any]) -> KeyEntry:
        return replace(self, enrolment=enrolment)


def create_key(
    home: Path, store: Store, created_at: str, replaces: str | None
) -> tuple[KeyEntry, PrivateKey]:
    """Make a key, keep it, describe it. The description comes last: without it there is no key."""
    from mizheng.verifier.signature import PrivateKey

    key = PrivateKey.generate()
    keyid = key.public.keyid
    if store == "keyring":
        keyring_call(lambda ring: ring.set_password(SERVICE, keyid, key.to_pem().decode("ascii")))
    else:
        password = read_passphrase(confirm=True) if store == "passphrase" else None
        write_private(_pem_path(home, keyid), key.to_pem(password))
    entry = KeyEntry(key.public.to_base64(), store, created_at, replaces, None)
    save_entry(home, entry)
    return entry, key


def save_entry(home: Path, entry: KeyEntry) -> None:
    value = {name: getattr(entry, name) for name in KeyEntry.__slots__}
    write_private(home / "keys" / f"{entry.public.keyid}.json", dump({"type": KEY_TYPE, **value}))


def load_entry(home: Path, keyid: str) -> KeyEntry:
    """The description of one key; ConfigurationFault when this machine does not have it."""
    path = home / "keys" / f"{keyid}.json"
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ConfigurationFault(
            "the key {keyid} is not on this machine",
            "work where it was made, or bring back the folder {home} from a copy",
            keyid=short_keyid(keyid),
            home=str(home),
        ) from error
    null = type(None)
    try:
        value = parse_object(
            data,
            {
                "type": str,
                "public_key": str,
                "store": str,
                "created_at": str,
                "replaces": (str, null),
                "enrolment": (dict, null),
            },
        )
        entry = KeyEntry(**{name: value[name] for name in KeyEntry.__slots__})
        if value["type"] != KEY_TYPE or entry.store not in STORES or entry.public.keyid != keyid:
            raise FormatError("not the description of this key")
    except (FormatError, KeyFormatError) as error:
        raise ConfigurationFault("{name} is damaged", "bring it back from a copy", name=str(path)) from error
    return entry


def list_entries(home: Path) -> list[KeyEntry]:
    """All keys of this machine, oldest first."""
    entries = [load_entry(home, path.stem) for path in (home / "keys").glob("*.json")]
    return sorted(entries, key=lambda entry: (entry.created_at, entry.public_key))


def unlock(home: Path, entry: KeyEntry) -> PrivateKey:
    """The private key; PermissionFault when passphrase or keyring do not give it."""
    from mizheng.verifier.signature import PrivateKey

    keyid = entry.public.keyid
    password = None
    if entry.store == "keyring":
        text = keyring_call(lambda ring: ring.get_password(SERVICE, keyid))
        if text is None:
            raise PermissionFault(
                "the platform keyring does not have the key {keyid}",
                "unlock the keyring of the person who ran mizheng init",
                keyid=short_keyid(keyid),
            )
        pem = text.encode("ascii")
    else:
        try:
            pem = _pem_path(home, keyid).read_bytes()
        except OSError as error:
            raise PermissionFault(
                "the private key {keyid} cannot be read: {reason}",
                "if it is lost: mizheng key replace",
                keyid=short_keyid(keyid),
                reason=error.strerror,
            ) from error
        if entry.store == "passphrase":
            password = read_passphrase(confirm=False, keyid=keyid)
    try:
        key = PrivateKey.from_pem(pem, password)
    except KeyFormatError as error:
        raise PermissionFault(
            "the private key {keyid} cannot be opened",
            "check the passphrase; if it is forgotten: mizheng key replace",
            keyid=short_keyid(keyid),
        ) from error
    if key.public.keyid != keyid:
        raise PermissionFault(
            "the private key kept for {keyid} is another one",
            "bring back the folder of keys from a copy",
            keyid=short_keyid(keyid),
        )
    return key


def read_passphrase(*, confirm: bool, keyid: str = "") -> bytes:
    """The passphrase from MIZHENG_PASSPHRASE_FILE or a prompt; asked twice for a new key."""
    path = os.environ.get("MIZHENG_PASSPHRASE_FILE")
    if path:
        try:
            passphrase = Path(path).read_bytes().split(b"\n", 1)[0].rstrip(b"\r")
        except OSError as error:
            raise PermissionFault(
                "the passphrase file {name} cannot be read: {reason}", name=path, reason=error.strerror
            ) from error
    else:
        if not sys.stdin.isatty():
            raise PermissionFault(
                "the key needs its passphrase, and there is no terminal to ask on",
                "set MIZHENG_PASSPHRASE_FILE to a private file that holds it",
            )
        from getpass import getpass

        if confirm:
            passphrase = getpass(_("New passphrase for the signing key: ")).encode()
            if passphrase != getpass(_("The same passphrase again: ")).encode():
                raise PermissionFault("the two passphrases differ", "run the command again")
        else:
            passphrase = getpass(_("Passphrase for key {keyid}: ", keyid=short_keyid(keyid))).encode()
    if confirm and len(passphrase) < MIN_PASSPHRASE:
        raise PermissionFault(
            "a passphrase needs at least {least} characters",
            "a sentence is easier to remember than a word",
            least=MIN_PASSPHRASE,
        )
    return passphrase


def short_keyid(keyid: str) -> str:
    """Enough of a keyid to tell keys apart at a glance."""
    return keyid[:16]


def _pem_path(home: Path, keyid: str) -> Path:
    return home / "keys" / f"{keyid}.pem"


def keyring_call(action: Callable[[Any], object]) -> str | None:
    """Talk to the platform keyring; its many exceptions become one with a hint."""
    try:
        import keyring
        import keyring.errors
    except ImportError as error:
        raise ConfigurationFault(
            "the platform keyring needs an extra package",
            "pip install 'mizheng[keyring]', or --store passphrase",
        ) from error
    try:
        return cast("str | None", action(keyring))
    except keyring.errors.KeyringError as error:
        raise ConfigurationFault(
            "the platform keyring does not answer",
            "unlock it, or start its service; or use --store passphrase",
        ) from error
