"""Keeping on an IPFS node: Kubo itself, behind a small RPC (tests/support/kuborpc.py)."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from mizheng.cli.errors import ConfigurationFault, UnavailableFault, UsageFault
from mizheng.cli.keeping.stores import ipfs
from mizheng.cli.keeping.stores.address import open_store
from mizheng.cli.keeping.stores.cid import PIECE_BYTES, CidBuilder
from mizheng.cli.keeping.stores.interface import Ciphertext, MissingFault
from mizheng.cli.keeping.stores.ipfs import IpfsStore

from tests.cli.keeping.homes import FILES, Kept, make, tree
from tests.cli.runner import Mizheng
from tests.support.kuborpc import Kubo, running


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


def test_a_block_that_was_lost_comes_back(kept: Kept, tmp_path: Path) -> None:
    """A node of the test's own, started anew: what it remembers of its blocks is not what it has."""
    with running(tmp_path / "repository") as node:
        kept.keep(node.address, "folder")
        lone_block(kept, node).unlink()
        location = kept.record().originals[2].copies[node.address]
    with running(tmp_path / "repository") as again:
        with pytest.raises(MissingFault):
            next(open_store(again.address, is_known=True).read(location))
        # The node is at another address now: what is kept there is found with its own name.
        assert kept.keep(again.address).failed == []
        assert b"".join(open_store(again.address, is_known=True).read(location)).startswith(b"age")


def test_a_block_that_rots_is_found_and_not_called_repaired(kept: Kept, tmp_path: Path) -> None:
    """Kubo takes a block for what its name says, even when given the right one; here each byte is hashed."""
    with running(tmp_path / "repository") as node:
        kept.keep(node.address, "folder")
        block = lone_block(kept, node)
        data = bytearray(block.read_bytes())
        data[len(data) // 2] ^= 1
        block.chmod(0o600)
        block.write_bytes(data)
        found = kept.check()
        assert [(fault.finding, fault.is_repaired) for fault in found.faults] == [("rotten", False)]
        assert found.exit_code == 1
        assert len(kept.retrieve().files) == 3


def test_a_node_that_gives_another_cid_is_not_believed(
    kept: Kept, kubo: Kubo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(IpfsStore, "_add", lambda store, sending: [*sending] and "Qm" + "1" * 44)
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


def test_half_an_upload_is_done_anew(kept: Kept, kubo: Kubo, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = ipfs._form

    def half(boundary: str, sending: ipfs._Sending) -> Iterator[bytes]:
        for number, piece in enumerate(honest(boundary, sending)):
            if number == 1:
                yield piece[: len(piece) // 2]
                raise KeyboardInterrupt
            yield piece

    with monkeypatch.context() as patch:
        patch.setattr(ipfs, "_form", half)
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
