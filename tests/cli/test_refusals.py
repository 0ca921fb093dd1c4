"""A notary that is down, refuses, talks nonsense or lies: nothing is lost and nothing false is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mizheng.cli.sealfile.read import Seal

from tests.cli.liar import Liar
from tests.cli.runner import Mizheng
from tests.support.notary import NotaryServer

DOWN = "http://127.0.0.1:9"


@pytest.fixture
def sealed(company: Mizheng) -> Mizheng:
    (company.cwd / "a").write_bytes(b"a")
    company("seal", "a").ok()
    return company


def kept(mizheng: Mizheng) -> Any:
    with Seal(mizheng.cwd / "a.seal") as seal:
        return seal.state


def test_notary_down_while_notarizing(sealed: Mizheng) -> None:
    before = (sealed.cwd / "a.seal").read_bytes()
    result = sealed("notarize", "a.seal", "--notary", DOWN)
    assert result.code == 69
    assert "cannot be reached" in result.err
    assert "run the command again" in result.err
    assert (sealed.cwd / "a.seal").read_bytes() == before
    assert sealed("notarize", "a.seal", "--json").ok().json["new"]


def test_connection_lost_after_the_deposit_was_made(sealed: Mizheng, notary: NotaryServer) -> None:
    """The notary has it, we have no answer: the next run sends the same bytes and gets the same deposit."""

    def hang_up(path: str, answer: dict[str, Any]) -> dict[str, Any] | None:
        return None if path == "/v1/deposits" else answer

    with Liar(notary.url, hang_up) as liar:
        assert sealed("notarize", "a.seal", "--notary", liar.url).code == 69
    state = kept(sealed)
    assert state.deposit.answer is None
    with Liar(notary.url, lambda _path, answer: answer) as honest:
        result = sealed("notarize", "a.seal", "--notary", honest.url, "--json").ok().json
    assert result["id"] == state.deposit.id
    sent = [body for path, body in (*liar.requests, *honest.requests) if path == "/v1/deposits"]
    assert len(sent) == 2
    assert sent[0] == sent[1]


def test_init_while_the_notary_is_down_keeps_the_key(bare: Mizheng, notary: NotaryServer) -> None:
    _org, api_key = notary.add_org()
    down = bare("init", "--notary", DOWN, "--store", "file", stdin=api_key)
    assert down.code == 69
    (path,) = (bare.home / "keys").glob("*.pem")
    key = path.read_bytes()
    # A key without a notary can seal already.
    (bare.cwd / "a").touch()
    bare("seal", "a").ok()
    assert bare("notarize", "a.seal").code == 78
    bare("init", "--notary", notary.url).ok()
    assert path.read_bytes() == key
    bare("notarize", "a.seal").ok()


def _swap(name: str, value: Any) -> Callable[[str, dict[str, Any]], dict[str, Any]]:
    def alter(path: str, answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, name: value} if path == "/v1/deposits" else answer

    return alter


def test_a_notary_that_lies_about_a_deposit(sealed: Mizheng, notary: NotaryServer, tmp_path: Path) -> None:
    """Its answer is checked before a byte of it is kept."""
    (sealed.cwd / "b").write_bytes(b"b")
    sealed("notarize", "b").ok()
    with Seal(sealed.cwd / "b.seal") as seal:
        assert seal.state.deposit is not None
        other = seal.state.deposit
    assert other.answer is not None
    proof = other.answer["tlog_proof"]
    broken_signature = proof[:-20] + ("A" if proof[-20] != "A" else "B") + proof[-19:]
    lies = [
        _swap("tlog_proof", proof),
        _swap("tlog_proof", broken_signature),
        _swap("tlog_proof", "c2sp.org/tlog-proof@v1\n"),
        _swap("tlog_proof", ""),
        _swap("leaf_index", 10**6),
        _swap("leaf_index", other.answer["leaf_index"]),
        _swap("id", other.id),
        _swap("leaf_index", "3"),
        lambda path, answer: {} if path == "/v1/deposits" else answer,
        lambda path, answer: (201, b"[]") if path == "/v1/deposits" else answer,
        lambda path, answer: (200, b"<html>") if path == "/v1/deposits" else answer,
        lambda path, answer: (301, b"") if path == "/v1/deposits" else answer,
        lambda path, answer: (500, b"oops") if path == "/v1/deposits" else answer,
    ]
    for number, lie in enumerate(lies):
        with Liar(notary.url, lie) as liar:
            result = sealed("notarize", "a.seal", "--notary", liar.url)
        assert result.code == 70, (number, result)
        assert kept(sealed).deposit.answer is None
    sealed("notarize", "a.seal").ok()


def test_a_notary_that_forks_its_log(sealed: Mizheng, notary: NotaryServer, tmp_path: Path) -> None:
    """A checkpoint by another key, however well it proves, is not the pinned log's."""
    from mizheng.verifier.checkpoint import Checkpoint, TlogProof, sign_checkpoint
    from mizheng.verifier.entry import entry_leaf
    from mizheng.verifier.note import NoteSigner
    from mizheng.verifier.signature import PrivateKey

    with Seal(sealed.cwd / "a.seal") as seal:
        assert seal.state.deposit is None
    origin = json.loads(sealed("init", "--json").ok().out)["origin"]
    signer = NoteSigner(origin, PrivateKey.generate())
    envelopes: list[bytes] = []

    def fork(path: str, answer: dict[str, Any]) -> dict[str, Any]:
        if path != "/v1/deposits":
            return answer
        envelopes.append(liar.requests[-1][1])
        leaf = entry_leaf(envelopes[-1])
        note = sign_checkpoint(Checkpoint(origin, 1, leaf), signer)
        return {**answer, "leaf_index": 0, "tlog_proof": TlogProof(0, (), note).dump().decode()}

    with Liar(notary.url, fork) as liar:
        result = sealed("notarize", "a.seal", "--notary", liar.url)
    assert result.code == 70
    assert "no signature of a known key" in result.err


