"""How long it takes to decide whether somebody may: the table alone, and with the session it is asked for.

A register of members as a large notary has it; each question is of another session. The 99th percentile of
the table alone is compared with the promise; what reading the session costs stands beside it.
"""

import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from mizheng.notary.database import create_engine, reading, writing
from mizheng.notary.migrations import upgrade
from mizheng.notary.people.members import Member, add_member, load_member
from mizheng.notary.people.permissions import MEMBER_ROLES, Action, Actor, Role, Target, decide
from mizheng.notary.people.sessions import find_session, open_session
from sqlalchemy import Connection

MEMBERS = 2_000
QUESTIONS = 5_000
# The promise, in milliseconds.
PROMISED_MS = 1.0


def fill(connection: Connection) -> list[str]:
    """Members of the judicial side, each with a session; their tokens."""
    members: list[Member] = []
    for number in range(MEMBERS):
        role = Role.APPRAISER if number % 2 else Role.CLERK
        members.append(add_member(connection, f"成员 {number}", None, frozenset({role})))
    return [
        open_session(connection, load_member(connection, member.id), "passkey", is_strong=True, replaces=None)
        for member in members
    ]


def show(name: str, taken: list[float]) -> float:
    """One row, in microseconds; the 99th percentile in milliseconds."""
    ordered = sorted(taken)
    late = ordered[len(ordered) * 99 // 100]
    print(f"{name:<24} median {statistics.median(ordered) * 1e6:8.1f} µs, 99 % {late * 1e6:8.1f} µs")
    return late * 1000


def main() -> int:
    chance = random.Random(7)
    actors = [Actor(frozenset({role}), 1, 1, True) for role in MEMBER_ROLES]
    actions, targets = list(Action), [Target(1, 1), Target(2, 2), None]
    alone = []
    for _ in range(QUESTIONS):
        question = chance.choice(actors), chance.choice(actions), chance.choice(targets)
        started = time.perf_counter()
        decide(*question)
        alone.append(time.perf_counter() - started)
    with tempfile.TemporaryDirectory(prefix="mizheng-bench-") as name:
        engine = create_engine(f"sqlite:///{Path(name)}/mizheng.db")
        upgrade(engine)
        with writing(engine) as connection:
            tokens = fill(connection)
        whole = []
        for _ in range(QUESTIONS):
            token = chance.choice(tokens)
            started = time.perf_counter()
            with reading(engine) as connection:
                session = find_session(connection, token)
                assert session is not None
                decide(session.actor, Action.ACCOUNT_CHANGE, session.member.target)
            whole.append(time.perf_counter() - started)
        engine.dispose()
    decided = show("the table", alone)
    found = show("session and table", whole)
    print(
        f"permission check: {decided:.3f} ms, promised {PROMISED_MS:.0f} ms; with its session {found:.2f} ms"
    )
    return 0 if decided <= PROMISED_MS else 1


if __name__ == "__main__":
    sys.exit(main())
