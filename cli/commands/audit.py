"""`mizheng audit`: follow a log, and say whether it holds together."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import Progress, emit_json, note, say, show_error, warn
from mizheng.cli.terminal.screens import Command
from mizheng.cli.terminal.text import printable

if TYPE_CHECKING:
    from mizheng.cli.auditing.run import Audit
    from mizheng.verifier.note import NoteVerifier
    from mizheng.verifier.trust import Trust


@click.command(
    "audit",
    cls=Command,
    help=N_(
        "Follow a log: check its signature, that it extends what was seen before, every entry and tile that "
        "is new and, on nodes of your choice, what is anchored. URL may be a directory that holds an "
        "exported log. Where the audit got to is kept; run again, also after an interruption, it goes on.\n\n"
        "Exit code 0: the log holds together, with or without new entries; 1: it misbehaved, and a file with "
        "the evidence is named; 2: nothing can be said (no believed key signed, another contract); 69: the "
        "log or a node cannot be reached; 64 and up: the audit could not be made."
    ),
    epilog=N_(
        "mizheng audit https://notary.example --trust trust.toml\n"
        "mizheng audit exported/ --trust trust.toml --rpc https://node.example\n"
        'mizheng audit exported/ --key "$VKEY" --since log.json'
    ),
)
@click.argument("url", metavar="URL")
@click.option("--trust", metavar="FILE", help=N_("the trust file that names the log's key and contracts"))
@click.option("--key", metavar="VKEY", help=N_("the log's key, where there is no trust file"))
@click.option("--since", metavar="STATE", help=N_("the file that remembers the last audit; else one a URL"))
@click.option("--rpc", metavar="NODE", multiple=True, help=N_("a node of your own choice to ask; repeatable"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def audit(
    url: str, trust: str | None, key: str | None, since: str | None, rpc: tuple[str, ...], as_json: bool
) -> int:
    from mizheng.cli.auditing.evidence import write_evidence
    from mizheng.cli.auditing.faults import MisbehaviourFault, UndecidedFault
    from mizheng.cli.auditing.run import Audit
    from mizheng.cli.auditing.source import open_source
    from mizheng.cli.auditing.state import default_path
    from mizheng.cli.commands.verify import load_trust
    from mizheng.cli.config import home_directory

    believed = load_trust(Path(trust)) if trust is not None else None
    verifiers = _verifiers(believed, key)
    path = Path(since) if since is not None else default_path(home_directory(), url)
    source = open_source(url)
    found = Audit(source, path, verifiers, believed, rpc)
    fault: MisbehaviourFault | UndecidedFault | None = None
    evidence: Path | None = None
    try:
        with Progress(_("auditing")) as progress:
            found.run(progress, now=time.time())
    except MisbehaviourFault as error:
        fault = error
        evidence = write_evidence(path.with_suffix(""), error, source.name, found.vkeys)
    except UndecidedFault as error:
        fault = error
    finally:
        source.close()
    if as_json:
        emit_json(_describe(found, fault, evidence))
    elif fault is None:
        _show(found)
    if fault is not None:
        show_error(fault)
    if evidence is not None:
        note(_("evidence: {name}", name=printable(str(evidence))))
    return 0 if fault is None else fault.exit_code


def _verifiers(trust: Trust | None, key: str | None) -> tuple[NoteVerifier, ...]:
    from mizheng.cli.errors import UsageFault
    from mizheng.verifier.errors import MizhengError
    from mizheng.verifier.note import NoteVerifier

    if key is None:
        return tuple(log.verifier for log in trust.logs) if trust else ()
    try:
        return (NoteVerifier.from_vkey(key),)
    except MizhengError as error:
        raise UsageFault(
            "--key is not the key of a log: {reason}",
            "it looks like notary.example/log+1a2b3c4d+AVk…; the notary's /v1/organisation names it log_vkey",
            reason=str(error),
        ) from error


def _show(found: Audit) -> None:
    head, state = found.head, found.state
    if head is None or state is None:
        return
    say(_("log: {origin}", origin=printable(head.checkpoint.origin)))
    say(_("checkpoint: {size} entries, root {root}", size=head.size, root=head.root.hex()))
    if found.seen is None:
        say(_("seen before: nothing"))
    elif found.seen.head.size == head.size:
        say(_("seen before: the same checkpoint"))
    else:
        say(_("seen before: {size} entries, which this log extends", size=found.seen.head.size))
    say(_("checked now: {count} entries and their tiles", count=found.checked))
    if state.unknown:
        say(_("of a format that is not known here: {count} entries", count=state.unknown))
    for chain in found.chains:
        say(
            _(
                "chain {name} on {node}: last anchored {size} entries; {count} roots compared",
                name=printable(chain.chain.name),
                node=chain.node,
                size=chain.head,
                count=len(chain.roots),
            )
        )
        if not chain.listed:
            say(_("  the node does not list events: only the last head was compared"))
    if found.cosigned is not None:
        say(_("witnesses: {names}", names=printable(", ".join(sorted(found.cosigned)) or "-")))
        if not found.is_quorum_met:
            warn(_("too few witnesses cosigned this checkpoint for the trust file's quorum"))
    say(_("the log holds together"))


def _describe(found: Audit, fault: Any, evidence: Path | None) -> dict[str, object]:
    head, state = found.head, found.state
    return {
        "result": "consistent" if fault is None else "misbehaved" if evidence else "undetermined",
        "log": found.source.name,
        "origin": head.checkpoint.origin if head else None,
        "size": head.size if head else None,
        "root": head.root.hex() if head else None,
        "seen_size": found.seen.head.size if found.seen else None,
        "checked": found.checked,
        "audited": state.audited if state else None,
        "unknown_entries": state.unknown if state else None,
        "first_unknown": found.first_unknown,
        "chains": [
            {
                "name": chain.chain.name,
                "node": chain.node,
                "log_id": chain.log_id.log_id.hex(),
                "size": chain.head,
                "compared": len(chain.roots),
                "events_listed": chain.listed,
            }
            for chain in found.chains
        ],
        "witnesses": None if found.cosigned is None else sorted(found.cosigned),
        "quorum_met": found.is_quorum_met,
        "state": str(found.state_path),
        "finding": getattr(fault, "kind", None),
        "message": str(fault) if fault else None,
        "evidence": str(evidence) if evidence else None,
    }
