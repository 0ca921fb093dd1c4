"""What renews a token before its certificate ends, and all that is opened before a hash is retired."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mizheng.verifier.canonical import format_instant
from mizheng.verifier.renewable import deposit_objects
from mizheng.verifier.renewal.build import (
    rehashed,
    renew_hash_tree,
    renew_time_stamp,
    renewal_value,
    start_record,
)
from mizheng.verifier.renewal.record import EvidenceRecord, parse_record
from mizheng.verifier.renewal.tree import HashTree
from mizheng.verifier.timestamp import der
from mizheng.verifier.timestamp.algorithms import SHA256, find_hash
from mizheng.verifier.timestamp.token import parse_response

from tests.support.tsa import YEAR

from .case import Case, Cases
from .setting import (
    HEAD,
    ORIGINAL,
    RECORD,
    STAMPED_AT,
    STATEMENT,
    TOKEN,
    Members,
    Setting,
    ordered,
)

_SHA512 = find_hash("sha512")
_LATER = format_instant(STAMPED_AT + 3 * YEAR)
_MUCH_LATER = format_instant(STAMPED_AT + 5 * YEAR)


def cases() -> list[Case]:
    return _renewals()


def _renewals() -> list[Case]:
    found = Cases("renewal")
    code = "renewal.chain"
    found.passes(
        "in-time", "renewed before the first certificate ended", lambda s: renewed(s, in_time(s)), now=_LATER
    )
    found.passes("twice", "renewed, and renewed again", twice, now=_MUCH_LATER)
    found.stays_open(
        "none",
        "a token whose certificate has ended, and nothing renewed it",
        "timestamp.current",
        lambda s: s.small,
        now=_LATER,
    )
    found.stays_open(
        "ended-as-well",
        "renewed once, and the second certificate has ended",
        "timestamp.current",
        lambda s: renewed(s, in_time(s)),
        now=_MUCH_LATER,
    )
    found.stays_open("of-another-token", "a record of another token", code, of_another, now=_LATER)
    found.stays_open(
        "unknown-authority",
        "renewed by an authority that the trust file does not know",
        code,
        lambda s: renewed(s, in_time(s)),
        now=_LATER,
        trust=lambda s: s.trust(tsas=(s.tsas[0].trusted(),)),
    )
    found.fails(
        "too-late",
        "renewed after the first certificate had ended",
        code,
        lambda s: renewed(s, renewal(s, begun(s), 1, 2 * YEAR + 9)),
        now=_LATER,
    )
    found.fails(
        "of-another-value",
        "a second token over something else",
        code,
        lambda s: renewed(
            s, renew_time_stamp(begun(s), s.tsas[1].token(b"something else", STAMPED_AT + 2 * YEAR - 9))
        ),
        now=_LATER,
    )
    found.fails(
        "cut",
        "a record cut short",
        code,
        lambda s: ordered({**s.small, "renewals/0001.ers": in_time(s).dump()[:-1]}),
    )
    found.fails(
        "empty", "a record of no bytes", code, lambda s: ordered({**s.small, "renewals/0001.ers": b""})
    )
    retired = lambda s: s.trust(retired_hashes={"sha256": STAMPED_AT + 2 * YEAR})  # noqa: E731
    found.passes(
        "rehashed",
        "SHA-256 was retired: all that is opened was hashed anew before",
        lambda s: hashed_anew(s),
        now=_LATER,
        trust=retired,
    )
    found.passes(
        "rehashed-over-null-parameters",
        "the first time stamp names its hash with parameters NULL: what is hashed anew is what stands there",
        lambda s: hashed_anew(s, begun=begun_with_null),
        now=_LATER,
        trust=retired,
    )
    found.stays_open(
        "not-rehashed",
        "SHA-256 was retired, and nothing was hashed anew",
        "hash.current",
        lambda s: renewed(s, in_time(s)),
        now=_LATER,
        trust=retired,
    )
    found.stays_open(
        "rehashed-in-part",
        "SHA-256 was retired, and the record with its original was left out",
        "hash.current",
        lambda s: hashed_anew(s, 1),
        now=_LATER,
        trust=retired,
    )
    return found.all


def begun(s: Setting) -> EvidenceRecord:
    return start_record(parse_response(s.small[TOKEN]))


def begun_with_null(s: Setting) -> EvidenceRecord:
    """As other software may begin: `digestAlgorithm [0]` with its NULL parameters."""
    algorithm = der.encode(der.context(0), der.encode_oid(SHA256.oid), b"\x05\x00")
    stamp = der.encode(der.SEQUENCE, algorithm, begun(s).chains[0][0].token)
    chains = der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, stamp))
    hashes = der.encode(der.SEQUENCE, SHA256.encode())
    return parse_record(der.encode(der.SEQUENCE, der.encode_integer(1), hashes, chains))


def renewal(s: Setting, record: EvidenceRecord, number: int, after: int) -> EvidenceRecord:
    token = s.tsas[number].token(b"", STAMPED_AT + after, imprint=renewal_value(record))
    return renew_time_stamp(record, token)


def in_time(s: Setting) -> EvidenceRecord:
    return renewal(s, begun(s), 1, 2 * YEAR - 9)


def renewed(s: Setting, *records: EvidenceRecord) -> Members:
    more = {f"renewals/{n:04}.ers": record.dump() for n, record in enumerate(records, 1)}
    return ordered({**s.small, **more})


def twice(s: Setting) -> Members:
    return renewed(s, renewal(s, in_time(s), 2, 4 * YEAR - 9))


def of_another(s: Setting) -> Members:
    other = start_record(s.tsas[0].token(b"another", STAMPED_AT))
    return renewed(s, renewal(s, other, 1, 2 * YEAR - 9))


def hashed_anew(
    s: Setting, count: int | None = None, begun: Callable[[Setting], EvidenceRecord] = begun
) -> Members:
    """The deposit and the record with its original, hashed with SHA-512 before SHA-256 was retired."""
    groups: Sequence[Sequence[bytes]] = [
        deposit_objects(s.small[STATEMENT], s.small[HEAD]),
        [s.small[RECORD], s.small[ORIGINAL]],
    ]
    record = begun(s)
    values = [rehashed(_SHA512, record, [_SHA512.digest(item) for item in group]) for group in groups]
    tree = HashTree(_SHA512, values)
    token = s.tsas[1].token(
        b"", STAMPED_AT + 2 * YEAR - 9, imprint=tree.root, imprint_hash="sha512", digest="sha512"
    )
    made = [renew_hash_tree(record, token, tree.reduced(place)) for place in range(len(groups))]
    return renewed(s, *made[:count])
