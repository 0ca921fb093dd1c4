"""Many bundles checked in one run: on every core, each core with a memory of what it has found before.

Nothing is shared but the trust file: a bundle is judged as it would be alone. What comes back of each is a
line, so memory does not grow with the bundles' size, and one that cannot be read stops none of the others.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mizheng.cli.errors import InputFault, SoftwareFault
from mizheng.cli.terminal.language import _
from mizheng.cli.terminal.output import Progress, emit_json, say
from mizheng.cli.terminal.text import printable

if TYPE_CHECKING:
    from mizheng.verifier.memory import Memory
    from mizheng.verifier.trust import Trust

# Starting a process costs about as much as checking thirty bundles.
_FEW = 64
_CHUNK = 16
# Beside the three verdicts: the file could not be read at all.
_UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one bundle."""

    path: str
    verdict: str
    """valid, invalid, undetermined or unreadable."""
    failed: tuple[str, ...] = ()
    """Codes of the checks that failed."""
    missing: tuple[str, ...] = ()
    """Codes of the checks that valid needs and that did not pass."""
    is_trial: bool = False
    deposit: str = ""
    """Hex SHA-256 of the envelope; empty where the statement could not be read."""
    supplements: tuple[dict[str, Any], ...] = ()
    """What it adds to which earlier deposits, and how `supplement.link` ended."""


def run_batch(folder: Path, trust: bytes | None, *, as_json: bool) -> int:
    """Check every bundle below `folder`; the exit code: 1 if one is invalid, else 66 if one cannot be read,
    else 2 if one is undetermined, else 0. `trust`: the bytes of a trust file that can be used.
    """
    paths = _find(folder)
    started = time.monotonic()
    counts: Counter[str] = Counter()
    bad: list[Outcome] = []
    # Only what a few bundles have is kept of all of them.
    adding: list[Outcome] = []
    where: dict[str, str] = {}
    with Progress(_("checking")) as progress:
        progress.expect(len(paths), 0)
        for outcome in _check_all(paths, trust, int(time.time())):
            counts[outcome.verdict] += 1
            progress.advance(1, 0)
            if outcome.verdict != "valid":
                bad.append(outcome)
            if outcome.supplements:
                adding.append(outcome)
            elif outcome.deposit:
                where.setdefault(outcome.deposit, outcome.path)
            if outcome.is_trial:
                counts["trial"] += 1
    matters = _matters(adding, where)
    _show(folder, trust, counts, bad, matters, time.monotonic() - started, as_json=as_json)
    if counts["invalid"]:
        return 1
    if counts[_UNREADABLE]:
        return InputFault.exit_code
    return 2 if counts["undetermined"] else 0


