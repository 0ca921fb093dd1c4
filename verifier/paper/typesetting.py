"""From a template and data to a PDF: A4, PDF/A-3, the same bytes for the same input.

PDF/A-3a (ISO 19005-3, level A) is what Typst is asked for and refuses to miss; no independent
validator has looked at it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from .fonts import font_folder
from .missing import PaperError, need

_TEMPLATES = Path(__file__).parent / "templates"
_STANDARD = "a-3a"


def typeset(template: str, data: Mapping[str, Any], created_at: int) -> bytes:
    """The PDF of `templates/<template>.typ` with this data, dated `created_at` (seconds since 1970).

    The template reads `data` as one JSON value, never as markup.
    """
    compiler = need("typst").Compiler(
        str(_TEMPLATES / f"{template}.typ"),
        root=str(_TEMPLATES),
        font_paths=_fonts(),
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
    )
    try:
        pdf = compiler.compile(format="pdf", pdf_standards=_STANDARD, timestamp=created_at)
    except RuntimeError as error:
        # What Typst says may hold names of records: it stays with the cause.
        raise PaperError("the page could not be set") from error
    return bytes(pdf)


@cache
def _fonts() -> Any:
    """Our fonts and the fixed-width one that Typst brings; none of the machine's, so that bytes agree."""
    return need("typst").Fonts(
        include_system_fonts=False, include_embedded_fonts=True, font_paths=[str(font_folder())]
    )


def qr_code(text: str) -> str:
    """A QR code of this text (ISO/IEC 18004, error correction M) as SVG, of the same bytes each time."""
    from io import BytesIO

    picture = BytesIO()
    need("segno").make(text, error="m", micro=False, boost_error=False).save(
        picture, kind="svg", border=0, xmldecl=False, svgns=True, omitsize=True
    )
    return picture.getvalue().decode()
