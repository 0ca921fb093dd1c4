"""The commands that a report gives for each check, run as they stand with stock tools."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from mizheng.verifier.canonical import parse_instant
from mizheng.verifier.checkpoint import parse_tlog_proof
from mizheng.verifier.codes import CODES
from mizheng.verifier.paper.repeat import PREPARATION, repeat_command
from mizheng.verifier.report import Check, Report, Status
from mizheng.verifier.timestamp.x509 import load_certificate
from mizheng.verifier.trust import parse_trust
from mizheng.verifier.verify import verify_bundle

from tests.support import vectors
from tests.support.world import unpack
from tests.tools.layout import ROOT

EXAMPLES = ROOT / "docs" / "spec" / "examples"
GOOD = "Signature Verified Successfully"
# Code to what its command prints on the example: values that the check compared, and facts of the report,
# by their keys in braces.
EXPECTED = {
    "trust.current": ["{sha256}"],
    "bundle.structure": ["No errors detected"],
    "bundle.form": ["stor 80-Jan-01 00:00 README.txt"],
    "bundle.signature": [GOOD],
    "bundle.members": ["README.txt: OK", "originals/0002: OK", "statement.dsse.json: OK"],
    "envelope.signature": [GOOD],
    "record.inclusion": ["{commitment}\n{commitment}"],
    "record.content": ['"kind":"environment"'],
    "original.match": ["{sha256}", "{sm3}"],
    "log.entry": ["{leaf_hash}"],
    "log.inclusion": ["{root}\n{root}"],
    "checkpoint.signature": [f"{GOOD}\n1"],
    "timestamp.token": ["Time stamp: Nov 23 02:03:10 2026 GMT"],
    "timestamp.imprint": ["{imprint}"],
    "timestamp.authority": ["Verification: OK"],
    "token.valid": ["Verification: OK"],
    "anchor.checkpoint": ["{root}"],
    "observation.signature": [GOOD, '"number":{number}', 'name = "{observer}"'],
    "depositor.enrolment": [GOOD, '"method":"{method}"', 'name = "{issuer}"'],
    "depositor.key-status": [GOOD, '"as_of_size":{size}'],
    "platform.facts": [GOOD, '"operator":"{operator}"', 'name = "issuer"'],
    "disclosure.entry": [GOOD, '"recipient":"{recipient}"', "{document}\n{document}", "{logged}\n{logged}"],
    "custody.chain": ['{first}\n"previous":null', '"previous":"{first}"'],
    # One of the first event, two of the hand-over.
    "custody.signatures": [f'"why":"示例"}}\n{GOOD}\n{GOOD}'],
    "custody.log": ["{first}\n{first}\n" + GOOD, "{second}\n{second}\n" + GOOD],
    "custody.custodians": ['name = "示例市中级人民法院"'],
}
# Asked of a node of the reader's choice, or said of members that the example has not.
NEED_MORE = {
    *("anchor.header", "anchor.receipt", "anchor.event", "anchor.storage", "anchor.contract"),
    *("anchor.canonical", "beacon.block", "beacon.canonical", "certificate.signature", "exhibits.list"),
    *("supplement.link", "page.digest", "witness.quorum", "depositor.x509"),
}


def digest_of(name: str) -> str:
    return hashlib.sha256((EXAMPLES / "bundle" / name).read_bytes()).hexdigest()


LOGGED = parse_tlog_proof((EXAMPLES / "bundle" / "disclosure.tlog-proof").read_bytes())
DIGESTS = {
    "document": digest_of("disclosure.dsse.json"),
    "logged": LOGGED.checkpoint.root.hex(),
    "first": digest_of("custody/0001.dsse.json"),
    "second": digest_of("custody/0002.dsse.json"),
}


@pytest.fixture(scope="module")
def report() -> Report:
    trust = parse_trust((EXAMPLES / "trust.toml").read_bytes())
    return verify_bundle(EXAMPLES / "bundle.zip", trust, now=1_795_485_722)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the bundle is unpacked, as a report asks for."""
    above = tmp_path_factory.mktemp("repeat")
    for name in ("bundle.zip", "trust.toml"):
        shutil.copy(EXAMPLES / name, above)
    (above / "unpacked").mkdir()
    shutil.unpack_archive(above / "bundle.zip", above / "unpacked")
    return above / "unpacked"


def run(command: str, folder: Path) -> str:
    script = f"set -o pipefail\n{PREPARATION}\n{command}"
    result = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    return result.stdout + result.stderr


