"""What the checks share: the bundle, the trust, what came from outside, and what was found so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..bundle import Bundle
from ..checkpoint import Checkpoint
from ..memory import Memory
from ..record import Record
from ..report import CustodyLine, Findings, ProvenTime
from ..statement import BlockReference, Statement
from ..trust import NamedKey, Trust


@dataclass(frozen=True, slots=True)
class OnlineBlock:
    """What a node of the verifier's own choice said of a block number, handed in by the caller."""

    source: str
    """How the node is called in the report."""
    block: BlockReference
    """Chain id, genesis hash and hash are the node's own answers; no hash: it has no block of that number."""
    is_final: bool
    """Whether the node calls that height final."""


@dataclass(frozen=True, slots=True)
class OnlineRoot:
    """What a node of the verifier's own choice said that the contract holds for a log id and size."""

    source: str
    chain_id: int
    genesis_hash: bytes
    contract: bytes
    log_id: bytes
    tree_size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class ProvenBlock:
    """A block that the chain's own validators, whom the trust file names, stand for."""

    block: BlockReference
    by: str
    """Who they are, and how many of them."""


@dataclass(frozen=True, slots=True)
class Head:
    """A checkpoint of the bundle in which the statement's entry was found."""

    member: str
    checkpoint: Checkpoint
    index: int
    note: bytes
    """The signed checkpoint."""
    is_trusted: bool
    """Its signature is one of a trusted log key that covers its size."""


@dataclass(slots=True)
class Context:
    """Everything one run of verify_bundle knows."""

    bundle: Bundle
    trust: Trust | None
    findings: Findings
    statement: Statement
    envelope: bytes
    envelope_sha256: str
    files: Sequence[Path] = ()
    online_blocks: Sequence[OnlineBlock] = ()
    online_roots: Sequence[OnlineRoot] = ()
    now: int | None = None
    """Seconds since 1970 by the caller's clock."""
    memory: Memory = field(default_factory=lambda: Memory(0))
    """Of what bundles before this one were found to hold; by itself a bundle has none."""
    proven: list[ProvenBlock] = field(default_factory=list)
    """Blocks that a consensus proof showed to be their chain's."""
    records: list[tuple[str, Record]] = field(default_factory=list)
    """Opened records that belong to the commitment, by member name."""
    heads: list[Head] = field(default_factory=list)
    custody: list[CustodyLine] = field(default_factory=list)
    """Events of the evidence's custody, up to the first that does not hold."""
    latest: list[ProvenTime] = field(default_factory=list)
    earliest: ProvenTime | None = None
    is_trial: bool = False
    is_enrolled: bool = False
    issuer: NamedKey | None = None
    """Who enrolled the depositor's key, when the trust file knows him."""
    anchored_sizes: set[int] = field(default_factory=set)
    """Tree sizes of the heads that an anchor in a canonical block holds."""
