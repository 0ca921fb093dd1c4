"""The key of the notary's log may change: which heads are believed, and following it from the pinned key.

A change is followed when the key that is pinned signed for the new one, as a scheduled change does. After a
theft that key's word is worth nothing, after a loss it cannot be had: then the new key comes with a trust
file, by another channel, or not at all.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from mizheng.cli.config import Organisation, dump_log_keys, load_config, save_config
from mizheng.cli.depositing.client import NotaryClient
from mizheng.cli.errors import CommandError, ConfigurationFault, RefusedFault, SoftwareFault
from mizheng.cli.keys.signing import list_entries
from mizheng.cli.session import Session
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import note
from mizheng.verifier.checkpoint import Checkpoint, parse_tlog_proof
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.logkeys import LOST, SCHEDULED, LogKeys, open_believed, parse_log_keys
from mizheng.verifier.note import parse_note
from mizheng.verifier.trust import TrustedLog

T = TypeVar("T")

_HINT = N_(
    "get the notary's new trust file by another channel, then run: mizheng init --trust FILE; if the notary "
    "announced nothing, tell its operator"
)


class UnknownLogKeyFault(ConfigurationFault):
    """A head that none of the keys signed which the log is known to have, or to have had."""


def open_head(organisation: Organisation, signed: bytes) -> Checkpoint:
    """The checkpoint, signed by a key that may sign a log of its size.

    UnknownLogKeyFault when another key signed it, ProofError when a key did that was replaced before.
    """
    logs = organisation.logs
    lines = parse_note(signed).signatures
    if not any(log.verifier.matches(line) for log in logs for line in lines):
        raise UnknownLogKeyFault("the note carries no signature of a known key", _HINT)
    return open_believed(signed, logs)[0]


def believing(session: Session, client: NotaryClient, check: Callable[[Organisation], T]) -> T:
    """What `check` finds with the pinned keys; where they do not know the key, with those that follow."""
    try:
        return check(session.organisation)
    except UnknownLogKeyFault:
        # Another run may have followed meanwhile, or this one for another seal.
        config = load_config(session.home)
    if config.organisation is None:
        config = session.config
    elif config.organisation != session.organisation:
        with contextlib.suppress(UnknownLogKeyFault):
            return check(config.organisation)
    organisation = follow_log_key(session.home, config.organisation or session.organisation, client)
    try:
        found = check(organisation)
    except UnknownLogKeyFault as error:
        raise SoftwareFault(
            "the notary's answer does not prove what it should: {reason}",
            "nothing of it was kept; tell the notary's operator",
            reason=str(error),
        ) from error
    # Pinned once it has shown that it signs what is answered.
    save_config(session.home, replace(config, organisation=organisation))
    return found


def follow_log_key(home: Path, pinned: Organisation, client: NotaryClient) -> Organisation:
    """The same with the log's present key; ConfigurationFault if the pinned one does not lead to it."""
    keys = fetch_log_keys(pinned, client)
    if keys is None:
        raise ConfigurationFault("the notary's log key is not the one of mizheng init", _HINT)
    changes = keys.changes_after(pinned.log_vkey)
    if changes is None:
        raise ConfigurationFault(
            "the notary's log key is not the one of mizheng init, and nothing leads from that to it", _HINT
        )
    for item in changes:
        if item.change.reason == LOST:
            raise ConfigurationFault("the notary says that its log's key was lost and replaced", _HINT)
        if item.change.reason != SCHEDULED:
            raise ConfigurationFault("the notary says that its log's key was stolen and replaced", _HINT)
    ranges = _remembering(home, pinned, keys)
    vkey = keys.present.vkey
    if changes:
        note(_("the notary's log has a new key, for which the old one signed: {vkey}", vkey=vkey))
    return replace(pinned, log_vkey=vkey, log_keys=dump_log_keys(ranges))


def fetch_log_keys(organisation: Organisation, client: NotaryClient) -> LogKeys | None:
    """What the notary says about its log's keys, each change checked by itself; None if it says nothing."""
    try:
        keys = parse_log_keys(client.log_keys())
    except RefusedFault:
        # A notary of an earlier release, whose key was never changed.
        return None
    except MizhengError as error:
        if isinstance(error, CommandError):
            raise
        raise ConfigurationFault(
            "what the notary says about its log's keys does not hold together: {reason}",
            _HINT,
            reason=str(error),
        ) from error
    if keys.present.name != organisation.origin:
        raise ConfigurationFault("the notary speaks of another log's keys", _HINT)
    return keys


def _remembering(home: Path, pinned: Organisation, keys: LogKeys) -> list[TrustedLog]:
    """The keys' ranges; ConfigurationFault when they contradict what was seen of this log before."""
    # A trust file may have ended a stolen key earlier than the notary did: that stays.
    known = {log.verifier.vkey: log for log in pinned.logs[:-1]}
    ranges = [known.get(log.verifier.vkey, log) for log in keys.ranges]
    for before, told in zip(ranges, keys.ranges, strict=True):
        is_shorter = before.last_size is None or told.last_size is None or before.last_size <= told.last_size
        if before.first_size != told.first_size or not is_shorter:
            raise ConfigurationFault("the notary told another history of its log's keys before", _HINT)
    if not known.keys() <= {log.verifier.vkey for log in keys.ranges}:
        raise ConfigurationFault("the notary told another history of its log's keys before", _HINT)
    for entry in list_entries(home):
        if entry.enrolment is None:
            continue
        try:
            # A head that a key signed after it had been replaced contradicts the change.
            open_believed(parse_tlog_proof(entry.enrolment["tlog_proof"].encode()).note, keys.signed_ranges)
        except MizhengError as error:
            raise ConfigurationFault(
                "what the notary says about its log's keys contradicts what was signed before: {reason}",
                _HINT,
                reason=str(error),
            ) from error
    return ranges
