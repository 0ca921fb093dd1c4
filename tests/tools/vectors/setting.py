"""The small world in which the vectors play: the attacks' own scene, made from fixed keys and a fixed clock.

On top of it a time-stamp authority, witnesses, and logs that can be led astray in memory without touching the
chain. Everything is drawn from a named stream, so that a new vector leaves the bytes of all others alone.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from mizheng.verifier.anchor import AnchorEvidence, parse_anchor
from mizheng.verifier.bundlewriting import Evidence, write_bundle
from mizheng.verifier.canonical import parse_instant
from mizheng.verifier.checkpoint import Checkpoint, TlogProof, sign_checkpoint
from mizheng.verifier.cosignature import WitnessSigner
from mizheng.verifier.enrolment import KeyStatus
from mizheng.verifier.entry import entry_leaf
from mizheng.verifier.members import member_order
from mizheng.verifier.merkle import Tree
from mizheng.verifier.note import NoteSigner, parse_note
from mizheng.verifier.policy import parse_policy
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.trust import Trust

from tests.support.tsa import DAY, YEAR, TestAuthority, issue
from tests.support.world import FILES, Company, Deposit, World, unpack
from tests.tools.spec_examples import Source, fixed
from tests.verifier.attacks.scene import OPENED, Scene, build_scene

Members = dict[str, bytes]

NOW = "2026-12-01T00:00:00Z"
STAMPED_AT = parse_instant("2026-11-23T03:00:00Z")
ISSUED_AT, EXPIRES_AT = "2026-11-24T00:00:00Z", "2056-11-24T00:00:00Z"
README = "A test vector of Mizheng.\n"
RECORD, ORIGINAL, HEAD = "records/0001.json", "originals/0001", "heads/5.tlog-proof"
ANCHOR, TOKEN, TEXT = "anchors/0001.json", "timestamps/0001.tsr", "timestamps/0001.txt"
STATEMENT, DOCUMENT, STATUS = "statement.dsse.json", "bundle.dsse.json", "key-status.dsse.json"
ENROLMENT, ENROLMENT_PROOF, BEACON = "enrolment.dsse.json", "enrolment.tlog-proof", "beacon.json"


class Stream(Source):
    """Bytes that look random and are the same each time, from the name on which it was set last."""

    def __init__(self) -> None:
        super().__init__()
        self.name = ""

    def restart(self, name: str) -> None:
        self.name, self._count = name, 0

    def take(self, length: int) -> bytes:
        self._count += 1
        return hashlib.shake_256(f"mizheng vector {self.name} {self._count}".encode()).digest(length)


@dataclass
class Log:
    """A log in memory, which can be copied and go another way than the one that is anchored."""

    signer: NoteSigner
    leaves: list[bytes]

    def copy(self) -> Log:
        return Log(self.signer, list(self.leaves))

    def append(self, envelope: bytes) -> int:
        self.leaves.append(entry_leaf(envelope))
        return len(self.leaves) - 1

    def note(self, size: int | None = None, signer: NoteSigner | None = None) -> bytes:
        size = len(self.leaves) if size is None else size
        used = signer or self.signer
        return sign_checkpoint(Checkpoint(used.verifier.name, size, Tree(self.leaves).root(size)), used)

    def proof(self, index: int, size: int | None = None, signer: NoteSigner | None = None) -> bytes:
        size = len(self.leaves) if size is None else size
        hashes = tuple(Tree(self.leaves).inclusion_proof(index, size))
        return TlogProof(index, hashes, self.note(size, signer)).dump()


@dataclass
class Setting:
    """What every vector starts from."""

    stream: Stream
    scene: Scene
    tsas: list[TestAuthority] = field(default_factory=list)
    """Three, whose certificates follow one another by two years."""
    witnesses: list[WitnessSigner] = field(default_factory=list)
    trusts: dict[str, Trust] = field(default_factory=dict)
    base: Members = field(default_factory=dict)
    """One record with its file, an anchor of both kinds, its block's observers, a token, a beacon."""
    small: Members = field(default_factory=dict)
    """The same without anchor and observers: what container and spelling are tried on."""

    @property
    def world(self) -> World:
        return self.scene.world

    @property
    def acme(self) -> Company:
        return self.scene.acme

    @property
    def evidence(self) -> AnchorEvidence:
        return parse_anchor(self.scene.anchor[1])

    def trust(self, **changes: Any) -> Trust:
        """The trust file of the setting, changed."""
        values = {
            "name": "vectors",
            "issued_at": ISSUED_AT,
            "expires_at": EXPIRES_AT,
            "pinned": False,
            "tsas": tuple(tsa.trusted() for tsa in self.tsas),
        }
        return self.world.trust(**{**values, **changes})

    # A log that goes its own way, dated by a token

    def log(self) -> Log:
        """A copy of the log as it was when `first`, `second` and `other` had been deposited."""
        return Log(self.world.signer, list(self.world.leaves[:5]))

    def deposit(self, log: Log, company: Company, **more: Any) -> Deposit:
        """A deposit in that log alone."""
        made = self.world.deposit(company, **more)
        self.world.leaves.pop()
        return replace(made, index=log.append(made.envelope))

    def enrol(self, log: Log, company: Company, issuer: PrivateKey | None = None, **more: Any) -> Company:
        """An enrolment in that log alone."""
        own = self.world.issuer
        self.world.issuer = issuer or own
        try:
            self.world.enrol(company)
        finally:
            self.world.issuer = own
        self.world.leaves.pop()
        assert company.enrolment is not None
        company.enrolment_index = log.append(company.enrolment)
        return company

    def stamped(
        self,
        log: Log,
        deposit: Deposit,
        *,
        company: Company | None = None,
        size: int | None = None,
        signer: NoteSigner | None = None,
        revoked: int | None = None,
        opened: Sequence[str] = OPENED[:1],
        originals: Mapping[str, bytes] = FILES,
        **more: Any,
    ) -> Members:
        """A bundle of a deposit in a log that only a token dates."""
        company = company or deposit.company
        size = len(log.leaves) if size is None else size
        text = parse_note(log.note(size, signer)).text
        enrolled = company.enrolment_index
        status = KeyStatus(deposit.company.key.public.keyid, revoked, len(log.leaves))
        evidence = Evidence(
            heads={size: log.proof(deposit.index, size, signer)},
            timestamps=[(self.tsas[0].response(text, STAMPED_AT), text)],
            enrolment=company.enrolment,
            enrolment_proof=None if enrolled is None else log.proof(enrolled, size, signer),
            key_status=status.sign(self.world.issuer),
        )
        return self.write(deposit, replace(evidence, **more), opened, originals=originals)

    def write(
        self,
        deposit: Deposit,
        evidence: Evidence,
        opened: Sequence[str] = OPENED[:1],
        *,
        originals: Mapping[str, bytes] = FILES,
        key: PrivateKey | None = None,
        **more: Any,
    ) -> Members:
        """The members of a bundle, in their order."""
        target = io.BytesIO()
        with tempfile.TemporaryDirectory() as folder:
            files = {}
            for place, name in enumerate(opened):
                if name in originals:
                    files[place] = Path(folder) / str(place)
                    files[place].write_bytes(originals[name])
            records = [deposit.open(name) for name in opened]
            options = {"readme": README, "created_at": ISSUED_AT, "originals": files, **more}
            write_bundle(target, key or deposit.company.key, deposit.envelope, records, evidence, **options)
        return unpack(target.getvalue())

    def text(self, size: int = 5) -> bytes:
        """What a token over a head of the true log is over."""
        return parse_note(self.world.checkpoint_note(size)).text

    def observations(self, *numbers: int, observers: Sequence[int] = (0, 1)) -> tuple[bytes, ...]:
        return tuple(self.world.observe(number, one) for number in numbers for one in observers)

    def base_evidence(self, deposit: Deposit | None = None, **changes: Any) -> Evidence:
        """What proves itself in the base bundle, or in one of another deposit below the same head."""
        deposit = deposit or self.scene.first
        world, size, company = self.world, self.scene.anchor[0], deposit.company
        assert deposit.statement.not_before is not None
        blocks = (self.scene.anchor_block, deposit.statement.not_before.number)
        evidence = Evidence(
            heads={size: world.proof(deposit.index, size)},
            timestamps=[(self.tsas[0].response(self.text(), STAMPED_AT), self.text())],
            anchors=[self.scene.anchor[1]],
            observations=self.observations(*blocks),
            enrolment=company.enrolment,
            enrolment_proof=world.proof(company.enrolment_index or 0, size),
            key_status=KeyStatus(company.key.public.keyid, None, size).sign(world.issuer),
            beacon=world.beacon(deposit.statement.not_before),
        )
        return replace(evidence, **changes)


