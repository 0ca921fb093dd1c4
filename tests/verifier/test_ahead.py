"""Signatures that another process checks: the same verdicts with it, without it, and when it dies."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mizheng.verifier import ahead, aside
from mizheng.verifier.ahead import Answer, Aside, Signed, in_order, is_known_good, outcome
from mizheng.verifier.canonical import dump
from mizheng.verifier.errors import FormatError, SignatureError
from mizheng.verifier.members import custody_members
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.verify import verify_bundle

from tests.support.custody import Chain, party, put_on_record
from tests.support.world import NOW, Company, World, pack
from tests.tools.layout import ROOT

MOST_AHEAD = 96
KEYS = PrivateKey.generate(), PrivateKey.generate("p256")


def make(number: int, key: PrivateKey = KEYS[0]) -> Signed:
    message = b"message %d" % number
    return key.public.spki, key.sign(message), message


def spoil(signed: Signed) -> Signed:
    return signed[0], signed[1], signed[2] + b"."


def ask(helper: Aside, signed: list[Signed]) -> Answer:
    """As soon as it is there."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if answer := helper.ask(signed):
            return answer
        time.sleep(0.01)
    raise AssertionError("the other process does not come up")


def test_it_says_yes_to_good_signatures_alone() -> None:
    good = [make(1), make(2, KEYS[1])]
    bad = [spoil(item) for item in good] + [(b"no key", b"", b""), (good[0][0], b"", b"")]
    helper = Aside()
    try:
        assert ask(helper, bad[:1] + good + bad[1:])() == set(good)
        assert ask(helper, [])() == set()
    finally:
        helper.close()
    assert helper.process
    assert helper.process.returncode is not None


def test_what_it_writes_and_reads() -> None:
    row = [make(1), (b"", b"", b""), (b"k", b"s" * 70_000, b"m")]
    file = io.BytesIO()
    ahead.write_row(file, row)
    whole = file.getvalue()
    assert ahead.read_row(io.BytesIO(whole)) == row
    for end in (0, 3, 4, 10):
        assert ahead.read_row(io.BytesIO(whole[:end])) is None


def test_good_ones_are_not_computed_again_and_only_while_their_turn_lasts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its word is taken for what it said yes to, of this key, signature and text, and for nothing else."""
    good, told = make(1), make(3)
    # Said to be good without anybody having looked: shows whose word is taken.
    told = told[0], told[1], b"another text"
    things = [good, told]

    class Told:
        def ask(self, signed: list[Signed]) -> Answer:
            return lambda: set(signed)

        def close(self) -> None:
            pass

    monkeypatch.setattr(ahead, "_WORTH_IT", 1)
    monkeypatch.setattr(ahead, "Aside", Told)
    for item in in_order(lambda item: item, lambda item: [item], things):
        assert is_known_good(*item)
        KEYS[0].public.verify(item[1], item[2])
        for other in (spoil(item), (item[0], item[1][::-1], item[2])):
            with pytest.raises(SignatureError):
                KEYS[0].public.verify(other[1], other[2])
        with pytest.raises(SignatureError):
            PrivateKey.generate().public.verify(item[1], item[2])
    assert not is_known_good(*good)
    with pytest.raises(SignatureError):
        KEYS[0].public.verify(told[1], told[2])


@pytest.mark.parametrize("count", [0, 1, 17, 1000])
def test_results_come_in_their_order(count: int) -> None:
    signed = make(1)
    found = in_order(lambda number: number * number, lambda _: [signed], range(count))
    assert list(found) == [number * number for number in range(count)]


def test_little_is_done_ahead_and_nothing_is_left_after_close(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    started: list[Aside] = []
    signed = make(1)

    class Watched(Aside):
        def __init__(self) -> None:
            super().__init__()
            started.append(self)

    monkeypatch.setattr(ahead, "Aside", Watched)
    results = in_order(done.append, lambda _: [signed], range(100_000))
    next(results)
    assert len(done) <= MOST_AHEAD
    results.close()
    assert len(done) <= MOST_AHEAD
    assert not is_known_good(*signed)
    assert started[0].process
    assert started[0].process.returncode is not None


def test_it_dies() -> None:
    helper = Aside()
    try:
        answer = ask(helper, [make(number) for number in range(5)])
        assert len(answer()) == 5
        assert helper.process
        helper.process.kill()
        helper.process.wait()
        # It may still be asked, once or twice; it says yes to nothing.
        for _ in range(10):
            later = helper.ask([make(1)])
            assert not later or later() == set()
    finally:
        helper.close()


@pytest.mark.parametrize("executable", ["", "/does/not/exist", "/bin/false"])
def test_it_cannot_be_started(monkeypatch: pytest.MonkeyPatch, executable: str) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    assert list(in_order(lambda number: number, lambda _: [make(1)], range(600))) == list(range(600))


def test_nothing_of_the_working_directory_is_run(tmp_path: Path) -> None:
    """Who checks evidence stands in a folder that somebody else filled."""
    for name in ("struct", "mizheng", "cryptography", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'was-run')!r}, 'w')\n", "utf-8")
    code = "from tests.verifier.test_ahead import *; a = Aside(); print(len(ask(a, [make(1)])())); a.close()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, env=environment, capture_output=True, check=True
    )
    assert ran.stdout.split() == [b"1"]
    assert not (tmp_path / "was-run").exists()


def test_a_long_chain_with_and_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same report, also of a chain in which one signature does not hold."""
    world = World(tmp_path)
    deposit = world.deposit(world.enrol(Company()))
    chain = Chain(hashlib.sha256(deposit.envelope).hexdigest())
    holder = party(deposit.company.key, "company")
    for _ in range(520):
        chain.add(chain.event("inspection", holder), deposit.company.key)
    members = put_on_record(world, chain.documents, deposit.company.key)
    name, _, _ = custody_members(511)
    envelopes = [json.loads(chain.documents[number]) for number in (509, 510)]
    spoilt = dump({**envelopes[1], "signatures": envelopes[0]["signatures"]})
    plain = world.bundle(deposit, [world.anchor()])
    trust = world.trust()
    for extra, wrong in ((members, []), ({**members, name: spoilt}, [("custody.signatures", name)])):
        data = pack({**plain, **extra})
        reports = []
        for worth_it in (500, 10**9):
            monkeypatch.setattr(ahead, "_WORTH_IT", worth_it)
            reports.append(verify_bundle(data, trust, now=NOW))
        assert reports[0].to_json() == reports[1].to_json()
        assert [(check.code, check.subject) for check in reports[0].checks if check.status == "FAIL"] == wrong


def test_an_outcome_gives_what_was_found_each_time() -> None:
    asked: list[int] = []

    def refuse() -> int:
        raise FormatError("no JSON")

    good = outcome(lambda: asked.append(1) or 7)
    assert (good(), good()) == (7, 7)
    bad = outcome(refuse)
    for _ in range(2):
        with pytest.raises(FormatError, match="no JSON"):
            bad()
    assert asked == [1]


def test_a_fault_of_ours_is_no_outcome() -> None:
    with pytest.raises(ZeroDivisionError):
        outcome(lambda: 1 // 0)


def test_the_other_process_by_itself() -> None:
    """What it answers is what this process would have found."""
    for item in (make(1), make(2, KEYS[1])):
        assert aside.is_good(item)
        assert not aside.is_good(spoil(item))
    assert not aside.is_good((b"no key", b"", b""))
