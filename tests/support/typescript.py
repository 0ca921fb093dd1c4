"""The sources of the second verifier, in TypeScript, and the texts in them."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "verifier" / "web"

_LITERAL = r'"(?:[^"\\\n]|\\.)*"'
_LITERALS = re.compile(rf"{_LITERAL}(?:\s*\+\s*{_LITERAL})*")
# What the catalogue takes from them: the argument of `_` and of the faults in errors.ts.
_MARKED = re.compile(rf"\b(?:_|Fault|OpenQuestion|LaterVersion)\(\s*({_LITERALS.pattern})")


def find_sources() -> list[Path]:
    return sorted((SOURCE / "src").rglob("*.ts"))


def literals(*paths: Path) -> set[str]:
    """Every text in double quotes, those put together with + as one; of all sources if none are named."""
    return {
        text
        for path in paths or find_sources()
        for found in _LITERALS.findall(path.read_text("utf-8"))
        if (text := _join(found)) is not None
    }


def message_ids() -> dict[str, list[str]]:
    """Texts for the catalogue, each with the files that have it."""
    ids: dict[str, list[str]] = {}
    for path in find_sources():
        name = path.relative_to(ROOT).as_posix()
        for found in _MARKED.findall(path.read_text("utf-8")):
            text = _join(found)
            if text and name not in ids.setdefault(text, []):
                ids[text].append(name)
    return ids


def _join(expression: str) -> str | None:
    """The text that the literals make; None for what looks like one and is none, as in a pattern."""
    try:
        return "".join(json.loads(part) for part in re.findall(_LITERAL, expression))
    except ValueError:
        return None
