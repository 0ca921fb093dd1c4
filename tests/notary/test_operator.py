"""The operator's side: settings, keys, data directory, companies, the command line."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mizheng.notary.companies.api_keys import authenticate, authenticate_again
from mizheng.notary.companies.identifiers import compute_uscc_check_digit, normalize_identifier
from mizheng.notary.companies.organisations import (
    add_organisation,
    allow_reenrolment,
    find_organisation,
    list_organisations,
    new_api_key,
    set_disabled,
)
from mizheng.notary.config import load_settings
from mizheng.notary.database import create_engine, reading, writing
from mizheng.notary.errors import ConfigurationError, OperatorError, Problem
from mizheng.notary.instance import Instance, only_server, open_instance
from mizheng.notary.keys.files import load_keys
from mizheng.notary.log.append import NewEntry, append
from mizheng.notary.log.head import load_head, lock_head
from mizheng.notary.models import api_keys, tiles
from mizheng.verifier.errors import MizhengError
from sqlalchemy import select, update

from tests.support.notary import make_uscc

# Published codes of well-known companies: the check digits were not computed here.
REAL_CODES = ["91350100M000100Y43", "91110000802100433B", "91440300708461136T", "914403001922038216"]


# Identifiers


@pytest.mark.parametrize("code", REAL_CODES)
def test_codes_of_real_companies(code: str) -> None:
    assert compute_uscc_check_digit(code[:17]) == code[17]
    assert normalize_identifier("CN-USCC", f" {code.lower()} ") == code


def test_every_single_wrong_character_is_noticed() -> None:
    code = REAL_CODES[0]
    for place in range(18):
        for other in "0123456789ABCDEFGHJKLMNPQRTUWXY":
            if other != code[place]:
                with pytest.raises(OperatorError):
                    normalize_identifier("CN-USCC", code[:place] + other + code[place + 1 :])


@pytest.mark.parametrize(
    "code", ["", "1", "91350100M000100Y4", "91350100M000100Y433", "91350100I000100Y43", "９1350100M000100Y43"]
)
def test_what_is_no_code(code: str) -> None:
    with pytest.raises(OperatorError, match="unified social credit code"):
        normalize_identifier("CN-USCC", code)


def test_other_schemes() -> None:
    assert normalize_identifier("DE-HRB", " B 12345 ") == "B 12345"
    assert normalize_identifier("LEI", "529900T8BM49AURSDO55") == "529900T8BM49AURSDO55"
    for scheme in ("", "cn-uscc", "X", "CN USCC", "CN-USCC\n"):
        with pytest.raises(OperatorError, match="identifier scheme"):
            normalize_identifier(scheme, "1")
    for identifier in ("", "  ", "1\n2", "x" * 101):
        with pytest.raises(OperatorError, match="identifier is empty"):
            normalize_identifier("DE-HRB", identifier)


# Companies and API keys


def test_only_the_hash_of_an_api_key_is_kept(instance: Instance) -> None:
    _, key = add_organisation(instance.engine, "某某公司", "CN-USCC", make_uscc(1), key_days=1)
    assert key.secret not in repr(key)
    with reading(instance.engine) as connection:
        (row,) = connection.execute(select(api_keys)).all()
    assert row.key_sha256 == hashlib.sha256(key.secret.encode()).digest()
    assert row.prefix == key.secret[:12]
    assert row.expires_at - row.created_at == 86400
    stored = b"".join(path.read_bytes() for path in instance.settings.data_dir.rglob("mizheng.db*"))
    assert key.secret.encode() not in stored


def test_a_company_is_registered_once(instance: Instance) -> None:
    add_organisation(instance.engine, "某某公司", "CN-USCC", make_uscc(1))
    with pytest.raises(OperatorError, match="registered already"):
        add_organisation(instance.engine, "别的名字", "CN-USCC", make_uscc(1).lower())
    assert len(list_organisations(instance.engine)) == 1


@pytest.mark.parametrize("name", ["", "  ", "公司\n二", "x" * 401])
def test_names_that_are_none(instance: Instance, name: str) -> None:
    with pytest.raises(OperatorError, match="the name is empty"):
        add_organisation(instance.engine, name, "CN-USCC", make_uscc(1))


def test_companies_are_found_by_identifier_and_number(instance: Instance) -> None:
    made, _ = add_organisation(instance.engine, "某某公司", "CN-USCC", make_uscc(1))
    foreign, _ = add_organisation(instance.engine, "Beispiel GmbH", "DE-HRB", "B 12345 x")
    with reading(instance.engine) as connection:
        for reference in (make_uscc(1), make_uscc(1).lower(), str(made.number)):
            assert find_organisation(connection, reference) == made
        assert find_organisation(connection, "B 12345 x") == foreign
        for reference in ("", "99", "x", "９"):
            with pytest.raises(OperatorError, match="is registered"):
                find_organisation(connection, reference)


def test_disable_enable_and_new_keys(instance: Instance) -> None:
    add_organisation(instance.engine, "某某公司", "CN-USCC", make_uscc(1))
    assert set_disabled(instance.engine, "1", disabled=True).is_disabled
    assert not set_disabled(instance.engine, "1", disabled=False).is_disabled
    with pytest.raises(OperatorError, match="no active key"):
        allow_reenrolment(instance.engine, "1")
    new_api_key(instance.engine, "1", keep_others=True)
    new_api_key(instance.engine, "1", keep_others=False)
    with reading(instance.engine) as connection:
        rows = connection.execute(select(api_keys).order_by(api_keys.c.id)).all()
    assert [row.disabled_at is None for row in rows] == [False, False, True]


def test_an_expired_api_key(instance: Instance) -> None:
    _, key = add_organisation(instance.engine, "某某公司", "CN-USCC", make_uscc(1), key_days=1)
    with reading(instance.engine) as connection:
        caller = authenticate(connection, f"Bearer {key.secret}")
        assert authenticate_again(connection, [caller.api_key_id, 99])() == {caller.api_key_id: caller}
    with writing(instance.engine) as connection:
        connection.execute(update(api_keys).values(expires_at=int(time.time())))
        with pytest.raises(Problem) as expired:
            authenticate(connection, f"Bearer {key.secret}")
        (again,) = authenticate_again(connection, [caller.api_key_id])().values()
    assert isinstance(again, Problem)
    assert expired.value.code == again.code == "api-key-expired"


# Settings


def test_precedence(tmp_path: Path) -> None:
    (tmp_path / "notary.toml").write_text(
        'host = "file"\nport = 1\norigin = "file.example/log"\nanchor_interval = 7\n'
    )
    environment = {
        "MIZHENG_DATA_DIR": str(tmp_path),
        "MIZHENG_PORT": "2",
        "MIZHENG_ORIGIN": "env.example/log",
    }
    found = load_settings(environment, {"port": 3, "host": None})
    assert (found.host, found.port, found.origin, found.anchor_interval) == (
        "file",
        3,
        "env.example/log",
        7.0,
    )
    assert found.database_url == f"sqlite:///{tmp_path}/mizheng.db"


def test_defaults(tmp_path: Path) -> None:
    found = load_settings({"XDG_DATA_HOME": str(tmp_path)})
    assert found.data_dir == tmp_path / "mizheng-notary"
    assert (found.host, found.port, found.origin, found.chain) == ("127.0.0.1", 8470, None, None)
    assert found.anchor_interval == 2.0
    url = "postgresql+psycopg://notary:secret@db/notary"
    assert "secret" not in repr(load_settings({"MIZHENG_DATA_DIR": "/x", "MIZHENG_DATABASE_URL": url}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("port = ", "is not TOML"),
        ("ports = 1", "does not exist"),
        ("port = 70000", "is not a port"),
        ('port = "eighty"', "is not a port"),
        ('origin = "two words"', "cannot be the log's origin"),
        ("origin = 5", "cannot be the log's origin"),
        ("anchor_interval = 0", "is not an anchor interval"),
        ('anchor_interval = "soon"', "is not an anchor interval"),
        ("chain = 1", "not of the right kind"),
        ("[host]", "not of the right kind"),
    ],
)
def test_settings_that_cannot_be(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "notary.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=said):
        load_settings({"MIZHENG_DATA_DIR": str(tmp_path)})


@pytest.mark.parametrize("url", ["nonsense", "sqlite://", "sqlite:///:memory:", "oracle+none://x/y"])
def test_database_urls_that_cannot_be(url: str) -> None:
    with pytest.raises(ConfigurationError):
        create_engine(url)


# The data directory


def settings_of(instance: Instance, **environment: str) -> dict[str, str]:
    return {"MIZHENG_DATA_DIR": str(instance.settings.data_dir), **environment}


def test_what_is_made_is_the_operators_alone(instance: Instance) -> None:
    names = {path.name for path in instance.settings.keys_dir.iterdir()}
    assert names == {"log.pem", "issuer.pem", "log.vkey"}
    for path in instance.settings.keys_dir.iterdir():
        assert path.stat().st_mode & 0o077 == 0
    assert instance.settings.data_dir.stat().st_mode & 0o077 == 0


def test_opened_again_it_goes_on(instance: Instance) -> None:
    with writing(instance.engine) as connection:
        append(connection, instance.signer, lock_head(connection), [NewEntry(bytes(32), "deposit")])
    again = open_instance(load_settings(settings_of(instance)))
    assert again.signer.vkey == instance.signer.vkey
    with reading(again.engine) as connection:
        assert load_head(connection).tree_size == 1


def test_an_origin_is_for_good(instance: Instance) -> None:
    open_instance(load_settings(settings_of(instance, MIZHENG_ORIGIN=instance.origin)))
    with pytest.raises(ConfigurationError, match="the log's origin is"):
        open_instance(load_settings(settings_of(instance, MIZHENG_ORIGIN="other.example/log")))


def test_another_log_key_is_refused(instance: Instance) -> None:
    keys = instance.settings.keys_dir
    (keys / "log.pem").write_bytes((keys / "issuer.pem").read_bytes())
    with pytest.raises(ConfigurationError, match="is not the key that signed this log"):
        open_instance(load_settings(settings_of(instance)))


def test_a_lost_key_is_not_made_anew(instance: Instance) -> None:
    (instance.settings.keys_dir / "issuer.pem").unlink()
    with pytest.raises(ConfigurationError, match="is missing"):
        open_instance(load_settings(settings_of(instance)))


def test_a_lost_database_is_not_begun_anew(instance: Instance) -> None:
    """A second log under the same key would contradict the first."""
    instance.engine.dispose()
    for path in instance.settings.data_dir.glob("mizheng.db*"):
        path.unlink()
    with pytest.raises(ConfigurationError, match="says that one was begun"):
        open_instance(load_settings(settings_of(instance)))


def test_a_key_that_others_may_read(instance: Instance) -> None:
    path = instance.settings.keys_dir / "log.pem"
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="open to other accounts"):
        load_keys(instance.settings.keys_dir)
    path.chmod(0o600)
    path.write_bytes(b"nonsense")
    with pytest.raises(ConfigurationError, match="is not a key"):
        load_keys(instance.settings.keys_dir)


def test_a_damaged_log_is_not_served(instance: Instance) -> None:
    with writing(instance.engine) as connection:
        append(connection, instance.signer, lock_head(connection), [NewEntry(bytes(32), "deposit")])
        connection.execute(update(tiles).values(hashes=bytes(32)))
    with pytest.raises(ConfigurationError, match="the log is damaged"):
        open_instance(load_settings(settings_of(instance)))


def test_one_server_for_one_data_directory(instance: Instance) -> None:
    with only_server(instance.settings):
        with (
            pytest.raises(ConfigurationError, match="another notary is serving"),
            only_server(instance.settings),
        ):
            pass
        # Everything else goes on beside it.
        open_instance(load_settings(settings_of(instance)))
    with only_server(instance.settings):
        pass


def test_a_data_directory_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="cannot be used"):
        open_instance(load_settings({"MIZHENG_DATA_DIR": str(tmp_path / "file" / "x")}))


def test_interrupted_set_up_is_gone_through_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Died after the keys and before the log: the next start goes on with the same keys."""
    from mizheng.notary import instance as module

    settings = load_settings({"MIZHENG_DATA_DIR": str(tmp_path / "notary")})
    with monkeypatch.context() as patched:
        patched.setattr(module, "create_log", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            open_instance(settings)
    key = (settings.keys_dir / "log.pem").read_bytes()
    opened = open_instance(settings)
    assert (settings.keys_dir / "log.pem").read_bytes() == key
    assert (settings.keys_dir / "log.vkey").read_text().strip() == opened.signer.vkey


# The command line


def command(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from mizheng.notary.main import main; main()", *arguments],
        env={
            "PATH": os.environ["PATH"],
            "MIZHENG_DATA_DIR": str(tmp_path / "notary"),
            "LANG": "C.UTF-8",
            **environment,
        },
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def test_companies_on_the_command_line(tmp_path: Path) -> None:
    """Before the first `serve`: everything is made as needed."""
    added = command(tmp_path, "org", "add", "某某公司", make_uscc(1), "--json")
    assert added.returncode == 0, added.stderr
    assert json.loads(added.stdout)["api_key"].startswith("mzk_")
    listed = command(tmp_path, "org", "list", "--json")
    assert [row["name"] for row in json.loads(listed.stdout)] == ["某某公司"]
    wrong = command(tmp_path, "org", "add", "某某公司", "91350100M000100Y44")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    first, second = wrong.stderr.splitlines()
    assert first == "error: the check digit of 91350100M000100Y44 is wrong"
    assert second.startswith("hint: ")


def test_help_needs_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from mizheng.notary.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'sqlalchemy', 'fastapi', 'web3', 'eth', 'alembic', 'pydantic'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "serve" in result.stdout


def test_trust_needs_something_anchored(tmp_path: Path) -> None:
    result = command(tmp_path, "trust", "export")
    assert result.returncode == 1
    assert result.stderr.startswith("error: nothing has been anchored yet")


def test_messages_carry_their_values() -> None:
    """Every operator's error formats: a placeholder without its value would be an error of its own."""
    for make in (
        lambda: normalize_identifier("CN-USCC", "x"),
        lambda: normalize_identifier("CN-USCC", "91350100M000100Y44"),
        lambda: normalize_identifier("x", "1"),
    ):
        with pytest.raises(MizhengError) as raised:
            make()
        assert str(raised.value)
        raised.value.hint.format(**raised.value.values)
