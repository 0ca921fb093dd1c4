"""`mizheng verify`: check a bundle, offline unless nodes are named."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from mizheng.cli.errors import DataFault, InputFault, UsageFault
from mizheng.cli.terminal.language import N_, current_language, translate_with
from mizheng.cli.terminal.output import emit_json
from mizheng.cli.terminal.screens import Command

if TYPE_CHECKING:
    from mizheng.verifier.trust import Trust
    from mizheng.verifier.verify import OnlineBlock, OnlineRoot


@click.command(
    "verify",
    cls=Command,
    help=N_(
        "Check a bundle against a trust file, and files or folders of them against what it opens. No network "
        "is used unless nodes are named with --online. The trust file comes from a court, a notary office or "
        "the notary by a channel of its own, never from the bundle.\n\n"
        "Exit code 0: valid; 1: invalid; 2: undetermined; 64 and up: the check could not be made."
    ),
    epilog=N_(
        "mizheng verify pump.zip pump.dwg --trust trust.toml\n"
        "mizheng verify pump.zip --trust trust.toml --online https://node.example\n"
        "mizheng verify pump.zip --trust trust.toml --report pump.pdf\n"
        "mizheng verify --batch bundles --trust trust.toml --json"
    ),
)
@click.argument("bundle", metavar="BUNDLE", required=False, type=click.Path(path_type=Path))
@click.argument("files", metavar="[FILE|DIR]…", nargs=-1, type=click.Path(path_type=Path))
@click.option("--trust", metavar="FILE", help=N_("the trust file; without one the verdict is undetermined"))
@click.option(
    "--online", metavar="RPC", multiple=True, help=N_("a node of your own choice to ask; repeatable")
)
@click.option(
    "--finality",
    metavar="RULE",
    default="finalized",
    show_default=True,
    help=N_("when those nodes' blocks count as final: finalized, instant, confirmations:N"),
)
@click.option(
    "--batch", metavar="DIR", help=N_("check every bundle (*.zip) in a folder and those below it, and count")
)
@click.option("--report", "pdf", metavar="FILE.pdf", help=N_("also write the report as a PDF"))
@click.option(
    "--self-test", "with_self_test", is_flag=True, help=N_("judge the published vectors first, for the PDF")
)
@click.option("--json", "as_json", is_flag=True, help=N_("print the report as JSON"))
def verify(
    bundle: Path | None,
    files: tuple[Path, ...],
    trust: str | None,
    online: tuple[str, ...],
    finality: str,
    batch: str | None,
    pdf: str | None,
    with_self_test: bool,
    as_json: bool,
) -> int:
    if with_self_test and pdf is None:
        raise UsageFault("--self-test goes into the PDF of --report", "mizheng self-test prints it alone")
    if batch is not None:
        if bundle is not None or online or pdf:
            raise UsageFault("--batch takes a folder, and no bundle, file, --online or --report beside it")
        from mizheng.cli.checking.batch import run_batch

        data = None
        if trust is not None:
            # Once here, so that a trust file that cannot be used is an error, and not ten thousand.
            load_trust(Path(trust))
            data = Path(trust).read_bytes()
        return run_batch(Path(batch), data, as_json=as_json)
    if bundle is None:
        raise UsageFault("name a bundle, or a folder of them with --batch")
    return _verify_one(
        bundle, files, trust, online, finality, pdf, with_self_test=with_self_test, as_json=as_json
    )


def _verify_one(
    bundle: Path,
    files: tuple[Path, ...],
    trust: str | None,
    online: tuple[str, ...],
    finality: str,
    pdf: str | None,
    *,
    with_self_test: bool,
    as_json: bool,
) -> int:
    from mizheng.verifier.paper.reading import find_reader
    from mizheng.verifier.verify import verify_bundle

    believed = load_trust(Path(trust)) if trust is not None else None
    for path in (bundle, *files):
        _require(path)
    blocks: list[OnlineBlock] = []
    roots: list[OnlineRoot] = []
    try:
        reporting = None
        if pdf is not None:
            from mizheng.cli.checking.reporting import Reporting

            reporting = Reporting(
                Path(pdf), bundle, Path(trust) if trust else None, files, with_self_test=with_self_test
            )
        if online:
            from mizheng.cli.checking.online import ask_nodes, read_questions

            blocks, roots = ask_nodes(online, read_questions(bundle), finality)
        report = verify_bundle(
            bundle,
            believed,
            now=int(time.time()),
            files=files,
            online_blocks=blocks,
            online_roots=roots,
            pdf_reader=find_reader(),
        )
        if reporting is not None:
            reporting.write(report, current_language())
    except OSError as error:
        raise InputFault(
            "{name}: {reason}", name=str(error.filename or bundle), reason=error.strerror
        ) from error
    if as_json:
        emit_json(report.to_json())
    else:
        import sys

        from mizheng.verifier.text import render

        sys.stdout.write(render(report, translate_with()))
    return report.verdict.exit_code


def load_trust(path: Path) -> Trust:
    """The trust file; InputFault or DataFault when it cannot be used: that is no finding about a bundle."""
    from mizheng.verifier.errors import FormatError, KeyFormatError
    from mizheng.verifier.trust import parse_trust

    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputFault("{name}: {reason}", name=str(path), reason=error.strerror) from error
    try:
        return parse_trust(data)
    except (FormatError, KeyFormatError) as error:
        raise DataFault(
            "the trust file {name} cannot be used: {reason}",
            "ask whoever issued it for it again",
            name=str(path),
            reason=str(error),
        ) from error


def _require(path: Path) -> None:
    try:
        path.stat()
    except OSError as error:
        raise InputFault("{name}: {reason}", name=str(path), reason=error.strerror) from error
