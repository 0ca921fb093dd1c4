"""Keeping in an S3-compatible store: s3fs against moto's server."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from mizheng.cli.errors import ConfigurationFault, ReadWriteFault, UnavailableFault
from mizheng.cli.keeping.stores import s3
from mizheng.cli.keeping.stores.s3 import S3Store

from tests.cli.buckets import SECRET, Bucket
from tests.cli.keeping.homes import FILES, Kept, make, tree
from tests.cli.runner import Mizheng

PART = 5 << 20


@pytest.fixture
def kept(mizheng: Mizheng) -> Kept:
    return make(mizheng)


def test_the_way_there_and_back_with_no_folder_at_all(kept: Kept, bucket: Bucket) -> None:
    address = bucket.address("company/originals")
    done = kept.mizheng("keep", "drawings.seal", "--store", address, "--json").ok()
    assert SECRET not in done.out + done.err
    assert sorted(bucket.keys()) == sorted(
        f"company/originals/{original.ciphertext.sha256}.age" for original in kept.record().in_order()
    )
    for key in list(bucket.keys()):
        assert bucket.get(key).startswith(b"age-encryption.org/v1\n")
    # The spool, in which they waited, is gone.
    assert not list((kept.mizheng.home / "spool").iterdir())
    shutil.rmtree(kept.folder / "drawings")
    kept.mizheng("retrieve", "drawings.seal", "-o", "back").ok()
    assert tree(kept.folder / "back" / "drawings") == FILES


@pytest.mark.parametrize("harm", ["lost", "rotten", "swapped"])
def test_what_is_wrong_there_is_repaired_from_a_folder(kept: Kept, bucket: Bucket, harm: str) -> None:
    kept.keep(bucket.address("x"), "folder")
    first, second, _third = bucket.keys()
    good = bucket.get(first)
    if harm == "lost":
        bucket.delete(first)
    else:
        bucket.put(first, good[:-1] + bytes([good[-1] ^ 1]) if harm == "rotten" else bucket.get(second))
    found = kept.check()
    assert [(fault.finding, fault.is_repaired) for fault in found.faults] == [
        ("lost" if harm == "lost" else "rotten", True)
    ]
    assert bucket.get(first) == good


class Calls:
    """Counts what the store is asked, and breaks off at one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fail_at: int | None, error: BaseException) -> None:
        self.count: Counter[str] = Counter()
        honest = S3Store._call

        def call(store: S3Store, action: str, location: str, **more: Any) -> Any:
            self.count[action] += 1
            if action in ("upload_part", "put_object") and self.count[action] == fail_at:
                raise error
            return honest(store, action, location, **more)

        monkeypatch.setattr(S3Store, "_call", call)


@pytest.fixture
def large(mizheng: Mizheng, monkeypatch: pytest.MonkeyPatch) -> Kept:
    """Three parts, one on its way at a time."""
    monkeypatch.setattr(s3, "_PART", PART)
    monkeypatch.setattr(s3, "_IN_FLIGHT_BYTES", PART)
    return make(mizheng, {"large": os.urandom(2 * PART + 1000)})


@pytest.mark.parametrize("meddling", ["none", "a part was swapped"])
def test_half_an_upload_goes_on_with_the_parts_that_are_there(
    large: Kept, bucket: Bucket, meddling: str
) -> None:
    address = bucket.address("x")
    with pytest.MonkeyPatch.context() as patch:
        Calls(patch, 3, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            large.keep(address)
    assert bucket.keys() == []
    (upload,) = bucket.client.list_multipart_uploads(Bucket=bucket.name)["Uploads"]
    if meddling != "none":
        bucket.client.upload_part(
            Bucket=bucket.name, Key=upload["Key"], UploadId=upload["UploadId"], PartNumber=1, Body=b"x" * PART
        )
    # The file itself is not needed any more: its ciphertext waits in the spool.
    shutil.rmtree(large.folder / "drawings")
    with pytest.MonkeyPatch.context() as patch:
        calls = Calls(patch, None, KeyboardInterrupt())
        assert large.keep(address).failed == []
    assert calls.count["upload_part"] == (1 if meddling == "none" else 2)
    assert calls.count["create_multipart_upload"] == 0
    assert large.check().exit_code == 0
    assert "Uploads" not in bucket.client.list_multipart_uploads(Bucket=bucket.name)


def test_the_same_twice_is_there_once(large: Kept, bucket: Bucket) -> None:
    large.keep("folder")
    original = large.record().originals[2]
    data = Path(large.store("folder"), original.copies[large.store("folder")]).read_bytes()
    store = S3Store(bucket.address("x"))
    first = store.put(original.ciphertext, lambda start: iter([data[start:]]))
    assert store.put(original.ciphertext, lambda start: iter([data[start:]])) == first
    assert b"".join(store.read(first)) == data
    assert b"".join(store.read(first, len(data) - 3)) == data[-3:]
    assert len(bucket.keys()) == 1
    store.delete(first)
    store.delete(first)
    assert bucket.keys() == []


def test_a_source_that_gives_other_bytes_leaves_nothing(large: Kept, bucket: Bucket) -> None:
    large.keep("folder")
    original = large.record().originals[2]
    (path,) = large.ciphertexts("folder")
    path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(Exception, match="not what was encrypted"):
        large.keep(bucket.address("x"))
    assert bucket.keys() == []
    assert "Uploads" not in bucket.client.list_multipart_uploads(Bucket=bucket.name)
    assert original.ciphertext == large.record().originals[2].ciphertext


def test_a_store_that_is_full(kept: Kept, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"Error": {"Code": "QuotaExceeded"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    refused = OSError("quota")
    refused.__cause__ = ClientError(answer, "PutObject")  # type: ignore[arg-type]
    with monkeypatch.context() as patch:
        Calls(patch, 2, refused)
        with pytest.raises(ReadWriteFault, match="is full"):
            kept.keep(bucket.address("x"))
    assert kept.keep(bucket.address("x")).failed == []
    assert len(bucket.keys()) == 3


def test_a_store_that_is_gone(kept: Kept, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.keep(bucket.address("x"), "folder")
    with pytest.raises(UnavailableFault, match="cannot be reached"):
        kept.keep("s3://no-such-bucket/x")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    found = kept.check()
    assert found.exit_code == 2
    # The first look says that it is away; the rest are not kept waiting.
    assert {fault.finding for fault in found.faults} == {"unreachable"}
    assert len(kept.retrieve().files) == 3
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(ConfigurationFault):
        kept.keep(bucket.address("y"))
