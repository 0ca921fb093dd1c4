"""What the HTTP API takes and gives, field by field, for the OpenAPI document.

Answers are built from what the log and the database hold; these classes describe them and check nothing on
the hot path.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

HEX32 = r"^[0-9a-f]{64}$"


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ChainReference(BaseModel):
    """The chain on which the notary anchors."""

    kind: str = Field(description="`ethereum`, or `trial` for the embedded chain, which is no evidence")
    chain_id: int = Field(description="EIP-155 chain id")
    genesis_hash: str = Field(description="hash of block 0, hex")
    contract: str | None = Field(description="address of the anchor contract, 40 hex digits without 0x")
    log_id: str | None = Field(description="this log's id at the contract, hex")


class OrganisationAnswer(BaseModel):
    """The calling organisation and the notary it talks to."""

    name: str = Field(description="legal name, exactly as statements must give it")
    id_scheme: str = Field(description="register of the identifier, `CN-USCC` for 统一社会信用代码")
    id: str = Field(description="identifier in that register")
    origin: str = Field(description="the log's name, first line of its checkpoints (C2SP)")
    log_vkey: str = Field(description="the log's key as a C2SP verifier key")
    issuer_public_key: str = Field(description="key that signs enrolments, base64 of SubjectPublicKeyInfo")
    active_keyid: str | None = Field(description="SHA-256 of the enrolled signing key, hex; null if none")
    chain: ChainReference | None = Field(description="null while the chain has not been reached yet")


class KeyRequest(_Closed):
    """A signing key to be enrolled."""

    public_key: str = Field(description="base64 of the key's SubjectPublicKeyInfo (Ed25519 or P-256)")
    proof: str = Field(
        description="base64 of the signature by this key over three lines joined by LF: `mizheng/enrol/v1`, "
        "hex SHA-256 of `<id_scheme>:<id>`, hex keyid"
    )
    replaces: str | None = Field(None, description="keyid of the active key that this one replaces")
    replaces_proof: str | None = Field(
        None,
        description="base64 of the signature by the replaced key over the same bytes; null if it is lost",
    )


class KeyAnswer(BaseModel):
    """An enrolment and its place in the log."""

    enrolment: str = Field(description="base64 of the enrolment's DSSE envelope, signed by the issuer")
    leaf_index: int = Field(description="its place in the log")
    tlog_proof: str = Field(description="C2SP tlog-proof: its inclusion in a signed checkpoint")


class DepositAnswer(BaseModel):
    """A deposit that is durable: the entry is in the log."""

    id: str = Field(description="the deposit's id, which is its envelope_sha256")
    envelope_sha256: str = Field(description="SHA-256 of the envelope's bytes, hex")
    leaf_index: int = Field(description="its place in the log")
    tlog_proof: str = Field(description="C2SP tlog-proof: inclusion in a signed checkpoint, to be checked")
    received_at: str = Field(description="when the notary first received it, by its own clock; no evidence")


class AnchorAnswer(BaseModel):
    """One anchor that covers the deposit."""

    chain: str = Field(description="name of the chain in the notary's settings")
    kind: str = Field(description="`ethereum` or `trial`")
    chain_id: int = Field(description="EIP-155 chain id")
    tree_size: int = Field(description="size of the log that is anchored")
    state: Literal["waiting", "anchored", "final"] = Field(
        description="not in a block yet; in a block; in a block that cannot be reorganised"
    )
    transaction_hash: str | None = Field(description="hex; for look-up only, nothing proves it")
    block_number: int | None = Field(description="height of the block")
    block_hash: str | None = Field(description="hex")


class StatusAnswer(BaseModel):
    """How far a deposit has come."""

    id: str = Field(description="the deposit's id")
    leaf_index: int = Field(description="its place in the log")
    state: Literal["deposited", "anchored", "final"] = Field(
        description="in the log; in a block; in a block that cannot be reorganised"
    )
    received_at: str = Field(description="when the notary first received it, by its own clock")
    waiting_for: str | None = Field(
        description="stable code of what the next state waits for; null when final"
    )
    anchors: list[AnchorAnswer] = Field(description="anchors that cover the deposit, smallest tree first")


class EvidenceAnswer(BaseModel):
    """All that the notary adds to a bundle. Everything proves itself or is signed."""

    id: str = Field(description="the deposit's id")
    leaf_index: int = Field(description="its place in the log")
    heads: dict[str, str] = Field(
        description="tree size → C2SP tlog-proof of the deposit in that signed head"
    )
    anchors: list[str] = Field(
        description="base64 of `mizheng/anchor/v1` evidence, one for each anchored head"
    )
    observations: list[str] = Field(
        description="base64 of observers' DSSE envelopes for the blocks named here"
    )
    enrolment: str = Field(description="base64 of the signing key's enrolment, a DSSE envelope of the issuer")
    enrolment_proof: str = Field(description="C2SP tlog-proof of the enrolment in one of the same heads")
    key_status: str = Field(description="base64 of the key's status as of now, a DSSE envelope of the issuer")
    beacon: str | None = Field(
        description="base64 of `mizheng/beacon/v1`, the header of the statement's not_before; or null"
    )


class BeaconAnswer(BaseModel):
    """A recent final block: whoever names it in a statement signed after it existed."""

    chain_id: int = Field(description="EIP-155 chain id")
    genesis_hash: str = Field(description="hash of block 0, hex")
    number: int = Field(description="the block's height")
    hash: str = Field(description="the block's hash, hex")


class CheckAnswer(BaseModel):
    """One thing the notary depends on."""

    state: str = Field(description="`ok`, or a stable word for what is wrong")
    detail: str | None = Field(None, description="for people")


class ReadyAnswer(BaseModel):
    """Whether deposits are taken, and how everything behind them is."""

    state: Literal["ready", "degraded", "not-ready"] = Field(
        description="degraded: deposits are taken, but something else waits"
    )
    checks: dict[str, CheckAnswer] = Field(description="database, log, sequencer, chain")


class ProblemAnswer(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(description="`urn:mizheng:problem:<code>`; the code is stable")
    title: str = Field(description="what is wrong, the same for every problem of this type")
    status: int = Field(description="the HTTP status")
    detail: str | None = Field(
        None, description="what is wrong this time; never repeats the request's contents"
    )
    hint: str | None = Field(None, description="what can be done")
