"""Certificates are issued in the background, each once, when its deposit is final.

    a wish for one, of a final deposit → facts → number and code → PDF → signature → the row is filled in

Dying before the last step leaves the wish as it was: number, code and PDF of that time are gone, nobody has
seen them, and the next step begins anew. Two processes at the same certificate, for once two leases were
held: the row is filled in where it is still empty, so that one of them has worked for nothing.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mizheng.notary.certificates.facts import Issue, gather_facts
from mizheng.notary.certificates.kept import MASKED, dump_facts, load_deposit
from mizheng.notary.certificates.setup import CertificateSetup
from mizheng.notary.certificates.tables import certificates
from mizheng.notary.chain.covering import covered_size
from mizheng.notary.chain.profiles import ChainProfile
from mizheng.notary.database import reading, writing
from mizheng.notary.instance import Instance
from mizheng.notary.log.keys import load_spans
from mizheng.notary.models import deposits
from mizheng.notary.timestamping.kept import load_first_stamps
from mizheng.notary.timestamping.setup import parse_timestamps
from mizheng.verifier.certificate_number import hash_code, make_code, make_number, show_grouped
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.paper.certificate import CertificateFacts, make_certificate
from mizheng.verifier.paper.missing import PaperError
from sqlalchemy import Connection, Engine, func, insert, literal, select, update

logger = logging.getLogger(__name__)

OK = "ok"
# Tokens and observers' signatures follow a final block within seconds; whoever is down is not waited for.
SETTLE_SECONDS = 60.0
# One that cannot be issued does not hold up the others, and is tried again after this long.
_REST_SECONDS = 600.0
# With `issue = "all"`: how often it is looked for deposits that nobody asked about.
_LOOK_SECONDS = 5.0
# So many wishes are looked at for one that is not resting, and so many deposits are asked for in one go.
_CANDIDATES, _ROWS = 50, 500
_NEWEST = certificates.alias("newest")


class Signer(Protocol):
    """Signs PDFs; see `mizheng.notary.certificates.signing`."""

    @property
    def keyid(self) -> str:
        """Hex SHA-256 of the SubjectPublicKeyInfo of its certificate."""

    def sign(self, pdf: bytes) -> bytes:
        """The signed PDF; MizhengError when it cannot be had now."""


@dataclass(slots=True)
class _Waiting:
    """What is remembered of wishes between two steps; lost with the process, and no harm done."""

    first_seen: dict[int, float]
    rest_until: dict[int, float]


class Issuer:
    """Issues what is asked for. `step` from one thread at a time."""

    def __init__(
        self,
        instance: Instance,
        profiles: Callable[[], Sequence[ChainProfile]],
        setup: CertificateSetup,
        signer: Signer | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.state = OK
        """ok, or a stable word for what keeps certificates from being issued."""
        self._instance = instance
        self._profiles = profiles
        self._setup = setup
        self._signer = signer
        self._clock = clock
        self._waiting = _Waiting({}, {})
        self._asked_up_to = 0
        self._looked_at = 0.0
        authorities = parse_timestamps(instance.settings.timestamps)
        self._authorities = sum(authority.url is not None for authority in authorities)

    def step(self) -> bool:
        """Issue one certificate, if one is due; whether there may be more to do at once."""
        now = self._clock()
        if self._setup.is_for_all and self._ask_for_more(now):
            return True
        with reading(self._instance.engine) as connection:
            wanted = self._find(connection, now)
        if wanted is None:
            return False
        try:
            self._issue(wanted, int(now))
        except PaperError:
            # Nothing is wrong with this one: the notary lacks what every certificate needs.
            return self._hold_up("pdf-missing")
        except MizhengError as error:
            self._waiting.rest_until[wanted] = now + _REST_SECONDS
            logger.error("a certificate could not be issued: %s", type(error).__name__)
            self.state = "failing"
            return True
        self.state = OK
        for remembered in (self._waiting.first_seen, self._waiting.rest_until):
            remembered.pop(wanted, None)
        return True

    def _hold_up(self, state: str) -> bool:
        if self.state != state:
            logger.error("certificates are not issued: %s", state)
        self.state = state
        return False

    def _ask_for_more(self, now: float) -> bool:
        """Note wishes for deposits that have become final; whether there may be more of them."""
        # A clock that was set back counts as enough.
        if 0 <= now - self._looked_at < _LOOK_SECONDS:
            return False
        with reading(self._instance.engine) as connection:
            final = _final_size(connection)
        if self._asked_up_to >= final:
            self._looked_at = now
            return False
        self._asked_up_to = _ask_for_all(self._instance.engine, self._asked_up_to, final, int(now))
        return True

    def _find(self, connection: Connection, now: float) -> int | None:
        """The first wish whose deposit is final, and has what follows upon that."""
        pending = select(certificates.c.leaf_index).where(certificates.c.number.is_(None))
        if connection.execute(pending.limit(1)).scalar() is None:
            return None
        rows = connection.execute(
            pending.where(certificates.c.leaf_index < _final_size(connection))
            .order_by(certificates.c.leaf_index)
            .limit(_CANDIDATES)
        ).scalars()
        for leaf_index in map(int, rows):
            if self._waiting.rest_until.get(leaf_index, 0) > now:
                continue
            seen = self._waiting.first_seen.setdefault(leaf_index, now)
            if not 0 <= now - seen < SETTLE_SECONDS or self._is_settled(connection, leaf_index):
                return leaf_index
        return None

    def _is_settled(self, connection: Connection, leaf_index: int) -> bool:
        """Whether every time-stamp authority that is asked has stamped a head with the entry."""
        if not self._authorities:
            return True
        return len(load_first_stamps(connection, leaf_index, load_spans(connection))) >= self._authorities

    def _issue(self, leaf_index: int, now: int) -> None:
        number, code = make_number(), make_code()
        keyid = self._signer.keyid if self._signer else ""
        issue = Issue(show_grouped(number), show_grouped(code), now, keyid)
        with reading(self._instance.engine) as connection:
            deposit = load_deposit(connection, leaf_index)
            facts = gather_facts(connection, self._instance, self._profiles(), self._setup, deposit, issue)
        pdf = make_certificate(facts)
        if self._signer is not None:
            pdf = self._signer.sign(pdf)
        # Dying before this commits: the wish stands, and nobody has seen this number.
        with writing(self._instance.engine) as connection:
            connection.execute(
                update(certificates)
                .where(certificates.c.leaf_index == leaf_index, certificates.c.number.is_(None))
                .values(_values(facts, number, hash_code(number, code), pdf))
            )


def _values(facts: CertificateFacts, number: str, code_sha256: bytes, pdf: bytes) -> dict[str, Any]:
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(facts.attachments.items())}
    return {
        "number": number,
        "code_sha256": code_sha256,
        "commitment": bytes.fromhex(facts.commitment),
        "issued_at": facts.issued_at,
        # In the order in which they are committed, whatever the clock says.
        "issue_order": select(func.coalesce(func.max(_NEWEST.c.issue_order), 0) + 1).scalar_subquery(),
        "signer": facts.issuer_keyid or None,
        "pdf_sha256": hashlib.sha256(pdf).digest(),
        "facts": dump_facts(facts, digests),
        "pdf": pdf,
    }


def _final_size(connection: Connection) -> int:
    """Entries below this are final on some chain, under a head that is believed."""
    return covered_size(connection, ("final",), load_spans(connection))


def _ask_for_all(engine: Engine, start: int, final: int, now: int) -> int:
    """Note wishes for the next deposits that have none; up to where this is done."""
    end = min(final, start + _ROWS)
    missing = (
        select(deposits.c.leaf_index, literal(now), literal(MASKED))
        .select_from(deposits.outerjoin(certificates, deposits.c.leaf_index == certificates.c.leaf_index))
        .where(
            deposits.c.leaf_index >= start,
            deposits.c.leaf_index < end,
            certificates.c.leaf_index.is_(None),
        )
    )
    with writing(engine) as connection:
        connection.execute(
            insert(certificates).from_select(["leaf_index", "requested_at", "visibility"], missing)
        )
    return end
