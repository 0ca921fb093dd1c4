"""`mizheng doctor`: what is in order is said to be, and whatever is broken is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mizheng.cli.config import load_config, save_config
from pyrage import x25519

from tests.cli.runner import Mizheng


def look(mizheng: Mizheng, *arguments: str | Path) -> tuple[int, dict[str, list[dict[str, Any]]]]:
    """Exit code, and the findings by what they are about."""
    result = mizheng("doctor", *arguments, "--json")
    found: dict[str, list[dict[str, Any]]] = {}
    for finding in result.json["findings"]:
        found.setdefault(finding["about"], []).append(finding)
    assert result.json["wrong"] == (result.code == 1)
    return result.code, found


def states(found: dict[str, list[dict[str, Any]]]) -> dict[str, list[str]]:
    return {about: [finding["state"] for finding in findings] for about, findings in found.items()}


def test_a_company_in_order(final: Mizheng, tmp_path: Path) -> None:
    code, found = look(final, "drawings.seal")
    assert code == 0
    assert states(found) == {
        "settings": ["ok"],
        "signing key": ["ok"],
        "seal key": ["ok"],
        "escrow": ["advice"],
        "clock": ["not_checked"],
        "notary": ["ok"],
        "trust file": ["not_checked"],
        "drawings.seal": ["ok"],
    }
    final("escrow", "add", str(x25519.Identity.generate().to_public())).ok()
    assert states(look(final)[1])["escrow"] == ["ok"]
    shown = final("--lang", "zh", "doctor").ok().out
    assert "封存" in shown


def test_a_machine_on_which_nothing_was_set_up(bare: Mizheng) -> None:
    code, found = look(bare)
    assert code == 1
    assert found["settings"][0]["hint"].startswith("make one: mizheng init")


def test_what_others_can_read(final: Mizheng) -> None:
    (final.home / "api-key").chmod(0o644)
    (final.cwd / "drawings.seal").chmod(0o640)
    code, found = look(final, "drawings.seal")
    assert code == 1
    assert states(found)["settings"] == ["ok", "wrong"]
    assert states(found)["drawings.seal"] == ["wrong", "ok"]
    assert "chmod" in found["drawings.seal"][0]["hint"]


def test_a_damaged_seal_a_missing_one_and_none(final: Mizheng) -> None:
    path = final.cwd / "drawings.seal"
    data = bytearray(path.read_bytes())
    data[600] ^= 1
    path.write_bytes(data)
    (final.cwd / "text").write_text("text")
    code, found = look(final, "drawings.seal", "missing.seal", "text")
    assert code == 1
    for name, word in (
        ("drawings.seal", "damaged"),
        ("missing.seal", "No such file"),
        ("text", "not a seal"),
    ):
        assert found[name][0]["state"] == "wrong"
        assert word in found[name][0]["text"]


def test_keys_that_are_gone_or_do_not_fit(final: Mizheng) -> None:
    (final.home / "keys" / "seals.txt").write_text(f"{x25519.Identity.generate()}\n")
    code, found = look(final, "drawings.seal")
    assert code == 1
    assert states(found)["seal key"] == ["wrong"]
    assert states(found)["drawings.seal"] == ["wrong"]
    for path in (final.home / "keys").glob("*.pem"):
        path.unlink()
    assert states(look(final)[1])["signing key"] == ["wrong"]


def test_a_notary_that_is_away_or_another_one(final: Mizheng) -> None:
    config = load_config(final.home)
    save_config(final.home, type(config)(**{**_fields(config), "notary": "http://127.0.0.1:9"}))
    assert states(look(final)[1])["notary"] == ["wrong"]


def test_a_trust_file_that_is_none(final: Mizheng) -> None:
    (final.cwd / "trust.toml").write_text("nonsense = 1\n")
    code, found = look(final, "--trust", "trust.toml")
    assert (code, states(found)["trust file"]) == (1, ["wrong"])


def test_settings_that_cannot_be_read_do_not_keep_it_from_the_seals(final: Mizheng) -> None:
    (final.home / "config.toml").write_text("format = ")
    code, found = look(final, "drawings.seal")
    assert (code, states(found)["settings"]) == (1, ["wrong"])
    assert states(found)["drawings.seal"] == ["ok"]


def _fields(config: Any) -> dict[str, Any]:
    return {name: getattr(config, name) for name in config.__slots__}


@pytest.mark.parametrize("offset", [3600, 0])
def test_the_clock_is_held_against_time_servers(final: Mizheng, offset: int) -> None:
    from tests.cli.test_environment import sntp_answer, time_server

    with time_server(lambda request: sntp_answer(request, offset)) as server:
        config = load_config(final.home)
        save_config(final.home, type(config)(**{**_fields(config), "time_servers": f"{server} 127.0.0.1:1"}))
        code, found = look(final)
    assert states(found)["clock"] == ["wrong" if offset else "ok", "not_checked"]
    assert code == (1 if offset else 0)
