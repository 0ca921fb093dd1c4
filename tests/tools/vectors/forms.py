"""A sound bundle in another form that an honest system may have given it: judged on its members."""

from __future__ import annotations

import struct
from dataclasses import replace

from tests.support.world import pack
from tests.support.zips import build_zip
from tests.verifier.attacks.containers import members_of
from tests.verifier.attacks.tricks import rezip, stream

from .case import Case, Cases
from .setting import Setting


def cases() -> list[Case]:
    return _forms()


def _forms() -> list[Case]:
    found = Cases("form", open=("bundle.form",))
    found.passes(
        "packed-anew",
        "deflated, with folders and another date: judged on its members",
        lambda s: rezip(s.base),
    )
    found.passes("streamed", "written to a pipe: sizes stand behind the data", lambda s: stream(s.base))
    found.passes("other-order", "the members in another order", lambda s: dict(reversed(s.base.items())))
    found.passes(
        "data-in-another-order",
        "the directory in the right order, the members' data in another",
        data_reversed,
    )
    found.passes(
        "comment", "a comment of the archive", lambda s: build_zip(members_of(s.scene), comment=b"case 12")
    )
    found.passes("extra-fields", "time stamps in extra fields", extra_fields)
    found.passes(
        "zip64-records",
        "Zip64 end records that nothing needs, saying the same",
        lambda s: build_zip(members_of(s.scene), zip64={}),
    )
    return found.all


def data_reversed(s: Setting) -> bytes:
    """Written backwards, and the directory turned round: each of its entries stays as it is."""
    data = pack(dict(reversed(s.base.items())))
    start = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    pieces = data[start:end].split(b"PK\x01\x02")[1:]
    return data[:start] + b"".join(b"PK\x01\x02" + piece for piece in reversed(pieces)) + data[end:]


def extra_fields(s: Setting) -> bytes:
    extra = struct.pack("<HHL", 0x5455, 4, 0)
    members = members_of(s.scene)
    return build_zip([replace(one, local={"extra": extra}, central={"extra": extra}) for one in members])
