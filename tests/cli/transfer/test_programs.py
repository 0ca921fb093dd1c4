"""Transfer and custody from Python: what `mizheng.cli.api` gives, and the programs of docs/python.md."""

from __future__ import annotations

from pathlib import Path

import pytest
from mizheng.cli import api
from mizheng.verifier.trust import parse_trust

from tests.cli.transfer.sides import MATTER, PURPOSE, Sides
from tests.docs.programs import run

PLACE = "立案庭"


def test_the_programs_of_the_page(sides: Sides) -> None:
    """Left with the mailbox, fetched, signed for, taken back: three runs of two programs."""
    company, court = sides.sender, sides.court
    plm, receiver = "A PLM that sends, and takes the answers", "A court's system that receives"

    def at_home(*arguments: str) -> str:
        done = run(plm, *arguments, home=company.cwd, cwd=company.cwd, settings=company.home)
        assert done.returncode == 0 and done.stderr == "", done.stderr
        return done.stdout

    identifier = at_home("pump.zip", "drawings.seal", "court", MATTER, PLACE).split()[0]
    ticket = company.cwd / "pump.zip.ticket"
    got = run(receiver, ticket, "taken", sides.trust, home=court.cwd, cwd=court.cwd, settings=court.home)
    assert got.returncode == 0, got.stderr
    assert f"matter: {MATTER}\nverdict: valid (trial, no evidence)\n" in got.stdout
    assert "signed for: taken/acceptance.dsse.json" in got.stdout
    told = at_home()
    assert f"{identifier} accepted by court" in told
    assert "custody events on record: 1" in told
    # A recipient whom nobody confirmed: a message and a hint, and no traceback.
    ticket.unlink()
    refused = run(
        *(plm, "pump.zip", "drawings.seal", "nobody", MATTER, PLACE),
        home=company.cwd,
        cwd=company.cwd,
        settings=company.home,
    )
    assert refused.returncode == 1
    assert refused.stderr.startswith("mizheng: ") and "mizheng recipients add nobody CARD" in refused.stderr


def test_by_file_from_python(
    sides: Sides, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing is printed; the file goes, the acceptance comes back, and what happened is in the chain."""

    def at(side: str) -> None:
        here = getattr(sides, side)
        monkeypatch.setenv("MIZHENG_HOME", str(here.home))
        monkeypatch.chdir(here.cwd)

    at("sender")
    path = sides.court.cwd / "court.age"
    assert api.add_custody("drawings.seal", "storage", where="档案室", why="保管") == 1
    sent = api.send(
        ["pump.zip", "图纸.dwg"],
        path,
        recipient="court",
        matter=MATTER,
        purpose=PURPOSE,
        handover="drawings.seal",
        where=PLACE,
    )
    assert (sent.direction, sent.state, sent.path) == ("sent", "sent", path)
    with pytest.raises(api.MizhengError, match="has a taker"):
        api.add_custody("drawings.seal", "handover", where=PLACE, why=MATTER)
    at("court")
    trust = parse_trust(sides.trust.read_bytes())
    got = api.receive(path, "taken", trust)
    assert (got.transfer.id, got.transfer.state, str(got.report.verdict)) == (sent.id, "accepted", "valid")
    assert got.acceptance == Path("taken/acceptance.dsse.json") and got.unanswered is None
    acceptance = got.acceptance.absolute()
    at("sender")
    accepted = api.import_answer(acceptance)
    assert accepted is not None
    assert (accepted.state, accepted.verdict, accepted.is_trial, accepted.handed_over) == (
        *("accepted", "valid"),
        *(True, True),
    )
    assert [(line.what, line.leaf_index is not None) for line in api.custody("drawings.seal")] == [
        ("storage", True),
        ("copy-handover", True),
    ]
    assert api.record_custody("drawings.seal") == 2
    assert api.withdraw(sent.id, "back.json").state == "withdrawn"
    (listed,) = api.transfers()
    assert (listed.state, listed.accepted_at) == ("withdrawn", accepted.accepted_at)
    at("court")
    assert api.import_answer(sides.sender.cwd / "back.json") is None
    with pytest.raises(api.MizhengError, match="has withdrawn"):
        api.receive(path, "again", trust)
    assert capfd.readouterr() == ("", "")