@contextmanager
def open_setting() -> Iterator[Setting]:
    """The setting, while everything random comes from its stream."""
    stream = Stream()
    stream.restart("setting")
    with fixed(stream), tempfile.TemporaryDirectory() as folder:
        setting = Setting(stream, build_scene(Path(folder)))
        setting.tsas = [_authority(stream, number) for number in range(3)]
        setting.witnesses = [WitnessSigner(f"w{n}.example", stream.key()) for n in range(3)]
        setting.base = setting.write(setting.scene.first, setting.base_evidence())
        for name in ("first", "second"):
            deposit = getattr(setting.scene, name)
            evidence = setting.base_evidence(deposit, anchors=[], observations=())
            setting.scene.bundles[name] = setting.write(deposit, evidence)
        setting.small = setting.scene.honest
        setting.trusts = _trusts(setting)
        yield setting


def ordered(members: Mapping[str, bytes]) -> Members:
    """In the order of the format; names that are not on its list go last."""
    return dict(sorted(members.items(), key=lambda item: member_order(item[0])))


def _trusts(setting: Setting) -> dict[str, Trust]:
    lines = [f"witness W{n} {item.witness.vkey}" for n, item in enumerate(setting.witnesses)]
    policy = "\n".join([*lines, "group two 2 W0 W1 W2", "quorum two", ""])
    both = setting.scene.trust
    return {
        "observers": setting.trust(),
        "pins": setting.trust(pinned=True, observers=(), observer_quorum=1),
        "witnesses": setting.trust(witness_policy=parse_policy(policy), require=("witness.quorum",)),
        "both-notaries": replace(both, issued_at=ISSUED_AT, expires_at=EXPIRES_AT, tsas=setting.trust().tsas),
    }


def _authority(stream: Stream, number: int) -> TestAuthority:
    """A time-stamp authority for two years, under a root of its own."""
    start = STAMPED_AT + 2 * number * YEAR - DAY
    end = STAMPED_AT + 2 * (number + 1) * YEAR
    name = f"TSA {number + 1}"
    root = issue(f"{name} root", p256(stream), None, start=start - DAY, end=end + 30 * YEAR, is_ca=True)
    purposes = (ExtendedKeyUsageOID.TIME_STAMPING,)
    signer = issue(name, p256(stream), root, start=start, end=end, purposes=purposes)
    return TestAuthority(name, root, signer)


def p256(stream: Stream) -> ec.EllipticCurvePrivateKey:
    """A P-256 key of the stream."""
    return ec.derive_private_key(int.from_bytes(stream.take(31), "big"), ec.SECP256R1())
