"""Passkeys (WebAuthn level 2, through the library `webauthn`): two factors in one, for the user is verified.

Credentials are discoverable, so nobody types a name, and no answer tells who has an account. The library is
imported where it is used: a notary without members need not wait for it.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence
from typing import Any

from mizheng.notary.auditing.recording import record
from mizheng.notary.people.failures import LoginError
from mizheng.notary.people.members import Member
from mizheng.notary.people.setup import PeopleSetup
from mizheng.notary.people.tables import members, passkeys
from mizheng.verifier.canonical import from_hex
from sqlalchemy import Connection, Row, delete, insert, select, update

# Enough for a phone, two computers and what was lost.
MAX_PASSKEYS = 20


def new_challenge() -> str:
    """Hex of 32 random bytes."""
    return secrets.token_hex(32)


def enrolment_options(connection: Connection, setup: PeopleSetup, member: Member, challenge: str) -> str:
    """PublicKeyCredentialCreationOptions as JSON, for the browser."""
    import webauthn
    from webauthn.helpers import structs

    present = [row.credential_id for row in list_passkeys(connection, member)]
    return webauthn.options_to_json(
        webauthn.generate_registration_options(
            rp_id=setup.host,
            rp_name=setup.host,
            user_id=member.pseudonym.encode(),
            # It is shown in the browser's own list of passkeys, which may be kept elsewhere: no name.
            user_name=member.pseudonym,
            challenge=from_hex(challenge),
            authenticator_selection=structs.AuthenticatorSelectionCriteria(
                resident_key=structs.ResidentKeyRequirement.REQUIRED,
                user_verification=structs.UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=item) for item in present],
        )
    )


def enrol_passkey(
    connection: Connection, setup: PeopleSetup, member: Member, challenge: str, credential: str
) -> None:
    """Take up what the browser answered; LoginError unless it is a new key of a verified user."""
    import webauthn
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        found = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=from_hex(challenge),
            expected_rp_id=setup.host,
            expected_origin=setup.origin,
            require_user_verification=True,
        )
    # Whatever bytes a browser sends: besides its own errors the library lets some of its parsers' through.
    except (WebAuthnException, ValueError, KeyError, TypeError, AttributeError):
        raise LoginError("passkey-malformed") from None
    if len(list_passkeys(connection, member)) >= MAX_PASSKEYS:
        raise LoginError("too-many-passkeys")
    known = select(passkeys.c.id).where(passkeys.c.credential_id == found.credential_id)
    if connection.execute(known).first() is not None:
        raise LoginError("passkey-known")
    number = connection.execute(
        insert(passkeys)
        .values(
            member_id=member.id,
            credential_id=found.credential_id,
            public_key=found.credential_public_key,
            sign_count=found.sign_count,
            created_at=int(time.time()),
        )
        .returning(passkeys.c.id)
    ).scalar_one()
    record(connection, "passkey.add", f"passkey:{number}", actor=member.actor)


def login_options(setup: PeopleSetup, challenge: str) -> str:
    """PublicKeyCredentialRequestOptions as JSON, for the browser."""
    import webauthn
    from webauthn.helpers import structs

    return webauthn.options_to_json(
        webauthn.generate_authentication_options(
            rp_id=setup.host,
            challenge=from_hex(challenge),
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        )
    )


def verify_passkey(connection: Connection, setup: PeopleSetup, challenge: str, credential: str) -> int:
    """The id of the member whose passkey signed the challenge; LoginError otherwise."""
    import webauthn
    from webauthn.helpers.exceptions import WebAuthnException

    row, handle = _find(connection, credential)
    try:
        found = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=from_hex(challenge),
            expected_rp_id=setup.host,
            expected_origin=setup.origin,
            credential_public_key=row.public_key,
            credential_current_sign_count=row.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError, AttributeError):
        raise LoginError("passkey-wrong") from None
    # WebAuthn §7.2 step 6: a discoverable credential says whose it is, and must be right.
    if handle != row.pseudonym.encode():
        raise LoginError("passkey-of-another")
    connection.execute(
        update(passkeys)
        .where(passkeys.c.id == row.id)
        .values(sign_count=found.new_sign_count, used_at=int(time.time()))
    )
    number: int = row.member_id
    return number


def list_passkeys(connection: Connection, member: Member) -> Sequence[Row[Any]]:
    query = select(passkeys).where(passkeys.c.member_id == member.id)
    return connection.execute(query.order_by(passkeys.c.id)).all()


def remove_passkey(connection: Connection, member: Member, number: int) -> bool:
    """Take a passkey of this member away; whether there was one. Sessions that it opened go on."""
    query = delete(passkeys).where(passkeys.c.id == number, passkeys.c.member_id == member.id)
    if not connection.execute(query).rowcount:
        return False
    record(connection, "passkey.remove", f"passkey:{number}", actor=member.actor)
    return True


def _find(connection: Connection, credential: str) -> tuple[Row[Any], bytes]:
    from webauthn.helpers import base64url_to_bytes

    try:
        said = json.loads(credential)
        number = base64url_to_bytes(said["rawId"])
        handle = base64url_to_bytes(said["response"]["userHandle"] or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise LoginError("passkey-malformed") from None
    query = (
        select(passkeys, members.c.pseudonym)
        .select_from(passkeys.join(members))
        .where(passkeys.c.credential_id == number)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise LoginError("passkey-unknown")
    return row, handle
