"""Make docs/spec/examples: one deposit's evidence, real in every byte, from fixed keys and a fixed clock.

    python -m tests.tools.spec_examples

Run again it writes the same bytes, unless a format, the contract or the embedded chain has changed. Whoever
runs this has the keys, so they must never sign anything else.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID
from mizheng.notary.chain import evm
from mizheng.verifier import dsse
from mizheng.verifier.bundlewriting import Evidence, write_bundle
from mizheng.verifier.canonical import format_instant, parse_instant
from mizheng.verifier.consensus.validators import parse_validators
from mizheng.verifier.digests import compute_digests
from mizheng.verifier.enrolment import Enrolment, KeyStatus, Revocation
from mizheng.verifier.entry import dump_entry, entry_leaf
from mizheng.verifier.evm.block import Chain
from mizheng.verifier.foreign import ForeignAnchor, dump_foreign
from mizheng.verifier.manifest import Manifest
from mizheng.verifier.merkle import leaf_hash
from mizheng.verifier.note import parse_note
from mizheng.verifier.observation import Observation
from mizheng.verifier.record import build_record
from mizheng.verifier.renewal.build import renew_time_stamp, start_record
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.statement import Depositor, Software, Statement
from mizheng.verifier.text import render
from mizheng.verifier.timestamp.token import dump_response, parse_token
from mizheng.verifier.trust import NamedKey, Trust, dump_trust
from mizheng.verifier.verify import verify_bundle

from tests.support import world as worlds
from tests.support.custody import put_on_record
from tests.support.disclosing import Disclosed
from tests.support.keychanges import ChangingLog
from tests.support.tsa import TestAuthority, issue
from tests.tools.layout import ROOT
from tests.tools.spec_recorded import (
    BUNDLED_AT,
    COURT,
    PLATFORM_FACTS,
    PURPOSE,
    RECIPIENT,
    custody_documents,
    disclose,
)

EXAMPLES = ROOT / "docs" / "spec" / "examples"
VECTORS = ROOT / "tests" / "vectors" / "consensus"

START = parse_instant("2026-11-23T02:00:00Z")
ENROLLED_AT, CLAIMED_AT = "2026-11-23T02:00:10Z", "2026-11-23T02:01:30Z"
OBSERVED_AT = "2026-11-23T02:10:00Z"
STAMPED_AT, RENEWED_AT = parse_instant("2026-11-23T02:03:10Z"), parse_instant("2026-11-24T00:30:00Z")
TRUST_ISSUED_AT, TRUST_EXPIRES_AT = "2026-11-24T00:00:00Z", "2027-11-24T00:00:00Z"
CHECKED_AT = parse_instant("2026-11-25T00:00:00Z")
# A made-up company; the last character is the code's true check digit.
COMPANY = Depositor("示例精密机械有限公司", "CN-USCC", "91420100MA4K00001U")
README = "An example. See docs/spec of Mizheng.\n"
DRAWING = b"an example drawing\n"


class Source:
    """Bytes that look random and are the same each time."""

    def __init__(self) -> None:
        self._count = 0

    def take(self, length: int) -> bytes:
        self._count += 1
        return hashlib.shake_256(b"mizheng example %d" % self._count).digest(length)

    def key(self, _algorithm: str = "ed25519") -> PrivateKey:
        return PrivateKey(Ed25519PrivateKey.from_private_bytes(self.take(32)))

    def below(self, limit: int) -> int:
        return int.from_bytes(self.take(48), "big") % limit


@contextmanager
def fixed(source: Source) -> Iterator[None]:
    """Everything that is random elsewhere comes from `source`."""
    with ExitStack() as stack:
        for target, name, value in (
            (PrivateKey, "generate", source.key),
            (evm.secrets, "token_bytes", source.take),
            (evm.secrets, "randbelow", source.below),
            (evm.os, "urandom", source.take),
            # The world's clock starts a year before its present.
            (worlds, "NOW", START + 365 * 86_400),
            (worlds, "AT", ENROLLED_AT),
        ):
            stack.enter_context(mock.patch.object(target, name, value))
        yield


def make() -> dict[str, bytes]:
    """All example files by name."""
    source = Source()
    with fixed(source), tempfile.TemporaryDirectory() as folder:
        return _make(source, worlds.World(Path(folder)))


def _make(source: Source, world: worlds.World) -> dict[str, bytes]:
    # Entries of other companies: an auditor sees only digests of them.
    for _ in range(3):
        world.append(source.take(600))
    key = source.key()
    enrolment = Enrolment(key.public, COMPANY, "api-key", ENROLLED_AT, None).sign(world.issuer)
    enrolment_index = world.append(enrolment)
    world.anchor()
    manifest_key = source.take(32)
    records = _records(manifest_key)
    manifest = Manifest([leaf_hash(data) for data in records.values()], manifest_key)
    statement = Statement(
        key.public,
        manifest.commitment(key.public),
        COMPANY,
        None,
        CLAIMED_AT,
        world.reference(world.chain.head()),
        Software("mizheng", "0.1.0", None),
        source.take(16),
    )
    envelope = statement.sign(key)
    index = world.append(envelope)
    world.append(source.take(600))
    size, anchor = world.anchor()
    assert statement.not_before is not None
    blocks = (json.loads(anchor)["block"]["number"], statement.not_before.number)
    opened = [manifest.open(records[name]) for name in ("environment", "file")]
    disclosure, event = disclose(key, envelope, [item.record for item in opened])
    event_index = world.append(event)
    event_proof = world.proof(event_index, event_index + 1)
    custody = custody_documents(key, envelope)
    kept = put_on_record(world, custody, key)
    # Later entries: the company's next key, and the end of this one.
    successor = source.key()
    world.append(_successor(world, successor, key))
    revocation = Revocation(key.public.keyid, "rotated", BUNDLED_AT).sign(world.issuer)
    revoked_index = world.append(revocation)
    status = KeyStatus(key.public.keyid, revoked_index, len(world.leaves)).sign(world.issuer)
    platform = PLATFORM_FACTS.sign(world.issuer)
    observations = tuple(
        _observe(world, number, observer) for number in blocks for observer in world.observers[:2]
    )
    tsas = [_authority(source, n) for n in range(2)]
    text = parse_note(world.checkpoint_note(size)).text
    stamp = start_record(tsas[0].token(text, STAMPED_AT))
    renewal = renew_time_stamp(stamp, tsas[1].token(stamp.chains[0][0].token, RENEWED_AT))
    evidence = Evidence(
        heads={size: world.proof(index, size)},
        timestamps=[(dump_response(stamp.chains[0][0].token), text)],
        renewals=[renewal.dump()],
        anchors=[anchor],
        observations=observations,
        enrolment=enrolment,
        enrolment_proof=world.proof(enrolment_index, size),
        key_status=status,
        beacon=world.beacon(statement.not_before),
        platform=platform,
    )
    target = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        original = Path(folder) / "drawing"
        original.write_bytes(DRAWING)
        write_bundle(
            target,
            key,
            envelope,
            opened,
            evidence,
            readme=README,
            created_at=BUNDLED_AT,
            originals={1: original},
            recipient=RECIPIENT,
            purpose=PURPOSE,
            extra_members=Disclosed(disclosure, event, event_proof).members() | kept,
        )
    bundle = target.getvalue()
    trust = world.trust(
        name="example",
        issued_at=TRUST_ISSUED_AT,
        expires_at=TRUST_EXPIRES_AT,
        pinned=False,
        tsas=tuple(tsa.trusted() for tsa in tsas),
        retired_hashes={"sha256": parse_instant("2035-01-01T00:00:00Z")},
        custodians=(NamedKey(RECIPIENT, COURT.public),),
    )
    report = verify_bundle(bundle, trust, now=CHECKED_AT)
    members = worlds.unpack(bundle)
    envelopes = {
        "bundle": members["bundle.dsse.json"],
        "statement": envelope,
        "enrolment": enrolment,
        "revocation": revocation,
        "key-status": status,
        "observation": observations[0],
        "platform": platform,
        "disclosure": disclosure,
        "event": event,
        "custody": custody[1],
    }
    files = {f"bundle/{name}": data for name, data in members.items()}
    files |= {f"records/{name}.json": data for name, data in records.items()}
    files |= {f"payloads/{name}.json": _payload(data) for name, data in envelopes.items()}
    files |= {
        "bundle.zip": bundle,
        "revocation.dsse.json": revocation,
        "entry.txt": dump_entry(hashlib.sha256(envelope).digest()),
        "checkpoint.txt": world.checkpoint_note(size),
        "trust.toml": dump_trust(trust),
        "time-stamp.json": _pretty(_described(stamp.chains[0][0].token)),
        "evidence-record.json": _pretty(
            {
                "version": 1,
                "digestAlgorithms": [item.name for item in renewal.algorithms],
                "archiveTimeStampSequence": [
                    [_described(item.token) for item in chain] for chain in renewal.chains
                ],
            }
        ),
        **_key_change(world),
        **_validators(trust),
        **_foreign(world.observers[0]),
        "report.json": _pretty(report.to_json()),
        "report.txt": render(report, lambda message: message).encode(),
        "values.json": _pretty(
            {
                "manifest_key": manifest_key.hex(),
                "records": len(records),
                "tree_size": manifest.tree_size,
                "root_hash": manifest.root.hex(),
                "depositor_keyid": key.public.keyid,
                "depositor_public_key": key.public.to_base64(),
                "commitment": statement.commitment.hex(),
                "envelope_sha256": hashlib.sha256(envelope).hexdigest(),
                "pre_authentication_encoding_sha256": _encoding_digest(envelope),
                "leaf_hash": entry_leaf(envelope).hex(),
                "log_vkey": world.signer.vkey,
                "checked_at": CHECKED_AT,
            }
        ),
    }
    return files


def _foreign(signer: PrivateKey) -> dict[str, bytes]:
    """An anchor on a chain with foreign headers, made up, and an observer's word for it."""
    anchor = ForeignAnchor(
        Chain("fisco-bcos", 20200, bytes(range(32))),
        bytes(range(20)),
        bytes(range(1, 33)),
        bytes(range(2, 34)),
        3,
        bytes(range(3, 35)),
        7712,
        bytes(range(4, 36)),
        OBSERVED_AT,
    )
    return {
        "foreign.json": dump_foreign(
            anchor.with_observations((anchor.observe("instant", OBSERVED_AT, signer),))
        )
    }


