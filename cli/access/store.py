"""NAME.access, beside NAME.seal: every request, decision and look, each row naming the one before it.

What is true if we die:
- before a row is kept: nothing happened
- after it is kept: it is `waiting`, and is sent with the next one, or by `mizheng disclosures --send`
- after the notary's answer is kept: it is on record, and so is its place among the others
- between a row and the note of how far the log had come: the note is of a row before, which is still there

The note (access/ENVELOPE in the folder of settings) is what shows that rows were taken off the end.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mizheng.cli.errors import DataFault
from mizheng.cli.files import write_private
from mizheng.cli.sealfile.beside import Beside
from mizheng.cli.sealfile.keeping import Keeping
from mizheng.verifier.access import Document, Signed, parse_access
from mizheng.verifier.accesslog import Row, parse_row, verify_rows
from mizheng.verifier.canonical import (
    dump,
    format_instant,
    from_base64,
    parse_typed,
    require_fields,
    to_base64,
)
from mizheng.verifier.errors import FormatError, MizhengError, ProofError
from mizheng.verifier.event import NONCE_BYTES, verify_recorded

FILE = Beside(".access", b"mizheng-access/v1\n", b"mizheng/access-file/v1\n")
_HEAD = "mizheng/access-head/v1"


@dataclass(frozen=True, slots=True)
class Line:
    """One row as its company keeps it."""

    document: bytes
    """The row's bytes: what is put on record."""
    content: bytes
    """The signed document that the row is of."""
    names: tuple[str, ...]
    """Of the records that it lists, as `mizheng bundle` prints them."""
    event: bytes | None = None
    answer: dict[str, Any] | None = None
    """{leaf_index, received_at, tlog_proof}, checked; None until then."""

    @property
    def row(self) -> Row:
        return parse_row(self.document)

    @property
    def signed(self) -> Signed:
        return parse_access(self.content)

    @property
    def state(self) -> str:
        """`deposited` or `waiting`."""
        return "waiting" if self.answer is None else "deposited"


class AccessLog(Keeping[Line]):
    """The access log of one seal."""

    FILE = FILE
    TYPE = "mizheng/access-file/v1"
    # Ten looks at all of a million records, each named.
    MAX_BYTES = 4 << 30

    def __init__(self, seal: Path, manifest_key: bytes, envelope_sha256: str, home: Path) -> None:
        """`home`: the folder of settings. DataFault unless the log is whole."""
        super().__init__(seal, manifest_key)
        self.envelope_sha256 = envelope_sha256
        self._note = home / "access" / envelope_sha256
        self._check()

    @classmethod
    def dump_item(cls, item: Line) -> dict[str, Any]:
        return {
            "row": to_base64(item.document),
            "content": to_base64(item.content),
            "names": list(item.names),
            "event": None if item.event is None else to_base64(item.event),
            "answer": item.answer,
        }

    @classmethod
    def parse_item(cls, value: Any) -> Line:
        null = type(None)
        types = {"row": str, "content": str, "names": list, "event": (str, null), "answer": (dict, null)}
        fields = require_fields(value, types)
        return Line(
            from_base64(fields["row"]),
            from_base64(fields["content"]),
            tuple(fields["names"]),
            None if fields["event"] is None else from_base64(fields["event"]),
            fields["answer"],
        )

    def append(self, content: bytes, names: tuple[str, ...] = ()) -> int:
        """Keep one more document in a row of its own; its place. One that is there already stays as it is."""
        digest = hashlib.sha256(content).hexdigest()
        for place, line in enumerate(self.kept):
            if line.row.document_sha256 == digest:
                return place
        row = Row(
            self.envelope_sha256,
            len(self.kept) + 1,
            hashlib.sha256(self.kept[-1].document).hexdigest() if self.kept else None,
            digest,
            format_instant(int(time.time())),
            secrets.token_bytes(NONCE_BYTES),
        )
        place = self.add(Line(row.dump(), content, names))
        head = {"type": _HEAD, "rows": len(self.kept), "last": hashlib.sha256(row.dump()).hexdigest()}
        write_private(self._note, dump(head))
        return place

    def documents(self) -> Iterator[tuple[Line, Signed]]:
        """Every row with what it is of, the oldest first."""
        for line in self.kept:
            yield line, line.signed

    def find(self, sha256: str) -> tuple[Line, Document] | None:
        """The row of the document with this digest."""
        for line, signed in self.documents():
            if signed.sha256 == sha256:
                return line, signed.document
        return None

    def waiting(self) -> list[int]:
        """Places of those that no notary has answered for."""
        return [place for place, line in enumerate(self.kept) if line.answer is None]

    def _check(self) -> None:
        try:
            verify_rows(((line.document, line.content) for line in self.kept), self.envelope_sha256)
            self._check_record()
            self._check_end()
            for line in self.kept:
                parse_access(line.content)
        except MizhengError as error:
            raise DataFault(
                "the access log {name} was changed: {reason}",
                "bring it back from a copy; until then nothing is shown to anybody on a request",
                name=str(self.path),
                reason=str(error),
            ) from error

    def _check_record(self) -> None:
        """What is on record is these very rows, in this order."""
        last = -1
        for number, line in enumerate(self.kept, 1):
            if line.answer is None:
                continue
            if line.event is None:
                raise FormatError("row {number} has an answer to nothing", number=number)
            proof = verify_recorded(line.document, line.event, str(line.answer["tlog_proof"]).encode())
            if proof.index <= last or proof.index != line.answer["leaf_index"]:
                raise ProofError("row {number} is on record before the one that it follows", number=number)
            last = proof.index

    def _check_end(self) -> None:
        """The row that was the last one is still there."""
        if not self._note.exists():
            return
        head = parse_typed(self._note.read_bytes(), _HEAD, {"rows": int, "last": str})
        rows = head["rows"]
        if not 1 <= rows <= len(self.kept):
            raise ProofError("it had {count} rows", count=rows)
        if hashlib.sha256(self.kept[rows - 1].document).hexdigest() != head["last"]:
            raise ProofError("row {number} is another one than it was", number=rows)
