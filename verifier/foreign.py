"""An anchor on a chain whose headers are not Ethereum's, `mizheng/foreign-anchor/v1` (FISCO BCOS 3.x).

Such a chain speaks Ethereum's JSON-RPC and runs the same contract, but its blocks are hashed in another way
and its nodes give no Merkle-Patricia proofs. So nothing in this evidence proves itself: it says what the
contract holds, and carries the word of observers, each with a node and a key of its own. It never pretends
to be an anchor of `mizheng/anchor/v1`, and no time follows from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from . import dsse
from .canonical import dump, from_base64, from_hex, parse_instant, parse_typed, to_base64
from .errors import ChainProofError, LimitError, VersionError
from .evm.block import Chain, natural
from .signature import PrivateKey, PublicKey

TYPE = "mizheng/foreign-anchor/v1"
OBSERVATION_TYPE = "mizheng/foreign-observation/v1"
OBSERVATION_PAYLOAD_TYPE = "application/vnd.mizheng.foreign-observation.v1+json"
KINDS = ("fisco-bcos",)
# An observation has some 1,300 bytes; as many observers as this are more than any trust file names.
MAX_OBSERVATIONS = 64
MAX_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class ForeignAnchor:
    """What is said of the contract, and who says so."""

    chain: Chain
    contract: bytes
    """Address, 20 bytes."""
    code_hash: bytes
    """Keccak-256 of the contract's runtime code, as the node gave it."""
    log_id: bytes
    tree_size: int
    root_hash: bytes
    number: int
    """Of the block with the transaction."""
    hash: bytes
    """Of that block, as the node gave it: how it is computed is the chain's own affair."""
    block_time: str
    """What the block says, by its makers' clock: no evidence of time."""
    observations: tuple[bytes, ...] = field(default=())
    """DSSE envelopes."""

    def claim(self) -> dict[str, Any]:
        """What observers sign."""
        return {
            "kind": self.chain.kind,
            "chain_id": self.chain.chain_id,
            "genesis_hash": self.chain.genesis_hash.hex(),
            "contract": self.contract.hex(),
            "code_hash": self.code_hash.hex(),
            "log_id": self.log_id.hex(),
            "tree_size": self.tree_size,
            "root_hash": self.root_hash.hex(),
            "number": self.number,
            "hash": self.hash.hex(),
            "block_time": self.block_time,
        }

    def observe(self, rule: str, observed_at: str, observer: PrivateKey) -> bytes:
        """The envelope of an observer who has looked at its own node."""
        fields = {
            **self.claim(),
            "type": OBSERVATION_TYPE,
            "rule": rule,
            "observed_at": observed_at,
            "signer": observer.public.to_base64(),
        }
        return dsse.sign(dump(fields), OBSERVATION_PAYLOAD_TYPE, observer)

    def with_observations(self, envelopes: tuple[bytes, ...]) -> ForeignAnchor:
        return replace(self, observations=envelopes)


def parse_foreign(data: bytes) -> ForeignAnchor:
    """Read canonical evidence; FormatError, or VersionError for a kind of chain not known here."""
    fields = parse_typed(data, TYPE, {**_CLAIM, "observations": list}, max_bytes=MAX_BYTES)
    if len(fields["observations"]) > MAX_OBSERVATIONS:
        raise LimitError("more observations than the {limit} allowed", limit=MAX_OBSERVATIONS)
    return _read_claim(fields).with_observations(tuple(from_base64(text) for text in fields["observations"]))


def dump_foreign(anchor: ForeignAnchor) -> bytes:
    """The canonical bytes of the member."""
    observations = [to_base64(envelope) for envelope in anchor.observations]
    return dump({**anchor.claim(), "type": TYPE, "observations": observations})


@dataclass(frozen=True, slots=True)
class ForeignObservation:
    """An observer's word, its signature checked; whether the observer is trusted is not."""

    signer: PublicKey
    rule: str
    observed_at: str


def verify_foreign_observation(anchor: ForeignAnchor, envelope: bytes) -> ForeignObservation:
    """Return the observation if it is signed by its signer and says exactly what `anchor` says.

    FormatError when malformed, SignatureError when not its signer's, ChainProofError about something else.
    """
    signed = dsse.parse(envelope, OBSERVATION_PAYLOAD_TYPE)
    extra = {"rule": str, "observed_at": str, "signer": str}
    fields = parse_typed(signed.payload, OBSERVATION_TYPE, {**_CLAIM, **extra}, max_bytes=MAX_BYTES)
    signer = PublicKey.from_base64(fields["signer"])
    signed.verify(signer)
    parse_instant(fields["observed_at"])
    if _read_claim(fields) != replace(anchor, observations=()):
        raise ChainProofError("an observation of something else than this anchor")
    return ForeignObservation(signer, fields["rule"], fields["observed_at"])


_CLAIM = {
    "kind": str,
    "chain_id": int,
    "genesis_hash": str,
    "contract": str,
    "code_hash": str,
    "log_id": str,
    "tree_size": int,
    "root_hash": str,
    "number": int,
    "hash": str,
    "block_time": str,
}


def _read_claim(fields: dict[str, Any]) -> ForeignAnchor:
    if fields["kind"] not in KINDS:
        raise VersionError("unsupported kind of chain {kind!r}", kind=fields["kind"][:32])
    parse_instant(fields["block_time"])
    return ForeignAnchor(
        Chain(fields["kind"], natural(fields["chain_id"], least=1), from_hex(fields["genesis_hash"], 32)),
        from_hex(fields["contract"], 20),
        from_hex(fields["code_hash"], 32),
        from_hex(fields["log_id"], 32),
        natural(fields["tree_size"], least=1),
        from_hex(fields["root_hash"], 32),
        natural(fields["number"]),
        from_hex(fields["hash"], 32),
        fields["block_time"],
    )
