"""Other spellings of the same JSON, and JSON that two readers understand differently: one spelling counts."""

from __future__ import annotations

import json
import re

import pytest
from mizheng.verifier.canonical import dump, from_base64
from mizheng.verifier.report import Verdict

from tests.support.world import judge

from .documents import JSON_MEMBERS, PAYLOAD_TYPES, PLAIN, Documents
from .scene import Scene, refuse
from .spellings import BASE64, HEX, INSTANTS, ODDITIES, put, strings


@pytest.fixture(scope="module")
def documents(scene: Scene) -> Documents:
    documents = Documents.of(scene)
    assert judge(documents.members, scene.trust).verdict is Verdict.VALID
    return documents


@pytest.mark.parametrize("case", ODDITIES)
def test_another_spelling_of_a_member_is_not_valid(scene: Scene, documents: Documents, case: str) -> None:
    for name in JSON_MEMBERS:
        honest = documents.members[name]
        changed = ODDITIES[case](honest)
        assert changed != honest, name
        refuse({**documents.members, name: changed}, scene.trust, (name, case))


@pytest.mark.parametrize("case", ODDITIES)
def test_another_spelling_of_a_payload_is_not_valid_however_well_signed(
    scene: Scene, documents: Documents, case: str
) -> None:
    for name in PAYLOAD_TYPES:
        changed = ODDITIES[case](documents.payload(name))
        if len(changed) < 40_000:
            refuse(documents.signed(name, changed), scene.trust, (name, case))


@pytest.mark.parametrize("name", JSON_MEMBERS)
def test_another_spelling_of_bytes_is_not_valid(scene: Scene, documents: Documents, name: str) -> None:
    """In every hex and Base64 field, resigned where the document is signed."""
    value = documents.value(name)
    tried = 0
    for path, text in strings(value):
        is_hex = len(text) >= 12 and re.fullmatch("[0-9a-f]+", text) is not None
        is_base64 = path[-1] in ("record", "public_key", "signer")
        for spell in (HEX if is_hex else BASE64 if is_base64 else {}).values():
            changed = spell(text)
            if changed != text:
                tried += 1
                refuse(documents.put(name, dump(put(value, path, changed))), scene.trust, (name, path, spell))
    assert tried


@pytest.mark.parametrize("name", PAYLOAD_TYPES)
def test_another_spelling_of_an_envelope_is_not_valid(scene: Scene, documents: Documents, name: str) -> None:
    outer = json.loads(documents.members[name])
    (signature,) = outer["signatures"]
    sig, keyid = signature["sig"], signature["keyid"]
    wrong = [
        *({**outer, "payload": spell(outer["payload"])} for spell in BASE64.values()),
        *({**outer, "signatures": [{**signature, "sig": spell(sig)}]} for spell in BASE64.values()),
        *({**outer, "signatures": [{**signature, "keyid": spell(keyid)}]} for spell in HEX.values()),
        {**outer, "signatures": []},
        {**outer, "signatures": [signature, signature]},
        {**outer, "signatures": [{"sig": sig}]},
        {**outer, "signatures": [{**signature, "alg": "none"}]},
        {**outer, "signatures": [{**signature, "keyid": "00" * 32}]},
        {**outer, "signatures": [{**signature, "sig": ""}]},
        {**outer, "signatures": signature},
        {**outer, "payloadType": "application/json"},
        {**outer, "alg": "ed25519"},
    ]  # fmt: skip
    for changed in wrong:
        if changed != outer:
            refuse({**documents.members, name: dump(changed)}, scene.trust, (name, changed))
    assert from_base64(outer["payload"]) == documents.payload(name)
    assert set(PLAIN).isdisjoint(PAYLOAD_TYPES)


@pytest.mark.parametrize("text", INSTANTS)
def test_another_spelling_of_an_instant_is_not_valid(scene: Scene, documents: Documents, text: str) -> None:
    for name, field in (
        ("statement.dsse.json", "claimed_at"),
        ("bundle.dsse.json", "created_at"),
        ("enrolment.dsse.json", "authenticated_at"),
        ("observations/0001.dsse.json", "observed_at"),
    ):
        value = {**documents.value(name), field: text}
        refuse(documents.put(name, dump(value)), scene.trust, (name, text))
