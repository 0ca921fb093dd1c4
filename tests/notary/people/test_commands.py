"""The operator's commands for members and for API keys with scopes."""

from __future__ import annotations

import json
from pathlib import Path

from mizheng.notary.companies.api_keys import authenticate
from mizheng.notary.database import create_engine, reading

from tests.support.notary import NotaryServer


def test_members_from_the_first_to_the_last(tmp_path: Path) -> None:
    server = NotaryServer(tmp_path / "data")
    server.add_org("示例公司")
    lines = server.run(
        "members", "add", "工号 7", "--org", "1", "--role", "company-admin"
    ).stdout.splitlines()
    pseudonym = lines[0].rpartition(" ")[2]
    # Without an address there is no link, only the code.
    assert len(lines[2]) == 32
    assert "[people]" in lines[3]

    def row() -> dict[str, object]:
        (found,) = json.loads(server.run("members", "list", "--json").stdout)
        assert isinstance(found, dict)
        return found

    assert row() == {
        "member": pseudonym,
        "organisation": 1,
        "roles": ["company-admin"],
        "is_disabled": False,
        "name": "工号 7",
    }
    server.run("members", "grant", pseudonym, "company-operator")
    refused = server.run("members", "grant", pseudonym, "audit-admin", check=False)
    assert refused.returncode == 1
    assert "nobody can have these roles at once" in refused.stderr
    server.run("members", "revoke", pseudonym, "company-admin")
    assert row()["roles"] == ["company-operator"]
    server.run("members", "disable", pseudonym)
    assert "is disabled" in server.run("members", "invite", pseudonym, check=False).stderr
    server.run("members", "enable", pseudonym)
    assert len(server.run("members", "invite", pseudonym).stdout.splitlines()[1]) == 32
    server.run("members", "erase", pseudonym)
    assert (row()["name"], row()["roles"], row()["is_disabled"]) == ("-", [], True)
    assert "no such member" in server.run("members", "invite", "nobody", check=False).stderr
    assert "in order" in server.run("audit-log", "verify").stdout


def test_an_api_key_for_one_use(tmp_path: Path) -> None:
    server = NotaryServer(tmp_path / "data")
    server.add_org()
    made = server.run("org", "new-api-key", "1", "--scope", "read", "--key-days", "30")
    engine = create_engine(f"sqlite:///{server.data_dir / 'mizheng.db'}")
    with reading(engine) as connection:
        assert authenticate(connection, f"Bearer {made.stdout.splitlines()[1]}").scopes == "read"
    engine.dispose()
