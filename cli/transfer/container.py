"""The file that travels: a ZIP in the one form that the verifier writes, inside an age file to one recipient.

    transfer.dsse.json            the signed transfer
    README.txt                    what this is, for somebody with stock tools
    sender.enrolment.dsse.json    whose key signed, if a notary enrolled it
    custody.dsse.json             the hand-over as the giver signed it, if there is one
    bundle.zip                    the bundle
    files/0001, files/0002 …      the other files, in the order of the transfer

`age -d` and any unzip open it. It is made and encrypted in one pass, without a plaintext on the disk and in
constant memory. The same inputs give the same plaintext.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mizheng.cli.errors import DataFault, InputFault, PermissionFault
from mizheng.cli.transfer.documents import BUNDLE_MEMBER, Sent, Transfer, parse_transfer
from mizheng.cli.transfer.readme import transfer_readme
from mizheng.verifier.archive import CHUNK_BYTES, ArchiveReader
from mizheng.verifier.errors import FormatError, MizhengError, ProofError
from mizheng.verifier.zipformat import STORED, Directory, Entry

if TYPE_CHECKING:
    from pyrage import x25519

DOCUMENT, README = "transfer.dsse.json", "README.txt"
ENROLMENT, CUSTODY = "sender.enrolment.dsse.json", "custody.dsse.json"
# Of a member that is no file of somebody's: documents and a text.
MAX_MEMBER_BYTES = 1024 * 1024

Tick = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Measured:
    """A file as it was when the transfer was signed."""

    path: Path
    sent: Sent
    crc: int


@dataclass(frozen=True, slots=True)
class Papers:
    """The members that are not files of somebody's."""

    document: bytes
    """transfer.dsse.json."""
    enrolment: bytes | None
    custody: bytes | None


def measure(path: Path, name: str) -> Measured:
    """Size and digests of a file; InputFault when it cannot be read."""
    digest, crc, size = hashlib.sha256(), 0, 0
    try:
        for piece in _pieces(path):
            digest.update(piece)
            crc = zlib.crc32(piece, crc)
            size += len(piece)
    except OSError as error:
        raise InputFault("{name}: {reason}", name=str(path), reason=error.strerror) from error
    return Measured(path, Sent(name, size, digest.hexdigest()), crc)


def encrypt(
    target: BinaryIO,
    recipient: x25519.Recipient,
    papers: Papers,
    files: Sequence[Measured],
    tick: Tick = lambda _size: None,
) -> Sent:
    """Write the age file; its size and digest (without a name). DataFault when a file changed meanwhile."""
    import pyrage

    source = _Source(_archive(papers, files), tick)
    counted = _Counted(target)
    try:
        pyrage.encrypt_io(source, counted, [recipient])
    except (pyrage.EncryptError, OSError) as error:
        # pyrage makes its own error of whatever its source raised.
        raise source.error or error from None
    return Sent("", counted.size, counted.digest.hexdigest())


def decrypt(source: BinaryIO, target: BinaryIO, identities: Sequence[x25519.Identity]) -> None:
    """Write the plaintext; PermissionFault for another's, DataFault for one that is cut or was changed."""
    import pyrage

    try:
        pyrage.decrypt_io(source, target, list(identities))
    except pyrage.DecryptError as error:
        if "No matching keys" in str(error):
            raise PermissionFault(
                "this was encrypted to another key than yours",
                "ask the sender for whom it is; give him your card: mizheng recipients me",
            ) from None
        raise _damaged() from None
    except OSError as error:
        # What pyrage itself finds wrong has no number.
        if error.errno is None:
            raise _damaged() from None
        raise


