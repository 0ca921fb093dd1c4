"""`mizheng verify --batch`: many bundles in one run, each judged as it would be alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from mizheng.verifier.memory import Memory
from mizheng.verifier.trust import Trust, dump_trust

from tests.cli.runner import Mizheng
from tests.support.world import Company, World, judge, pack

COUNT = 70  # more than are checked in one process


class Folder:
    """Bundles of one log, all on one anchor, and what breaks some of them."""

    def __init__(self, path: Path) -> None:
        self.path = path / "bundles"
        (self.path / "below").mkdir(parents=True)
        world = World(path)
        company = world.enrol(Company())
        deposits = [world.deposit(company, {"a": b"%d" % n}) for n in range(COUNT)]
        anchor = world.anchor()
        self.members = [world.bundle(deposit, [anchor], ("a",)) for deposit in deposits]
        self.trust: Trust = world.trust()
        (path / "trust.toml").write_bytes(dump_trust(self.trust))
        for place, members in enumerate(self.members):
            below = "below" if place % 2 else "."
            (self.path / below / f"{place:04}.zip").write_bytes(pack(members))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return Folder(tmp_path_factory.mktemp("batch"))


def mizheng(folder: Folder) -> Mizheng:
    return Mizheng(folder.path.parent / "home", folder.path.parent, {"MIZHENG_LANG": "en"})


def test_all_valid(folder: Folder) -> None:
    done = mizheng(folder)("verify", "--batch", "bundles", "--trust", "trust.toml", "--json").ok().json
    assert (done["bundles"], done["valid"], done["not_valid"]) == (COUNT, COUNT, [])
    assert done["trust_sha256"] == folder.trust.sha256
    assert done["trial"] == COUNT
    text = mizheng(folder)("verify", "--batch", "bundles", "--trust", "trust.toml").ok().out
    assert f"{COUNT} bundles: {COUNT} valid, 0 invalid, 0 undetermined, 0 unreadable" in text
    assert "TRIAL" in text


def test_one_bad_bundle_among_many_is_named_and_spoils_no_other(folder: Folder, tmp_path: Path) -> None:
    target = folder.path / "0000.zip"
    good = target.read_bytes()
    other = folder.members[2]
    mixed = {**folder.members[0], "statement.dsse.json": other["statement.dsse.json"]}
    dangling = folder.path / "gone.zip"
    try:
        target.write_bytes(pack(mixed))
        run = mizheng(folder)("verify", "--batch", "bundles", "--trust", "trust.toml", "--json")
        assert (run.code, run.json["valid"], run.json["invalid"]) == (1, COUNT - 1, 1)
        (named,) = run.json["not_valid"]
        assert named["bundle"].endswith("0000.zip")
        # What it says is what it says alone.
        alone = judge(mixed, folder.trust)
        assert set(named["failed"]) == {check.code for check in alone.checks if check.status == "FAIL"}
        target.write_bytes(good)
        dangling.symlink_to(tmp_path / "nowhere")
        run = mizheng(folder)("verify", "--batch", "bundles", "--trust", "trust.toml", "--json")
        assert (run.code, run.json["unreadable"], run.json["valid"]) == (66, 1, COUNT)
    finally:
        target.write_bytes(good)
        dangling.unlink(missing_ok=True)
    assert mizheng(folder)("verify", "--batch", "bundles").code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("--batch", "bundles", "bundles/0000.zip"),
        ("--batch", "bundles", "--online", "http://127.0.0.1:9"),
        (),
    ],
)
def test_what_does_not_go_together(folder: Folder, arguments: tuple[str, ...]) -> None:
    assert mizheng(folder)("verify", *arguments).code == 64


def test_nothing_to_check(folder: Folder, tmp_path: Path) -> None:
    for name in (tmp_path, tmp_path / "none"):
        assert mizheng(folder)("verify", "--batch", name).code == 66
    assert mizheng(folder)("verify", "--batch", "bundles", "--trust", "none.toml").code == 66


def test_what_is_remembered_changes_no_finding(folder: Folder) -> None:
    """Good and altered bundles in turn through one memory: each report is that of the bundle alone."""
    memory = Memory()
    anchor = folder.members[0]["anchors/0001.json"]
    places = [at for at in range(0, len(anchor), 997) if anchor[at : at + 1] in b"0123456789abcdef"]
    altered = []
    for at in places:
        digit = b"0" if anchor[at : at + 1] != b"0" else b"1"
        altered.append({**folder.members[1], "anchors/0001.json": anchor[:at] + digit + anchor[at + 1 :]})
    assert len(altered) > 3
    for members in (folder.members[0], *altered, folder.members[2], *altered, folder.members[3]):
        with_memory = judge(members, folder.trust, memory=memory)
        assert with_memory.to_json() == judge(members, folder.trust).to_json()
    assert 0 < len(memory) <= 64


def test_memory_is_bounded_and_keeps_no_failure() -> None:
    memory = Memory(2)
    asked: list[bytes] = []

    def ask(data: bytes) -> bytes:
        return memory.once("ask", data, lambda: asked.append(data) or data[::-1])

    assert [ask(b"ab"), ask(b"ab"), ask(b"cd"), ask(b"ab"), ask(b"ef"), ask(b"cd")] == [
        *(b"ba", b"ba", b"dc", b"ba", b"fe", b"dc")
    ]
    assert asked == [b"ab", b"cd", b"ef", b"cd"]
    assert len(memory) == 2
    assert memory.once("other", b"ab", lambda: b"else") == b"else"
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            memory.once("fails", b"x", lambda: (_ for _ in ()).throw(ValueError("no")))
