"""What a platform says of itself: by whom, in which form, and what has run out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mizheng.verifier import dsse
from mizheng.verifier.canonical import dump
from mizheng.verifier.members import PLATFORM
from mizheng.verifier.platform_facts import PLATFORM_PAYLOAD_TYPE, Fact, PlatformFacts
from mizheng.verifier.signature import PrivateKey

from tests.support.world import AT

from .case import Case, Cases
from .setting import Members, Setting, ordered

_CODE = "platform.facts"
STATED = PlatformFacts(
    "示例电子数据存证中心有限公司",
    AT,
    (
        Fact("filing", "区块链信息服务备案（示例）", "2056-11-24T00:00:00Z", "ab" * 32),
        Fact("keys", "日志密钥由两人分持（示例）", None, None),
    ),
)


def with_facts(s: Setting, stated: PlatformFacts = STATED, signer: PrivateKey | None = None) -> Members:
    return ordered({**s.small, PLATFORM: stated.sign(signer or s.world.issuer)})


def changed(**fields: Any) -> Callable[[Setting], Members]:
    """Another type or other facts, else a second fact with other fields, under the issuer's signature."""

    def build(s: Setting) -> Members:
        value = json.loads(dsse.parse(STATED.sign(s.world.issuer), PLATFORM_PAYLOAD_TYPE).payload)
        value |= {name: fields[name] for name in fields.keys() & {"facts", "type"}}
        if not fields.keys() & {"facts", "type"}:
            value["facts"][1] |= fields
        return ordered({**s.small, PLATFORM: dsse.sign(dump(value), PLATFORM_PAYLOAD_TYPE, s.world.issuer)})

    return build


def broken(s: Setting) -> Members:
    members = with_facts(s)
    outer = json.loads(members[PLATFORM])
    ((one),) = outer["signatures"]
    swapped = ("B" if one["sig"][0] != "B" else "C") + one["sig"][1:]
    return {**members, PLATFORM: dump({**outer, "signatures": [{**one, "sig": swapped}]})}


def cases() -> list[Case]:
    found = Cases("platform")
    found.passes("sound", "a platform's word on itself", with_facts)
    found.passes(
        "run-out",
        "a qualification that has run out: it is told so, and nothing of the evidence rests on it",
        lambda s: with_facts(s, replace(STATED, facts=(Fact("protection", "等保三级（示例）", AT, None),))),
    )
    found.passes(
        "by-a-stranger",
        "a stranger's word on the platform",
        lambda s: with_facts(s, signer=s.stream.key()),
        open=(_CODE,),
    )
    found.passes(
        "by-another-issuer",
        "a platform's word on itself by an issuer who did not enrol the key",
        lambda s: with_facts(s, signer=s.scene.foreign.issuer),
        open=(_CODE,),
        trust="both-notaries",
    )
    for name, why, build in (
        ("signature", "the issuer's signature is another", broken),
        ("of-nothing", "a platform that states nothing", changed(facts=[])),
        ("too-much", "more facts than a report has room for", changed(facts=[fact()] * 101)),
        ("unknown-about", "a fact about something that no platform states", changed(about="weather")),
        ("control-character", "a text with a control character", changed(text="a\u0007")),
        ("end-that-is-none", "an end that is no instant", changed(expires_at="2056-11-24")),
        ("digest-cut", "the digest of a paper that is cut", changed(sha256="ab" * 31)),
        ("unknown-field", "a fact with a field that facts do not have", changed(by="a friend")),
    ):
        found.fails(name, why, _CODE, build)
    found.stays_open(
        "later", "a later version of the platform's word", _CODE, changed(type="mizheng/platform/v2")
    )
    return found.all


def fact() -> dict[str, str | None]:
    return {"about": "other", "text": "x", "expires_at": None, "sha256": None}
