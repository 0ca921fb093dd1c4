"""Make tests/vectors/bundles: bundles with one defect each, named for it, and sound ones of every shape.

    python -m tests.tools.bundle_vectors

They also go, packed, into the software, where `mizheng self-test` judges them.

A vector is a bundle, group/defect.zip, and beside it group/defect.json: why, the trust file and the instant
to judge it with, and what must come out. Run again, this writes the same bytes, unless a format, the contract
or the embedded chain has changed. Whoever runs this has the keys, so they may never sign anything else.
"""

from __future__ import annotations

import io
import json
import lzma
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mizheng.cli.checking.selftest import VECTORS, summary
from mizheng.verifier.canonical import parse_instant
from mizheng.verifier.report import Report
from mizheng.verifier.trust import dump_trust, parse_trust
from mizheng.verifier.verify import verify_bundle

from tests.support.vectors import FOLDER
from tests.support.world import pack
from tests.tools.layout import ROOT
from tests.tools.vectors import groups
from tests.tools.vectors.case import Case
from tests.tools.vectors.setting import Setting, open_setting


@dataclass(frozen=True)
class Vector:
    """A vector with its answer."""

    case: Case
    bundle: bytes
    trust: str | None
    """Name of the trust file."""
    report: Report


def make() -> tuple[list[Vector], dict[str, bytes]]:
    """All vectors, and the trust files that they name."""
    trusts: dict[str, bytes] = {}
    with open_setting() as setting:
        for name, trust in setting.trusts.items():
            trusts[name] = dump_trust(trust)
        vectors = [_make_one(setting, case, trusts) for case in groups.cases()]
    names = [vector.case.name for vector in vectors]
    assert len(set(names)) == len(names), sorted(name for name in names if names.count(name) > 1)
    return vectors, trusts


def _make_one(setting: Setting, case: Case, trusts: dict[str, bytes]) -> Vector:
    setting.stream.restart(case.name)
    made = case.build(setting)
    bundle = made if isinstance(made, bytes) else pack(made)
    name = case.trust
    if callable(name):
        setting.stream.restart(case.name)
        data = dump_trust(name(setting))
        # Trust files that are the same are one file.
        name = next((known for known, it in trusts.items() if it == data), case.name.replace("/", "-"))
        trusts[name] = data
    trust = None if name is None else parse_trust(trusts[name])
    report = verify_bundle(bundle, trust, now=parse_instant(case.now))
    _hold(case, report)
    return Vector(case, bundle, name, report)


def _hold(case: Case, report: Report) -> None:
    """What the verifier says is what whoever wrote the case said."""
    failing = {check.code for check in report.checks if check.status == "FAIL"}
    told = json.dumps([check.to_json() for check in report.checks if check.status == "FAIL"], indent=1)
    assert str(report.verdict) == case.verdict, (case.name, str(report.verdict), report.missing, told)
    assert failing == set(case.failing), (case.name, failing, told)
    for status, codes in (("NOT_CHECKED", case.open), ("NOT_PROVIDED", case.absent)):
        for code in codes:
            found = [str(check.status) for check in report.checks if check.code == code]
            assert status in found, (case.name, code, found)


def _expected(vector: Vector, place: str) -> bytes:
    value: dict[str, Any] = {
        "type": "mizheng/vector/v1",
        "why": vector.case.why,
        "bundle": place,
        "trust": vector.trust and f"trust/{vector.trust}.toml",
        "now": vector.case.now,
        **summary(vector.report.to_json()),
    }
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def files() -> Iterator[tuple[str, bytes]]:
    """Every file below tests/vectors/bundles, by its path there."""
    vectors, trusts = make()
    places: dict[bytes, str] = {}
    for vector in vectors:
        # A bundle that several vectors judge, under other trust files, stands with the first of them.
        place = places.setdefault(vector.bundle, f"{vector.case.name}.zip")
        yield place, vector.bundle
        yield f"{vector.case.name}.json", _expected(vector, place)
    used = {vector.trust for vector in vectors}
    for name, data in trusts.items():
        if name in used:
            yield f"trust/{name}.toml", data


def pack_files(made: Mapping[str, bytes]) -> bytes:
    """One file of all of them. What it unpacks to is always the same; how lzma packs it, its own affair."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(made):
            entry = tarfile.TarInfo(name)
            entry.size = len(made[name])
            archive.addfile(entry, io.BytesIO(made[name]))
    # Bundles are much alike: packed together they take a fortieth.
    return lzma.compress(tar.getvalue(), preset=9 | lzma.PRESET_EXTREME)


def main() -> None:
    made = dict(files())
    (ROOT / "cli" / "checking" / VECTORS).write_bytes(pack_files(made))
    for group in FOLDER.glob("*/"):
        shutil.rmtree(group)
    for name, data in made.items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    count = sum(name.endswith(".json") for name in made)
    size = sum(map(len, made.values()))
    print(f"{count} vectors, {size} bytes, in {FOLDER.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
