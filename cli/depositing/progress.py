"""How far a deposit has come, by what the notary says of it; the evidence is kept in the seal as it comes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mizheng.cli.depositing.waiting import ONLY_TIME

if TYPE_CHECKING:
    from mizheng.cli.depositing.client import NotaryClient
    from mizheng.cli.sealfile.read import Seal
    from mizheng.cli.session import Session


def keep_evidence(session: Session, client: NotaryClient, seal: Seal, found: dict[str, Any]) -> None:
    """Fetch evidence when the state has moved on since it was last kept."""
    # What checks it takes a while to load.
    from mizheng.cli.depositing.evidence import STATES, fetch_believed

    kept, deposit = seal.state.evidence, seal.state.deposit
    chains = {str(chain.get("chain")): chain.get("state") for chain in chains_of(found)}
    is_further = (
        kept is None
        or STATES.index(kept["state"]) < STATES.index(found["state"])
        or kept.get("chains") != chains
    )
    if deposit is None or not is_further:
        return
    evidence = fetch_believed(session, client, deposit, found["state"])
    evidence["chains"] = chains
    seal.append(replace(seal.state, evidence=evidence))


def chains_of(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Where the deposit is on each of the notary's chains; an older notary has one and does not say."""
    chains = found.get("chains")
    return [chain for chain in chains if isinstance(chain, dict)] if isinstance(chains, list) else []


def is_done(found: dict[str, Any]) -> bool:
    """Final, and nothing else is to be had by waiting: a chain that is held up is the operator's to mend."""
    return found["state"] == "final" and not any(
        chain.get("state") != "final" and chain.get("waiting_for") in ONLY_TIME for chain in chains_of(found)
    )
