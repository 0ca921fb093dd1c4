"""Sealing what lies in an S3-compatible store: a real client against moto's server."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from mizheng.cli.errors import ConfigurationFault, DataFault, InputFault, UnavailableFault, UsageFault
from mizheng.cli.jobs import sealing_task
from mizheng.cli.sealing.elsewhere import Wanted
from mizheng.cli.sealing.hashing import CHANGED
from mizheng.cli.sealing.objects import Store
from mizheng.cli.sealing.run import seal_paths

from tests.cli.buckets import SECRET, Bucket
from tests.cli.runner import Mizheng
from tests.cli.seals import record_lines

TREE = {
    "drawings/pump.dwg": b"the pump",
    "drawings/图纸 1+2%20.dwg": "泵体".encode(),
    "drawings/empty": b"",
    "drawings/old/valve.dwg": b"the valve",
    "drawings/old/deep/er/x": b"x" * 5000,
    "drawings/z": b"z",
}


@pytest.fixture
def filled(bucket: Bucket) -> Bucket:
    for key, data in TREE.items():
        bucket.put(f"2026/{key}", data)
    bucket.put("2026/drawings/", b"")
    return bucket


def records(mizheng: Mizheng, name: str) -> dict[str, dict[str, Any]]:
    """File records by path, without what is new in every seal and without the disk's or the store's dates."""
    found = {}
    for line in record_lines(mizheng, name):
        fields = json.loads(line)
        if "path" in fields:
            found[fields["path"]] = {
                key: value for key, value in fields.items() if key not in ("salt", "modified_at")
            }
    return found


def test_the_records_are_those_of_the_same_files_on_a_disk(mizheng: Mizheng, filled: Bucket) -> None:
    for key, data in TREE.items():
        path = mizheng.cwd / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    mizheng("seal", "drawings", "-o", "disk.seal").ok()
    made = mizheng("seal", filled.address("2026/drawings"), "-o", "store.seal", "--json").ok()
    assert made.json["files"] == len(TREE)
    assert records(mizheng, "store.seal") == records(mizheng, "disk.seal")
    # In the same order, so that either can follow the other.
    assert list(records(mizheng, "store.seal")) == list(records(mizheng, "disk.seal"))
    lines = [json.loads(line) for line in record_lines(mizheng, "store.seal")]
    (environment,) = (line for line in lines if line["kind"] == "environment")
    states = {item["check"]: item["state"] for item in environment["observations"]}
    assert {states[f"disk.{point}"] for point in ("free", "filesystem", "encryption")} == {"not_checked"}


def test_one_object_and_a_whole_bucket(mizheng: Mizheng, filled: Bucket) -> None:
    filled.put("2026", b"an object that is called like the folder")
    mizheng("seal", filled.address("2026/drawings/z"), "-o", "one.seal").ok()
    assert list(records(mizheng, "one.seal")) == ["z"]
    mizheng("seal", filled.address(), "-o", "all.seal").ok()
    assert set(records(mizheng, "all.seal")) == {
        f"{filled.name}/2026",
        *(f"{filled.name}/2026/{key}" for key in TREE),
    }


def test_only_what_changed_is_read_again(mizheng: Mizheng, filled: Bucket) -> None:
    mizheng("seal", filled.address("2026/drawings"), "-o", "old.seal").ok()
    filled.put("2026/drawings/z", b"Z")
    filled.delete("2026/drawings/empty")
    filled.put("2026/drawings/new", b"new")
    again = mizheng(
        "seal", filled.address("2026/drawings"), "--since", "old.seal", "-o", "new.seal", "--json"
    )
    assert (again.ok().json["reused"], again.json["files"]) == (4, 6)
    assert records(mizheng, "new.seal")["drawings/z"]["sha256"] == hashlib.sha256(b"Z").hexdigest()


def test_a_list_of_what_to_leave_out_holds(mizheng: Mizheng, filled: Bucket) -> None:
    filled.put("2026/drawings/.mizhengignore", b"old/\n*.dwg\n")
    made = mizheng("seal", filled.address("2026/drawings"), "--json").ok()
    assert made.json["ignored"] == 3
    assert set(records(mizheng, "drawings.seal")) == {
        f"drawings/{name}" for name in (".mizhengignore", "empty", "z")
    }
    everything = mizheng("seal", filled.address("2026/drawings"), "--no-ignore", "-o", "all.seal", "--json")
    assert everything.ok().json["files"] == len(TREE) + 1


class Meddling(Store):
    """Somebody else writes to the object while it is read, so many times."""

    def __init__(self, bucket: Bucket, changes: list[bytes]) -> None:
        super().__init__()
        self._bucket, self._changes = bucket, changes

    def _digest(self, key: str, stamp: Any) -> Any:
        found = super()._digest(key, stamp)
        if self._changes:
            self._bucket.put(key.partition("/")[2], self._changes.pop(0))
        return found


def read_meddled(bucket: Bucket, *changes: bytes) -> Any:
    with Meddling(bucket, list(changes)) as store:
        (listing,) = store.walk([bucket.address("thing").encode()], None)
        wanted = Wanted(listing.base + b"thing", listing.stamps[0])
        (answer,) = store.ask([wanted])()
    return answer


@pytest.mark.parametrize("change", [b"other", b"other than before"], ids=["same size", "other size"])
def test_an_object_that_changes_once_is_read_again(bucket: Bucket, change: bytes) -> None:
    bucket.put("thing", b"thing")
    assert read_meddled(bucket, change).sha256 == hashlib.sha256(change).hexdigest()


def test_an_object_that_keeps_changing_is_unreadable(bucket: Bucket) -> None:
    bucket.put("thing", b"thing")
    assert read_meddled(bucket, b"1", b"2") == CHANGED


def test_an_object_that_goes_while_it_is_read_is_recorded_as_gone(bucket: Bucket) -> None:
    bucket.put("thing", b"thing")
    with Store() as store:
        (listing,) = store.walk([bucket.address("thing").encode()], None)
        bucket.delete("thing")
        (answer,) = store.ask([Wanted(listing.base + b"thing", listing.stamps[0])])()
    assert answer == "vanished before it was read"


def test_a_large_object_comes_in_pieces(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked for is looked at, not memory: moto's server lives in this process and holds it all."""
    data = bytes(range(256)) * (9 << 12)
    bucket.put("thing", data)
    pieces: list[int] = []
    with Store() as store:
        (listing,) = store.walk([bucket.address("thing").encode()], None)
        honest = store._files.cat_file

        def counted(key: str, **place: int) -> bytes:
            piece: bytes = honest(key, **place)
            pieces.append(len(piece))
            return piece

        monkeypatch.setattr(store._files, "cat_file", counted)
        (answer,) = store.ask([Wanted(listing.base + b"thing", listing.stamps[0])])()
    assert answer.sha256 == hashlib.sha256(data).hexdigest()
    assert answer.sm3 == hashlib.new("sm3", data).hexdigest()
    assert sum(pieces) == len(data)
    assert max(pieces) <= 4 << 20


