"""The second verifier says what the first one says: on every vector, and on mutations of them.

Where the JSON itself is broken the two may word it differently; the outcome is the same. MIZHENG_SEED=N
repeats a run with another sample.
"""

from __future__ import annotations

import json
import os
import random
from typing import Any

from mizheng.verifier.canonical import dump
from mizheng.verifier.codes import CODES
from mizheng.verifier.evm import rlp
from mizheng.verifier.evm.block import KINDS

from tests.support.consensus import SEALS, answer
from tests.support.scale import scaled
from tests.support.sealing import make_sealers
from tests.support.typescript import SOURCE
from tests.support.webverifier import shared
from tests.tools.consensus_vectors import PUBLISHED, VECTORS

Question = tuple[bytes, list[Any]]
"""Evidence, and the rows of a trust file's validators."""

SEED = int(os.environ.get("MIZHENG_SEED", "20261123"))
FILES = sorted(path for path in VECTORS.glob("*.json") if path != PUBLISHED)
LOADED: list[dict[str, Any]] = [json.loads(path.read_text("utf-8")) for path in FILES]


def ask(questions: list[Question]) -> list[dict[str, Any]]:
    """The second verifier's answers."""
    return [shared().verify_seals(evidence, validators) for evidence, validators in questions]


def as_text(found: dict[str, Any]) -> dict[str, Any]:
    """Numbers of any size are compared by what a person reads."""
    return {**found, "values": {key: str(value) for key, value in found["values"].items()}}


def test_every_vector() -> None:
    questions = [(vector["evidence"].encode(), vector["validators"]) for vector in LOADED]
    answers = ask(questions)
    assert len(answers) == len(LOADED)
    differing = {
        vector["name"]: (vector["answer"], found)
        for vector, found in zip(LOADED, answers, strict=True)
        if as_text(found) != as_text(vector["answer"])
    }
    assert differing == {}


def test_mutations_of_what_is_said() -> None:
    """Fields, headers, seals and validators changed at random, the document well-formed: the same words."""
    source = random.Random(SEED)
    questions = [mutate(source, source.choice(LOADED)) for _ in range(scaled(300, 20_000))]
    compare(questions, words=True)


def test_mutations_of_bytes() -> None:
    source = random.Random(SEED + 1)
    questions: list[Question] = []
    for _ in range(scaled(200, 20_000)):
        vector = source.choice(LOADED)
        data = bytearray(vector["evidence"].encode())
        for _ in range(source.choice((1, 1, 2, 5))):
            at = source.randrange(len(data))
            kind = source.randrange(3)
            if kind == 0:
                data[at] = source.randrange(256)
            elif kind == 1:
                del data[at : at + source.randrange(1, 4)]
            else:
                data[at:at] = source.choice(
                    (b"0", b'"', b"{", b"\xff", b"1.0", b"1e2", b"\\u0041", b"null", b" ")
                )
        questions.append((bytes(data), vector["validators"]))
    compare(questions, words=False)


def compare(questions: list[Question], *, words: bool) -> None:
    outcomes = set()
    for question, theirs in zip(questions, ask(questions), strict=True):
        ours = answer(*question)
        outcomes.add(ours["outcome"])
        if words:
            assert as_text(theirs) == as_text(ours), (SEED, question)
        else:
            assert theirs["outcome"] == ours["outcome"], (SEED, question, ours, theirs)
    assert "FAIL" in outcomes


def mutate(source: random.Random, vector: dict[str, Any]) -> Question:
    try:
        value = json.loads(vector["evidence"])
        dump(value)
    except Exception:
        value = json.loads(LOADED[0]["evidence"])
    rows = json.loads(json.dumps(vector["validators"]))
    for _ in range(source.choice((1, 1, 1, 2))):
        source.choice((_field, _headers, _nibble, _extra, _validators))(source, value, rows)
    return dump(value), rows


def _field(source: random.Random, value: dict[str, Any], _rows: list[Any]) -> None:
    name = source.choice(sorted(value))
    value[name] = source.choice(
        [None, 0, -1, 2**53 - 1, "", "qbft", "ibft2", "clique", [], {}, True, value[name], [value[name]]]
    )
    if source.random() < 0.2:
        value.pop(name)


def _headers(source: random.Random, value: dict[str, Any], _rows: list[Any]) -> None:
    headers = value.get("headers")
    if isinstance(headers, list) and headers:
        at = source.randrange(len(headers))
        kind = source.randrange(4)
        if kind == 0:
            headers.append(headers[at])
        elif kind == 1:
            del headers[at]
        elif kind == 2:
            source.shuffle(headers)
        else:
            other = json.loads(source.choice(LOADED)["evidence"])
            headers[at] = source.choice(other["headers"] or [""])


def _nibble(source: random.Random, value: dict[str, Any], _rows: list[Any]) -> None:
    headers = value.get("headers")
    if isinstance(headers, list) and headers and isinstance(headers[-1], str) and headers[-1]:
        text = headers[-1]
        at = source.randrange(len(text))
        headers[-1] = text[:at] + source.choice("0123456789abcdef") + text[at + 1 :]


def _extra(source: random.Random, value: dict[str, Any], _rows: list[Any]) -> None:
    """One item of the header, or of its extraData, is another: the RLP stays sound."""
    try:
        items: list[Any] = list(
            rlp.as_list(rlp.decode(bytes.fromhex(value["headers"][0]), max_bytes=1 << 16))
        )
        if source.random() < 0.5 and value["kind"] != "clique":
            inner: list[Any] = list(rlp.as_list(rlp.decode(items[12], max_bytes=1 << 16)))
            inner[source.randrange(len(inner))] = _item(source)
            items[12] = rlp.encode(inner)
        else:
            items[source.randrange(len(items))] = _item(source)
        value["headers"][0] = rlp.encode(items).hex()
    except Exception:
        return


def _item(source: random.Random) -> rlp.Encodable:
    lengths = (0, 1, 2, 3, 4, 5, 8, 9, 20, 31, 32, 33, 56, 65, 256)
    text = source.randbytes(source.choice(lengths))
    return source.choice([text, [], [text], [text, text], b"\0" * 32, b"\0"])


def _validators(source: random.Random, _value: dict[str, Any], rows: list[Any]) -> None:
    row = source.choice(rows)
    kind = source.randrange(5)
    if kind == 0:
        row["kind"] = source.choice(["clique", "ibft2", "qbft"])
        row.pop("quorum", None)
    elif kind == 1:
        row["from_block"] = source.choice([0, 100, 101])
        row.pop("to_block", None)
    elif kind == 2:
        row["to_block"] = row["from_block"] + source.choice([0, 1, 100])
    elif kind == 3:
        row["quorum"] = len(row["members"])
    else:
        stranger = source.choice(make_sealers(3, first=800))
        row["members"].append({"name": stranger.name, "address": stranger.address.hex()})
        row.pop("quorum", None)


def test_code_and_kinds_are_the_same() -> None:
    consensus = (SOURCE / "src" / "consensus" / "seals.ts").read_text("utf-8")
    assert f'CODE = "{SEALS.code}"' in consensus
    assert SEALS.code in CODES
    block = (SOURCE / "src" / "evm" / "block.ts").read_text("utf-8")
    assert f"CHAIN_KINDS: readonly Json[] = {json.dumps(KINDS)};" in block
