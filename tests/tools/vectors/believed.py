"""A sound bundle under trust files that do not know enough, or ask for more."""

from __future__ import annotations

from collections.abc import Callable

from mizheng.verifier.note import NoteVerifier
from mizheng.verifier.trust import NamedKey, Trust, TrustedLog

from tests.support.world import ORIGIN

from .case import Case, Cases
from .setting import (
    Setting,
)

_OBSERVATION = "observations/0001.dsse.json"


def cases() -> list[Case]:
    return _trusts()


def _trusts() -> list[Case]:
    """A sound bundle, and whom its reader believes."""
    found = Cases("trust")

    def opens(name: str, why: str, code: str, trust: Callable[[Setting], Trust], **more: object) -> None:
        found.stays_open(name, why, code, lambda s: s.base, trust=trust, **more)

    found.add(
        "none",
        "no trust file: nobody is believed",
        "undetermined",
        lambda s: s.base,
        trust=None,
        absent=("trust.current",),
    )
    opens(
        "expired",
        "a trust file that has expired",
        "trust.current",
        lambda s: s.trust(expires_at="2026-11-30T23:59:59Z"),
    )
    opens(
        "expires-now",
        "a trust file at the very second of its expiry",
        "trust.current",
        lambda s: s.trust(expires_at="2026-12-01T00:00:00Z"),
    )
    opens("no-log", "a trust file without a log", "checkpoint.signature", lambda s: s.trust(logs=()))
    opens(
        "another-log",
        "a trust file with another log",
        "checkpoint.signature",
        lambda s: s.trust(
            logs=(TrustedLog(NoteVerifier("log.example/other", s.world.log_key.public), 0, None),)
        ),
    )
    opens(
        "another-log-key",
        "a trust file with another key of the log",
        "checkpoint.signature",
        lambda s: s.trust(logs=(TrustedLog(NoteVerifier(ORIGIN, s.stream.key().public), 0, None),)),
    )
    opens("no-issuer", "a trust file without an issuer", "depositor.enrolment", lambda s: s.trust(issuers=()))
    opens(
        "another-issuer",
        "a trust file with another issuer",
        "depositor.enrolment",
        lambda s: s.trust(issuers=(NamedKey("issuer", s.stream.key().public),)),
    )
    found.add(
        "wants-witnesses",
        "a trust file that asks for witnesses",
        "undetermined",
        lambda s: s.base,
        trust=lambda s: s.trust(require=("witness.quorum",)),
        absent=("witness.quorum",),
    )
    found.add(
        "wants-custody",
        "a trust file that asks for a chain of custody: none is given",
        "undetermined",
        lambda s: s.base,
        trust=lambda s: s.trust(require=("custody.chain",)),
        absent=("custody.chain",),
    )
    found.add(
        "wants-seals",
        "a trust file that asks for validators' seals: none are given",
        "undetermined",
        lambda s: s.base,
        trust=lambda s: s.trust(require=("anchor.seals",)),
        absent=("anchor.seals",),
    )
    found.stays_open(
        "no-token-no-observer",
        "neither an anchor that anybody vouches for nor a token",
        "anchor.canonical",
        lambda s: {n: d for n, d in s.base.items() if not n.startswith(("timestamps/", "observations/"))},
        absent=("token.valid",),
    )
    opens(
        "of-the-other-notary",
        "the trust file of another notary, whose names are all the same",
        "checkpoint.signature",
        lambda s: abroad(s),
    )
    return found.all


def abroad(s: Setting) -> Trust:
    return s.scene.foreign.trust(
        issued_at="2026-11-24T00:00:00Z", expires_at="2056-11-24T00:00:00Z", pinned=False
    )
