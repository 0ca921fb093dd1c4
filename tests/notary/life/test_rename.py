"""A company under a new name: what it deposited before keeps the old one, and nothing mixes the two."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mizheng.notary.companies.enrolments import KeyRegister
from mizheng.notary.companies.organisations import add_organisation, list_organisations
from mizheng.notary.database import reading
from mizheng.notary.errors import OperatorError
from mizheng.notary.instance import Instance
from mizheng.notary.log.head import load_head

from tests.cli.runner import Mizheng
from tests.support.notary import NotaryServer, make_uscc

OLD, NEW = "旧名科技有限公司", "新名科技有限公司"


def seal_and_wait(mizheng: Mizheng, name: str) -> None:
    (mizheng.cwd / name).write_bytes(name.encode())
    mizheng("notarize", name).ok()
    mizheng("status", f"{name}.seal", "--wait", "--timeout", "90").ok()


def test_a_renamed_company(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    company = Mizheng(tmp_path / "home", work)
    with NotaryServer(tmp_path / "notary") as server:
        org, api_key = server.add_org(OLD)
        company("init", "--notary", server.url, "--store", "file", stdin=api_key).ok()
        seal_and_wait(company, "before")
        # Made while its key is there: who rotates keeps it, who lost it could not sign one any more.
        company("bundle", "before.seal", "--open", "before", "-o", "before.zip").ok()
        (old_key,) = company("key", "show", "--json").ok().json

        server.run("org", "rename", org.id, NEW)
        # Under the old name no more, and under the new one not with the old key.
        (work / "between").write_bytes(b"between")
        assert company("notarize", "between").code == 76
        company("init").ok()
        assert company("notarize", "between.seal").code == 76
        assert not json.loads(server.run("org", "list", "--json").stdout)[0]["active_keyid"]

        company("key", "rotate").ok()
        company("notarize", "between.seal").ok()
        company("status", "between.seal", "--wait", "--timeout", "90").ok()
        company("bundle", "between.seal", "--open", "between", "-o", "after.zip").ok()
        trust = server.export_trust(tmp_path / "trust.toml")
        for bundle, name in (("before.zip", OLD), ("after.zip", NEW)):
            report = company("verify", bundle, "--trust", trust, "--json").ok()
            assert report.json["verdict"] == "valid"
            assert name in report.out
            assert (OLD if name == NEW else NEW) not in report.out
        new_key = company("key", "show", "--json").ok().json[-1]
        assert new_key["keyid"] != old_key["keyid"]


def test_both_or_neither(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    add_organisation(instance.engine, OLD, "CN-USCC", make_uscc(1))
    register = KeyRegister(instance.engine, instance.keys, instance.signer, instance.guard)
    for name, said in ((OLD, "has this name already"), ("", "is empty"), ("a\nb", "control characters")):
        with pytest.raises(OperatorError, match=said):
            register.rename("1", name)
    with pytest.raises(OperatorError, match="is registered"):
        register.rename("99", NEW)
    # Without a key there is nothing to revoke.
    register.rename("1", NEW)
    assert [item.depositor.name for item in list_organisations(instance.engine)] == [NEW]
    with reading(instance.engine) as connection:
        assert load_head(connection).tree_size == 0
