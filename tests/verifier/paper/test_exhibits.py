"""The exhibit list: one line and three thousand, whole names, blanks where nothing was said."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from mizheng.verifier.paper.exhibits import Exhibit, ExhibitList, exhibit_of, make_exhibit_list
from mizheng.verifier.record import build_record, parse_record

from tests.support.pictures import read_text, take_pictures
from tests.support.scale import scaled

from .samples import digest

KEY = bytes(32)
MANY = scaled(60, 3_000)
# Linux takes no longer one (PATH_MAX).
LONGEST = "图纸/" * 500 + "泵" * 190


def make_list(*exhibits: Exhibit, **changes: object) -> ExhibitList:
    fields = {
        "depositor": "示例精密机械有限公司",
        "depositor_id": "CN-USCC 91420100MA4K00001U",
        "recipient": None,
        "purpose": None,
        "commitment": digest("commitment"),
        "envelope_sha256": digest("envelope"),
        "created_at": "2026-11-24T01:00:00Z",
        "exhibits": exhibits,
    }
    return ExhibitList(**{**fields, **changes})  # type: ignore[arg-type]


def make_exhibit(name: str = "图纸/泵体.dwg", **changes: object) -> Exhibit:
    fields = {
        "kind": "file",
        "name": name,
        "label": "",
        "sha256": digest(name),
        "sm3": digest(name + "sm3"),
        "size": 1_234_567,
        "has_original": True,
    }
    return Exhibit(**{**fields, **changes})  # type: ignore[arg-type]


def joined(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_one_exhibit_is_named_whole() -> None:
    exhibit = make_exhibit(source="研发服务器导出", proves="叶轮间隙的参数", pages="1-3")
    pdf = make_exhibit_list(make_list(exhibit, recipient="示例市中级人民法院", purpose="证据交换"))
    text = joined(read_text(pdf))
    wanted = [
        *(exhibit.name, exhibit.sha256, exhibit.sm3, "1,234,567字节", "附原件", exhibit.source),
        *(exhibit.proves, exhibit.pages, "示例市中级人民法院", "证据交换", "2026-11-2409:00:00"),
        *("提交人（签名或盖章）", "第1页，共1页"),
    ]
    assert not [item for item in wanted if item not in text]
    take_pictures("exhibits-one", pdf)


def test_many_exhibits_are_numbered_to_the_end() -> None:
    exhibits = [make_exhibit(f"图纸/第{n}版.dwg") for n in range(1, MANY + 1)]
    pdf = make_exhibit_list(make_list(*exhibits))
    pages = read_text(pdf).split("\f")[:-1]
    text = joined("".join(pages))
    assert not [item.sm3 for item in exhibits if item.sm3 not in text]
    assert f"第{len(pages)}页，共{len(pages)}页" in joined(pages[-1])
    # The heads of the columns stand on every page.
    assert all("证明对象" in joined(page) for page in pages)
    take_pictures("exhibits-many", pdf, first=len(pages) - 1)


def test_what_was_not_said_stays_blank() -> None:
    pdf = make_exhibit_list(make_list(make_exhibit()))
    text = read_text(pdf)
    assert "None" not in text
    assert "null" not in text


@pytest.mark.parametrize(
    "name",
    ["𬭎/䶮.dwg", "#strong[x] *b* $1$ <a> \\", "a" * 255],
    ids=["rare", "markup", "word"],
)
def test_name_is_shown_whole(name: str) -> None:
    pdf = make_exhibit_list(make_list(make_exhibit(name)))
    assert joined(name) in joined(read_text(pdf))
    take_pictures(f"exhibits-{digest(name)[:4]}", pdf, last=1)


def test_a_name_longer_than_a_page_goes_on() -> None:
    pdf = make_exhibit_list(make_list(make_exhibit("a.dwg"), make_exhibit(LONGEST), make_exhibit("b.dwg")))
    text = read_text(pdf)
    assert (text.count("图纸"), text.count("泵")) == (500, 190)
    assert "b.dwg" in text
    take_pictures("exhibits-longest", pdf)


def test_hidden_characters_are_named() -> None:
    text = joined(read_text(make_exhibit_list(make_list(make_exhibit("图纸\u202egwd.\x07")))))
    assert "图纸[U+202E]gwd.[U+0007]" in text


def test_a_records_own_digests_stand_for_what_is_no_file() -> None:
    fields = {"title": "叶轮间隙", "statement": "s", "distinction": "d", "level": "核心", "term": "长期"}
    data = build_record(KEY, "point", b"3", fields)
    exhibit = exhibit_of(parse_record(data), data, has_original=False)
    assert (exhibit.name, exhibit.label, exhibit.size) == ("叶轮间隙", "3", None)
    assert exhibit.sha256 == hashlib.sha256(data).hexdigest()
    assert exhibit.sm3 == hashlib.new("sm3", data).hexdigest()
    text = joined(read_text(make_exhibit_list(make_list(exhibit))))
    assert "密点3，摘要为记录的摘要" in text


def test_a_files_digests_are_those_of_its_record() -> None:
    fields = {"size": 5, "sha256": digest("a"), "sm3": digest("b")}
    data = build_record(KEY, "file", b"\xff.dwg", fields)
    exhibit = exhibit_of(parse_record(data), data, has_original=True)
    assert (exhibit.sha256, exhibit.sm3, exhibit.size) == (fields["sha256"], fields["sm3"], 5)
    # A name that is no UTF-8 is still one that can be read.
    assert exhibit.name == "\\xff.dwg"
    assert base64.b64decode(parse_record(data).fields["path_bytes"]) == b"\xff.dwg"


def test_same_list_same_bytes() -> None:
    assert make_exhibit_list(make_list(make_exhibit())) == make_exhibit_list(make_list(make_exhibit()))


def test_trial_stands_on_it() -> None:
    assert "TRIAL" in read_text(make_exhibit_list(make_list(make_exhibit(), is_trial=True)))
