"""What an operator wants to see at a glance, from the database alone."""

from mizheng.notary.chain.tables import anchoring_status, anchors
from mizheng.notary.database import reading
from mizheng.notary.instance import Instance
from mizheng.notary.log.head import load_head
from mizheng.notary.models import deposits, organisations
from mizheng.notary.witness_status import load_witness_status
from mizheng.notary.witnesses import load_witnesses, own_keyids
from sqlalchemy import func, select


def load_operation(instance: Instance) -> dict[str, str | int | None]:
    """Names and values, in the order in which they are to be shown."""
    with reading(instance.engine) as connection:
        head = load_head(connection)
        largest = {
            state: connection.execute(
                select(func.max(anchors.c.tree_size)).where(anchors.c.state == state)
            ).scalar()
            for state in ("mined", "final")
        }
        newest = connection.execute(select(anchors).order_by(anchors.c.id.desc()).limit(1)).one_or_none()
        board = connection.execute(
            select(anchoring_status).order_by(anchoring_status.c.changed_at.desc()).limit(1)
        ).one_or_none()
        counts = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar()
            for table in (organisations, deposits)
        }
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
        "organisations": counts["organisations"],
        "chain": board.chain if board else None,
        "contract": newest.contract.hex() if newest else None,
        "anchored size": largest["mined"] if largest["mined"] is not None else largest["final"],
        "final size": largest["final"],
        "anchoring waits for": board.waiting_for if board else None,
        **witnesses,
    }
