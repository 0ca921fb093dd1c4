"""A witness's judgement over one checkpoint (C2SP tlog-witness `add-checkpoint`).

In this order, and the first that does not hold is the answer:

1. the body is a request, and its old size is not larger than the checkpoint's    400
2. the checkpoint's origin is a log that this witness was told to watch           404
3. a key trusted for that origin signed it, none that came before the one that
   signed what was cosigned last                                                  403
4. the old size is the size that was cosigned last                                409, with that size
5. of the same size: the same root                                                409, with that size
6. the consistency proof holds                                                    422
7. the new head is stored, and only then cosigned                                 200

4 to 7 are one transaction, so no two requests are judged against the same head and none rolls it back.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mizheng.notary.witness.misbehaviour import FORKED, UNPROVEN, Misbehaviour
from mizheng.notary.witness.state import SeenHead, WitnessState
from mizheng.verifier.checkpoint import Checkpoint
from mizheng.verifier.cosignature import WitnessSigner
from mizheng.verifier.errors import ConsistencyError, MizhengError, SignatureError
from mizheng.verifier.merkle import verify_consistency
from mizheng.verifier.note import NoteVerifier, open_note, parse_note
from mizheng.verifier.witnessing import (
    SIZE_MEDIA_TYPE,
    AddCheckpoint,
    dump_size,
    parse_add_checkpoint,
    read_checkpoint,
)

TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over HTTP."""

    status: int
    body: bytes
    media_type: str = TEXT


class Witness:
    """Cosigns heads of the logs it watches. `add_checkpoint` from any thread."""

    def __init__(
        self,
        signer: WitnessSigner,
        logs: Sequence[NoteVerifier],
        state: WitnessState,
        misbehaviour: Misbehaviour,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`logs`: a log that changes its key has several of one name, in the order in which they sign."""
        self._signer = signer
        self._state = state
        self._misbehaviour = misbehaviour
        self._clock = clock
        self._logs: Mapping[str, Sequence[NoteVerifier]] = {
            log.name: [other for other in logs if other.name == log.name] for log in logs
        }

    def add_checkpoint(self, body: bytes) -> Answer:
        """Judge one request."""
        try:
            request = parse_add_checkpoint(body)
            checkpoint = read_checkpoint(parse_note(request.note))
        except MizhengError as error:
            return _refusal(400, str(error))
        if request.old_size > checkpoint.size:
            return _refusal(400, "the old size is larger than the checkpoint's")
        known = self._logs.get(checkpoint.origin)
        if known is None:
            return _refusal(404, "this witness does not watch the log")
        try:
            text, signed = open_note(request.note, known)
        except SignatureError:
            return _refusal(403, "no trusted key of the log signed the checkpoint")
        now = int(self._clock())
        with self._state.changing():
            seen = self._state.load(checkpoint.origin)
            if max(map(known.index, signed)) < _newest_signer(known, seen.note):
                # Whoever still has the old key could else lead the witness away from the log.
                return _refusal(403, "a later key of the log has signed what was cosigned last")
            refusal = self._judge(request, checkpoint, seen, now)
            if refusal is None:
                head = SeenHead(checkpoint.size, checkpoint.root, request.note, now)
                self._state.store(checkpoint.origin, head)
        if refusal is not None:
            return refusal
        # Dying here: the head is stored and nobody has a cosignature. Asked again, 409 tells the size and
        # the same checkpoint is cosigned with an empty proof.
        return Answer(200, self._signer.cosign(text, now))

    def _judge(
        self, request: AddCheckpoint, checkpoint: Checkpoint, seen: SeenHead, now: int
    ) -> Answer | None:
        """None if the checkpoint extends what was cosigned last."""
        proof = request.proof
        if checkpoint.size == seen.tree_size and checkpoint.root != seen.root_hash:
            # Whatever old size came with it: the log signed two trees of one size.
            self._keep(FORKED, request, checkpoint, seen, now)
            return _conflict(seen)
        if request.old_size != seen.tree_size:
            return _conflict(seen)
        try:
            verify_consistency(seen.tree_size, seen.root_hash, checkpoint.size, checkpoint.root, proof)
        except ConsistencyError:
            self._keep(UNPROVEN, request, checkpoint, seen, now)
            return _refusal(422, "the consistency proof does not hold")
        return None

    def _keep(
        self, kind: str, request: AddCheckpoint, checkpoint: Checkpoint, seen: SeenHead, now: int
    ) -> None:
        self._misbehaviour.keep(
            kind,
            checkpoint.origin,
            cosigned=seen.note,
            refused=request.note,
            proof=request.proof,
            now=now,
        )


def _newest_signer(keys: Sequence[NoteVerifier], note: bytes) -> int:
    """The place of the last of `keys` that signed a note, which was checked before; -1 if none did."""
    lines = parse_note(note).signatures if note else ()
    return max((place for place, key in enumerate(keys) if any(map(key.matches, lines))), default=-1)


def _conflict(seen: SeenHead) -> Answer:
    return Answer(409, dump_size(seen.tree_size), SIZE_MEDIA_TYPE)


def _refusal(status: int, reason: str) -> Answer:
    return Answer(status, f"{reason}\n".encode())
