"""What a reader is told of the environment record: each check, its word, what was seen, and how."""

from __future__ import annotations

import io
import secrets

from mizheng.verifier.manifest import Manifest
from mizheng.verifier.merkle import leaf_hash
from mizheng.verifier.record import build_record
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.verify import verify_bundle

from tests.verifier.test_closed_records import bundle_of

SEEN = [
    {"check": "os.name", "state": "observed", "value": "Linux", "how": "uname"},
    {"check": "clock.offset", "state": "not_observed", "value": "+9.000 s", "how": "SNTP"},
    {"check": "disk.encryption", "state": "not_observed", "value": None, "how": "/sys"},
    {"check": "malware.scan", "state": "not_checked", "value": None, "how": "no scanner was asked"},
]


def test_each_check_is_told_with_its_word_and_how() -> None:
    manifest_key, key = secrets.token_bytes(32), PrivateKey.generate()
    record = build_record(manifest_key, "environment", b"", {"observations": SEEN})
    bundle = bundle_of(Manifest([leaf_hash(record)], manifest_key), key, [record])
    report = verify_bundle(io.BytesIO(bundle), None)
    (check,) = (check for check in report.checks if check.code == "record.content")
    assert check.message == "the sealing machine, by the depositor's own account: {words}"
    assert check.values["words"] == (
        "os.name: PASS Linux (uname); clock.offset: FAIL +9.000 s (SNTP); disk.encryption: FAIL (/sys); "
        "malware.scan: NOT_CHECKED (no scanner was asked)"
    )
