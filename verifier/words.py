"""Words for people: message ids are English sentences, the catalogues translate them.

One gettext domain for the whole product, kept beside this file, so that the offline verifier speaks
both languages without anything else installed. Who decides on the language is the caller: nothing
here reads the environment.
"""

from __future__ import annotations

import gettext
import os
from collections.abc import Callable, Mapping

DOMAIN = "mizheng"
LANGUAGES = ("zh_CN", "en")
# Not pathlib: every command imports this file, and that one takes a tenth of the time to the first word.
LOCALE_DIRECTORY = os.path.join(os.path.dirname(__file__), "locale")  # noqa: PTH118, PTH120

Translate = Callable[[str], str]


def N_(message: str) -> str:
    """Mark a literal for the catalogue without translating it here."""
    return message


def translator(language: str) -> Translate:
    """The function from message id to text in `language` (one of LANGUAGES; others read as English)."""
    if language not in LANGUAGES:
        return _same
    try:
        with open(f"{LOCALE_DIRECTORY}/{language}/LC_MESSAGES/{DOMAIN}.mo", "rb") as file:  # noqa: PTH123
            lookup = gettext.GNUTranslations(file).gettext
    except FileNotFoundError:
        return _same
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
