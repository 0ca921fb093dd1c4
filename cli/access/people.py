"""Who is who in lawful use, on this machine: the person's own key, who may approve, whose key a request is.

    personal/keys/        this person's own signing key: a requester's, or that of one who approves; where no
                          company is enrolled, the key that `mizheng recipients me` made serves for it, too
    approvers.json        who may approve in this company: person and public key
    requesters.json       keyids of requesters whose fingerprints somebody compared

None of it is secret but the private key, which is kept as the company's are (`keys/signing`). The names may
be pseudonyms: a record says who it was by the key.
"""

from __future__ import annotations

import hmac
import re
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mizheng.cli.config import load_config
from mizheng.cli.errors import ConfigurationFault, InputFault, PermissionFault, UsageFault
from mizheng.cli.files import write_private
from mizheng.cli.keys.signing import KeyEntry, Store, create_key, list_entries, load_entry, unlock
from mizheng.cli.transfer.people import find_signer, is_revoked
from mizheng.verifier.canonical import dump, format_instant, parse_typed, require_fields
from mizheng.verifier.errors import FormatError, KeyFormatError, MizhengError
from mizheng.verifier.event import check_text
from mizheng.verifier.permit import same_person
from mizheng.verifier.signature import PublicKey

if TYPE_CHECKING:
    from mizheng.verifier.signature import PrivateKey

_APPROVERS = "mizheng/approvers/v1"
_REQUESTERS = "mizheng/requesters/v1"
# 128 bits: nobody makes a second key whose fingerprint begins alike.
_LEAST_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Approver:
    """A person who may approve."""

    person: str
    public_key: str
    """Base64 SPKI."""
    added_at: str

    @property
    def keyid(self) -> str:
        return PublicKey.from_base64(self.public_key).keyid


def personal_entry(home: Path) -> KeyEntry | None:
    """This person's own key, the newest if there are several; None before it was made."""
    own = _own(home)
    return own[1] if own else None


def make_personal_key(home: Path, store: Store) -> KeyEntry:
    """Make this person's own key."""
    entry, _key = create_key(home / "personal", store, format_instant(int(time.time())), None)
    return entry


def unlock_personal(home: Path) -> PrivateKey:
    """The private part; ConfigurationFault before it was made."""
    own = _own(home)
    if own is None:
        raise ConfigurationFault("you have no signing key of your own here", "make one: mizheng access key")
    return unlock(*own)


def load_approvers(home: Path) -> list[Approver]:
    """Who may approve, in the order in which they were added."""
    names = ("person", "public_key", "added_at")
    return [
        Approver(**require_fields(item, dict.fromkeys(names, str)))
        for item in _load(home / "approvers.json", _APPROVERS)
    ]


def add_approver(home: Path, person: str, public_key: PublicKey) -> Approver:
    """Let somebody approve; UsageFault when that key is somebody's already, or the name cannot stand."""
    try:
        check_text(person)
    except FormatError as error:
        raise UsageFault(str(error)) from error
    found = load_approvers(home)
    for item in found:
        if item.public_key == public_key.to_base64():
            raise UsageFault("this key is that of {person} already", person=item.person)
    added = Approver(person, public_key.to_base64(), format_instant(int(time.time())))
    _save(home / "approvers.json", _APPROVERS, [asdict(item) for item in (*found, added)])
    return added


def remove_approver(home: Path, person: str) -> list[Approver]:
    """Those of this name may approve no longer, and what they approved counts no longer."""
    found = load_approvers(home)
    gone = [item for item in found if same_person(item.person, person)]
    if not gone:
        raise UsageFault("nobody called {person} may approve here", "mizheng access approvers", person=person)
    _save(home / "approvers.json", _APPROVERS, [asdict(item) for item in found if item not in gone])
    return gone


def is_confirmed(home: Path, key: PublicKey) -> bool:
    """Whether somebody compared the fingerprint of this requester's key: its own, or that of his card."""
    if is_revoked(home, key):
        return False
    compared = _load(home / "requesters.json", _REQUESTERS)
    return key.keyid in compared or find_signer(home, key) is not None


def require_confirmed(home: Path, key: PublicKey, fingerprint: str | None) -> None:
    """PermissionFault for a requester's key that nobody compared, or that was revoked as a recipient's.

    With its fingerprint, that it was compared is kept.
    """
    if is_revoked(home, key):
        raise PermissionFault(
            "the requester's key was revoked here",
            "mizheng recipients list shows it; a request by his new key can be approved",
        )
    if is_confirmed(home, key):
        return
    if fingerprint is None:
        raise PermissionFault(
            "the requester's key is not known here: fingerprint {fingerprint}",
            "ask the requester for it, by telephone or on paper, and pass what he tells you with "
            "--fingerprint",
            fingerprint=show_fingerprint(key),
        )
    told = re.sub(r"[\s:]", "", fingerprint).lower()
    if len(told) < _LEAST_DIGITS or not hmac.compare_digest(
        key.keyid[: len(told)].encode(), told.encode("utf-8", "surrogateescape")
    ):
        raise PermissionFault(
            "that is not the fingerprint of the key that signed the request",
            "somebody else may have made it; at least {least} digits are compared",
            least=_LEAST_DIGITS,
        )
    kept = _load(home / "requesters.json", _REQUESTERS)
    _save(home / "requesters.json", _REQUESTERS, [*kept, key.keyid])


def show_fingerprint(key: PublicKey) -> str:
    """A key's fingerprint (its keyid, SHA-256 of the SPKI) in groups to be read aloud."""
    return " ".join(key.keyid[place : place + 8] for place in range(0, 64, 8))


def read_public_key(text: str) -> PublicKey:
    """A public key as `mizheng access key` prints it, or the file that holds it."""
    path = Path(text)
    try:
        if path.is_file():
            text = path.read_text("ascii").strip()
        return PublicKey.from_base64(text)
    except OSError as error:
        raise InputFault("{name}: {reason}", name=str(path), reason=error.strerror) from error
    except (UnicodeDecodeError, FormatError, KeyFormatError) as error:
        raise UsageFault(
            "that is no public key", "mizheng access key prints it, on the machine of whose key it is"
        ) from error


def _own(home: Path) -> tuple[Path, KeyEntry] | None:
    """The folder that has this person's key, and the key. Who deposits nothing has one key for everything."""
    entries = list_entries(home / "personal")
    if entries:
        return home / "personal", entries[-1]
    config = load_config(home)
    if config.active_key and config.organisation is None:
        return home, load_entry(home, config.active_key)
    return None


def _load(path: Path, kind: str) -> list[Any]:
    try:
        return list(parse_typed(path.read_bytes(), kind, {"items": list})["items"])
    except FileNotFoundError:
        return []
    except (MizhengError, OSError) as error:
        raise ConfigurationFault("{name} is damaged", "bring it back from a copy", name=str(path)) from error


def _save(path: Path, kind: str, items: list[Any]) -> None:
    write_private(path, dump({"type": kind, "items": items}))
