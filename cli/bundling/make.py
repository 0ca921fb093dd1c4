"""Making a bundle from a seal: open what is asked for, nothing else, and check it before it has a name."""

from __future__ import annotations

import os
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mizheng.cli.bundling.readme import bundle_readme
from mizheng.cli.bundling.selecting import Selection
from mizheng.cli.depositing.client import decode_base64
from mizheng.cli.errors import DataFault, InputFault, SoftwareFault
from mizheng.cli.files import new_file
from mizheng.cli.sealfile.content import Content
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.sealing.hashing import UnreadableError, digest_file
from mizheng.cli.sealing.records import PATH_KINDS
from mizheng.verifier.bundlewriting import Evidence, write_bundle
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.manifest import OpenedRecord
from mizheng.verifier.members import PAGE
from mizheng.verifier.page import bundle_copy
from mizheng.verifier.record import Record, parse_record
from mizheng.verifier.report import Status
from mizheng.verifier.verify import verify_bundle

if TYPE_CHECKING:
    from mizheng.verifier.signature import PrivateKey


@dataclass(frozen=True, slots=True)
class Opening:
    """The records to open, in the order they were sealed, with their proofs."""

    opened: tuple[OpenedRecord, ...]
    records: tuple[Record, ...]


def open_records(content: Content, selection: Selection, *, unasked: Mapping[str, bool]) -> Opening:
    """Prove the selected records; DataFault when the seal's records are not those that were committed to.

    `unasked`: kinds that are opened, or kept closed, whatever is selected.
    """
    wanted: list[bytes] = []
    opens_files = any(unasked.get(kind) for kind in PATH_KINDS)
    for place, entry in content.entries((lambda _names: False) if opens_files else selection.passes_over):
        # Only what is opened is read: a seal may hold a million records.
        is_wanted = selection.wants(entry.kind, entry.label, partial(content.record, place))
        if unasked.get(entry.kind, is_wanted):
            wanted.append(content.record(place))
    selection.check()
    return Opening(tuple(content.prove(wanted)), tuple(map(parse_record, wanted)))


def find_originals(
    opening: Opening, folders: Sequence[Path], allowed: Container[int] | None = None
) -> dict[int, Path]:
    """The file of each opened file record, from the first folder that has it; InputFault when none has.

    `allowed`: places in the opening whose files may be handed over at all; None: all.
    """
    originals: dict[int, Path] = {}
    for place, record in enumerate(opening.records):
        if record.kind != "file" or (allowed is not None and place not in allowed):
            continue
        name = os.fsdecode(record.label)
        found = next((folder / name for folder in folders if (folder / name).is_file()), None)
        if found is None:
            raise InputFault(
                "the original of {name} was not found",
                "name the folder that recorded names start from with --from",
                name=record.label,
            )
        if found.stat().st_size != record.fields["size"]:
            raise _changed(record)
        originals[place] = found
    return originals


def make_bundle(
    target: Path,
    seal: Seal,
    opening: Opening,
    key: PrivateKey,
    evidence: Evidence,
    *,
    originals: Mapping[int, Path],
    more: Mapping[str, bytes],
    recipient: str | None,
    purpose: str | None,
    created_at: str,
    force: bool,
) -> None:
    """Write `target`, private, whole or not at all, after every check that needs no trust file.

    `more`: members that are not records, originals or evidence, by their name in a bundle.
    """
    deposit = seal.state.deposit
    assert deposit is not None  # noqa: S101 - the caller has its evidence
    with new_file(target, force=force) as (file, temporary):
        envelope = decode_base64(deposit.envelope)
        readme = bundle_readme(envelope, opening.opened, opening.records, originals.keys(), evidence)
        try:
            write_bundle(
                file,
                key,
                envelope,
                opening.opened,
                evidence,
                readme=readme,
                created_at=created_at,
                originals=originals,
                recipient=recipient,
                purpose=purpose,
                extra_members={PAGE: bundle_copy(), **more},
            )
        except MizhengError:
            _name_changed_original(opening, originals)
            raise
        file.flush()
        _check(temporary)


def _check(path: Path) -> None:
    report = verify_bundle(path, None)
    failed = next((check for check in report.checks if check.status is Status.FAIL), None)
    if failed is not None:
        raise SoftwareFault("the bundle just made does not check ({code}); it was not kept", code=failed.code)


def _name_changed_original(opening: Opening, originals: Mapping[int, Path]) -> None:
    """If an original is no longer what was sealed, say which one."""
    for place, path in originals.items():
        record = opening.records[place]
        try:
            digests = digest_file(os.fsencode(path))
        except UnreadableError:
            raise _changed(record) from None
        if digests.sha256 != record.fields["sha256"]:
            raise _changed(record)


def _changed(record: Record) -> DataFault:
    return DataFault(
        "the original of {name} is no longer what was sealed",
        "bring back the sealed version, or bundle without originals",
        name=record.label,
    )
