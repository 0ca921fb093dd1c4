"""Heads of requests that are so plain that a comparison of bytes reads them.

What is not plain is not wrong: it is left to the server's own parser.
"""

import re

# Readers send some two hundred bytes, depositors some four hundred.
_MAX_BYTES = 2048
# What these say changes nothing, or is what they are read for. RFC 9110.
_HARMLESS = frozenset(
    (
        *(b"accept", b"accept-encoding", b"accept-language", b"cache-control", b"connection"),
        *(b"from", b"host", b"pragma", b"referer", b"user-agent"),
    )
)
_OF_A_BODY = frozenset((b"authorization", b"content-length", b"content-type"))
# Field values (RFC 9110 §5.5), without what is not ASCII.
_VALUE = re.compile(rb"[\t -~]*")
# Without a sign, a blank or a leading zero: spellings that two readers might take for two numbers.
_LENGTH = re.compile(r"[1-9][0-9]{0,8}")


def read_plain_headers(block: bytes, *, has_body: bool = False) -> dict[bytes, str] | None:
    """Header lines (RFC 9112 §5) up to and with the empty one that ends them; of a request with a body
    Content-Length is one of them.

    None unless each is known to change nothing, comes once, and is plain ASCII.
    """
    lines = block.split(b"\r\n")
    if len(block) > _MAX_BYTES or lines[-2:] != [b"", b""]:
        return None
    found: dict[bytes, str] = {}
    for line in lines[:-2]:
        name, colon, value = line.partition(b":")
        name = name.lower()
        is_known = name in _HARMLESS or (has_body and name in _OF_A_BODY)
        if not colon or not is_known or name in found or not _VALUE.fullmatch(value):
            return None
        found[name] = value.strip(b" \t").decode("ascii")
    if has_body and not _LENGTH.fullmatch(found.get(b"content-length", "")):
        return None
    # RFC 9112 §3.2: a request without it is to be refused.
    if not found.get(b"host") or found.get(b"connection", "keep-alive").lower() != "keep-alive":
        return None
    return found
