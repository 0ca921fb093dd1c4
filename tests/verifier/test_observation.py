import json
from typing import Any

import pytest
from mizheng.verifier import canonical, dsse
from mizheng.verifier.errors import FormatError, MizhengError, SignatureError, VersionError
from mizheng.verifier.observation import PAYLOAD_TYPE, Observation, parse_observation
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.statement import BlockReference

KEYS = {"ed25519": PrivateKey.generate("ed25519"), "p256": PrivateKey.generate("p256")}
KEY = KEYS["ed25519"]
OBSERVATION = Observation(
    BlockReference(1, b"\x01" * 32, 23_000_000, b"\x02" * 32), "finalized", "2026-11-23T02:00:00Z"
)


@pytest.mark.parametrize("key", KEYS.values(), ids=list(KEYS))
@pytest.mark.parametrize("rule", ["finalized", "instant", "confirmations:12"])
def test_round_trip(key: PrivateKey, rule: str) -> None:
    observation = Observation(OBSERVATION.block, rule, OBSERVATION.observed_at)
    assert parse_observation(observation.sign(key)) == (observation, key.public)


def test_payload() -> None:
    envelope = dsse.parse(OBSERVATION.sign(KEY), PAYLOAD_TYPE)
    assert json.loads(envelope.payload) == {
        "type": "mizheng/observation/v1",
        "chain_id": 1,
        "genesis_hash": "01" * 32,
        "number": 23_000_000,
        "hash": "02" * 32,
        "rule": "finalized",
        "observed_at": "2026-11-23T02:00:00Z",
        "signer": KEY.public.to_base64(),
    }


@pytest.mark.parametrize("key", KEYS.values(), ids=list(KEYS))
def test_every_byte(key: PrivateKey) -> None:
    data = bytearray(OBSERVATION.sign(key))
    for place in range(len(data)):
        data[place] ^= 1 << (place % 8)
        with pytest.raises(MizhengError):
            parse_observation(bytes(data))
        data[place] ^= 1 << (place % 8)


def sign(change: dict[str, Any], *, key: PrivateKey = KEY, drop: str = "") -> bytes:
    payload = json.loads(dsse.parse(OBSERVATION.sign(KEY), PAYLOAD_TYPE).payload)
    payload |= change
    payload.pop(drop, None)
    return dsse.sign(canonical.dump(payload), PAYLOAD_TYPE, key)


def test_signed_by_another_than_it_names() -> None:
    for wrong in (sign({}, key=KEYS["p256"]), sign({"signer": KEYS["p256"].public.to_base64()})):
        with pytest.raises(SignatureError):
            parse_observation(wrong)


@pytest.mark.parametrize(
    "change",
    [
        {"chain_id": 0},
        {"chain_id": "1"},
        {"number": -1},
        {"number": True},
        {"hash": "02" * 31},
        {"hash": "0x" + "02" * 32},
        {"genesis_hash": "AA" * 32},
        {"genesis_hash": None},
        {"rule": ""},
        {"rule": "Finalized"},
        {"rule": "confirmations:"},
        {"rule": "confirmations:012"},
        {"rule": "finalized\n"},
        {"rule": "x" * 33},
        {"rule": 12},
        {"observed_at": "2026-11-23"},
        {"observed_at": 1790000000},
        {"note": "unknown field"},
    ],
)
def test_malformed(change: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        parse_observation(sign(change))


@pytest.mark.parametrize(
    "name", ["type", "chain_id", "genesis_hash", "number", "hash", "rule", "observed_at", "signer"]
)
def test_missing_field(name: str) -> None:
    with pytest.raises(FormatError):
        parse_observation(sign({}, drop=name))


def test_another_document_of_the_same_signer() -> None:
    with pytest.raises(VersionError):
        parse_observation(sign({"type": "mizheng/observation/v2", "confidence": 1}))
    payload = dsse.parse(OBSERVATION.sign(KEY), PAYLOAD_TYPE).payload
    with pytest.raises(FormatError):
        parse_observation(dsse.sign(payload, "application/vnd.mizheng.key-status.v1+json", KEY))
    with pytest.raises(FormatError):
        parse_observation(dsse.sign(payload, PAYLOAD_TYPE, KEY, KEYS["p256"]))
