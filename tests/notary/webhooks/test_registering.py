"""Registering a webhook: what the notary does for one company holds up no other one."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
import pytest
from mizheng.notary.app import create_app
from mizheng.notary.companies.organisations import add_organisation
from mizheng.notary.errors import Problem
from mizheng.notary.instance import Instance
from mizheng.notary.service import Service
from mizheng.notary.webhooks import addresses

from tests.support.appclient import AppClient
from tests.support.notary import make_uscc


def test_a_name_whose_servers_are_silent_holds_one_thread(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who registers it a hundred times at once is told to wait, and nobody else is."""
    keys = [
        add_organisation(instance.engine, f"第{number}公司", "CN-USCC", make_uscc(number))[1].secret
        for number in (1, 2)
    ]
    service = Service(instance)
    client = AppClient(create_app(service), "https://notary.example")

    def register(key: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"}
        return client.post("/v1/webhooks", json={"url": "https://plm.example.com/"}, headers=headers)

    inner: list[int] = []

    def resolve(_host: str, _port: int) -> Sequence[str]:
        if not inner:
            inner.append(0)
            # The first one's look-up is under way.
            with pytest.raises(Problem) as refused, service.webhooks.looking_up(1):
                pass
            assert refused.value.code == "quota-minute"
            with service.webhooks.looking_up(2):
                pass
        return ["1.1.1.1"]

    monkeypatch.setattr(addresses, "_resolve", resolve)
    assert register(keys[0]).status_code == 201
    assert inner == [0]
    with service.webhooks.looking_up(1):
        assert register(keys[0]).status_code == 429
        assert register(keys[1]).status_code == 201
    assert register(keys[0]).status_code == 201
