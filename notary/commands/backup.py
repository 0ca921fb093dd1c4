"""`mizheng-notary backup` and `mizheng-notary restore`."""

import os
from pathlib import Path

import click
from mizheng.notary.commands.console import _, data_dir_option, open_here, say, speaks
from mizheng.verifier.words import N_

_PASSPHRASE_FILE = click.option(
    "--passphrase-file",
    type=click.Path(dir_okay=False),
    help=N_("private file whose first line is the passphrase of the keys, else it is asked for"),
)


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
@click.option(
    "--keys",
    "keys_path",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help=N_("write the private keys, encrypted, into this file; keep it elsewhere"),
)
@_PASSPHRASE_FILE
@data_dir_option
@speaks
def backup(folder: str, keys_path: str | None, passphrase_file: str | None, data_dir: str | None) -> None:
    """Copy the notary into the new folder DIR while it serves: all but its private keys."""
    from mizheng.notary.auditing.recording import record
    from mizheng.notary.backup.keyfile import write_keys
    from mizheng.notary.backup.make import make_backup
    from mizheng.notary.config import load_settings
    from mizheng.notary.database import writing
    from mizheng.notary.errors import OperatorError

    settings = load_settings(os.environ, {"data_dir": data_dir})
    if not (settings.keys_dir / "log.vkey").exists():
        raise OperatorError(
            "there is no notary in {path}",
            hint="name its data directory with --data-dir",
            path=settings.data_dir,
        )
    target = Path(folder).absolute()
    if keys_path is not None and target in Path(keys_path).absolute().parents:
        raise OperatorError(
            "keys do not lie in the same place as what they sign", hint="name a file outside of the backup"
        )
    passphrase = None if keys_path is None else _passphrase(passphrase_file, is_new=True)
    instance = open_here(data_dir)
    made = make_backup(instance, target)
    with writing(instance.engine) as connection:
        record(connection, "backup.make", "notary", detail={"with_keys": passphrase is not None})
    say("backed up: {count} entries, {path}", count=made.manifest.tree_size, path=target)
    say("SHA-256 of {name}: {digest}", name="backup.json", digest=made.manifest_sha256)
    if keys_path is not None and passphrase is not None:
        count = write_keys(settings.keys_dir, Path(keys_path), passphrase)
        say("{count} keys, encrypted: {path}; keep it apart from the backup", count=count, path=keys_path)


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False))
@click.option(
    "--keys",
    "keys_path",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help=N_("file with the private keys, else put them into the keys directory yourself"),
)
@_PASSPHRASE_FILE
@click.option(
    "--seen",
    metavar="FILE",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    help=N_("a checkpoint of this log that somebody kept: below it nothing will be signed; can be repeated"),
)
@data_dir_option
@speaks
def restore(
    folder: str,
    keys_path: str | None,
    passphrase_file: str | None,
    seen: tuple[str, ...],
    data_dir: str | None,
) -> None:
    """Restore the backup DIR into an empty data directory and an empty database; nothing is overwritten."""
    from mizheng.notary.backup.keyfile import read_keys
    from mizheng.notary.backup.restore import restore_backup

    keys = None
    if keys_path is not None:
        keys = read_keys(Path(keys_path), _passphrase(passphrase_file, is_new=False))
    done = restore_backup(
        Path(folder).absolute(),
        os.environ,
        {"data_dir": data_dir},
        keys,
        [Path(path).read_bytes() for path in seen],
    )
    say("restored: {count} entries, {path}", count=done.manifest.tree_size, path=done.data_dir)
    if keys is None:
        say("the keys are still missing: put them into {path}", path=done.data_dir / "keys")
    if done.seen_size > done.manifest.tree_size:
        say(
            "{signed} entries are known to have been signed: this notary will sign nothing until it has them",
            signed=done.seen_size,
        )
    else:
        say("before you serve: was anything deposited after {instant}?", instant=done.manifest.made_at)


def _passphrase(path: str | None, *, is_new: bool) -> bytes:
    from mizheng.notary.backup.keyfile import check_passphrase, read_passphrase

    if path is not None:
        return read_passphrase(Path(path))
    return check_passphrase(
        click.prompt(_("passphrase of the keys"), hide_input=True, confirmation_prompt=is_new, err=True)
    )
