"""Whatever is changed in a sound bundle: no exception, nothing proven that was not, and both agree."""

from __future__ import annotations

from functools import cache

from mizheng.cli.checking.selftest import summary
from mizheng.verifier.canonical import parse_instant
from mizheng.verifier.report import Report, Verdict
from mizheng.verifier.trust import Trust, parse_trust
from mizheng.verifier.verify import verify_bundle

from tests.support import vectors
from tests.support.mutations import BASES, Mutation, contents, mutations
from tests.support.webverifier import shared


@cache
def circumstances(base: str) -> tuple[Trust, int]:
    vector = vectors.read(base)
    assert vector.trust is not None
    return parse_trust(vector.trust), parse_instant(vector.now)


@cache
def honest(base: str) -> Report:
    return judge(base, vectors.read(base).bundle)


@cache
def genuine() -> frozenset[bytes]:
    """Every member of every bundle that is changed."""
    return frozenset(data for base in BASES for data in contents(vectors.read(base).bundle).values())


def judge(base: str, data: bytes) -> Report:
    trust, now = circumstances(base)
    return verify_bundle(data, trust, now=now)


def test_what_is_changed_is_valid() -> None:
    assert {honest(base).verdict for base in BASES} == {Verdict.VALID}


def test_no_change_proves_anything_new_to_either() -> None:
    seen = set()
    for mutation in mutations():
        report = judge(mutation.base, mutation.data)
        vector = vectors.read(mutation.base)
        second = shared().verify(mutation.data, vector.trust, now=vector.now)
        assert summary(second) == summary(report.to_json()), str(mutation)
        seen.add(report.verdict)
        if report.verdict is Verdict.VALID:
            assert_nothing_new(mutation, report)
    assert seen == set(Verdict)


def assert_nothing_new(mutation: Mutation, report: Report) -> None:
    """Only what nobody's word covers changed: the form of the ZIP, or evidence that is now not counted."""
    before, after = contents(vectors.read(mutation.base).bundle), contents(mutation.data)
    # An observer's word that he gave elsewhere is his word here, too: it may count.
    changed = {name for name in after if before.get(name) != after[name] and after[name] not in genuine()}
    # An entry in the tree of a checkpoint that nobody signed proves nothing, and is not said to.
    unsigned = passing(report, "log.inclusion") - passing(report, "checkpoint.signature")
    counted = {check.subject for check in report.checks if check.status == "PASS"} - unsigned
    proven = honest(mutation.base)
    # Lists and answers about revocation are signed by themselves; one that is broken says nothing any more.
    counted -= passing(proven, "timestamp.revocation") - passing(report, "timestamp.revocation")
    assert not changed & counted, (str(mutation), changed & counted)
    assert report.latest is not None
    assert proven.latest is not None
    assert report.latest.at >= proven.latest.at, str(mutation)
    assert report.earliest is None or report.earliest == proven.earliest, str(mutation)


def passing(report: Report, code: str) -> set[str]:
    return {check.subject for check in report.checks if check.code == code and check.status == "PASS"}
