"""Publication to an S3-compatible store: the same files, in the same order, never backwards."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import boto3
import pytest
from mizheng.notary.errors import ConfigurationError
from mizheng.notary.instance import Instance, open_instance
from mizheng.notary.keys.rotation import Occasion, rotate_log
from mizheng.notary.publishing.background import parse_publish
from mizheng.notary.publishing.s3 import S3Target
from mizheng.notary.publishing.step import FilePublisher, PublicationError
from mizheng.verifier.logkeys import parse_log_keys
from moto.server import ThreadedMotoServer

from tests.notary.readside.logs import grow, make_log, tile_files

REGION = "us-east-1"


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """The address of a store of this module's own."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


_NUMBERS = count()


class Bucket:
    """A public bucket, read as its readers do."""

    def __init__(self, endpoint: str) -> None:
        self.name = f"log-{next(_NUMBERS)}"
        self.endpoint = endpoint
        self.client = boto3.client("s3", endpoint_url=endpoint, region_name=REGION)
        self.client.create_bucket(Bucket=self.name, ACL="public-read")

    def target(self, prefix: str = "") -> S3Target:
        return S3Target(self.name, prefix, self.endpoint, REGION)

    def files(self) -> dict[str, bytes]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return {key: self.read(key) for key in keys}

    def read(self, key: str) -> bytes:
        data: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return data


