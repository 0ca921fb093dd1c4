"""What `mizheng doctor` looks at: settings, keys, clock, notary, trust file, seals. Nothing is changed.

Every finding has a state and, where something is to be done, what. A thing that was not looked at says so.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from mizheng.cli.config import home_directory, load_api_key, load_config
from mizheng.cli.environment.clock import ask_offset
from mizheng.cli.errors import UnavailableFault
from mizheng.cli.session import Session
from mizheng.cli.terminal.language import N_
from mizheng.verifier.errors import MizhengError

State = Literal["ok", "wrong", "advice", "not_checked"]
# A statement carries the machine's time as a claim; further off, somebody will ask why.
_CLOCK_SECONDS = 5.0
_SOON = 30 * 86400


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: texts are message ids, to be filled with `values`."""

    about: str
    state: State
    text: str
    hint: str = ""
    values: dict[str, Any] = field(default_factory=dict)


def examine(seals: Iterable[Path], trust: Path | None) -> Iterator[Finding]:
    """Every finding, as it is made."""
    home = home_directory()
    yield from _guarded("settings", lambda: _settings(home))
    try:
        session = Session(home, load_config(home))
    except MizhengError:
        # Said above; without settings there is nothing else to look at but seals.
        session = None
    if session is not None:
        for about, look in (
            ("signing key", _signing_key),
            ("seal key", _seal_key),
            ("clock", _clock),
            ("notary", _notary),
        ):
            yield from _guarded(about, lambda look=look: look(session))  # type: ignore[misc]
    yield from _guarded("trust file", lambda: _trust(trust, session))
    for path in seals:
        yield from _guarded(str(path), lambda path=path: _seal(path, home))  # type: ignore[misc]