def test_a_notary_that_is_another_one(bare: Mizheng, notary: NotaryServer) -> None:
    """Keys pinned at init stay pinned; with a trust file they are held against it at once."""
    from mizheng.verifier.note import NoteSigner
    from mizheng.verifier.signature import PrivateKey

    _org, api_key = notary.add_org()
    stranger = PrivateKey.generate()

    def other_keys(path: str, answer: dict[str, Any]) -> dict[str, Any]:
        if path != "/v1/organisation":
            return answer
        return {**answer, "log_vkey": NoteSigner(answer["origin"], stranger).vkey}

    trust = notary.export_trust(bare.cwd / "trust.toml")
    with Liar(notary.url, other_keys) as liar:
        arguments = ("init", "--notary", liar.url, "--store", "file", "--trust", trust)
        refused = bare(*arguments, MIZHENG_API_KEY=api_key)
        assert refused.code == 78
        assert "not in the trust file" in refused.err
        bare("init", "--notary", notary.url, "--trust", trust, MIZHENG_API_KEY=api_key).ok()
        changed = bare("init", "--notary", liar.url)
    assert changed.code == 78
    assert "its log_vkey is another" in changed.err


def test_a_notary_that_enrols_another_key(bare: Mizheng, notary: NotaryServer, enrolled: Mizheng) -> None:
    _org, api_key = notary.add_org()
    (description,) = (enrolled.home / "keys").glob("*.json")
    theirs = json.loads(description.read_text())["enrolment"]

    def swap(path: str, answer: dict[str, Any]) -> dict[str, Any]:
        return theirs if path == "/v1/keys" else answer

    third = Mizheng(bare.home.parent / "third", bare.cwd)
    with Liar(notary.url, swap) as liar:
        arguments = ("init", "--notary", liar.url, "--store", "file")
        result = third(*arguments, MIZHENG_API_KEY=api_key)
    assert result.code == 70
    assert "for another key" in result.err
    third("init", "--notary", notary.url, MIZHENG_API_KEY=api_key).ok()


def test_evidence_that_does_not_prove_is_not_kept(sealed: Mizheng, notary: NotaryServer) -> None:
    sealed("notarize", "a.seal").ok()

    def spoil(path: str, answer: dict[str, Any]) -> dict[str, Any]:
        if not path.endswith("/evidence"):
            return answer
        return {**answer, "enrolment": answer["key_status"]}

    with Liar(notary.url, spoil) as liar:
        result = sealed("status", "a.seal", "--wait", "--timeout", "60", "--notary", liar.url)
    assert result.code == 70
    assert kept(sealed).evidence is None
    sealed("status", "a.seal").ok()
    assert kept(sealed).evidence["state"] == "final"


def test_wrong_and_missing_api_keys(bare: Mizheng, sealed: Mizheng, notary: NotaryServer) -> None:
    wrong = sealed("notarize", "a.seal", MIZHENG_API_KEY="mzk_" + "x" * 43)
    assert wrong.code == 77
    assert "the API key is not known" in wrong.err
    assert "ask the notary's operator" in wrong.err
    (sealed.home / "api-key").unlink()
    assert sealed("notarize", "a.seal").code == 78
    nobody = Mizheng(bare.home.parent / "nobody", bare.cwd)
    assert nobody("init", "--notary", notary.url, "--store", "file").code == 77
    assert not nobody.home.exists()


def test_refusals_are_translated(sealed: Mizheng) -> None:
    wrong = sealed("--lang", "zh_CN", "notarize", "a.seal", MIZHENG_API_KEY="mzk_" + "x" * 43)
    assert wrong.err.startswith("错误：该 API 密钥不存在")


def test_the_api_key_does_not_travel_in_the_clear(sealed: Mizheng) -> None:
    result = sealed("notarize", "a.seal", "--notary", "http://notary.example")
    assert result.code == 64
    assert "in the clear" in result.err
    for address in ("ftp://notary.example", "notary.example", "https://"):
        assert sealed("notarize", "a.seal", "--notary", address).code == 64


def test_a_disabled_company(own_company: Mizheng, notary: NotaryServer) -> None:
    (own_company.cwd / "a").write_bytes(b"a")
    identifier = json.loads(own_company("init", "--json").ok().out)["depositor"]["id"]
    notary.run("org", "disable", identifier)
    assert own_company("notarize", "a").code == 77
    notary.run("org", "enable", identifier)
    own_company("notarize", "a.seal").ok()


def test_a_hint_with_braces_from_outside_is_only_text(sealed: Mizheng, notary: NotaryServer) -> None:
    problem = json.dumps(
        {"type": "urn:mizheng:problem:odd", "title": "a {name} and \x1b[31mred", "hint": "{0.__class__}"}
    ).encode()

    def odd(path: str, answer: dict[str, Any]) -> Any:
        return (422, problem) if path == "/v1/deposits" else answer

    with Liar(notary.url, odd) as liar:
        result = sealed("notarize", "a.seal", "--notary", liar.url)
    assert result.code == 76
    assert "a {name} and" in result.err
    assert "{0.__class__}" in result.err
    assert "\x1b" not in result.err
