"""Events: that a company wants a document on record, of which the notary learns nothing but a digest.

The same checks as for deposits, and the same place in the log. The document may be a disclosure, or a custody
or access event; which, the notary cannot tell. No entry can be had here for anything but an event: what the
log holds of statements and enrolments was checked as such.
"""

import time

from mizheng.notary.companies.api_keys import Caller
from mizheng.notary.errors import Problem
from mizheng.notary.intake.deposits import Deposit
from mizheng.notary.log.append import NewEntry
from mizheng.verifier import dsse
from mizheng.verifier.canonical import parse_object
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.event import EVENT_PAYLOAD_TYPE, parse_event


def check_event(caller: Caller, body: bytes) -> Deposit:
    """The event on its way into the log, checked by itself; Problem if it is none."""
    try:
        envelope = dsse.parse(body, EVENT_PAYLOAD_TYPE)
        event = parse_event(envelope.payload)
    except MizhengError:
        # Told apart only once it has failed: is it an envelope at all, of something else?
        try:
            parse_object(body, {"payload": str, "payloadType": str, "signatures": list})
        except MizhengError:
            raise Problem("envelope-malformed") from None
        raise Problem("event-malformed") from None
    try:
        envelope.verify(event.public_key)
    except MizhengError:
        raise Problem("signature-wrong") from None
    entry = NewEntry(bytes.fromhex(envelope.sha256), "event")
    return Deposit(entry, body, None, event.public_key.keyid, caller, int(time.time()))
