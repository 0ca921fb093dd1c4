"""Renewals in a bundle: a token outlives its certificate, and what is opened outlives SHA-256; or not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest
from mizheng.verifier.renewable import deposit_objects
from mizheng.verifier.renewal.build import (
    rehashed,
    renew_hash_tree,
    renew_time_stamp,
    renewal_value,
    start_record,
)
from mizheng.verifier.renewal.chain import Objects, verify_record
from mizheng.verifier.renewal.record import EvidenceRecord, parse_record
from mizheng.verifier.renewal.tree import HashTree
from mizheng.verifier.report import Report, Verdict
from mizheng.verifier.timestamp.algorithms import Hash, find_hash
from mizheng.verifier.timestamp.token import parse_response
from mizheng.verifier.trust import Trust
from mizheng.verifier.verify import verify_bundle

from tests.support.tsa import DAY, YEAR, TestAuthority, make_authority
from tests.support.world import FILES, Company, World, failed, pack, statuses

SHA512 = find_hash("sha512")


@dataclass
class Archive:
    """A bundle with a token and no anchor; authorities whose certificates follow one another by two years."""

    world: World
    members: dict[str, bytes]
    authorities: list[TestAuthority]
    start: int
    """When the token was made."""

    def trust(self, **changes: object) -> Trust:
        known = tuple(authority.trusted() for authority in self.authorities)
        until = self.start + 30 * YEAR
        trust = self.world.trust(tsas=known, **changes)
        return replace(trust, expires_at=f"{1970 + until // YEAR}-01-01T00:00:00Z")

    def judge(self, records: Sequence[EvidenceRecord], now: int, trust: Trust | None = None) -> Report:
        renewals = {f"renewals/{n:04}.ers": record.dump() for n, record in enumerate(records, 1)}
        return verify_bundle(pack({**self.members, **renewals}), trust or self.trust(), now=now)

    def begun(self) -> EvidenceRecord:
        return start_record(parse_response(self.members["timestamps/0001.tsr"]))

    def renewed(self, record: EvidenceRecord, number: int, at: int) -> EvidenceRecord:
        algorithm = "sha256" if len(record.chains) == 1 else "sha512"
        token = self.authorities[number].token(
            b"", at, imprint=renewal_value(record), imprint_hash=algorithm, digest=algorithm
        )
        return renew_time_stamp(record, token)

    def groups(self) -> list[list[bytes]]:
        """All that a company hashes anew: the deposit, the opened record with its original, a closed one."""
        head = next(name for name in self.members if name.startswith("heads/"))
        deposit = deposit_objects(self.members["statement.dsse.json"], self.members[head])
        return [list(deposit), [self.members["records/0001.json"], FILES["配方.txt"]], [b"a closed record"]]

    def rehashed(
        self, record: EvidenceRecord, number: int, at: int, groups: list[list[bytes]] | None = None
    ) -> list[EvidenceRecord]:
        """One record for each group, under one token."""
        values = [
            rehashed(SHA512, record, [SHA512.digest(item) for item in group])
            for group in groups or self.groups()
        ]
        tree = HashTree(SHA512, values)
        token = self.authorities[number].token(
            b"", at, imprint=tree.root, imprint_hash="sha512", digest="sha512"
        )
        return [renew_hash_tree(record, token, tree.reduced(place)) for place in range(len(values))]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    world = World(tmp_path_factory.mktemp("world"))
    deposit = world.deposit(world.enrol(Company()))
    size, anchor = world.anchor()
    members = world.bundle(deposit, [(size, anchor)], originals={"配方.txt": FILES["配方.txt"]})
    del members["anchors/0001.json"]
    start = world.clock + 60
    authorities = [
        make_authority(f"TSA {n}", start=start + 2 * n * YEAR - DAY, end=start + 2 * (n + 1) * YEAR, number=n)
        for n in range(3)
    ]
    text = world.checkpoint_note(size).partition(b"\n\n")[0] + b"\n"
    members |= {"timestamps/0001.tsr": authorities[0].response(text, start), "timestamps/0001.txt": text}
    return Archive(world, members, authorities, start)


def test_not_renewed(archive: Archive) -> None:
    assert archive.judge([], archive.start + YEAR).verdict is Verdict.VALID
    late = archive.judge([], archive.start + 3 * YEAR)
    assert (late.verdict, statuses(late, "timestamp.current")) == (Verdict.UNDETERMINED, ["NOT_CHECKED"])


def test_renewed_in_time(archive: Archive) -> None:
    """The first token's date, years after its certificate has ended."""
    record = archive.renewed(archive.begun(), 1, archive.start + 2 * YEAR - 9)
    report = archive.judge([record], archive.start + 3 * YEAR)
    assert report.verdict is Verdict.VALID, report.missing
    assert report.latest is not None
    assert report.latest.at == archive.start + 1
    assert archive.judge([record], archive.start + 5 * YEAR).verdict is Verdict.UNDETERMINED
    again = archive.renewed(record, 2, archive.start + 4 * YEAR - 9)
    assert archive.judge([again], archive.start + 5 * YEAR).verdict is Verdict.VALID


