"""What programs are told of certificates and anchors, field by field; see `routes/certificate_schemas.py`."""

from __future__ import annotations

from typing import Any

from mizheng.notary.certificates.kept import Kept
from mizheng.notary.certificates.lookup import Shown, masked_facts
from mizheng.verifier.canonical import format_instant
from mizheng.verifier.certificate_number import show_grouped
from sqlalchemy import Row

_STATES = {"mined": "anchored", "final": "final"}


def describe_to_depositor(deposit_id: str, kept: Kept | None, waiting_for: str | None) -> dict[str, Any]:
    """The fields of CertificateState; `waiting_for`: what the deposit itself still waits for."""
    if kept is None:
        return {"id": deposit_id, "state": "none", "waiting_for": None, **_issued(None), "visibility": None}
    waits = None if kept.number else waiting_for or "issuing"
    state = "issued" if kept.number else "requested"
    return {
        "id": deposit_id,
        "state": state,
        "waiting_for": waits,
        **_issued(kept),
        "visibility": kept.visibility,
    }


def describe_to_anybody(shown: Shown, *, is_reversed: bool = False) -> dict[str, Any]:
    """The fields of CertificateView."""
    kept = shown.kept
    if not shown.is_whole:
        found = masked_facts(kept)
        found["issued_at"] = format_instant(found["issued_at"])
        hidden = {"state": None, "pdf_sha256": None, "facts": None}
        return {"masked": True, **found, "signed": kept.signer is not None, **hidden}
    facts = kept.read_facts()
    return {
        "masked": False,
        "state": "reversed" if is_reversed else "final",
        "number": facts["number"],
        "holder": facts["holder"],
        "issued_at": format_instant(facts["issued_at"]),
        "issuer": facts["issuer"],
        "is_trial": facts["is_trial"],
        "signed": kept.signer is not None,
        "pdf_sha256": kept.pdf_sha256.hex() if kept.pdf_sha256 else None,
        "facts": facts,
    }


def describe_anchor(row: Row[Any]) -> dict[str, Any]:
    """The fields of AnchorView."""
    return {
        "transaction_hash": row.transaction_hash.hex(),
        "state": _STATES[row.state],
        "chain": row.chain,
        "kind": row.kind,
        "chain_id": row.chain_id,
        "genesis_hash": row.genesis_hash.hex(),
        "contract": row.contract.hex(),
        "log_id": row.log_id.hex(),
        "block_number": row.block_number,
        "block_hash": row.block_hash.hex(),
        "tree_size": row.tree_size,
        "root_hash": row.root_hash.hex(),
        "checkpoint": row.checkpoint_note.decode(),
    }


def _issued(kept: Kept | None) -> dict[str, Any]:
    if kept is None or not (kept.number and kept.issued_at and kept.pdf_sha256):
        return {"number": None, "issued_at": None, "pdf_sha256": None, "signed": False}
    return {
        "number": show_grouped(kept.number),
        "issued_at": format_instant(kept.issued_at),
        "pdf_sha256": kept.pdf_sha256.hex(),
        "signed": kept.signer is not None,
    }
