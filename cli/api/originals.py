"""Originals, kept encrypted and brought back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from mizheng.cli.keeping.keep import Done, keep_seal
from mizheng.cli.keeping.retrieve import Retrieved, retrieve_seal
from mizheng.cli.keeping.stores.address import chosen_stores
from mizheng.cli.session import Session


def keep(
    path: str | os.PathLike[str],
    *,
    stores: Sequence[str] = (),
    folder: str | os.PathLike[str] | None = None,
    patterns: Sequence[str] = (),
) -> Done:
    """Encrypt the originals of a seal here and put them into each store; called again, only what is missing.

    `stores`: addresses, else those of the settings. Files that could not be kept stand in `failed`; the fault
    of a store is raised, and the same call goes on later.
    """
    session, seal = Session.load(), Path(path)
    folders = [Path(), seal.parent] if folder is None else [Path(folder)]
    addresses = chosen_stores(stores, session.config, session.home)
    return keep_seal(session, seal, stores=addresses, folders=folders, patterns=patterns)


def retrieve(
    path: str | os.PathLike[str], output: str | os.PathLike[str], *, patterns: Sequence[str] = ()
) -> Retrieved:
    """Bring kept originals back below the folder `output`, each compared with its sealed record.

    What did not come stands in `failed`, with its fault; nothing is ever overwritten.
    """
    return retrieve_seal(Session.load(), Path(path), Path(output), patterns=patterns)
