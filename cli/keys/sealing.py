"""The key that opens this person's seals: an age identity, apart from the signing key (see `identities`).

Recipients of the company's escrow stand in keys/escrow.txt, one a line; every new seal can be opened by them
too. Where the identity is somebody else's, as on the escrow's own machine, MIZHENG_SEAL_IDENTITY names a file
with it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mizheng.cli.errors import ConfigurationFault, PermissionFault
from mizheng.cli.keys.identities import (
    create_identity,
    keys_folder,
    load_identity,
    parse_recipient,
    public_path,
    read_identities,
)
from mizheng.cli.sealfile.box import Secret
from mizheng.cli.sealfile.content import Content
from mizheng.cli.sealfile.read import Seal

if TYPE_CHECKING:
    from pyrage import x25519

_NAME = "seals"


def recipients(home: Path, store: str) -> list[x25519.Recipient]:
    """Who can open a new seal: this person, the key made first if there is none, and the escrow."""
    own = public_path(home, _NAME)
    if not own.exists():
        create_seal_key(home, store)
    return [parse_recipient(own.read_text("ascii").strip()), *load_escrow(home)]


def create_seal_key(home: Path, store: str) -> str:
    """Make the identity and keep it; its recipient."""
    return create_identity(home, store, _NAME)


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
        return read_identities(Path(named))
    return load_identity(home, _NAME)


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
    return keys_folder(home) / "escrow.txt"
