"""How things stand with the witnesses, from the database: any process can say it."""

from collections.abc import Mapping
from dataclasses import dataclass

from mizheng.notary.cosigning.witnesses import WitnessSetup
from mizheng.notary.models import witnesses
from mizheng.notary.publishing.head import NOT_MET, find_published
from sqlalchemy import Connection, select


@dataclass(frozen=True, slots=True)
class WitnessStatus:
    """What is shown to those who run the notary."""

    published_size: int
    quorum: str
    """Of the published head: met, not-met or none."""
    quorum_size: int
    """The largest published head that had a quorum."""
    states: Mapping[str, str]
    """By the witness's name: ok, a code of what went wrong last, or not-asked."""

    @property
    def is_missing(self) -> bool:
        """Whether a published head that has entries lacks its quorum."""
        return self.quorum == NOT_MET and self.published_size > 0

    def checks(self) -> dict[str, dict[str, str]]:
        """For /readyz."""
        found = {
            "witnesses": {
                "state": "quorum-not-met" if self.is_missing else "ok",
                "detail": f"published size {self.published_size}, last quorum at {self.quorum_size}",
            }
        }
        for name, state in self.states.items():
            found[f"witness.{name}"] = {"state": "ok" if state == "not-asked" else state}
        return found


def load_witness_status(connection: Connection, setup: WitnessSetup | None) -> WitnessStatus | None:
    """None where no witnesses are configured, or none have been asked yet."""
    found = find_published(connection)
    if setup is None or found is None:
        return None
    states = {row.vkey: row.state for row in connection.execute(select(witnesses))}
    return WitnessStatus(
        published_size=found.head.tree_size,
        quorum=found.quorum,
        quorum_size=found.quorum_size,
        states={peer.name: states.get(peer.key.vkey, "not-asked") for peer in setup.peers},
    )
