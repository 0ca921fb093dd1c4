"""Depositing a seal's commitment: sign once, keep, send, check the answer, keep that.

What is true if we die:
- before the envelope is kept: nothing was sent, the next run signs anew
- after it is kept: the next run sends the same bytes, which the notary takes as the same deposit
- after the answer is kept: the next run sends nothing
"""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mizheng.cli.depositing.client import NotaryClient, decode_base64
from mizheng.cli.depositing.enrolling import check_inclusion
from mizheng.cli.depositing.logkeys import believing
from mizheng.cli.errors import ConfigurationFault, DataFault, RefusedFault, SoftwareFault
from mizheng.cli.keys.signing import KeyEntry, unlock
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.sealfile.state import Deposit, Sealed
from mizheng.cli.session import Session
from mizheng.cli.software import NAME, software_digest, software_version
from mizheng.verifier.canonical import format_instant, from_hex, to_base64
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.manifest import compute_commitment
from mizheng.verifier.statement import (
    BlockReference,
    Depositor,
    Software,
    Statement,
    parse_block_reference,
    parse_envelope,
)

if TYPE_CHECKING:
    from mizheng.cli.config import Organisation
    from mizheng.verifier.signature import PrivateKey

# Refusals that another envelope can cure, if the refused one was signed at an earlier run.
OUTDATED = frozenset({"key-revoked", "key-not-enrolled", "depositor-mismatch"})


class Signing:
    """Statements of one run: the beacon and the unlocked key are had when the first is signed, then kept."""

    def __init__(self, session: Session, client: NotaryClient) -> None:
        self._session = session
        self._client = client

    def sign(self, seal: Seal) -> Deposit:
        """Make the envelope and keep it in the seal before anybody else sees it."""
        session, organisation = self._session, self._session.organisation
        entry = session.active_key
        if entry.enrolment is None:
            raise ConfigurationFault(
                "the signing key is not enrolled with a notary yet", "run mizheng init (again)"
            )
        sealed = _bind(seal.state.sealed, entry)
        not_before, key = self._not_before, self._key
        envelope = Statement(
            public_key=key.public,
            commitment=from_hex(sealed.commitment, 32),
            depositor=Depositor(organisation.name, organisation.id_scheme, organisation.id),
            operator=session.config.operator or None,
            claimed_at=format_instant(int(time.time())),
            not_before=not_before,
            software=Software(NAME, software_version(), software_digest()),
            nonce=secrets.token_bytes(16),
        ).sign(key)
        deposit = Deposit(
            to_base64(envelope), hashlib.sha256(envelope).hexdigest(), organisation.origin, None
        )
        seal.append(replace(seal.state, sealed=sealed, deposit=deposit, evidence=None))
        return deposit

    @cached_property
    def _not_before(self) -> BlockReference | None:
        return _not_before(self._client.beacon())

    @cached_property
    def _key(self) -> PrivateKey:
        return unlock(self._session.home, self._session.active_key)


def deposit_seal(session: Session, client: NotaryClient, seal: Seal) -> Deposit:
    """Deposit the commitment of a seal opened with its lock; a seal deposited already is left alone."""
    signing = Signing(session, client)
    was_kept = seal.state.deposit is not None
    deposit = begin_deposit(session, signing, seal)
    if deposit.answer is not None:
        return deposit
    try:
        return send_alone(session, client, seal, deposit)
    except RefusedFault as error:
        if not was_kept or error.problem not in OUTDATED:
            raise
    return send_alone(session, client, seal, signing.sign(seal))


def begin_deposit(session: Session, signing: Signing, seal: Seal) -> Deposit:
    """The deposit that the seal keeps, checked, or one signed now; without an answer it is to be sent."""
    seal.check_body()
    deposit = seal.state.deposit
    if deposit is None:
        return signing.sign(seal)
    _check_kept(deposit, seal.state.sealed, session.organisation)
    return deposit


def send_alone(session: Session, client: NotaryClient, seal: Seal, deposit: Deposit) -> Deposit:
    """Send one envelope and keep its answer."""
    return keep_answer(session, client, seal, deposit, client.deposit(decode_base64(deposit.envelope)))


def keep_answer(
    session: Session, client: NotaryClient, seal: Seal, deposit: Deposit, answer: dict[str, Any]
) -> Deposit:
    """Keep what the notary answered, once it is checked."""
    envelope = decode_base64(deposit.envelope)
    kept = believing(session, client, lambda organisation: check_answer(organisation, envelope, answer))
    done = replace(deposit, answer=kept)
    seal.append(seal.state.with_deposit(done))
    return done


def check_answer(organisation: Organisation, envelope: bytes, answer: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a deposit's answer, once it proves that this very envelope is in the pinned log."""
    if answer["id"] != hashlib.sha256(envelope).hexdigest():
        raise SoftwareFault("the notary answers for another deposit")
    try:
        check_inclusion(organisation, envelope, answer)
    except (SoftwareFault, ConfigurationFault):
        raise
    except MizhengError as error:
        raise SoftwareFault(
            "the notary's answer does not prove what it should: {reason}",
            "nothing of it was kept; tell the notary's operator",
            reason=str(error),
        ) from error
    return {name: answer[name] for name in ("leaf_index", "received_at", "tlog_proof")}


def require_same_notary(deposit: Deposit, organisation: Organisation) -> None:
    """ConfigurationFault when a deposit is in another log than the one that is spoken with."""
    if deposit.notary != organisation.origin:
        raise ConfigurationFault(
            "the seal was deposited with another notary, {origin}",
            "use the MIZHENG_HOME that belongs to it",
            origin=deposit.notary,
        )


def _bind(sealed: Sealed, entry: KeyEntry) -> Sealed:
    """The commitment for the key that signs: a key replaced since sealing is no longer accepted."""
    if sealed.public_key == entry.public_key:
        return sealed
    commitment = compute_commitment(entry.public, sealed.tree_size, from_hex(sealed.root_hash, 32))
    return replace(sealed, public_key=entry.public_key, commitment=commitment.hex())


def _not_before(beacon: dict[str, Any] | None) -> BlockReference | None:
    if beacon is None:
        return None
    names = ("chain_id", "genesis_hash", "number", "hash")
    try:
        return parse_block_reference({name: beacon[name] for name in names})
    except MizhengError as error:
        raise SoftwareFault("the notary's answer does not have the expected form") from error


def _check_kept(deposit: Deposit, sealed: Sealed, organisation: Organisation) -> None:
    require_same_notary(deposit, organisation)
    try:
        _envelope, statement = parse_envelope(decode_base64(deposit.envelope))
    except MizhengError as error:
        raise DataFault("the envelope kept in the seal is damaged") from error
    if statement.commitment.hex() != sealed.commitment:
        raise DataFault("the envelope kept in the seal is damaged")