def test_keys_that_no_record_can_hold_are_refused(bucket: Bucket) -> None:
    bucket.put("root/a//b", b"x")
    with Store() as store, pytest.raises(DataFault, match="empty part"):
        list(store.walk([bucket.address("root").encode()], None))


def test_what_is_not_there_says_so_and_shows_no_credentials(mizheng: Mizheng, filled: Bucket) -> None:
    missing = mizheng("seal", filled.address("nothing here"))
    assert missing.code == 66
    assert "Traceback" not in missing.err
    assert SECRET not in missing.err + missing.out
    assert not list(mizheng.cwd.glob("*.seal"))


def walk_all(address: str) -> None:
    with Store() as store:
        list(store.walk([address.encode()], None))


def test_a_bucket_that_is_not_there(bucket: Bucket) -> None:
    with pytest.raises(InputFault):
        walk_all("s3://no-such-bucket/x")


def test_without_credentials_the_hint_names_the_variables(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(ConfigurationFault) as caught:
        walk_all(bucket.address())
    assert "AWS_PROFILE" in caught.value.hint


def test_a_store_that_does_not_answer(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(UnavailableFault) as caught:
        walk_all(bucket.address())
    assert "AWS_ENDPOINT_URL" in caught.value.hint
    assert SECRET not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    ("paths", "scheduler"),
    [
        ((b"s3://",), None),
        ((b"s3://bucket/\xff",), None),
        ((b"file", b"s3://bucket"), None),
        ((b"s3://a/same", b"s3://b/same"), None),
        ((b"s3://bucket",), "tcp://127.0.0.1:9"),
    ],
    ids=["no bucket", "no UTF-8", "mixed", "one name twice", "cluster"],
)
def test_what_cannot_be_asked_for(
    mizheng: Mizheng, paths: tuple[bytes, ...], scheduler: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIZHENG_HOME", str(mizheng.home))
    with (
        pytest.raises(UsageFault),
        sealing_task(paths, mizheng.cwd / "x.seal", scheduler=scheduler) as task,
    ):
        seal_paths(task)
    assert not list(mizheng.cwd.iterdir())