@pytest.fixture
def bucket(store: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return Bucket(store)


def test_the_files_of_the_log(tmp_path: Path, bucket: Bucket) -> None:
    engine = make_log(tmp_path)
    publisher = FilePublisher(engine, bucket.target("2026/log"))
    for size in (0, 1, 255, 256, 600):
        note = grow(engine, size)
        publisher.publish()
        files = bucket.files()
        assert files.pop("2026/log/checkpoint") == note
        now = {f"2026/log/{path}": data for path, data in tile_files(size).items()}
        assert {path: files[path] for path in now} == now
        # What else there is are partial tiles of earlier heads that are not full yet.
        assert all(".p/" in path and path.partition(".p/")[0] not in now for path in set(files) - set(now))


def test_what_a_browser_is_told(tmp_path: Path, bucket: Bucket) -> None:
    FilePublisher(make_log(tmp_path, 3), bucket.target()).publish()
    head = bucket.client.head_object(Bucket=bucket.name, Key="checkpoint")
    assert (head["ContentType"], head["CacheControl"]) == ("text/plain; charset=utf-8", "public, max-age=1")
    head = bucket.client.head_object(Bucket=bucket.name, Key="tile/0/000.p/3")
    assert head["ContentType"] == "application/octet-stream"
    assert head["CacheControl"] == "public, max-age=31536000, immutable"


def test_another_publisher_goes_on(tmp_path: Path, bucket: Bucket) -> None:
    engine = make_log(tmp_path, 300)
    FilePublisher(engine, bucket.target()).publish()
    grow(engine, 310)
    FilePublisher(engine, bucket.target()).publish()
    files = bucket.files()
    assert {path: files[path] for path in tile_files(310)} == tile_files(310)


def test_a_changed_key(instance: Instance, bucket: Bucket) -> None:
    """Its history stands there before the first head that needs it, and is no file for good."""
    opened = instance
    for number in range(3):
        publisher = FilePublisher(opened.engine, bucket.target(), opened.guard, asks_who_signed=True)
        publisher.publish()
        assert publisher.state in ("waiting", "ok")
        history = bucket.files().get("v1/log-keys")
        assert (history is None) == (number == 0)
        if history is not None:
            assert parse_log_keys(history).present.vkey == opened.signer.vkey
            head = bucket.client.head_object(Bucket=bucket.name, Key="v1/log-keys")
            assert head["ContentType"] == "application/json"
        rotate_log(opened.settings, Occasion())
        opened = open_instance(opened.settings)
    FilePublisher(opened.engine, bucket.target(), opened.guard, asks_who_signed=True).publish()
    assert len(parse_log_keys(bucket.read("v1/log-keys")).changes) == 3


def test_a_slower_process_does_not_go_back(tmp_path: Path, bucket: Bucket) -> None:
    engine = make_log(tmp_path, 10)
    slow, target = bucket.target(), bucket.target()
    FilePublisher(engine, target).publish()
    # Has read the checkpoint of size 10 and is about to write its own …
    assert slow.read_checkpoint() == bucket.read("checkpoint")
    small = grow(engine, 20)
    large = grow(engine, 30)
    FilePublisher(engine, target).publish()
    # … when another one has published size 30.
    with pytest.raises(PublicationError) as caught:
        slow.write_checkpoint(small)
    assert caught.value.code == "target-busy"
    assert bucket.read("checkpoint") == large
    first = bucket.target("empty")
    assert first.read_checkpoint() is None
    bucket.client.put_object(Bucket=bucket.name, Key="empty/checkpoint", Body=large)
    with pytest.raises(PublicationError):
        first.write_checkpoint(small)


def test_two_processes_take_turns(tmp_path: Path, bucket: Bucket) -> None:
    engine = make_log(tmp_path, 10)
    publishers = [FilePublisher(engine, bucket.target()) for _ in range(2)]
    for size in range(20, 100, 20):
        note = grow(engine, size)
        threads = [threading.Thread(target=publisher.step) for publisher in publishers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [publisher.state for publisher in publishers] == ["ok", "ok"]
        assert bucket.read("checkpoint") == note


def test_a_smaller_log_is_refused(tmp_path: Path, bucket: Bucket) -> None:
    FilePublisher(make_log(tmp_path / "new", 300), bucket.target()).publish()
    restored = FilePublisher(make_log(tmp_path / "old", 200), bucket.target())
    restored.step()
    assert restored.state == "target-ahead"


def test_a_file_with_other_bytes_is_refused(tmp_path: Path, bucket: Bucket) -> None:
    engine = make_log(tmp_path, 300)
    bucket.client.put_object(Bucket=bucket.name, Key="tile/entries/000", Body=b"something else")
    publisher = FilePublisher(engine, bucket.target())
    publisher.step()
    assert publisher.state == "target-differs"
    assert bucket.read("tile/entries/000") == b"something else"
    assert "checkpoint" not in bucket.files()
    bucket.client.delete_object(Bucket=bucket.name, Key="tile/entries/000")
    publisher.step()
    assert publisher.state == "ok"


def test_a_store_that_is_away(tmp_path: Path, bucket: Bucket) -> None:
    engine = make_log(tmp_path, 3)
    publisher = FilePublisher(engine, S3Target("no-such-bucket", "", bucket.endpoint, REGION))
    publisher.step()
    assert publisher.state == "target-unreachable"
    # What cannot be compared just now stops nobody.
    publisher.check()


def test_settings(bucket: Bucket) -> None:
    asked = {"bucket": bucket.name, "prefix": "a/b", "endpoint": bucket.endpoint, "region": REGION}
    setup = parse_publish({"s3": asked, "directory": "/srv/log", "interval": 5})
    assert [target.name for target in setup.targets] == ["/srv/log", f"s3://{bucket.name}/a/b"]
    assert setup.interval == 5.0


@pytest.mark.parametrize(
    "table",
    [
        {"interval": 1},
        {"folder": "/srv/log"},
        {"directory": "log"},
        {"directory": 3},
        {"directory": "/srv/log", "interval": 0},
        {"directory": "/srv/log", "interval": True},
        {"directory": "/srv/log", "interval": "1"},
        {"s3": "bucket"},
        {"s3": {}},
        {"s3": {"bucket": "log", "secret": "x"}},
        {"s3": {"bucket": 1}},
    ],
)
def test_settings_that_are_refused(table: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        parse_publish(table)


def test_nothing_to_publish_to() -> None:
    assert parse_publish({}).targets == ()
