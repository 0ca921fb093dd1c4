"""No part of sound evidence can change, or come from other sound evidence, without a check failing."""

import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import pytest
from mizheng.verifier import canonical
from mizheng.verifier.anchor import AnchorEvidence, dump_anchor, parse_anchor, verify_anchor
from mizheng.verifier.errors import ChainProofError, FormatError, MizhengError, VersionError

from .evm.world import (
    CHAIN,
    CODE_HASH,
    CONTRACT,
    LOG_ID,
    World,
    build_evidence,
    build_receipts,
    root_of,
)


def verifies(data: bytes) -> bool:
    """Whether evidence holds for the root it is wanted for; nothing but errors of ours may be raised."""
    try:
        evidence = parse_anchor(data)
        verify_anchor(evidence, CHAIN, CONTRACT, CODE_HASH)
    except MizhengError:
        return False
    return True


SOUND = {
    "both": build_evidence(),
    "one block": build_evidence(later=0, receipts=20, index=7),
    "receipt": replace(build_evidence(receipts=140), storage=None),
    "one receipt": replace(build_evidence(receipts=1, index=0), storage=None),
    "storage": replace(build_evidence(later=0), receipt=None),
}


@pytest.fixture(params=SOUND)
def sound(request: pytest.FixtureRequest) -> AnchorEvidence:
    evidence = SOUND[request.param]
    assert verifies(dump_anchor(evidence))
    return evidence


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, (dict, list)) and value:
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*path, key))
    else:
        yield path


