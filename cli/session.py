"""What most commands begin with: the folder of settings, the signing key, the notary."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mizheng.cli.config import Config, Organisation, home_directory, load_api_key, load_config, notary_address
from mizheng.cli.errors import ConfigurationFault
from mizheng.cli.keys.signing import KeyEntry, load_entry

if TYPE_CHECKING:
    from mizheng.cli.depositing.client import NotaryClient


@dataclass(frozen=True, slots=True)
class Session:
    """The settings of this person on this machine."""

    home: Path
    config: Config

    @classmethod
    def load(cls) -> Session:
        home = home_directory()
        return cls(home, load_config(home))

    @property
    def active_key(self) -> KeyEntry:
        """The key that signs; ConfigurationFault before init."""
        if not self.config.active_key:
            raise ConfigurationFault("there is no signing key yet", "make one: mizheng init --notary ADDRESS")
        return load_entry(self.home, self.config.active_key)

    @property
    def organisation(self) -> Organisation:
        """The notary's pinned facts; ConfigurationFault before init finished."""
        if self.config.organisation is None:
            raise ConfigurationFault(
                "the signing key is not enrolled with a notary yet", "run mizheng init (again)"
            )
        return self.config.organisation

    @contextmanager
    def notary(self, asked: str | None = None) -> Iterator[NotaryClient]:
        """A client for the notary with this person's API key."""
        from mizheng.cli.depositing.client import NotaryClient

        api_key = load_api_key(self.home)
        if api_key is None:
            raise ConfigurationFault(
                "there is no API key for the notary", "run mizheng init, or set MIZHENG_API_KEY"
            )
        with NotaryClient(notary_address(asked, self.config), api_key) as client:
            yield client
