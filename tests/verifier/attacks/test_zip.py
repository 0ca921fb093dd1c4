"""The container: what an honest system changed is judged on its members, what a trick changed is refused."""

from __future__ import annotations

import struct

import pytest
from mizheng.verifier.report import Verdict

from tests.support.world import failed, judge, pack, statuses, unpack
from tests.support.zips import Member, build_zip

from .containers import members_of, structure_refused
from .scene import Scene, is_form_canonical
from .tricks import BAD_FOLDERS, BAD_NAMES, SECOND_NAMES, TRICKS, rezip, stream, with_member


def valid_in_another_form(scene: Scene, data: bytes) -> None:
    report = judge(data, scene.trust)
    assert report.verdict is Verdict.VALID, failed(report)
    assert statuses(report, "bundle.form") == ["NOT_CHECKED"]


# Forms


def test_zips_made_by_hand_are_the_writers_byte_for_byte(scene: Scene) -> None:
    assert build_zip(members_of(scene)) == pack(scene.honest)


def test_a_bundle_packed_anew_is_judged_on_its_members(scene: Scene) -> None:
    valid_in_another_form(scene, rezip(scene.honest))


def test_a_bundle_that_was_streamed_is_judged_on_its_members(scene: Scene) -> None:
    valid_in_another_form(scene, stream(scene.honest))


def test_members_in_another_order_are_judged_one_by_one(scene: Scene) -> None:
    valid_in_another_form(scene, pack(dict(reversed(scene.honest.items()))))


def test_a_comment_and_extra_fields_are_judged_on_the_members(scene: Scene) -> None:
    extra = struct.pack("<HHL", 0x5455, 4, 0)
    members = [
        Member(m.name, m.data, local={"extra": extra}, central={"extra": extra}) for m in members_of(scene)
    ]
    valid_in_another_form(scene, build_zip(members, comment=b"case 12"))


def test_zip64_records_that_say_the_same_are_another_form_only(scene: Scene) -> None:
    valid_in_another_form(scene, build_zip(members_of(scene), zip64={}))
    full = {"count": 0xFFFF, "here": 0xFFFF, "size": 0xFFFFFFFF, "offset": 0xFFFFFFFF}
    valid_in_another_form(scene, build_zip(members_of(scene), zip64={}, **full))


def test_each_field_of_a_header_counts_for_the_form(scene: Scene) -> None:
    """Dates, versions, attributes: nothing can be written into them unseen."""
    data = pack(scene.honest)
    directory = data.index(b"PK\x01\x02")
    # Versions, time and date of a local header; versions, time, date, attributes of a directory entry.
    for place in (
        4,
        10,
        12,
        directory + 4,
        directory + 6,
        directory + 12,
        directory + 14,
        directory + 36,
        directory + 38,
    ):
        changed = bytearray(data)
        changed[place] ^= 1
        report = judge(bytes(changed), scene.trust)
        assert not is_form_canonical(report), place


# Tricks


@pytest.mark.parametrize("name", BAD_NAMES.values())
def test_a_name_that_is_not_on_the_list_is_refused(scene: Scene, name: str) -> None:
    structure_refused(scene, with_member(scene, Member(name, b"x")))


@pytest.mark.parametrize("name", BAD_FOLDERS.values())
def test_a_folder_that_is_not_of_our_names_is_refused(scene: Scene, name: str) -> None:
    structure_refused(scene, with_member(scene, Member(name, attributes=0o40755 << 16)))


@pytest.mark.parametrize("name", SECOND_NAMES.values())
def test_a_second_member_of_one_name_is_refused(scene: Scene, name: str) -> None:
    structure_refused(scene, with_member(scene, Member(name, scene.honest.get(name, b"x"))))


@pytest.mark.parametrize("trick", TRICKS)
def test_a_trick_is_refused(scene: Scene, trick: str) -> None:
    structure_refused(scene, TRICKS[trick](scene))


def test_the_standard_library_reads_what_is_written(scene: Scene) -> None:
    assert unpack(pack(scene.honest)) == scene.honest
