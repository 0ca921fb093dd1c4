"""Keeping on an IPFS node: Kubo itself, behind a small RPC (tests/support/kuborpc.py)."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from mizheng.cli.errors import ConfigurationFault, ReadWriteFault, UnavailableFault, UsageFault
from mizheng.cli.keeping import retention
from mizheng.cli.keeping.fixity import Checked
from mizheng.cli.keeping.stores import ipfs
from mizheng.cli.keeping.stores import kubo as kubo_rpc
from mizheng.cli.keeping.stores.address import open_store
from mizheng.cli.keeping.stores.cid import PIECE_BYTES, CidBuilder
from mizheng.cli.keeping.stores.interface import Ciphertext
from mizheng.cli.keeping.stores.ipfs import IpfsStore

from tests.cli.keeping.homes import FILES, Kept, make, tree
from tests.cli.runner import Mizheng
from tests.support.kuborpc import Kubo, node_file, running


@pytest.fixture(scope="module")
def kubo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubo]:
    with running(tmp_path_factory.mktemp("kubo") / "repository") as node:
        yield node


@pytest.fixture
def kept(mizheng: Mizheng) -> Kept:
    return make(mizheng)


def cid_of(data: bytes) -> str:
    builder = CidBuilder()
    # In pieces of no particular size.
    for start in range(0, len(data), 99_991):
        builder.update(data[start : start + 99_991])
    return builder.finish()


def add(node: Kubo, data: bytes) -> str:
    import hashlib

    what = Ciphertext(hashlib.sha256(data).hexdigest(), len(data))
    return open_store(node.address, is_known=False).put(what, lambda start: iter([data[start:]]))


@pytest.mark.parametrize(
    "size",
    [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 174 * PIECE_BYTES, 174 * PIECE_BYTES + 1],
)
def test_the_cid_computed_here_is_the_one_that_kubo_gives(kubo: Kubo, size: int) -> None:
    data = random.Random(size).randbytes(min(size, 1 << 20))
    data = (data * (size // max(1, len(data)) + 1))[:size]
    assert add(kubo, data) == cid_of(data)


def test_the_cid_of_what_others_published() -> None:
    """ "hello world" with its line feed, as Kubo's own documents have it; and of nothing at all."""
    assert cid_of(b"hello world\n") == "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o"
    assert cid_of(b"") == "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH"


def test_three_levels_of_nodes() -> None:
    """More pieces than a node of nodes has places: by hand, with two places instead of 174."""
    import mizheng.cli.keeping.stores.cid as cid

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cid, "MAX_LINKS", 2)
        leaf = cid._leaf(b"x" * PIECE_BYTES)
        pair = cid._join([leaf, leaf])
        expected = cid._join([cid._join([pair, pair]), cid._join([cid._join([leaf])])])
        assert cid_of(b"x" * PIECE_BYTES * 5) == cid.base58(expected.multihash)


def test_the_way_there_and_back(kept: Kept, kubo: Kubo) -> None:
    done = kept.mizheng("keep", "drawings.seal", "--store", kubo.address, "--json").ok().json["seals"][0]
    assert done["originals"] == 3
    shutil.rmtree(kept.folder / "drawings")
    assert kept.mizheng("keep", "--check").code == 0
    kept.mizheng("retrieve", "drawings.seal", "-o", "back").ok()
    assert tree(kept.folder / "back" / "drawings") == FILES
    for block in kubo.blocks():
        data = block.read_bytes()
        assert not any(Path(name).stem.encode() in data for name in FILES)


def test_what_is_no_longer_pinned_is_told_and_pinned_again(kept: Kept, kubo: Kubo) -> None:
    kept.keep(kubo.address, "folder")
    location = kept.record().originals[2].copies[kubo.address]
    assert kubo.ask("pin/rm", arg=location).status_code == 200
    seen = kept.check(repair=False)
    assert [(fault.finding, fault.store) for fault in seen.faults] == [(ipfs.UNPINNED, kubo.address)]
    assert seen.exit_code == 1
    assert kept.check().exit_code == 3
    assert kubo.ask("pin/ls", arg=location).status_code == 200


