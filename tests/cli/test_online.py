"""`--online`: what nodes of one's own choice say. Here they are servers of the test's own."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from mizheng.cli.checking.online import Questions, ask_nodes, read_questions
from mizheng.cli.errors import UnavailableFault, UsageFault
from mizheng.verifier.anchor import parse_anchor
from mizheng.verifier.bundle import Bundle

from tests.cli.runner import Mizheng
from tests.support.notary import NotaryServer

GENESIS = "11" * 32
BLOCK = "22" * 32

Answer = Callable[[str, list[Any]], Any]


@contextmanager
def node(answer: Answer) -> Iterator[str]:
    """A JSON-RPC server; `answer` gives a result, or an exception for an RPC error, or bytes as they are."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            result = answer(request["method"], request["params"])
            if isinstance(result, bytes):
                data = result
            elif isinstance(result, Exception):
                error = {"code": -32601, "message": str(result)}
                data = json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": error}).encode()
            else:
                data = json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/secret-token"
    finally:
        server.shutdown()
        server.server_close()


def chain(final: int | None = 10, blocks: dict[int, str] | None = None, root: str = "33" * 32) -> Answer:
    known = {0: GENESIS, **({7: BLOCK} if blocks is None else blocks)}

    def answer(method: str, parameters: list[Any]) -> Any:
        if method == "eth_chainId":
            return "0x539"
        if method == "eth_call":
            return "0x" + root
        if parameters[0] == "finalized":
            return ValueError("no such tag") if final is None else {"number": hex(final), "hash": "0x"}
        number = int(parameters[0], 16)
        return {"number": hex(number), "hash": "0x" + known[number]} if number in known else None

    return answer


def questions() -> Questions:
    asked = Questions()
    asked.add_block(1337, bytes.fromhex(GENESIS), 7)
    asked.add_block(1337, bytes.fromhex(GENESIS), 9)
    asked.add_block(1, bytes.fromhex(GENESIS), 8)
    return asked


def test_blocks_are_asked_for_by_chain_and_number() -> None:
    with node(chain()) as address:
        blocks, roots = ask_nodes([address], questions())
    assert roots == []
    found, missing = blocks
    assert found.is_final
    assert found.block.number == 7
    assert found.block.hash.hex() == BLOCK
    assert "secret-token" not in found.source
    # A node without the block does not vouch for it, and is not passed over.
    assert (missing.block.number, missing.block.hash) == (9, b"")


@pytest.mark.parametrize(("final", "expected"), [(10, True), (7, True), (6, False), (None, False)])
def test_final_is_what_the_node_calls_so(final: int | None, expected: bool) -> None:
    with node(chain(final)) as address:
        blocks, _roots = ask_nodes([address], questions())
    assert blocks[0].is_final is expected


@pytest.mark.parametrize(
    ("rule", "latest", "expected"),
    [
        ("instant", 7, True),
        ("instant", 6, False),
        ("confirmations:3", 10, True),
        ("confirmations:3", 9, False),
    ],
)
def test_on_a_chain_without_a_final_block_the_rule_is_the_users(
    rule: str, latest: int, expected: bool
) -> None:
    plain = chain(None)

    def answer(method: str, parameters: list[Any]) -> Any:
        return hex(latest) if method == "eth_blockNumber" else plain(method, parameters)

    with node(answer) as address:
        blocks, _roots = ask_nodes([address], questions(), rule)
        assert blocks[0].is_final is expected
        with pytest.raises(UsageFault, match="soon"):
            ask_nodes([address], questions(), "soon")


def test_a_node_of_another_chain_is_the_wrong_node() -> None:
    other = Questions()
    other.add_block(1337, bytes(32), 7)
    with node(chain()) as address, pytest.raises(UsageFault, match="on chain 1337"):
        ask_nodes([address], other)


@pytest.mark.parametrize(
    "answer",
    [
        lambda _method, _parameters: b"<html>",
        lambda _method, _parameters: b"[]",
        lambda _method, _parameters: ValueError("no"),
        lambda _method, _parameters: None,
        lambda _method, _parameters: "0xzz",
        lambda method, _parameters: "0x1" if method == "eth_chainId" else {"hash": "0x12"},
        lambda method, _parameters: "0x1" if method == "eth_chainId" else [],
        lambda _method, _parameters: b"[" * 100_000,
    ],
)
def test_nonsense_is_an_error(answer: Answer) -> None:
    with node(answer) as address, pytest.raises(UnavailableFault) as caught:
        ask_nodes([address], questions())
    assert "secret-token" not in str(caught.value)


def test_addresses() -> None:
    with pytest.raises(UnavailableFault, match="cannot be reached"):
        ask_nodes(["http://127.0.0.1:9/token"], questions())
    for address in ("ftp://node.example", "node.example"):
        with pytest.raises(UsageFault):
            ask_nodes([address], questions())


def test_what_is_no_bundle_asks_nothing(tmp_path: Path) -> None:
    path = tmp_path / "junk.zip"
    path.write_bytes(b"junk")
    assert read_questions(path).blocks == {}


def test_a_whole_bundle_online(company: Mizheng, notary: NotaryServer) -> None:
    """With no pin in the trust file, the node's word decides: final, not final, another block or root."""
    (company.cwd / "a").write_bytes(b"a")
    company("notarize", "a").ok()
    company("status", "a.seal", "--wait", "--timeout", "60").ok()
    company("bundle", "a.seal", "--open", "a").ok()
    trust = notary.export_trust(company.cwd / "trust.toml")
    lines = [line for line in trust.read_text().splitlines() if not line.startswith("  {number")]
    trust.write_text("\n".join(lines) + "\n")
    with Bundle(company.cwd / "a.zip") as bundle:
        anchor = parse_anchor(bundle.read("anchors/0001.json"))
    asked = read_questions(company.cwd / "a.zip")
    numbers = asked.blocks[anchor.chain.chain_id, anchor.chain.genesis_hash]
    with Bundle(company.cwd / "a.zip") as bundle:
        beacon = json.loads(bundle.read("beacon.json"))
    true = {anchor.block.number: anchor.block.hash.hex(), beacon["number"]: beacon["hash"]}
    if anchor.storage:
        true[anchor.storage.block.number] = anchor.storage.block.hash.hex()
    assert set(true) == numbers

    def answers(blocks: dict[int, str], final: int, root: bytes) -> Answer:
        honest = chain(final, {**blocks, 0: anchor.chain.genesis_hash.hex()}, root.hex())

        def answer(method: str, parameters: list[Any]) -> Any:
            return hex(anchor.chain.chain_id) if method == "eth_chainId" else honest(method, parameters)

        return answer

    def run(blocks: dict[int, str], final: int, root: bytes) -> tuple[int, str]:
        with node(answers(blocks, final, root)) as address:
            result = company("verify", "a.zip", "--trust", trust, "--online", address, "--json")
            return result.code, result.json["verdict"]

    height = max(true)
    assert company("verify", "a.zip", "--trust", trust).code == 2
    assert run(true, height, anchor.root_hash) == (0, "valid")
    assert run(true, 0, anchor.root_hash)[0] == 2
    assert run({**true, anchor.block.number: "44" * 32}, height, anchor.root_hash)[0] == 1
    assert run(true, height, bytes(32))[0] == 1
    down = company("verify", "a.zip", "--trust", trust, "--online", "http://127.0.0.1:9")
    assert down.code == 69
