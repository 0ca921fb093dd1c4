"""A bundle goes from a company to a court as one file, and an acceptance comes back."""

from __future__ import annotations

import hashlib
import shutil
import stat
import subprocess
import zipfile
from pathlib import Path

from mizheng.cli.transfer.documents import parse_acceptance, parse_transfer

from tests.cli.runner import Mizheng
from tests.cli.transfer.sides import COURT, MATTER, PURPOSE, Sides, add_confirmed


def test_the_whole_way(sides: Sides) -> None:
    sent = sides.send()
    assert (sent["state"], sent["matter"], sent["purpose"]) == ("sent", MATTER, PURPOSE)
    assert sent["sha256"] == hashlib.sha256((sides.court.cwd / "court.age").read_bytes()).hexdigest()
    received = sides.receive().ok().json
    assert (received["id"], received["verdict"], received["state"]) == (sent["id"], "valid", "accepted")
    folder = sides.court.cwd / f"transfer-{sent['id'][:8]}"
    assert (folder / "图纸.dwg").read_bytes() == (sides.sender.cwd / "图纸.dwg").read_bytes()
    assert (folder / "pump.zip").read_bytes() == (sides.sender.cwd / "pump.zip").read_bytes()
    acceptance = folder / "acceptance.dsse.json"
    assert sorted(path.name for path in folder.iterdir()) == [
        "acceptance.dsse.json",
        "pump.zip",
        "transfer.dsse.json",
        "图纸.dwg",
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(sides.court.home.stat().st_mode) == 0o700
    assert not list(sides.court.cwd.glob(".*"))
    imported = sides.sender("transfers", "import", acceptance, "--json").ok().json
    assert (imported["state"], imported["verdict"]) == ("accepted", "valid")
    (listed,) = sides.sender("transfers", "--json").ok().json["transfers"]
    assert listed == imported
    assert "accepted at" in sides.sender("transfers").ok().out


def test_what_was_made_on_a_trial_chain_is_said_to_be(sides: Sides) -> None:
    sides.send()
    shown = sides.court("receive", "court.age", "--trust", sides.trust, "-o", "taken").ok().out
    assert "verdict: TRIAL, no evidential value: VALID" in shown
    # In what is signed as well, and where the sender reads it.
    acceptance = sides.court.cwd / "taken" / "acceptance.dsse.json"
    found = parse_acceptance(acceptance.read_bytes())
    assert (found.verdict, found.is_trial) == ("valid", True)
    assert "verdict there: TRIAL" in sides.sender("transfers", "import", acceptance).ok().out
    listed = sides.sender("transfers", "--json").ok().json["transfers"][0]
    assert (listed["state"], listed["is_trial"]) == ("accepted", True)


def test_without_a_trust_file_the_depositors_name_is_the_bundles_word(sides: Sides) -> None:
    sides.send()
    first = sides.court("receive", "court.age", "-o", "first").ok()
    assert "as the bundle calls its depositor: nobody who is trusted says so" in first.out
    # Looked at again with one, the acceptance of then is still the acceptance.
    second = sides.court("receive", "court.age", "--trust", sides.trust, "-o", "second").ok()
    assert "by the same key" in second.out
    assert "the acceptance was signed at" in second.err and "UNDETERMINED" in second.err


def test_a_court_with_stock_age_and_unzip_reads_it(sides: Sides) -> None:
    age = shutil.which("age")
    assert age, "Debian's age is missing: apt-get install age"
    sides.send()
    identity = sides.court.home / "keys" / "receive-0001.txt"
    plain = sides.court.cwd / "plain.zip"
    subprocess.run([age, "-d", "-i", identity, "-o", plain, sides.court.cwd / "court.age"], check=True)
    with zipfile.ZipFile(plain) as archive:
        assert archive.testzip() is None
        archive.extractall(sides.court.cwd / "unpacked")
    unpacked = sides.court.cwd / "unpacked"
    assert (unpacked / "files" / "0001").read_bytes() == (sides.sender.cwd / "图纸.dwg").read_bytes()
    text = (unpacked / "README.txt").read_text()
    assert "图纸.dwg" in text
    # The commands of the README, as they stand there.
    sums = "\n".join(line.strip() for line in text.splitlines() if "sha256sum" in line)
    done = subprocess.run(["bash", "-ec", sums], cwd=unpacked, capture_output=True, text=True, check=True)
    assert done.stdout == "bundle.zip: OK\nfiles/0001: OK\n"
    assert sides.court("verify", unpacked / "bundle.zip", "--trust", sides.trust).code == 0


def test_what_stock_age_made_of_the_same_plaintext_is_received_too(sides: Sides) -> None:
    """Nothing depends on who encrypted: what counts is signed inside."""
    sides.send()
    cwd = sides.court.cwd
    identity = sides.court.home / "keys" / "receive-0001.txt"
    recipient = (sides.court.home / "keys" / "receive-0001.pub").read_text().strip()
    subprocess.run(["age", "-d", "-i", identity, "-o", cwd / "plain", cwd / "court.age"], check=True)
    subprocess.run(["age", "-r", recipient, "-o", cwd / "again.age", cwd / "plain"], check=True)
    assert sides.receive("again.age").code == 0


def test_a_transfer_names_nobody_outside_the_ciphertext(sides: Sides) -> None:
    sides.send()
    data = (sides.court.cwd / "court.age").read_bytes()
    for text in (COURT, "court", MATTER, PURPOSE, "图纸", "pump"):
        assert text.encode() not in data


def test_received_twice_it_is_one_acceptance(sides: Sides) -> None:
    sides.send()
    sides.receive("court.age", "-o", "first").ok()
    sides.receive("court.age", "-o", "second").ok()
    first, second = (sides.court.cwd / name / "acceptance.dsse.json" for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()


def test_a_recipient_signs_with_the_key_of_the_card_that_was_sent_to(
    sides: Sides, own_company: Mizheng
) -> None:
    """He has another signing key since; the sender knows that of the card."""
    made = own_company("recipients", "me", "--store", "file", "--json").ok().json
    add_confirmed(sides.sender, "partner", own_company.cwd / "my.card.json", made["fingerprint"])
    target = own_company.cwd / "court.age"
    sides.sender(*sides.sending(str(target), "partner")).ok()
    own_company("key", "rotate").ok()
    own_company("receive", target, "-o", "taken").ok()
    acceptance = own_company.cwd / "taken" / "acceptance.dsse.json"
    assert sides.sender("transfers", "import", acceptance, "--json").ok().json["state"] == "accepted"


def test_nothing_is_signed_until_it_is_asked_for(sides: Sides) -> None:
    sent = sides.send()
    assert sides.receive("court.age", "-o", "look", "--no-accept").ok().json["state"] == "received"
    assert not (sides.court.cwd / "look" / "acceptance.dsse.json").exists()
    sides.receive("court.age", "-o", "taken").ok()
    acceptance = parse_acceptance((sides.court.cwd / "taken" / "acceptance.dsse.json").read_bytes())
    assert acceptance.transfer_sha256 == sent["id"]


def test_sent_again_it_names_the_one_before(sides: Sides) -> None:
    first = sides.send()
    target = str(sides.court.cwd / "again.age")
    second = sides.sender("send", "--again", first["id"][:8], "-o", target, "--json").ok().json
    assert (second["replaces"], second["matter"]) == (first["id"], MATTER)
    assert sides.receive("again.age").ok().json["replaces"] == first["id"]


def test_sent_again_after_a_file_changed_is_refused(sides: Sides) -> None:
    first = sides.send()
    (sides.sender.cwd / "图纸.dwg").write_bytes(b"another drawing")
    refused = sides.sender("send", "--again", first["id"][:8])
    assert refused.code == 65
    assert "is not what was sent then" in refused.err


def test_an_appraiser_passes_on_what_a_court_knows_him_for(sides: Sides, tmp_path: Path) -> None:
    """No notary knows him; his key signed the transfer, and the court confirmed it."""
    folder = tmp_path / "appraiser"
    folder.mkdir()
    appraiser = Mizheng(tmp_path / "appraiser-home", folder)
    made = appraiser("recipients", "me", "--name", "鉴定所", "--store", "file", "--json").ok().json
    for name in ("pump.zip", "图纸.dwg"):
        shutil.copy(sides.sender.cwd / name, folder)
    theirs = sides.court("recipients", "me", "--force", "--json").ok().json
    add_confirmed(appraiser, "court", sides.court.cwd / "my.card.json", theirs["fingerprint"])
    passed = Sides(appraiser, sides.court, sides.trust)
    passed.send()
    refused = passed.receive()
    assert refused.code == 77
    assert "nothing here says whose key signed this transfer" in refused.err
    add_confirmed(sides.court, "appraiser", folder / "my.card.json", made["fingerprint"])
    assert passed.receive().ok().json["identified_as"] == "appraiser: known here by a confirmed key"


def test_a_sender_whom_a_notary_enrolled_needs_a_trust_file_only(sides: Sides, own_company: Mizheng) -> None:
    """Another company than the bundle's, which the court does not know by a card."""
    for name in ("pump.zip", "图纸.dwg"):
        shutil.copy(sides.sender.cwd / name, own_company.cwd)
    theirs = sides.court("recipients", "me", "--force", "--json").ok().json
    add_confirmed(own_company, "court", sides.court.cwd / "my.card.json", theirs["fingerprint"])
    Sides(own_company, sides.court, sides.trust).send()
    assert sides.court("receive", "court.age").code == 77
    found = sides.receive().ok().json["identified_as"]
    assert found.endswith(": enrolled by an issuer of the trust file")


def test_the_document_says_who_and_until_when(sides: Sides) -> None:
    sides.send("--days", "3")
    sides.receive("court.age", "-o", "taken").ok()
    found = parse_transfer((sides.court.cwd / "taken" / "transfer.dsse.json").read_bytes())
    assert (found.recipient, found.matter, found.purpose) == ("court", MATTER, PURPOSE)
    assert [item.name for item in found.files] == ["pump.zip", "图纸.dwg"]
