"""A sound bundle against trust files that are not the right one: what they do not know counts for nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from mizheng.verifier.note import NoteVerifier
from mizheng.verifier.report import Verdict
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.trust import NamedKey, TrustedLog
from mizheng.verifier.verify import verify_bundle

from tests.support.world import NOW, ORIGIN, failed, judge, pack, statuses

from .scene import Scene, words

Changes = Callable[[Scene], dict[str, Any]]
STRANGER = PrivateKey.generate().public
SIZE = 5


def chain(**changes: object) -> Changes:
    def build(scene: Scene) -> dict[str, Any]:
        (known,) = scene.world.trust().chains
        return {"chains": (replace(known, **changes),)}  # type: ignore[arg-type]

    return build


def log_id(**changes: object) -> Changes:
    def build(scene: Scene) -> dict[str, Any]:
        (known,) = scene.world.trust().chains
        (item,) = known.log_ids
        return {"chains": (replace(known, log_ids=(replace(item, **changes),)),)}  # type: ignore[arg-type]

    return build


def log(*keys: tuple[str, Any, int, int | None]) -> Changes:
    """Log keys by origin, key (None for the log's own) and range of sizes."""

    def build(scene: Scene) -> dict[str, Any]:
        own = scene.world.log_key.public
        return {
            "logs": tuple(
                TrustedLog(NoteVerifier(origin, key or own), first, last) for origin, key, first, last in keys
            )
        }

    return build


def fixed(**changes: object) -> Changes:
    return lambda scene: changes


EXPIRED = fixed(issued_at="2020-01-01T00:00:00Z", expires_at="2020-01-02T00:00:00Z")
# What the trust file says, the check that shows it, and how that check ends. Spec 5: a known key that signed
# where it may not is a failure; a key that is not known, of whatever origin, is not.
WRONG: dict[str, tuple[Changes, str, str]] = {
    "expired": (EXPIRED, "trust.current", "NOT_CHECKED"),
    "no log": (log(), "checkpoint.signature", "NOT_CHECKED"),
    "another log": (log(("log.example/other", None, 0, None)), "checkpoint.signature", "NOT_CHECKED"),
    "another log key": (log((ORIGIN, STRANGER, 0, None)), "checkpoint.signature", "NOT_CHECKED"),
    "log key for smaller trees": (log((ORIGIN, None, 0, SIZE - 1)), "checkpoint.signature", "FAIL"),
    "log key for larger trees": (log((ORIGIN, None, SIZE + 1, None)), "checkpoint.signature", "FAIL"),
    "no chain": (fixed(chains=()), "anchor.contract", "NOT_CHECKED"),
    "another chain id": (chain(chain_id=1), "anchor.contract", "NOT_CHECKED"),
    "another genesis": (chain(genesis_hash=bytes(32)), "anchor.contract", "NOT_CHECKED"),
    "another kind of chain": (chain(kind="ethereum"), "anchor.contract", "NOT_CHECKED"),
    "another contract": (chain(contract=bytes(20)), "anchor.contract", "NOT_CHECKED"),
    "another code": (chain(code_hash=bytes(32)), "anchor.storage", "FAIL"),
    "no log ids": (chain(log_ids=()), "anchor.contract", "NOT_CHECKED"),
    "another log id": (log_id(log_id=bytes(32)), "anchor.contract", "NOT_CHECKED"),
    "log id of another origin": (log_id(origin="log.example/other"), "anchor.contract", "NOT_CHECKED"),
    "log id for smaller trees": (log_id(last_size=SIZE - 1), "anchor.contract", "NOT_CHECKED"),
    "log id for larger trees": (log_id(first_size=SIZE + 1), "anchor.contract", "NOT_CHECKED"),
    "no pins": (chain(pins={}), "anchor.canonical", "NOT_CHECKED"),
    "no issuer": (fixed(issuers=()), "depositor.enrolment", "NOT_CHECKED"),
    "another issuer": (fixed(issuers=(NamedKey("issuer", STRANGER),)), "depositor.enrolment", "NOT_CHECKED"),
    "wants a token": (fixed(require=("token.valid",)), "token.valid", "NOT_PROVIDED"),
    "wants witnesses": (fixed(require=("witness.quorum",)), "witness.quorum", "NOT_PROVIDED"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_trust_file_never_makes_a_bundle_valid(scene: Scene, case: str) -> None:
    build, code, status = WRONG[case]
    trust = scene.world.trust(**build(scene))
    report = judge(scene.honest, trust)
    assert statuses(report, code) == [status]
    assert failed(report) == ({code} if status == "FAIL" else set())
    assert report.verdict is (Verdict.INVALID if status == "FAIL" else Verdict.UNDETERMINED)
    assert trust.sha256 in words(report)
    if code.startswith(("anchor", "checkpoint")):
        assert report.latest is None
        assert report.is_unchanged_since_anchored is False


@pytest.mark.parametrize(
    "changes",
    [
        log((ORIGIN, None, SIZE, SIZE)),
        log((ORIGIN, STRANGER, 0, None), (ORIGIN, None, 0, None)),
        log((ORIGIN, None, 0, 2), (ORIGIN, None, 3, None)),
        log_id(first_size=SIZE, last_size=SIZE),
    ],
    ids=["exact range", "two keys", "two ranges of one key", "exact range of the log id"],
)
def test_a_trust_file_that_covers_the_size_just_so(scene: Scene, changes: Changes) -> None:
    assert judge(scene.honest, scene.world.trust(**changes(scene))).verdict is Verdict.VALID


def test_no_trust_file_leaves_everything_undetermined(scene: Scene) -> None:
    report = judge(scene.honest, None)
    assert report.verdict is Verdict.UNDETERMINED
    assert failed(report) == set()
    assert report.latest is report.earliest is None
    assert report.is_unchanged_since_anchored is False
    assert statuses(report, "trust.current") == ["NOT_PROVIDED"]
    assert words(report).startswith("TRIAL")


def test_without_a_clock_nothing_says_that_the_trust_file_still_counts(scene: Scene) -> None:
    report = verify_bundle(pack(scene.honest), scene.trust, now=None)
    assert report.verdict is Verdict.UNDETERMINED
    assert report.missing == ("trust.current",)


@pytest.mark.parametrize(("offset", "verdict"), [(-1, Verdict.VALID), (0, Verdict.UNDETERMINED)])
def test_the_very_second_of_expiry(scene: Scene, offset: int, verdict: Verdict) -> None:
    """The scene's trust file expires a day after NOW."""
    report = verify_bundle(pack(scene.honest), scene.trust, now=NOW + 86_400 + offset)
    assert report.verdict is verdict


def test_a_pin_of_another_block_at_that_height_is_a_contradiction(scene: Scene) -> None:
    (known,) = scene.world.trust().chains
    pins = {**known.pins, scene.anchor_block: bytes(32)}
    report = judge(scene.honest, scene.world.trust(chains=(replace(known, pins=pins),)))
    assert failed(report) == {"anchor.canonical"}
    assert report.latest is None


def test_the_trust_file_of_the_other_notary(scene: Scene) -> None:
    """Same names everywhere, other keys: nothing of the bundle is known to it."""
    report = judge(scene.honest, scene.foreign.trust())
    assert report.verdict is not Verdict.VALID
    assert report.latest is None
    assert report.facts["depositor_is_enrolled"] is False


def test_an_unknown_chain_beside_a_known_one_counts_for_nothing(scene: Scene) -> None:
    """A log may be anchored on a chain that this court's file does not list: not known is not false."""
    world = scene.world
    size, anchor = scene.late_anchor
    unknown = anchor.replace(world.chain.profile.genesis_hash.hex().encode(), b"ab" * 32)
    assert unknown != anchor
    members = scene.honest | {
        f"heads/{size}.tlog-proof": world.proof(scene.first.index, size),
        "anchors/0002.json": unknown,
    }
    report = judge(members, scene.trust)
    assert report.verdict is Verdict.VALID
    assert statuses(report, "anchor.canonical") == ["PASS", "NOT_CHECKED"]
    assert report.latest == judge(scene.honest, scene.trust).latest
