"""How each node of a chain is, on lines for every process that is asked."""

from __future__ import annotations

from collections.abc import Mapping

from mizheng.notary.chain.tables import chain_nodes
from mizheng.notary.database import writing
from sqlalchemy import Connection, Engine, delete, insert, select
from sqlalchemy.exc import IntegrityError


class NodeBoard:
    """The rows of one chain in `chain_nodes`; written only when they change."""

    def __init__(self, engine: Engine, chain: str) -> None:
        self._engine = engine
        self._chain = chain
        self._shown: dict[str, str] | None = None

    def show(self, states: Mapping[str, str], now: int) -> None:
        """Say how the nodes are. Nodes that are no longer configured go."""
        if self._shown == dict(states):
            return
        rows = [
            {"chain": self._chain, "node": node[:300], "state": state, "changed_at": now}
            for node, state in states.items()
        ]
        try:
            with writing(self._engine) as connection:
                connection.execute(delete(chain_nodes).where(chain_nodes.c.chain == self._chain))
                if rows:
                    connection.execute(insert(chain_nodes), rows)
        except IntegrityError:
            # Another process wrote at the same moment. Shown again with the next step.
            return
        self._shown = dict(states)


def load_node_states(connection: Connection, chain: str) -> dict[str, str]:
    """By host and port: ok, or the code of what is wrong with the node."""
    query = select(chain_nodes.c.node, chain_nodes.c.state).where(chain_nodes.c.chain == chain)
    return {row.node: row.state for row in connection.execute(query.order_by(chain_nodes.c.node))}
