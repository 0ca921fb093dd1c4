"""Evidence records: written as read, followed over several renewals, refused when anything is late."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from mizheng.verifier.errors import FormatError, MizhengError, NotBelievedError, ProofError, VersionError
from mizheng.verifier.renewal.build import (
    last_hash,
    rehashed,
    renew_hash_tree,
    renew_time_stamp,
    renewal_value,
    start_record,
)
from mizheng.verifier.renewal.chain import RenewedEvidence, verify_record
from mizheng.verifier.renewal.record import EvidenceRecord, dump_sequence, parse_record
from mizheng.verifier.renewal.tree import HashTree
from mizheng.verifier.timestamp import der
from mizheng.verifier.timestamp.algorithms import SHA256, Hash, find_hash

from tests.support.tsa import DAY, YEAR, TestAuthority, make_authority

T0 = 1_800_000_000
TEXT = b"a checkpoint\n"
SHA512 = find_hash("sha512")
# Each authority's certificate runs for two years, one after the other.
AUTHORITIES = [
    make_authority(f"TSA {n}", start=T0 + 2 * n * YEAR - DAY, end=T0 + 2 * (n + 1) * YEAR, number=n)
    for n in range(4)
]
KNOWN = [authority.trusted() for authority in AUTHORITIES]


def digests(*objects: bytes) -> list[Callable[[Hash], bytes]]:
    return [lambda algorithm, data=data: algorithm.digest(data) for data in objects]  # type: ignore[misc]


def stamp(authority: TestAuthority, at: int, value: bytes, algorithm: Hash = SHA256) -> bytes:
    return authority.token(b"", at, imprint=value, imprint_hash=algorithm.name, digest=algorithm.name)


def begun() -> EvidenceRecord:
    return start_record(AUTHORITIES[0].token(TEXT, T0))


def renewed(record: EvidenceRecord, number: int, at: int, others: int = 3) -> EvidenceRecord:
    """One token over this record and some others, of other people's archives."""
    algorithm = last_hash(record)
    values = [[algorithm.digest(bytes([n]))] for n in range(others)]
    tree = HashTree(algorithm, [*values, [renewal_value(record)]])
    return renew_time_stamp(
        record, stamp(AUTHORITIES[number], at, tree.root, algorithm), tree.reduced(others)
    )


def rehash(
    record: EvidenceRecord, number: int, at: int, objects: Sequence[bytes] = (TEXT,)
) -> EvidenceRecord:
    values = rehashed(SHA512, record, [SHA512.digest(item) for item in objects])
    tree = HashTree(SHA512, [values, [SHA512.digest(b"x")]])
    return renew_hash_tree(record, stamp(AUTHORITIES[number], at, tree.root, SHA512), tree.reduced(0))


def verified(
    record: EvidenceRecord,
    *,
    retired: dict[str, int] | None = None,
    groups: Sequence[Sequence[bytes]] = ((TEXT,),),
    data: bytes = TEXT,
) -> RenewedEvidence:
    again = parse_record(record.dump())
    assert again == record
    return verify_record(again, data, [digests(*group) for group in groups], KNOWN, retired or {})


def test_a_token_alone() -> None:
    found = verified(begun())
    assert (found.renewals, found.group, found.holds_until, found.hash) == (0, None, T0 + 2 * YEAR, "sha256")


def test_what_others_wrote_is_kept_as_it_stands() -> None:
    """A hash named with NULL parameters, which RFC 5754 lets others do: a renewal hashes these very bytes."""
    algorithm = der.encode(der.context(0), der.encode_oid(SHA256.oid), b"\x05\x00")
    stamp = der.encode(der.SEQUENCE, algorithm, begun().chains[0][0].token)
    sequence = der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, stamp))
    hashes = der.encode(der.SEQUENCE, SHA256.encode())
    record = parse_record(der.encode(der.SEQUENCE, der.encode_integer(1), hashes, sequence))
    assert record.chains[0][0].algorithm == SHA256
    assert dump_sequence(record.chains) == sequence
    assert verified(record).renewals == 0


