"""Chains of custody made up at random, sound and not: both verifiers say the same, in the same words."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest
from mizheng.verifier.canonical import format_instant
from mizheng.verifier.custody import HANDOVERS, WHAT
from mizheng.verifier.dsse import sign
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.trust import NamedKey, dump_trust
from mizheng.verifier.verify import verify_bundle

from tests.support.custody import BEGAN, Chain, party, put_on_record
from tests.support.mutations import SEED
from tests.support.scale import scaled
from tests.support.webverifier import outcomes, shared
from tests.support.world import NOW, Company, Deposit, World, pack
from tests.verifier.web.test_report import as_text

CHAINS = scaled(30, 2_000)
DIGESTS = (None, "a1" * 32, "b2" * 32)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def deposit(world: World) -> Deposit:
    return world.deposit(world.enrol(Company()), beacon=False)


def make_up(source: random.Random, deposit: Deposit, keys: dict[str, PrivateKey]) -> list[bytes]:
    """Some events; most follow from the ones before, and some do not."""
    chain, had, at = Chain(hashlib.sha256(deposit.envelope).hexdigest()), ["company"], BEGAN
    while len(chain.documents) < 6 and source.random() < 0.9:
        what = source.choice(WHAT)
        by = source.choice(had) if had and source.random() < 0.95 else source.choice(list(keys))
        to = source.choice([name for name in keys if name != by]) if what in HANDOVERS else None
        at += source.choice((0, 60, 60, 60, 60, 60, 60, 60, -1))
        after = source.choice(DIGESTS)
        before = source.choice((after, after, after, None, DIGESTS[1]))
        try:
            event = chain.event(
                what,
                party(keys[by], by),
                party(keys[to], to) if to else None,
                at=format_instant(at),
                before=before,
                after=None if what == "destruction" else after,
                **({"previous": "c3" * 32} if source.random() < 0.02 else {}),
            )
        except MizhengError:
            continue
        chain.add(event, keys[by], keys[to] if to else None)
        if what in ("handover", "destruction") and by in had:
            had.remove(by)
        if to:
            had.append(to)
    return chain.documents


def disturb(source: random.Random, members: dict[str, bytes]) -> dict[str, bytes]:
    """One member less, or two exchanged, or one that another key signed."""
    names = sorted(members)
    if not names or source.random() < 0.7:
        return members
    one, two = source.choice(names), source.choice(names)
    if source.random() < 0.4:
        return {name: data for name, data in members.items() if name != one}
    if source.random() < 0.5:
        forged = sign(b"{}", "application/vnd.mizheng.custody.v1+json", PrivateKey.generate())
        return {**members, one: forged}
    return {**members, one: members[two], two: members[one]}


def test_both_judge_every_chain_alike(world: World, deposit: Deposit, tmp_path: Path) -> None:
    keys = {name: PrivateKey.generate() for name in ("court", "appraiser")}
    keys["company"] = deposit.company.key
    seen: set[tuple[str, str]] = set()
    plain = world.bundle(deposit, [world.anchor()])
    for number in range(CHAINS):
        source = random.Random(f"{SEED} custody {number}")
        documents = make_up(source, deposit, keys)
        members = disturb(source, put_on_record(world, documents, keys["company"]))
        known = source.choice(((), ("court",), ("court", "appraiser")))
        trust = world.trust(custodians=tuple(NamedKey(name, keys[name].public) for name in known))
        bundle = pack({**plain, **members})
        ours: dict[str, Any] = json.loads(json.dumps(verify_bundle(bundle, trust, now=NOW).to_json()))
        theirs = shared().verify(bundle, dump_trust(trust), now=format_instant(NOW))
        told = f"{number} (MIZHENG_SEED={SEED})"
        assert outcomes(theirs) == outcomes(ours), told
        assert as_text(theirs["custody"]) == as_text(ours["custody"]), told
        custody = [check for check in ours["checks"] if check["code"].startswith("custody.")]
        assert [as_text(check) for check in theirs["checks"] if check["code"].startswith("custody.")] == [
            as_text(check) for check in custody
        ], told
        seen |= {(check["code"], check["status"]) for check in custody}
    for code in ("custody.chain", "custody.signatures", "custody.log", "custody.custodians"):
        assert (code, "PASS") in seen
    assert {("custody.chain", "FAIL"), ("custody.log", "FAIL"), ("custody.custodians", "NOT_CHECKED")} <= seen
