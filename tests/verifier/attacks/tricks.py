"""ZIPs that tell one lie each about the bundle in them, and forms that an honest system may give it."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

from tests.support.world import pack
from tests.support.zips import DEFLATED, UNIX_LINK, Member, build_zip, deflate, end_record

from .containers import lie, members_of
from .scene import Members, Scene

EXTRA_UNICODE_NAME = 0x7075


def rezip(members: Members) -> bytes:
    """As an archiving tool does it: with folders, deflated, with another date."""
    target = io.BytesIO()
    folders: set[str] = set()
    date = (2026, 1, 2, 3, 4, 6)
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in members.items():
            folder = name.rpartition("/")[0]
            if folder and folder not in folders:
                folders.add(folder)
                entry = zipfile.ZipInfo(f"{folder}/", date)
                entry.external_attr = 0o40755 << 16 | 0x10
                archive.writestr(entry, b"")
            archive.writestr(zipfile.ZipInfo(name, date), data, zipfile.ZIP_DEFLATED)
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


def with_member(scene: Scene, *more: Member) -> bytes:
    return build_zip([*members_of(scene), *more])


BAD_NAMES = {
    "absolute": "/etc/passwd",
    "parent folder": "../escape.txt",
    "parent folder within": "records/../../escape.json",
    "back slash": "records\\0009.json",
    "drive": "C:/records/0009.json",
    "zero byte": "records/0009.json\0.txt",
    "two slashes": "records//0009.json",
    "dot folder": "./README.txt",
    "short number": "records/9.json",
    "leading zeros": "records/00009.json",
    "number above the limit": "records/1000001.json",
    "size with a leading zero": "heads/05.tlog-proof",
    "resource fork": "__MACOSX/._README.txt",
    "thumbnails": "Thumbs.db",
    "empty": "",
    "not ASCII": "记录/0001.json",
    "folder around": "bundle/README.txt",
    "Arabic digits": "records/٠٠٠٩.json",
}


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

BAD_FOLDERS = {
    "parent folder": "../",
    "root": "/",
    "unknown folder": "evil/",
    "parent folder within": "records/../",
    "folder below": "records/sub/",
    "far away": "../../tmp/",
    "member as folder": "README.txt/",
}
SECOND_NAMES = {
    "same name": "README.txt",
    "other case": "readme.TXT",
    "other case of a needed one": "STATEMENT.dsse.json",
    "other case of a folder": "Records/0001.json",
}
PACKED_LIES = {
    "wrong checksum": lie(central_crc=1, local_crc=1),
    "unpacks to more": lie(method=DEFLATED, data=b"README\n", raw=deflate(b"README\n" * 9)),
    "unpacks to less": lie(method=DEFLATED, raw=deflate(b"READ")),
    "hides bytes after the stream": lie(method=DEFLATED, raw=deflate(b"README\n") + b"hidden"),
    "no stream at all": lie(method=DEFLATED, raw=b""),
    "stream cut short": lie(method=DEFLATED, raw=deflate(b"README\n" * 9)[:-3]),
    "not a stream": lie(method=DEFLATED, raw=b"\xff" * 20),
    "two streams": lie(method=DEFLATED, raw=deflate(b"README\n") * 2),
}


def bomb(size: int) -> bytes:
    """Zeros, a thousandth as long as what they unpack to."""
    compressing = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = bytes(1024 * 1024)
    packed = b"".join(compressing.compress(block) for _ in range(size // len(block)))
    return packed + compressing.flush()
