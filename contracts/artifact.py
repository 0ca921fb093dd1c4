"""The compiled anchor contract, as committed: what deploys it, what calls it, what evidence compares."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ARTIFACT = Path(__file__).parent / "artifacts" / "MizhengAnchor.json"


@dataclass(frozen=True, slots=True)
class Artifact:
    """The artifact's fields that programs use; the file says more (compiler, sources, storage layout)."""

    abi: list[dict[str, Any]]
    """Contract ABI, as JSON values."""

    bytecode: bytes
    """Deployment code; the constructor takes no arguments."""

    deployed_bytecode: bytes
    """Code as it stands on the chain; without immutables, so the same everywhere."""

    code_hash: bytes
    """Keccak-256 of deployed_bytecode, 32 bytes: the account's codeHash in a state proof."""

    events: dict[str, bytes]
    """First topic of each event, 32 bytes, by its name."""

    selectors: dict[str, bytes]
    """First four bytes of call data and of a custom error's data, by name: functions and errors."""


@functools.cache
def load_artifact() -> Artifact:
    """The committed artifact; read once."""
    raw = json.loads(ARTIFACT.read_text(encoding="utf-8"))
    return Artifact(
        abi=raw["abi"],
        bytecode=_bytes(raw["bytecode"]),
        deployed_bytecode=_bytes(raw["deployedBytecode"]),
        code_hash=_bytes(raw["codeHash"]),
        events={_name(signature): _bytes(topic) for signature, topic in raw["events"].items()},
        selectors={
            _name(signature): _bytes(selector)
            for kind in ("functions", "errors")
            for signature, selector in raw[kind].items()
        },
    )


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _name(signature: str) -> str:
    return signature.partition("(")[0]
