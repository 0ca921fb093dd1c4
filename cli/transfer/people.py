"""Whom this person sends to: each recipient with every key he ever had here, home/recipients/ID.json.

A key is `unconfirmed` until its fingerprint was compared by another channel, `confirmed`, `replaced` by a
later one, or `revoked`. Only a confirmed key is sent to. A card that the confirmed signing key signed, and
that names the confirmed age key as replaced, is believed without another call. Nothing brings back a key that
was replaced so, or revoked.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mizheng.cli.errors import ConfigurationFault, DataFault, PermissionFault, RefusedFault
from mizheng.cli.files import write_private
from mizheng.cli.transfer.documents import Card, check_age
from mizheng.cli.transfer.fingerprint import compute_fingerprint, is_same_fingerprint
from mizheng.verifier.canonical import dump, parse_typed, require_fields
from mizheng.verifier.errors import FormatError, MizhengError
from mizheng.verifier.event import check_text
from mizheng.verifier.signature import PublicKey

TYPE = "mizheng/recipient/v1"
STATES = ("unconfirmed", "confirmed", "replaced", "revoked")
_TEXT = (str, type(None))


@dataclass(frozen=True, slots=True)
class RecipientKey:
    """One key of one recipient."""

    age: str
    public_key: str | None
    """Base64 SPKI of the key that signs his acceptances; None where only an age key was given."""
    company: str | None
    origin: str | None
    """Where his mailbox is, as his card says."""
    state: str
    added_at: str
    changed_at: str

    @property
    def fingerprint(self) -> str:
        return compute_fingerprint(self.age, self.public_key)


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient under the name that this company gave him."""

    name: str
    keys: tuple[RecipientKey, ...]
    """Oldest first."""

    @property
    def confirmed(self) -> RecipientKey | None:
        return next((key for key in reversed(self.keys) if key.state == "confirmed"), None)

    @property
    def waiting(self) -> RecipientKey | None:
        """The key whose fingerprint is still to be compared."""
        last = self.keys[-1]
        return last if last.state == "unconfirmed" else None

    def usable_key(self) -> RecipientKey:
        """The key to send to; PermissionFault when there is none that may be used."""
        if self.confirmed:
            return self.confirmed
        if self.waiting:
            raise PermissionFault(
                "the key of {name} was never confirmed",
                "have him read his fingerprint to you by telephone, then: mizheng recipients confirm {name}",
                name=self.name,
            )
        raise PermissionFault(
            "the key of {name} was revoked",
            "ask him for a new card: mizheng recipients me --lost",
            name=self.name,
        )


def add(home: Path, name: str, offered: RecipientKey, replaces: str | None, now: str) -> Recipient:
    """Keep a key, unconfirmed unless the confirmed one vouches for it; PermissionFault for one that is over.

    `replaces`: what the card says it replaces.
    """
    known = load(home, check_text(name))
    everyone = load_all(home)
    if any(key.age == offered.age and key.state == "revoked" for one in everyone for key in one.keys):
        raise PermissionFault("this key was revoked", "ask for a new one")
    if known is None:
        return _save(home, Recipient(name, (offered,)))
    same = [key for key in known.keys if (key.age, key.public_key) == (offered.age, offered.public_key)]
    present = known.confirmed
    if same and same[-1].state in ("confirmed", "unconfirmed"):
        # The same keys, and by their word perhaps another mailbox than before.
        moved = replace(same[-1], company=offered.company, origin=offered.origin)
        keys = [moved if key == same[-1] else key for key in known.keys]
        return known if moved == same[-1] else _save(home, Recipient(name, tuple(keys)))
    if present and offered.age != present.age and any(key.age == offered.age for key in known.keys):
        raise PermissionFault(
            "{name} has replaced this key by a later one", "ask him for his card of today", name=name
        )
    keys = [_change(key, "replaced", now) if key.state == "unconfirmed" else key for key in known.keys]
    if present and present.public_key and (replaces, offered.public_key) == (present.age, present.public_key):
        keys = [_change(key, "replaced", now) if key == present else key for key in keys]
        offered = replace(offered, state="confirmed")
    return _save(home, Recipient(name, (*keys, offered)))


