"""A company hashes its deposit anew, and a bundle of it outlives SHA-256; what is due is listed before."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from mizheng.verifier.report import Report, Verdict
from mizheng.verifier.timestamp.authority import Authority
from mizheng.verifier.trust import Trust, dump_trust, parse_trust
from mizheng.verifier.verify import verify_bundle

from tests.cli.runner import Mizheng
from tests.support.notary import NotaryServer
from tests.support.opensslts import OpensslAuthority
from tests.support.tsa import DAY
from tests.support.world import statuses
from tests.system.test_time_stamps import ready, wait_for

SECRET = "配方.txt"


@pytest.fixture(scope="module")
def authority() -> Iterator[OpensslAuthority]:
    """The notary's: its certificate ends in a hundred days."""
    with OpensslAuthority("for the log", days=100) as running:
        yield running


@pytest.fixture(scope="module")
def later() -> Iterator[OpensslAuthority]:
    """The company's: it rests on SHA-512 alone."""
    with OpensslAuthority("for the company", digest="sha512") as running:
        yield running


@pytest.fixture(scope="module")
def notary(authority: OpensslAuthority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotaryServer]:
    folder = tmp_path_factory.mktemp("notary")
    (folder / "notary.toml").write_text(authority.settings())
    with NotaryServer(folder) as server:
        yield server


@pytest.fixture(scope="module")
def company(notary: NotaryServer, tmp_path_factory: pytest.TempPathFactory) -> Mizheng:
    """With a.seal of two files, final and stamped."""
    folder = tmp_path_factory.mktemp("company")
    (folder / "work" / "files").mkdir(parents=True)
    mizheng = Mizheng(folder / "home", folder / "work")
    _org, api_key = notary.add_org()
    mizheng("init", "--notary", notary.url, "--store", "file", stdin=api_key).ok()
    (mizheng.cwd / "files" / SECRET).write_bytes(b"the recipe")
    (mizheng.cwd / "files" / "closed.txt").write_bytes(b"another one")
    mizheng("notarize", "files", "-o", "a.seal").ok()
    mizheng("status", "a.seal", "--wait", "--timeout", "90").ok()
    # The deposit is the third entry, after the issuer's enrolment of the key.
    wait_for(lambda: bool(mizheng("expiring", "a.seal", "--json").json["evidence"]))
    assert ready(notary)["timestamps.local"]["state"] == "ok"
    return mizheng


@pytest.fixture(scope="module")
def trust(notary: NotaryServer, company: Mizheng, later: OpensslAuthority) -> Path:
    """Of now, with the company's authority beside the notary's, and SHA-256 retired in ninety days."""
    path = notary.export_trust(company.cwd / "trust.toml")
    found = parse_trust(path.read_bytes())
    more: Authority = later.authority.trusted()
    path.write_bytes(
        dump_trust(
            replace(found, tsas=(*found.tsas, more), retired_hashes={"sha256": int(time.time()) + 90 * DAY})
        )
    )
    return path


def judge(company: Mizheng, trust: Path, days: int) -> Report:
    believed: Trust = parse_trust(trust.read_bytes())
    return verify_bundle(company.cwd / "a.zip", believed, now=int(time.time()) + days * DAY)


def bundle(company: Mizheng) -> None:
    company(
        "bundle", "a.seal", "--open", f"files/{SECRET}", "--with-originals", "-o", "a.zip", "--force"
    ).ok()


def test_expiring_says_what_is_due(company: Mizheng, trust: Path) -> None:
    found = company("expiring", "a.seal", "--trust", trust, "--json")
    assert found.code == 1
    assert {(row["needs"], row["who"]) for row in found.json["evidence"]} == {
        ("time-stamp-renewal", "the notary"),
        ("hash-tree-renewal", "the company"),
    }
    assert company("expiring", "a.seal", "--within", "80", "--trust", trust).code == 0
    text = company("expiring", "a.seal", "--trust", trust, MIZHENG_LANG="zh_CN").out
    assert "全部重新取摘要" in text
    # Without a trust file the certificates inside say when they end.
    assert company("expiring", "a.seal", "--within", "120").code == 1
    assert company("expiring", "a.seal", "--within", "80", "--offline").code == 0


