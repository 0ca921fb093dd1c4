"""Which chains notary.toml names: [chain], [chains.NAME], and files with the lines of one chain."""

from __future__ import annotations

from pathlib import Path

import pytest
from mizheng.notary.chain.configured import has_embedded_chain, load_profiles
from mizheng.notary.config import load_settings
from mizheng.notary.errors import ConfigurationError

LINES = """kind = "ethereum"
chain_id = {id}
genesis_hash = "{id:064x}"
rpc = ["http://127.0.0.1:8545"]
finality = "finalized"
"""


def load(folder: Path, text: str) -> list[tuple[str, int]]:
    (folder / "notary.toml").write_text(text)
    settings = load_settings({"MIZHENG_DATA_DIR": str(folder)})
    return [(profile.name, profile.chain_id) for profile in load_profiles(settings)]


def test_without_any_table_there_is_the_embedded_chain(tmp_path: Path) -> None:
    assert [name for name, _ in load(tmp_path, "")] == ["embedded"]
    assert has_embedded_chain(load_settings({"MIZHENG_DATA_DIR": str(tmp_path)}))


def test_one_chain_as_before_and_any_number_beside_it(tmp_path: Path) -> None:
    first = "[chain]\n" + LINES.format(id=1)
    further = "[chains.court]\n" + LINES.format(id=2) + '[chains.play]\nkind = "trial"\n'
    assert load(tmp_path, first) == [("main", 1)]
    assert [name for name, _ in load(tmp_path, first + further)] == ["main", "court", "play"]
    assert [name for name, _ in load(tmp_path, further)] == ["court", "play"]
    assert load_settings({"MIZHENG_DATA_DIR": str(tmp_path)}).anchor_interval == 600


def test_a_profile_file_gives_what_the_table_does_not_say(tmp_path: Path) -> None:
    (tmp_path / "court.toml").write_text(LINES.format(id=7))
    text = "[chains.court]\nprofile = 'court.toml'\nrpc = ['http://a:1', 'http://b:1']\n"
    (tmp_path / "notary.toml").write_text(text)
    (profile,) = load_profiles(load_settings({"MIZHENG_DATA_DIR": str(tmp_path)}))
    assert (profile.name, profile.chain_id) == ("court", 7)
    assert profile.rpc == ("http://a:1", "http://b:1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[chain]\n" + LINES.format(id=1) + "[chains.other]\n" + LINES.format(id=1), "twice"),
        ("[chain]\n" + LINES.format(id=1) + "[chains.main]\n" + LINES.format(id=2), "twice"),
        ("[chains.a]\nkind = 'trial'\n[chains.b]\nkind = 'trial'\n", "twice"),
        ("[chains]\nmain = 7\n", "not a chain's table"),
        ("[chains.a]\nname = 'b'\n" + LINES.format(id=1), "not a chain's table"),
        ("[chains.a]\nprofile = 'none.toml'\n", "cannot be read"),
        ("[chains.a]\nprofile = 7\n", "path of a file"),
        ("[chains.a]\nprofile = 'notary.toml'\nrpc = 7\n", "unknown key chains"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        load(tmp_path, text)
