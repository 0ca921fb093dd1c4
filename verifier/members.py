"""The names of a bundle's members (formats §8): all that there are, in the order of the ZIP."""

from __future__ import annotations

import re
from functools import lru_cache

from .errors import FormatError, LimitError

# formats §8: NNNN is at most this.
MAX_NUMBER = 1_000_000

README = "README.txt"
DOCUMENT = "bundle.dsse.json"
STATEMENT = "statement.dsse.json"
ENROLMENT = "enrolment.dsse.json"
ENROLMENT_PROOF = "enrolment.tlog-proof"
KEY_STATUS = "key-status.dsse.json"
BEACON = "beacon.json"
DISCLOSURE = "disclosure.dsse.json"
DISCLOSURE_EVENT = "disclosure.event.dsse.json"
DISCLOSURE_PROOF = "disclosure.tlog-proof"
SUPPLEMENTED = "supplemented.dsse.json"
SUPPLEMENTED_PROOF = "supplemented.tlog-proof"
PLATFORM = "platform.dsse.json"
PAGE = "verify.html"

_NUMBER = r"([0-9]{4}|[1-9][0-9]{4,6})"
_SIZE = r"(0|[1-9][0-9]{0,18})"
# Every name there is, in the order of the ZIP; True marks the depositor's own.
_MEMBERS: tuple[tuple[str, re.Pattern[str], bool], ...] = tuple(
    (group, re.compile(pattern), is_own)
    for group, pattern, is_own in (
        ("readme", r"README\.txt", True),
        ("document", r"bundle\.dsse\.json", False),
        ("statement", r"statement\.dsse\.json", True),
        ("enrolment", r"enrolment\.dsse\.json", False),
        ("enrolment-proof", r"enrolment\.tlog-proof", False),
        ("key-status", r"key-status\.dsse\.json", False),
        ("x509", rf"x509/{_NUMBER}\.der", False),
        ("records", rf"records/{_NUMBER}\.json", True),
        ("originals", rf"originals/{_NUMBER}", True),
        ("heads", rf"heads/{_SIZE}\.tlog-proof", False),
        ("timestamps", rf"timestamps/{_NUMBER}\.(?:tsr|txt)", False),
        ("anchors", rf"anchors/{_NUMBER}\.json", False),
        ("seals", rf"seals/{_NUMBER}\.json", False),
        ("foreign", rf"foreign/{_NUMBER}\.json", False),
        ("observations", rf"observations/{_NUMBER}\.dsse\.json", False),
        ("beacon", r"beacon\.json", False),
        ("renewals", rf"renewals/{_NUMBER}\.ers", False),
        ("custody", rf"custody/{_NUMBER}\.(?:dsse\.json|event\.dsse\.json|tlog-proof)", False),
        ("disclosure", r"disclosure\.(?:dsse\.json|event\.dsse\.json|tlog-proof)", False),
        ("supplemented", r"supplemented\.(?:dsse\.json|tlog-proof)", False),
        ("platform", r"platform\.dsse\.json", False),
        ("certificate", r"certificate\.pdf", False),
        ("exhibits", r"exhibits\.pdf", True),
        ("page", r"verify\.html", True),
    )
)
FOLDERS = frozenset(
    pattern.pattern.partition("/")[0] + "/" for _, pattern, _ in _MEMBERS if "/" in pattern.pattern
)
# Groups of members that stand in the depositor's signed list, in their order.
DEPOSITORS = tuple(group for group, _, is_own in _MEMBERS if is_own)
# By the folder, so that few patterns are tried on a name: a bundle may have tens of thousands.
_BY_FOLDER: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
for _group, _pattern, _ in _MEMBERS:
    _BY_FOLDER.setdefault(_pattern.pattern.partition("/")[0] if "/" in _pattern.pattern else "", []).append(
        (_group, _pattern)
    )
GROUPS = tuple(group for group, _, _ in _MEMBERS)
"""All groups, in the order of the ZIP: `member_order` counts them."""
_ORDER = {group: place for place, group in enumerate(GROUPS)}


# Bundles have the same few names, and each is looked up again and again.
@lru_cache(4096)
def _find(name: str) -> tuple[str, int]:
    """Group and number of a member, 0 for one that has none."""
    for group, pattern in _BY_FOLDER.get(name.partition("/")[0] if "/" in name else "", ()):
        match = pattern.fullmatch(name)
        if match:
            number = int(match[1]) if match.lastindex else 0
            if group != "heads" and number > MAX_NUMBER:
                raise LimitError("a member numbered above {limit}", limit=MAX_NUMBER)
            return group, number
    raise FormatError("a member whose name is not on the list of formats §8")


def member_group(name: str) -> str:
    """The group a member name belongs to; FormatError for any name that is not on the list."""
    return _find(name)[0]


def number_of(name: str) -> int:
    """The NNNN, or the size, in a member's name."""
    if "/" not in name:
        raise FormatError("a member without a number")
    return _find(name)[1]


def custody_members(number: int) -> tuple[str, str, str]:
    """Names of a custody event's document, of what put it on record, and of its place in the log."""
    stem = f"custody/{number:04}"
    return f"{stem}.dsse.json", f"{stem}.event.dsse.json", f"{stem}.tlog-proof"


def is_depositors(name: str) -> bool:
    """Whether a member has to stand in the depositor's signed list."""
    return member_group(name) in DEPOSITORS


def member_order(name: str) -> tuple[int, int, str]:
    """What members are sorted by in a bundle; FormatError for a name that is not on the list."""
    group, number = _find(name)
    return _ORDER[group], number, name
