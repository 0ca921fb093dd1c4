"""A bundle that was packed anew, put back into the one form: the same members, the ZIP as it was made.

What a court's system may honestly change is tolerated and said (formats §8). Whoever wants the file that the
depositor made gets it here, byte for byte: the form holds nothing but members and their order.
"""

from __future__ import annotations

from typing import BinaryIO

from .archive import Source, write_archive
from .bundle import Bundle


def normalize_bundle(source: Source, target: BinaryIO) -> bool:
    """Write the members of `source` to `target`, which can seek; whether anything but that was changed.

    FormatError, as from `Bundle`, for a ZIP that plays tricks or holds other names, and for a member that
    does not unpack to what the ZIP says. Nothing is judged: a broken bundle stays a broken one.
    """
    with Bundle(source) as bundle:
        write_archive(target, ((name, bundle.size(name), bundle.chunks(name)) for name in bundle.names))
        return not bundle.is_canonical
