"""Which stores are used, and opening one by its address.

    /srv/originals  file:///srv/a%20b        a folder
    s3://BUCKET/FOLDER                       an S3-compatible store; the rest from AWS_*
    ipfs+http://127.0.0.1:5001               a Kubo node's RPC

An address never holds credentials: it stands in settings, in the keeping record and in messages.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mizheng.cli.config import Config
from mizheng.cli.errors import UsageFault
from mizheng.cli.keeping.stores.directory import DirectoryStore
from mizheng.cli.keeping.stores.interface import Store


def chosen_stores(asked: Sequence[str], config: Config, home: Path) -> list[str]:
    """Addresses from --store, MIZHENG_STORES, config.toml, else a folder in that of the settings."""
    names = list(asked) or (os.environ.get("MIZHENG_STORES") or config.stores).split()
    return list(dict.fromkeys(map(normal_address, names or [str(home / "originals")])))


def normal_address(text: str) -> str:
    """The one way in which an address is written; UsageFault when it is none."""
    scheme, separator, _rest = text.partition("://")
    if not separator:
        return str(Path(text).absolute())
    parts = urlsplit(text)
    if parts.username is not None or parts.query or parts.fragment:
        raise UsageFault(
            "the address of a store holds a name or password, or more than an address",
            "credentials come from the environment; see docs/keeping.md",
        )
    if scheme == "file" and not parts.netloc:
        return str(Path(unquote(parts.path)).absolute())
    if scheme == "s3" and parts.netloc:
        return text.rstrip("/")
    if scheme in ("ipfs+http", "ipfs+https") and parts.netloc:
        return f"{scheme}://{parts.netloc}"
    raise UsageFault(
        "{value} is not the address of a store",
        "a folder, s3://BUCKET/FOLDER, or ipfs+http://HOST:PORT",
        value=text,
    )


def open_store(address: str, *, is_known: bool) -> Store:
    """The store itself. `is_known`: something was kept there before."""
    if "://" not in address:
        return DirectoryStore(Path(address), is_known=is_known)
    if address.startswith("s3://"):
        from mizheng.cli.keeping.stores.s3 import S3Store

        return S3Store(address)
    if address.startswith("ipfs+"):
        from mizheng.cli.keeping.stores.ipfs import IpfsStore

        return IpfsStore(address)
    raise UsageFault("{value} is not the address of a store", value=address)
