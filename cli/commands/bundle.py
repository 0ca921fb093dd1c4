"""`mizheng bundle`: the evidence for a court, opening chosen records only."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from mizheng.cli.errors import ConfigurationFault, UnavailableFault, UsageFault, WaitingFault
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import emit_json, note, say, warn
from mizheng.cli.terminal.screens import CommandWithCommands, Lazy
from mizheng.cli.terminal.text import printable

if TYPE_CHECKING:
    from mizheng.cli.bundling.make import Opening
    from mizheng.cli.disclosing.one import Disclosing
    from mizheng.cli.sealfile.content import Content
    from mizheng.cli.sealfile.read import Seal
    from mizheng.cli.session import Session
    from mizheng.verifier.bundlewriting import Evidence


@click.command(
    "bundle",
    cls=CommandWithCommands,
    lazy={
        "normalize": Lazy(
            "mizheng.cli.commands.normalize",
            "normalize",
            N_("put a bundle packed anew back into its form"),
        )
    },
    help=N_(
        "Write a ZIP that proves the opened records, and only those, signed by the company's key. Nothing of "
        "a closed record is in it: not its name, nor how many there are. The environment record is opened "
        "too. The trust file has to reach the court by another channel.\n\n"
        "Names are those recorded by seal (--list shows them). A name ending in / opens the folder; * and ? "
        "stay within a folder, ** does not. point:3 opens secret point 3 alone, point:3+locators also where "
        "it stands, point:3+files also those files; measure:1, carrier:1 and so on the other numbered ones; "
        "kind:measure all of a kind.\n\n"
        "--for binds the bundle to one recipient: signed, and on record in the log, which learns none of it "
        "(mizheng disclosures)."
    ),
    epilog=N_(
        "mizheng bundle drawings.seal --list\n"
        "mizheng bundle drawings.seal --open drawings/pump.dwg --with-originals\n"
        "mizheng bundle drawings.seal --open 'drawings/*.dwg' --for 'the court'\n"
        "mizheng bundle drawings.seal --open point:3+files --open kind:measure"
    ),
)
@click.argument("seal_path", metavar="NAME.seal")
@click.option(
    "--open",
    "patterns",
    metavar="WHAT",
    multiple=True,
    help=N_("a name, a pattern, point:N, kind:K; repeatable"),
)
@click.option("--list", "is_list", is_flag=True, help=N_("list the recorded names and write nothing"))
@click.option("--with-originals", is_flag=True, help=N_("put the opened files into the bundle"))
@click.option("--from", "folder", metavar="DIR", help=N_("where names start; else here or beside the seal"))
@click.option("--no-environment", is_flag=True, help=N_("keep the environment record closed"))
@click.option("--for", "recipient", metavar="NAME", help=N_("for whom: signed, and put on record"))
@click.option("--purpose", metavar="TEXT", help=N_("for what, with --for"))
@click.option(
    "--exhibits",
    metavar="FILE.toml",
    help=N_("source, object of proof and pages for the exhibit list; else blank"),
)
@click.option("--no-exhibits", is_flag=True, help=N_("put no exhibit list into the bundle"))
@click.option("-o", "--output", metavar="NAME.zip", help=N_("name of the bundle; else that of the seal"))
@click.option("--force", is_flag=True, help=N_("replace a file that exists"))
@click.option("--offline", is_flag=True, help=N_("do not ask the notary: use what the seal keeps"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def bundle(
    seal_path: str,
    patterns: tuple[str, ...],
    is_list: bool,
    with_originals: bool,
    folder: str | None,
    no_environment: bool,
    recipient: str | None,
    purpose: str | None,
    exhibits: str | None,
    no_exhibits: bool,
    output: str | None,
    force: bool,
    offline: bool,
    as_json: bool,
) -> None:
    from mizheng.cli.config import home_directory
    from mizheng.cli.disclosing.recording import check_recipient
    from mizheng.cli.keys.sealing import open_seal
    from mizheng.cli.sealfile.read import Seal

    check_recipient(recipient, purpose)
    if exhibits and no_exhibits:
        raise UsageFault("--exhibits and --no-exhibits contradict each other")
    path = Path(seal_path)
    with Seal(path, lock=recipient is not None) as seal:
        if is_list:
            _list(open_seal(seal, home_directory()), as_json=as_json)
            return
        if not patterns:
            raise UsageFault(
                "say what to open: --open WHAT", "mizheng bundle NAME.seal --list shows the names"
            )
        from mizheng.cli.bundling.make import find_originals, make_bundle, open_records
        from mizheng.cli.bundling.selecting import Selection
        from mizheng.cli.disclosing.one import Disclosing
        from mizheng.cli.files import refuse_existing
        from mizheng.cli.keys.signing import load_entry, unlock
        from mizheng.cli.session import Session
        from mizheng.verifier.canonical import format_instant

        session = Session.load()
        key_id = _statement_keyid(seal)
        content = open_seal(seal, session.home)
        opening = open_records(content, Selection(patterns), with_environment=not no_environment)
        folders = [Path(folder)] if folder else [Path(), path.parent]
        originals = find_originals(opening, folders) if with_originals else {}
        evidence, state = _evidence(session, seal, offline=offline)
        evidence = _with_renewals(path, seal, session, opening, evidence)
        target = Path(output) if output else Path(path.name.removesuffix(".seal") + ".zip")
        refuse_existing(target, force=force)
        key = unlock(session.home, load_entry(session.home, key_id))
        created_at = format_instant(int(time.time()))
        names = [printable(record.name) for record in opening.records]
        disclosed = None
        if recipient is not None:
            disclosed = Disclosing(session, seal, content.manifest_key, key)
            disclosed.prepare(opening, originals, recipient, purpose, created_at, names)
            created_at = disclosed.created_at
        more: dict[str, bytes] = {}
        if not offline:
            from mizheng.cli.bundling.certificate import certificate_member

            more |= certificate_member(session, seal, state)
        has_certificate = bool(more)
        # Before anything is on record: words about what is not opened end it here.
        if not no_exhibits:
            from mizheng.cli.bundling.exhibits import Frame, exhibit_members

            frame = Frame(recipient, purpose, created_at, _is_trial(evidence))
            more |= exhibit_members(seal, opening, frozenset(originals), frame, exhibits)
        if disclosed:
            if not offline:
                disclosed.record()
            more |= disclosed.members()
        make_bundle(
            target,
            seal,
            opening,
            key,
            evidence,
            originals=originals,
            more=more,
            recipient=recipient,
            purpose=purpose,
            created_at=created_at,
            force=force,
        )
        if disclosed:
            disclosed.finish(target)
    if as_json:
        emit_json(
            {
                "bundle": str(target),
                "state": state,
                "opened": names,
                "originals": len(originals),
                "certificate": has_certificate,
                "disclosure": disclosed.describe() if disclosed else None,
            }
        )
        return
    say(_("bundle: {name}", name=printable(str(target))))
    for name in names:
        say(_("  opened {name}", name=name))
    say(_("originals inside: {count}", count=len(originals)))
    say(_("certificate inside") if has_certificate else _("no certificate inside: there is none yet"))
    if disclosed and recipient:
        _say_disclosed(disclosed, recipient)
    if state != "final":
        warn(_("the deposit is not final yet: made now, the bundle may read undetermined"))
    elif not evidence.observations and not _is_trial(evidence):
        warn(
            _(
                "no observer has signed for the anchor's block yet: unless a court pins the block or asks a "
                "node, the bundle will read undetermined; make it again later"
            )
        )


def _say_disclosed(disclosed: Disclosing, recipient: str) -> None:
    told = disclosed.describe()
    if told["state"] == "deposited":
        index = told["leaf_index"]
        say(_("for {recipient}: on record, leaf index {index}", recipient=printable(recipient), index=index))
    else:
        say(_("for {recipient}: not on record yet", recipient=printable(recipient)))
        warn(_("the bundle says that it is not on record: make it again when the notary can be reached"))
    if waiting := disclosed.others_waiting():
        note(_("{count} earlier disclosures wait: mizheng disclosures --send", count=waiting))


def _with_renewals(
    path: Path, seal: Seal, session: Session, opening: Opening, evidence: Evidence
) -> Evidence:
    """Also what the company hashed anew: of the deposit, and of the records that are opened."""
    from mizheng.cli.renewal.store import FILE, load

    beside = FILE.path_of(path)
    if not beside.exists():
        return evidence
    from mizheng.cli.keys.sealing import open_seal
    from mizheng.cli.renewal.renewing import add_to_evidence
    from mizheng.cli.renewal.sources import seal_envelope

    content = open_seal(seal, session.home)
    wanted = {item.record for item in opening.opened}
    places = [place for place, record in enumerate(content.records(), 1) if record in wanted]
    renewals = load(beside, content.manifest_key, seal_envelope(seal))
    return add_to_evidence(evidence, renewals, places)


def _is_trial(evidence: Evidence) -> bool:
    """A trial chain's blocks are pinned by its notary's trust file; nobody observes it."""
    from mizheng.verifier.anchor import parse_anchor

    return any(parse_anchor(anchor).chain.kind == "trial" for anchor in evidence.anchors)


def _statement_keyid(seal: Seal) -> str:
    from mizheng.verifier.signature import keyid_of

    deposit = seal.state.deposit
    if deposit is None or deposit.answer is None:
        raise WaitingFault("{name} has not been deposited", "mizheng notarize {name}", name=str(seal.path))
    return keyid_of(seal.state.sealed.public_key)


def _evidence(session: Session, seal: Seal, *, offline: bool) -> tuple[Evidence, str]:
    """The notary's evidence of now, else what the seal keeps; and how far the deposit had come then."""
    from mizheng.cli.depositing.evidence import fetch_believed, read_evidence

    deposit, kept = seal.state.deposit, seal.state.evidence
    assert deposit is not None  # noqa: S101 - checked before
    if not offline:
        try:
            with session.notary() as client:
                kept = fetch_believed(session, client, deposit, str(client.status(deposit.id)["state"]))
        except (UnavailableFault, ConfigurationFault):
            if kept is None:
                raise
            note(_("the notary does not answer; using the evidence kept at {at}", at=kept["fetched_at"]))
    if kept is None:
        raise WaitingFault("the seal keeps no evidence yet", "run mizheng status once it is anchored")
    return read_evidence(kept["answer"]), str(kept["state"])


def _list(content: Content, *, as_json: bool) -> None:
    for place, (kind, label, _stamp) in content.entries():
        # A point's number says little; its title is the depositor's own and this is his machine.
        title = printable(json.loads(content.record(place))["title"]) if kind == "point" else ""
        if as_json:
            named = {"kind": kind, "name": printable(label)} | ({"title": title} if title else {})
            say(json.dumps(named, ensure_ascii=False))
        else:
            say(f"{kind}\t{printable(label)}" + (f"\t{title}" if title else ""))
