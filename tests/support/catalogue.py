"""The gettext catalogue: `python -m tests.support.catalogue [--check | --update]`.

Message ids are the literals given to `_`, `N_` and `say`, and the texts of errors: the constructors
whose name ends in Error, Fault or ProblemType. They are read from the syntax tree, so that a literal
broken over lines is one id. The second verifier, in TypeScript, adds those of its own. `--update` brings
both catalogues up to date and compiles them, leaving new ids without a translation; `--check` says what
is stale or missing.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import datetime
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment, nodes

from tests.support.typescript import message_ids

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("verifier", "cli", "notary")
LANGUAGES = ("zh_CN", "en")
LOCALE = ROOT / "verifier" / "locale"

_MARKERS = frozenset({"_", "N_", "say"})
_ERRORS = re.compile(r"(Error|Fault|ProblemType)$")
# Codes such as `nonce-too-low` stand in the same places as texts, and are for programs.
_CODE = re.compile(r"[a-z0-9_.:-]*")
_PLACEHOLDER = re.compile(r"\{(\w+)[^}]*\}")
# The same bytes whenever and wherever the catalogue is written.
_DATE = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)

# Babel fills these with its own version and with example addresses.
_IDLE_HEADERS = ('"Generated-By:', '"Report-Msgid-Bugs-To:', '"Last-Translator:')


def extract() -> dict[str, list[str]]:
    """Message id to the files that use it, both in a stable order."""
    found: dict[str, list[str]] = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            for message in _messages(ast.parse(path.read_text("utf-8"))):
                places = found.setdefault(message, [])
                if name not in places:
                    places.append(name)
        for path in sorted((ROOT / room).rglob("templates/*.html")):
            name = path.relative_to(ROOT).as_posix()
            for message in _template_messages(path.read_text("utf-8")):
                places = found.setdefault(message, [])
                if name not in places:
                    places.append(name)
    for message, names in message_ids().items():
        found.setdefault(message, []).extend(names)
    return found


def load(language: str) -> Catalog:
    path = po_path(language)
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def po_path(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "mizheng.po"


def mo_path(language: str) -> Path:
    return po_path(language).with_suffix(".mo")


def compiled(catalog: Catalog) -> bytes:
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def placeholders(text: str) -> set[str]:
    return set(_PLACEHOLDER.findall(text))


def find_faults() -> list[str]:
    """What is wrong with the catalogues as they stand, one line each."""
    faults: list[str] = []
    found = extract()
    for language in LANGUAGES:
        catalog = load(language)
        known = {str(message.id): str(message.string) for message in catalog if message.id}
        if language == "zh_CN":
            faults += [f"not in the catalogue: {text!r}" for text in found if text not in known]
            faults += [f"not translated: {text!r}" for text in found if text in known and not known[text]]
        faults += [f"{language}: no longer used: {text!r}" for text in known if text not in found]
        faults += [
            f"{language}: other placeholders: {text!r}"
            for text, translation in known.items()
            if translation and placeholders(text) != placeholders(translation)
        ]
        if not mo_path(language).exists() or mo_path(language).read_bytes() != compiled(catalog):
            faults.append(f"{language}: the compiled catalogue is stale")
    return faults


def update() -> None:
    """Bring both catalogues to the present message ids; translations that exist are kept."""
    found = extract()
    for language in LANGUAGES:
        before = load(language)
        catalog = Catalog(
            locale=language,
            domain="mizheng",
            header_comment="# Words of Mizheng 密证.",
            project="mizheng",
            version="1",
            copyright_holder="",
            msgid_bugs_address="",
            creation_date=_DATE,
            revision_date=_DATE,
            last_translator="",
            language_team=language,
            fuzzy=False,
        )
        for text, places in sorted(found.items()):
            kept = before.get(text)
            string = str(kept.string) if kept is not None and kept.string else ""
            # English message ids need no English translation; a wording may still be overridden here.
            if language == "zh_CN" or string:
                catalog.add(text, string, locations=[(place, 0) for place in places])
        po_path(language).parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        write_po(buffer, catalog, width=100, include_lineno=False, sort_output=True)
        lines = buffer.getvalue().decode("utf-8").split("\n")
        text = "\n".join(line for line in lines if not line.startswith(_IDLE_HEADERS))
        po_path(language).write_text(text, "utf-8")
        mo_path(language).write_bytes(compiled(load(language)))


def _messages(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in _MARKERS:
            yield from _texts(node.args[:1])
        elif _ERRORS.search(name) and not hasattr(builtins, name):
            keywords = [item.value for item in node.keywords if item.arg in ("message", "hint")]
            yield from (text for text in _texts([*node.args, *keywords]) if not _CODE.fullmatch(text))


def _template_messages(source: str) -> Iterator[str]:
    """What a Jinja template hands to `_`."""
    for call in Environment(autoescape=True).parse(source).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "_":
            yield from (argument.value for argument in call.args[:1] if isinstance(argument, nodes.Const))


def _texts(expressions: list[ast.expr]) -> Iterator[str]:
    for node in expressions:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
            yield node.value
        elif isinstance(node, ast.IfExp):
            yield from _texts([node.body, node.orelse])


def main() -> int:
    parser = argparse.ArgumentParser(description="The gettext catalogue.")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--check", action="store_true", help="say what is stale or missing")
    action.add_argument("--update", action="store_true", help="bring it up to date and compile it")
    options = parser.parse_args()
    if options.update:
        update()
    faults = find_faults()
    for fault in faults:
        print(fault)
    print(f"{len(extract())} message ids, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