def put(value: Any, path: tuple[Any, ...], new: Any) -> None:
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = new


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def other_values(value: Any) -> Iterator[Any]:
    if isinstance(value, int):
        yield from (value + 1, value - 1, 0, 1, 2**53 - 1, value ^ 256, value + 2**32)
    elif isinstance(value, str):
        for place in {0, 1, len(value) // 2, len(value) - 1} if value else ():
            digit = value[place]
            yield value[:place] + ("0" if digit != "0" else "1") + value[place + 1 :]
        yield from (value[2:], value[:-2], value + "00", "00" + value, "")
    elif isinstance(value, list):
        yield from ([value[0]], []) if value else (["00"],)
    elif value is None:
        yield {}


def test_every_field(sound: AnchorEvidence) -> None:
    """Alter each field in turn. Chain, contract and code are trust's; all the rest is bound by the proofs."""
    original = json.loads(dump_anchor(sound))
    count = 0
    for path in leaves(original):
        was = at(original, path)
        for new in other_values(was):
            if new == was:
                continue
            put(original, path, new)
            assert not verifies(canonical.dump(original)), path
            count += 1
        put(original, path, was)
    assert verifies(canonical.dump(original))
    assert count > 100


def test_proof_nodes_dropped_doubled_swapped(sound: AnchorEvidence) -> None:
    original = json.loads(dump_anchor(sound))
    lists = [("receipt", "proof"), ("storage", "account_proof"), ("storage", "slot_proof")]
    for part, name in lists:
        if original[part] is None:
            continue
        nodes = original[part][name]
        wrong = [nodes[:place] + nodes[place + 1 :] for place in range(len(nodes))]
        wrong += [nodes[: place + 1] + nodes[place:] for place in range(len(nodes))]
        wrong += [[*nodes, "80"], ["80", *nodes], [*nodes, nodes[0]], [*nodes, ""]]
        if len(nodes) > 1:
            wrong.append(nodes[::-1])
        for changed in wrong:
            original[part][name] = changed
            assert not verifies(canonical.dump(original)), (part, name)
        original[part][name] = nodes


def test_every_byte(sound: AnchorEvidence) -> None:
    """One other bit in each byte, spread over all eight: parsed or not, it never verifies."""
    data = bytearray(dump_anchor(sound))
    step = 1 if len(data) < 8_000 else 3
    for place in range(0, len(data), step):
        data[place] ^= 1 << (place % 8)
        assert not verifies(bytes(data)), place
        data[place] ^= 1 << (place % 8)


def test_bits_of_proof_nodes(sound: AnchorEvidence) -> None:
    """Bits of what the hex stands for, so that every change parses and reaches the hashes."""
    pick = random.Random(7)
    for _ in range(400):
        target: Any
        changed, target = sound, pick.choice([part for part in (sound.receipt, sound.storage) if part])
        name = pick.choice(["proof", "data"] if target is sound.receipt else ["account_proof", "slot_proof"])
        value = getattr(target, name)
        place = pick.randrange(len(value)) if isinstance(value, tuple) else None
        node = bytearray(value if place is None else value[place])
        node[pick.randrange(len(node))] ^= 1 << pick.randrange(8)
        new = bytes(node) if place is None else (*value[:place], bytes(node), *value[place + 1 :])
        part = "receipt" if target is sound.receipt else "storage"
        changed = replace(sound, **{part: replace(target, **{name: new})})
        with pytest.raises(ChainProofError):
            verify_anchor(parse_anchor(dump_anchor(changed)), CHAIN, CONTRACT, CODE_HASH)


def pieces(evidence: AnchorEvidence) -> dict[tuple[str, ...], Any]:
    """All parts of evidence that could come from elsewhere: whole fields, and fields of fields."""
    found: dict[tuple[str, ...], Any] = {}
    for outer in fields(evidence):
        value = getattr(evidence, outer.name)
        found[(outer.name,)] = value
        for inner in fields(value) if hasattr(value, "__dataclass_fields__") else ():
            found[(outer.name, inner.name)] = getattr(value, inner.name)
    return found


def exchange(evidence: AnchorEvidence, path: tuple[str, ...], value: Any) -> AnchorEvidence:
    if len(path) == 2:
        value = replace(getattr(evidence, path[0]), **{path[1]: value})
    return replace(evidence, **{path[0]: value})


def test_parts_of_two_sound_evidences() -> None:
    """Three anchors of one log, two in the same block: every part of one in the place of another's."""
    first = World(500, build_receipts(20, {3: 50, 4: 60}), (50, 60))
    second = World(600, build_receipts(20, {3: 70}), (50, 60, 70))
    third = World(601, build_receipts(30, {}), (50, 60, 70))

    def make(world: World, index: int, size: int, after: World) -> AnchorEvidence:
        proofs = (world.receipt_proof(index, 1), after.storage_proof(size))
        return AnchorEvidence(CHAIN, CONTRACT, LOG_ID, size, root_of(size), world.block, *proofs)

    evidences = [
        make(first, 3, 50, first),
        make(first, 4, 60, third),
        make(second, 3, 70, third),
    ]
    assert all(verifies(dump_anchor(evidence)) for evidence in evidences)
    refused = 0
    for one, other in itertools.permutations(evidences, 2):
        theirs = pieces(other)
        for path, value in pieces(one).items():
            if theirs[path] == value:
                continue
            assert not verifies(dump_anchor(exchange(one, path, theirs[path]))), path
            refused += 1
    assert refused > 60


def test_the_same_root_on_another_later_block_is_as_good() -> None:
    """What may change: the storage proof as a whole, for another of a later block that proves the same."""
    first = World(500, build_receipts(20, {3: 50}), (50,))
    later = World(600, build_receipts(5, {}), (50, 70))
    proofs = (first.receipt_proof(3, 1), first.storage_proof(50))
    evidence = AnchorEvidence(CHAIN, CONTRACT, LOG_ID, 50, root_of(50), first.block, *proofs)
    assert verifies(dump_anchor(evidence))
    assert verifies(dump_anchor(replace(evidence, storage=later.storage_proof(50))))
    assert verifies(dump_anchor(replace(evidence, storage=None)))


def test_what_is_not_evidence_at_all() -> None:
    pick = random.Random(3)
    for length in range(0, 200, 7):
        with pytest.raises(FormatError):
            parse_anchor(pick.randbytes(length))
    with pytest.raises(FormatError, match="expected mizheng/anchor/v1"):
        parse_anchor(b'{"type":"mizheng/beacon/v1"}')
    with pytest.raises(VersionError):
        parse_anchor(b'{"type":"mizheng/anchor/v2"}')