def wanted(code: str, report: Report) -> list[str]:
    """What the command of this code has to print."""
    root = find(report, "log.inclusion").values["root"]
    values = {"root": root, **report.facts, **find(report, code).values, **DIGESTS}
    return [re.sub(r"\{(\w+)\}", lambda found: str(values[found[1]]), text) for text in EXPECTED[code]]


def find(report: Report, code: str) -> Check:
    return next(check for check in report.checks if check.code == code)


@pytest.mark.parametrize("code", EXPECTED)
def test_command_prints_what_was_compared(code: str, report: Report, folder: Path) -> None:
    check = find(report, code)
    assert check.status is Status.PASS
    printed = run(repeat_command(check, report.checks), folder)
    assert not [value for value in wanted(code, report) if value not in printed], printed


def test_no_command_is_left_untried() -> None:
    has_command = {code for code in CODES if repeat_command(Check(code, Status.FAIL, "x", "", {}), [])}
    assert has_command == {*EXPECTED, *NEED_MORE}


CHANGED = {
    "statement.dsse.json": "envelope.signature",
    "records/0001.json": "record.inclusion",
    "heads/6.tlog-proof": "log.inclusion",
    "disclosure.dsse.json": "disclosure.entry",
    "disclosure.tlog-proof": "disclosure.entry",
    "custody/0001.dsse.json": "custody.log",
    "custody/0002.dsse.json": "custody.signatures",
}


@pytest.mark.parametrize("member", CHANGED)
def test_a_changed_member_is_noticed(member: str, report: Report, folder: Path, tmp_path: Path) -> None:
    """The commands are no rubber stamp: one digit changed, and they print something else."""
    copy = shutil.copytree(folder, tmp_path / "copy" / "unpacked")
    shutil.copy(EXAMPLES / "trust.toml", copy.parent)
    code = CHANGED[member]
    data = (copy / member).read_text("utf-8")
    if member.endswith("tlog-proof"):
        lines = data.split("\n")
        lines[2] = ("A" if lines[2][0] != "A" else "B") + lines[2][1:]
        changed = "\n".join(lines)
    else:
        key = "hashes" if "records" in member else "sig"
        changed = re.sub(rf'("{key}":\[?"..)(.)', lambda m: m[1] + ("a" if m[2] != "a" else "b"), data)
    assert changed != data
    (copy / member).write_text(changed, "utf-8")
    printed = run(repeat_command(find(report, code), report.checks), copy)
    assert not all(value in printed for value in wanted(code, report))


def test_the_link_of_a_supplement(tmp_path: Path) -> None:
    vector = vectors.read("supplement/sound")
    for name, data in unpack(vector.bundle).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    assert vector.trust is not None
    report = verify_bundle(vector.bundle, parse_trust(vector.trust), now=parse_instant(vector.now))
    check = find(report, "supplement.link")
    printed = run(repeat_command(check, report.checks), tmp_path)
    assert printed.count(str(check.values["envelope_sha256"])) == 2
    assert GOOD in printed
    assert printed.endswith(f"index {check.values['index']}\n")


def test_the_cosignatures_of_witnesses(tmp_path: Path) -> None:
    """Of two witnesses of three; one byte of the text they signed, and neither is good."""
    vector = vectors.read("sound/witnesses")
    assert vector.trust is not None
    report = verify_bundle(vector.bundle, parse_trust(vector.trust), now=parse_instant(vector.now))
    check = find(report, "witness.quorum")
    folder, head = tmp_path / "unpacked", unpack(vector.bundle)[check.subject]
    (folder / "heads").mkdir(parents=True)
    (tmp_path / "trust.toml").write_bytes(vector.trust)
    for data, good in ((head, 2), (head.replace(b"+R63", b"+R64"), 0)):
        (folder / check.subject).write_bytes(data)
        printed = run(repeat_command(check, report.checks), folder)
        assert printed.count(GOOD) == good, printed
    assert printed.startswith("W0\n")
    assert "\nW2\n" in printed
    assert printed.endswith("group two 2 W0 W1 W2\nquorum two\n")


@pytest.mark.parametrize(("name", "is_whole"), [("sound", True), ("without-chain", False)])
def test_the_chain_of_an_x509_certificate(tmp_path: Path, name: str, is_whole: bool) -> None:
    """The key is the one that signed, the chain leads to the root, and both lists are signed and empty."""
    vector = vectors.read(f"x509/{name}")
    assert vector.trust is not None
    report = verify_bundle(vector.bundle, parse_trust(vector.trust), now=parse_instant(vector.now))
    check = find(report, "depositor.x509")
    (tmp_path / "trust.toml").write_bytes(vector.trust)
    for member, data in unpack(vector.bundle).items():
        (tmp_path / "unpacked" / member).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "unpacked" / member).write_bytes(data)
    printed = run(repeat_command(check, report.checks), tmp_path / "unpacked")
    assert "O=武汉示例科技有限公司" in printed.replace("O = ", "O=")
    assert str(find(report, "envelope.signature").values["keyid"]) in printed
    assert ("chain.pem: OK" in printed) is is_whole, printed
    assert printed.count("verify OK") == (2 if is_whole else 1), printed


