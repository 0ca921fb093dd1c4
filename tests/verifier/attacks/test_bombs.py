"""Members that do not unpack to what is declared, bombs among them, and files that are no bundles at all."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from mizheng.verifier.report import Verdict

from tests.support.world import failed, judge, pack
from tests.support.zips import DEFLATED

from .containers import lie, structure_refused
from .scene import Scene, refuse
from .tricks import PACKED_LIES, bomb


@pytest.mark.parametrize("case", PACKED_LIES)
def test_a_member_that_unpacks_to_something_else_fails(scene: Scene, case: str) -> None:
    report = refuse(PACKED_LIES[case](scene), scene.trust)
    assert failed(report) == {"bundle.members"}


@pytest.mark.parametrize("name", ["originals/0001", "records/0001.json", "anchors/0001.json", "beacon.json"])
def test_a_member_with_a_wrong_checksum_fails_wherever_it_is_read(scene: Scene, name: str) -> None:
    report = refuse(lie(name, central_crc=1, local_crc=1)(scene), scene.trust)
    assert report.verdict is Verdict.INVALID


BOMB = 128 * 1024 * 1024


@pytest.fixture(scope="module")
def packed_bomb() -> bytes:
    return bomb(BOMB)


@pytest.mark.parametrize(
    "name", ["README.txt", "originals/0001", "anchors/0001.json", "statement.dsse.json", "bundle.dsse.json"]
)
@pytest.mark.parametrize("declared", [BOMB, 100, 7])
def test_a_bomb_costs_no_memory(scene: Scene, packed_bomb: bytes, name: str, declared: int) -> None:
    """Whether its size is declared or not; the clock allows for one unpacking to find its digest."""
    data = lie(name, method=DEFLATED, raw=packed_bomb, central_size=declared, local_size=declared)(scene)
    tracemalloc.start()
    started = time.process_time()
    report = refuse(data, scene.trust)
    assert time.process_time() - started < 10
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert report.verdict is Verdict.INVALID
    assert peak < 80 * 1024 * 1024


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"PK",
        b"PK\x05\x06",
        b"PK\x05\x06" + bytes(18),
        b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer <<>>\n%%EOF\n" * 20,
        b"\x1f\x8b\x08" + bytes(50),
        b"Rar!\x1a\x07\x01\x00" + bytes(50),
        bytes(100_000),
        b"PK\x05\x06" * 20_000,
        b"PK\x06\x07" * 20_000,
    ],
    ids=[
        "empty",
        "one byte",
        "two bytes",
        "signature",
        "empty ZIP",
        "PDF",
        "gzip",
        "RAR",
        "zeros",
        "ends",
        "locators",
    ],
)
def test_a_file_that_is_no_bundle_is_refused(scene: Scene, data: bytes) -> None:
    structure_refused(scene, data)
    assert judge(data, None).verdict is Verdict.INVALID


@pytest.mark.parametrize("name", ["bundle.dsse.json", "statement.dsse.json"])
def test_a_bundle_without_its_core_is_refused(scene: Scene, name: str) -> None:
    members = scene.honest
    del members[name]
    structure_refused(scene, pack(members))


@pytest.mark.parametrize(
    "name", ["bundle.dsse.json", "statement.dsse.json", "records/0001.json", "heads/5.tlog-proof"]
)
def test_an_empty_member_fails(scene: Scene, name: str) -> None:
    assert refuse({**scene.honest, name: b""}, scene.trust).verdict is Verdict.INVALID
