"""The certificate as a member of a bundle: issued by the notary, kept there once, copied."""

from __future__ import annotations

from mizheng.cli.depositing.certificates import ask_certificate, fetch_pdf
from mizheng.cli.errors import ConfigurationFault, UnavailableFault
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.session import Session

# Its name in a bundle (formats §8).
CERTIFICATE = "certificate.pdf"
# It is issued within a second or two; a notary that is busy or lacks what makes PDFs is not waited for.
_SECONDS = 15.0


def certificate_member(session: Session, seal: Seal, state: str) -> dict[str, bytes]:
    """The member, or nothing where the deposit is not final or the notary has no certificate for it yet."""
    deposit = seal.state.deposit
    if deposit is None or state != "final":
        return {}
    try:
        with session.notary() as client:
            found = ask_certificate(client, deposit.id, seconds=_SECONDS)
            if found is None or found["state"] != "issued":
                return {}
            return {CERTIFICATE: fetch_pdf(client, deposit.id, found)}
    except (UnavailableFault, ConfigurationFault):
        # The bundle proves what it proves without it.
        return {}
