"""The deposit that a supplement names, as members of the supplement's bundle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mizheng.cli.bundling.make import Opening
from mizheng.cli.depositing.client import decode_base64
from mizheng.cli.errors import CommandError
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.sealfile.state import Deposit
from mizheng.cli.terminal.language import _
from mizheng.verifier.members import SUPPLEMENTED, SUPPLEMENTED_PROOF


def supplemented_members(opening: Opening, seal: Path, tell: Callable[[str], None]) -> dict[str, bytes]:
    """Statement and place in the log, from the seal of that deposit, beside this one or here.

    Nothing where no supplement is opened; nothing, and a word, where that seal is in neither place.
    """
    named = {record.fields["envelope_sha256"] for record in opening.records if record.kind == "supplement"}
    for envelope_sha256 in named:
        deposit = _find(envelope_sha256, [seal.parent, Path()])
        if deposit is not None and deposit.answer is not None:
            proof = str(deposit.answer["tlog_proof"]).encode()
            return {SUPPLEMENTED: decode_base64(deposit.envelope), SUPPLEMENTED_PROOF: proof}
        tell(
            _(
                "the seal that this one supplements is not here, and without it the bundle shows no link: "
                "put it beside this one and make the bundle again"
            )
        )
    return {}


def _find(envelope_sha256: str, folders: list[Path]) -> Deposit | None:
    """The deposit of this id; what a seal says of its own is read without its key."""
    for folder in folders:
        for path in sorted(folder.glob("*.seal")):
            try:
                with Seal(path) as seal:
                    deposit = seal.state.deposit
            except CommandError:
                # Damaged, or of another version: it is not asked for here.
                continue
            if deposit is not None and deposit.id == envelope_sha256:
                return deposit
    return None
