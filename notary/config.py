"""Settings: where they come from, and which wins.

For each setting the first of these that says something: the command line, the environment, `notary.toml` in
the data directory, the default. Nothing else in the notary reads the environment.

    setting          environment               notary.toml       default
    data_dir         MIZHENG_DATA_DIR          -                 ~/.local/share/mizheng-notary
    database_url     MIZHENG_DATABASE_URL      database_url      SQLite, mizheng.db in the data directory
    host             MIZHENG_HOST              host              127.0.0.1
    port             MIZHENG_PORT              port              8470
    origin           MIZHENG_ORIGIN            origin            made once from the log's key
    anchor_interval  MIZHENG_ANCHOR_INTERVAL   anchor_interval   2 s on the embedded chain, else 600 s
    anchor_entries   MIZHENG_ANCHOR_ENTRIES    anchor_entries    10000 waiting entries are anchored at once
    urgent_per_day   MIZHENG_URGENT_PER_DAY    urgent_per_day    5 urgent anchors a day for each company
    signer           -                         [signer]          the key file keys/publisher.key
    signer_pin       MIZHENG_SIGNER_PIN        -                 pin_file in [signer]
    chain            -                         [chain]           the embedded chain
    chains           -                         [chains.NAME]     none beside [chain]
    observers        -                         [observers]       none
    witnesses        -                         [witnesses]       none
    witness_policy   MIZHENG_WITNESS_POLICY    witness_policy    the policy in [witnesses]
    publish          -                         [publish]         nowhere: readers ask the notary
    timestamps       -                         [timestamps]      none
    renewal          -                         [renewal]         180 days before a certificate ends
    certificates     -                         [certificates]    issued when a depositor asks for one
    pages            -                         [pages]           served, 60 requests a minute for each address
    people           -                         [people]          nobody logs in; companies use their API keys
    mailbox          -                         [mailbox]         items of 4 GiB, 20 GiB of a company, 60 days
    audit            -                         [audit]           the audit log is put on record within an hour
    webhooks         -                         [webhooks]        to public addresses alone
    platform         -                         [platform]        nothing is stated of the platform
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mizheng.notary.errors import ConfigurationError

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8470
TRIAL_ANCHOR_INTERVAL = 2.0
CHAIN_ANCHOR_INTERVAL = 600.0
# A burst of deposits does not wait for its interval: shared by so many, an anchor costs next to nothing.
ANCHOR_ENTRIES = 10_000
URGENT_PER_DAY = 5
CONFIG_NAME = "notary.toml"

_ENVIRONMENT = {
    "database_url": "MIZHENG_DATABASE_URL",
    "host": "MIZHENG_HOST",
    "port": "MIZHENG_PORT",
    "origin": "MIZHENG_ORIGIN",
    "anchor_interval": "MIZHENG_ANCHOR_INTERVAL",
    "anchor_entries": "MIZHENG_ANCHOR_ENTRIES",
    "urgent_per_day": "MIZHENG_URGENT_PER_DAY",
    "witness_policy": "MIZHENG_WITNESS_POLICY",
}
_TABLES = (
    "chain",
    "chains",
    "timestamps",
    "renewal",
    "observers",
    "witnesses",
    "publish",
    "signer",
    "certificates",
    "pages",
    "audit",
    "mailbox",
    "webhooks",
    "people",
    "platform",
)
# C2SP signed notes: a name is not empty and has neither spaces nor plus signs.
_ORIGIN = re.compile(r"[^\s+]{1,200}")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the notary runs with. Holds no secrets, except what a database URL may carry."""

    data_dir: Path
    database_url: str = field(repr=False)
    host: str
    port: int
    origin: str | None
    """The log's name, once and for all; None: made from the log's key when the log is created."""
    anchor_interval: float
    """Seconds between anchors when there is something to anchor."""
    chain: Mapping[str, Any] | None
    """The table [chain] of notary.toml as it stands; see `mizheng.notary.chain.configured`."""
    observers: Mapping[str, Any]
    """The table [observers] of notary.toml as it stands."""
    witnesses: Mapping[str, Any] = field(default_factory=dict)
    """The table [witnesses] of notary.toml as it stands."""
    witness_policy: str | None = None
    """A file with the witness policy, instead of the text in [witnesses]."""
    publish: Mapping[str, Any] = field(default_factory=dict)
    """The table [publish] of notary.toml as it stands."""
    timestamps: Mapping[str, Any] = field(default_factory=dict)
    """The tables [timestamps.NAME] of notary.toml as they stand."""
    renewal: Mapping[str, Any] = field(default_factory=dict)
    """The table [renewal] of notary.toml as it stands."""
    anchor_entries: int = ANCHOR_ENTRIES
    """So many entries that wait are anchored before the interval is over."""
    urgent_per_day: int = URGENT_PER_DAY
    """How often a company may have the log anchored at once, in 24 hours."""
    signer: Mapping[str, Any] = field(default_factory=dict)
    """The table [signer] of notary.toml as it stands; see `mizheng.notary.chain.signers.choose`."""
    signer_pin: str | None = field(default=None, repr=False)
    """PIN of the security module that has the publisher's key."""
    chains: Mapping[str, Any] = field(default_factory=dict)
    """The tables [chains.NAME] of notary.toml as they stand."""
    certificates: Mapping[str, Any] = field(default_factory=dict)
    """The table [certificates] of notary.toml as it stands."""
    pages: Mapping[str, Any] = field(default_factory=dict)
    """The table [pages] of notary.toml as it stands."""
    people: Mapping[str, Any] = field(default_factory=dict)
    """The table [people] of notary.toml as it stands."""
    audit: Mapping[str, Any] = field(default_factory=dict)
    """The table [audit] of notary.toml as it stands."""
    mailbox: Mapping[str, Any] = field(default_factory=dict)
    """The table [mailbox] of notary.toml as it stands."""
    webhooks: Mapping[str, Any] = field(default_factory=dict)
    """The table [webhooks] of notary.toml as it stands."""
    platform: Mapping[str, Any] = field(default_factory=dict)
    """The table [platform] of notary.toml as it stands."""

    @property
    def config_path(self) -> Path:
        return self.data_dir / CONFIG_NAME

    @property
    def keys_dir(self) -> Path:
        return self.data_dir / "keys"


