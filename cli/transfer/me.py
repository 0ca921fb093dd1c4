"""This person as a recipient: the age key that transfers to him are encrypted to, and his card.

home/receiving.json lists his cards, oldest first; each age key lies under a name of its own (see
`keys.identities`). Old ones stay: what was sent before a rotation can still be read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mizheng.cli.config import save_config
from mizheng.cli.errors import ConfigurationFault, UsageFault
from mizheng.cli.files import write_private
from mizheng.cli.keys.identities import create_identity, load_identity
from mizheng.cli.keys.signing import Store, create_key, unlock
from mizheng.cli.session import Session
from mizheng.cli.transfer.documents import Card, parse_card
from mizheng.cli.transfer.fingerprint import compute_fingerprint
from mizheng.verifier.canonical import dump, from_base64, parse_typed, require_fields, to_base64
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.event import check_text

if TYPE_CHECKING:
    from mizheng.verifier.signature import PrivateKey
    from pyrage import x25519

TYPE = "mizheng/receiving/v1"


@dataclass(frozen=True, slots=True)
class Own:
    """One card of this person."""

    data: bytes
    """What is given to others."""
    identity: str
    """Name under which the age key is kept."""

    @property
    def card(self) -> Card:
        return parse_card(self.data)

    @property
    def fingerprint(self) -> str:
        return compute_fingerprint(self.card.age, self.card.public_key.to_base64())


def make_card(
    session: Session,
    now: str,
    *,
    name: str | None = None,
    store: Store | None = None,
    rotate: bool = False,
    lost: bool = False,
) -> tuple[Own, bool]:
    """The card of today and whether it is new, keys made first where there are none.

    `rotate`: a new age key. `lost`: a new signing key as well, for which no old one speaks. UsageFault
    without a name for somebody whom no notary knows, and for the lost key of a company, which its notary
    knows.
    """
    cards = load_cards(session.home)
    last = cards[-1].card if cards else None
    organisation = session.config.organisation
    name = name or (last.name if last else organisation.name if organisation else None)
    if name is None:
        raise UsageFault("say how you are called: --name NAME")
    check_text(name)
    rotate = rotate or lost
    session, key = _signing_key(session, now, store, anew=lost)
    company = f"{organisation.id_scheme}:{organisation.id}" if organisation else None
    origin = organisation.origin if organisation else None
    wanted = Card(key.public, name, last.age if last else "", None, company, origin, now)
    if last and not rotate and replace(wanted, replaces=last.replaces, made_at=last.made_at) == last:
        return cards[-1], False
    identity = cards[-1].identity if cards else ""
    if rotate or last is None:
        identity = f"receive-{len(cards) + 1:04}"
        age = create_identity(session.home, store or session.active_key.store, identity)
        wanted = replace(wanted, age=age, replaces=last.age if last else None)
    made = Own(wanted.sign(key), identity)
    _save(session.home, [*cards, made])
    return made, True


def load_cards(home: Path) -> list[Own]:
    """Oldest first."""
    path = home / "receiving.json"
    if not path.exists():
        return []
    try:
        value = parse_typed(path.read_bytes(), TYPE, {"cards": list})
        items = [require_fields(item, {"card": str, "identity": str}) for item in value["cards"]]
        cards = [Own(from_base64(item["card"]), item["identity"]) for item in items]
        for own in cards:
            parse_card(own.data)
    except MizhengError as error:
        raise ConfigurationFault("{name} is damaged", "bring it back from a copy", name=str(path)) from error
    return cards


def load_own_identities(home: Path) -> list[x25519.Identity]:
    """The newest first; ConfigurationFault when nobody can send anything here yet."""
    names = list(dict.fromkeys(own.identity for own in reversed(load_cards(home))))
    if not names:
        raise ConfigurationFault(
            "there is no key here that anything could have been sent to",
            "make one, and give your card to the sender: mizheng recipients me --name NAME",
        )
    return [identity for name in names for identity in load_identity(home, name)]


def _signing_key(
    session: Session, now: str, store: Store | None, *, anew: bool
) -> tuple[Session, PrivateKey]:
    """The key that signs, made for somebody who deposits nothing; `mizheng init` would enrol the same."""
    present = session.active_key if session.config.active_key else None
    if present and anew and session.config.organisation:
        raise UsageFault(
            "the key that signs is the company's, which the notary knows",
            "mizheng key rotate, or mizheng key replace after a loss; then mizheng recipients me --rotate",
        )
    if present and not anew:
        return session, unlock(session.home, present)
    entry, key = create_key(session.home, store or (present.store if present else "passphrase"), now, None)
    config = replace(session.config, active_key=entry.public.keyid, key_store=entry.store)
    save_config(session.home, config)
    return Session(session.home, config), key


def _save(home: Path, cards: list[Own]) -> None:
    items = [{"card": to_base64(own.data), "identity": own.identity} for own in cards]
    write_private(home / "receiving.json", dump({"type": TYPE, "cards": items}))
