"""What was lodged and shown goes when the operator says so; what others have stays."""

from __future__ import annotations

import hashlib
import json

import pytest
from click.testing import CliRunner
from mizheng.notary.access.tables import access_requests, shown_documents
from mizheng.notary.auditing.checking import check_audit_log
from mizheng.notary.database import reading
from mizheng.notary.main import main
from sqlalchemy import select

from tests.notary.access.conftest import LawfulWorld

OVER, COMING = "2026-12-31T00:00:00Z", "2099-01-01T00:00:00Z"


def run(world: LawfulWorld, *arguments: str) -> tuple[int, str]:
    folder = str(world.instance.settings.data_dir)
    done = CliRunner().invoke(
        main, ["--lang", "en", "access", *arguments, "--data-dir", folder], catch_exceptions=False
    )
    return done.exit_code, done.stdout


def lodge(world: LawfulWorld, ends_at: str) -> tuple[str, str]:
    """A request and its refusal by the company; the digests of both."""
    company = world.has[0]
    request = world.ask(company, ends_at=ends_at, name="真名不该留下")
    approval = company.decide(request, ends_at=ends_at)
    assert world.api(company, "POST", "/requests", request).status_code == 201
    assert world.api(company, "POST", "/documents", approval).status_code == 201
    return hashlib.sha256(request).hexdigest(), hashlib.sha256(approval).hexdigest()


def kept(world: LawfulWorld) -> set[str]:
    with reading(world.instance.engine) as connection:
        return {
            digest.hex()
            for table in (access_requests, shown_documents)
            for digest in connection.execute(select(table.c.sha256)).scalars()
        }


def test_a_request_goes_with_what_is_shown_of_it(world: LawfulWorld) -> None:
    first, second = lodge(world, COMING), lodge(world, COMING)
    listed = json.loads(run(world, "list", "--json")[1])
    assert [(row["sha256"], row["documents"]) for row in listed][-2:] == [(first[0], 1), (second[0], 1)]
    assert "真名" not in str(listed)
    assert run(world, "forget", first[0]) == (0, "deleted: 2 documents\n")
    assert not {*first} & kept(world)
    assert {*second} <= kept(world)
    assert world.acts(1) == [("access.forget", "operator", f"request:{first[0][:16]}", '{"documents":2}')]
    assert run(world, "forget", second[1]) == (0, "deleted: 1 documents\n")
    assert second[0] in kept(world)
    with reading(world.instance.engine) as connection:
        check_audit_log(connection)


def test_all_whose_term_is_over(world: LawfulWorld) -> None:
    over, coming = lodge(world, OVER), lodge(world, COMING)
    assert run(world, "forget", "--ended-before", "2026-12-31")[1] == "deleted: 0 documents\n"
    assert run(world, "forget", "--ended-before", "2027-01-01")[1] == "deleted: 2 documents\n"
    assert not {*over} & kept(world)
    assert {*coming} <= kept(world)


@pytest.mark.parametrize(
    "arguments", [[], ["ab" * 32, "--ended-before", "2026-01-01"], ["ab" * 32], ["ab"], ["AB" * 32]]
)
def test_what_cannot_be_forgotten(world: LawfulWorld, arguments: list[str]) -> None:
    lodge(world, OVER)
    before = kept(world)
    assert run(world, "forget", *arguments)[0] == 1
    assert kept(world) == before