def load_settings(environment: Mapping[str, str], options: Mapping[str, object] | None = None) -> Settings:
    """Settings from options (None means not said), the environment and notary.toml; ConfigurationError
    if unusable.
    """
    said = {name: value for name, value in (options or {}).items() if value is not None}
    data_dir = _data_dir(said, environment)
    file = _read_file(data_dir / CONFIG_NAME)
    values: dict[str, object] = {}
    for name, variable in _ENVIRONMENT.items():
        if name in said:
            values[name] = said[name]
        elif environment.get(variable):
            values[name] = environment[variable]
        elif name in file:
            values[name] = file[name]
    chain = file.get("chain")
    return Settings(
        data_dir=data_dir,
        database_url=str(values.get("database_url") or f"sqlite:///{data_dir / 'mizheng.db'}"),
        host=str(values.get("host", DEFAULT_HOST)),
        port=_port(values.get("port", DEFAULT_PORT)),
        origin=_origin(values.get("origin")),
        anchor_interval=_interval(
            values.get("anchor_interval"), is_trial=chain is None and not file.get("chains")
        ),
        chain=chain,
        observers=file.get("observers", {}),
        witnesses=file.get("witnesses", {}),
        witness_policy=_path(values.get("witness_policy")),
        publish=file.get("publish", {}),
        timestamps=file.get("timestamps", {}),
        renewal=file.get("renewal", {}),
        anchor_entries=_count("anchor_entries", values.get("anchor_entries"), ANCHOR_ENTRIES, least=1),
        urgent_per_day=_count("urgent_per_day", values.get("urgent_per_day"), URGENT_PER_DAY, least=0),
        signer=file.get("signer", {}),
        # Not a setting like the others: a secret stands in no file that is not for it alone.
        signer_pin=environment.get("MIZHENG_SIGNER_PIN") or None,
        chains=file.get("chains", {}),
        certificates=file.get("certificates", {}),
        pages=file.get("pages", {}),
        people=file.get("people", {}),
        audit=file.get("audit", {}),
        mailbox=file.get("mailbox", {}),
        webhooks=file.get("webhooks", {}),
        platform=file.get("platform", {}),
    )


def _data_dir(said: Mapping[str, object], environment: Mapping[str, str]) -> Path:
    asked = said.get("data_dir") or environment.get("MIZHENG_DATA_DIR")
    if asked:
        return Path(str(asked)).expanduser().absolute()
    home = environment.get("XDG_DATA_HOME") or str(Path("~/.local/share").expanduser())
    return Path(home) / "mizheng-notary"


def _read_file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError("{path} cannot be read", path=path) from None
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError("{path} is not TOML: {reason}", path=path, reason=error) from None
    known = {*_ENVIRONMENT, *_TABLES}
    for name, value in found.items():
        if name not in known:
            raise ConfigurationError(
                "{path} has a setting {name!r} that does not exist",
                hint="settings are: {known}",
                path=path,
                name=name,
                known=", ".join(sorted(known)),
            )
        if (name in _TABLES) != isinstance(value, dict):
            raise ConfigurationError(
                "{path}: {name} is not of the right kind",
                hint="tables are: {tables}; the rest are values",
                path=path,
                name=name,
                tables=", ".join(sorted(_TABLES)),
            )
    return found


def _path(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ConfigurationError("{value!r} is not the path of a file", value=value)
    return value


def _port(value: object) -> int:
    text = str(value)
    if not text.isascii() or not text.isdecimal() or int(text) > 65535:
        raise ConfigurationError(
            "{value!r} is not a port", hint="a number from 0 to 65535; 0 takes a free one", value=text
        )
    return int(text)


def _count(name: str, value: object, default: int, *, least: int) -> int:
    if value is None:
        return default
    text = str(value)
    # Beyond a billion nothing would ever be counted.
    if not text.isascii() or not text.isdecimal() or not least <= int(text) <= 10**9:
        raise ConfigurationError(
            "{value!r} cannot be {name}",
            hint="a whole number from {least}",
            value=text,
            name=name,
            least=least,
        )
    return int(text)


def _origin(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not _ORIGIN.fullmatch(value):
        raise ConfigurationError(
            "{value!r} cannot be the log's origin",
            hint="a name without spaces and plus signs, such as notary.example/log/2026",
            value=value,
        )
    return value


def _interval(value: object, *, is_trial: bool) -> float:
    if value is None:
        return TRIAL_ANCHOR_INTERVAL if is_trial else CHAIN_ANCHOR_INTERVAL
    try:
        seconds = float(str(value))
    except ValueError:
        seconds = -1.0
    # Below a tenth of a second the anchorer would only ask; above a day nobody's deposit is dated usefully.
    if not 0.1 <= seconds <= 86400:
        raise ConfigurationError(
            "{value!r} is not an anchor interval", hint="seconds, from 0.1 to 86400", value=value
        )
    return seconds
