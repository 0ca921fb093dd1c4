"""The self-test: every published vector, judged by this installation on this machine.

The vectors are those of tests/vectors/bundles, packed into one file that comes with the software: bundles
with one defect each and sound ones, each with what must come out, check by check.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from mizheng.cli.errors import SoftwareFault
from mizheng.verifier.canonical import parse_instant
from mizheng.verifier.trust import parse_trust
from mizheng.verifier.verify import verify_bundle

VECTORS = "vectors.tar.xz"
TYPE = "mizheng/self-test/v1"


@dataclass(frozen=True, slots=True)
class Difference:
    """A vector that did not get the answer it is published with."""

    vector: str
    expected: Mapping[str, Any]
    """Only what differs, as is `found`."""
    found: Mapping[str, Any]


@dataclass(slots=True)
class SelfTest:
    """What came out."""

    sha256: str
    """Of the vectors' file."""
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Group to how many vectors it has, and how many got the published answer."""
    differences: list[Difference] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(count for count, _ in self.counts.values())

    @property
    def has_passed(self) -> bool:
        """Nothing tested is nothing passed."""
        return self.count > 0 and not self.differences


def read_vectors() -> bytes:
    """The packed vectors of this installation; SoftwareFault when they are not there."""
    try:
        return (resources.files(__package__) / VECTORS).read_bytes()
    except OSError as error:
        raise SoftwareFault(
            "the vectors of the self-test are missing: {reason}",
            "install the software again",
            reason=error.strerror,
        ) from error


def run_vectors(packed: bytes, advance: Callable[[], None] = lambda: None) -> SelfTest:
    """Judge every vector; SoftwareFault when the file cannot be read. `advance` is called after each."""
    files = _unpack(packed)
    result = SelfTest(hashlib.sha256(packed).hexdigest())
    for name in sorted(files):
        if not name.endswith(".json"):
            continue
        expected = json.loads(files[name])
        trust = expected["trust"]
        found = answer_to(expected, files[expected["bundle"]], None if trust is None else files[trust])
        different = [key for key, value in found.items() if value != expected[key]]
        if different:
            result.differences.append(
                Difference(
                    name.removesuffix(".json"),
                    {key: expected[key] for key in different},
                    {key: found[key] for key in different},
                )
            )
        group = name.partition("/")[0]
        count, passed = result.counts.get(group, (0, 0))
        result.counts[group] = (count + 1, passed + (not different))
        advance()
    return result


def answer_to(expected: Mapping[str, Any], bundle: bytes, trust: bytes | None) -> dict[str, Any]:
    """What this verifier says of a vector, in the form in which the vector says what must come out.

    An exception is no answer either: it is told as the verdict.
    """
    try:
        report = verify_bundle(
            bundle,
            None if trust is None else parse_trust(trust),
            now=parse_instant(expected["now"]),
        )
    except Exception as error:
        return {"verdict": f"{type(error).__name__}: {error}"}
    return comparable(expected, report.to_json())


def comparable(expected: Mapping[str, Any], report: Mapping[str, Any]) -> dict[str, Any]:
    """A report in JSON in the form of a vector's expectation.

    Codes are only ever added: one newer than the vector has nothing to be about in its bundle.
    """
    told = summary(report)
    listed = {line.split()[0] for line in expected["checks"]}
    told["checks"] = [
        line for line in told["checks"] if line.split()[0] in listed or line.split()[1] != "NOT_PROVIDED"
    ]
    return told


def summary(report: Mapping[str, Any]) -> dict[str, Any]:
    """What a vector publishes of a report."""
    checks = report["checks"]
    return {
        "verdict": report["verdict"],
        "failing": sorted({check["code"] for check in checks if check["status"] == "FAIL"}),
        "missing": sorted(report["missing"]),
        "trial": report["trial"],
        "earliest": report["earliest"] and report["earliest"]["at"],
        "latest": report["latest"] and report["latest"]["at"],
        "checks": sorted(
            " ".join(filter(None, (check["code"], check["status"], check["subject"]))) for check in checks
        ),
    }


def describe_machine() -> Sequence[tuple[str, str]]:
    """What the answers rest on beside this software: (key, value)."""
    import cryptography
    from cryptography.hazmat.backends.openssl import backend

    return (
        ("python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("cryptography", cryptography.__version__),
        ("openssl", backend.openssl_version_text()),
        ("platform", platform.platform()),
        ("machine", platform.machine()),
    )


def _unpack(packed: bytes) -> dict[str, bytes]:
    """File by name; nothing is written to disk."""
    try:
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:xz") as archive:
            return dict(_files(archive))
    except (tarfile.TarError, EOFError, ImportError) as error:
        raise SoftwareFault(
            "the vectors of the self-test cannot be read: {reason}",
            "install the software again, with a Python that has its lzma module",
            reason=str(error),
        ) from error


def _files(archive: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    for member in archive:
        file = archive.extractfile(member)
        if file is not None:
            yield member.name, file.read()
