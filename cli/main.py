"""`mizheng`: the command line of depositors and appraisers.

This file imports click and nothing heavy: `--help` and completion have to be instant. Commands are
imported when they are run (see `screens.LazyGroup`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click
from mizheng.cli.errors import BROKEN_PIPE, INTERRUPTED, exit_code_of
from mizheng.cli.terminal.language import N_, _, choose_language, set_language
from mizheng.cli.terminal.output import harden_streams, note, show_error, show_message
from mizheng.cli.terminal.screens import Lazy, LazyGroup
from mizheng.verifier.errors import MizhengError

USAGE = 64
INTERNAL = 70

_COMMANDS = {
    "init": Lazy("mizheng.cli.commands.init", "init", N_("make the signing key and enrol it with a notary")),
    "seal": Lazy(
        "mizheng.cli.commands.seal", "seal", N_("read files and write a private seal; nothing is sent")
    ),
    "notarize": Lazy(
        "mizheng.cli.commands.notarize", "notarize", N_("deposit a seal's commitment with the notary")
    ),
    "status": Lazy(
        "mizheng.cli.commands.status", "status", N_("sealed, deposited, anchored or final, and why it waits")
    ),
    "bundle": Lazy(
        "mizheng.cli.commands.bundle", "bundle", N_("write the evidence for a court, opening chosen files")
    ),
    "keep": Lazy(
        "mizheng.cli.commands.keep", "keep", N_("keep the originals, encrypted, and check that they stay")
    ),
    "retrieve": Lazy(
        "mizheng.cli.commands.retrieve", "retrieve", N_("bring kept originals back, compared with the seal")
    ),
    "retention": Lazy(
        "mizheng.cli.commands.retention", "retention", N_("how long originals stay; legal holds; deletion")
    ),
    "disclosures": Lazy(
        "mizheng.cli.commands.disclosures", "disclosures", N_("to whom what was opened, and is it on record")
    ),
    "custody": Lazy(
        "mizheng.cli.commands.custody", "custody", N_("who had the evidence: record, hand over, accept, show")
    ),
    "send": Lazy("mizheng.cli.commands.send", "send", N_("encrypt a bundle and files to one recipient")),
    "receive": Lazy(
        "mizheng.cli.commands.receive", "receive", N_("open what was sent to me, check it and sign for it")
    ),
    "transfers": Lazy(
        "mizheng.cli.commands.transfers", "transfers", N_("what was sent and received; take it back")
    ),
    "recipients": Lazy(
        "mizheng.cli.commands.recipients", "recipients", N_("whom I send to, and my own card")
    ),
    "access": Lazy(
        "mizheng.cli.commands.access", "access", N_("who asks to see records, who allows it, every look")
    ),
    "verify": Lazy(
        "mizheng.cli.commands.verify", "verify", N_("check a bundle, offline, against a trust file")
    ),
    "self-test": Lazy(
        "mizheng.cli.commands.self_test", "self_test", N_("judge every test vector: is this verifier sound")
    ),
    "certificate": Lazy(
        "mizheng.cli.commands.certificate", "certificate", N_("look a certificate up by its number")
    ),
    "compare": Lazy(
        "mizheng.cli.commands.compare",
        "compare",
        N_("which files of the other side are identical to opened ones"),
    ),
    "trust": Lazy(
        "mizheng.cli.commands.trust", "trust", N_("read a trust file: fingerprint, expiry, parties")
    ),
    "audit": Lazy(
        "mizheng.cli.commands.audit", "audit", N_("follow a log: is it whole, does it only ever grow")
    ),
    "doctor": Lazy(
        "mizheng.cli.commands.doctor", "doctor", N_("is everything in order, and what to do if not")
    ),
    "escrow": Lazy("mizheng.cli.commands.escrow", "escrow", N_("who else can open the company's seals")),
    "log": Lazy("mizheng.cli.commands.log", "log", N_("the versions of a secret, and what changed")),
    "supplement": Lazy(
        "mizheng.cli.commands.supplement",
        "supplement",
        N_("add evidence to a matter later: deed, witness, project"),
    ),
    "points": Lazy(
        "mizheng.cli.commands.points", "points", N_("what exactly is secret: write and check points.toml")
    ),
    "expiring": Lazy(
        "mizheng.cli.commands.expiring", "expiring", N_("list what has to be renewed, by whom and by when")
    ),
    "renew": Lazy("mizheng.cli.commands.renew", "renew", N_("hash everything anew before a hash is retired")),
    "key": Lazy("mizheng.cli.commands.key", "key", N_("show, rotate or replace the signing key")),
}


@click.group(
    "mizheng",
    cls=LazyGroup,
    lazy=_COMMANDS,
    help=N_(
        "Prove that you held a secret, since when, and that it is unchanged, without showing it to anyone."
    ),
    epilog=N_(
        "mizheng init --notary https://notary.example\n"
        "mizheng seal drawings/ -o drawings.seal\n"
        "mizheng notarize drawings.seal\n"
        "mizheng bundle drawings.seal --open drawings/pump.dwg -o pump.zip\n"
        "mizheng verify pump.zip pump.dwg --trust trust.toml"
    ),
)
@click.option("--lang", metavar="LANG", help=N_("zh_CN or en; else MIZHENG_LANG, else the locale"))
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    help=N_("show the version"),
    callback=lambda context, _option, asked: _show_version(context) if asked else None,
)
def cli(lang: str | None) -> None:
    if lang is not None and lang.lower().replace("-", "_") not in ("zh", "zh_cn", "en"):
        raise click.UsageError(_("{value} is not a language here: zh_CN or en", value=lang))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    args = list(sys.argv[1:] if arguments is None else arguments)
    harden_streams()
    set_language(choose_language(_asked_language(args), os.environ))
    try:
        if asked := os.environ.get("_MIZHENG_COMPLETE"):
            # A shell asks what could come next: https://click.palletsprojects.com/shell-completion
            from click.shell_completion import shell_complete

            return shell_complete(cli, {}, "mizheng", "_MIZHENG_COMPLETE", asked)
        with cli.make_context("mizheng", args) as context:
            result = cli.invoke(context)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as finished:
        return finished.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        note(error.format_message())
        return USAGE
    except click.UsageError as error:
        _show_usage_error(error)
        return USAGE
    except MizhengError as error:
        show_error(error)
        return exit_code_of(error)
    except (KeyboardInterrupt, EOFError, click.Abort):
        show_message(_("interrupted"))
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output went away. Not exit code 1: that means an invalid bundle.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except OSError as error:
        show_message(
            _("{name}: {reason}", name=os.fsdecode(error.filename or ""), reason=error.strerror or str(error))
        )
        return _code_of_os_error(error)
    except Exception as error:
        # An exit code of 1 would read as a verdict, so nothing may escape.
        if os.environ.get("MIZHENG_DEBUG"):
            raise
        show_message(
            _("internal error: {kind}", kind=type(error).__name__),
            _("run again with MIZHENG_DEBUG=1 for the details; they may name your files"),
        )
        return INTERNAL


def _asked_language(args: Sequence[str]) -> str | None:
    """The value of a leading --lang: known before click runs, so that its errors are translated too."""
    for position, argument in enumerate(args):
        if not argument.startswith("-"):
            return None
        if argument.startswith("--lang="):
            return argument.partition("=")[2]
        if argument == "--lang" and position + 1 < len(args):
            return args[position + 1]
    return None


def _show_usage_error(error: click.UsageError) -> None:
    """Click's own complaints in our words and language."""
    context = error.ctx
    hint = _("see {command} --help", command=context.command_path) if context else ""
    near = getattr(error, "possibilities", None)
    if near:
        hint = _("did you mean {names}?", names=", ".join(near))
    if isinstance(error, click.NoSuchOption):
        text = _("no such option: {name}", name=error.option_name)
    elif hasattr(error, "command_name"):
        text = _("no such command: {name}", name=error.command_name)
    elif isinstance(error, click.MissingParameter) and error.param is not None:
        name = (
            error.param.make_metavar(context)
            if isinstance(error.param, click.Argument) and context
            else (error.param.opts[0] if error.param.opts else "")
        )
        text = _("{name} is missing", name=name)
    elif isinstance(error, click.BadOptionUsage):
        text = _("option {name} needs a value", name=error.option_name)
    else:
        message = error.format_message().rstrip(".")
        text = message[:1].lower() + message[1:]
    show_message(text, hint)


def _code_of_os_error(error: OSError) -> int:
    if isinstance(error, FileNotFoundError):
        return 66
    return 77 if isinstance(error, PermissionError) else 74


def _show_version(context: click.Context) -> None:
    from importlib.metadata import version

    click.echo(f"mizheng {version('mizheng')}")
    context.exit()


if __name__ == "__main__":
    sys.exit(main())
