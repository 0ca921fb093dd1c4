"""What a witness keeps when a log shows it two histories: one file for each case.

Two checkpoints of one size with different roots, both signed by the log, convict it by themselves. A
signed checkpoint with a proof that does not hold may be the work of anybody who saw that checkpoint; it is
kept because the log has to explain it, and only so many.
"""

import hashlib
import json
import logging
import os
from pathlib import Path

from mizheng.verifier.canonical import format_instant, to_base64

logger = logging.getLogger(__name__)

# Anybody can send a checkpoint that he saw with a proof that he made up: these files must not fill a disk.
MAX_UNPROVEN = 1000

FORKED = "two-roots-of-one-size"
UNPROVEN = "no-consistency-proof"


class Misbehaviour:
    """A folder with a JSON file for each checkpoint that was refused."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(
        self, kind: str, origin: str, *, cosigned: bytes, refused: bytes, proof: tuple[bytes, ...], now: int
    ) -> None:
        """Write down both checkpoints as the log signed them; the same case is kept once."""
        # Over the texts alone: anybody can add signature lines of unknown keys, and make another note of it.
        texts = b"\n".join(note.partition(b"\n\n")[0] for note in (cosigned, refused))
        case = hashlib.sha256(texts).hexdigest()[:24]
        path = self._folder / f"{kind}-{case}.json"
        if path.exists():
            return
        if kind == UNPROVEN and len(list(self._folder.glob(f"{UNPROVEN}-*"))) >= MAX_UNPROVEN:
            return
        document = {
            "kind": kind,
            "origin": origin,
            "seen_at": format_instant(now),
            "cosigned_checkpoint": cosigned.decode(),
            "refused_checkpoint": refused.decode(),
            "consistency_proof": [to_base64(item) for item in proof],
        }
        data = json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.new")
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # Dying here: the log has not been answered yet, and a draft says nothing.
        draft.replace(path)
        logger.error("the log %s showed another history: %s", origin, path)
