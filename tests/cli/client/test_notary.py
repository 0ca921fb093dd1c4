"""The typed client against a running notary: what it gives is what the API says, to the end of each list."""

from __future__ import annotations

import pytest
from mizheng.cli.client import Notary
from mizheng.cli.errors import PermissionFault, RefusedFault, UsageFault

from tests.notary.depositor import TestDepositor


def test_a_list_is_given_to_its_end(depositor: TestDepositor) -> None:
    """Two pages of the largest size, and one deposit more."""
    for _ in range(3):
        batch = b"".join(depositor.envelope() + b"\n" for _ in range(134))
        assert depositor.client.post("/v1/deposits:batch", content=batch).status_code == 200
    with Notary(depositor.url, depositor.api_key) as notary:
        entries = list(notary.deposits())
        assert len({entry.id for entry in entries}) == 402
        assert [entry.leaf_index for entry in entries] == sorted(entry.leaf_index for entry in entries)
        assert [entry.id for entry in notary.deposits(after=entries[-2].leaf_index)] == [entries[-1].id]
        assert list(notary.events()) == list(notary.certificates()) == []


def test_a_deposit_on_its_way(depositor: TestDepositor) -> None:
    with Notary(depositor.url, depositor.api_key) as notary:
        receipt = notary.deposit(depositor.envelope())
        depositor.wait_until("final", receipt.id)
        assert notary.state(receipt.id) == "final"
        assert [entry.id for entry in notary.deposits(state="final")] == [receipt.id]
        assert notary.evidence(receipt.id)["leaf_index"] == receipt.leaf_index
    # Anybody may look its envelope's digest up.
    with Notary(depositor.url) as anybody:
        found = anybody.look_up(receipt.id)
        assert found.entry is not None and found.entry["leaf_index"] == receipt.leaf_index
        assert found.certificate is found.anchor is found.pdf is None


def test_webhooks_come_and_go(depositor: TestDepositor) -> None:
    with Notary(depositor.url, depositor.api_key) as notary:
        hook, secret = notary.add_webhook("http://127.0.0.1:9/hook", ["deposit.final"])
        assert secret.startswith("whsec_") and secret not in repr(hook)
        assert notary.webhooks() == [hook]
        notary.remove_webhook(hook.id)
        assert notary.webhooks() == []


def test_what_goes_wrong_has_a_message_and_a_hint(depositor: TestDepositor) -> None:
    with Notary(depositor.url, "mzk_" + "x" * 43) as stranger, pytest.raises(PermissionFault) as caught:
        list(stranger.deposits())
    assert caught.value.hint
    with Notary(depositor.url) as anybody, pytest.raises(RefusedFault) as unknown:
        anybody.look_up("0" * 64)
    assert unknown.value.problem == "lookup-unknown"


@pytest.mark.parametrize("path", ["http://127.0.0.1:9/v1/x", "//127.0.0.1:9/v1/x", "v1/x", ""])
def test_a_path_of_the_notarys_leads_nowhere_else(path: str) -> None:
    """What it answers is not believed to be a path: with it would go the code and the API key."""
    with Notary("http://127.0.0.1:9", "mzk_" + "x" * 43) as notary, pytest.raises(UsageFault):
        notary.fetch(path, "K7PW-3H9X-TZ4M")
