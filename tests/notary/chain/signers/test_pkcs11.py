"""A key in a security module: SoftHSM 2, through the same interface as a key file."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account
from mizheng.notary.chain.interface import Fees
from mizheng.notary.chain.publisher import Publisher
from mizheng.notary.chain.signers.choose import open_signer
from mizheng.notary.chain.signers.interface import ORDER, SignerError
from mizheng.notary.chain.signers.pkcs11 import KeyPlace, Pkcs11Signer
from mizheng.notary.errors import ConfigurationError

from tests.notary.chain.support import anchor_all, is_final, make_node_place
from tests.support.anvil import Anvil
from tests.support.softhsm import PIN, TOKEN, make_key, make_token, module_path


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A token with two keys. The module reads where it is once in a process: one for all tests here."""
    module_path()
    environment = make_token(tmp_path_factory.mktemp("hsm"))
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = environment["SOFTHSM2_CONF"]
    make_key(environment, "publisher")
    make_key(environment, "another-curve", "prime256v1")
    yield
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


@pytest.fixture
def signer(token: None) -> Iterator[Pkcs11Signer]:
    found = Pkcs11Signer(place())
    yield found
    found.close()


def place(**changes: str) -> KeyPlace:
    values = {"module": module_path(), "token": TOKEN, "key": "publisher", "pin": PIN, **changes}
    return KeyPlace(**values)


def sign(publisher: Publisher, fees: Fees, nonce: int = 0) -> bytes:
    return publisher.sign(
        to=b"\x07" * 20, data=b"data", gas=50_000, nonce=nonce, chain_id=31337, fees=fees
    ).raw


def test_many_signatures_are_low_and_recover_to_the_account(signer: Pkcs11Signer) -> None:
    recoveries = set()
    for number in range(60):
        digest = hashlib.sha256(str(number).encode()).digest()
        r, s, recovery = signer.sign_digest(digest)
        assert 0 < r < ORDER
        assert 0 < s <= ORDER // 2
        assert bytes.fromhex(Account._recover_hash(digest, vrs=(27 + recovery, r, s))[2:]) == signer.address
        recoveries.add(recovery)
    # One in 2^59 runs meets only one of the two.
    assert recoveries == {0, 1}


@pytest.mark.parametrize(
    "fees", [Fees(3_000_000_000, 1_000_000_000), Fees(2_000_000_000, None), Fees(0, None)]
)
def test_transactions_come_from_the_account(signer: Pkcs11Signer, fees: Fees) -> None:
    publisher = Publisher(signer)
    for nonce in range(8):
        sender = Account.recover_transaction(sign(publisher, fees, nonce))
        assert bytes.fromhex(sender[2:]) == publisher.address


def test_anchoring_with_a_key_that_never_leaves_its_module(signer: Pkcs11Signer, tmp_path: Path) -> None:
    with Anvil() as node:
        node.rpc("anvil_setBalance", "0x" + signer.address.hex(), hex(10**18))
        found = make_node_place(tmp_path, node, publisher=Publisher(signer))
        anchor_all(found)
        assert is_final(found, 5)
        found.check(found.rows()[0].evidence_final)
        found.engine.dispose()


def test_a_session_that_was_lost_is_opened_again(signer: Pkcs11Signer) -> None:
    signer.sign_digest(b"\x01" * 32)
    signer._session.close()
    signer.sign_digest(b"\x02" * 32)


def test_a_module_that_is_gone_is_an_error_that_names_no_secret(
    signer: Pkcs11Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer._session.close()
    monkeypatch.setattr(signer, "_place", place(token="gone"))
    with pytest.raises(SignerError) as caught:
        signer.sign_digest(b"\x01" * 32)
    assert caught.value.code == "signer-unavailable"
    assert PIN not in f"{caught.value} {caught.value.hint} {caught.value!r}"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pin": "not-the-pin"}, "PinIncorrect"),
        ({"token": "no such"}, "NoSuchToken"),
        ({"key": "no such"}, "NoSuchKey"),
        ({"key": "another-curve"}, "not on the curve secp256k1"),
        ({"module": "/no/such/module.so"}, "PKCS11Error"),
    ],
)
def test_what_is_wrong_is_said_without_the_pin(token: None, changes: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Pkcs11Signer(place(**changes))
    text = f"{caught.value} {caught.value.hint} {caught.value!r} {place(**changes)!r}"
    assert said in str(caught.value)
    assert PIN not in text
    assert "not-the-pin" not in text


def test_the_pin_comes_from_a_private_file_or_is_given(token: None, tmp_path: Path) -> None:
    table = {"kind": "pkcs11", "module": module_path(), "token": TOKEN, "key": "publisher"}
    with pytest.raises(ConfigurationError, match="PIN is not given"):
        open_signer(table, tmp_path / "unused")
    given = open_signer(table, tmp_path / "unused", PIN)
    given.close()
    pin_file = tmp_path / "pin"
    pin_file.write_text(PIN + "\n")
    pin_file.chmod(0o644)
    with pytest.raises(ConfigurationError, match="others may read"):
        open_signer({**table, "pin_file": str(pin_file)}, tmp_path / "unused")
    pin_file.chmod(0o600)
    read = open_signer({**table, "pin_file": str(pin_file)}, tmp_path / "unused")
    assert read.address == given.address
    read.close()
    assert not (tmp_path / "unused").exists()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"kind": "file"}, "must be pkcs11"),
        ({"kind": "pkcs11"}, "module is missing"),
        ({"kind": "pkcs11", "pin": "x"}, "pin in"),
        ({"kind": "pkcs11", "module": 7}, "module in"),
    ],
)
def test_a_table_that_is_wrong(tmp_path: Path, table: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        open_signer(table, tmp_path / "unused", "pin")


def test_without_the_package_one_is_told_which(tmp_path: Path) -> None:
    """In a process of its own, in which the import fails."""
    code = (
        "import sys; sys.modules['pkcs11'] = None\n"
        "from mizheng.notary.chain.signers.choose import open_signer\n"
        "from mizheng.notary.errors import ConfigurationError\n"
        "from pathlib import Path\n"
        "table = dict(kind='pkcs11', module='m', token='t', key='k')\n"
        "try: open_signer(table, Path('unused'), 'pin')\n"
        "except ConfigurationError as error: print(error.hint)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "pip install 'mizheng[hsm]'"
