"""What a reader's headers ask for: RFC 9110 §12.5.3 (Accept-Encoding) and §13.1.2 (If-None-Match)."""

import re

_TAG = re.compile(r'(?:W/)?("[^"]*")')


def accepts_gzip(accept_encoding: str | None) -> bool:
    """Whether gzip may be sent; without the header only what everybody understands is sent."""
    if not accept_encoding:
        return False
    weights: dict[str, float] = {}
    for part in accept_encoding.lower().split(","):
        coding, *parameters = [word.strip() for word in part.split(";")]
        weights[coding] = _weight(parameters)
    # x-gzip is gzip (§8.4.1.3); what is named counts before the star.
    for coding in ("gzip", "x-gzip", "*"):
        if coding in weights:
            return weights[coding] > 0
    return False


def is_matched(if_none_match: str | None, etag: str) -> bool:
    """Whether the reader has these bytes already: weak comparison, as §13.1.2 wants it for GET."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or etag in _TAG.findall(if_none_match)


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                # Not a weight: the reader does not say that it wants it.
                return 0.0
    return 1.0
