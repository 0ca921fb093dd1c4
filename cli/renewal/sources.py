"""Tokens and evidence records of a bundle, or of a seal and what lies beside it."""

from __future__ import annotations

from pathlib import Path

from mizheng.cli.config import home_directory
from mizheng.cli.depositing.client import decode_base64
from mizheng.cli.depositing.evidence import fetch_believed, read_evidence
from mizheng.cli.errors import DataFault, InputFault, UnavailableFault, WaitingFault
from mizheng.cli.keys.sealing import open_seal
from mizheng.cli.renewal.store import FILE, load
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.session import Session
from mizheng.verifier.bundle import Bundle
from mizheng.verifier.bundlewriting import Evidence
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.members import number_of
from mizheng.verifier.renewal.record import MAX_BYTES as MAX_RECORD_BYTES
from mizheng.verifier.timestamp.token import MAX_BYTES, MAX_TEXT_BYTES

Found = tuple[list[tuple[bytes, bytes]], list[bytes]]
"""(TimeStampResp, text) of each token; evidence records."""


def read_bundle(path: Path) -> Found:
    """Of a bundle; DataFault when it cannot be read."""
    try:
        with Bundle(path) as bundle:
            numbers = sorted({number_of(name) for name in bundle.group("timestamps")})
            stamps = [
                (
                    bundle.read(f"timestamps/{number:04}.tsr", MAX_BYTES),
                    bundle.read(f"timestamps/{number:04}.txt", MAX_TEXT_BYTES),
                )
                for number in numbers
            ]
            return stamps, [bundle.read(name, MAX_RECORD_BYTES) for name in bundle.group("renewals")]
    except OSError as error:
        raise InputFault("{name}: {reason}", name=str(path), reason=error.strerror) from error
    except (MizhengError, KeyError) as error:
        raise DataFault("{name} cannot be read as a bundle", name=str(path)) from error


def read_seal(path: Path, *, offline: bool) -> Found:
    """Of a seal: what the notary has now, and what the company hashed anew."""
    with Seal(path) as seal:
        evidence = seal_evidence(seal, offline=offline)
        records = list(evidence.renewals)
        beside = FILE.path_of(path)
        if beside.exists():
            key = open_seal(seal, home_directory()).manifest_key
            renewals = load(beside, key, seal_envelope(seal))
            # The deposit's stands for all: they are under the same tokens.
            records.append(renewals.record(0).dump())
    return list(evidence.timestamps), records


def seal_envelope(seal: Seal) -> bytes:
    """What was deposited of a seal; WaitingFault before that."""
    deposit = seal.state.deposit
    if deposit is None or deposit.answer is None:
        raise WaitingFault("{name} has not been deposited", "mizheng notarize {name}", name=str(seal.path))
    return decode_base64(deposit.envelope)


def seal_evidence(seal: Seal, *, offline: bool) -> Evidence:
    """The notary's evidence of now, else what the seal keeps."""
    deposit, kept = seal.state.deposit, seal.state.evidence
    seal_envelope(seal)
    if not offline and deposit is not None:
        session = Session.load()
        try:
            with session.notary() as client:
                kept = fetch_believed(session, client, deposit, str(client.status(deposit.id)["state"]))
        except UnavailableFault:
            if kept is None:
                raise
    if kept is None:
        raise WaitingFault("the seal keeps no evidence yet", "run mizheng status once it is anchored")
    return read_evidence(kept["answer"])
