"""The chains of notary.toml: each checkpoint is anchored on every one of them.

    [chain]                             # the only one, or the first
    …
    [chains.court]                      # any number of further ones; the table's name is the chain's
    profile = "court-chain.toml"        # optional: a file beside notary.toml with the chain's own lines
    rpc = ["http://127.0.0.1:8545"]     # what stands here goes before what the file says

None at all: the embedded chain, for trying.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mizheng.notary.chain.profiles import ChainProfile, embedded_profile, parse_profile
from mizheng.notary.config import Settings
from mizheng.notary.errors import ConfigurationError


def load_profiles(settings: Settings) -> tuple[ChainProfile, ...]:
    """Every chain that is configured, in the order of notary.toml; ConfigurationError if two are one."""
    folder = settings.data_dir
    profiles = []
    if settings.chain is not None:
        profiles.append(parse_profile(_with_file(settings.chain, folder)))
    for name, table in settings.chains.items():
        if not isinstance(table, dict) or "name" in table:
            raise ConfigurationError(
                "notary.toml: {name} in [chains] is not a chain's table",
                hint="[chains.NAME], and no name inside: the table's name is the chain's",
                name=name,
            )
        profiles.append(parse_profile({**_with_file(table, folder), "name": name}))
    if not profiles:
        profiles.append(embedded_profile())
    _refuse_doubles(profiles)
    return tuple(profiles)


def has_embedded_chain(settings: Settings) -> bool:
    """Whether one of the chains lives in the notary's own process."""
    return any(profile.is_embedded for profile in load_profiles(settings))


def _with_file(table: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The table, over what the profile file says that it names."""
    own = dict(table)
    name = own.pop("profile", None)
    if name is None:
        return own
    if not isinstance(name, str):
        raise ConfigurationError("notary.toml: profile of a chain must be the path of a file")
    path = folder / name
    try:
        shared = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError("the chain profile {path} cannot be read", path=path) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError("{path} is not TOML: {reason}", path=path, reason=error) from None
    return {**shared, **own}


def _refuse_doubles(profiles: list[ChainProfile]) -> None:
    names, places = set(), set()
    for profile in profiles:
        place = (profile.chain_id, profile.genesis_hash)
        if profile.name in names or place in places:
            raise ConfigurationError(
                "notary.toml names the chain {name} twice",
                hint="give each chain one table, with all its nodes in rpc",
                name=profile.name,
            )
        names.add(profile.name)
        places.add(place)