def test_the_chain_is_checked_by_the_trusted_ca_alone(tmp_path: Path) -> None:
    """No root of another table or of the bundle itself counts; nor a list that none of the chain signed."""
    vector = vectors.read("x509/sound")
    assert vector.trust is not None
    report = verify_bundle(vector.bundle, parse_trust(vector.trust), now=parse_instant(vector.now))
    command = repeat_command(find(report, "depositor.x509"), report.checks)
    folder = tmp_path / "unpacked"
    for member, data in unpack(vector.bundle).items():
        (folder / member).parent.mkdir(parents=True, exist_ok=True)
        (folder / member).write_bytes(data)
    # Under time stamps only.
    (tmp_path / "trust.toml").write_bytes(vector.trust.replace(b"[[cas]]", b"[[tsas]]"))
    printed = run(command, folder)
    assert "chain.pem: OK" not in printed
    assert "verify OK" not in printed
    # A CA that came in the bundle and calls itself as the trusted one does, with its list.
    (tmp_path / "trust.toml").write_bytes(vector.trust)
    key = ec.generate_private_key(ec.SECP256R1())
    true = load_certificate((folder / "x509/0002.der").read_bytes()).parsed
    fake = (
        x509.CertificateBuilder()
        .subject_name(true.subject)
        .issuer_name(true.subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(true.not_valid_before_utc)
        .not_valid_after(true.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    forged = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(true.subject)
        .last_update(true.not_valid_before_utc)
        .next_update(true.not_valid_after_utc)
        .sign(key, hashes.SHA256())
    )
    for member, made in (("0004", forged), ("0005", fake)):
        (folder / f"x509/{member}.der").write_bytes(made.public_bytes(serialization.Encoding.DER))
    printed = run(command, folder)
    assert "chain.pem: OK" in printed
    # Of the three lists the root's alone is left that one of the chain signed.
    assert printed.count("verify OK") == 1, printed


def test_the_enclosed_page(tmp_path: Path) -> None:
    (tmp_path / "unpacked").mkdir()
    (tmp_path / "unpacked" / "verify.html").write_bytes(b"page")
    sha256 = hashlib.sha256(b"page").hexdigest()
    command = repeat_command(Check("page.digest", Status.PASS, "verify.html", "", {}), [])
    for trust, count in ((f'sha256 = "{sha256}"', 2), ("none", 1)):
        (tmp_path / "trust.toml").write_text(trust)
        assert run(command, tmp_path / "unpacked").count(sha256) == count


@pytest.mark.parametrize(
    "code", ["disclosure.entry", "custody.signatures", "custody.log", "custody.custodians"]
)
def test_no_member_of_a_bundle_is_run(code: str, report: Report, folder: Path, tmp_path: Path) -> None:
    """What stands in a member is data to these commands, whatever bash or sed could make of it."""
    copy = shutil.copytree(folder, tmp_path / "copy" / "unpacked")
    shutil.copy(EXAMPLES / "trust.toml", copy.parent)
    evil = "a[$(touch ../run)]#e;touch ../run;`touch ../run`"
    payload = base64.b64encode(json.dumps({"public_key": evil}).encode()).decode()
    document = {"payload": payload, "payloadType": evil, "signatures": [{"keyid": evil, "sig": evil}]}
    for path in (*copy.glob("custody/*.json"), *copy.glob("disclosure*.json")):
        path.write_text(json.dumps(document, separators=(",", ":")))
    for path in (*copy.glob("custody/*-proof"), *copy.glob("*-proof")):
        path.write_text(path.read_text().replace("index ", f"index {evil}").replace("\n7\n", f"\n{evil}\n"))
    run(repeat_command(find(report, code), report.checks), copy)
    assert {path.name for path in copy.parent.iterdir()} <= {"unpacked", "trust.toml", "one.json"}


def test_a_name_with_quotes_stays_one_word(report: Report, tmp_path: Path) -> None:
    name = "it's $(touch x) `touch y`"
    (tmp_path / name).write_bytes(b"data")
    check = Check("original.match", Status.PASS, name, "", {})
    assert run(repeat_command(check, report.checks), tmp_path).count(name) == 2
    assert [path.name for path in tmp_path.iterdir()] == [name]
