"""Words for people: message ids are English sentences, the catalogues translate them.

One gettext domain for the whole product, kept beside this file, so that the offline verifier speaks
both languages without anything else installed. Who decides on the language is the caller: nothing
here reads the environment.
"""

from __future__ import annotations

import gettext
from collections.abc import Callable, Mapping
from pathlib import Path

DOMAIN = "mizheng"
LANGUAGES = ("zh_CN", "en")
LOCALE_DIRECTORY = Path(__file__).parent / "locale"

Translate = Callable[[str], str]


def N_(message: str) -> str:
    """Mark a literal for the catalogue without translating it here."""
    return message


def translator(language: str) -> Translate:
    """The function from message id to text in `language` (one of LANGUAGES; others read as English)."""
    path = LOCALE_DIRECTORY / language / "LC_MESSAGES" / f"{DOMAIN}.mo"
    if language not in LANGUAGES or not path.is_file():
        return _same
    with path.open("rb") as file:
        lookup = gettext.GNUTranslations(file).gettext
    # The empty message id is the catalogue's own header.
    return lambda message: lookup(message) if message else ""


def choose_language(asked: str | None, environment: Mapping[str, str]) -> str:
    """A language of LANGUAGES: what was asked for, else MIZHENG_LANG, else the locale, else English."""
    for wish in (asked, environment.get("MIZHENG_LANG")):
        if wish:
            return _known(wish)
    # POSIX: the first of these that is set and not empty decides, whatever it says.
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(name):
            return _known(environment[name])
    return "en"


def _known(wish: str) -> str:
    return "zh_CN" if wish.lower().startswith("zh") else "en"


def _same(message: str) -> str:
    return message