def test_expiring_of_a_bundle(company: Mizheng, trust: Path, tmp_path: Path) -> None:
    bundle(company)
    assert company("expiring", "a.zip", "--trust", trust).code == 1
    assert company("expiring", "a.zip", "--within", "0", "--trust", trust).code == 0
    (tmp_path / "x.zip").write_bytes(b"no zip")
    assert company("expiring", tmp_path / "x.zip").code == 65
    assert company("expiring", tmp_path / "none.zip").code == 66


def test_nothing_to_stamp_again_before_the_first(
    company: Mizheng, trust: Path, later: OpensslAuthority
) -> None:
    result = company("renew", "a.seal", "--tsa", later.url, "--trust", trust)
    assert result.code == 75
    assert "--hash sha512" in result.err


def test_authority_that_the_trust_file_does_not_name(company: Mizheng, trust: Path, tmp_path: Path) -> None:
    with OpensslAuthority("stranger") as stranger:
        result = company("renew", "a.seal", "--hash", "sha512", "--tsa", stranger.url, "--trust", trust)
    assert result.code == 65
    assert not (company.cwd / "a.renewal").exists()


def test_original_that_has_changed(company: Mizheng, trust: Path, later: OpensslAuthority) -> None:
    path = company.cwd / "files" / SECRET
    kept = path.read_bytes()
    path.write_bytes(b"the Recipe")
    result = company("renew", "a.seal", "--hash", "sha512", "--tsa", later.url, "--trust", trust)
    path.write_bytes(kept)
    assert result.code == 65
    assert not (company.cwd / "a.renewal").exists()


def test_hashed_anew_and_shown(company: Mizheng, trust: Path, later: OpensslAuthority) -> None:
    """In order: before, after, and once more; with clocks handed in."""
    bundle(company)
    assert judge(company, trust, 89).verdict is Verdict.VALID
    assert statuses(judge(company, trust, 91), "hash.current") == ["NOT_CHECKED"]
    assert judge(company, trust, 91).verdict is Verdict.UNDETERMINED

    done = (
        company("renew", "a.seal", "--hash", "sha512", "--tsa", later.url, "--trust", trust, "--json")
        .ok()
        .json
    )
    assert done["hash"] == "sha512"
    assert len(later.requests) == 1
    path = company.cwd / "a.renewal"
    assert path.stat().st_mode & 0o777 == 0o600
    bundle(company)
    report = judge(company, trust, 91)
    assert report.verdict is Verdict.VALID, report.missing
    assert statuses(report, "hash.current") == ["PASS"]
    # Nothing of a closed file is in it: neither its record's hash nor its original's.
    assert (company.cwd / "a.zip").read_bytes().find(b"closed.txt") == -1

    again = company("renew", "a.seal", "--tsa", later.url, "--trust", trust, "--json").ok().json
    assert again["hash"] == "sha512"
    bundle(company)
    report = judge(company, trust, 200)
    assert report.verdict is Verdict.VALID, report.missing
    assert any("renewed 2 times" in check.to_json()["message"] for check in report.checks)
    listed = company("expiring", "a.seal", "--trust", trust, "--json").json["evidence"]
    assert {row["who"] for row in listed if row["needs"] == "time-stamp-renewal"} == {"the company"}
    assert not any(row["needs"] == "hash-tree-renewal" for row in listed)


def test_hashed_anew_twice(company: Mizheng, trust: Path, later: OpensslAuthority) -> None:
    """Under a third hash, over everything that was before."""
    # The authority takes no SHA-3: nothing is changed, and the file still opens.
    assert company("renew", "a.seal", "--hash", "sha3_512", "--tsa", later.url, "--trust", trust).code == 65
    company("renew", "a.seal", "--hash", "sha384", "--tsa", later.url, "--trust", trust).ok()
    bundle(company)
    report = judge(company, trust, 200)
    assert report.verdict is Verdict.VALID, report.missing
    assert any("renewed 3 times" in check.to_json()["message"] for check in report.checks)


def test_renewal_file_of_another_seal(company: Mizheng, trust: Path, later: OpensslAuthority) -> None:
    path = company.cwd / "a.renewal"
    kept = path.read_bytes()
    path.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    result = company("renew", "a.seal", "--tsa", later.url, "--trust", trust)
    path.write_bytes(kept)
    assert result.code == 65
