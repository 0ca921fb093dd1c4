"""What says so when the extra `pdf` is not installed."""

from __future__ import annotations

import importlib
import logging
from types import ModuleType

from ..errors import MizhengError

_SILENCE = logging.NullHandler()


class PaperError(MizhengError):
    """A PDF could not be made or read because something for it is not installed."""


def need(name: str) -> ModuleType:
    """Import a module of the extra `pdf`; PaperError with the way out when it is not there."""
    if name.startswith("pyhanko"):
        # It tells a log what it tells us, with parts of the file; our caller decides what to tell whom.
        for part in ("pyhanko", "pyhanko_certvalidator"):
            logging.getLogger(part).propagate = False
            logging.getLogger(part).addHandler(_SILENCE)
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
