"""Damage: flipped bits, cut, grown and shortened members and files. None of it verifies, none crashes."""

from __future__ import annotations

from pathlib import Path

import pytest
from mizheng.verifier.report import Report, Verdict
from mizheng.verifier.trust import Trust
from mizheng.verifier.verify import verify_bundle

from tests.support.changes import damage, flip
from tests.support.mutations import contents
from tests.support.scale import scaled
from tests.support.world import NOW, judge, pack

from .scene import SEED, Members, Scene, is_form_canonical, refuse, seeded

FLIPS = scaled(500, 2000)
DAMAGES = scaled(200, 1000)


@pytest.fixture(scope="module", params=["pinned", "observed"])
def evidence(request: pytest.FixtureRequest, scene: Scene) -> tuple[Members, Trust]:
    return scene.observed() if request.param == "observed" else (scene.honest, scene.trust)


def test_what_is_attacked_is_valid(evidence: tuple[Members, Trust]) -> None:
    report = judge(*evidence)
    assert report.verdict is Verdict.VALID
    assert is_form_canonical(report)
    assert report.is_unchanged_since_anchored


def test_no_flipped_bit_of_any_member_is_valid(evidence: tuple[Members, Trust]) -> None:
    members, trust = evidence
    honest = judge(members, trust)
    source = seeded("bits of members")
    names = sorted(members)
    # Half of the sample for each of the two bundles; all members alike, however short.
    for number in range(FLIPS // 2):
        name = names[number % len(names)]
        bit = source.randrange(8 * len(members[name]))
        report = refuse({**members, name: flip(members[name], bit)}, trust, (name, bit))
        assert_no_time_moved(report, honest)


@pytest.mark.parametrize("name", ["README.txt", "originals/0001"])
def test_every_bit_of_a_short_member_counts(scene: Scene, name: str) -> None:
    data = scene.honest[name]
    for bit in range(8 * len(data)):
        refuse({**scene.honest, name: flip(data, bit)}, scene.trust, (name, bit))


def test_no_damaged_member_is_valid(evidence: tuple[Members, Trust]) -> None:
    members, trust = evidence
    source = seeded("damaged members")
    names = sorted(members)
    for number in range(DAMAGES):
        name = names[number % len(names)]
        changed = damage(members[name], source)
        if changed != members[name]:
            refuse({**members, name: changed}, trust, (name, number))


def test_flipped_bits_of_the_file(scene: Scene) -> None:
    assert_honest_or_refused(scene, [flip(scene_file(scene), bit) for bit in file_bits(scene)])


def test_damaged_files(scene: Scene) -> None:
    source = seeded("damaged files")
    assert_honest_or_refused(scene, [damage(scene_file(scene), source) for _ in range(DAMAGES)])


def test_every_cut_near_the_end_and_the_start_is_refused(scene: Scene) -> None:
    data = scene_file(scene)
    for length in (*range(60), *range(len(data) - 120, len(data))):
        assert refuse(data[:length], scene.trust, length).verdict is Verdict.INVALID


def test_half_of_a_bundle_is_refused(scene: Scene) -> None:
    data = scene_file(scene)
    for part in (data[: len(data) // 2], data[len(data) // 2 :]):
        assert refuse(part, scene.trust).verdict is Verdict.INVALID


def test_a_file_on_disk_is_judged_as_its_bytes_are(scene: Scene, tmp_path: Path) -> None:
    """Seeking outside a real file fails in another way than outside of bytes in memory."""
    path = tmp_path / "bundle.zip"
    data = scene_file(scene)
    # The end record and the directory, where offsets live, then anywhere.
    bits = [*range(8 * (len(data) - 22), 8 * len(data)), *file_bits(scene)[: FLIPS // 5]]
    for bit in bits:
        changed = flip(data, bit)
        path.write_bytes(changed)
        assert verify_bundle(path, scene.trust, now=NOW).checks == judge(changed, scene.trust).checks, bit


def scene_file(scene: Scene) -> bytes:
    return pack(scene.honest)


def file_bits(scene: Scene) -> list[int]:
    """A third anywhere; two thirds in the headers and the directory, which are a tenth of the bytes."""
    data, source = scene_file(scene), seeded("bits of the file")
    directory = data.index(b"PK\x01\x02")
    headers = [at + n for at in range(directory) if data[at : at + 4] == b"PK\x03\x04" for n in range(60)]
    headers += range(directory, len(data))
    places = [
        source.choice(headers) if number % 3 else source.randrange(len(data)) for number in range(FLIPS)
    ]
    return [8 * place + source.randrange(8) for place in places]


def assert_honest_or_refused(scene: Scene, files: list[bytes]) -> None:
    """Not valid; or valid because nothing but the ZIP's own form changed, and then the report says so."""
    for number, data in enumerate(files):
        report = judge(data, scene.trust)
        if report.verdict is Verdict.VALID and data != scene_file(scene):
            assert not is_form_canonical(report), f"number {number} (MIZHENG_SEED={SEED})"
            assert contents(data) == scene.honest, f"number {number} (MIZHENG_SEED={SEED})"


def assert_no_time_moved(report: Report, honest: Report) -> None:
    assert report.latest is None or (honest.latest and report.latest.at == honest.latest.at)
    assert report.earliest is None or (honest.earliest and report.earliest.at == honest.earliest.at)
