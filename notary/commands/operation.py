"""What an operator wants to see at a glance, from the database alone."""

import time

from mizheng.notary.anchoring.costs import load_spent
from mizheng.notary.chain.configured import load_profiles
from mizheng.notary.chain.feerule import format_amount
from mizheng.notary.chain.node_board import load_node_states
from mizheng.notary.chain.profiles import ChainProfile
from mizheng.notary.chain.tables import anchoring_status, anchors
from mizheng.notary.cosigning.status import load_witness_status
from mizheng.notary.cosigning.witnesses import load_witnesses, own_keyids
from mizheng.notary.database import reading
from mizheng.notary.instance import Instance
from mizheng.notary.log.head import load_head
from mizheng.notary.models import deposits, events, organisations
from mizheng.notary.timestamping.kept import load_authority_status, load_earliest_end
from mizheng.notary.timestamping.setup import parse_timestamps
from mizheng.verifier.canonical import format_instant
from sqlalchemy import Connection, func, select


def load_operation(instance: Instance) -> dict[str, str | int | None]:
    """Names and values, in the order in which they are to be shown."""
    with reading(instance.engine) as connection:
        head = load_head(connection)
        chains: dict[str, str | int | None] = {}
        for profile in load_profiles(instance.settings):
            chains |= _load_chain(connection, profile)
        counts = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar()
            for table in (organisations, deposits, events)
        }
        stamped = load_authority_status(connection, parse_timestamps(instance.settings.timestamps))
        ends = load_earliest_end(connection)
        status = load_witness_status(
            connection,
            load_witnesses(instance.settings, own_keyids(instance)),
        )
    witnesses: dict[str, str | int | None] = {"witness quorum": None}
    if status is not None:
        witnesses = {
            "published size": status.published_size,
            "witness quorum": status.quorum,
            "last quorum at size": status.quorum_size,
            **{f"witness {name}": state for name, state in status.states.items()},
        }
    return {
        "data directory": str(instance.settings.data_dir),
        "origin": instance.origin,
        "log key": instance.signer.vkey,
        "entries": head.tree_size,
        "deposits": counts["deposits"],
        "events": counts["events"],
        "organisations": counts["organisations"],
        **chains,
        **witnesses,
        "time stamps hold until": None if ends is None else format_instant(ends),
        **{f"time stamps {found.name}": f"{found.state}, size {found.tree_size or 0}" for found in stamped},
    }


def _load_chain(connection: Connection, profile: ChainProfile) -> dict[str, str | int | None]:
    """The lines of one chain, each with its name."""
    here = [anchors.c.chain == profile.name, anchors.c.state.in_(("mined", "final"))]
    if profile.genesis_hash:
        here += [anchors.c.chain_id == profile.chain_id, anchors.c.genesis_hash == profile.genesis_hash]
    largest = select(func.max(anchors.c.tree_size)).where(*here)
    newest = connection.execute(select(anchors).where(*here).order_by(anchors.c.id.desc()).limit(1)).first()
    board = connection.execute(
        select(anchoring_status).where(anchoring_status.c.chain == profile.name)
    ).one_or_none()
    spent = load_spent(connection, profile, int(time.time()))
    unit = profile.fee_rule.unit
    balance = None if board is None or board.balance is None else format_amount(int(board.balance))
    name = profile.name
    return {
        f"{name}: kind": profile.kind,
        f"{name}: contract": newest.contract.hex() if newest else None,
        f"{name}: anchored size": connection.execute(largest).scalar(),
        f"{name}: final size": connection.execute(largest.where(anchors.c.state == "final")).scalar(),
        f"{name}: anchoring waits for": board.waiting_for if board else None,
        f"{name}: warnings": board.warnings or None if board else None,
        f"{name}: balance": balance and f"{balance} {unit}",
        f"{name}: spent in 24 hours": f"{format_amount(spent)} {unit}",
        **{f"{name}: node {node}": state for node, state in load_node_states(connection, name).items()},
    }