def test_eight_years_of_renewals() -> None:
    """Three certificates later, and a hash later: the first token still dates the text."""
    record = begun()
    for number in (1, 2):
        record = renewed(record, number, T0 + 2 * number * YEAR - DAY // 2)
    record = rehash(record, 2, T0 + 5 * YEAR)
    record = renewed(record, 3, T0 + 6 * YEAR - DAY // 2)
    found = verified(record, retired={"sha256": T0 + 5 * YEAR + DAY})
    assert (found.renewals, found.group, found.hash) == (4, 0, "sha512")
    assert found.first.token.at == T0
    assert found.holds_until == T0 + 8 * YEAR


def test_two_hash_tree_renewals() -> None:
    """Each covers all chains before it."""
    record = rehash(begun(), 0, T0 + YEAR)
    record = renewed(record, 1, T0 + 2 * YEAR - DAY // 2)
    algorithm = find_hash("sha384")
    (value,) = rehashed(algorithm, record, [algorithm.digest(TEXT)])
    record = renew_hash_tree(record, stamp(AUTHORITIES[1], T0 + 3 * YEAR, value, algorithm))
    found = verified(record, retired={"sha256": T0 + YEAR + DAY, "sha512": T0 + 3 * YEAR + DAY})
    assert (found.renewals, found.hash) == (3, "sha384")


def test_the_concatenated_rule_written_out() -> None:
    """RFC 4998 §5.2: H(H(object) || H(sequence of all chains before)), by openssl's own hand where it can."""
    record = begun()
    sequence = record.dump()
    reader = der.parse(sequence).reader()
    reader.next()
    reader.next()
    before = SHA512.digest(reader.next().encoded)
    assert rehashed(SHA512, record, [SHA512.digest(TEXT)]) == [SHA512.digest(SHA512.digest(TEXT) + before)]


LATE: list[tuple[str, Callable[[], EvidenceRecord], dict[str, int], str]] = [
    ("after its certificate", lambda: renewed(begun(), 1, T0 + 2 * YEAR + 1), {}, "too late"),
    (
        "second one too late",
        lambda: renewed(renewed(begun(), 1, T0 + 2 * YEAR - 9), 2, T0 + 4 * YEAR + 1),
        {},
        "too late",
    ),
    ("hash tree after the certificate", lambda: rehash(begun(), 1, T0 + 2 * YEAR + 1), {}, "too late"),
    ("hash retired before", lambda: rehash(begun(), 0, T0 + YEAR), {"sha256": T0 + YEAR - 1}, "too late"),
    (
        "renewed under a retired hash",
        lambda: renewed(begun(), 1, T0 + 2 * YEAR - 9),
        {"sha256": T0 + YEAR},
        "too late",
    ),
    ("older than what it renews", lambda: renewed(begun(), 0, T0 - 9), {}, "older"),
]


@pytest.mark.parametrize(("name", "make", "retired", "says"), LATE, ids=[row[0] for row in LATE])
def test_too_late(name: str, make: Callable[[], EvidenceRecord], retired: dict[str, int], says: str) -> None:
    with pytest.raises(ProofError, match=says):
        verified(make(), retired=retired)


def test_within_a_second_of_the_end() -> None:
    """The token's accuracy counts against it: it must have been made in time even at its latest."""
    assert verified(renewed(begun(), 1, T0 + 2 * YEAR - 1)).renewals == 1
    with pytest.raises(ProofError, match="too late"):
        verified(renewed(begun(), 1, T0 + 2 * YEAR))


WRONG: list[tuple[str, Callable[[], EvidenceRecord]]] = [
    (
        "over another token",
        lambda: renew_time_stamp(begun(), stamp(AUTHORITIES[1], T0 + YEAR * 2 - 9, b"\1" * 32)),
    ),
    (
        "over the object instead of the token",
        lambda: renew_time_stamp(begun(), AUTHORITIES[1].token(TEXT, T0 + 2 * YEAR - 9)),
    ),
    (
        "hash tree over the object alone",
        lambda: renew_hash_tree(begun(), stamp(AUTHORITIES[0], T0 + 9, SHA512.digest(TEXT), SHA512)),
    ),
    (
        "hash tree over the tokens alone",
        lambda: renew_hash_tree(
            begun(), stamp(AUTHORITIES[0], T0 + 9, SHA512.digest(begun().dump()), SHA512)
        ),
    ),
    ("another object", lambda: rehash(begun(), 0, T0 + 9, (b"another",))),
    (
        "two hashes in one chain",
        lambda: renew_time_stamp(
            begun(), stamp(AUTHORITIES[0], T0 + 9, SHA512.digest(begun().chains[0][0].token), SHA512)
        ),
    ),
]


@pytest.mark.parametrize(("name", "make"), WRONG, ids=[row[0] for row in WRONG])
def test_wrong(name: str, make: Callable[[], EvidenceRecord]) -> None:
    with pytest.raises(ProofError):
        verified(make())


def test_chain_left_out() -> None:
    """Without the time-stamp renewal in between, the hash-tree renewal is over other chains."""
    whole = rehash(renewed(begun(), 1, T0 + 2 * YEAR - 9), 1, T0 + 3 * YEAR)
    assert verified(whole).renewals == 2
    with pytest.raises(ProofError):
        verified(EvidenceRecord((whole.chains[0][:1], whole.chains[1]), whole.algorithms))


def test_another_text() -> None:
    with pytest.raises(ProofError):
        verified(renewed(begun(), 1, T0 + 2 * YEAR - 9), data=b"another")


def test_group_is_found_and_stays_the_same() -> None:
    group = (b"record", b"original")
    record = rehash(begun(), 0, T0 + 9, group)
    assert verified(record, groups=((TEXT,), (b"other",), group)).group == 2
    # A part of the group shows itself, but three cannot be made of two.
    assert verified(record, groups=((TEXT,), group[:1])).group == 1
    with pytest.raises(ProofError):
        verified(record, groups=((TEXT,), (*group, TEXT)))
    algorithm = find_hash("sha384")
    (other,) = rehashed(algorithm, record, [algorithm.digest(TEXT)])
    mixed = renew_hash_tree(record, stamp(AUTHORITIES[0], T0 + YEAR, other, algorithm))
    with pytest.raises(ProofError):
        verified(mixed, groups=((TEXT,), group))


def test_authority_that_nobody_knows() -> None:
    record = renewed(begun(), 1, T0 + 2 * YEAR - 9)
    with pytest.raises(NotBelievedError):
        verify_record(record, TEXT, [digests(TEXT)], KNOWN[:1], {})


def test_every_flipped_bit() -> None:
    """Of a record with every kind of renewal: nothing changed leads to another time."""
    record = rehash(renewed(begun(), 1, T0 + 2 * YEAR - 9, others=1), 1, T0 + 3 * YEAR)
    data = record.dump()
    expected = verified(record)
    accepted = 0
    for place in range(len(data)):
        changed = data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]
        try:
            found = verify_record(parse_record(changed), TEXT, [digests(TEXT)], KNOWN, {})
        except MizhengError:
            continue
        assert (found.first.token.generated, found.last.token.generated, found.renewals) == (
            expected.first.token.generated,
            expected.last.token.generated,
            2,
        )
        accepted += 1
    # Only what is outside every hash and signature of the last token could be.
    assert accepted <= 4


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda data: data[:-1], FormatError),
        (lambda data: data + b"\0", FormatError),
        (lambda data: data.replace(b"\x02\x01\x01\x30\x0d", b"\x02\x01\x02\x30\x0d", 1), VersionError),
    ],
)
def test_malformed(change: Callable[[bytes], bytes], error: type[MizhengError]) -> None:
    data = begun().dump()
    assert change(data) != data
    with pytest.raises(error):
        parse_record(change(data))


