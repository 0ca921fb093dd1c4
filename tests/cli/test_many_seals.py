"""Several seals in one command: one request for all, each answered, checked and kept for itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.sealfile.state import State

from tests.cli.liar import Liar
from tests.cli.runner import Mizheng
from tests.support.notary import NotaryServer

NAMES = ("a.seal", "b.seal", "c.seal")
BATCH = "/v1/deposits:batch"


@pytest.fixture
def sealed(own_company: Mizheng) -> Mizheng:
    """Three seals that no notary has heard of."""
    for name in NAMES:
        (own_company.cwd / f"{name}.txt").write_text(f"the secret of {name}", "utf-8")
        own_company("seal", f"{name}.txt", "-o", name).ok()
    return own_company


def kept(sealed: Mizheng, name: str) -> State:
    with Seal(Path(sealed.cwd) / name) as seal:
        return seal.state


def test_one_request_for_all(sealed: Mizheng, notary: NotaryServer) -> None:
    with Liar(notary.url, lambda _path, answer: answer) as honest:
        found = sealed("notarize", *NAMES, "--notary", honest.url, "--json").ok().json["deposits"]
        assert [path for path, _body in honest.requests if "deposits" in path] == [BATCH]
        again = sealed("notarize", *NAMES, NAMES[0], "--notary", honest.url, "--json").ok().json["deposits"]
        assert len(honest.requests) == 2, "the beacon and the batch; the second time nothing is sent"
    assert [item["seal"] for item in found] == list(NAMES)
    assert [item["new"] for item in found] == [True] * 3
    assert again == [{**item, "new": False} for item in found]
    for item in found:
        answer = kept(sealed, item["seal"]).deposit.answer
        assert answer["leaf_index"] == item["leaf_index"]
        assert kept(sealed, item["seal"]).deposit.id == item["id"]
    shown = sealed("notarize", *NAMES).ok().out
    assert "3 of 3 seals are deposited" in shown


@pytest.mark.parametrize(("status", "problem"), [(404, "not-found"), (405, "method-not-allowed")])
def test_an_older_notary_takes_one_at_a_time(
    sealed: Mizheng, notary: NotaryServer, status: int, problem: str
) -> None:
    body = json.dumps({"type": f"urn:mizheng:problem:{problem}", "title": problem}).encode()
    with Liar(notary.url, lambda path, answer: (status, body) if path == BATCH else answer) as liar:
        sealed("notarize", *NAMES, "--notary", liar.url).ok()
    assert [path for path, _body in liar.requests if "deposits" in path] == [BATCH, *["/v1/deposits"] * 3]
    assert all(kept(sealed, name).deposit.answer for name in NAMES)


def test_cut_off_and_run_again(sealed: Mizheng, notary: NotaryServer) -> None:
    """The same envelopes are sent again: they are the same deposits."""
    with Liar(notary.url, lambda path, answer: None if path == BATCH else answer) as liar:
        assert sealed("notarize", *NAMES, "--notary", liar.url).code == 69
    assert all(kept(sealed, name).deposit.answer is None for name in NAMES)
    with Liar(notary.url, lambda _path, answer: answer) as honest:
        found = sealed("notarize", *NAMES, "--notary", honest.url, "--json").ok().json["deposits"]
    sent = [body for path, body in (*liar.requests, *honest.requests) if path == BATCH]
    assert len(sent) == 2
    assert sent[0] == sent[1]
    assert len({item["leaf_index"] for item in found}) == 3


def test_each_stands_or_fails_for_itself(sealed: Mizheng, notary: NotaryServer) -> None:
    """One refused, one answered for with another's proof, one damaged here: the fourth is deposited."""
    (sealed.cwd / "d.txt").write_text("one more", "utf-8")
    sealed("seal", "d.txt", "-o", "d.seal").ok()
    damaged = sealed.cwd / "c.seal"
    data = bytearray(damaged.read_bytes())
    data[len(data) // 3] ^= 1
    damaged.write_bytes(data)

    def alter(path: str, answer: dict[str, Any]) -> dict[str, Any]:
        if path != BATCH:
            return answer
        refused = {
            "type": "urn:mizheng:problem:key-not-enrolled",
            "title": "the signing key is not enrolled {for} this organisation",
            "status": 422,
        }
        _first, second, third = answer["items"]
        return {"items": [refused, {**second, "tlog_proof": third["tlog_proof"]}, third]}

    with Liar(notary.url, alter) as liar:
        result = sealed("notarize", *NAMES, "d.seal", "--notary", liar.url, "--json")
    assert [item.get("exit_code", 0) for item in result.json["deposits"]] == [76, 70, 65, 0]
    assert result.code == 76
    assert "a.seal:" in result.err
    assert "{for}" in result.err
    assert [kept(sealed, name).deposit.answer is None for name in ("a.seal", "b.seal", "d.seal")] == [
        True,
        True,
        False,
    ]


def test_answers_that_are_none(sealed: Mizheng, notary: NotaryServer) -> None:
    lies = [{"items": []}, {"items": [1, 2, 3]}, {"items": [{"status": 201}] * 3}, {}, []]
    for lie in lies:
        altered: Any = (200, json.dumps(lie).encode())
        with Liar(
            notary.url, lambda path, answer, altered=altered: altered if path == BATCH else answer
        ) as liar:
            result = sealed("notarize", *NAMES, "--notary", liar.url)
        assert result.code == 70, (lie, result)
        assert all(kept(sealed, name).deposit.answer is None for name in NAMES)


def test_signed_at_an_earlier_run_and_refused_now(sealed: Mizheng, notary: NotaryServer) -> None:
    """An envelope of a key that was replaced since is signed anew; one that was signed just now is not."""
    revoked = {"type": "urn:mizheng:problem:key-revoked", "title": "the key is revoked", "status": 422}
    with Liar(notary.url, lambda path, answer: None if path == BATCH else answer) as liar:
        assert sealed("notarize", "a.seal", "b.seal", "--notary", liar.url).code == 69
    old = kept(sealed, "a.seal").deposit.id
    with Liar(
        notary.url,
        lambda path, answer: {"items": [revoked, answer["items"][1], revoked]} if path == BATCH else answer,
    ) as liar:
        result = sealed("notarize", *NAMES, "--notary", liar.url, "--json")
    found = result.json["deposits"]
    assert result.code == 76
    assert [item.get("exit_code", 0) for item in found] == [0, 0, 76]
    assert found[0]["id"] != old
    assert [path for path, _body in liar.requests if "deposits" in path] == [BATCH, "/v1/deposits"]


def test_seals_and_files_are_not_mixed(sealed: Mizheng) -> None:
    assert sealed("notarize", "a.seal", "a.seal.txt").code == 64
    assert sealed("notarize", "a.seal", "b.seal", "-o", "x.seal").code == 64
