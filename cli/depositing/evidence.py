"""Evidence as the notary hands it out: fetched, checked as far as it can be without a trust file, kept."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from mizheng.cli.config import Organisation
from mizheng.cli.depositing.client import NotaryClient, decode_base64
from mizheng.cli.depositing.logkeys import believing, open_head
from mizheng.cli.errors import ConfigurationFault, SoftwareFault
from mizheng.cli.sealfile.state import Deposit
from mizheng.cli.session import Session
from mizheng.verifier.anchor import parse_anchor, verify_anchor
from mizheng.verifier.bundlewriting import Evidence
from mizheng.verifier.canonical import format_instant
from mizheng.verifier.checkpoint import parse_checkpoint, parse_tlog_proof
from mizheng.verifier.consensus.seals import parse_seals, read_seals
from mizheng.verifier.enrolment import parse_enrolment, parse_key_status
from mizheng.verifier.entry import entry_leaf
from mizheng.verifier.errors import (
    ChainProofError,
    InclusionError,
    MizhengError,
    ProofError,
    SignatureError,
)
from mizheng.verifier.foreign import parse_foreign, verify_foreign_observation
from mizheng.verifier.observation import parse_observation
from mizheng.verifier.platform_facts import parse_platform
from mizheng.verifier.statement import parse_envelope
from mizheng.verifier.timestamp.token import parse_response, parse_token

STATES = ("sealed", "deposited", "anchored", "final")
_KEPT = (
    "heads",
    "timestamps",
    "anchors",
    "foreign",
    "observations",
    "seals",
    "renewals",
    "enrolment",
    "enrolment_proof",
    "key_status",
    "beacon",
    "platform",
)


def fetch_evidence(
    client: NotaryClient, organisation: Organisation, deposit: Deposit, state: str, now: int
) -> dict[str, Any]:
    """What the seal keeps, {state, fetched_at, answer}; SoftwareFault when it proves something else."""
    answer = client.evidence(deposit.id)
    kept = {name: answer.get(name) for name in _KEPT}
    try:
        check_evidence(organisation, decode_base64(deposit.envelope), read_evidence(kept))
    except (ConfigurationFault, SoftwareFault):
        raise
    except (MizhengError, TypeError, ValueError, AttributeError) as error:
        raise SoftwareFault(
            "the notary's evidence does not prove what it should: {reason}",
            "nothing of it was kept; tell the notary's operator",
            reason=str(error),
        ) from error
    return {"state": state, "fetched_at": format_instant(now), "answer": kept}


def fetch_believed(session: Session, client: NotaryClient, deposit: Deposit, state: str) -> dict[str, Any]:
    """The same as of now, under the log's pinned keys or those that follow them."""
    return believing(
        session, client, lambda pinned: fetch_evidence(client, pinned, deposit, state, int(time.time()))
    )


def read_evidence(kept: Mapping[str, Any]) -> Evidence:
    """The bundle's members from what the seal keeps."""
    return Evidence(
        heads={int(size): str(text).encode() for size, text in kept["heads"].items()},
        anchors=[decode_base64(item) for item in kept["anchors"]],
        timestamps=[
            (decode_base64(item["response"]), str(item["text"]).encode())
            for item in kept.get("timestamps") or ()
        ],
        observations=[decode_base64(item) for item in kept["observations"] or ()],
        foreign=[decode_base64(item) for item in kept.get("foreign") or ()],
        # Not in what an earlier version kept, nor from a notary that has none.
        seals=[decode_base64(item) for item in kept.get("seals") or ()],
        renewals=[decode_base64(item) for item in kept.get("renewals") or ()],
        enrolment=_optional(kept["enrolment"]),
        enrolment_proof=str(kept["enrolment_proof"]).encode() if kept["enrolment_proof"] else None,
        key_status=_optional(kept["key_status"]),
        beacon=_optional(kept["beacon"]),
        platform=_optional(kept.get("platform")),
    )


def check_evidence(organisation: Organisation, envelope: bytes, evidence: Evidence) -> None:
    """Everything is about this envelope, signed by the pinned keys, and leads to the anchored roots.

    Whether the blocks belong to the chain is for whoever verifies the bundle, with a trust file.
    """
    leaf = entry_leaf(envelope)
    heads = {}
    for size, data in evidence.heads.items():
        proof = parse_tlog_proof(data)
        checkpoint = open_head(organisation, proof.note)
        proof.verify(leaf)
        if checkpoint.size != size or checkpoint.origin != organisation.origin:
            raise InclusionError("a head that is not the one it is called")
        heads[size] = checkpoint
    for data in evidence.anchors:
        anchor = parse_anchor(data)
        # Chain, contract and code are compared with themselves: the trust file has the last word.
        code = anchor.storage.code_hash if anchor.storage else b""
        verify_anchor(anchor, anchor.chain, anchor.contract, code)
        if anchor.tree_size not in heads or heads[anchor.tree_size].root != anchor.root_hash:
            raise ChainProofError("an anchor of a checkpoint that is not in the evidence")
    for data in evidence.foreign:
        foreign = parse_foreign(data)
        if foreign.tree_size not in heads or heads[foreign.tree_size].root != foreign.root_hash:
            raise ChainProofError("an anchor of a checkpoint that is not in the evidence")
        for signed in foreign.observations:
            verify_foreign_observation(foreign, signed)
    for response, text in evidence.timestamps:
        # Who made it: again for whoever has a trust file.
        parse_token(parse_response(response)).require_over(text)
        checkpoint = parse_checkpoint(text)
        if heads.get(checkpoint.size) != checkpoint:
            raise ProofError("a time-stamp token over a checkpoint that is not in the evidence")
    for data in evidence.observations:
        parse_observation(data)
    for data in evidence.seals:
        read_seals(parse_seals(data))
    _check_identity(organisation, envelope, evidence)


def _check_identity(organisation: Organisation, envelope: bytes, evidence: Evidence) -> None:
    if evidence.enrolment is None or evidence.enrolment_proof is None or evidence.key_status is None:
        raise SoftwareFault("the notary's answer does not have the expected form")
    _envelope, statement = parse_envelope(envelope)
    enrolment, signer = parse_enrolment(evidence.enrolment)
    status, status_signer = parse_key_status(evidence.key_status)
    signers = [signer, status_signer]
    if evidence.platform is not None:
        signers.append(parse_platform(evidence.platform)[1])
    for key in signers:
        if key.to_base64() not in organisation.issuers:
            raise ConfigurationFault(
                "an enrolment or key status of another issuer than the one of mizheng init",
                "if the notary announced a new one, get its new trust file by another channel, "
                "then run: mizheng init --trust FILE",
            )
    if enrolment.public_key != statement.public_key or status.keyid != statement.public_key.keyid:
        raise SignatureError("an enrolment or key status of another key")
    parse_tlog_proof(evidence.enrolment_proof).verify(entry_leaf(evidence.enrolment))


def _optional(text: Any) -> bytes | None:
    return None if text is None else decode_base64(text)
