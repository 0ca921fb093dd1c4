"""`mizheng certificate`: look a certificate up as the notary's pages do, fetch it, compare it with a PDF."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import click
from mizheng.cli.errors import InputFault, PermissionFault, UsageFault
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import emit_json, note, say
from mizheng.cli.terminal.screens import Command
from mizheng.cli.terminal.text import printable

# A certificate with its proofs has some hundred KiB.
_MAX_PDF = 64 << 20


@click.command(
    "certificate",
    cls=Command,
    help=N_(
        "Look a certificate up at the notary by its number. Without the code printed below the number "
        "little is shown, unless its depositor has published it. With the code: the facts, the PDF, and the "
        "public proof, which is checked as far as it proves itself.\n\n"
        "With --compare it tells whether a PDF is the one that the notary issued. No key and no settings are "
        "needed but the notary's address."
    ),
    epilog=N_(
        "mizheng certificate 8QK3-ZM2H-T4XD-0VNB-7RKD --notary https://notary.example\n"
        "mizheng certificate NUMBER --code CODE -o certificate.pdf\n"
        "mizheng certificate NUMBER --code CODE --compare paper.pdf"
    ),
)
@click.argument("number", metavar="NUMBER")
@click.option("--code", metavar="CODE", help=N_("the code printed below the number"))
@click.option("-o", "--output", metavar="FILE.pdf", help=N_("write the PDF"))
@click.option("--proof", metavar="FILE.zip", help=N_("write the public proof"))
@click.option("--compare", "compared", metavar="FILE.pdf", help=N_("is this PDF the one that was issued"))
@click.option("--notary", metavar="ADDRESS", help=N_("the notary's address; else that of mizheng init"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def certificate(
    number: str,
    code: str | None,
    output: str | None,
    proof: str | None,
    compared: str | None,
    notary: str | None,
    as_json: bool,
) -> int:
    from mizheng.cli.checking.proof import check_proof
    from mizheng.cli.config import home_directory, load_config, notary_address
    from mizheng.cli.depositing.certificates import require_digest
    from mizheng.cli.depositing.client import NotaryClient
    from mizheng.cli.files import publish_bytes
    from mizheng.verifier.certificate_number import parse_code, parse_number, show_grouped
    from mizheng.verifier.errors import FormatError

    try:
        wanted = show_grouped(parse_number(number))
        opened_by = show_grouped(parse_code(code)) if code is not None else None
    except FormatError as error:
        raise UsageFault(error.message, error.hint) from None
    theirs = _digest_of(compared) if compared is not None else None
    config = load_config(home_directory())
    proved: dict[str, Any] | None = None
    with NotaryClient(notary_address(notary, config), None) as client:
        found = client.look_up(wanted, opened_by)
        if not found["masked"]:
            proof_zip = client.certificate_file(wanted, "proof.zip", opened_by)
            proved = check_proof(proof_zip, str(found["facts"]["envelope_sha256"]))
            if output is not None:
                pdf = client.certificate_file(wanted, "certificate.pdf", opened_by)
                require_digest(pdf, found["pdf_sha256"])
                publish_bytes(Path(output), pdf)
            if proof is not None:
                publish_bytes(Path(proof), proof_zip)
        elif output is not None or proof is not None or theirs is not None:
            raise PermissionFault("this is not shown without the certificate's code", "--code CODE")
    is_same = None if theirs is None else theirs == found["pdf_sha256"]
    if as_json:
        emit_json({**found, "proof": proved, "compared": theirs, "is_the_one_issued": is_same})
    else:
        _show(found, proved)
        if is_same is not None:
            say(
                _("this PDF is the one that was issued, byte for byte")
                if is_same
                else _("this PDF is NOT the one that was issued")
            )
    return 1 if is_same is False else 0


def _digest_of(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            data = file.read(_MAX_PDF + 1)
    except OSError as error:
        raise InputFault("{name}: {reason}", name=path, reason=error.strerror) from error
    if len(data) > _MAX_PDF:
        raise InputFault("{name} is larger than any certificate", name=path)
    return hashlib.sha256(data).hexdigest()


def _show(found: dict[str, Any], proved: dict[str, Any] | None) -> None:
    if found["is_trial"]:
        say(_("TRIAL: on a chain for trying only; nothing here is evidence"))
    say(_("certificate {number}", number=printable(str(found["number"]))))
    say(_("  issued by   {issuer}, {at}", issuer=printable(str(found["issuer"])), at=found["issued_at"]))
    if found["masked"]:
        say(_("  depositor   {holder} (masked)", holder=printable(str(found["holder"]))))
        note(_("the code that is printed below the number shows the rest: --code CODE"))
        return
    facts = found["facts"]
    holder = f"{facts['holder']} ({facts['holder_id_scheme']} {facts['holder_id']})"
    say(_("  depositor   {holder}", holder=printable(holder)))
    say(_("  commitment  {digest}", digest=printable(str(facts["commitment"]))))
    say(_("  envelope    {digest}", digest=printable(str(facts["envelope_sha256"]))))
    for anchor in facts["anchors"]:
        say(
            _(
                "  final       chain {chain_id}, block {number}, transaction {transaction}",
                chain_id=printable(str(anchor["chain_id"])),
                number=printable(str(anchor["height"])),
                transaction=printable(str(anchor["transaction_hash"])),
            )
        )
    if found["state"] == "reversed":
        say(_("  REVERSED    the chain took back the block that this rests on: ask the issuer"))
    say(_("  PDF         SHA-256 {digest}", digest=printable(str(found["pdf_sha256"]))))
    if not found["signed"]:
        say(_("  the PDF is not signed: by itself it is a printout"))
    if proved is not None:
        say(
            _(
                "  proof       statement, entry, {heads} heads and {anchors} anchors fit together; whose log "
                "and chain they are is for a trust file",
                heads=proved["heads"],
                anchors=proved["anchors"],
            )
        )
