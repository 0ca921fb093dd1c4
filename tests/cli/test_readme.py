"""README.txt of a bundle: its commands, with stock tools alone, succeed; one changed byte, and they fail."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from mizheng.cli.bundling.readme import bundle_readme
from mizheng.verifier.bundlewriting import Evidence, write_bundle
from mizheng.verifier.note import parse_note
from mizheng.verifier.record import parse_record
from mizheng.verifier.signature import Algorithm, PrivateKey
from mizheng.verifier.trust import dump_trust

from tests.support.tsa import DAY, YEAR, make_authority
from tests.support.world import AT, FILES, Company, World, judge, unpack

TOOLS = ("base64", "cat", "cut", "mktemp", "od", "openssl", "sed", "sha256sum", "tr", "wc")
OPENED = ("图纸/发动机.dwg", "配方.txt")


@dataclass
class Unpacked:
    """A bundle in a folder, as whoever checks it has it; a trust file beside."""

    members: dict[str, bytes]
    trust: bytes
    bin: Path

    @property
    def readme(self) -> str:
        return self.members["README.txt"].decode()

    @property
    def commands(self) -> str:
        """What is indented in the part on stock tools, in its order."""
        part = self.readme.partition("三、")[2].partition("Mizheng evidence bundle")[0]
        return "\n".join(re.findall(r"^    (.*)$", part, re.MULTILINE))

    def run(self, folder: Path, **changed: bytes) -> subprocess.CompletedProcess[str]:
        """Run them as a script in a folder of their own, with these tools and no others."""
        for name, data in {**self.members, **changed, "trust.toml": self.trust}.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(data)
        bash = shutil.which("bash")
        assert bash
        return subprocess.run(
            [bash, "-e"],
            input=self.commands,
            cwd=folder,
            env={"PATH": str(self.bin), "TMPDIR": str(folder)},
            capture_output=True,
            text=True,
            check=False,
        )


def build(folder: Path, algorithm: Algorithm) -> Unpacked:
    world = World(folder)
    # So that the log's tree is not a full one: the proof has both shapes of a step.
    for number in range(5):
        world.append(b"somebody's deposit %d" % number)
    company = world.enrol(Company(key=PrivateKey.generate(algorithm)))
    deposit = world.deposit(company)
    world.append(b"a later one")
    size, anchor = world.anchor()
    text = parse_note(world.checkpoint_note(size)).text
    tsa = make_authority(start=world.clock - DAY, end=world.clock + YEAR)
    evidence = Evidence(
        heads={size: world.proof(deposit.index, size)},
        anchors=[anchor],
        timestamps=[(tsa.response(text, world.clock + 60), text)],
    )
    opened = [deposit.open(name) for name in OPENED]
    records = [parse_record(item.record) for item in opened]
    originals = {}
    for place, name in enumerate(OPENED):
        originals[place] = folder / str(place)
        originals[place].write_bytes(FILES[name])
    target = io.BytesIO()
    readme = bundle_readme(deposit.envelope, opened, records, originals.keys(), evidence)
    write_bundle(
        target,
        company.key,
        deposit.envelope,
        opened,
        evidence,
        readme=readme,
        created_at=AT,
        originals=originals,
    )
    tools = folder / "bin"
    tools.mkdir()
    for tool in TOOLS:
        place_of = shutil.which(tool)
        assert place_of, tool
        (tools / tool).symlink_to(place_of)
    trust = world.trust(tsas=(tsa.trusted(),), require=())
    assert judge(target.getvalue(), trust).verdict == "valid"
    return Unpacked(unpack(target.getvalue()), dump_trust(trust), tools)


@pytest.fixture(scope="module", params=["ed25519", "p256"])
def unpacked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unpacked]:
    yield build(tmp_path_factory.mktemp("world"), request.param)


def test_every_step_succeeds(unpacked: Unpacked, tmp_path: Path) -> None:
    done = unpacked.run(tmp_path)
    assert (done.returncode, "WRONG" in done.stdout) == (0, False), done.stdout + done.stderr
    # Two digests of two files, a commitment of each, the key, the commitment, the root, the checkpoint.
    assert done.stdout.count("OK ") >= 4 + 2 + 2 + 2
    assert "Verified Successfully" in done.stdout
    assert "Verification: OK" in done.stdout + done.stderr


@pytest.mark.parametrize(
    "member",
    [
        "README.txt",
        "bundle.dsse.json",
        "originals/0001",
        "records/0001.json",
        "records/0002.json",
        "statement.dsse.json",
        "timestamps/0001.tsr",
        "timestamps/0001.txt",
        "heads/",
    ],
)
def test_one_changed_byte_fails(unpacked: Unpacked, tmp_path: Path, member: str) -> None:
    name = next(each for each in unpacked.members if each.startswith(member))
    data = unpacked.members[name]
    # In the middle of a record's or a statement's Base64, of a proof's first hash, of a token's signature.
    place = {"heads/": data.find(b"\n\n") - 20, "timestamps/0001.tsr": len(data) - 4}.get(
        member, len(data) // 3
    )
    changed = data[:place] + (b"A" if data[place : place + 1] != b"A" else b"B") + data[place + 1 :]
    done = unpacked.run(tmp_path, **{name: changed})
    assert done.returncode != 0, done.stdout + done.stderr


def test_what_it_says_is_this_bundles(unpacked: Unpacked) -> None:
    assert "0001 图纸/发动机.dwg" in unpacked.readme
    # The page, and that this copy of it is no examiner's, in both languages.
    assert unpacked.readme.count("verify.html") == 3
    assert "正式核验请用本单位自备的同一页面" in unpacked.readme
    assert "@" not in unpacked.commands
    for line in unpacked.readme.split("\n"):
        assert len(line) <= 110


def test_what_is_not_there_is_not_asked_for(unpacked: Unpacked) -> None:
    """No original, no token: the reader's own file, and no step for the token."""
    text = bundle_readme(unpacked.members["statement.dsse.json"], [], [], (), Evidence())
    assert "sha256sum FILE" in text
    assert "尚无时间戳" in text
    assert "openssl ts" not in text
