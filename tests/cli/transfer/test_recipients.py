"""Whose key something is encrypted to: compared by telephone, rotated, revoked."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mizheng.cli.errors import PermissionFault
from mizheng.cli.transfer import people
from mizheng.cli.transfer.documents import Card, parse_card
from mizheng.cli.transfer.fingerprint import compute_fingerprint, is_same_fingerprint
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.signature import PrivateKey
from pyrage import x25519

from tests.cli.transfer.sides import MATTER, PURPOSE, Sides

NOW = "2026-11-30T00:00:00Z"


def card(key: PrivateKey, age: str, replaces: str | None = None) -> Card:
    return Card(key.public, "法院", age, replaces, None, None, NOW)


def new_age() -> str:
    return str(x25519.Identity.generate().to_public())


def offer(home: Path, made: Card, name: str = "court") -> people.Recipient:
    return people.add(home, name, people.key_of_card(made, NOW), made.replaces, NOW)


def confirmed(home: Path, made: Card, name: str = "court") -> people.Recipient:
    offer(home, made, name)
    digits = compute_fingerprint(made.age, made.public_key.to_base64())
    return people.confirm(home, name, digits, NOW)


def refused_send(sides: Sides, to: str = "court") -> Any:
    return sides.sender("send", "pump.zip", "--to", to, "--matter", MATTER, "--purpose", PURPOSE)


def test_both_sides_see_the_same_digits(sides: Sides) -> None:
    (there,) = sides.sender("recipients", "list", "--json").ok().json["recipients"]
    here = sides.court("recipients", "me", "--force", "--json").ok().json
    assert there["keys"][0]["fingerprint"] == here["fingerprint"]
    assert re.fullmatch(r"(\d{5} ){7}\d{5}", here["fingerprint"])
    assert here["fingerprint"] in sides.sender("recipients", "list").ok().out
    assert (there["keys"][0]["state"], here["new"]) == ("confirmed", False)


def test_digits_may_be_typed_with_any_spaces() -> None:
    digits = compute_fingerprint("age1x", None)
    assert is_same_fingerprint(digits.replace(" ", "-"), digits)
    assert is_same_fingerprint(digits.replace(" ", ""), digits)
    assert not is_same_fingerprint(digits[:-1], digits)


def test_the_digits_cover_both_keys() -> None:
    assert len({compute_fingerprint(age, key) for age in ("age1a", "age1b") for key in (None, "A", "B")}) == 6


def test_a_key_that_nobody_compared_is_not_sent_to(sides: Sides) -> None:
    sides.sender("recipients", "add", "other", "--key", new_age()).ok()
    refused = refused_send(sides, "other")
    assert refused.code == 77
    assert "was never confirmed" in refused.err


def test_digits_of_another_key_confirm_nothing(sides: Sides) -> None:
    sides.sender("recipients", "add", "other", "--key", new_age()).ok()
    wrong = sides.sender("recipients", "confirm", "other", *compute_fingerprint(new_age(), None).split())
    assert wrong.code == 76
    assert refused_send(sides, "other").code == 77


def test_nobody_unknown_is_sent_to(sides: Sides) -> None:
    assert refused_send(sides, "somebody").code == 78


def test_a_revoked_key_is_refused_under_every_name(sides: Sides) -> None:
    sides.sender("recipients", "revoke", "court").ok()
    refused = refused_send(sides)
    assert refused.code == 77
    assert "was revoked" in refused.err
    again = sides.sender("recipients", "add", "another name", sides.court.cwd / "my.card.json")
    assert again.code == 77


def test_a_rotation_is_believed_because_the_old_key_vouches_for_it(sides: Sides) -> None:
    made = sides.court("recipients", "me", "--rotate", "-o", "new.card.json", "--json").ok().json
    told = sides.sender("recipients", "add", "court", sides.court.cwd / "new.card.json", "--json").ok().json
    assert [key["state"] for key in told["keys"]] == ["replaced", "confirmed"]
    assert told["keys"][1]["age"] == made["age"]
    sides.send()
    assert sides.receive().code == 0
    # The old card, stolen with its key, brings nothing back.
    assert sides.sender("recipients", "add", "court", sides.court.cwd / "my.card.json").code == 77


def test_what_was_sent_before_a_rotation_can_be_read_after_it(sides: Sides) -> None:
    sides.send()
    sides.court("recipients", "me", "--rotate", "-o", "new.card.json").ok()
    assert sides.receive().code == 0


def test_a_card_that_nobody_vouches_for_waits_and_the_old_key_stays(tmp_path: Path) -> None:
    old = card(PrivateKey.generate(), new_age())
    confirmed(tmp_path, old)
    found = offer(tmp_path, card(PrivateKey.generate(), new_age(), replaces=old.age))
    assert [key.state for key in found.keys] == ["confirmed", "unconfirmed"]
    assert found.usable_key().age == old.age


def test_the_same_key_without_naming_the_old_one_waits(tmp_path: Path) -> None:
    """Only a card that says which key it replaces follows it; one from another time does not."""
    key = PrivateKey.generate()
    confirmed(tmp_path, card(key, new_age()))
    found = offer(tmp_path, card(key, new_age(), replaces=new_age()))
    assert found.keys[-1].state == "unconfirmed"


def test_the_same_keys_with_a_mailbox_are_still_confirmed(tmp_path: Path) -> None:
    """He has become a company of the notary since, and needs no ticket."""
    made = card(PrivateKey.generate(), new_age())
    confirmed(tmp_path, made)
    offer(tmp_path, replace(made, company="CN-USCC:1", origin="log.example"))
    (key,) = people.require(tmp_path, "court").keys
    assert (key.state, key.company, key.origin) == ("confirmed", "CN-USCC:1", "log.example")


def test_a_confirmed_successor_ends_the_old_key(tmp_path: Path) -> None:
    old, new = card(PrivateKey.generate(), new_age()), card(PrivateKey.generate(), new_age())
    confirmed(tmp_path, old)
    found = confirmed(tmp_path, new)
    assert [key.state for key in found.keys] == ["replaced", "confirmed"]
    with pytest.raises(PermissionFault):
        offer(tmp_path, old)


def test_a_card_for_an_age_key_that_was_alone_is_confirmed_anew(tmp_path: Path) -> None:
    age, key = new_age(), PrivateKey.generate()
    people.add(
        tmp_path, "court", people.RecipientKey(age, None, None, None, "unconfirmed", NOW, NOW), None, NOW
    )
    people.confirm(tmp_path, "court", compute_fingerprint(age, None), NOW)
    assert offer(tmp_path, card(key, age)).keys[-1].state == "unconfirmed"


def test_a_card_that_was_changed_is_none() -> None:
    key = PrivateKey.generate()
    data = card(key, new_age()).sign(key)
    assert parse_card(data).name == "法院"
    with pytest.raises(MizhengError):
        parse_card(data.replace(b'"sig":"', b'"sig":"A', 1))


def test_there_is_nothing_to_receive_with_before_there_is_a_key(sides: Sides) -> None:
    sides.send(name="x.age")
    (sides.sender.cwd / "x.age").write_bytes((sides.court.cwd / "x.age").read_bytes())
    refused = sides.sender("receive", "x.age")
    assert refused.code == 78
    assert "mizheng recipients me" in refused.err


def test_a_key_that_is_known_by_two_names_is_revoked_under_both(tmp_path: Path) -> None:
    key = PrivateKey.generate()
    confirmed(tmp_path, card(key, new_age()))
    # The same keys, and the same signing key with another age key.
    confirmed(tmp_path, card(key, people.require(tmp_path, "court").keys[0].age), "法院")
    confirmed(tmp_path, card(key, new_age()), "二庭")
    confirmed(tmp_path, card(PrivateKey.generate(), new_age()), "鉴定所")
    people.revoke(tmp_path, "court", NOW)
    for name in ("court", "法院", "二庭"):
        with pytest.raises(PermissionFault, match="was revoked"):
            people.require(tmp_path, name).usable_key()
    assert people.find_signer(tmp_path, key.public) is None
    assert people.require(tmp_path, "鉴定所").usable_key()


def test_after_a_theft_both_keys_are_made_anew(sides: Sides) -> None:
    before = sides.court("recipients", "me", "--force", "--json").ok().json
    after = sides.court("recipients", "me", "--lost", "-o", "new.card.json", "--json").ok().json
    assert {before[name] for name in ("age", "keyid")}.isdisjoint({after["age"], after["keyid"]})
    # Nobody speaks for it but its owner, on the telephone.
    told = sides.sender("recipients", "add", "court", sides.court.cwd / "new.card.json", "--json").ok().json
    assert [key["state"] for key in told["keys"]] == ["confirmed", "unconfirmed"]
    # A company's signing key is known to its notary, and replaced there.
    assert sides.sender("recipients", "me", "--lost").code == 64
