"""The second verifier's report is the first one's, word for word, in words of the catalogue."""

import json
import re
from typing import Any

import pytest
from mizheng.verifier.canonical import format_instant, parse_instant
from mizheng.verifier.trust import parse_trust
from mizheng.verifier.verify import verify_bundle

from tests.support import vectors
from tests.support.catalogue import extract
from tests.support.typescript import SOURCE, literals
from tests.support.webverifier import shared
from tests.tools.layout import ROOT

EXAMPLES = ROOT / "docs" / "spec" / "examples"


def as_text(value: Any) -> Any:
    """Numbers of any size are compared by what a person reads: JavaScript has none so large."""
    if isinstance(value, dict):
        return {key: as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_text(item) for item in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def test_the_example_of_the_specification() -> None:
    bundle, trust = (EXAMPLES / "bundle.zip").read_bytes(), (EXAMPLES / "trust.toml").read_bytes()
    now = json.loads((EXAMPLES / "values.json").read_text("utf-8"))["checked_at"]
    ours = json.loads(json.dumps(verify_bundle(bundle, parse_trust(trust), now=now).to_json()))
    theirs = shared().verify(bundle, trust, now=format_instant(now))
    assert as_text(theirs) == as_text(ours)


@pytest.mark.parametrize(
    "name", ["sound/many-records", "paper/exhibits-enclosed", "platform/sound", "platform/run-out"]
)
def test_a_vector(name: str) -> None:
    """Names that are no UTF-8, papers that nobody compares, and a platform on itself."""
    vector = vectors.read(name)
    assert vector.trust is not None
    now = parse_instant(vector.now)
    ours = json.loads(json.dumps(verify_bundle(vector.bundle, parse_trust(vector.trust), now=now).to_json()))
    assert as_text(shared().verify(vector.bundle, vector.trust, now=vector.now)) == as_text(ours)


def test_a_trust_file_that_cannot_be_used_is_an_error() -> None:
    bundle = (EXAMPLES / "bundle.zip").read_bytes()
    assert shared().verify(bundle, 'format = "mizheng/trust/v2"\n').keys() == {"trust_error"}
    assert shared().verify(bundle, "logs = [").keys() == {"trust_error"}


def test_its_messages_are_the_catalogues() -> None:
    """What reads like a sentence in a check or a reader of documents is a message id."""
    known = extract()
    folders = ("checks", "consensus", "crypto", "documents", "evm", "renewal", "timestamp", "zip")
    sentences = set()
    for folder in folders:
        for path in (SOURCE / "src" / folder).rglob("*.ts"):
            sentences |= {text for text in literals(path) if re.match(r"[a-z{].* ", text)}
    assert len(sentences) > 200
    assert sorted(sentences - known.keys() - NOT_SAID) == []


# Of a format, and of faults of this program itself.
NOT_SAID = {"index ", "hashing was not made ready", "read outside of what is in memory"}
