"""`mizheng disclosures`: to whom what was opened, and for whom a bundle was made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from mizheng.cli.errors import RefusedFault, UsageFault
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import emit_json, note, say, show_error
from mizheng.cli.terminal.screens import Command
from mizheng.cli.terminal.text import printable

if TYPE_CHECKING:
    from mizheng.cli.access.store import AccessLog
    from mizheng.cli.disclosing.store import Register
    from mizheng.cli.session import Session


@click.command(
    "disclosures",
    cls=Command,
    help=N_(
        "List every bundle that was made for somebody (bundle --for, --access): for whom, what for, when, "
        "which records, and whether it is on record in the log; on a request also the matter, who approved "
        "it, until when, and whether that was withdrawn. Without a name: of all seals in this folder. It "
        "lies beside each seal, NAME.disclosures, and opens with the seal's key alone.\n\n"
        "--of says for whom a bundle was made, whoever has it now. A file or record taken out of a bundle "
        "carries no mark: compare it with what each was given."
    ),
    epilog=N_(
        "mizheng disclosures drawings.seal\nmizheng disclosures --of leaked.zip\nmizheng disclosures --send"
    ),
)
@click.argument("seals", metavar="[NAME.seal…]", nargs=-1)
@click.option("--of", "bundle_path", metavar="BUNDLE.zip", help=N_("for whom this bundle was made"))
@click.option("--send", is_flag=True, help=N_("put those on record that still wait"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def disclosures(seals: tuple[str, ...], bundle_path: str | None, send: bool, as_json: bool) -> int:
    if send and bundle_path:
        raise UsageFault("--send and --of are two commands")
    paths = [Path(name) for name in seals] or sorted(Path().glob("*.seal"))
    if bundle_path:
        return _trace(Path(bundle_path), paths, as_json=as_json)
    if send:
        return _send(paths, as_json=as_json)
    _list([(path, *both) for path in paths if (both := _open(path))], as_json=as_json)
    return 0


def _open(path: Path) -> tuple[Register, AccessLog | None] | None:
    """The list of a seal and its access log, or None where there is no list: then the seal is not opened.

    DataFault where the access log lacks a look that the list has.
    """
    from mizheng.cli.access.desk import check_looks
    from mizheng.cli.access.store import AccessLog
    from mizheng.cli.config import home_directory
    from mizheng.cli.disclosing.store import FILE, Register
    from mizheng.cli.keys.sealing import open_seal
    from mizheng.cli.sealfile.read import Seal

    with Seal(path) as seal:
        if not FILE.path_of(path).exists():
            return None
        home, deposit = home_directory(), seal.state.deposit
        key = open_seal(seal, home).manifest_key
        register = Register(path, key)
        log = None
        if deposit and any(kept.request for kept in register.kept):
            log = AccessLog(path, key, deposit.id, home)
            check_looks(register, log)
        return register, log


def _list(registers: list[tuple[Path, Register, AccessLog | None]], *, as_json: bool) -> None:
    from mizheng.cli.access.describing import describe_look
    from mizheng.cli.disclosing.one import describe

    found = [
        {
            "seal": str(path),
            **describe(kept, number),
            "access": describe_look(kept, log) if log else None,
        }
        for path, register, log in registers
        for number, kept in enumerate(register.kept, 1)
    ]
    if as_json:
        emit_json({"disclosures": found})
        return
    for item in found:
        _say(item)
    if not found:
        say(_("nothing was disclosed to anybody with bundle --for"))


def _say(item: dict[str, Any]) -> None:
    say(
        _(
            "{name} {number}: {at}  for {recipient}",
            name=printable(item["seal"]),
            number=item["number"],
            at=item["created_at"],
            recipient=printable(item["recipient"]),
        )
    )
    say(_("  purpose: {purpose}", purpose=printable(item["purpose"] or "-")))
    if look := item.get("access"):
        _say_look(look)
    for name in item["opened"]:
        say(_("  opened {name}", name=name))
    say(_("  originals handed over: {count}", count=item["originals"]))
    if item["state"] == "deposited":
        say(
            _(
                "  on record: leaf index {index}, received {at}",
                index=item["leaf_index"],
                at=item["received_at"],
            )
        )
    else:
        say(_("  not on record yet: mizheng disclosures --send"))
    if item["bundle"] is None:
        say(_("  its bundle was never finished"))
    else:
        say(_("  bundle: {name}", name=printable(item["bundle"])))


def _say_look(look: dict[str, Any]) -> None:
    """Why: the request, who allowed it, until when, and who took that back."""
    matter, basis = printable(look["matter"]), printable(look["basis"])
    say(_("  on a request in {matter}; legal basis: {basis}", matter=matter, basis=basis))
    say(
        _(
            "  approved by {persons}, until {at}",
            persons=", ".join(printable(person) for person in look["approvers"]),
            at=look["until"],
        )
    )
    for gone in look["withdrawals"]:
        say(
            _(
                "  withdrawn by {person}, {at}: {reason}",
                person=printable(gone["person"]),
                at=gone["at"],
                reason=printable(gone["reason"]),
            )
        )


def _send(paths: list[Path], *, as_json: bool) -> int:
    """Exit code 76 when the notary refused any of them; each of the others is on record."""
    from mizheng.cli.session import Session

    session = Session.load()
    sent: list[dict[str, Any]] = []
    refused = 0
    for path in paths:
        for outcome in _send_of(session, path):
            if isinstance(outcome, RefusedFault):
                refused += 1
                show_error(outcome)
            else:
                sent.append(outcome)
    if as_json:
        emit_json({"sent": sent, "refused": refused})
    else:
        for item in sent:
            _say(item)
        note(_("{count} put on record", count=len(sent)))
    return RefusedFault.exit_code if refused else 0


def _send_of(session: Session, path: Path) -> list[dict[str, Any] | RefusedFault]:
    from mizheng.cli.depositing.one import require_same_notary
    from mizheng.cli.depositing.recording import Recorder
    from mizheng.cli.disclosing.one import describe
    from mizheng.cli.disclosing.store import FILE, Register
    from mizheng.cli.keys.sealing import open_seal
    from mizheng.cli.sealfile.read import Seal

    _send_rows(session, path)
    if not FILE.path_of(path).exists():
        return []
    outcomes: list[dict[str, Any] | RefusedFault] = []
    with Seal(path, lock=True) as seal, session.notary() as client:
        register = Register(path, open_seal(seal, session.home).manifest_key)
        waiting = register.waiting()
        if waiting and seal.state.deposit is not None:
            require_same_notary(seal.state.deposit, session.organisation)
        recorder = Recorder(session, client)
        for place in waiting:
            try:
                kept = recorder.send(register, place)
            except RefusedFault as error:
                outcomes.append(error)
            else:
                outcomes.append({"seal": str(path), **describe(kept, place + 1)})
    return outcomes


def _send_rows(session: Session, path: Path) -> None:
    """Put on record what waits in the seal's access log."""
    from mizheng.cli.access.desk import has_log, open_desk

    if has_log(path):
        with open_desk(session, path, lock=True) as desk:
            desk.record(must=True)


