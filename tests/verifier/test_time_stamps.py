"""Tokens in a bundle: a second way to a valid verdict, and what makes them count for nothing or fail."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from mizheng.verifier.report import Check, Report, Verdict
from mizheng.verifier.text import render
from mizheng.verifier.timestamp import der
from mizheng.verifier.trust import Trust
from mizheng.verifier.verify import verify_bundle
from mizheng.verifier.words import translator

from tests.support.opensslocsp import in_crls, in_values
from tests.support.opensslts import verify_with_openssl
from tests.support.tsa import DAY, YEAR, TestAuthority, make_authority
from tests.support.world import NOW, Company, World, failed, judge, pack, statuses

KEY_COMPROMISE = x509.ReasonFlags.key_compromise


@dataclass
class Stamped:
    """A bundle without an anchor, and a token over its one head."""

    world: World
    authority: TestAuthority
    members: dict[str, bytes]
    anchor: bytes
    size: int
    at: int
    """A minute after the block of the anchor."""

    @property
    def text(self) -> bytes:
        return self.world.checkpoint_note(self.size).partition(b"\n\n")[0] + b"\n"

    def trust(self, **changes: object) -> Trust:
        return self.world.trust(**{"tsas": (self.authority.trusted(),), **changes})  # type: ignore[arg-type]

    def stamp(
        self, at: float | None = None, *, by: TestAuthority | None = None, **options: object
    ) -> dict[str, bytes]:
        response = (by or self.authority).response(self.text, self.at if at is None else at, **options)
        return {**self.members, "timestamps/0001.tsr": response, "timestamps/0001.txt": self.text}

    def judge(self, members: dict[str, bytes] | None = None, trust: Trust | None = None) -> Report:
        return judge(self.stamp() if members is None else members, trust or self.trust())

    def anchored(self, members: dict[str, bytes]) -> dict[str, bytes]:
        return {**members, "anchors/0001.json": self.anchor}


@pytest.fixture(scope="module")
def stamped(tmp_path_factory: pytest.TempPathFactory) -> Stamped:
    world = World(tmp_path_factory.mktemp("world"))
    deposit = world.deposit(world.enrol(Company()))
    size, anchor = world.anchor()
    members = world.bundle(deposit, [(size, anchor)])
    del members["anchors/0001.json"]
    authority = make_authority(start=NOW - 2 * YEAR, end=NOW + YEAR, with_intermediate=True)
    return Stamped(world, authority, members, anchor, size, world.clock + 60)


def check(report: Report, code: str) -> Check:
    (found,) = [item for item in report.checks if item.code == code]
    return found


def test_valid_by_a_token_alone(stamped: Stamped) -> None:
    report = stamped.judge()
    assert report.verdict is Verdict.VALID, report.missing
    assert report.latest is not None
    assert report.latest.at == stamped.at + 1
    assert stamped.authority.name in report.latest.by.format(**report.latest.values)
    # Conclusion 1 is about the chain: a token alone does not give it.
    assert not report.is_unchanged_since_anchored
    assert statuses(report, "timestamp.revocation") == ["NOT_CHECKED"]


def test_the_same_token_passes_openssl(stamped: Stamped, tmp_path: Path) -> None:
    members = stamped.stamp()
    result = verify_with_openssl(
        members["timestamps/0001.tsr"],
        members["timestamps/0001.txt"],
        stamped.authority.root.pem,
        tmp_path,
        at=stamped.at,
        between=stamped.authority.between[0].pem,
    )
    assert result.returncode == 0, result.stderr


def test_nothing_without_token_and_anchor(stamped: Stamped) -> None:
    report = stamped.judge(stamped.members)
    assert (report.verdict, report.missing) == (Verdict.UNDETERMINED, ("anchor.canonical", "token.valid"))


def test_earliest_of_token_and_block(stamped: Stamped) -> None:
    """Both count, and the first one gives the time."""
    block = stamped.judge(stamped.anchored(stamped.members)).latest
    assert block is not None
    for at, first in ((stamped.at, block.at), (block.at - 30, block.at - 29)):
        report = stamped.judge(stamped.anchored(stamped.stamp(at)))
        assert report.verdict is Verdict.VALID
        assert report.latest is not None
        assert report.latest.at == first
        assert len(report.clocks) == 2
        assert check(report, "time.clocks").status == "PASS"


def test_clocks_far_apart_are_told(stamped: Stamped) -> None:
    report = stamped.judge(stamped.anchored(stamped.stamp(stamped.at + DAY)))
    assert report.verdict is Verdict.VALID
    assert check(report, "time.clocks").status == "NOT_CHECKED"
    assert "an hour apart" in check(report, "time.clocks").to_json()["message"]
    text = render(report, translator("zh_CN"))
    # Both times stand there, the later one as what it is.
    assert sum(stamped.authority.name in line for line in text.splitlines()) >= 2
    assert [clock["at"] for clock in report.to_json()["clocks"]] == sorted(
        clock["at"] for clock in report.to_json()["clocks"]
    )


def test_token_earlier_than_the_beacon(stamped: Stamped) -> None:
    report = stamped.judge(stamped.stamp(stamped.at - DAY))
    assert (report.verdict, failed(report)) == (Verdict.INVALID, {"time.order"})


def test_authority_that_the_trust_file_does_not_know(stamped: Stamped) -> None:
    members, trust = stamped.stamp(), stamped.trust(tsas=())
    report = stamped.judge(members, trust)
    assert (report.verdict, statuses(report, "token.valid")) == (Verdict.UNDETERMINED, ["NOT_CHECKED"])
    # Beside a canonical anchor it neither helps nor harms.
    assert stamped.judge(stamped.anchored(members), trust).verdict is Verdict.VALID


def test_without_a_trust_file(stamped: Stamped) -> None:
    report = judge(stamped.stamp(), None)
    assert report.verdict is Verdict.UNDETERMINED
    assert statuses(report, "timestamp.token") == ["PASS"]
    assert statuses(report, "timestamp.authority") == ["NOT_CHECKED"]


@pytest.mark.parametrize(
    "change",
    [{"policies": ("1.2.3",)}, {"last_time": NOW - 2 * YEAR}, {"certificates": frozenset({"ab" * 32})}],
)
def test_authority_that_is_believed_otherwise_only(stamped: Stamped, change: dict[str, object]) -> None:
    report = stamped.judge(None, stamped.trust(tsas=(stamped.authority.trusted(**change),)))
    assert statuses(report, "timestamp.authority") == ["NOT_CHECKED"]
    assert report.verdict is Verdict.UNDETERMINED


def test_trust_file_may_require_that_revocation_was_looked_at(stamped: Stamped) -> None:
    trust = stamped.trust(require=("timestamp.revocation",))
    assert stamped.judge(None, trust).verdict is Verdict.UNDETERMINED
    authority = stamped.authority
    lists = (authority.crl(stamped.at), authority.crl(stamped.at, by=authority.root))
    assert stamped.judge(stamped.stamp(crls=lists), trust).verdict is Verdict.VALID


def test_revoked(stamped: Stamped) -> None:
    serial = stamped.authority.signer.certificate.serial_number
    lists = (stamped.authority.crl(stamped.at + DAY, {serial: (stamped.at + 9, KEY_COMPROMISE)}),)
    report = stamped.judge(stamped.stamp(crls=lists))
    assert (report.verdict, failed(report)) == (Verdict.INVALID, {"timestamp.revocation"})


@pytest.mark.parametrize("place", ["crls", "values"])
def test_ocsp_answers_count_as_lists_do(stamped: Stamped, place: str) -> None:
    authority = stamped.authority
    trust = stamped.trust(require=("timestamp.revocation",))
    upper = authority.crl(stamped.at, by=authority.root)

    def stamp(answer: bytes) -> dict[str, bytes]:
        if place == "crls":
            return stamped.stamp(crls=(upper, in_crls(answer)))
        return stamped.stamp(unsigned=(in_values(answer, lists=(upper,)),))

    good = stamped.judge(stamp(authority.ocsp(stamped.at)), trust)
    assert good.verdict is Verdict.VALID
    assert check(good, "timestamp.revocation").status == "PASS"
    revoked = stamped.judge(stamp(authority.ocsp(stamped.at + DAY, (stamped.at + 9, KEY_COMPROMISE))))
    assert (revoked.verdict, failed(revoked)) == (Verdict.INVALID, {"timestamp.revocation"})
    old = stamped.judge(stamp(authority.ocsp(stamped.at - 8 * DAY)), trust)
    assert (old.verdict, check(old, "timestamp.revocation").status) == (Verdict.UNDETERMINED, "NOT_CHECKED")


def _sm_certificate(folder: Path) -> bytes:
    """A certificate with an SM2 key, signed with SM2 and SM3, DER."""
    command = "openssl req -x509 -newkey sm2 -nodes -keyout key -sm3 -subj /CN=SM2 -outform DER"
    subprocess.run(
        [*command.split(), "-out", "certificate"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return (folder / "certificate").read_bytes()


@pytest.mark.parametrize("what", ["SM2 certificate", "SM3 imprint", "SM3 signature"])
def test_sm_tokens_are_not_checked_and_say_so(stamped: Stamped, tmp_path: Path, what: str) -> None:
    """Neither passed nor failed; and as what they say is not known, the verdict is open, anchor or not."""
    if what == "SM2 certificate":
        certificate = _sm_certificate(tmp_path)
        assert der.encode_oid("1.2.156.10197.1.301") in certificate
        members = stamped.stamp(certificates=(certificate,), binding=sha256(certificate).digest())
    else:
        members = stamped.stamp(**{"imprint_hash" if what == "SM3 imprint" else "digest": "sm3"})
    report = stamped.judge(stamped.anchored(members))
    found = check(report, "timestamp.token")
    assert (found.status, check(report, "token.valid").status) == ("NOT_CHECKED", "NOT_CHECKED")
    assert "SM2 or SM3" in found.to_json()["message"]
    assert report.verdict is Verdict.UNDETERMINED
    assert len(report.clocks) == 1
    assert "SM2" in render(report, translator("zh_CN"))


def test_certificate_has_ended_and_nothing_renewed_the_token(stamped: Stamped) -> None:
    """Its key may be anybody's by now: what it signed since looks like what it signed in time."""
    ended = make_authority(start=NOW - 2 * YEAR, end=NOW - 1)
    trust = stamped.trust(tsas=(ended.trusted(),))
    members = stamped.stamp(by=ended)
    report = stamped.judge(members, trust)
    assert (report.verdict, statuses(report, "timestamp.current")) == (Verdict.UNDETERMINED, ["NOT_CHECKED"])
    assert report.latest is None
    assert stamped.judge(stamped.anchored(members), trust).verdict is Verdict.VALID


