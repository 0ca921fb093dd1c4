"""What the HTTP API takes and gives, field by field, for the OpenAPI document.

Answers are built from what the log and the database hold; these classes describe them and check nothing on
the hot path.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

HEX32 = r"^[0-9a-f]{64}$"

# What an envelope looks like, for the OpenAPI document.
ENVELOPE = {
    "payload": "eyJjbGFpbWVkX2F0IjoiMjAyNi0xMS0yM1QwMjowMDowMFoiLC4uLn0=",
    "payloadType": "application/vnd.mizheng.statement.v1+json",
    "signatures": [
        {
            "keyid": "c958b9c9c827299204fa65acdc4344f85f97cea77b90fbcd8645cf1a5044e91a",
            "sig": "mMfkNwTbVvJk…",
        }
    ],
}

EVENT = {
    "payload": "eyJkb2N1bWVudF9zaGEyNTYiOiI5NzlhZjE1Njc3OTU2ODIxMzFiMSwuLi4ifQ==",
    "payloadType": "application/vnd.mizheng.event.v1+json",
    "signatures": ENVELOPE["signatures"],
}


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ChainReference(BaseModel):
    """A chain on which the notary anchors."""

    name: str = Field(description="name of the chain in the notary's settings")
    kind: str = Field(description="`ethereum`, or `trial` for the embedded chain, which is no evidence")
    chain_id: int = Field(description="EIP-155 chain id")
    genesis_hash: str = Field(description="hash of block 0, hex")
    contract: str | None = Field(description="address of the anchor contract, 40 hex digits without 0x")
    log_id: str | None = Field(description="this log's id at the contract, hex")


class LimitsAnswer(BaseModel):
    """What the organisation may ask of the notary, and what it has used. Null: there is no such limit."""

    entries_per_day: int | None = Field(description="new entries of the log (deposits, events) in a UTC day")
    entries_in_all: int | None = Field(description="new entries of the log, ever")
    requests_per_minute: int | None = Field(description="requests; each envelope of a batch is one")
    used_today: int = Field(description="new entries in the present UTC day")
    used_in_all: int = Field(description="all entries that the organisation has made")


class OrganisationAnswer(BaseModel):
    """The calling organisation and the notary it talks to."""

    name: str = Field(description="legal name, exactly as statements must give it")
    id_scheme: str = Field(description="register of the identifier, `CN-USCC` for 统一社会信用代码")
    id: str = Field(description="identifier in that register")
    origin: str = Field(description="the log's name, first line of its checkpoints (C2SP)")
    log_vkey: str = Field(description="the log's key as a C2SP verifier key")
    issuer_public_key: str = Field(description="key that signs enrolments, base64 of SubjectPublicKeyInfo")
    active_keyid: str | None = Field(description="SHA-256 of the enrolled signing key, hex; null if none")
    chains: list[ChainReference] = Field(
        description="every chain on which the log is anchored, but those that have not been reached yet"
    )
    limits: LimitsAnswer | None = Field(description="null: the operator has set none")


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


class RefusedItem(BaseModel):
    """An envelope of a batch that was refused: RFC 9457 problem details."""

    status: int = Field(description="the HTTP status that it would have had alone")
    type: str = Field(description="`urn:mizheng:problem:<code>`; the code is stable")
    title: str = Field(description="what is wrong, the same for every problem of this type")
    detail: str | None = Field(None, description="what is wrong this time")
    hint: str | None = Field(None, description="what can be done")


class DepositedItem(DepositAnswer):
    """An envelope of a batch that is durable: the entry is in the log."""

    status: Literal[200, 201] = Field(description="200: it was deposited before; nothing was added")


class BatchAnswer(BaseModel):
    """One answer for each envelope, in the order sent."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "items": [
                    {
                        "status": 201,
                        "id": "07343a1a76bebe5c6a9b91a9db4a7507e94a3e15dbb69a5c9376875c676f7799",
                        "envelope_sha256": "07343a1a76bebe5c6a9b91a9db4a7507e94a3e15dbb69a5c9376875c676f7799",
                        "leaf_index": 1,
                        "tlog_proof": "c2sp.org/tlog-proof@v1\nindex 1\n…",
                        "received_at": "2026-11-23T07:18:32Z",
                    },
                    {
                        "status": 422,
                        "type": "urn:mizheng:problem:signature-wrong",
                        "title": "the signature does not check against the statement's key",
                    },
                ]
            }
        }
    )

    items: list[DepositedItem | RefusedItem] = Field(description="as many as envelopes were sent")