def test_what_is_not_pinned_and_nowhere_else_is_put_back_from_itself(kept: Kept, kubo: Kubo) -> None:
    kept.keep(kubo.address)
    kubo.ask("pin/rm", arg=kept.record().originals[2].copies[kubo.address])
    assert kept.check().exit_code == 3


def lone_block(kept: Kept, kubo: Kubo) -> Path:
    """The one block of a small ciphertext, in the node's repository."""
    data = Path(kept.store("folder"), kept.record().originals[2].copies[kept.store("folder")]).read_bytes()
    (found,) = [path for path in kubo.blocks() if data in path.read_bytes()]
    return found


def test_a_block_that_was_lost_is_repaired(kept: Kept, tmp_path: Path) -> None:
    """The node was started anew: what a running one remembers of its blocks is not what it has."""
    with running(tmp_path / "repository") as node:
        kept.keep(node.address, "folder")
        lone_block(kept, node).unlink()
    with running(tmp_path / "repository", urlsplit(node.url).port or 0):
        assert findings(kept.check()) == [("lost", True)]
        assert kept.check().exit_code == 0


def findings(found: Checked) -> list[tuple[str, bool]]:
    return [(fault.finding, fault.is_repaired) for fault in found.faults]


def write(block: Path, data: bytes) -> None:
    block.chmod(0o600)
    block.write_bytes(data)


def rot(block: Path, place: int) -> None:
    data = bytearray(block.read_bytes())
    data[place] ^= 0x55
    write(block, data)


@pytest.fixture
def large(mizheng: Mizheng, kubo: Kubo) -> Kept:
    """Three pieces under one root, and a folder that has it too."""
    kept = make(mizheng, {"large": os.urandom(600_000)})
    kept.keep(kubo.address, "folder")
    return kept


def blocks_of(kept: Kept, kubo: Kubo) -> list[Path]:
    """Of the one original: its pieces, then their root."""
    (path,) = kept.ciphertexts("folder")
    told: list[bytes] = []
    builder = CidBuilder(told.append)
    builder.update(path.read_bytes())
    builder.finish()
    return [node_file(kubo.repository, multihash) for multihash in told]


def test_a_block_that_a_running_node_believes_to_have_is_repaired(kept: Kept, tmp_path: Path) -> None:
    """It takes none that it is given for one it remembers: it has to give that up too."""
    with running(tmp_path / "repository") as node:
        kept.keep(node.address, "folder")
        lone_block(kept, node).unlink()
        assert findings(kept.check()) == [("lost", True)]
        assert kept.check().exit_code == 0


@pytest.mark.parametrize("harm", ["a piece", "the root of the pieces", "a piece in another's place"])
def test_a_block_that_is_another_is_repaired(large: Kept, kubo: Kubo, harm: str) -> None:
    """Kubo takes a block for what its name says, and leaves it when given the right one."""
    blocks = blocks_of(large, kubo)
    assert len(blocks) == 4
    before = [path.read_bytes() for path in blocks]
    if harm == "a piece":
        rot(blocks[1], 1000)
    elif harm == "the root of the pieces":
        rot(blocks[-1], 0)
    else:
        write(blocks[1], before[0])
    finding = "unreadable" if "root" in harm else "rotten"
    seen = large.check(repair=False)
    assert (findings(seen), seen.exit_code) == ([(finding, False)], 1)
    repaired = large.check()
    assert (findings(repaired), repaired.exit_code) == ([(finding, True)], 3)
    assert [path.read_bytes() for path in blocks] == before
    assert large.check().exit_code == 0
    assert kubo.ask("pin/ls", arg=large.record().originals[2].copies[kubo.address]).status_code == 200


def test_what_rots_everywhere_is_not_called_repaired(large: Kept, kubo: Kubo) -> None:
    (path,) = large.ciphertexts("folder")
    block = blocks_of(large, kubo)[1]
    rot(path, -1)
    rot(block, 1000)
    rotten = block.read_bytes()
    assert findings(large.check()) == [("rotten", False), ("rotten", False)]
    # Nothing is given up that nobody has whole.
    assert block.read_bytes() == rotten
    assert large.retrieve().failed


