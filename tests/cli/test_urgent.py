"""`mizheng notarize --urgent`, what an anchor cost, and what a held-up chain is called."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mizheng.notary.errors import Problem

from tests.cli.liar import Liar
from tests.cli.runner import Mizheng
from tests.support.notary import NotaryServer


@pytest.fixture
def sealed(company: Mizheng) -> Mizheng:
    (company.cwd / "a").write_bytes(b"a")
    company("seal", "a").ok()
    return company


def test_asked_for_at_once(sealed: Mizheng) -> None:
    found = sealed("notarize", "a.seal", "--urgent", "--json").ok().json["urgent"]
    assert found["state"] in ("requested", "under-way")
    assert 0 <= found["remaining"] <= found["per_day"]
    result = sealed("notarize", "a.seal", "--urgent").ok()
    assert "anchored at once; this may be asked" in result.out


def test_refused_with_the_deposit_kept(sealed: Mizheng, notary: NotaryServer) -> None:
    problem = Problem("urgent-limit", "the limit is 5 in 24 hours")

    def refuse(path: str, answer: dict[str, Any]) -> dict[str, Any] | tuple[int, bytes]:
        return (429, json.dumps(problem.as_json()).encode()) if path.endswith("/urgent") else answer

    with Liar(notary.url, refuse) as strict:
        result = sealed("notarize", "a.seal", "--urgent", "--notary", strict.url)
        assert result.code != 0
        assert "as often as it may in 24 hours" in result.err
        assert "the deposit is safe" in result.err
        count = len(strict.requests)
        assert sealed("notarize", "a.seal", "--notary", strict.url, "--json").ok().json["new"] is False
    # Without the word nothing is asked for.
    assert not [path for path, _ in strict.requests[count:] if path.endswith("/urgent")]


def test_cost_and_warnings_are_shown(sealed: Mizheng, notary: NotaryServer) -> None:
    sealed("notarize", "a.seal").ok()
    sealed("status", "a.seal", "--wait", "--timeout", "60").ok()
    result = sealed("status", "a.seal").ok()
    assert "it cost the notary 0." in result.out
    assert " ETH (gas " in result.out

    def poor(path: str, answer: dict[str, Any]) -> dict[str, Any]:
        if "chains" not in answer:
            return answer
        chain = {**answer["chains"][0], "warnings": ["balance-low"], "waiting_for": "cap-reached"}
        held = {"state": "deposited", "waiting_for": "cap-reached", "anchors": []}
        return {**answer, **held, "chains": [chain]}

    with Liar(notary.url, poor) as liar:
        shown = sealed("status", "a.seal", "--notary", liar.url).ok().out
    assert "waits for the chain to become cheaper" in shown
    assert "soon waits for the notary's account on the chain to be filled up" in shown
