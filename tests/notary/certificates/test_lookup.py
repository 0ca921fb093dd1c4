"""Who sees what of a certificate, over HTTP."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile

import httpx
import pytest
from mizheng.notary.certificates.kept import VISIBILITIES
from mizheng.verifier.certificate_number import make_number, show_grouped
from sqlalchemy import Engine

from tests.notary.depositor import TestDepositor, problem_of, register
from tests.support.certificates import Issued
from tests.support.notary import NotaryServer

CODE = "Mizheng-Code"


def ways(issued: Issued) -> list[str]:
    """Every public address of a certificate."""
    base = f"/v1/certificates/{issued.number}"
    return [base, f"{base}/certificate.pdf", f"{base}/proof.zip"]


def digests(issued: Issued) -> dict[str, str]:
    statement = json.loads(base64.b64decode(json.loads(issued.envelope)["payload"]))
    return {
        "envelope": issued.id,
        "commitment": statement["commitment"],
        "pdf": hashlib.sha256(issued.pdf).hexdigest(),
    }


def test_masked_is_what_a_number_alone_shows(issued: Issued, anybody: httpx.Client) -> None:
    view, pdf, proof = (anybody.get(way) for way in ways(issued))
    assert view.status_code == 200
    found = view.json()
    assert found["masked"] is True
    name = issued.depositor.org.name
    assert found["holder"] == name[0] + "＊＊＊"
    # Nothing else of the depositor or of the deposit, in whatever field.
    for secret in (name, issued.depositor.org.id, issued.id, *digests(issued).values(), issued.code):
        assert secret not in view.text
    assert problem_of(pdf) == problem_of(proof) == "certificate-masked"


def test_with_the_code_it_is_whole(issued: Issued, anybody: httpx.Client) -> None:
    for visibility in VISIBILITIES:
        issued.show(visibility)
        view, pdf, proof = (anybody.get(way, headers={CODE: issued.code}) for way in ways(issued))
        assert view.json()["facts"]["holder"] == issued.depositor.org.name
        assert pdf.content == issued.pdf
        assert view.json()["pdf_sha256"] == hashlib.sha256(pdf.content).hexdigest()
        with zipfile.ZipFile(io.BytesIO(proof.content)) as archive:
            assert archive.read("statement.dsse.json") == issued.envelope
            assert not [name for name in archive.namelist() if name.startswith(("records", "originals"))]
    assert issued.code not in view.text


def test_published_is_whole_for_everybody_until_it_is_withdrawn(
    issued: Issued, anybody: httpx.Client
) -> None:
    issued.show("published")
    answers = [anybody.get(way) for way in ways(issued)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert all(answer.headers["cache-control"] == "no-store" for answer in answers)
    issued.show("masked")
    assert [anybody.get(way).status_code for way in ways(issued)] == [200, 403, 403]


def test_withheld_and_unknown_are_the_same_bytes(issued: Issued, anybody: httpx.Client) -> None:
    issued.show("withheld")
    never = show_grouped(make_number())
    for way in ways(issued):
        for headers in ({}, {CODE: "0000-0000-0000"}):
            withheld = anybody.get(way, headers=headers)
            unknown = anybody.get(way.replace(issued.number, never), headers=headers)
            assert problem_of(withheld) == "certificate-unknown"
            assert (withheld.status_code, withheld.content) == (unknown.status_code, unknown.content)
            names = {"date", "content-length"}
            assert {k: v for k, v in withheld.headers.items() if k not in names} == {
                k: v for k, v in unknown.headers.items() if k not in names
            }


@pytest.mark.parametrize("kind", ["envelope", "commitment", "pdf"])
def test_a_digest_alone_opens_only_what_is_published(
    issued: Issued, anybody: httpx.Client, kind: str
) -> None:
    way = "/v1/certificates?digest=" + digests(issued)[kind]
    never = anybody.get("/v1/certificates?digest=" + "ab" * 32)
    for visibility in ("masked", "withheld"):
        issued.show(visibility)
        answer = anybody.get(way)
        assert (answer.status_code, answer.content) == (never.status_code, never.content)
    assert anybody.get(way, headers={CODE: issued.code}).json()["number"] == issued.number
    issued.show("published")
    assert anybody.get(way).json()["number"] == issued.number


def test_a_transaction_leads_to_its_anchor_and_nowhere_else(issued: Issued, anybody: httpx.Client) -> None:
    issued.show("published")
    anchor = issued.depositor.status(issued.id)["anchors"][0]
    answer = anybody.get(f"/v1/anchors/0x{anchor['transaction_hash'].upper()}")
    assert answer.json()["block_number"] == anchor["block_number"]
    for found in (issued.number, issued.id, issued.depositor.org.name):
        assert found not in answer.text
    assert problem_of(anybody.get("/v1/anchors/" + issued.id)) == "transaction-unknown"


def test_another_ones_deposit_is_unknown(
    issued: Issued, server: NotaryServer, database: Engine, anybody: httpx.Client
) -> None:
    stranger = register(server, database).client
    for method, path in (("POST", ""), ("GET", ""), ("GET", ".pdf"), ("PUT", "/visibility")):
        way = f"/v1/deposits/{issued.id}/certificate{path}"
        body = {"visibility": "published"} if method == "PUT" else None
        assert problem_of(stranger.request(method, way, json=body)) == "deposit-unknown"
        assert problem_of(anybody.request(method, way, json=body)) == "api-key-missing"


def test_what_is_mistyped_is_said(anybody: httpx.Client, issued: Issued) -> None:
    number = issued.number
    wrong = ("2" if number[0] != "2" else "3") + number[1:]
    assert problem_of(anybody.get(f"/v1/certificates/{wrong}")) == "certificate-number-wrong"
    answer = anybody.get(f"/v1/certificates/{number}", headers={CODE: "123"})
    assert problem_of(answer) == "certificate-code-wrong"
    assert problem_of(anybody.get("/v1/certificates?digest=xyz")) == "digest-wrong"


def test_before_it_is_issued(depositor: TestDepositor) -> None:
    _, deposit = depositor.deposit()
    path = f"/v1/deposits/{deposit['id']}/certificate"
    state = depositor.client.get(path).json()
    assert (state["state"], state["number"], state["visibility"]) == ("none", None, None)
    assert problem_of(depositor.client.get(path + ".pdf")) == "certificate-not-issued"
    answer = depositor.client.put(path + "/visibility", json={"visibility": "published"})
    assert problem_of(answer) == "certificate-not-issued"
