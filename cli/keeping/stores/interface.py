"""What a store of ciphertexts can do, and what goes wrong with one.

A store sees ciphertexts of age and names made of random bytes or of digests; never a file's name, a record
or a key. Nothing that it says is believed: whoever reads from it compares digests.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from mizheng.cli.errors import DataFault, InputFault, ReadWriteFault, UnavailableFault
from mizheng.verifier.errors import MizhengError

# Of what is read or sent at once: a request's worth, and nothing that fills memory.
PIECE = 4 << 20

Reading = Callable[[int], Iterator[bytes]]
"""Gives the bytes of a ciphertext from an offset on, in pieces."""


@dataclass(frozen=True, slots=True)
class Ciphertext:
    """What a ciphertext is known by."""

    sha256: str
    """Hex."""
    size: int


class Store(Protocol):
    """A place for ciphertexts. Whatever a method raises is one of ours, with a hint."""

    @property
    def address(self) -> str:
        """As it stands in settings and in the keeping record; holds no credentials."""
        ...

    def put(self, what: Ciphertext, read: Reading) -> str:
        """Store it and return its location, once it is there for good.

        Done twice it is there once. What an interrupted call left is gone on with, or done anew.
        UnavailableFault when the store is away or kept something else, ReadWriteFault when it is full,
        OtherBytesFault when `read` gives other bytes than `what`.
        """
        ...

    def repair(self, what: Ciphertext, read: Reading) -> str:
        """As `put`, where what lies in its place now is not it. What `read` gives is whole."""
        ...

    def read(self, location: str, start: int = 0) -> Iterator[bytes]:
        """What lies there from the offset `start` on.

        MissingFault when nothing does; UnreadableFault when the store is there and does not give it.
        """
        ...

    def finding(self, location: str) -> str | None:
        """What is wrong with how it is kept, besides its bytes: a word for the log; None when nothing is."""
        ...

    def delete(self, location: str) -> None:
        """Remove it; nothing happens when it is gone already."""
        ...


class MissingFault(InputFault):
    """The store is there, and what was put into it is not."""


class UnreadableFault(UnavailableFault):
    """The store is there, and cannot read what was put into it: a bad sector, a broken block."""


class OtherBytesFault(DataFault):
    """What was to be stored is not the ciphertext that was named."""


def other_bytes() -> OtherBytesFault:
    return OtherBytesFault(
        "what was to be stored is not what was encrypted",
        "its source is damaged: mizheng keep --check looks at every copy",
    )


def nothing_left() -> MissingFault:
    """No store has a whole copy."""
    return MissingFault(
        "no store has a whole copy of an original that was kept",
        "while its file is on this machine: mizheng keep --anew encrypts it again",
    )


def missing(address: str) -> MissingFault:
    return MissingFault(
        "an original that was kept is not in {name} any more",
        "mizheng keep --check says which, and brings it back from another store",
        name=address,
    )


def unreadable(address: str, reason: str) -> UnreadableFault:
    return UnreadableFault(
        "an original that was kept cannot be read in {name}: {reason}",
        "mizheng keep --check says which, and puts it back from another store; then look at the disk there",
        name=address,
        reason=reason,
    )


def gone(address: str, reason: str) -> UnavailableFault:
    """The store itself does not answer."""
    return UnavailableFault(
        "the store {name} cannot be reached: {reason}",
        "is the disk mounted, the machine up, the address right? then run the same command again",
        name=address,
        reason=reason,
    )


def full(address: str) -> ReadWriteFault:
    return ReadWriteFault(
        "the store {name} is full",
        "make room there, or name another with --store; then run the same command again: what is kept "
        "already stays",
        name=address,
    )


def of_system(address: str, error: OSError) -> MizhengError:
    """What the operating system said of a store, in our words."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return full(address)
    return gone(address, error.strerror or type(error).__name__)
