"""From a node's JSON back to the bytes that were hashed: headers and receipts.

A node sends a header as JSON, but its hash is over the RLP. Putting it together again and comparing the
hash shows that nothing was left out or changed, and gives the bytes that evidence needs.

Sources: execution-apis (JSON), Yellow Paper §4.3 and the EIPs named in mizheng.verifier.evm.header (RLP),
EIP-2718 (receipts).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from mizheng.notary.chain.interface import EvidenceError
from mizheng.verifier.consensus.sealed import BFT_DIGEST, strip_seals
from mizheng.verifier.consensus.validators import IBFT2, QBFT
from mizheng.verifier.errors import FormatError
from mizheng.verifier.evm import rlp
from mizheng.verifier.evm.block import Block
from mizheng.verifier.evm.keccak import keccak256

Json = Mapping[str, Any]

# Name in JSON, and whether it is a number (RLP scalar) or a string of bytes. In the header's order.
_HEADER_FIELDS = (
    ("parentHash", False),
    ("sha3Uncles", False),
    ("miner", False),
    ("stateRoot", False),
    ("transactionsRoot", False),
    ("receiptsRoot", False),
    ("logsBloom", False),
    ("difficulty", True),
    ("number", True),
    ("gasLimit", True),
    ("gasUsed", True),
    ("timestamp", True),
    ("extraData", False),
    ("mixHash", False),
    ("nonce", False),
    ("baseFeePerGas", True),
    ("withdrawalsRoot", False),
    ("blobGasUsed", True),
    ("excessBlobGas", True),
    ("parentBeaconBlockRoot", False),
    ("requestsHash", False),
)


def parse_quantity(text: Any) -> int:
    """A number as JSON-RPC writes it, `0x1f`; ValueError otherwise."""
    if not isinstance(text, str) or not text.startswith("0x"):
        raise ValueError("not a quantity")
    return int(text, 16)


def parse_data(text: Any, length: int | None = None) -> bytes:
    """Bytes as JSON-RPC writes them, `0x…`, of exactly `length` if given; ValueError otherwise."""
    if not isinstance(text, str) or not text.startswith("0x"):
        raise ValueError("not data")
    data = bytes.fromhex(text[2:])
    if length is not None and len(data) != length:
        raise ValueError("data of another length")
    return data


def header_of(header: Json) -> bytes:
    """The RLP of a header as the node shows it, with all seals; KeyError or ValueError if it is none."""
    fields: list[rlp.Encodable] = []
    for name, is_number in _HEADER_FIELDS:
        # A field of a later fork than the block's is missing, and so are all after it.
        if name not in header and name != "nonce":
            break
        fields.append(parse_quantity(header[name]) if is_number else parse_data(header[name]))
    return rlp.encode(fields)


def block_of(header: Json) -> Block:
    """The block whose header this is; EvidenceError if the fields do not hash to the hash it claims.

    KeyError or ValueError if the JSON is not that of a block.
    """
    shown = header_of(header)
    claimed = parse_data(header["hash"], 32)
    for data in _hashed_forms(shown, parse_data(header["mixHash"])):
        if keccak256(data) == claimed:
            return Block(parse_quantity(header["number"]), claimed, data)
    raise EvidenceError(
        "block {number} does not hash to its hash: its header is not one of Ethereum's",
        hint="chains with other headers need a profile of their own kind",
        number=parse_quantity(header["number"]),
    )


def _hashed_forms(shown: bytes, mix_hash: bytes) -> Iterator[bytes]:
    """What the block's hash may be over: the header as it is, or without the seals of BFT validators."""
    yield shown
    if mix_hash == BFT_DIGEST:
        for kind in (QBFT, IBFT2):
            with suppress(FormatError):
                yield strip_seals(kind, shown)


def receipt_of(receipt: Json) -> bytes:
    """The consensus encoding of a receipt; KeyError or ValueError if the JSON is none.

    Whether it is right shows when the receipts of the block hash to its receipts root.
    """
    logs: list[rlp.Encodable] = [
        [
            parse_data(log["address"], 20),
            [parse_data(topic, 32) for topic in log["topics"]],
            parse_data(log["data"]),
        ]
        for log in receipt["logs"]
    ]
    # Before Byzantium a state root stood where the status is.
    outcome: rlp.Encodable = (
        parse_quantity(receipt["status"]) if receipt.get("status") else parse_data(receipt["root"], 32)
    )
    payload = rlp.encode(
        [outcome, parse_quantity(receipt["cumulativeGasUsed"]), parse_data(receipt["logsBloom"], 256), logs]
    )
    kind = parse_quantity(receipt.get("type", "0x0"))
    return payload if kind == 0 else bytes([kind]) + payload
