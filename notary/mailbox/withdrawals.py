"""A withdrawal as the mailbox takes it: signed, by a key of the company that left the item.

What transfer it names the notary cannot tell: that is a digest, and the transfer lies inside the ciphertext.
"""

from __future__ import annotations

from mizheng.notary.companies.api_keys import Caller
from mizheng.notary.errors import Problem
from mizheng.notary.models import company_keys
from mizheng.verifier import dsse
from mizheng.verifier.canonical import from_hex, parse_instant, parse_typed
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.signature import PublicKey
from sqlalchemy import Connection, select

_PAYLOAD_TYPE = "application/vnd.mizheng.withdrawal.v1+json"
_TYPE = "mizheng/withdrawal/v1"
_FIELDS = {"public_key": str, "transfer_sha256": str, "withdrawn_at": str}


def check_withdrawal(connection: Connection, caller: Caller, body: bytes) -> None:
    """Problem `withdrawal-malformed` unless it is one, by a key that was ever enrolled for the company."""
    try:
        envelope = dsse.parse(body, _PAYLOAD_TYPE)
        value = parse_typed(envelope.payload, _TYPE, _FIELDS)
        from_hex(value["transfer_sha256"], 32)
        parse_instant(value["withdrawn_at"])
        key = PublicKey.from_base64(value["public_key"])
        envelope.verify(key)
    except MizhengError:
        raise Problem("withdrawal-malformed") from None
    query = select(company_keys.c.organisation_id).where(company_keys.c.keyid == key.keyid)
    if connection.execute(query).scalar_one_or_none() != caller.organisation_id:
        raise Problem("withdrawal-malformed", "it is signed by no key of this company")
