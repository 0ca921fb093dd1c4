"""Renewing what is due: by another certificate, by another hash, all under one token; and nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from mizheng.notary.database import reading, writing
from mizheng.notary.errors import ConfigurationError
from mizheng.notary.timestamping.collector import TokenCollector
from mizheng.notary.timestamping.kept import load_earliest_end, load_first_stamps
from mizheng.notary.timestamping.renewing import DAY, RenewalRules, Renewer, parse_renewal
from mizheng.notary.timestamping.setup import AuthoritySetup, parse_timestamps
from mizheng.notary.timestamping.tables import evidence_records, time_stamps
from mizheng.verifier.renewal.chain import RenewedEvidence, verify_record
from mizheng.verifier.renewal.record import parse_record
from mizheng.verifier.timestamp.algorithms import SHA256, find_hash
from sqlalchemy import select, update

from tests.notary.timestamping.conftest import StampedLog
from tests.support.opensslts import Answer, OpensslAuthority

RULES = RenewalRules(180 * DAY, find_hash("sha512"), {})


@pytest.fixture(scope="module")
def ending() -> Iterator[OpensslAuthority]:
    """Its certificate ends in a hundred days."""
    with OpensslAuthority("ending", days=100) as running:
        yield running


@pytest.fixture
def both(ending: OpensslAuthority, authority: OpensslAuthority) -> tuple[AuthoritySetup, AuthoritySetup]:
    ending.requests.clear()
    authority.requests.clear()
    first, second = parse_timestamps(
        {
            server.authority.name.replace(" ", "-"): {"url": server.url, "roots": str(server.roots)}
            for server in (ending, authority)
        }
    )
    return first, second


def stamped(log: StampedLog, setup: AuthoritySetup, *sizes: int) -> None:
    for size in sizes:
        log.anchor(size)
        assert TokenCollector(log.engine, setup).step()


def followed(
    log: StampedLog, setups: tuple[AuthoritySetup, ...], rules: RenewalRules = RULES
) -> list[RenewedEvidence]:
    """Every record, read back and followed by the verifier."""
    query = select(evidence_records.c.record, time_stamps.c.text).join(time_stamps).order_by(time_stamps.c.id)
    with reading(log.engine) as connection:
        rows = connection.execute(query).all()
    return [
        verify_record(
            parse_record(row.record),
            row.text,
            [[lambda algorithm, text=row.text: algorithm.digest(text)]],
            [setup.trusted for setup in setups],
            rules.retired,
        )
        for row in rows
    ]


def test_many_under_one_token(
    log: StampedLog,
    both: tuple[AuthoritySetup, AuthoritySetup],
    ending: OpensslAuthority,
    authority: OpensslAuthority,
) -> None:
    stamped(log, both[0], 1, 2, 3, 4, 5)
    ending.requests.clear()
    renewer = Renewer(log.engine, both, RULES)
    assert len(renewer.due()) == 5
    assert renewer.step()
    # The one that ends gains nothing by its own certificate; the other's token holds for all five.
    assert (len(ending.requests), len(authority.requests)) == (1, 1)
    found = followed(log, both)
    assert [item.renewals for item in found] == [1] * 5
    assert all(item.holds_until > time.time() + 3000 * DAY for item in found)
    assert not renewer.due()
    assert not renewer.step()
    with reading(log.engine) as connection:
        ends = load_earliest_end(connection)
        (kept,) = load_first_stamps(connection, 0)
    assert ends is not None
    assert ends > time.time() + 3000 * DAY
    assert kept.record is not None


def test_nothing_is_due(
    log: StampedLog, both: tuple[AuthoritySetup, AuthoritySetup], authority: OpensslAuthority
) -> None:
    stamped(log, both[1], 1)
    authority.requests.clear()
    assert not Renewer(log.engine, both, RULES).step()
    assert not authority.requests
    # Asked for by the operator all the same.
    assert len(Renewer(log.engine, both, RULES).due(within=10_000 * DAY)) == 1


def test_nobody_has_a_longer_certificate(
    log: StampedLog, both: tuple[AuthoritySetup, AuthoritySetup], ending: OpensslAuthority
) -> None:
    """Asked once a day, and the old evidence stays as it is."""
    stamped(log, both[0], 1)
    ending.requests.clear()
    renewer = Renewer(log.engine, both[:1], RULES)
    assert not renewer.step()
    assert not renewer.step()
    assert len(ending.requests) == 1
    assert not followed(log, both)


def test_hash_is_about_to_be_retired(log: StampedLog, both: tuple[AuthoritySetup, AuthoritySetup]) -> None:
    rules = replace(RULES, retired={"sha256": int(time.time()) + 100 * DAY})
    # These sign over a SHA-256 as well, which would be retired with it.
    with OpensslAuthority("sha512 alone", digest="sha512") as later:
        (third,) = parse_timestamps(
            {"later": {"url": later.url, "roots": str(later.roots), "hash": "sha512"}}
        )
        stamped(log, both[1], 1, 2)
        setups = (*both, third)
        assert Renewer(log.engine, setups, rules).step()
    found = followed(log, setups, rules)
    assert [(item.hash, item.group, item.renewals) for item in found] == [("sha512", 0, 1)] * 2
    assert all(item.holds_until > rules.retired["sha256"] for item in found)
    assert not Renewer(log.engine, setups, rules).due()


def test_renewed_again_and_again(log: StampedLog, both: tuple[AuthoritySetup, AuthoritySetup]) -> None:
    stamped(log, both[0], 1)
    with OpensslAuthority("middle", days=150) as middle:
        (second,) = parse_timestamps({"middle": {"url": middle.url, "roots": str(middle.roots)}})
        assert Renewer(log.engine, (both[0], second), RULES).step()
    setups = (both[0], second, both[1])
    assert Renewer(log.engine, (replace(both[0], url=None), replace(second, url=None), both[1]), RULES).step()
    (found,) = followed(log, setups)
    assert (found.renewals, found.hash) == (2, "sha256")


def test_lapsed_is_left_alone(
    log: StampedLog, both: tuple[AuthoritySetup, AuthoritySetup], authority: OpensslAuthority
) -> None:
    """A token of today says nothing about the time before: that evidence is shown as lapsed."""
    stamped(log, both[1], 1)
    with writing(log.engine) as connection:
        connection.execute(update(time_stamps).values(holds_until=int(time.time()) - 1))
    authority.requests.clear()
    unknown = replace(both[1], trusted=replace(both[0].trusted, name=both[1].name))
    renewer = Renewer(log.engine, (unknown,), RULES)
    assert [item.by < time.time() for item in renewer.due()] == [True]
    assert not renewer.step()
    assert not authority.requests


def test_record_that_another_process_renewed_meanwhile(
    log: StampedLog, both: tuple[AuthoritySetup, AuthoritySetup], authority: OpensslAuthority
) -> None:
    stamped(log, both[0], 1)
    with OpensslAuthority("middle", days=150) as middle:
        (second,) = parse_timestamps({"middle": {"url": middle.url, "roots": str(middle.roots)}})
        assert Renewer(log.engine, (both[0], second), RULES).step()
    setups = (replace(both[0], url=None), replace(second, url=None), both[1])
    slow, quick = Renewer(log.engine, setups, RULES), Renewer(log.engine, setups, RULES)

    def meanwhile(body: bytes) -> Answer:
        authority.answer_with = None
        assert quick.step()
        return 200, "", authority.reply(body)

    authority.answer_with = meanwhile
    slow.step()
    (found,) = followed(log, (both[0], second, both[1]))
    assert found.renewals == 2


@pytest.mark.parametrize(
    "table",
    [
        {"before_days": 0},
        {"before_days": "90"},
        {"before_days": True},
        {"hash": "md5"},
        {"retired": {"md5": "2030-01-01T00:00:00Z"}},
        {"retired": {"sha256": "2030"}},
        {"retired": "sha256"},
        {"days": 3},
    ],
)
def test_settings_with_a_fault(table: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="renewal"):
        parse_renewal(table)


def test_settings() -> None:
    assert parse_renewal({}) == RULES
    found = parse_renewal(
        {"before_days": 30, "hash": "sha384", "retired": {"sha256": "2035-01-01T00:00:00Z"}}
    )
    assert (found.before_seconds, found.next_hash.name, found.retired) == (
        30 * DAY,
        "sha384",
        {SHA256.name: 2_051_222_400},
    )