def test_renewed_too_late_is_broken(archive: Archive) -> None:
    record = archive.renewed(archive.begun(), 1, archive.start + 2 * YEAR + 9)
    report = archive.judge([record], archive.start + 3 * YEAR)
    assert (report.verdict, failed(report)) == (Verdict.INVALID, {"renewal.chain"})


def test_record_of_another_token(archive: Archive) -> None:
    """Of an honest archive, but not of this token: it says nothing here."""
    other = start_record(archive.authorities[0].token(b"another", archive.start))
    report = archive.judge(
        [archive.renewed(other, 1, archive.start + 2 * YEAR - 9)], archive.start + 3 * YEAR
    )
    assert (report.verdict, statuses(report, "renewal.chain")) == (Verdict.UNDETERMINED, ["NOT_CHECKED"])


def test_broken_record(archive: Archive) -> None:
    data = archive.renewed(archive.begun(), 1, archive.start + 2 * YEAR - 9).dump()
    for broken in (data[:-1], b"", data + b"\0"):
        members = {**archive.members, "renewals/0001.ers": broken}
        report = verify_bundle(pack(members), archive.trust(), now=archive.start + YEAR)
        assert failed(report) == {"renewal.chain"}


def test_authority_of_the_renewal_is_not_known(archive: Archive) -> None:
    record = archive.renewed(archive.begun(), 1, archive.start + 2 * YEAR - 9)
    trust = replace(archive.trust(), tsas=(archive.authorities[0].trusted(),))
    report = archive.judge([record], archive.start + 3 * YEAR, trust)
    assert (report.verdict, statuses(report, "renewal.chain")) == (Verdict.UNDETERMINED, ["NOT_CHECKED"])


def retired(archive: Archive, years: float) -> Trust:
    return archive.trust(retired_hashes={"sha256": archive.start + int(years * YEAR)})


def test_all_hashed_anew_before_the_hash_is_retired(archive: Archive) -> None:
    records = archive.rehashed(archive.begun(), 0, archive.start + YEAR)[:2]
    trust = retired(archive, 1.2)
    report = archive.judge(records, archive.start + int(1.5 * YEAR), trust)
    assert report.verdict is Verdict.VALID, report.missing
    assert statuses(report, "hash.current") == ["PASS"]
    assert report.latest is not None
    assert report.latest.at == archive.start + 1
    # And renewed further, each in its own record.
    later = [archive.renewed(record, 1, archive.start + 2 * YEAR - 9) for record in records]
    assert archive.judge(later, archive.start + 3 * YEAR, trust).verdict is Verdict.VALID
    assert archive.judge(records, archive.start + 3 * YEAR, trust).verdict is Verdict.UNDETERMINED


def test_nothing_hashed_anew(archive: Archive) -> None:
    """Not even an anchor helps then: what it holds is a SHA-256 too."""
    trust = retired(archive, 1)
    assert archive.judge([], archive.start + YEAR - 1, trust).verdict is Verdict.VALID
    report = archive.judge([], archive.start + YEAR + 1, trust)
    assert report.verdict is Verdict.UNDETERMINED
    assert "hash.current" in report.missing


@pytest.mark.parametrize("left_out", [0, 1])
def test_part_that_was_not_hashed_anew(archive: Archive, left_out: int) -> None:
    records = archive.rehashed(archive.begun(), 0, archive.start + YEAR)[:2]
    del records[left_out]
    report = archive.judge(records, archive.start + int(1.5 * YEAR), retired(archive, 1.2))
    assert (report.verdict, statuses(report, "hash.current")) == (Verdict.UNDETERMINED, ["NOT_CHECKED"])