def _validators(trust: Trust) -> dict[str, bytes]:
    """Seals of a real network, from the vectors, and how a trust file names its validators."""
    vector = json.loads((VECTORS / "published-qbft-7528.json").read_text("utf-8"))
    chain = replace(trust.chains[0], validators=parse_validators(vector["validators"]))
    text = dump_trust(replace(trust, chains=(chain,))).decode()
    start = text.index("[[chains.validators]]")
    return {
        "seals.json": vector["evidence"].encode(),
        "validators.toml": text[start : text.index("[[tsas]]")].encode(),
    }


def _key_change(world: worlds.World) -> dict[str, bytes]:
    """The log's next entry: another key takes the place of the one that signed so far."""
    # Made apart from everything else, so that other examples coming and going leave it as it is.
    seeds = (hashlib.sha256(b"mizheng example key %d" % number).digest() for number in count())
    log = ChangingLog(
        world.signer.verifier.name,
        world.signer,
        lambda: PrivateKey(Ed25519PrivateKey.from_private_bytes(next(seeds))),
    )
    log.leaves = list(world.leaves)
    note = log.change().note
    return {"log-key-change.txt": note, "log-keys.json": log.keys.dump()}


def _records(manifest_key: bytes) -> dict[str, bytes]:
    digests = compute_digests([DRAWING])
    earlier = {"envelope_sha256": hashlib.sha256(b"an earlier envelope").hexdigest()}
    none: Any = None

    def build(kind: str, label: str, fields: dict[str, Any]) -> bytes:
        return build_record(manifest_key, kind, label.encode(), fields)

    return {
        "environment": build(
            "environment",
            "",
            {
                "observations": [
                    {"check": "os.name", "state": "observed", "value": "Linux", "how": "uname"},
                    {"check": "clock.offset", "state": "not_checked", "value": none, "how": ""},
                ]
            },
        ),
        "file": build(
            "file",
            "图纸/泵体.dwg",
            {
                "size": digests.size,
                "sha256": digests.sha256,
                "sm3": digests.sm3,
                "modified_at": "2026-11-20T08:15:00Z",
            },
        ),
        "link": build("link", "图纸/最新.dwg", {"target": "泵体.dwg"}),
        "unreadable": build("unreadable", "图纸/旧版", {"reason": "permission denied"}),
        "point": build(
            "point",
            "1",
            {
                "title": "泵体流道尺寸",
                "statement": "进口段三处圆角半径的组合",
                "distinction": "公开样本只给出外形尺寸",
                "level": "核心",
                "term": "长期",
            },
        ),
        "locator": build("locator", "1", {"point": 1, "path": "图纸/泵体.dwg", "where": "第 2 页"}),
        "measure": build(
            "measure",
            "1",
            {
                "type": "agreement",
                "scope": "设计部全体",
                "effective_from": "2025-01-01",
                "proof_sha256": none,
            },
        ),
        "carrier": build(
            "carrier",
            "1",
            {"type": "encrypted disk", "serial": "EX-0001", "place": "机房", "custodian": "设计部"},
        ),
        "source": build("source", "1", {"who": "设计部", "system": "PDM", "how": "按图纸发布流程导出"}),
        "corroboration": build("corroboration", "1", {"type": "none", "detail": "", "sha256": none}),
        "supplement": build(
            "supplement", "1", {"matter": "泵体图纸", "type": "witness", "title": "证人证言", **earlier}
        ),
        "authority": build("authority", "", {"sha256": hashlib.sha256(b"power of attorney").hexdigest()}),
        "previous": build("previous", "", earlier),
    }


