"""Whose bundle is this? What a leaked bundle says of its recipient, and what the company's own list says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mizheng.cli.disclosing.store import Register
from mizheng.cli.errors import DataFault, InputFault
from mizheng.verifier import dsse
from mizheng.verifier.archive import MAX_MEMORY_BYTES
from mizheng.verifier.bundle import BUNDLE_PAYLOAD_TYPE, Bundle, BundleDocument, parse_bundle_document
from mizheng.verifier.errors import MizhengError, ProofError
from mizheng.verifier.members import DISCLOSURE, DOCUMENT, STATEMENT
from mizheng.verifier.statement import parse_envelope


@dataclass(frozen=True, slots=True)
class Traced:
    """For whom a bundle was made, by the depositor's own signature."""

    document: BundleDocument
    disclosure_sha256: str | None
    """Of its disclosure.dsse.json; None where somebody took it out, or there never was one."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where the company's own list has it."""

    seal: Path
    number: int
    """As `mizheng disclosures` counts, from 1."""


def trace_bundle(path: Path) -> Traced:
    """Read a bundle's signed list; DataFault when its signature does not hold: then it says nothing."""
    try:
        with Bundle(path) as bundle:
            data = bundle.read(STATEMENT)
            envelope, statement = parse_envelope(data)
            document = parse_bundle_document(
                dsse.parse(bundle.read(DOCUMENT), BUNDLE_PAYLOAD_TYPE, max_bytes=MAX_MEMORY_BYTES).verify(
                    statement.public_key
                )
            )
            if document.envelope_sha256 != envelope.sha256:
                raise ProofError("the list of members was made for another statement")
            enclosed = bundle.read(DISCLOSURE) if bundle.has(DISCLOSURE) else None
    except OSError as error:
        raise InputFault("{name}: {reason}", name=str(path), reason=error.strerror) from error
    except MizhengError as error:
        raise DataFault(
            "{name} does not say for whom it was made: {reason}",
            "only an unbroken bundle does; a single file or record out of one carries no mark",
            name=str(path),
            reason=str(error),
        ) from error
    return Traced(document, None if enclosed is None else hashlib.sha256(enclosed).hexdigest())


def find(traced: Traced, registers: Iterable[tuple[Path, Register]]) -> Found | None:
    """The disclosure in the company's list that this bundle was made with."""
    for seal, register in registers:
        for number, kept in enumerate(register.kept, 1):
            disclosure = kept.disclosure
            if disclosure.envelope_sha256 != traced.document.envelope_sha256:
                continue
            if traced.disclosure_sha256 == hashlib.sha256(kept.document).hexdigest():
                return Found(seal, number)
            # Taken out by whoever passed it on: the signed list still has the rest.
            told = (disclosure.recipient, disclosure.purpose, disclosure.created_at)
            if told == (traced.document.recipient, traced.document.purpose, traced.document.created_at):
                return Found(seal, number)
    return None
