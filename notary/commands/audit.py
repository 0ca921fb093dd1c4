"""`mizheng-notary audit-log …`."""

import click
from mizheng.notary.commands.console import data_dir_option, open_here, say, speaks


@click.group("audit-log")
def audit_log() -> None:
    """What was done at this notary by those who administer it; hash-linked, and on record in the log."""


@audit_log.command("verify")
@click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False),
    help="an earlier export, kept elsewhere: all of its rows must still be there",
)
@data_dir_option
@speaks
def audit_log_verify(against: str | None, data_dir: str | None) -> None:
    """Compute the chain anew and hold it against what the log has on record; names the first broken row."""
    from pathlib import Path

    from mizheng.notary.auditing.checking import check_audit_log
    from mizheng.notary.auditing.exporting import read_digests
    from mizheng.notary.database import reading

    earlier = [] if against is None else read_digests(Path(against).read_bytes())
    with reading(open_here(data_dir).engine) as connection:
        found = check_audit_log(connection, earlier)
    say(
        "in order: {rows} rows; {recorded} of them on record in the log, {final} under a final anchor",
        rows=found.rows,
        recorded=found.recorded,
        final=found.final,
    )
    say("last row: {digest}", digest=found.last_sha256.hex())


@audit_log.command("export")
@click.option("-o", "--output", type=click.Path(dir_okay=False), required=True, help="new file to write")
@data_dir_option
@speaks
def audit_log_export(output: str, data_dir: str | None) -> None:
    """Write all rows and the proofs of what is on record; keep the file where this notary cannot write."""
    import hashlib
    from pathlib import Path

    from mizheng.notary.auditing.exporting import export_lines
    from mizheng.notary.database import reading
    from mizheng.notary.errors import OperatorError

    with reading(open_here(data_dir).engine) as connection:
        data = b"".join(export_lines(connection))
    try:
        with Path(output).open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise OperatorError("{path} exists already", hint="name a new file", path=output) from None
    say("written: {path}", path=output)
    say("SHA-256: {digest}", digest=hashlib.sha256(data).hexdigest())


@audit_log.command("record")
@data_dir_option
@speaks
def audit_log_record(data_dir: str | None) -> None:
    """Put the audit log on record in the log now; a serving notary does so by itself."""
    from mizheng.notary.auditing.heads import HeadRecorder

    place = HeadRecorder(open_here(data_dir), 0).record()
    if place is None:
        say("nothing to record: all rows are on record")
    else:
        say("on record at leaf index {index}", index=place)
