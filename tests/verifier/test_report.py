"""From checks to a verdict: only what passed counts, and nothing that failed is outvoted."""

from __future__ import annotations

import json
from itertools import product

import pytest
from mizheng.verifier.codes import CODES, NEEDED, NEEDED_ONE_OF
from mizheng.verifier.errors import FormatError, ProofError, VersionError
from mizheng.verifier.report import Check, Findings, ProvenTime, Report, Status, Verdict, compute_verdict


def findings(*passed: str) -> Findings:
    found = Findings()
    for code in passed:
        found.passed(code)
    return found


ENOUGH = (*NEEDED, "anchor.canonical")


def test_a_verdict_has_an_exit_code() -> None:
    assert [verdict.exit_code for verdict in Verdict] == [0, 1, 2]


def test_all_that_is_needed_makes_it_valid() -> None:
    assert compute_verdict(findings(*ENOUGH), ()) == (Verdict.VALID, ())
    assert compute_verdict(findings(*NEEDED, "token.valid"), ()) == (Verdict.VALID, ())


@pytest.mark.parametrize("code", NEEDED)
@pytest.mark.parametrize("status", [None, Status.NOT_CHECKED, Status.NOT_PROVIDED])
def test_anything_needed_that_did_not_pass_leaves_it_open(code: str, status: Status | None) -> None:
    found = findings(*(other for other in ENOUGH if other != code))
    if status:
        found.add(code, status)
    assert compute_verdict(found, ()) == (Verdict.UNDETERMINED, (code,))


def test_without_any_time_it_stays_open() -> None:
    assert compute_verdict(findings(*NEEDED), ()) == (Verdict.UNDETERMINED, NEEDED_ONE_OF)


@pytest.mark.parametrize("code", CODES)
def test_one_failure_of_anything_is_enough(code: str) -> None:
    found = findings(*ENOUGH, code)
    found.failed(code, "", ProofError("broken"))
    assert compute_verdict(found, ())[0] is Verdict.INVALID


def test_what_the_trust_file_asks_for_is_needed_too() -> None:
    assert compute_verdict(findings(*ENOUGH), ("witness.quorum",)) == (
        Verdict.UNDETERMINED,
        ("witness.quorum",),
    )
    assert compute_verdict(findings(*ENOUGH, "witness.quorum"), ("witness.quorum",))[0] is Verdict.VALID
    assert compute_verdict(findings(*ENOUGH), ("no.such-check",))[1] == ("no.such-check",)


def test_a_later_version_leaves_it_open_and_does_not_fail() -> None:
    found = findings(*ENOUGH)
    found.failed("observation.signature", "x", VersionError("later"))
    assert found.checks[-1].status is Status.NOT_CHECKED
    assert compute_verdict(found, ())[0] is Verdict.UNDETERMINED


def test_a_failure_outweighs_a_later_version() -> None:
    found = findings(*ENOUGH)
    found.failed("observation.signature", "x", VersionError("later"))
    found.failed("beacon.block", "x", FormatError("broken"))
    assert compute_verdict(found, ())[0] is Verdict.INVALID


def test_all_statuses_of_all_needed_codes_together() -> None:
    """Every combination for three of them: valid only when all pass, invalid whenever one fails."""
    codes = NEEDED[:3]
    rest = [code for code in ENOUGH if code not in codes]
    for combination in product(Status, repeat=3):
        found = findings(*rest)
        for code, status in zip(codes, combination, strict=True):
            found.add(code, status)
        verdict, _ = compute_verdict(found, ())
        if Status.FAIL in combination:
            assert verdict is Verdict.INVALID
        else:
            assert (verdict is Verdict.VALID) == (set(combination) == {Status.PASS})


def test_a_code_that_is_not_in_the_list_cannot_be_reported() -> None:
    with pytest.raises(ValueError):
        Findings().passed("made.up")


def test_an_attempt_reports_what_it_raises_and_nothing_else() -> None:
    found = Findings()
    assert found.attempt("log.entry", "x", lambda: 7) == 7
    assert found.checks == []

    def broken() -> int:
        raise ProofError("no {what}", what="luck")

    assert found.attempt("log.entry", "x", broken) is None
    assert found.checks == [Check("log.entry", Status.FAIL, "x", "no {what}", {"what": "luck"})]

    def fault() -> int:
        raise KeyError("a fault of ours is no finding")

    with pytest.raises(KeyError):
        found.attempt("log.entry", "x", fault)


def test_the_report_is_json_with_stable_keys() -> None:
    check = Check("log.entry", Status.PASS, "x", "entry {index}", {"index": 3, "path": b"x", "flag": True})
    time = ProvenTime(0, "block {number}", {"number": 7})
    report = Report((check,), Verdict.VALID, (), True, None, time, True, (), {"trust_sha256": None})
    value = json.loads(json.dumps(report.to_json()))
    assert value["checks"] == [
        {
            "code": "log.entry",
            "status": "PASS",
            "subject": "x",
            "message": "entry 3",
            "values": {"index": 3, "path": "b'x'", "flag": True},
        }
    ]
    assert value["latest"] == {"at": "1970-01-01T00:00:00Z", "by": "block 7"}
    assert (value["type"], value["trial"], value["verdict"]) == ("mizheng/report/v1", True, "valid")


def test_codes_once_published_keep_their_place() -> None:
    """An append-only list: whoever reads reports by machine relies on them."""
    first = ["trust.current", "bundle.structure", "bundle.form", "bundle.signature", "bundle.members"]
    assert list(CODES)[:5] == first
    assert set(NEEDED) | set(NEEDED_ONE_OF) <= set(CODES)
