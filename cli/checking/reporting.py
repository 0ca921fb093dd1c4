"""The report as a PDF: what went in, with digests before and after, on which machine, and what came of it."""

from __future__ import annotations

import os
import platform
import shlex
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mizheng.cli.errors import OutputFault
from mizheng.cli.files import publish_bytes
from mizheng.cli.software import NAME, software_digest, software_version
from mizheng.cli.terminal.language import N_, _, translate_with
from mizheng.cli.terminal.output import Progress
from mizheng.verifier.digests import FileDigests, compute_digests
from mizheng.verifier.paper.answers import SelfTest
from mizheng.verifier.paper.missing import require_paper
from mizheng.verifier.paper.report import (
    MATERIAL_BUNDLE,
    MATERIAL_ORIGINAL,
    MATERIAL_TRUST,
    Examination,
    Material,
    make_report,
)

if TYPE_CHECKING:
    from mizheng.verifier.paper.comparison import Comparison
    from mizheng.verifier.report import Report

_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Received:
    """A file as it was handed in."""

    role: str
    path: Path
    digests: FileDigests


class Reporting:
    """Begun before the check, so that the digests are those of what was handed in."""

    def __init__(
        self,
        target: Path,
        bundle: Path,
        trust: Path | None,
        files: Sequence[Path],
        role: str = MATERIAL_ORIGINAL,
        *,
        with_self_test: bool = False,
    ) -> None:
        """`role`: what `files` are. With a self-test this software judges the published vectors first.

        PaperError without the extra `pdf`, OutputFault if `target` is there, OSError by reading.
        """
        require_paper()
        if os.path.lexists(target):
            raise OutputFault("{name} exists", "choose another name for the report", name=str(target))
        self._target = target
        named = [(MATERIAL_BUNDLE, bundle), *([(MATERIAL_TRUST, trust)] if trust else [])]
        named += [(role, path) for path in _files(files)]
        self._self_test = _test_itself() if with_self_test else None
        self._received = [Received(role, path, _digest(path)) for role, path in named]

    def write(
        self,
        report: Report,
        language: str,
        comparison: Comparison | None = None,
        hidden: Collection[str] = (),
    ) -> None:
        """Compute the digests again, and put the PDF in its place; `hidden` are arguments not to be told."""
        materials = [
            Material(
                item.role,
                os.fsencode(item.path).decode("utf-8", "backslashreplace"),
                item.digests.size,
                item.digests.sha256,
                item.digests.sm3,
                _digest(item.path) == item.digests,
            )
            for item in self._received
        ]
        examination = Examination(
            report=report,
            materials=materials,
            software=f"{NAME} {software_version()}",
            software_digest=software_digest(),
            environment=list(_environment()),
            command=shlex.join([NAME, *("FILE" if word in hidden else word for word in sys.argv[1:])]),
            examined_at=int(time.time()),
            comparison=comparison,
            self_test=self._self_test,
        )
        publish_bytes(self._target, make_report(examination, translate_with(), language))


def _test_itself() -> SelfTest:
    from mizheng.cli.checking.selftest import read_vectors, run_vectors

    with Progress(_("test vectors")) as progress:
        result = run_vectors(read_vectors(), lambda: progress.advance(1, 0))
    passed = sum(passed for _group, (_count, passed) in result.counts.items())
    return SelfTest(result.count, passed, result.sha256)


def _environment() -> Iterator[tuple[str, str]]:
    import ssl

    from cryptography.hazmat.backends.openssl import backend

    yield N_("system"), f"{platform.system()} {platform.release()} {platform.machine()}"
    yield N_("interpreter"), f"{platform.python_implementation()} {platform.python_version()}"
    # Signatures are checked by the one that comes with cryptography; digests are made by the interpreter's.
    yield N_("cryptography"), f"{_version('cryptography')}, {backend.openssl_version_text()}"
    yield N_("digests"), ssl.OPENSSL_VERSION
    yield N_("typesetting"), f"Typst {_version('typst')}"
    yield N_("time zone"), time.strftime("%Z %z")


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(item for item in path.rglob("*") if item.is_file())
        else:
            yield path


def _digest(path: Path) -> FileDigests:
    with path.open("rb") as file:
        return compute_digests(iter(lambda: file.read(_CHUNK_BYTES), b""))
