"""Having a key enrolled, and checking what the notary answers before believing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mizheng.cli.config import Organisation, dump_log_keys
from mizheng.cli.depositing.client import NotaryClient, decode_base64
from mizheng.cli.depositing.logkeys import fetch_log_keys, follow_log_key, open_head
from mizheng.cli.errors import ConfigurationFault, SoftwareFault
from mizheng.cli.keys.signing import KeyEntry
from mizheng.verifier.canonical import to_base64
from mizheng.verifier.checkpoint import TlogProof, parse_tlog_proof
from mizheng.verifier.enrolment import enrolment_request, parse_enrolment
from mizheng.verifier.entry import entry_leaf
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.note import NoteVerifier
from mizheng.verifier.statement import Depositor

if TYPE_CHECKING:
    from mizheng.verifier.signature import PrivateKey
    from mizheng.verifier.trust import Trust, TrustedLog

# What GET /v1/organisation says and is pinned.
_ANSWERED = ("name", "id_scheme", "id", "origin", "log_vkey", "issuer_public_key")


def pin_organisation(
    home: Path, pinned: Organisation | None, client: NotaryClient, trust: Trust | None = None
) -> Organisation:
    """What the notary says it and we are; ConfigurationFault when it is not what was pinned before.

    The company may be renamed. A log key that changes is another notary, or a thief's, unless the pinned one
    signed for it; so is an issuer key. A trust file, which never comes from the notary's own answer, may name
    either.
    """
    answer = client.organisation()
    found = Organisation(**{name: str(answer[name]) for name in _ANSWERED})
    try:
        NoteVerifier.from_vkey(found.log_vkey)
    except MizhengError as error:
        raise SoftwareFault("the notary's log key cannot be used") from error
    if pinned is not None:
        _require_same(pinned, found, ("origin", "id_scheme", "id"))
        if trust is None and pinned.log_vkey != found.log_vkey:
            pinned = follow_log_key(home, pinned, client)
            _require_same(pinned, found, ("log_vkey",))
        if pinned.issuer_public_key != found.issuer_public_key and trust is None:
            raise ConfigurationFault(
                "the notary's issuer key is not the one of mizheng init",
                "if the notary announced a new one, get its new trust file by another channel, "
                "then run: mizheng init --trust FILE",
            )
        found = replace(found, earlier_issuers=pinned.earlier_issuers, log_keys=pinned.log_keys)
    if trust is not None:
        logs = _check_against_trust(pinned, found, trust)
        found = replace(found, earlier_issuers=_earlier_issuers(found, trust), log_keys=dump_log_keys(logs))
    elif pinned is None:
        # Evidence of what was deposited before, perhaps from another machine, is signed by earlier keys.
        told = fetch_log_keys(found, client)
        found = found if told is None else follow_log_key(home, found, client)
    return found


def _require_same(pinned: Organisation, found: Organisation, names: Sequence[str]) -> None:
    for name in names:
        if getattr(pinned, name) != getattr(found, name):
            raise ConfigurationFault(
                "the notary is not the one of mizheng init: its {what} is another",
                "check the address; to change notaries, use another MIZHENG_HOME",
                what=name,
            )


def _check_against_trust(
    pinned: Organisation | None, organisation: Organisation, trust: Trust
) -> list[TrustedLog]:
    """The notary's keys are those of a trust file that came by another channel; the log's of them."""
    logs = [log for log in trust.logs if log.origin == organisation.origin]
    present = [log for log in logs if log.verifier.vkey == organisation.log_vkey]
    if not present:
        raise ConfigurationFault(
            "the notary's log key is not in the trust file", "ask whoever gave you the trust file"
        )
    if all(log.last_size is not None for log in present):
        raise ConfigurationFault(
            "the notary's log key is one that was replaced, the trust file says",
            "tell the notary's operator; nothing was changed here",
        )
    if pinned is not None and pinned.log_vkey not in {log.verifier.vkey for log in logs}:
        raise ConfigurationFault(
            "the trust file does not know the log key of mizheng init: it is an older one",
            "ask whoever gave you the trust file for the newest one",
        )
    if organisation.issuer_public_key not in {issuer.key.to_base64() for issuer in trust.issuers}:
        raise ConfigurationFault(
            "the notary's issuer key is not in the trust file", "ask whoever gave you the trust file"
        )
    return [*(log for log in logs if log not in present), *present]


def _earlier_issuers(organisation: Organisation, trust: Trust) -> str:
    """The other keys that the trust file gives the same issuer: those under the same name."""
    keys = {issuer.key.to_base64(): issuer.name for issuer in trust.issuers}
    name = keys.pop(organisation.issuer_public_key)
    return " ".join(key for key, other in keys.items() if other == name)


def enrol(
    client: NotaryClient,
    organisation: Organisation,
    entry: KeyEntry,
    key: PrivateKey,
    replaced: PrivateKey | None = None,
) -> KeyEntry:
    """Have `entry` enrolled (`replaced`: the old key of a rotation); the entry with its checked enrolment."""
    depositor = Depositor(organisation.name, organisation.id_scheme, organisation.id)
    message = enrolment_request(depositor, key.public.keyid)
    answer = client.enrol(
        {
            "public_key": entry.public_key,
            "proof": to_base64(key.sign(message)),
            "replaces": entry.replaces,
            "replaces_proof": to_base64(replaced.sign(message)) if replaced else None,
        }
    )
    return entry.enrolled(check_enrolment(organisation, entry, answer))


def check_enrolment(organisation: Organisation, entry: KeyEntry, answer: Mapping[str, Any]) -> dict[str, Any]:
    """The enrolment is the issuer's, for this key and company, and stands in the log."""
    envelope = decode_base64(answer["enrolment"])
    try:
        enrolment, signer = parse_enrolment(envelope)
        if signer.to_base64() not in organisation.issuers:
            raise SoftwareFault("the enrolment is signed by another issuer than the notary's")
        if enrolment.public_key.to_base64() != entry.public_key:
            raise SoftwareFault("the enrolment is for another key")
        if enrolment.depositor != Depositor(organisation.name, organisation.id_scheme, organisation.id):
            raise SoftwareFault("the enrolment is for another company")
        check_inclusion(organisation, envelope, answer)
    except MizhengError as error:
        raise _unbelievable(error) from error
    return {name: answer[name] for name in ("enrolment", "leaf_index", "tlog_proof")}


def check_inclusion(organisation: Organisation, envelope: bytes, answer: Mapping[str, Any]) -> TlogProof:
    """The answer's proof shows this very envelope's entry, at its leaf_index, in a head the log signed."""
    proof = parse_tlog_proof(str(answer["tlog_proof"]).encode())
    if proof.index != answer["leaf_index"]:
        raise SoftwareFault("the proof is for another place in the log")
    checkpoint = open_head(organisation, proof.note)
    if checkpoint.origin != organisation.origin:
        raise SoftwareFault("the checkpoint is of another log")
    proof.verify(entry_leaf(envelope))
    return proof


def _unbelievable(error: MizhengError) -> MizhengError:
    if isinstance(error, (SoftwareFault, ConfigurationFault)):
        return error
    return SoftwareFault(
        "the notary's answer does not prove what it should: {reason}",
        "nothing of it was kept; tell the notary's operator",
        reason=str(error),
    )
