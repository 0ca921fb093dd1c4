"""An observation, `mizheng/observation/v1`: an observer says that the chain has a block, by its own node.

It names its signer's key, so that a broken signature is always told apart from that of an observer
whom the trust file does not know.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from . import dsse
from .canonical import dump, from_hex, parse_instant, parse_typed
from .errors import FormatError
from .evm.block import natural
from .signature import PrivateKey, PublicKey
from .statement import BlockReference

PAYLOAD_TYPE = "application/vnd.mizheng.observation.v1+json"
TYPE = "mizheng/observation/v1"

# Why the observer holds the block final, in its node's words: `finalized`, `instant`, `confirmations:12`.
_RULE = re.compile(r"[a-z]{1,32}(?::[1-9][0-9]{0,9})?")


@dataclass(frozen=True, slots=True)
class Observation:
    """One block that an observer saw final."""

    block: BlockReference
    rule: str
    observed_at: str
    """By the observer's clock."""

    def sign(self, observer: PrivateKey) -> bytes:
        """The envelope's bytes."""
        fields = {
            **self.block.to_json(),
            "type": TYPE,
            "rule": self.rule,
            "observed_at": self.observed_at,
            "signer": observer.public.to_base64(),
        }
        return dsse.sign(dump(fields), PAYLOAD_TYPE, observer)


def parse_observation(data: bytes) -> tuple[Observation, PublicKey]:
    """The observation and its signer, the signature checked; whether the signer is trusted is not.

    FormatError, VersionError or KeyFormatError when malformed, SignatureError when not its signer's.
    """
    envelope = dsse.parse(data, PAYLOAD_TYPE)
    fields = parse_typed(envelope.payload, TYPE, _FIELDS, max_bytes=dsse.MAX_ENVELOPE_BYTES)
    signer = PublicKey.from_base64(fields["signer"])
    envelope.verify(signer)
    if not _RULE.fullmatch(fields["rule"]):
        raise FormatError("an observation under a rule that is not a word or a word and a number")
    parse_instant(fields["observed_at"])
    block = BlockReference(
        natural(fields["chain_id"], least=1),
        from_hex(fields["genesis_hash"], 32),
        natural(fields["number"]),
        from_hex(fields["hash"], 32),
    )
    return Observation(block, fields["rule"], fields["observed_at"]), signer


_FIELDS = {
    "chain_id": int,
    "genesis_hash": str,
    "number": int,
    "hash": str,
    "rule": str,
    "observed_at": str,
    "signer": str,
}
