"""One question for whatever stands on the paper: a court's own system, without an API key."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx
import pytest
from mizheng.verifier.checkpoint import parse_tlog_proof
from mizheng.verifier.entry import entry_leaf

from tests.notary.depositor import TestDepositor, problem_of
from tests.support.certificates import Issued


def look(anybody: httpx.Client, q: str, code: str | None = None) -> httpx.Response:
    return anybody.get("/v1/lookup", params={"q": q}, headers={"mizheng-code": code} if code else {})


def found(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    value: dict[str, Any] = answer.json()
    return value


def test_by_its_number_a_certificate_is_masked(anybody: httpx.Client, issued: Issued) -> None:
    answer = found(look(anybody, issued.number))
    assert answer["asked"] == "number" and answer["certificate"]["masked"]
    assert answer["retrieval"] is answer["entry"] is answer["anchor"] is None
    assert issued.depositor.org.name not in str(answer)


def test_with_its_code_the_files_can_be_fetched(anybody: httpx.Client, issued: Issued) -> None:
    answer = found(look(anybody, issued.number, issued.code))
    pdf = anybody.get(answer["retrieval"]["pdf"], headers={"mizheng-code": issued.code})
    assert hashlib.sha256(pdf.content).hexdigest() == answer["certificate"]["pdf_sha256"]
    proof = anybody.get(answer["retrieval"]["proof"], headers={"mizheng-code": issued.code})
    assert proof.headers["content-type"] == "application/zip"


def test_an_envelopes_digest_leads_to_its_entry_and_no_further(anybody: httpx.Client, issued: Issued) -> None:
    answer = found(look(anybody, issued.id))
    assert answer["certificate"] is None
    assert answer["entry"]["state"] == "final"
    proof = parse_tlog_proof(answer["entry"]["tlog_proof"].encode())
    assert proof.index == answer["entry"]["leaf_index"]
    proof.verify(entry_leaf(issued.envelope))


@pytest.mark.parametrize("what", ["pdf", "commitment"])
def test_other_digests_open_what_is_published(anybody: httpx.Client, issued: Issued, what: str) -> None:
    whole = found(look(anybody, issued.number, issued.code))["certificate"]
    digest = whole["pdf_sha256"] if what == "pdf" else whole["facts"]["commitment"]
    assert problem_of(look(anybody, digest)) == "lookup-unknown"
    issued.show("published")
    assert found(look(anybody, digest.upper()))["certificate"] == whole


def test_a_transaction_leads_to_its_anchor(anybody: httpx.Client, issued: Issued) -> None:
    (anchor,) = issued.depositor.status(issued.id)["anchors"]
    answer = found(look(anybody, "0x" + anchor["transaction_hash"]))
    assert answer["anchor"]["block_hash"] == anchor["block_hash"]
    assert answer["certificate"] is answer["entry"] is None


def test_withheld_and_unknown_are_the_same_bytes(anybody: httpx.Client, issued: Issued) -> None:
    issued.show("withheld")
    unknown = issued.depositor.client.get("/v1/lookup", params={"q": "0" * 64})
    withheld = look(anybody, issued.number)
    assert problem_of(withheld) == "lookup-unknown"
    assert withheld.content == unknown.content


def test_what_is_not_anchored_yet_is_found_once_it_is_published(
    anybody: httpx.Client, depositor: TestDepositor
) -> None:
    envelope, made = depositor.deposit()
    entry = found(look(anybody, made["id"]))["entry"]
    assert entry["leaf_index"] == made["leaf_index"]
    assert entry["envelope_sha256"] == hashlib.sha256(envelope).hexdigest()


@pytest.mark.parametrize("q", ["", "x", "4K7M", "f" * 63, "g" * 64, "图纸.dwg", "' OR 1=1 --", "\r\nx: y"])
def test_what_is_neither_number_nor_digest(anybody: httpx.Client, q: str) -> None:
    assert problem_of(look(anybody, q)) == "lookup-unreadable"