def confirm(home: Path, name: str, typed: str, now: str) -> Recipient:
    """Believe the key that waits; RefusedFault when what was read out is not its fingerprint."""
    known = require(home, name)
    waiting = known.waiting
    if waiting is None:
        raise DataFault(
            "there is nothing to confirm for {name}", "mizheng recipients list shows the keys", name=name
        )
    if not is_same_fingerprint(typed, waiting.fingerprint):
        raise RefusedFault(
            "that is not the fingerprint of the key of {name} here",
            "do not use this key: somebody may have put his own in its place; ask for the card again",
            name=name,
        )
    keys = [_change(key, "replaced", now) if key.state == "confirmed" else key for key in known.keys[:-1]]
    return _save(home, Recipient(name, (*keys, _change(waiting, "confirmed", now))))


def revoke(home: Path, name: str, now: str) -> Recipient:
    """Never send to any key of his that is here now, nor to one of the same signing key, under any name."""
    known = require(home, name)
    ages = {key.age for key in known.keys}
    signers = {key.public_key for key in known.keys} - {None}

    def is_gone(key: RecipientKey) -> bool:
        return key.age in ages or key.public_key in signers

    def revoked(one: Recipient) -> Recipient:
        keys = (_change(key, "revoked", now) if is_gone(key) else key for key in one.keys)
        return Recipient(one.name, tuple(keys))

    for other in load_all(home):
        if other.name != name and revoked(other) != other:
            _save(home, revoked(other))
    return _save(home, revoked(known))


def key_of_card(card: Card, now: str) -> RecipientKey:
    return RecipientKey(
        card.age, card.public_key.to_base64(), card.company, card.origin, "unconfirmed", now, now
    )


def require(home: Path, name: str) -> Recipient:
    """ConfigurationFault when nobody of this name is known."""
    found = load(home, name)
    if found is None:
        raise ConfigurationFault(
            "no recipient called {name} is known here", "mizheng recipients add {name} CARD", name=name
        )
    return found


def load(home: Path, name: str) -> Recipient | None:
    path = _path(home, name)
    return _read(path) if path.exists() else None


def load_all(home: Path) -> list[Recipient]:
    """By name."""
    return sorted(map(_read, (home / "recipients").glob("*.json")), key=lambda one: one.name)


def find_signer(home: Path, public_key: PublicKey) -> Recipient | None:
    """Who is known here by this signing key, as one that was confirmed."""
    text = public_key.to_base64()
    found = (one for one in load_all(home) if one.confirmed and one.confirmed.public_key == text)
    return next(found, None)


def is_revoked(home: Path, public_key: PublicKey) -> bool:
    """Whether a signing key was revoked here, and not confirmed again since, with another age key."""
    text = public_key.to_base64()
    states = {key.state for one in load_all(home) for key in one.keys if key.public_key == text}
    return "revoked" in states and "confirmed" not in states


def _change(key: RecipientKey, state: str, now: str) -> RecipientKey:
    return key if key.state == state else replace(key, state=state, changed_at=now)


def _path(home: Path, name: str) -> Path:
    # The name may be anything; a digest of it is the name of a file everywhere.
    return home / "recipients" / f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.json"


def _save(home: Path, one: Recipient) -> Recipient:
    keys = [{field: getattr(key, field) for field in RecipientKey.__slots__} for key in one.keys]
    write_private(_path(home, one.name), dump({"type": TYPE, "name": one.name, "keys": keys}))
    return one


def _read(path: Path) -> Recipient:
    try:
        value = parse_typed(path.read_bytes(), TYPE, {"name": str, "keys": list})
        keys = tuple(map(_parse_key, value["keys"]))
        if not keys or _path(path.parents[1], value["name"]) != path:
            raise FormatError("not this recipient")
    except MizhengError as error:
        raise ConfigurationFault("{name} is damaged", "bring it back from a copy", name=str(path)) from error
    return Recipient(value["name"], keys)


def _parse_key(value: Any) -> RecipientKey:
    texts = ("age", "state", "added_at", "changed_at")
    fields = dict.fromkeys(texts, str) | dict.fromkeys(("public_key", "company", "origin"), _TEXT)
    key = RecipientKey(**require_fields(value, fields))
    check_age(key.age)
    if key.state not in STATES:
        raise FormatError("a key in no state")
    if key.public_key is not None:
        PublicKey.from_base64(key.public_key)
    return key