def test_text_alone_does_not_carry_the_rest(archive: Archive) -> None:
    """The notary can hash its checkpoint anew; what hangs on it by SHA-256 is the company's to see to."""
    text = archive.members["timestamps/0001.txt"]
    records = archive.rehashed(archive.begun(), 0, archive.start + YEAR, [[text]])
    trust = retired(archive, 1.2)
    assert archive.judge(records, archive.start + YEAR + DAY, trust).verdict is Verdict.VALID
    report = archive.judge(records, archive.start + int(1.5 * YEAR), trust)
    assert (report.verdict, statuses(report, "renewal.chain")) == (Verdict.UNDETERMINED, ["PASS"])


def test_original_that_was_not_hashed_anew(archive: Archive) -> None:
    groups = archive.groups()
    groups[1] = groups[1][:1]
    records = archive.rehashed(archive.begun(), 0, archive.start + YEAR, groups)[:2]
    report = archive.judge(records, archive.start + int(1.5 * YEAR), retired(archive, 1.2))
    assert statuses(report, "hash.current") == ["NOT_CHECKED"]


def test_originals_beside_the_bundle_do_not_count(
    archive: Archive, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("files") / "配方.txt"
    path.write_bytes(FILES["配方.txt"])
    records = archive.rehashed(archive.begun(), 0, archive.start + YEAR)[:2]
    renewals = {f"renewals/{n:04}.ers": record.dump() for n, record in enumerate(records, 1)}
    report = verify_bundle(
        pack({**archive.members, **renewals}),
        retired(archive, 1.2),
        now=archive.start + int(1.5 * YEAR),
        files=[path],
    )
    assert statuses(report, "hash.current") == ["NOT_CHECKED"]


def test_hash_tree_over_other_things_is_broken(archive: Archive) -> None:
    records = archive.rehashed(archive.begun(), 0, archive.start + YEAR, [[b"one", b"two"], [b"three"]])
    report = archive.judge(records[:1], archive.start + YEAR + DAY)
    assert (report.verdict, failed(report)) == (Verdict.INVALID, {"renewal.chain"})


def test_hashed_anew_too_late(archive: Archive) -> None:
    records = archive.rehashed(archive.begun(), 0, archive.start + YEAR)[:2]
    report = archive.judge(records, archive.start + int(1.5 * YEAR), retired(archive, 0.9))
    assert (report.verdict, statuses(report, "renewal.chain")) == (Verdict.UNDETERMINED, 2 * ["NOT_CHECKED"])
    assert archive.judge(records, archive.start + int(1.5 * YEAR)).verdict is Verdict.VALID


def test_written_as_read(archive: Archive) -> None:
    for record in archive.rehashed(archive.begun(), 0, archive.start + YEAR):
        assert parse_record(record.dump()) == record


def test_many_records_are_found_by_their_hash(archive: Archive) -> None:
    """A thousand groups and their records: each is found without trying all the others."""
    count = 1000
    groups = [[b"record %d" % number, b"original %d" % number] for number in range(count)]
    records = archive.rehashed(archive.begun(), 0, archive.start + YEAR, groups)
    computed: list[int] = []

    def digest(number: int, part: bytes) -> Callable[[Hash], bytes]:
        def compute(algorithm: Hash) -> bytes:
            computed.append(number)
            return algorithm.digest(part)

        return compute

    objects = Objects([[digest(number, part) for part in group] for number, group in enumerate(groups)])
    text = archive.members["timestamps/0001.txt"]
    trust = archive.trust()
    places = [verify_record(record, text, objects, trust.tsas, {}).group for record in records[::50]]
    assert places == list(range(0, count, 50))
    assert len(computed) <= count + 2 * len(places)


@pytest.mark.parametrize(
    ("folder", "ends", "code"),
    [("timestamps", ("tsr", "txt"), "timestamp.token"), ("renewals", ("ers",), "renewal.chain")],
)
def test_too_many_members(archive: Archive, folder: str, ends: tuple[str, ...], code: str) -> None:
    members = dict(archive.members)
    for number in range(2, 400):
        members |= {f"{folder}/{number:04}.{end}": b"" for end in ends}
    report = verify_bundle(pack(members), archive.trust(), now=archive.start + YEAR)
    assert failed(report) == {code}
    assert len([check for check in report.checks if check.code == code and check.status == "FAIL"]) == 1
