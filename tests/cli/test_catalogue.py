"""The words for people: complete, fresh, and free of anybody's name."""

from __future__ import annotations

import re

import pytest
from mizheng.verifier.words import LANGUAGES, choose_language, translator

from tests.support import catalogue


def test_the_catalogue_is_fresh_and_complete() -> None:
    """`python -m tests.support.catalogue --update` brings it up to date; what is new needs a translation."""
    assert catalogue.find_faults() == []


def test_chinese_is_chinese() -> None:
    """A translation without one Chinese character is one that was forgotten, or a command to be typed."""
    plain = [
        str(message.id)
        for message in catalogue.load("zh_CN")
        if message.id and message.string and not re.search("[\u4e00-\u9fff]", str(message.string))
    ]
    # Names, and commands and forms to be typed as they stand.
    kept = re.compile(
        r"Python|OpenSSL|(mizheng|pip install|chmod) .*|HOST:PORT|finalized, instant, .*|SHA-256: .*"
        r"|\{(?:name|what)\}[:,] .*|\{what\} \(\{of\}\)",
        re.DOTALL,
    )
    assert [text for text in plain if not kept.fullmatch(text)] == []


def test_no_straight_punctuation_between_chinese_characters() -> None:
    faults = [
        str(message.string)
        for message in catalogue.load("zh_CN")
        if re.search("[\u4e00-\u9fff][,;:?!(][\u4e00-\u9fff]", str(message.string))
    ]
    assert faults == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_headers_name_nobody(language: str) -> None:
    header = catalogue.po_path(language).read_text("utf-8").split("\n\n", 1)[0]
    assert "@" not in header
    assert "Generated-By" not in header
    assert "Translator" not in header


def test_translators() -> None:
    chinese, english = translator("zh_CN"), translator("en")
    assert chinese("error:") == "错误："
    assert english("error:") == "error:"
    assert chinese("no such message id") == "no such message id"
    # The catalogue's own header stands under the empty id.
    assert chinese("") == english("") == ""
    assert translator("tlh")("error:") == "error:"


@pytest.mark.parametrize(
    ("asked", "environment", "expected"),
    [
        (None, {}, "en"),
        ("zh", {"MIZHENG_LANG": "en"}, "zh_CN"),
        (None, {"MIZHENG_LANG": "zh-Hans", "LC_ALL": "en_GB"}, "zh_CN"),
        (None, {"LC_ALL": "", "LC_MESSAGES": "zh_CN.UTF-8", "LANG": "en"}, "zh_CN"),
        (None, {"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
    ],
)
def test_choice_of_language(asked: str | None, environment: dict[str, str], expected: str) -> None:
    assert choose_language(asked, environment) == expected
