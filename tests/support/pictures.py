"""PDFs as people see them: text, and a picture of each page under build/pictures, which git ignores."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.tools.layout import ROOT

PICTURES = ROOT / "build" / "pictures"


def read_text(pdf: bytes, *, as_laid_out: bool = False) -> str:
    """What poppler reads on the pages, a form feed behind each: in the order of writing, or of places."""
    command = ["pdftotext", *(["-layout"] if as_laid_out else ["-raw"]), "-", "-"]
    return subprocess.run(command, input=pdf, capture_output=True, check=True).stdout.decode()


def take_pictures(name: str, pdf: bytes, *, first: int = 1, last: int | None = None) -> list[Path]:
    """Draw pages `first` to `last`, 1 to all by default; returns the files, in order."""
    folder = PICTURES / "paper"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f"{name}-*.png"):
        old.unlink()
    until = [] if last is None else ["-l", str(last)]
    command = ["pdftoppm", "-r", "72", "-png", "-f", str(first), *until, "-", str(folder / name)]
    subprocess.run(command, input=pdf, capture_output=True, check=True)
    return sorted(folder.glob(f"{name}-*.png"))