def test_too_many_time_stamps() -> None:
    record = begun()
    stamps = record.chains[0] * 65
    with pytest.raises(FormatError):
        parse_record(EvidenceRecord((stamps,), record.algorithms).dump())


def test_openssl_reads_its_structure(tmp_path: Path) -> None:
    """An independent reader: openssl's view of the bytes is RFC 4998's structure, tag by tag."""
    record = rehash(renewed(begun(), 1, T0 + 2 * YEAR - 9), 1, T0 + 3 * YEAR)
    path = tmp_path / "record.ers"
    path.write_bytes(record.dump())
    shown = subprocess.run(
        ["openssl", "asn1parse", "-inform", "DER", "-in", path], capture_output=True, text=True, check=True
    ).stdout
    lines = [
        re.match(r"\s*\d+:d=(\d+) .*?(prim|cons): (\S.*?)\s*(?::(.*))?$", line) for line in shown.splitlines()
    ]
    found = [(int(line[1]), line[3].rstrip(), line[4] or "") for line in lines if line]
    outline = [
        item
        for item in found
        if item[0] <= 4 and not (item[0] == 4 and item[1] == "OBJECT" and "sha" not in item[2])
    ]
    assert outline[:3] == [(0, "SEQUENCE", ""), (1, "INTEGER", "01"), (1, "SEQUENCE", "")]
    assert [item[2] for item in found if item[1] == "OBJECT" and item[0] == 3] == ["sha256", "sha512"]
    # Two chains: the first of two time stamps, the second of one.
    assert sum(item == (2, "SEQUENCE", "") for item in found) == 2 + 2
    assert sum(item[0] == 3 and item[1] == "SEQUENCE" for item in found) == 3
    # digestAlgorithm [0] and reducedHashtree [2] stand in the two that have a tree, before the ContentInfo.
    assert [item[1] for item in found if item[0] == 4] == [
        "SEQUENCE",
        "cont [ 0 ]",
        "cont [ 2 ]",
        "SEQUENCE",
        "cont [ 0 ]",
        "cont [ 2 ]",
        "SEQUENCE",
    ]
    assert sum(item[2] == "pkcs7-signedData" for item in found) == 3
