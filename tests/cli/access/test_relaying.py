"""Requests by way of the notary: fetched, decided, and shown to whoever lodged them."""

from __future__ import annotations

from mizheng.cli.client import Notary
from mizheng.cli.config import load_config
from mizheng.verifier.access import parse_access

from tests.cli.access.people import EXPERT, approve, ask, deposit_id, look, stranger
from tests.cli.runner import Mizheng
from tests.support.lawful import MATTER


def test_a_request_comes_and_its_decisions_go_by_the_notary(final: Mizheng) -> None:
    expert = stranger(final, "expert")
    request = ask(expert, deposit_id(final))
    assert final("access", "fetch", "drawings.seal", "--json").ok().json["requests"] == []
    # As an appraiser's page or a court's system does it, with the company's own key for once.
    api_key = (final.home / "api-key").read_text().strip()
    address = load_config(final.home).notary
    with Notary(address, api_key) as client:
        lodged = client.lodge_request(request.read_bytes())
        assert (lodged.state, lodged.matter, lodged.name) == ("open", MATTER, EXPERT)
        assert client.lodge_request(request.read_bytes()) == lodged
    (found,) = final("access", "fetch", "drawings.seal", "--json").ok().json["requests"]
    assert (found["name"], found["matter"]) == (EXPERT, MATTER)
    assert final("access", "fetch", "drawings.seal", "--json").ok().json["requests"] == []
    approve(final, "1", expert).ok()
    look(final).ok()
    assert final("access", "publish", "drawings.seal", "1", "--json").ok().json == {"shown": 3}
    final("access", "withdraw", "drawings.seal", "1", "--reason", "已撤诉").ok()
    assert final("access", "publish", "drawings.seal", "1", "--json").ok().json == {"shown": 4}
    with Notary(address, api_key) as client:
        told, shown = client.request(found["sha256"])
        assert (told.state, told.sha256) == ("withdrawn", lodged.sha256)
        assert told in list(client.requests())
    kinds = [parse_access(data).document.KIND for data in shown]
    assert kinds == ["access-approval", "access", "access-withdrawal"]
