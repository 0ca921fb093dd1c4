"""The signed documents of a bundle, opened so that a field can be changed and signed again in due form."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from mizheng.verifier import dsse
from mizheng.verifier.bundle import BUNDLE_PAYLOAD_TYPE
from mizheng.verifier.enrolment import ENROLMENT_PAYLOAD_TYPE, KEY_STATUS_PAYLOAD_TYPE
from mizheng.verifier.observation import PAYLOAD_TYPE as OBSERVATION_PAYLOAD_TYPE
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.statement import STATEMENT_PAYLOAD_TYPE

from .scene import Members, Scene

OBSERVATION = "observations/0001.dsse.json"
STATEMENT = "statement.dsse.json"
PAYLOAD_TYPES = {
    "bundle.dsse.json": BUNDLE_PAYLOAD_TYPE,
    STATEMENT: STATEMENT_PAYLOAD_TYPE,
    "enrolment.dsse.json": ENROLMENT_PAYLOAD_TYPE,
    "key-status.dsse.json": KEY_STATUS_PAYLOAD_TYPE,
    OBSERVATION: OBSERVATION_PAYLOAD_TYPE,
}
PLAIN = ("records/0001.json", "anchors/0001.json", "beacon.json")
JSON_MEMBERS = (*PAYLOAD_TYPES, *PLAIN)


@dataclass
class Documents:
    """A valid bundle with an observation in it, and all the keys that signed its members."""

    members: Members
    keys: dict[str, PrivateKey]

    @classmethod
    def of(cls, scene: Scene) -> Documents:
        members = {**scene.honest, OBSERVATION: scene.world.observe(scene.anchor_block)}
        company, issuer = scene.acme.key, scene.world.issuer
        keys = {
            "bundle.dsse.json": company,
            STATEMENT: company,
            "enrolment.dsse.json": issuer,
            "key-status.dsse.json": issuer,
            OBSERVATION: scene.world.observers[0],
        }
        return cls(members, keys)

    def payload(self, name: str) -> bytes:
        return dsse.parse(self.members[name], PAYLOAD_TYPES[name]).payload

    def value(self, name: str) -> Any:
        """The JSON value of a plain member, or of the payload of a signed one."""
        return json.loads(self.payload(name) if name in PAYLOAD_TYPES else self.members[name])

    def signed(self, name: str, payload: bytes, payload_type: str | None = None) -> Members:
        """With this payload in its place, signed by the key that signed the honest one."""
        return {
            **self.members,
            name: dsse.sign(payload, payload_type or PAYLOAD_TYPES[name], self.keys[name]),
        }

    def put(self, name: str, data: bytes) -> Members:
        """With these bytes as the payload of a signed member, or as a plain one."""
        return self.signed(name, data) if name in PAYLOAD_TYPES else {**self.members, name: data}
