"""A change of key that dies on any of its lines: it is gone through again, and the log has one change."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from mizheng.notary.config import Settings, load_settings
from mizheng.notary.database import create_engine, reading
from mizheng.notary.instance import open_instance
from mizheng.notary.keys import files as keys
from mizheng.notary.keys import rotation
from mizheng.notary.keys import settled as settled_keys
from mizheng.notary.keys.files import load_keys
from mizheng.notary.keys.rotation import Occasion, rotate_issuer, rotate_log
from mizheng.notary.keys.settled import load_issuers
from mizheng.notary.log import guard
from mizheng.notary.log import keys as log_keys
from mizheng.notary.log.append import check_head
from mizheng.notary.log.head import load_head
from mizheng.notary.log.keys import load_history, load_log_keys
from mizheng.verifier.logkeys import parse_log_keys
from mizheng.verifier.signature import PublicKey
from sqlalchemy import Engine

from tests.notary.life.dying import run_until
from tests.support.postgres import Postgres
from tests.support.scale import scaled

FILES = {str(module.__file__) for module in (rotation, settled_keys, keys, log_keys, guard)}
COMING = ".coming"

Rotate = Callable[[Settings], object]
OCCASIONS: dict[str, Rotate] = {
    "scheduled": lambda settings: rotate_log(settings, Occasion()),
    "lost": lambda settings: rotate_log(settings, Occasion(is_lost=True)),
    "issuer": rotate_issuer,
}


def make_notary(data_dir: Path, url: str | None) -> Settings:
    """A notary with an empty log."""
    settings = load_settings(
        {"MIZHENG_DATA_DIR": str(data_dir), **({"MIZHENG_DATABASE_URL": url} if url else {})}
    )
    open_instance(settings).engine.dispose()
    return settings


def changes(engine: Engine) -> int:
    """How many changes of either key the database knows; the log holds together."""
    with reading(engine) as connection:
        head = load_head(connection)
        check_head(connection, head)
        history = load_history(connection)
        issuers: list[PublicKey] = load_issuers(connection)
    assert history is not None
    found = parse_log_keys(history).changes
    assert head.tree_size == len(found)
    return len(found) + len(issuers) - 1


def check_settled(settings: Settings) -> None:
    """The files are those of the database, no key is left over, and the head is signed by the present one."""
    opened = open_instance(settings)
    with reading(opened.engine) as connection:
        known = load_log_keys(connection)
        assert known is not None
        assert known.present.vkey == opened.signer.vkey
        assert load_issuers(connection)[-1] == load_keys(settings.keys_dir).issuer.public
        opened.guard.check(connection, load_head(connection))
    opened.engine.dispose()
    assert (settings.keys_dir / "log.vkey").read_text().split()[-1] == opened.signer.vkey
    names = {path.name for path in settings.keys_dir.iterdir()}
    assert names == {"log.pem", "issuer.pem", "log.vkey"}, names


def go_through(settings: Settings, rotate: Rotate, line: int) -> bool:
    """Die on a line, then go on; whether it did not come to that line."""
    before = settings.keys_dir.with_name("before")
    if not before.exists():
        shutil.copytree(settings.keys_dir, before)
    is_through = run_until(line, FILES, lambda: rotate(settings))
    engine = create_engine(settings.database_url)
    made = changes(engine)
    assert made <= 1
    left_over = list(settings.keys_dir.glob(f"*{COMING}"))
    if is_through:
        assert (made, left_over) == (1, [])
    elif made and not left_over:
        # On its very last lines: everything is done, and there is nothing to go on with.
        check_settled(settings)
    elif made and line % 2:
        # Whoever serves, instead of running the command again, serves with the new key.
        check_settled(settings)
        assert changes(engine) == 1
    else:
        rotate(settings)
        assert changes(engine) == 1, "it was changed a second time"
        check_settled(settings)
    engine.dispose()
    return is_through


@pytest.mark.parametrize("occasion", OCCASIONS)
def test_sqlite(tmp_path: Path, occasion: str) -> None:
    made = make_notary(tmp_path / "made", None)
    if occasion == "lost":
        (made.keys_dir / "log.pem").unlink()
    is_through, line, step = False, 0, scaled(7, 1)
    while not is_through:
        line += step
        copy = tmp_path / f"at-{line}"
        shutil.copytree(made.data_dir, copy)
        is_through = go_through(load_settings({"MIZHENG_DATA_DIR": str(copy)}), OCCASIONS[occasion], line)
        shutil.rmtree(copy)
    assert line > 50


def test_postgresql(tmp_path: Path, postgres: Postgres) -> None:
    is_through, line, step = False, 0, scaled(31, 3)
    while not is_through:
        line += step
        settings = make_notary(tmp_path / f"at-{line}", postgres.create())
        is_through = go_through(settings, OCCASIONS["scheduled"], line)
    assert line > 50