def test_hash_that_is_retired(stamped: Stamped) -> None:
    trust = stamped.trust(retired_hashes={"sha256": NOW - 1})
    report = stamped.judge(None, trust)
    assert (report.verdict, statuses(report, "timestamp.current")) == (Verdict.UNDETERMINED, ["NOT_CHECKED"])
    assert stamped.judge(None, stamped.trust(retired_hashes={"sha256": NOW + 1})).verdict is Verdict.VALID


def test_without_a_present_time(stamped: Stamped) -> None:
    report = verify_bundle(pack(stamped.stamp()), stamped.trust())
    assert (report.verdict, statuses(report, "timestamp.current")) == (Verdict.UNDETERMINED, ["NOT_CHECKED"])


def broken(stamped: Stamped) -> list[tuple[str, dict[str, bytes], set[str]]]:
    good = stamped.stamp()
    response, text = good["timestamps/0001.tsr"], good["timestamps/0001.txt"]
    other_head = replace_size(stamped)
    return [
        ("no text", without(good, "timestamps/0001.txt"), {"timestamp.imprint"}),
        ("no token", without(good, "timestamps/0001.tsr"), {"timestamp.token"}),
        ("cut off", {**good, "timestamps/0001.tsr": response[:-1]}, {"timestamp.token"}),
        ("empty", {**good, "timestamps/0001.tsr": b""}, {"timestamp.token"}),
        ("text with a line more", {**good, "timestamps/0001.txt": text + b"x\n"}, {"timestamp.imprint"}),
        (
            "the signed note instead of its text",
            over(stamped, stamped.world.checkpoint_note(stamped.size)),
            {"timestamp.imprint"},
        ),
        ("another head of the same log", over(stamped, other_head), {"timestamp.imprint"}),
        ("another root at this size", over(stamped, other_root(text)), {"timestamp.imprint"}),
        ("wrong imprint", stamped.stamp(imprint=b"\1" * 32), {"timestamp.imprint"}),
        ("another token's text", {**good, "timestamps/0001.txt": other_head}, {"timestamp.imprint"}),
        ("certificate of another name", stamped.stamp(binding=b"\1" * 32), {"timestamp.token"}),
        ("before its certificate", stamped.stamp(NOW - 3 * YEAR), {"timestamp.token"}),
    ]


