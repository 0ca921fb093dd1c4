"""What says so when the extra `pdf` is not installed."""

from __future__ import annotations

import importlib
from types import ModuleType

from ..errors import MizhengError


class PaperError(MizhengError):
    """A PDF could not be made or read because something for it is not installed."""


def need(name: str) -> ModuleType:
    """Import a module of the extra `pdf`; PaperError with the way out when it is not there."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise PaperError(
            "PDF files cannot be made: {name} is not installed",
            hint="pip install 'mizheng[pdf]'",
            name=name,
        ) from error


def require_paper() -> None:
    """PaperError when something for making PDFs is not installed: before any work, not after it."""
    for name in ("typst", "segno", "pylopdf_fonts_zh_cn"):
        need(name)