def test_a_block_that_another_pin_holds_stays_and_is_told(large: Kept, kubo: Kubo) -> None:
    block = blocks_of(large, kubo)[1]
    data = block.read_bytes()
    # Somebody else on the node has pinned the same piece.
    (path,) = large.ciphertexts("folder")
    add(kubo, path.read_bytes()[PIECE_BYTES : 2 * PIECE_BYTES])
    rot(block, 1000)
    found = large.check()
    assert findings(found) == [("rotten", False)]
    assert "pinned via" in str(found.faults[0].why)
    assert block.read_bytes() != data


def test_a_node_that_gives_another_cid_is_not_believed(
    kept: Kept, kubo: Kubo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubo_rpc.Rpc, "add", lambda rpc, sending: [*sending] and "Qm" + "1" * 44)
    with pytest.raises(UnavailableFault, match="another CID"):
        kept.keep(kubo.address)
    assert kept.record().originals[2].stored == {}


def test_a_node_that_is_gone(kept: Kept, kubo: Kubo) -> None:
    with pytest.raises(UnavailableFault, match="cannot be reached") as caught:
        kept.keep("ipfs+http://127.0.0.1:9")
    assert caught.value.hint
    # Encrypted it was, and waits.
    assert kept.check().waiting == 0
    assert kept.keep(kubo.address).failed == []


def test_a_node_that_is_full(kept: Kept, kubo: Kubo, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the words that its machine has for it."""
    honest = httpx.Client.post

    def full(client: httpx.Client, url: str, **more: Any) -> httpx.Response:
        if not url.endswith("/add"):
            return honest(client, url, **more)
        message = "write blocks/put-123: no space left on device"
        return httpx.Response(500, json={"Message": message, "Code": 0, "Type": "error"})

    with monkeypatch.context() as patch:
        patch.setattr(httpx.Client, "post", full)
        with pytest.raises(ReadWriteFault, match="is full"):
            kept.keep(kubo.address)
    assert kept.keep(kubo.address).failed == []
    assert kept.check().exit_code == 0


def test_the_same_twice_is_there_once_and_is_deleted(kept: Kept, kubo: Kubo) -> None:
    kept.keep("folder")
    (path, *_others) = kept.ciphertexts("folder")
    first = add(kubo, path.read_bytes())
    assert add(kubo, path.read_bytes()) == first
    kept.keep(kubo.address)
    assert kept.record().originals[2].copies[kubo.address] == first
    retention.delete(kept.session, kept.seal, [], "no room")
    # What is not pinned goes with the next collection of garbage.
    assert kubo.ask("pin/ls", arg=first).status_code == 500


def test_half_an_upload_is_done_anew(kept: Kept, kubo: Kubo, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = kubo_rpc._form

    def half(boundary: str, sending: kubo_rpc.Sending) -> Iterator[bytes]:
        for number, piece in enumerate(honest(boundary, sending)):
            if number == 1:
                yield piece[: len(piece) // 2]
                raise KeyboardInterrupt
            yield piece

    with monkeypatch.context() as patch:
        patch.setattr(kubo_rpc, "_form", half)
        with pytest.raises(KeyboardInterrupt):
            kept.keep(kubo.address)
    shutil.rmtree(kept.folder / "drawings" / "图纸")
    assert kept.keep(kubo.address).originals == 2
    assert len(kept.retrieve().files) == 2
    assert kept.check().exit_code == 0


def test_credentials_go_over_no_open_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIZHENG_IPFS_AUTHORIZATION", "Bearer a-secret")
    monkeypatch.delenv("MIZHENG_ALLOW_HTTP", raising=False)
    with pytest.raises(ConfigurationFault) as caught:
        IpfsStore("ipfs+http://192.0.2.1:5001")
    assert "a-secret" not in f"{caught.value} {caught.value.hint}"
    with pytest.raises(UsageFault):
        open_store("ipns://x", is_known=False)


def test_a_large_one_in_pieces(mizheng: Mizheng, kubo: Kubo) -> None:
    kept = make(mizheng, {"large": os.urandom(5 << 20)})
    kept.keep(kubo.address)
    kept.retrieve()
    assert tree(kept.folder / "back" / "drawings") == tree(kept.folder / "drawings")
