"""What is kept of a seal, for a person or a program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mizheng.cli.keeping.originals import chosen
from mizheng.cli.keeping.record import KeepingRecord
from mizheng.cli.keys.sealing import open_seal
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.session import Session
from mizheng.cli.terminal.text import printable


def list_kept(session: Session, path: Path) -> dict[str, Any]:
    """{originals, until, holds, checked}: names are printable, instants RFC 3339."""
    with Seal(path) as seal:
        content = open_seal(seal, session.home)
        with KeepingRecord(path, content.manifest_key, write=False) as record:
            originals = [
                {
                    "record": original.record,
                    "name": printable(wanted.label),
                    "ciphertext_sha256": original.ciphertext.sha256,
                    "size": original.ciphertext.size,
                    "kept_at": original.kept_at,
                    "recipients": list(original.recipients),
                    "copies": [
                        {"store": store, "location": location} for store, location in original.stored.items()
                    ],
                }
                for wanted in chosen(content, ())
                if (original := record.originals.get(wanted.record))
            ]
    return {
        "originals": originals,
        "until": record.until,
        "holds": [{"name": hold.name, "since": hold.since} for hold in record.holds.values()],
        "checked_at": record.checked["at"] if record.checked else None,
    }
