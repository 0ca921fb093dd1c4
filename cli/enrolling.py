"""Having a key enrolled, and checking what the notary answers before believing it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mizheng.verifier.canonical import to_base64
from mizheng.verifier.checkpoint import TlogProof, open_checkpoint, parse_tlog_proof
from mizheng.verifier.enrolment import enrolment_request, parse_enrolment
from mizheng.verifier.entry import entry_leaf
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.note import NoteVerifier
from mizheng.verifier.statement import Depositor

from .client import NotaryClient, decode_base64
from .config import Organisation
from .errors import ConfigurationFault, SoftwareFault
from .keys import KeyEntry

if TYPE_CHECKING:
    from mizheng.verifier.signature import PrivateKey


def pin_organisation(pinned: Organisation | None, answer: Mapping[str, Any]) -> Organisation:
    """What the notary says it and we are; ConfigurationFault when it is not what was pinned before.

    The company may be renamed. A log or issuer key that changes is another notary, or a thief's.
    """
    found = Organisation(**{name: str(answer[name]) for name in Organisation.__slots__})
    try:
        NoteVerifier.from_vkey(found.log_vkey)
    except MizhengError as error:
        raise SoftwareFault("the notary's log key cannot be used") from error
    if pinned is not None:
        for name in ("origin", "log_vkey", "issuer_public_key", "id_scheme", "id"):
            if getattr(pinned, name) != getattr(found, name):
                raise ConfigurationFault(
                    "the notary is not the one of mizheng init: its {what} is another",
                    "check the address; to change notaries, use another MIZHENG_HOME",
                    what=name,
                )
    return found


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
        if signer.to_base64() != organisation.issuer_public_key:
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
    checkpoint, _signed = open_checkpoint(proof.note, [NoteVerifier.from_vkey(organisation.log_vkey)])
    if checkpoint.origin != organisation.origin:
        raise SoftwareFault("the checkpoint is of another log")
    proof.verify(entry_leaf(envelope))
    return proof


def _unbelievable(error: MizhengError) -> MizhengError:
    if isinstance(error, SoftwareFault):
        return error
    return SoftwareFault(
        "the notary's answer does not prove what it should: {reason}",
        "nothing of it was kept; tell the notary's operator",
        reason=str(error),
    )