def _observe(world: worlds.World, number: int, observer: PrivateKey) -> bytes:
    block = world.chain.block(number)
    assert block is not None
    return Observation(world.reference(block), "instant", OBSERVED_AT).sign(observer)


def _successor(world: worlds.World, successor: PrivateKey, replaced: PrivateKey) -> bytes:
    return Enrolment(
        successor.public, COMPANY, "api-key+previous-key", BUNDLED_AT, replaced.public.keyid
    ).sign(world.issuer)


def _authority(source: Source, number: int) -> TestAuthority:
    """A time-stamp authority for a year, under a root of its own."""

    def key() -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(int.from_bytes(source.take(31), "big"), ec.SECP256R1())

    name, end = f"TSA {number + 1}", START + (number + 1) * 365 * 86_400
    root = issue(f"{name} root", key(), None, start=START - 86_400, end=end + 86_400, is_ca=True)
    purposes = (ExtendedKeyUsageOID.TIME_STAMPING,)
    signer = issue(name, key(), root, start=START - 86_400, end=end, purposes=purposes)
    return TestAuthority(name, root, signer)


def _described(token: bytes) -> dict[str, object]:
    """What a token says, in the names of RFC 3161."""
    found = parse_token(token)
    return {
        "policy": found.policy,
        "messageImprint": {"hashAlgorithm": found.hash.name, "hashedMessage": found.imprint.hex()},
        "serialNumber": found.serial,
        "genTime": format_instant(found.at),
        "accuracy": None if found.accuracy is None else f"{found.accuracy} µs",
        "signer": {"subject": found.signer.name, "sha256": found.signer.sha256},
        "token_sha256": hashlib.sha256(token).hexdigest(),
    }


def _payload(envelope: bytes) -> bytes:
    kind = json.loads(envelope)["payloadType"]
    return dsse.parse(envelope, kind, signatures=(1, 2)).payload


def _encoding_digest(envelope: bytes) -> str:
    kind = json.loads(envelope)["payloadType"]
    payload = dsse.parse(envelope, kind, signatures=(1, 2)).payload
    return hashlib.sha256(dsse.pre_authentication_encoding(kind, payload)).hexdigest()


def _pretty(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def main() -> None:
    files = make()
    shutil.rmtree(EXAMPLES, ignore_errors=True)
    for name, data in files.items():
        path = EXAMPLES / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    print(f"{len(files)} files in {EXAMPLES.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
