from typing import Any

import pytest
import rlp as oracle
from hypothesis import given
from hypothesis import strategies as st
from mizheng.verifier.errors import ChainProofError, FormatError, VersionError
from mizheng.verifier.evm.event import ANCHORED_TOPIC, verify_anchored
from mizheng.verifier.evm.header import parse_header
from mizheng.verifier.evm.receipt import Log, Receipt, parse_receipt, verify_receipt

from .world import (
    CONTRACT,
    LOG_ID,
    TOPIC,
    World,
    anchored_log,
    build_receipt,
    build_receipts,
    prove,
    root_of,
    transfer_log,
)

hashes = st.binary(min_size=32, max_size=32)
logs = st.builds(
    Log,
    st.binary(min_size=20, max_size=20),
    st.lists(hashes, max_size=4).map(tuple),
    st.binary(max_size=100),
)


@given(st.sampled_from(range(5)), st.booleans(), st.lists(logs, max_size=4))
def test_reads_what_py_evm_writes(kind: int, succeeded: bool, written: list[Log]) -> None:
    theirs = [
        oracle.decode(oracle.encode([log.address, list(log.topics), log.data]), _log_sedes())
        for log in written
    ]
    data = build_receipt(kind, theirs, status=b"\x01" if succeeded else b"")
    assert data[0] == kind or (kind == 0 and data[0] >= 0xC0)
    assert parse_receipt(data) == Receipt(int(succeeded), tuple(written))


def _log_sedes() -> Any:
    from eth.rlp.logs import Log as TheirLog

    return TheirLog


def parts() -> list[Any]:
    return [b"\x01", b"\x52\x08", bytes(256), [[CONTRACT, [TOPIC], b""]]]


@pytest.mark.parametrize(
    "change",
    [
        {0: b"\x02"},
        {0: b"\x00"},
        {0: bytes(32)},  # before Byzantium: a state root, which says nothing of success
        {0: []},
        {1: b"\x00"},
        {1: bytes(9)},
        {2: bytes(255)},
        {2: b""},
        {3: b""},
        {3: [b""]},
        {3: [[CONTRACT, [TOPIC]]]},
        {3: [[CONTRACT, [TOPIC], b"", b""]]},
        {3: [[CONTRACT[:19], [TOPIC], b""]]},
        {3: [[CONTRACT, [TOPIC[:31]], b""]]},
        {3: [[CONTRACT, TOPIC, b""]]},
        {3: [[CONTRACT, [TOPIC], []]]},
        {3: [[CONTRACT, [[TOPIC]], b""]]},
    ],
)
def test_malformed(change: dict[int, Any]) -> None:
    items = parts()
    parse_receipt(oracle.encode(items))
    for place, value in change.items():
        items[place] = value
    for prefix in (b"", b"\x02"):
        with pytest.raises(FormatError):
            parse_receipt(prefix + oracle.encode(items))


def test_no_receipt_at_all() -> None:
    for data in (b"", b"\x02", b"\x80", b"\xc0", b"\x02\x02" + oracle.encode(parts()), b"\x01\xc0"):
        with pytest.raises(FormatError):
            parse_receipt(data)
    with pytest.raises(FormatError):
        parse_receipt(oracle.encode(parts()) + b"\0")


@pytest.mark.parametrize("kind", [0, 5, 6, 0x64, 0x7E, 0x7F])
def test_types_whose_receipts_are_unknown(kind: int) -> None:
    with pytest.raises(VersionError):
        parse_receipt(bytes([kind]) + oracle.encode(parts()))


def test_place_in_the_block() -> None:
    receipts = [*build_receipts(150, {130: 9}), *build_receipts(1, {})]
    world = World(8, receipts)
    header = parse_header(world.block.header)
    for index in (0, 1, 127, 128, 130, 150):
        proof = prove(world.receipts_trie, oracle.encode(index))
        assert verify_receipt(header, index, receipts[index], proof) == parse_receipt(receipts[index])
        # The same receipt stands at 0 and at 150: even so a proof holds at its own index only.
        for wrong in {0, 1, 127, 128, 130, 150, 151} - {index}:
            with pytest.raises(ChainProofError):
                verify_receipt(header, wrong, receipts[index], proof)
        with pytest.raises(ChainProofError, match="another receipt"):
            verify_receipt(header, index, receipts[index][:-1] + b"\0", proof)


def anchored(**change: Any) -> Receipt:
    status = change.pop("status", b"\x01")
    made = anchored_log(7, root_of(7))
    return parse_receipt(build_receipt(2, [transfer_log(1), made], status=status))


def check(receipt: Receipt, log_index: int = 1, **change: Any) -> Log:
    given_ = {"contract": CONTRACT, "log_id": LOG_ID, "size": 7, "root": root_of(7), **change}
    return verify_anchored(receipt, log_index, **given_)


def test_event() -> None:
    log = check(anchored())
    assert log.topics == (TOPIC, LOG_ID, (7).to_bytes(32, "big"))
    assert ANCHORED_TOPIC == TOPIC


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"log_index": 0}, "another contract"),
        ({"log_index": 2}, "no event"),
        ({"log_index": 2**53 - 1}, "no event"),
        ({"contract": bytes(20)}, "another contract"),
        ({"log_id": bytes(32)}, "another log"),
        ({"size": 8}, "another tree size"),
        ({"size": 7 + 2**64}, "another tree size"),
        ({"root": root_of(8)}, "another root"),
        ({"root": root_of(7) + b"\0"}, "another root"),
        ({"root": b""}, "another root"),
    ],
)
def test_another_event(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ChainProofError, match=message):
        check(anchored(), **change)


def test_a_failed_transaction_proves_nothing() -> None:
    with pytest.raises(ChainProofError, match="failed"):
        check(anchored(status=b""))


@pytest.mark.parametrize(
    ("topics", "data"),
    [
        ([], root_of(7)),
        ([TOPIC], LOG_ID + bytes(31) + b"\x07" + root_of(7)),  # the same values, none indexed
        ([TOPIC, LOG_ID], (7).to_bytes(32, "big") + root_of(7)),
        ([TOPIC, LOG_ID, (7).to_bytes(32, "big"), root_of(7)], b""),
        ([LOG_ID, TOPIC, (7).to_bytes(32, "big")], root_of(7)),
        ([bytes(32), LOG_ID, (7).to_bytes(32, "big")], root_of(7)),
        ([TOPIC, LOG_ID, (7).to_bytes(32, "big")], root_of(7) + bytes(32)),
    ],
)
def test_an_event_that_only_looks_like_it(topics: list[bytes], data: bytes) -> None:
    receipt = Receipt(1, (Log(CONTRACT, tuple(topics), data),))
    with pytest.raises(ChainProofError):
        check(receipt, 0)