class AnchorCost(BaseModel):
    """What an anchor cost: gas used times the price that was paid. Wei as decimal digits: they may be more
    than JSON's numbers hold.
    """

    gas_used: int = Field(description="by all its transactions that a block took")
    wei: str = Field(description="what they cost")
    amount: str = Field(description="the same, exactly, in the chain's unit")
    entries: int = Field(description="entries that this anchor is the first for; they share its cost")
    wei_per_entry: str = Field(description="the cost of each of them, rounded down")
    amount_per_entry: str = Field(description="the same in the chain's unit")
    unit: str = Field(description="what 10^18 wei are called on the chain")


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
    cost: AnchorCost | None = Field(description="null until it is in a block")


class ChainStatus(BaseModel):
    """How far a deposit has come on one of the notary's chains."""

    chain: str = Field(description="name of the chain in the notary's settings")
    kind: str = Field(description="`ethereum` or `trial`")
    chain_id: int = Field(description="EIP-155 chain id")
    state: Literal["deposited", "anchored", "final"] = Field(description="as for the deposit")
    waiting_for: str | None = Field(
        description="stable code of what the next state on this chain waits for; null when final"
    )
    warnings: list[str] = Field(
        description="stable codes of what will hold anchoring up if the operator does nothing: `balance-low`"
    )


class StatusAnswer(BaseModel):
    """How far a deposit has come."""

    id: str = Field(description="the deposit's id")
    leaf_index: int = Field(description="its place in the log")
    state: Literal["deposited", "anchored", "final"] = Field(
        description="in the log; in a block; in a block that cannot be reorganised: on the chain where it "
        "has come furthest"
    )
    received_at: str = Field(description="when the notary first received it, by its own clock")
    waiting_for: str | None = Field(
        description="stable code of what the next state waits for, on that chain; null when final"
    )
    chains: list[ChainStatus] = Field(description="each of the notary's chains, in the order of its settings")
    anchors: list[AnchorAnswer] = Field(
        description="the first final anchor on each chain, and what stands before it, smallest tree first"
    )


class TimeStampAnswer(BaseModel):
    """A time-stamp token over one of the heads."""

    response: str = Field(description="base64 of a TimeStampResp (RFC 3161) in DER")
    text: str = Field(description="what is stamped: the text of the checkpoint, without signatures")


class UrgentAnswer(BaseModel):
    """What became of the wish to have a deposit anchored at once."""

    id: str = Field(description="the deposit's id")
    state: Literal["requested", "under-way"] = Field(
        description="requested: the next step of the anchorer takes it; under-way: an anchor with it is "
        "being made, or there already, on every chain"
    )
    remaining: int = Field(description="how often the organisation may ask in the present 24 hours")
    per_day: int = Field(description="the limit")


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
    foreign: list[str] = Field(
        description="base64 of `mizheng/foreign-anchor/v1`, for chains with foreign headers"
    )
    observations: list[str] = Field(
        description="base64 of observers' DSSE envelopes for the blocks named here"
    )
    seals: list[str] = Field(
        description="base64 of `mizheng/validator-seals/v1`: the chain's validators over the same blocks"
    )
    timestamps: list[TimeStampAnswer] = Field(
        description="of each time-stamp authority the first token over a head that has the deposit"
    )
    renewals: list[str] = Field(
        description="base64 of RFC 4998 evidence records (DER) that renew these tokens"
    )
    enrolment: str = Field(description="base64 of the signing key's enrolment, a DSSE envelope of the issuer")
    enrolment_proof: str = Field(description="C2SP tlog-proof of the enrolment in one of the same heads")
    key_status: str = Field(description="base64 of the key's status as of now, a DSSE envelope of the issuer")
    beacon: str | None = Field(
        description="base64 of `mizheng/beacon/v1`, the header of the statement's not_before; or null"
    )
    platform: str | None = Field(
        description="base64 of what the notary says of itself, a DSSE envelope of the issuer; or null"
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


class HealthAnswer(BaseModel):
    """The process answers."""

    state: Literal["ok"] = Field(description="always `ok`")


class ReadyAnswer(BaseModel):
    """Whether deposits are taken, and how everything behind them is."""

    state: Literal["ready", "degraded", "not-ready"] = Field(
        description="degraded: deposits are taken, but something else waits"
    )
    checks: dict[str, CheckAnswer] = Field(
        description="database, log, sequencer; chain.NAME and what belongs to it"
    )


class ProblemAnswer(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(description="`urn:mizheng:problem:<code>`; the code is stable")
    title: str = Field(description="what is wrong, the same for every problem of this type")
    status: int = Field(description="the HTTP status")
    detail: str | None = Field(
        None, description="what is wrong this time; never repeats the request's contents"
    )
    hint: str | None = Field(None, description="what can be done")