def _find(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputFault("{name} is not a folder", name=str(folder))
    paths = sorted(folder.rglob("*.zip"))
    if not paths:
        raise InputFault("{name} holds no bundle (*.zip)", name=str(folder))
    return paths


def _check_all(paths: list[Path], trust: bytes | None, now: int) -> Iterator[Outcome]:
    """In the order of `paths`."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if len(paths) <= _FEW or cores < 2:
        _begin(trust, now)
        yield from map(_check, paths)
        return
    with _working(cores, trust, now) as pool:
        # No more than this is handed out at a time: what waits costs memory, too.
        for start in range(0, len(paths), 64 * _CHUNK * cores):
            part = paths[start : start + 64 * _CHUNK * cores]
            yield from _guarded(pool.map(_check, part, chunksize=_CHUNK))


@contextmanager
def _working(cores: int, trust: bytes | None, now: int) -> Iterator[ProcessPoolExecutor]:
    pool = ProcessPoolExecutor(cores, initializer=_begin, initargs=(trust, now))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _guarded(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    try:
        yield from outcomes
    except BrokenProcessPool as error:
        raise SoftwareFault(
            "a process that checked bundles was ended from outside",
            "is there enough memory? run the same again",
        ) from error


class _State:
    """Of one process."""

    trust: Trust | None = None
    now: int = 0
    memory: Memory


def _begin(trust: bytes | None, now: int) -> None:
    from mizheng.verifier.memory import Memory
    from mizheng.verifier.trust import parse_trust

    _State.trust = None if trust is None else parse_trust(trust)
    _State.now = now
    _State.memory = Memory()


def _check(path: Path) -> Outcome:
    from mizheng.verifier.paper.reading import find_reader
    from mizheng.verifier.report import Status
    from mizheng.verifier.verify import verify_bundle

    reader = find_reader()
    try:
        report = verify_bundle(path, _State.trust, now=_State.now, memory=_State.memory, pdf_reader=reader)
    except OSError:
        return Outcome(str(path), _UNREADABLE)
    failed = dict.fromkeys(check.code for check in report.checks if check.status is Status.FAIL)
    # A failed one says why in its own report: what it names is not known here.
    supplements = tuple(
        {**check.values, "link": str(check.status)}
        for check in report.checks
        if check.code == "supplement.link" and check.status is not Status.FAIL
    )
    return Outcome(
        str(path),
        report.verdict.value,
        tuple(failed),
        tuple(report.missing),
        report.is_trial,
        str(report.facts.get("envelope_sha256", "")),
        supplements,
    )


def _matters(adding: list[Outcome], where: dict[str, str]) -> list[dict[str, Any]]:
    """Each deposit that supplements name, with all of them by their number."""
    found: dict[str, list[dict[str, Any]]] = {}
    for outcome in adding:
        for item in outcome.supplements:
            told = {name: item[name] for name in ("number", "matter", "type", "title", "link")}
            line = {**told, "bundle": outcome.path, "verdict": outcome.verdict}
            found.setdefault(item["envelope_sha256"], []).append(line)
    return [
        {
            "deposit": deposit,
            "bundle": where.get(deposit),
            "supplements": sorted(lines, key=lambda line: (line["number"], line["bundle"])),
        }
        for deposit, lines in sorted(found.items())
    ]


def _show(
    folder: Path,
    trust: bytes | None,
    counts: Counter[str],
    bad: list[Outcome],
    matters: list[dict[str, Any]],
    seconds: float,
    *,
    as_json: bool,
) -> None:
    names = ("valid", "invalid", "undetermined", _UNREADABLE)
    total = sum(counts[name] for name in names)
    if as_json:
        summary: dict[str, Any] = {
            "folder": str(folder),
            "trust_sha256": None if trust is None else hashlib.sha256(trust).hexdigest(),
            "bundles": total,
            **{name: counts[name] for name in names},
            "trial": counts["trial"],
            "seconds": round(seconds, 3),
            "not_valid": [
                {
                    "bundle": outcome.path,
                    "verdict": outcome.verdict,
                    "failed": list(outcome.failed),
                    "missing": list(outcome.missing),
                }
                for outcome in bad
            ],
            "matters": matters,
        }
        emit_json(summary)
        return
    for outcome in bad:
        codes = ", ".join(outcome.failed or outcome.missing)
        say(f"{outcome.verdict}  {printable(outcome.path)}{'  ' if codes else ''}{codes}")
    for matter in matters:
        _say_matter(matter)
    if counts["trial"]:
        say(
            _(
                "TRIAL: {count} of these stand on a chain for trying, which is no evidence",
                count=counts["trial"],
            )
        )
    say(
        _(
            "{total} bundles: {valid} valid, {invalid} invalid, {undetermined} undetermined, "
            "{unreadable} unreadable",
            total=total,
            **{name: counts[name] for name in names},
        )
    )


def _say_matter(matter: dict[str, Any]) -> None:
    where = matter["bundle"]
    name = printable(where) if where else _("its bundle is not here")
    say(_("supplements to deposit {id} ({name}):", id=matter["deposit"], name=name))
    for line in matter["supplements"]:
        told = (
            str(line["number"]),
            line["link"],
            line["verdict"],
            line["type"],
            line["title"],
            line["bundle"],
        )
        say("  " + "  ".join(map(printable, told)))
