"""Write into the documents what the code says: examples, tables of codes, settings and problems.

    python -m tests.tools.documents

In a document, what stands between `<!-- begin NAME -->` and `<!-- end -->` is made here; a test holds that it
is what would be made now.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.tools.layout import ROOT

DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
EXAMPLES = ROOT / "docs" / "spec" / "examples"
BLOCK = re.compile(r"(<!-- begin ([\w-]+)(?: ([^\s]+))? -->\n)(.*?)(<!-- end -->)", re.DOTALL)
# Longer strings in examples are cut; the file has them whole.
LONGEST = 90


def refreshed(text: str) -> str:
    """The document with every block made anew."""

    def make(match: re.Match[str]) -> str:
        argument = [match[3]] if match[3] else []
        return f"{match[1]}{BLOCKS[match[2]](*argument)}\n{match[5]}"

    return BLOCK.sub(make, text)


def example(name: str) -> str:
    """A file of docs/spec/examples; JSON is broken into lines and long strings are cut."""
    text = (EXAMPLES / name).read_text("utf-8")
    language = "text"
    if name.endswith(".json"):
        text = json.dumps(_shortened(json.loads(text)), ensure_ascii=False, indent=2)
        language = "json"
    elif name.endswith(".toml"):
        language = "toml"
    return f"```{language}\n{text.rstrip()}\n```"


def _shortened(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONGEST:
        return value[:64] + "…"
    if isinstance(value, list):
        return [_shortened(item) for item in value]
    if isinstance(value, dict):
        return {name: _shortened(item) for name, item in value.items()}
    return value


def report() -> str:
    """The example's report, its lists cut to their first items."""
    value = json.loads((EXAMPLES / "report.json").read_text("utf-8"))
    value["conclusions"]["before_anchoring"] = value["conclusions"]["before_anchoring"][:2]
    value["checks"] = [
        check for check in value["checks"] if check["code"] in ("bundle.form", "log.inclusion")
    ]
    return f"```json\n{json.dumps(value, ensure_ascii=False, indent=2)}\n```"


def codes() -> str:
    from mizheng.verifier.codes import CODES, NEEDED, NEEDED_ONE_OF

    def need(code: str) -> str:
        return "yes" if code in NEEDED else "one of two" if code in NEEDED_ONE_OF else ""

    return _table(
        ("code", "PASS means", "needed for `valid`"),
        ((f"`{code}`", title, need(code)) for code, title in CODES.items()),
    )


def members() -> str:
    from mizheng.verifier.members import _MEMBERS

    return _table(
        ("group", "name (regular expression)", "listed by the depositor"),
        (
            (group, f"`{pattern.pattern}`".replace("|", "\\|"), "yes" if own else "")
            for group, pattern, own in _MEMBERS
        ),
    )


def record_fields() -> str:
    from mizheng.verifier import record

    rows = []
    for kind, (required, optional) in record._PATH_KINDS.items():
        fields = [*required, *(f"{name} (optional)" for name in optional)]
        rows.append((kind, "`path` or `path_bytes`", fields))
    rows += [(kind, "`number`", list(fields)) for kind, fields in record._NUMBER_KINDS.items()]
    rows += [(kind, "none", list(fields)) for kind, fields in record._SINGLE_KINDS.items()]
    return _table(
        ("kind", "label", "other fields"),
        ((f"`{kind}`", label, ", ".join(map(_field, fields))) for kind, label, fields in rows),
    )


def _field(text: str) -> str:
    name, separator, rest = text.partition(" ")
    return f"`{name}`{separator}{rest}"


def settings() -> str:
    from mizheng.notary import config

    rows = re.findall(r"^    (\w+) {2,}(\S+) {2,}(\S+) {2,}(.+)$", config.__doc__ or "", re.MULTILINE)[1:]
    return _table(
        ("setting", "environment", "`notary.toml`", "default"),
        ((f"`{name}`", _code(variable), _code(key), default) for name, variable, key, default in rows),
    )


def chain_settings() -> str:
    from mizheng.notary.chain import profiles

    words = {str: "string", int: "whole number", list: "list of strings"}
    return _table(
        ("key of `[chain]`", "type", "needed"),
        (
            (f"`{key}`", words[kind], "yes" if key in profiles._REQUIRED else "")
            for key, kind in profiles._KEYS.items()
        ),
    )


def problems() -> str:
    from mizheng.notary.errors import PROBLEMS

    return _table(
        ("code", "status", "title"),
        ((f"`{code}`", str(kind.status), kind.title) for code, kind in PROBLEMS.items()),
    )


def metrics() -> str:
    from mizheng.notary.metrics import Metrics

    rows = [(family.name, family.type, family.documentation) for family in Metrics().registry.collect()]
    return _table(("name", "type", "meaning"), ((f"`{name}`", kind, text) for name, kind, text in rows))


def exit_codes() -> str:
    from mizheng.cli.errors import CommandError

    # Below 64 are the findings of single commands.
    kinds = sorted(
        (kind for kind in CommandError.__subclasses__() if kind.exit_code >= 64),
        key=lambda kind: kind.exit_code,
    )
    rows = [
        (str(kind.exit_code), (kind.__doc__ or "").partition(";")[0].rstrip(".").lower()) for kind in kinds
    ]
    return _table(("code", "meaning"), rows)


def _code(text: str) -> str:
    return "" if text == "-" else f"`{text}`"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), *(list(row) for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


BLOCKS: dict[str, Callable[..., str]] = {
    "example": example,
    "report": report,
    "codes": codes,
    "members": members,
    "record-fields": record_fields,
    "settings": settings,
    "chain-settings": chain_settings,
    "problems": problems,
    "metrics": metrics,
    "exit-codes": exit_codes,
}


def main() -> None:
    for path in DOCUMENTS:
        _refresh(path)


def _refresh(path: Path) -> None:
    text = path.read_text("utf-8")
    if (new := refreshed(text)) != text:
        path.write_text(new, "utf-8")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
