"""Opened records and the files they speak of."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..archive import CHUNK_BYTES
from ..digests import FileDigests, compute_digests
from ..errors import FormatError, MizhengError, ProofError
from ..manifest import parse_opened_record
from ..members import number_of
from ..record import MAX_RECORD_BYTES, NUMBER_KINDS, OBSERVATION_STATES, Record, parse_record
from ..words import N_
from .context import Context

# A proof of 32 hashes in hex and a record in Base64: twice the record's own limit holds both.
_MAX_MEMBER_BYTES = 2 * MAX_RECORD_BYTES
# Fields of a record that say nothing to a reader.
_TECHNICAL = ("kind", "number", "salt")


def check_records(context: Context) -> None:
    """Each opened record is at its place in the tree whose commitment the statement carries."""
    findings = context.findings
    labels: dict[tuple[str, bytes], str] = {}
    for name in context.bundle.group("records"):
        try:
            opened = parse_opened_record(context.bundle.read(name, _MAX_MEMBER_BYTES))
            opened.verify(context.statement.commitment, context.statement.public_key)
        except MizhengError as error:
            findings.failed("record.inclusion", name, error)
            continue
        findings.passed("record.inclusion", name, index=opened.index, tree_size=opened.tree_size)
        record = findings.attempt("record.content", name, lambda: parse_record(opened.record))  # noqa: B023
        if record is None:
            continue
        context.records.append((name, record))
        if not record.is_known:
            message = N_("a record of kind {kind}, which this software does not know")
            findings.not_checked("record.content", name, message, kind=record.kind[:32])
        elif labels.setdefault((record.kind, record.label), name) != name:
            twice = ProofError("two different records of one name in one manifest")
            findings.failed("record.content", name, twice)
        else:
            _pass_content(context, name, record)
    if not context.bundle.group("records"):
        findings.not_provided("record.inclusion", message=N_("the bundle opens no record"))


def _pass_content(context: Context, member: str, record: Record) -> None:
    """What a person wrote is shown as he wrote it, and what was seen of the machine with how; a file's record
    speaks through its digests."""
    values: dict[str, object] = {"kind": record.kind, "record": record.name}
    message = ""
    if record.kind in NUMBER_KINDS:
        message = N_("{record}, in the depositor's words: {words}")
        told = {name: value for name, value in record.fields.items() if name not in _TECHNICAL}
        values["words"] = "; ".join(f"{name}: {value}" for name, value in told.items())
    elif record.kind == "environment":
        message = N_("the sealing machine, by the depositor's own account: {words}")
        values["words"] = "; ".join(map(_tell_observation, record.fields["observations"]))
    context.findings.passed("record.content", member, message, **values)


def _tell_observation(item: Mapping[str, Any]) -> str:
    """`check: PASS value (how)`."""
    seen = f" {item['value']}" if item["value"] else ""
    how = f" ({item['how']})" if item["how"] else ""
    return f"{item['check']}: {OBSERVATION_STATES[item['state']]}{seen}{how}"


def check_originals(context: Context) -> None:
    """Files handed over inside the bundle or beside it are those of opened records."""
    records = {name: record for name, record in context.records if record.kind == "file"}
    seen: set[str] = set()
    for name in context.bundle.group("originals"):
        member = f"records/{number_of(name):04}.json"
        if member not in records:
            error = ProofError("an original without an opened file record of its number")
            context.findings.failed("original.match", name, error)
            continue
        seen.add(member)
        # Not one byte more than the record speaks of is unpacked.
        size = int(records[member].fields["size"])
        if context.bundle.size(name) != size:
            context.findings.failed("original.match", name, _other_file())
            continue
        _compare(context, name, records[member], context.bundle.chunks(name))
    for path in context.files:
        if path.is_dir():
            seen |= _check_folder(context, path, records)
        else:
            seen |= _check_file(context, path, records)
    for member, record in records.items():
        if member not in seen:
            message = N_("the file was not given: only its digest is proven")
            context.findings.not_provided("original.match", member, message, record=record.name)


def _check_file(context: Context, path: Path, records: dict[str, Record]) -> set[str]:
    with path.open("rb") as file:
        digests = compute_digests(_pieces(file))
    found = {member for member, record in records.items() if _is_same(record, digests)}
    if not found:
        context.findings.failed("original.match", str(path), _other_file())
    for member in sorted(found):
        _pass(context, str(path), records[member], digests)
    return found


def _check_folder(context: Context, folder: Path, records: dict[str, Record]) -> set[str]:
    """Files of the folder that was sealed, or of the folder it stood in, by the records' own names."""
    seen = set()
    for member, record in records.items():
        label = Path(record.label.decode("utf-8", "surrogateescape"))
        places = [folder / label]
        if len(label.parts) > 1 and label.parts[0] == folder.resolve().name:
            places.append(folder / Path(*label.parts[1:]))
        # Not path.is_file(), which raises for a name too long to exist: a record says what it likes.
        path = next((place for place in places if os.path.isfile(place)), None)  # noqa: PTH113
        if path:
            seen.add(member)
            with path.open("rb") as file:
                _compare(context, str(path), record, _pieces(file))
    return seen


def _compare(context: Context, subject: str, record: Record, chunks: Iterable[bytes]) -> None:
    try:
        digests = compute_digests(chunks)
        if not _is_same(record, digests):
            raise _other_file()
    except (ProofError, FormatError) as error:
        context.findings.failed("original.match", subject, error)
    else:
        _pass(context, subject, record, digests)


def _pass(context: Context, subject: str, record: Record, digests: FileDigests) -> None:
    context.findings.passed(
        "original.match", subject, record=record.name, sha256=digests.sha256, sm3=digests.sm3
    )


def _is_same(record: Record, digests: FileDigests) -> bool:
    fields = record.fields
    return digests == FileDigests(fields["size"], fields["sha256"], fields["sm3"])


def _other_file() -> ProofError:
    return ProofError("this file is not the one that was sealed; that says nothing about the evidence itself")


def _pieces(file: object) -> Iterator[bytes]:
    read = file.read  # type: ignore[attr-defined]
    while chunk := read(CHUNK_BYTES):
        yield chunk