def _trace(bundle_path: Path, paths: list[Path], *, as_json: bool) -> int:
    from mizheng.cli.disclosing.tracing import find, trace_bundle

    traced = trace_bundle(bundle_path)
    document = traced.document
    found = find(traced, ((path, both[0]) for path in paths if (both := _open(path))))
    if as_json:
        emit_json(
            {
                "recipient": document.recipient,
                "purpose": document.purpose,
                "created_at": document.created_at,
                "envelope_sha256": document.envelope_sha256,
                "carries_disclosure": traced.disclosure_sha256 is not None,
                "seal": str(found.seal) if found else None,
                "number": found.number if found else None,
            }
        )
        return 0
    if document.recipient is None:
        say(_("made for nobody in particular, {at}", at=document.created_at))
        return 0
    say(_("made for {recipient}, {at}", recipient=printable(document.recipient), at=document.created_at))
    say(_("  purpose: {purpose}", purpose=printable(document.purpose or "-")))
    if traced.disclosure_sha256 is None:
        say(_("  its disclosure is not inside; the depositor's signed list names the recipient all the same"))
    if found:
        say(
            _(
                "  in the list of {name}: number {number}",
                name=printable(str(found.seal)),
                number=found.number,
            )
        )
    else:
        say(_("  in no list of the seals looked at"))
    return 0