def _guarded(about: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """An error is a finding like any other."""
    try:
        yield from look()
    except MizhengError as error:
        yield Finding(about, "wrong", error.message, error.hint, dict(error.values))


def _settings(home: Path) -> Iterator[Finding]:
    about = "settings"
    config = load_config(home)
    if not config.active_key:
        yield Finding(
            about, "wrong", N_("there is no signing key yet"), N_("make one: mizheng init --notary ADDRESS")
        )
        return
    yield Finding(about, "ok", N_("read from {home}"), values={"home": str(home)})
    if sys.platform == "win32":
        return
    for path in (home, home / "keys", *(home / "keys").glob("*"), home / "api-key", home / "config.toml"):
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            values = {"name": str(path)}
            yield Finding(about, "wrong", N_("others can read {name}"), N_("run: chmod go= {name}"), values)


def _signing_key(session: Session) -> Iterator[Finding]:
    about = "signing key"
    entry = session.active_key
    if entry.enrolment is None:
        yield Finding(
            about,
            "wrong",
            N_("the signing key is not enrolled with a notary yet"),
            N_("run mizheng init (again)"),
        )
        return
    values = {"keyid": entry.public.keyid[:16], "store": entry.store}
    if entry.store == "passphrase":
        text = N_("{keyid}, enrolled; under a passphrase, which was not asked for")
        yield Finding(about, "not_checked", text, values=values)
        return
    from mizheng.cli.keys.signing import unlock

    unlock(session.home, entry)
    yield Finding(about, "ok", N_("{keyid}, enrolled; opens (kept as: {store})"), values=values)


def _seal_key(session: Session) -> Iterator[Finding]:
    about = "seal key"
    from mizheng.cli.keys.sealing import load_escrow, load_identities

    folder = session.home / "keys"
    public = folder / "seals.pub"
    if not public.exists():
        yield Finding(about, "not_checked", N_("there is none yet: the first seal makes it"))
        return
    if (folder / "seals.age").exists():
        yield Finding(about, "not_checked", N_("it is under a passphrase, which was not asked for"))
    elif public.read_text("ascii").strip() in {
        str(item.to_public()) for item in load_identities(session.home)
    }:
        yield Finding(about, "ok", N_("it is here and fits"))
    else:
        yield Finding(
            about,
            "wrong",
            N_("what is here opens none of the new seals"),
            N_("bring back the folder of keys from a copy"),
        )
    count = len(load_escrow(session.home))
    if count:
        yield Finding(
            "escrow", "ok", N_("{count} recipients can open new seals too"), values={"count": count}
        )
    else:
        text, hint = N_("nobody else can open the seals"), N_("mizheng escrow add age1…")
        yield Finding("escrow", "advice", text, hint)


def _clock(session: Session) -> Iterator[Finding]:
    servers = session.config.time_servers.split()
    if not servers:
        text, hint = (
            N_("no time server is named"),
            N_("time_servers in config.toml, for example: ntp.ntsc.ac.cn"),
        )
        yield Finding("clock", "not_checked", text, hint)
        return
    for server in servers:
        offset = ask_offset(server)
        values = {"server": server, "offset": f"{offset or 0:+.3f}"}
        if offset is None:
            yield Finding("clock", "not_checked", N_("{server} gave no usable answer"), values=values)
        elif abs(offset) > _CLOCK_SECONDS:
            text, hint = N_("off by {offset} s by {server}"), N_("let the system keep its time by NTP")
            yield Finding("clock", "wrong", text, hint, values)
        else:
            yield Finding("clock", "ok", N_("off by {offset} s by {server}"), values=values)


def _notary(session: Session) -> Iterator[Finding]:
    if load_api_key(session.home) is None:
        text, hint = N_("there is no API key for the notary"), N_("run mizheng init, or set MIZHENG_API_KEY")
        yield Finding("notary", "wrong", text, hint)
        return
    try:
        with session.notary() as client:
            answer = client.organisation()
    except UnavailableFault as error:
        yield Finding("notary", "wrong", error.message, error.hint, dict(error.values))
        return
    pinned = session.organisation
    values = {"origin": pinned.origin, "name": pinned.name}
    if (answer["origin"], answer["id"]) == (pinned.origin, pinned.id):
        yield Finding("notary", "ok", N_("{origin} answers, and knows us as {name}"), values=values)
    else:
        text, hint = N_("another notary answers than {origin}"), N_("check the address in config.toml")
        yield Finding("notary", "wrong", text, hint, values)


def _trust(path: Path | None, session: Session | None) -> Iterator[Finding]:
    about = "trust file"
    if path is None:
        yield Finding(about, "not_checked", N_("none was named"), N_("mizheng doctor --trust FILE"))
        return
    from mizheng.cli.commands.verify import load_trust
    from mizheng.verifier.canonical import parse_instant

    trust = load_trust(path)
    left = parse_instant(trust.expires_at) - time.time()
    values = {"expires_at": trust.expires_at}
    hint = N_("ask whoever issued the trust file for a new one")
    if left <= 0:
        yield Finding(about, "wrong", N_("it expired at {expires_at}"), hint, values)
    elif left < _SOON:
        yield Finding(about, "advice", N_("it expires at {expires_at}"), hint, values)
    else:
        yield Finding(about, "ok", N_("it expires at {expires_at}"), values=values)
    if session is not None and session.config.organisation is not None:
        origin = session.config.organisation.origin
        if origin not in {log.origin for log in trust.logs}:
            text = N_("it does not know our notary, {origin}")
            yield Finding(about, "wrong", text, hint, {"origin": origin})


def _seal(path: Path, home: Path) -> Iterator[Finding]:
    from mizheng.cli.disclosing.store import Register
    from mizheng.cli.keys.sealing import open_seal
    from mizheng.cli.sealfile.read import Seal

    about = str(path)
    with Seal(path) as seal:
        seal.check_body()
        deposit, evidence = seal.state.deposit, seal.state.evidence
        content = open_seal(seal, home)
        first = next(content.records(), b"")
        content.prove([first])
        count = sum(1 for _record in content.records())
        waiting = len(Register(path, content.manifest_key).waiting())
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield Finding(
            about, "wrong", N_("others can read {name}"), N_("run: chmod go= {name}"), {"name": about}
        )
    if waiting:
        text = N_("{count} disclosures are not on record")
        yield Finding(about, "advice", text, N_("mizheng disclosures NAME.seal --send"), {"count": waiting})
    if deposit is None or deposit.answer is None:
        state, hint = N_("sealed, not deposited; {count} records open"), N_("mizheng notarize NAME.seal")
        yield Finding(about, "advice", state, hint, {"count": count})
    elif evidence is None or evidence["state"] != "final":
        state, hint = (
            N_("deposited, evidence not final yet; {count} records open"),
            N_("mizheng status NAME.seal --wait"),
        )
        yield Finding(about, "advice", state, hint, {"count": count})
    else:
        yield Finding(about, "ok", N_("final; {count} records open"), values={"count": count})