def without(members: dict[str, bytes], name: str) -> dict[str, bytes]:
    return {key: value for key, value in members.items() if key != name}


def over(stamped: Stamped, text: bytes) -> dict[str, bytes]:
    response = stamped.authority.response(text, stamped.at)
    return {**stamped.members, "timestamps/0001.tsr": response, "timestamps/0001.txt": text}


def replace_size(stamped: Stamped) -> bytes:
    return stamped.world.checkpoint_note(stamped.size - 1).partition(b"\n\n")[0] + b"\n"


def other_root(text: bytes) -> bytes:
    lines = text.split(b"\n")
    lines[2] = b"A" * 43 + b"="
    return b"\n".join(lines)


def test_broken_tokens_fail(stamped: Stamped) -> None:
    for name, members, codes in broken(stamped):
        report = stamped.judge(members)
        assert failed(report) == codes, name
        # And no anchor makes up for it.
        assert stamped.judge(stamped.anchored(members)).verdict is Verdict.INVALID, name
        assert report.latest is None, name


def test_one_of_two_tokens_is_enough(stamped: Stamped) -> None:
    unknown = make_authority("unbekannt", start=NOW - 2 * YEAR, end=NOW + YEAR, number=9)
    members = stamped.stamp(by=unknown)
    good = stamped.stamp()
    members |= {f"timestamps/0002.{end}": good[f"timestamps/0001.{end}"] for end in ("tsr", "txt")}
    report = stamped.judge(members)
    assert statuses(report, "token.valid") == ["NOT_CHECKED", "PASS"]
    assert report.verdict is Verdict.VALID


def test_untrusted_log_key(stamped: Stamped) -> None:
    """The token dates whatever it is over: that it is the log's head, the log's key says."""
    trust = stamped.trust()
    report = stamped.judge(None, replace(trust, logs=(replace(trust.logs[0], last_size=0),)))
    assert "timestamp.imprint" not in failed(report)
    assert statuses(report, "token.valid") == ["NOT_CHECKED"]
