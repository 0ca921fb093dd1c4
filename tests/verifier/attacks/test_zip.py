"""The container: what an honest system changed is judged on its members, what a trick changed is refused."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import pytest
from mizheng.verifier.report import Verdict

from tests.support.world import failed, judge, pack, statuses, unpack
from tests.support.zips import DEFLATED, UNIX_LINK, Member, build_zip, deflate, end_record

from .containers import lie, members_of, structure_refused
from .scene import Members, Scene, is_form_canonical

EXTRA_UNICODE_NAME = 0x7075


def valid_in_another_form(scene: Scene, data: bytes) -> None:
    report = judge(data, scene.trust)
    assert report.verdict is Verdict.VALID, failed(report)
    assert statuses(report, "bundle.form") == ["NOT_CHECKED"]


# Forms


def test_zips_made_by_hand_are_the_writers_byte_for_byte(scene: Scene) -> None:
    assert build_zip(members_of(scene)) == pack(scene.honest)


def rezip(members: Members, **options: object) -> bytes:
    """As an archiving tool does it: with folders, deflated, with the dates of the day."""
    target = io.BytesIO()
    folders: set[str] = set()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            folder = name.rpartition("/")[0]
            if folder and folder not in folders:
                folders.add(folder)
                archive.mkdir(folder)
            archive.writestr(name, data)
    return target.getvalue()


class Pipe(io.RawIOBase):
    """A stream that cannot seek, so that zipfile writes descriptors after the data."""

    def __init__(self) -> None:
        self.data = b""

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self.data += bytes(data)  # type: ignore[call-overload]
        return len(bytes(data))  # type: ignore[call-overload]


def stream(members: Members) -> bytes:
    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 6)), data)
    return pipe.data


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


def with_member(scene: Scene, *more: Member) -> bytes:
    return build_zip([*members_of(scene), *more])


BAD_NAMES = [
    "/etc/passwd",
    "../escape.txt",
    "records/../../escape.json",
    "records\\0009.json",
    "C:/records/0009.json",
    "records/0009.json\0.txt",
    "records//0009.json",
    "./README.txt",
    "records/9.json",
    "records/00009.json",
    "records/1000001.json",
    "heads/05.tlog-proof",
    "__MACOSX/._README.txt",
    "Thumbs.db",
    "",
    "记录/0001.json",
    "bundle/README.txt",
    "records/٠٠٠٩.json",
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_is_not_on_the_list_is_refused(scene: Scene, name: str) -> None:
    structure_refused(scene, with_member(scene, Member(name, b"x")))


@pytest.mark.parametrize(
    "name", ["../", "/", "evil/", "records/../", "records/sub/", "../../tmp/", "README.txt/"]
)
def test_a_folder_that_is_not_of_our_names_is_refused(scene: Scene, name: str) -> None:
    structure_refused(scene, with_member(scene, Member(name, attributes=0o40755 << 16)))


@pytest.mark.parametrize("name", ["README.txt", "readme.TXT", "STATEMENT.dsse.json", "Records/0001.json"])
def test_a_second_member_of_one_name_is_refused(scene: Scene, name: str) -> None:
    structure_refused(scene, with_member(scene, Member(name, scene.honest.get(name, b"x"))))


def hidden_elsewhere(scene: Scene) -> bytes:
    """The directory leaves one member out, whose bytes still stand in the file."""
    members = members_of(scene)
    data = build_zip(members)
    last = members[-1]
    offset = data.rindex(b"PK\x03\x04")
    size = data.index(b"PK\x05\x06") - data.index(b"PK\x01\x02") - len(last.central_header(offset))
    directory = data.index(b"PK\x01\x02")
    return data[: directory + size] + end_record(directory, size, len(members) - 1)


def overlapping(scene: Scene) -> bytes:
    """Two directory entries for one place in the file."""
    members = members_of(scene)
    first = members[0]
    twin = Member("exhibits.pdf", first.data, raw=b"", local={"packed": len(first.data)})
    data = build_zip(members)
    directory = data.index(b"PK\x01\x02")
    entries = data[directory:-22] + twin.central_header(0)
    return data[:directory] + entries + end_record(directory, len(entries), len(members) + 1)


def nested(scene: Scene) -> bytes:
    """A member whose data is another member with its header: two names, one range within the other."""
    inner = Member("exhibits.pdf", b"inner")
    outer = Member("certificate.pdf", inner.local_header() + inner.packed)
    members = [*members_of(scene), outer]
    data = build_zip(members)
    directory = data.index(b"PK\x01\x02")
    entries = data[directory:-22] + inner.central_header(data.rindex(b"PK\x03\x04"))
    return data[:directory] + entries + end_record(directory, len(entries), len(members) + 1)


def bytes_within_the_directory(scene: Scene) -> bytes:
    """After its last entry, and counted in its size."""
    data = pack(scene.honest)
    start = data.index(b"PK\x01\x02")
    directory = data[start:-22] + b"hidden"
    return data[:start] + directory + end_record(start, len(directory), len(scene.honest))


def second_end_in_comment(scene: Scene) -> bytes:
    members = members_of(scene)
    return build_zip(members, comment=end_record(0, 0, 0) + b"xx")


def whole_other_zip_in_comment(scene: Scene) -> bytes:
    """A reader that searches forward sees one bundle, one that searches backward another."""
    other = pack(scene.bundles["second"])
    return build_zip(members_of(scene), comment=other[-60_000:])


def two_bundles_in_a_row(scene: Scene) -> bytes:
    return pack(scene.bundles["second"]) + pack(scene.honest)


def unicode_name(name: bytes) -> bytes:
    body = b"\x01" + struct.pack("<L", zlib.crc32(b"README.txt")) + name
    return struct.pack("<HH", EXTRA_UNICODE_NAME, len(body)) + body


def around(**options: object) -> Callable[[Scene], bytes]:
    return lambda scene: build_zip(members_of(scene), **options)  # type: ignore[arg-type]


TRICKS: dict[str, Callable[[Scene], bytes]] = {
    "bytes before": around(prefix=b"#!/bin/sh\n"),
    "bytes before the directory": around(before_directory=b"hidden"),
    "bytes after the directory": around(after_directory=b"hidden"),
    "76 bytes after the directory": around(after_directory=bytes(76)),
    "bytes after the end": around(suffix=b"\n"),
    "a PDF before": around(prefix=b"%PDF-1.7\n"),
    "hidden member": hidden_elsewhere,
    "overlapping members": overlapping,
    "nested members": nested,
    "bytes within the directory": bytes_within_the_directory,
    "second end in the comment": second_end_in_comment,
    "other ZIP in the comment": whole_other_zip_in_comment,
    "two bundles in a row": two_bundles_in_a_row,
    "fewer entries than there are": around(here=1, count=1),
    "more entries than there are": around(here=99, count=99),
    "no entries": around(here=0, count=0),
    "entries of this part differ": around(here=1),
    "second disk": around(disk=1),
    "directory on another disk": around(start_disk=1),
    "directory elsewhere": around(offset=0),
    "directory longer": around(size=4000),
    "directory past the end": around(offset=0xFFFFFFF0),
    "full fields without zip64": around(offset=0xFFFFFFFF, size=0xFFFFFFFF),
    "zip64 other count": around(zip64={"count": 1, "here": 1}),
    "zip64 other offset": around(zip64={"offset": 0}),
    "zip64 overrules": around(zip64={}, offset=0, size=0, count=0, here=0),
    "zip64 huge size": around(zip64={"size": 2**63}, size=0xFFFFFFFF),
    "zip64 huge count": around(zip64={"count": 2**63, "here": 2**63}, count=0xFFFF, here=0xFFFF),
    "zip64 position elsewhere": around(zip64={"position": 0}),
    "zip64 long record": around(zip64={"length": 100}),
    "zip64 on another disk": around(zip64={"disk": 1}),
    "symbolic link": lie(attributes=UNIX_LINK),
    "device": lie(attributes=0o020644 << 16),
    "pipe": lie(attributes=0o010644 << 16),
    "folder by attribute": lie(attributes=0o40755 << 16),
    "folder by DOS attribute": lie(attributes=0x10),
    "encrypted": lie(flags=0x1),
    "strongly encrypted": lie(flags=0x41),
    "masked header": lie(flags=0x2000),
    "bzip2": lie(method=12),
    "lzma": lie(method=14),
    "unknown compression": lie(method=99),
    "local flags differ": lie(local_flags=0x800),
    "local method differs": lie(local_method=DEFLATED),
    "local name differs": lie(local_name=b"README.tx_"),
    "local name longer": lie(local_name=b"README.txtt"),
    "local size differs": lie(local_size=6),
    "local packed size differs": lie(local_packed=6),
    "local checksum differs": lie(local_crc=1),
    "stored sizes differ": lie(central_size=3, local_size=3),
    "stored data hides bytes": lie(raw=b"README\nhidden"),
    "offset a little off": lie(central_offset=1),
    "offset of another member": lie(central_offset=100),
    "offset past the end": lie(central_offset=0x7FFFFFFF),
    "member on another disk": lie(central_disk=1),
    "name given twice": lie(central_extra=unicode_name(b"statement.dsse.json")),
    "name given twice before the data": lie(local_extra=unicode_name(b"x")),
    "extra field that does not fit": lie(central_extra=b"\x01\x00\xff\x00"),
    "zip64 member without its sizes": lie(central_size=0xFFFFFFFF, local_size=0xFFFFFFFF),
    "zip64 size of another world": lie(
        central_size=0xFFFFFFFF, central_extra=struct.pack("<HHQ", 1, 8, 2**60), local_size=0xFFFFFFFF
    ),
    "descriptor without the flag": lie(after=b"PK\x07\x08" + bytes(12)),
    "flag without descriptor": lie(flags=0x8),
    "descriptor of other sizes": lie(flags=0x8, after=b"PK\x07\x08" + bytes(12)),
    "descriptor that hides bytes": lie(flags=0x8, after=bytes(24)),
    "unlisted member with another local name": lambda scene: with_member(
        scene, Member("certificate.pdf", b"x", local={"name": b"certificate.exe"})
    ),
    "folder with content": lambda scene: with_member(
        scene, Member("records/", b"x", attributes=0o40755 << 16)
    ),
    "folder with hidden content": lambda scene: with_member(
        scene, Member("records/", b"", DEFLATED, raw=deflate(b"") + b"hidden", attributes=0o40755 << 16)
    ),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_a_trick_is_refused(scene: Scene, trick: str) -> None:
    structure_refused(scene, TRICKS[trick](scene))


def test_the_standard_library_reads_what_is_written(scene: Scene) -> None:
    assert unpack(pack(scene.honest)) == scene.honest
