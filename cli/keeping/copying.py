"""One ciphertext from a store that has it to one that lacks it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property, partial
from pathlib import Path

from mizheng.cli.keeping.record import SPOOL, Original
from mizheng.cli.keeping.stores.address import open_store
from mizheng.cli.keeping.stores.directory import DirectoryStore
from mizheng.cli.keeping.stores.interface import OtherBytesFault, Store, nothing_left
from mizheng.verifier.errors import MizhengError


class Stores:
    """Stores by their address, each opened once and when it is first needed."""

    def __init__(self, known: Iterable[str], spool: Path | None = None) -> None:
        """`known`: addresses under which something was kept, which so have to be there."""
        self._known = frozenset(known)
        self._spool = spool
        self._open: dict[str, Store] = {}

    def __getitem__(self, address: str) -> Store:
        """The store; UnavailableFault when it is gone."""
        if address == SPOOL:
            return self.spool
        if address not in self._open:
            self._open[address] = open_store(address, is_known=address in self._known)
        return self._open[address]

    @cached_property
    def spool(self) -> DirectoryStore:
        """Where ciphertexts wait that no folder keeps; made when it is first needed."""
        assert self._spool is not None  # noqa: S101 - only `keep` has one
        return DirectoryStore(self._spool, is_known=False)


class _SourceError(Exception):
    """The store that is read from failed, not the one that is written to."""


def copy(
    original: Original,
    target: str,
    stores: Stores,
    *,
    without: frozenset[str] = frozenset(),
    is_repair: bool = False,
) -> str:
    """Put a ciphertext into `target` from the first store that has it whole; its location there.

    `without`: stores that are known not to. `is_repair`: `target` has it, and not whole. The fault of
    `target`, or that of the last source.
    """
    store = stores[target]
    put = store.repair if is_repair else store.put
    fault: BaseException | None = None
    for address in _nearest_first(original, without):
        try:
            return put(original.ciphertext, partial(_read, stores, original, address))
        except _SourceError as error:
            fault = error.__cause__
        except OtherBytesFault as error:
            fault = error
    raise fault or nothing_left()


def _nearest_first(original: Original, without: frozenset[str]) -> list[str]:
    """The spool, folders, the rest."""
    there = [address for address in original.copies if address not in without]
    return sorted(there, key=lambda address: (address != SPOOL, "://" in address, address))


def _read(stores: Stores, original: Original, address: str, start: int) -> Iterator[bytes]:
    try:
        yield from stores[address].read(original.copies[address], start)
    except MizhengError as error:
        raise _SourceError from error
