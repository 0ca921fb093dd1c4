"""`mizheng status`: sealed → deposited → anchored → final, and why it waits."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from mizheng.cli.depositing.progress import chains_of, is_done, keep_evidence
from mizheng.cli.depositing.waiting import describe_waiting
from mizheng.cli.errors import UsageFault, WaitingFault
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import Progress, emit_json, note, say
from mizheng.cli.terminal.screens import Command
from mizheng.cli.terminal.text import printable

if TYPE_CHECKING:
    from mizheng.cli.depositing.client import NotaryClient
    from mizheng.cli.sealfile.read import Seal

# The first answer comes quickly on a chain for trying; a real one takes a quarter of an hour.
# A certificate is issued a second or two after the deposit is final.
_CERTIFICATE_SECONDS = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 0.3, 15.0, 1.4


@click.command(
    "status",
    cls=Command,
    help=N_(
        "Show how far a seal has come: sealed (on this machine), deposited (in the notary's log), anchored "
        "(in a block of the chain), final (that block can no longer be undone), and what it waits for. "
        "Evidence is fetched, checked and kept in the seal as it comes."
    ),
    epilog=N_("mizheng status drawings.seal\nmizheng status drawings.seal --wait --timeout 1800"),
)
@click.argument("seal_path", metavar="NAME.seal")
@click.option(
    "--wait",
    is_flag=True,
    help=N_("wait until it is final, on every chain that only needs time"),
)
@click.option(
    "--timeout", metavar="SECONDS", type=float, help=N_("wait no longer than this; then exit code 75")
)
@click.option("--notary", metavar="ADDRESS", help=N_("the notary's address; else that of mizheng init"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def status(seal_path: str, wait: bool, timeout: float | None, notary: str | None, as_json: bool) -> None:
    from mizheng.cli.sealfile.read import Seal
    from mizheng.cli.session import Session

    if timeout is not None and not wait:
        raise UsageFault("--timeout goes with --wait")
    path = Path(seal_path)
    with Seal(path) as seal:
        deposit = seal.state.deposit
    if deposit is None or deposit.answer is None:
        _show(
            seal, {"state": "sealed", "waiting_for": "answer" if deposit else "seal", "anchors": []}, as_json
        )
        if wait:
            raise WaitingFault("there is nothing to wait for", "deposit the seal first: mizheng notarize")
        return
    session = Session.load()
    with session.notary(notary) as client:
        found = client.status(deposit.id)
        if wait:
            # The seal is not locked meanwhile: bundles can be made of it.
            found = _wait(client, deposit.id, found, timeout)
        if found["state"] in ("anchored", "final"):
            with Seal(path, lock=True) as seal:
                keep_evidence(session, client, seal, found)
        certificate = _certificate(client, deposit.id, found, wait=wait)
    _show(seal, found, as_json, certificate)
    if wait and found["state"] != "final":
        raise WaitingFault("it is not final yet", "run mizheng status --wait again")


def _certificate(
    client: NotaryClient, deposit: str, found: dict[str, Any], *, wait: bool
) -> dict[str, Any] | None:
    """Of a final deposit: asked for, if nobody has; None if it is not final or the notary issues none."""
    from mizheng.cli.depositing.certificates import ask_certificate

    if found["state"] != "final":
        return None
    return ask_certificate(client, deposit, seconds=_CERTIFICATE_SECONDS if wait else 0.0)


def _wait(client: NotaryClient, deposit: str, found: dict[str, Any], timeout: float | None) -> dict[str, Any]:
    end = time.monotonic() + timeout if timeout is not None else None
    pause = _FIRST_PAUSE
    with Progress(_("waiting")) as progress:
        shown = ""
        while not is_done(found):
            if end is not None and time.monotonic() + pause > end:
                break
            line = f"{found['state']}: {_reason(found)}"
            if progress.is_shown and line != shown:
                note(line)
                shown = line
            time.sleep(pause)
            pause = min(pause * _GROWTH, _LONGEST_PAUSE)
            found = client.status(deposit)
    return found


def _reason(found: dict[str, Any]) -> str:
    return describe_waiting(str(found.get("waiting_for") or ""))


def _show(
    seal: Seal, found: dict[str, Any], as_json: bool, certificate: dict[str, Any] | None = None
) -> None:
    from mizheng.cli.depositing.evidence import STATES

    state = seal.state
    deposit = state.deposit
    answer = deposit.answer if deposit else None
    if as_json:
        emit_json(
            {
                "seal": str(seal.path),
                "state": found["state"],
                "waiting_for": found.get("waiting_for"),
                "commitment": state.sealed.commitment,
                "sealed_at": seal.created_at,
                "id": deposit.id if deposit else None,
                "leaf_index": answer["leaf_index"] if answer else None,
                "received_at": answer["received_at"] if answer else None,
                "chains": chains_of(found),
                "anchors": found["anchors"],
                "certificate": certificate["number"] if certificate else None,
                "evidence_kept": state.evidence["state"] if state.evidence else None,
            }
        )
        return
    reached = STATES.index(found["state"]) if found["state"] in STATES else 0
    names = (_("sealed"), _("deposited"), _("anchored"), _("final"))
    marks = [f"[{name}]" if place == reached else name for place, name in enumerate(names)]
    say(f"{printable(str(seal.path))}: {' → '.join(marks)}")
    say(_("  sealed     {at}, by this machine's clock", at=seal.created_at))
    if deposit and answer:
        say(
            _(
                "  deposited  {at}, by the notary's clock; entry {index} of {origin}",
                at=answer["received_at"],
                index=answer["leaf_index"],
                origin=deposit.notary,
            )
        )
    for anchor in found["anchors"]:
        if anchor.get("state") in ("anchored", "final"):
            say(_anchor_line(anchor))
            if isinstance(anchor.get("cost"), dict):
                say(_cost_line(anchor["cost"]))
    if certificate is not None and certificate["number"]:
        say(_("  certificate {number}", number=printable(str(certificate["number"]))))
    elif certificate is not None:
        say(_("  certificate is being issued: run mizheng status again"))
    chains = chains_of(found)
    if len(chains) > 1:
        for chain in chains:
            if chain.get("waiting_for"):
                say(
                    _(
                        "  chain {name} waits for {reason}",
                        name=printable(str(chain["chain"])),
                        reason=_reason(chain),
                    )
                )
    elif found.get("waiting_for"):
        say(_("  waits for {reason}", reason=_reason(found)))
    for chain in chains:
        for warning in chain.get("warnings") or []:
            say(
                _(
                    "  chain {name}: soon waits for {reason}",
                    name=printable(str(chain["chain"])),
                    reason=_reason({"waiting_for": warning}),
                )
            )


def _cost_line(cost: dict[str, Any]) -> str:
    return _(
        "             it cost the notary {amount} {unit} (gas {gas}), {share} {unit} for each of its "
        "{entries} entries",
        amount=printable(str(cost.get("amount"))),
        unit=printable(str(cost.get("unit"))),
        gas=printable(str(cost.get("gas_used"))),
        share=printable(str(cost.get("amount_per_entry"))),
        entries=printable(str(cost.get("entries"))),
    )


def _anchor_line(anchor: dict[str, Any]) -> str:
    text = _(
        "  {state}  chain {chain_id}, block {number}, transaction {transaction}",
        state=_("final") if anchor["state"] == "final" else _("anchored"),
        chain_id=anchor.get("chain_id"),
        number=anchor.get("block_number"),
        transaction=anchor.get("transaction_hash"),
    )
    return text + (_("; TRIAL chain, no evidence") if anchor.get("kind") == "trial" else "")