class Container:
    """A decrypted container, its form checked: these members, and no others, are what the transfer says."""

    def __init__(self, path: Path) -> None:
        """DataFault when it is none, plays tricks, or its transfer is not signed right."""
        try:
            self._archive = ArchiveReader(path)
            try:
                self._read()
            except BaseException:
                self._archive.close()
                raise
        except MizhengError as error:
            raise DataFault(
                "what was decrypted is not a transfer: {reason}",
                "ask the sender to send it again",
                reason=str(error),
            ) from error

    def _read(self) -> None:
        names = self._archive.names
        if not self._archive.is_canonical:
            # Nothing is packed in it, so nothing can unpack to more than was received.
            raise FormatError("a ZIP that this software did not write")
        document = self._archive.read(DOCUMENT, MAX_MEMBER_BYTES) if DOCUMENT in names else b""
        self.transfer: Transfer = parse_transfer(document)
        self.papers = Papers(document, self._optional(ENROLMENT), self._optional(CUSTODY))
        expected = _members(self.papers, self.transfer.files)
        if names != [name for name, _item in expected]:
            raise FormatError("members that the transfer does not name")
        if any(item and self._archive.size(name) != item.size for name, item in expected):
            raise FormatError("a file of another size than the transfer says")
        custody = self.papers.custody
        if self.transfer.custody_sha256 != (custody and hashlib.sha256(custody).hexdigest()):
            raise ProofError("a hand-over that the transfer does not name")

    def _optional(self, name: str) -> bytes | None:
        return self._archive.read(name, MAX_MEMBER_BYTES) if name in self._archive.names else None

    def extract(self, place: int, target: BinaryIO) -> None:
        """Write one file of the transfer; DataFault when it is not the one that was signed for."""
        item = self.transfer.files[place]
        digest = hashlib.sha256()
        try:
            for piece in self._archive.chunks(_member(place)):
                digest.update(piece)
                target.write(piece)
        except FormatError:
            raise _damaged() from None
        if digest.hexdigest() != item.sha256:
            raise DataFault("{name} is not the file that the sender signed for", name=item.name)

    def close(self) -> None:
        self._archive.close()

    def __enter__(self) -> Container:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _member(place: int) -> str:
    return BUNDLE_MEMBER if place == 0 else f"files/{place:04}"


def _members(papers: Papers, files: Sequence[Sent]) -> list[tuple[str, Sent | None]]:
    """Every member in its order; with None, those that are papers."""
    names = [DOCUMENT, README]
    names += [ENROLMENT] if papers.enrolment is not None else []
    names += [CUSTODY] if papers.custody is not None else []
    return [*((name, None) for name in names), *((_member(place), item) for place, item in enumerate(files))]


def _archive(papers: Papers, files: Sequence[Measured]) -> Iterator[bytes]:
    """The ZIP from its first byte to its last: sizes and checksums are known before."""
    sent = [item.sent for item in files]
    contents = {
        DOCUMENT: papers.document,
        README: transfer_readme(sent),
        ENROLMENT: papers.enrolment or b"",
        CUSTODY: papers.custody or b"",
    }
    entries: list[Entry] = []
    offset = 0
    measured = iter(files)
    for name, item in _members(papers, sent):
        if item is None:
            data = contents[name]
            entry = Entry(name, STORED, zlib.crc32(data), len(data), len(data), offset)
            pieces: Iterable[bytes] = [data]
        else:
            file = next(measured)
            entry = Entry(name, STORED, file.crc, item.size, item.size, offset)
            pieces = _unchanged(file)
        header = entry.local_header()
        yield header
        yield from pieces
        entries.append(entry)
        offset += len(header) + entry.size
    directory = b"".join(entry.directory_header() for entry in entries)
    yield directory + Directory(offset, len(directory), len(entries)).end()


def _unchanged(file: Measured) -> Iterator[bytes]:
    digest, size = hashlib.sha256(), 0
    for piece in _pieces(file.path):
        digest.update(piece)
        size += len(piece)
        if size > file.sent.size:
            break
        yield piece
    if (size, digest.hexdigest()) != (file.sent.size, file.sent.sha256):
        raise DataFault("{name} was changed while it was read", "run the command again", name=str(file.path))


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(lambda: file.read(CHUNK_BYTES), b"")


class _Source:
    """What pyrage reads from: pieces of any size as a stream; keeps what went wrong in them."""

    def __init__(self, pieces: Iterator[bytes], tick: Tick) -> None:
        self._pieces = pieces
        self._tick = tick
        self._piece = memoryview(b"")
        self.error: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            while not self._piece:
                piece = next(self._pieces, None)
                if piece is None:
                    return b""
                self._tick(len(piece))
                self._piece = memoryview(piece)
        except BaseException as error:
            # Also Ctrl-C: it is none of pyrage's errors.
            self.error = error
            raise
        taken = self._piece[:size] if size >= 0 else self._piece
        self._piece = self._piece[len(taken) :]
        return bytes(taken)


class _Counted:
    """What pyrage writes to: the file, and its size and digest beside."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self.size = 0
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.size += len(data)
        self.digest.update(data)
        return self._target.write(data)

    def flush(self) -> None:
        self._target.flush()


def _damaged() -> DataFault:
    return DataFault(
        "this is not a whole transfer: it was cut short or changed on its way",
        "copy or fetch it again; if that does not help, ask the sender to send it again",
    )
