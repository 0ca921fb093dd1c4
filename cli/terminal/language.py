"""The language this process speaks: set once by `main`, read by everything that prints."""

from __future__ import annotations

from mizheng.verifier.words import LANGUAGES, N_, Translate, choose_language, translator

__all__ = ["LANGUAGES", "N_", "_", "choose_language", "current_language", "set_language", "translate_with"]

_language = "en"
_translate: Translate = translator("en")


def set_language(language: str) -> None:
    """Speak `language` from now on."""
    global _language, _translate
    _language = language
    _translate = translator(language)


def current_language() -> str:
    return _language


def translate_with() -> Translate:
    """The translator in use, to hand to functions that take one."""
    return _translate


def _(message: str, /, **values: object) -> str:
    """The text for a message id, its placeholders filled."""
    text = _translate(message)
    return text.format(**values) if values else text
