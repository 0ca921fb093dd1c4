"""Papers: a certificate set and signed, and a bundle of 1,000 opened records with its exhibit list.

Targets: certificate 150 ms unsigned, 700 ms signed; bundle 2 s made, 1 s verified. Signed means level B-LTA,
with tokens of `openssl ts` and revocation lists over HTTP, both on this machine. The first page of a process
also loads the fonts; that is told apart.
"""

import hashlib
import io
import statistics
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

from mizheng.notary.certificates.signer import load_signer
from mizheng.notary.certificates.signing import CertificateSigner
from mizheng.notary.timestamping.setup import parse_timestamps
from mizheng.verifier.bundlewriting import Evidence, write_bundle
from mizheng.verifier.paper.certificate import make_certificate
from mizheng.verifier.paper.exhibits import ExhibitList, exhibit_of, make_exhibit_list
from mizheng.verifier.paper.reading import PyHankoReader
from mizheng.verifier.record import parse_record
from mizheng.verifier.verify import verify_bundle

from tests.support.certifier import Certifier, Lists
from tests.support.opensslts import OpensslAuthority
from tests.support.world import AT, NOW, Company, Deposit, World
from tests.verifier.paper.samples import make_facts

ROUNDS = 20
RECORDS = 1_000
UNSIGNED, SIGNED, MADE, VERIFIED = 0.150, 0.700, 2.0, 1.0


def take(action: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median seconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def measure_certificates(folder: Path) -> bool:
    start = time.perf_counter()
    pdf = make_certificate(make_facts())
    print(
        f"  first certificate of a process: {1000 * (time.perf_counter() - start):.0f} ms, {len(pdf):,} bytes"
    )
    unsigned = take(lambda: make_certificate(make_facts()))
    certifier = Certifier(folder)
    table = {"key": str(certifier.key), "chain": str(certifier.chain)}
    with OpensslAuthority() as tsa:
        served = {"/ca.crl": certifier.crl(), "/tsa.crl": tsa.authority.crl(int(time.time()) - 30)}
        with Lists(served) as lists:
            text = f'{tsa.settings()}crls = ["{lists.url}/tsa.crl"]\n'
            authorities = parse_timestamps(tomllib.loads(text)["timestamps"])
            plain = CertificateSigner(lambda: load_signer(table, [], folder, "log.example/one"))
            more = {"timestamps": "local", "crls": [f"{lists.url}/ca.crl"]}
            lasting = CertificateSigner(lambda: load_signer({**table, **more}, authorities, folder, "x"))
            for signer in (plain, lasting):
                signer.sign(pdf)
            basic = take(lambda: plain.sign(make_certificate(make_facts())))
            signed = take(lambda: lasting.sign(make_certificate(make_facts())))
            file = lasting.sign(pdf)
    read = take(lambda: PyHankoReader().read_signature(file))
    print(f"  certificate: unsigned {1000 * unsigned:.0f} ms (target {1000 * UNSIGNED:.0f})")
    print(f"  set and signed: B-B {1000 * basic:.0f} ms")
    print(f"  set and signed: B-LTA {1000 * signed:.0f} ms (target {1000 * SIGNED:.0f})")
    print(f"  signature read and checked: {1000 * read:.0f} ms, {len(file):,} bytes")
    return unsigned <= UNSIGNED and signed <= SIGNED


def measure_bundle(folder: Path) -> bool:
    world = World(folder)
    files = {f"图纸/部件-{n:04}.dwg": b"drawing %d" % n for n in range(RECORDS)}
    deposit = world.deposit(world.enrol(Company()), files)
    anchor = world.anchor()
    trust = world.trust()
    evidence = world.bundle(deposit, [anchor], ())
    target = io.BytesIO()

    def make() -> None:
        target.seek(0)
        target.truncate()
        write(world, deposit, evidence, anchor[0], anchor[1], target)

    made = take(make, 5)
    data = target.getvalue()
    verified = take(lambda: verify_bundle(data, trust, now=NOW, pdf_reader=PyHankoReader()), 5)
    verdict = verify_bundle(data, trust, now=NOW).verdict
    print(f"  bundle of {RECORDS:,} records: {len(data):,} bytes, {verdict}")
    print(f"  made {made:.2f} s (target {MADE}), verified {verified:.2f} s (target {VERIFIED})")
    return made <= MADE and verified <= VERIFIED and verdict == "valid"


def write(
    world: World, deposit: Deposit, evidence: dict[str, bytes], size: int, anchor: bytes, target: io.BytesIO
) -> None:
    opened = [deposit.open(path) for path in deposit.records]
    exhibits = [exhibit_of(parse_record(item.record), item.record, has_original=False) for item in opened]
    listed = ExhibitList(
        depositor=deposit.company.name.name,
        depositor_id=deposit.company.name.id,
        recipient=None,
        purpose=None,
        commitment=deposit.statement.commitment.hex(),
        envelope_sha256=hashlib.sha256(deposit.envelope).hexdigest(),
        created_at=AT,
        exhibits=exhibits,
    )
    write_bundle(
        target,
        deposit.company.key,
        deposit.envelope,
        opened,
        Evidence(
            heads={size: world.proof(deposit.index, size)},
            anchors=[anchor],
            enrolment=evidence["enrolment.dsse.json"],
            enrolment_proof=evidence["enrolment.tlog-proof"],
            key_status=evidence["key-status.dsse.json"],
            beacon=evidence["beacon.json"],
        ),
        readme="README\n",
        created_at=AT,
        extra_members={"exhibits.pdf": make_exhibit_list(listed)},
    )


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "world").mkdir()
        is_met = [measure_certificates(folder), measure_bundle(folder / "world")]
    return 0 if all(is_met) else 1


if __name__ == "__main__":
    sys.exit(main())
