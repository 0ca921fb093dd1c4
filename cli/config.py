"""Settings of the command line, and the folder they live in.

The folder is MIZHENG_HOME, else $XDG_CONFIG_HOME/mizheng, else ~/.config/mizheng (on Windows
%APPDATA%\\mizheng). It is private (0700) and holds

    config.toml      written by `mizheng init`, readable and editable by a person
    api-key          the notary's API key (0600)
    keys/            one description and, unless the platform keyring has it, one PKCS#8 file a key

A value is taken from the first place that has it:

    notary's address   --notary, MIZHENG_NOTARY, config.toml, http://127.0.0.1:8470
    API key            MIZHENG_API_KEY, the file api-key (init also reads it from standard input)
    passphrase         MIZHENG_PASSPHRASE_FILE (first line), a prompt
    language           --lang, MIZHENG_LANG, LC_ALL, LC_MESSAGES, LANG

Secrets are never taken from the command's arguments: every process of the machine can read those.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mizheng.cli.errors import ConfigurationFault
from mizheng.cli.files import write_private

if TYPE_CHECKING:
    from mizheng.verifier.trust import TrustedLog

CONFIG_FORMAT = "mizheng/config/v1"
DEFAULT_NOTARY = "http://127.0.0.1:8470"


@dataclass(frozen=True, slots=True)
class Organisation:
    """What the notary said at init, pinned: later answers are checked against it."""

    name: str
    id_scheme: str
    id: str
    origin: str
    log_vkey: str
    issuer_public_key: str
    earlier_issuers: str = ""
    """Public keys that the same issuer had before, from a trust file, separated by spaces."""

    log_keys: str = ""
    """Every key of the log with its sizes, once it was changed: FIRST-LAST VKEY …, separated by spaces."""

    @property
    def logs(self) -> tuple[TrustedLog, ...]:
        """Every key of the log and the sizes it may sign, the present one last."""
        from mizheng.verifier.note import NoteVerifier
        from mizheng.verifier.trust import TrustedLog

        words = self.log_keys.split() or ["0-", self.log_vkey]
        found = []
        for span, vkey in zip(words[::2], words[1::2], strict=True):
            first, _, last = span.partition("-")
            found.append(TrustedLog(NoteVerifier.from_vkey(vkey), int(first), int(last) if last else None))
        return tuple(found)

    @property
    def issuers(self) -> frozenset[str]:
        """Every key that speaks for the issuer."""
        return frozenset((self.issuer_public_key, *self.earlier_issuers.split()))


@dataclass(frozen=True, slots=True)
class Config:
    """config.toml."""

    notary: str = ""
    """Base address, empty before init."""
    operator: str = ""
    """The person who deposits (经办人), for the statement; may be empty."""
    key_store: str = ""
    """Where new keys are kept: passphrase, keyring or file."""
    active_key: str = ""
    """keyid of the key that signs."""
    organisation: Organisation | None = field(default=None)
    seal_store: str = ""
    """Where the key of the seals is kept: keyring, file or passphrase; empty: with the signing key, or
    file."""
    stores: str = ""
    """Where originals are kept: addresses separated by spaces; empty: the folder `originals` in this one."""
    time_servers: str = ""
    """NTP servers (host or host:port), separated by spaces, asked for the clock's offset when sealing."""
    approvals: str = ""
    """How many persons have to approve before something is shown on a request; empty: one."""

    @property
    def approvals_needed(self) -> int:
        """ConfigurationFault for what is no such number."""
        if not re.fullmatch(r"[1-9]?", self.approvals):
            raise ConfigurationFault("approvals in config.toml is a number from 1 to 9")
        return int(self.approvals or "1")

    @property
    def seal_key_store(self) -> str:
        """A passphrase costs seconds each time a seal is opened, so it is used only when asked for."""
        return self.seal_store or ("keyring" if self.key_store == "keyring" else "file")


def dump_log_keys(logs: Sequence[TrustedLog]) -> str:
    """The value of `Organisation.log_keys`; empty while there has been one key only."""
    if len(logs) < 2:
        return ""
    spans = (f"{log.first_size}-{'' if log.last_size is None else log.last_size}" for log in logs)
    return " ".join(f"{span} {log.verifier.vkey}" for span, log in zip(spans, logs, strict=True))


def home_directory(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """The folder of settings and keys; not created here. `platform` as in sys.platform."""
    if environment.get("MIZHENG_HOME"):
        return Path(environment["MIZHENG_HOME"])
    if platform == "win32" and environment.get("APPDATA"):
        return Path(environment["APPDATA"]) / "mizheng"
    base = environment.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "mizheng"


def load_config(home: Path) -> Config:
    """The settings, defaults when there are none; ConfigurationFault when they cannot be read."""
    import tomllib

    path = home / "config.toml"
    try:
        value = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return Config()
    except (ValueError, OSError) as error:
        raise _unreadable(path) from error
    if value.get("format") != CONFIG_FORMAT:
        raise ConfigurationFault("{name} is not of format {expected}", name=str(path), expected=CONFIG_FORMAT)
    try:
        pinned = value.get("organisation")
        organisation = Organisation(**_texts(pinned)) if pinned is not None else None
        rest = {name: text for name, text in value.items() if name not in ("format", "organisation")}
        if isinstance(rest.get("approvals"), int):
            rest["approvals"] = str(rest["approvals"])
        return Config(**_texts(rest), organisation=organisation)
    except TypeError as error:
        raise _unreadable(path) from error


def save_config(home: Path, config: Config) -> None:
    """Write config.toml whole or not at all."""
    lines = [
        "# Written by `mizheng init`. The organisation table pins the notary: do not copy it from elsewhere.",
        f"format = {toml_string(CONFIG_FORMAT)}",
    ]
    for item in fields(Config):
        value = getattr(config, item.name)
        if isinstance(value, str) and value:
            lines.append(f"{item.name} = {toml_string(value)}")
    if config.organisation is not None:
        lines += ["", "[organisation]"]
        for item in fields(Organisation):
            lines.append(f"{item.name} = {toml_string(getattr(config.organisation, item.name))}")
    write_private(home / "config.toml", ("\n".join(lines) + "\n").encode())


def notary_address(asked: str | None, config: Config) -> str:
    """The notary's base address without a trailing slash."""
    address = asked or os.environ.get("MIZHENG_NOTARY") or config.notary or DEFAULT_NOTARY
    return address.rstrip("/")


def load_api_key(home: Path) -> str | None:
    """The API key from the environment or its file."""
    given = os.environ.get("MIZHENG_API_KEY")
    if given:
        return given.strip()
    try:
        return (home / "api-key").read_text("ascii").strip() or None
    except FileNotFoundError:
        return None
    except (ValueError, OSError) as error:
        raise _unreadable(home / "api-key") from error


def save_api_key(home: Path, key: str) -> None:
    write_private(home / "api-key", key.encode() + b"\n")


def toml_string(text: str) -> str:
    """A TOML basic string (TOML 1.0, "String")."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    control = (f"\\u{ord(char):04x}" if ord(char) < 0x20 or ord(char) == 0x7F else char for char in escaped)
    return '"' + "".join(control) + '"'


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise TypeError("expected a table of strings")
    return value


def _unreadable(path: Path) -> ConfigurationFault:
    return ConfigurationFault(
        "{name} cannot be read",
        "mend or remove it, then run mizheng init again; keys are kept apart from it",
        name=str(path),
    )
