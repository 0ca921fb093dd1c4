"""A CA's certificate of the signing key: asked for, issued by `openssl ca`, put into a bundle, checked."""

from __future__ import annotations

import subprocess
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest
from mizheng.cli.keys.request import make_request
from mizheng.verifier.signature import PrivateKey

from tests.cli.runner import Mizheng
from tests.support.notary import NotaryServer

_CONFIGURATION = """\
[ca]
default_ca = here
[here]
dir = {folder}
new_certs_dir = {folder}
database = {folder}/index.txt
serial = {folder}/serial
crlnumber = {folder}/crlnumber
certificate = {folder}/ca.pem
private_key = {folder}/ca.key
default_md = sha256
default_days = 3650
default_crl_days = 7
policy = any
unique_subject = no
x509_extensions = company
[any]
organizationName = supplied
commonName = supplied
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[company]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature,nonRepudiation
"""


class OpensslCa:
    """A root that certifies keys and revokes certificates, with nothing but openssl."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        (folder / "ca.cnf").write_text(_CONFIGURATION.format(folder=folder))
        (folder / "index.txt").write_text("")
        for name in ("serial", "crlnumber"):
            (folder / name).write_text("1000\n")
        asked = folder / "ca.csr"
        self._run(
            *("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-keyout", str(folder / "ca.key"), "-out", str(asked), "-subj", "/O=Example CA/CN=Example CA"),
        )
        self._certify(asked, folder / "ca.pem", "-selfsign", "-extensions", "authority")

    def certify(self, request: Path) -> Path:
        target = self.folder / "company.pem"
        self._certify(request, target)
        return target

    def revoke(self, certificate: Path, reason: str) -> None:
        self._ca("-revoke", str(certificate), "-crl_reason", reason)

    def list_revoked(self) -> Path:
        target = self.folder / "ca.crl"
        self._ca("-gencrl", "-out", str(target))
        return target

    @property
    def table(self) -> str:
        """As a reader writes it into a trust file."""
        der = self._run("x509", "-in", str(self.folder / "ca.pem"), "-outform", "DER")
        return f'\n[[cas]]\nname = "示例证书机构"\nroots = ["{b64encode(der).decode()}"]\n'

    def _certify(self, request: Path, target: Path, *more: str) -> None:
        """From long before the deposit on, which has to lie within it."""
        start = ("-startdate", "20200101000000Z")
        self._ca("-batch", "-notext", "-in", str(request), "-out", str(target), *start, *more)

    def _ca(self, *words: str) -> None:
        # Names in UTF-8, as the request has them.
        self._run("ca", "-config", str(self.folder / "ca.cnf"), "-utf8", *words)

    def _run(self, *words: str) -> bytes:
        return subprocess.run(["openssl", *words], check=True, capture_output=True).stdout


@pytest.fixture
def ca(tmp_path: Path) -> OpensslCa:
    return OpensslCa(tmp_path / "ca")


@pytest.fixture
def request_file(final: Mizheng) -> Path:
    final("key", "request", "-o", "company.csr").ok()
    return final.cwd / "company.csr"


def check(company: Mizheng, notary: NotaryServer, ca: OpensslCa, *files: Path) -> dict[str, Any]:
    """What `depositor.x509` says of a bundle with these files, by a trust file that names the CA."""
    enclosed = [word for file in files for word in ("--x509", str(file))]
    company("bundle", "drawings.seal", "--open", "drawings/*", *enclosed, "-o", "b.zip", "--force").ok()
    trust = notary.export_trust(company.cwd / "trust.toml")
    head, mark, tail = trust.read_text("utf-8").partition("\n[require]")
    trust.write_text(head + ca.table + mark + tail, "utf-8")
    report = company("verify", "b.zip", "--trust", str(trust), "--json").json
    (found,) = [found for found in report["checks"] if found["code"] == "depositor.x509"]
    return {**found, "verdict": report["verdict"]}


def test_the_request_is_one_that_openssl_takes(final: Mizheng, request_file: Path) -> None:
    asked = ["openssl", "req", "-in", request_file, "-noout", "-verify", "-subject", "-nameopt", "utf8"]
    told = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert "verify OK" in told.stderr + told.stdout
    key = subprocess.run([*asked[:5], "-pubkey"], capture_output=True, check=True).stdout
    entry = final("key", "show", "--json").ok().json[0]
    assert b64decode(b"".join(key.splitlines()[1:-1])) == b64decode(entry["public_key"])
    again = final("key", "request", "-o", "company.csr")
    assert (again.code, "--force" in again.err) == (73, True)


def test_from_the_request_to_the_verdict(
    final: Mizheng, notary: NotaryServer, ca: OpensslCa, request_file: Path
) -> None:
    certificate = ca.certify(request_file)
    found = check(final, notary, ca, ca.list_revoked(), certificate)
    assert (found["status"], found["verdict"]) == ("PASS", "valid"), found
    assert found["values"]["ca"] == "示例证书机构"


def test_without_a_list_it_stays_open(
    final: Mizheng, notary: NotaryServer, ca: OpensslCa, request_file: Path
) -> None:
    found = check(final, notary, ca, ca.certify(request_file))
    assert (found["status"], found["verdict"]) == ("NOT_CHECKED", "valid")
    assert "revoked" in found["message"]


def test_a_key_that_was_stolen(
    final: Mizheng, notary: NotaryServer, ca: OpensslCa, request_file: Path
) -> None:
    certificate = ca.certify(request_file)
    ca.revoke(certificate, "keyCompromise")
    found = check(final, notary, ca, certificate, ca.list_revoked())
    assert (found["status"], found["verdict"]) == ("FAIL", "invalid")


@pytest.mark.parametrize("length", [1, 21, 22, 64, 65, 400])
def test_names_of_any_length(tmp_path: Path, length: int) -> None:
    """The library counts bytes where the standard counts characters, of which there is room for 64."""
    path = tmp_path / "company.csr"
    path.write_bytes(make_request(PrivateKey.generate(), "密" * length))
    asked = [
        "openssl",
        "req",
        "-in",
        path,
        "-noout",
        "-verify",
        "-subject",
        "-nameopt",
        "utf8,sep_comma_plus",
    ]
    told = subprocess.run(asked, capture_output=True, text=True, check=True)
    organization = next(
        part for part in told.stdout.strip().replace("subject=", "").split(",") if part.startswith("O")
    )
    assert organization.count("密") == min(length, 64)


def test_a_certificate_in_another_name(final: Mizheng, ca: OpensslCa, tmp_path: Path) -> None:
    """It would make the bundle invalid for everybody who believes that authority."""
    entry = final("key", "show", "--json").ok().json[0]
    (pem,) = (final.home / "keys").glob(f"{entry['keyid']}.pem")
    other = tmp_path / "other.csr"
    other.write_bytes(make_request(PrivateKey.from_pem(pem.read_bytes()), "another company"))
    done = final(
        "bundle", "drawings.seal", "--open", "drawings/*", "--x509", str(ca.certify(other)), "-o", "b.zip"
    )
    assert done.code == 66, done.err
    assert "does not have the depositor's name" in done.err
    assert not (final.cwd / "b.zip").exists()


@pytest.mark.parametrize("kind", ["another key", "no certificate", "not there", "a list alone"])
def test_files_that_are_not_it(final: Mizheng, ca: OpensslCa, request_file: Path, kind: str) -> None:
    other = ca.folder / "ca.pem"
    files = {
        "another key": [other],
        "no certificate": [ca.certify(request_file), request_file],
        "not there": [ca.folder / "missing.pem"],
        "a list alone": [ca.list_revoked()],
    }[kind]
    enclosed = [word for file in files for word in ("--x509", str(file))]
    done = final("bundle", "drawings.seal", "--open", "drawings/*", *enclosed, "-o", "b.zip")
    assert done.code == 66 or done.code == 65, done.err
    assert done.err.startswith("error: "), done.err
    assert not (final.cwd / "b.zip").exists()
