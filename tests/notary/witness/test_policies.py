"""Which witnesses a notary asks: what its settings say, and what trust files get of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from mizheng.notary.cosigning.keeper import WitnessKeeper
from mizheng.notary.cosigning.witnesses import STATES, load_witnesses
from mizheng.notary.database import reading
from mizheng.notary.errors import ConfigurationError
from mizheng.notary.instance import Instance
from mizheng.notary.log.head import load_head
from mizheng.notary.publishing.head import (
    find_published,
    load_published,
)
from mizheng.verifier.cosignature import WitnessSigner
from mizheng.verifier.signature import PrivateKey

from tests.notary.witness.scene import Scene
from tests.tools.layout import ROOT

LONG = WitnessSigner("w" * 500, PrivateKey.generate()).witness


def settings(instance: Instance, text: str | None = None, **table: object) -> Instance:
    values = {**({} if text is None else {"policy": text}), **table}
    return replace(instance, settings=replace(instance.settings, witnesses=values))


def test_no_policy_asks_nobody(instance: Instance) -> None:
    assert load_witnesses(instance.settings, set()) is None
    keeper = WitnessKeeper(instance)
    keeper.start()
    with reading(instance.engine) as connection:
        assert find_published(connection) is None
        assert load_published(connection) == load_head(connection)
    keeper.stop()


def test_taking_the_policy_away_publishes_every_head_again(scene: Scene) -> None:
    head = scene.grow(2)
    WitnessKeeper(scene.instance).start()
    with reading(scene.instance.engine) as connection:
        assert load_published(connection) == head


def test_a_policy_file_comes_before_the_text(scene: Scene, tmp_path: Path) -> None:
    found = settings(scene.instance, scene.setup.policy.text, wait=3)
    setup = load_witnesses(found.settings, set())
    assert setup and setup.wait == 3
    assert [peer.url for peer in setup.peers] == ["http://east.example/prefix", "http://west.example/prefix"]
    (found.settings.data_dir / "policy.txt").write_text(
        scene.setup.policy.text.replace("quorum both", "quorum east"), "utf-8"
    )
    setup = load_witnesses(replace(found.settings, witness_policy="policy.txt"), set())
    assert setup and setup.policy.quorum == "east"
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_witnesses(replace(found.settings, witness_policy=str(tmp_path / "none")), set())


def test_what_is_exported_has_no_addresses(scene: Scene) -> None:
    text = f"# ours\nlog {scene.instance.signer.vkey} https://log.example\n" + scene.setup.policy.text
    setup = load_witnesses(settings(scene.instance, text).settings, set())
    assert setup
    exported = setup.exported()
    assert "http" not in exported.text and "log" not in exported.text.split()
    assert exported.witnesses.keys() == setup.policy.witnesses.keys()
    assert exported.groups == setup.policy.groups
    assert exported.quorum == "both"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "nonsense\n", "line 1"),
        (lambda text: text.replace(" http://east.example/prefix", ""), "no address"),
        (lambda text: text.replace("http://east", "ftp://east"), "no address"),
        (lambda text: text.replace("http://east.example/prefix", "http://"), "no address"),
        (lambda text: f"witness long {LONG.vkey} http://long.example\nquorum long\n", "too long"),
    ],
)
def test_policies_that_cannot_be_used(scene: Scene, change: Callable[[str], str], message: str) -> None:
    found = settings(scene.instance, change(scene.setup.policy.text))
    with pytest.raises(ConfigurationError, match=message):
        load_witnesses(found.settings, set())


def test_a_notary_is_not_its_own_witness(scene: Scene) -> None:
    own = WitnessSigner("own.example/w", scene.instance.keys.log).witness
    text = f"witness own {own.vkey} http://own.example\nquorum own\n"
    with pytest.raises(ConfigurationError, match="holds the key"):
        WitnessKeeper(settings(scene.instance, text))


@pytest.mark.parametrize("table", [{"wait": 5}, {"policy": 5}, {"policy": "", "pace": 1}])
def test_tables_that_cannot_be_used(instance: Instance, table: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        load_witnesses(replace(instance.settings, witnesses=table), set())


@pytest.mark.parametrize("wait", [-1, 3601, True, "ten"])
def test_waits_that_are_none(scene: Scene, wait: object) -> None:
    with pytest.raises(ConfigurationError, match="no time"):
        load_witnesses(settings(scene.instance, scene.setup.policy.text, wait=wait).settings, set())


def test_every_state_is_documented() -> None:
    section = (ROOT / "docs" / "operating.md").read_text("utf-8").partition("\n| state of a witness |")[2]
    rows = [
        line.split("|")[1] for line in section.partition("\n\n")[0].splitlines() if line.startswith("| `")
    ]
    assert {code for row in rows for code in re.findall("`([a-z-]+)`", row)} == set(STATES)
