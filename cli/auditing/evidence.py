"""What a misbehaving log is shown with: one file a finding, never overwritten."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path

from mizheng.cli.auditing.faults import MisbehaviourFault
from mizheng.cli.errors import OutputFault
from mizheng.cli.files import write_private
from mizheng.verifier.canonical import Json, dump

EVIDENCE_TYPE = "mizheng/audit-evidence/v1"


def write_evidence(stem: Path, fault: MisbehaviourFault, log: str, vkeys: list[str]) -> Path:
    """Write STEM-KIND-DIGEST.json and return its path; the same finding found again is the same file.

    `log` is the address it was read from, `vkeys` the keys that were believed.
    """
    value: Json = {
        "type": EVIDENCE_TYPE,
        "kind": fault.kind,
        "message": str(fault),
        "log": log,
        "vkeys": list(vkeys),
        "checkpoints": [note.decode() for note in fault.notes],
        "details": fault.details,
    }
    data = dump(value)
    name = f"{stem.name}-{fault.kind}-{hashlib.sha256(data).hexdigest()[:16]}"
    try:
        for number in itertools.count(1):
            path = stem.with_name(f"{name}.json" if number == 1 else f"{name}-{number}.json")
            if not path.exists():
                write_private(path, data)
                break
            # The name is the content's digest: anything else there was cut short or changed, and stays.
            if path.read_bytes() == data:
                break
    except OSError as error:
        raise OutputFault(
            "the log misbehaved ({finding}), and the evidence {name} cannot be written: {reason}",
            "make room or name another state file with --since, then run the command again",
            finding=fault.kind,
            name=name,
            reason=error.strerror,
        ) from error
    return path
