"""The exhibit list 证据目录: what a bundle opens, made by the depositor on the depositor's own machine.

It names files and points, so no notary ever sees it. Source, object of proof and pages (民事证据规定 Art. 19)
are the depositor's words; what he leaves out stays blank, to be filled in by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..canonical import parse_instant
from ..digests import compute_digests
from ..record import Record
from .clock import both_times
from .names import breakable, visible
from .typesetting import typeset

# Kind of record, as a court calls it.
_KINDS = {
    "file": "文件",
    "link": "链接",
    "unreadable": "无法读取的文件",
    "point": "密点",
    "locator": "密点位置",
    "measure": "保密措施",
    "carrier": "载体",
    "source": "来源",
    "corroboration": "印证材料",
    "supplement": "补充证据",
    "environment": "封存环境",
    "authority": "授权委托书",
    "previous": "前一版本",
}


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One line. Its number is its place in the list, which is that of records/NNNN.json."""

    kind: str
    """Of formats §1."""
    name: str
    """A file's recorded path; a point's title; else empty."""
    label: str
    """A numbered record's number; else empty."""
    sha256: str
    """Hex: of the file, or of the record's bytes where there is no file."""
    sm3: str
    size: int | None
    """Bytes of the file; None where there is none."""
    has_original: bool
    """Whether the file itself is in the bundle."""
    source: str = ""
    """证据来源, in the depositor's words; empty is left to be filled in."""
    proves: str = ""
    """证明对象, the same."""
    pages: str = ""
    """页码, the same."""


@dataclass(frozen=True, slots=True)
class ExhibitList:
    """The whole list and whose it is."""

    depositor: str
    depositor_id: str
    recipient: str | None
    """For whom it was made, as in bundle.dsse.json."""
    purpose: str | None
    commitment: str
    envelope_sha256: str
    created_at: str
    """RFC 3339 UTC, as in bundle.dsse.json; also the PDF's date."""
    exhibits: Sequence[Exhibit]
    is_trial: bool = False


def exhibit_of(record: Record, data: bytes, *, has_original: bool) -> Exhibit:
    """A line for this record, whose canonical bytes are `data`, still without the depositor's words."""
    fields = record.fields
    if record.kind == "file":
        sha256, sm3, size = fields["sha256"], fields["sm3"], fields["size"]
    else:
        digests = compute_digests([data])
        sha256, sm3, size = digests.sha256, digests.sm3, None
    is_path = record.kind in ("file", "link", "unreadable")
    name = record.name if is_path else str(fields.get("title", ""))
    label = "" if is_path else record.label.decode("ascii", "replace")
    return Exhibit(record.kind, name, label, sha256, sm3, size, has_original)


def make_exhibit_list(document: ExhibitList) -> bytes:
    """The PDF; PaperError when the extra `pdf` is not installed."""
    return typeset("exhibits", _data(document), parse_instant(document.created_at))


def _data(document: ExhibitList) -> dict[str, Any]:
    return {
        "trial": document.is_trial,
        "depositor": breakable(document.depositor),
        "depositor_id": visible(document.depositor_id),
        "recipient": breakable(document.recipient or ""),
        "purpose": breakable(document.purpose or ""),
        "commitment": document.commitment,
        "envelope_sha256": document.envelope_sha256,
        "created_at": both_times(parse_instant(document.created_at)),
        "exhibits": [_line(exhibit) for exhibit in document.exhibits],
    }


def _line(exhibit: Exhibit) -> dict[str, str]:
    about = [f"{_KINDS.get(exhibit.kind, exhibit.kind)} {exhibit.label}".strip()]
    if exhibit.size is not None:
        about.append(f"{exhibit.size:,} 字节")
    about.append("附原件" if exhibit.has_original else "")
    if exhibit.kind != "file":
        about.append("摘要为记录的摘要")
    return {
        "name": breakable(exhibit.name),
        "about": visible("，".join(item for item in about if item)),
        "digests": f"SHA-256  {exhibit.sha256}\nSM3      {exhibit.sm3}",
        "source": breakable(exhibit.source),
        "proves": breakable(exhibit.proves),
        "pages": breakable(exhibit.pages),
    }
