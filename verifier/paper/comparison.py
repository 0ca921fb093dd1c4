"""The report's section on a comparison: which opened files the other side has byte for byte.

Of the other side's files only those that are identical to an opened one come in here by name; of all others
there is only their number, so nothing else of them can come on paper.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..report import Report, Status
from ..text import status_word
from ..words import N_, Translate
from .names import breakable

MATERIAL_BLIND = N_("salted digests of the other side's files")
# Stands where a name is not ours to tell.
_UNNAMED = "FOLDER"

LABELS = {
    "comparison": N_("Comparison with the other side's files, byte for byte"),
    "comparison_repeat": N_(
        "To repeat in bash with find, sha256sum and grep, where the paths in the first line are right: each "
        "further command prints one line for each identical file, and none where there is none. FOLDER "
        "stands for what is not named here."
    ),
    "identical": N_("Byte-identical"),
    "not_found": N_("Opened files of which no identical one was found"),
    "shows": N_("What this shows, and what not"),
}
_NOTE = N_(
    "Each file of the other side that has the size of an opened file was read, and its SHA-256 and SM3 were "
    "compared with those in the opened record. Of all its other files there is only the number here: no "
    "name, no digest. Whether the records are those that were sealed, the checks above say, not this section."
)
_NOTE_BLIND = N_(
    "The salted digests named under Material were compared with those of the opened records. Of the other "
    "side's files there is only the number here, as those digests state it. Whether the records are those "
    "that were sealed, the checks above say, not this section."
)
_SHOWN = N_(
    "Shown: when it was read, each file listed as identical had the same size, the same SHA-256 and the same "
    "SM3 as the opened record says. That is what byte-identical means here."
)
_SHOWN_BLIND = N_(
    "Shown: for each opened file listed as identical, the salted digests hold the one of its size, SHA-256 "
    "and SM3. The other side's files were not seen for this report. Whoever has the bundle can make such a "
    "digest without the file; and that the digests are of all the files is not checked here."
)
_NOT_SHOWN = (
    N_(
        "Only byte-identical files are found. A copy that was changed, saved anew, converted or typed anew "
        "is not, nor one inside an archive, a disk image or another file. Links are not followed. So that "
        "nothing was found does not mean that nothing was taken."
    ),
    N_(
        "It says nothing about how, when or from where a file came there, nor about who is right. Both sides "
        "may have it from a third; empty and common files are identical anyway."
    ),
)


@dataclass(frozen=True, slots=True)
class ComparedRecord:
    """An opened file record, and what of the other side's is identical to it."""

    member: str
    name: str
    size: int
    sha256: str
    sm3: str
    is_found: bool
    files: Sequence[str] = ()
    """The other side's names of the identical files; empty too where they are not known."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was compared, and what came of it."""

    records: Sequence[ComparedRecord]
    places: Sequence[str]
    """The other side's folders, and the identical ones of its files that were named one by one, as named."""
    left_out: int
    """Things named one by one that are not identical, and so not named here."""
    files: int
    read: int
    """Files that had the size of an opened one, and were read."""
    unreadable: int | None
    """None: not known."""

    @property
    def is_blind(self) -> bool:
        """Made from salted digests, without the files."""
        return self.unreadable is None


def comparison_data(comparison: Comparison | None, report: Report, _: Translate) -> dict[str, Any] | None:
    """What the template sets; None without a comparison."""
    if comparison is None:
        return None
    included = {check.subject: check.status for check in report.checks if check.code == "record.inclusion"}
    found = [record for record in comparison.records if record.is_found]
    missing = [record for record in comparison.records if not record.is_found]
    is_blind = comparison.is_blind
    return {
        "note": _(_NOTE_BLIND if is_blind else _NOTE),
        "facts": [[what, [breakable(line) for line in lines]] for what, lines in _facts(comparison, _)],
        "result": _result(comparison, len(found), _),
        "found": [_record(record, included, _) for record in found],
        "missing": [_record(record, included, _) for record in missing],
        "shows": [_(text) for text in (_SHOWN_BLIND if is_blind else _SHOWN, *_NOT_SHOWN)],
        "command": breakable("other=(" + " ".join(map(_word, comparison.places or [_UNNAMED])) + ")"),
    }


def _facts(comparison: Comparison, _: Translate) -> list[tuple[str, list[str]]]:
    places = list(comparison.places)
    if comparison.is_blind:
        places = [_("not named: compared by salted digests")]
    if comparison.left_out:
        places.append(
            _("{count} named one by one, not found identical and so not named here").format(
                count=comparison.left_out
            )
        )
    return [
        (_("opened files compared"), [str(len(comparison.records))]),
        (_("the other side's files, as named"), places),
        (
            _("number of its files"),
            [
                _("{files}, of which {read} have the size of an opened one and were read").format(
                    files=comparison.files, read=comparison.read
                )
            ],
        ),
        (
            _("could not be read, not compared"),
            [
                _("not known from salted digests")
                if comparison.unreadable is None
                else str(comparison.unreadable)
            ],
        ),
    ]


def _result(comparison: Comparison, found: int, _: Translate) -> str:
    if not comparison.records:
        return _("The bundle opens no file: nothing was compared.")
    if not found:
        return _("No file that was compared is byte-identical to an opened one.")
    return _("Of {opened} opened files, {found} have a byte-identical one on the other side.").format(
        opened=len(comparison.records), found=found
    )


def _record(record: ComparedRecord, included: Mapping[str, Status], _: Translate) -> dict[str, Any]:
    status = included.get(record.member, Status.NOT_CHECKED)
    return {
        "member": record.member,
        "name": breakable(record.name),
        "size": f"{record.size:,}",
        "sha256": record.sha256,
        "sm3": record.sm3,
        "status": str(status),
        "inclusion": _(status_word(status)),
        "files": [breakable(name) for name in record.files]
        or ([_("the other side's name is not known")] if record.is_found else []),
        "command": breakable(
            f'find "${{other[@]}}" -type f -size {record.size}c -exec sha256sum {{}} + '
            f"| grep -F {record.sha256}"
        ),
    }


def _word(place: str) -> str:
    """One word of bash, that find takes for a path."""
    return place if place == _UNNAMED else shlex.quote(f"./{place}" if place.startswith("-") else place)
