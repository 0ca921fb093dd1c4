"""A folder of an S3-compatible store (Amazon S3, Ceph, MinIO, OSS) through s3fs, extra `objects`.

A ciphertext is the object FOLDER/SHA256.age. A large one goes up in parts; an upload that broke off is found
again in the store itself, and the parts that it has are not sent anew: each is compared by its MD5, which is
what the store tells of a part. Where the store tells something else (some encrypt on their side), the part is
sent again, which is harmless.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from mizheng.cli.buckets import open_buckets, translated
from mizheng.cli.keeping.stores.interface import PIECE, Ciphertext, Reading, full, gone, missing, other_bytes
from mizheng.cli.terminal.language import N_
from mizheng.verifier.errors import FormatError, MizhengError

# S3 takes at most 10,000 parts, of 5 MiB or more but for the last.
_PART = 16 << 20
_MAX_PARTS = 10_000
# Of parts that are on their way at once.
_IN_FLIGHT_BYTES = 64 << 20
_FULL = frozenset(
    {"QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded"}
)


class S3Store:
    """One folder of one bucket."""

    def __init__(self, address: str) -> None:
        """`address`: s3://BUCKET/FOLDER, without a slash at its end."""
        self.address = address
        self._bucket, _, folder = address.removeprefix("s3://").partition("/")
        self._prefix = f"{folder}/" if folder else ""
        self._files: Any = open_buckets()

    def put(self, what: Ciphertext, read: Reading) -> str:
        location = f"{what.sha256}.age"
        with self._translated():
            if what.size <= _PART:
                data = b"".join(read(0))
                if (hashlib.sha256(data).hexdigest(), len(data)) != (what.sha256, what.size):
                    raise other_bytes()
                self._call("put_object", location, Body=data)
            else:
                self._put_parts(location, what, read)
        return location

    def repair(self, what: Ciphertext, read: Reading) -> str:
        # Which replaces what is there.
        return self.put(what, read)

    def read(self, location: str, start: int = 0) -> Iterator[bytes]:
        path = f"{self._bucket}/{self._key(location)}"
        with self._translated():
            size: int = self._files.info(path)["size"]
        while start < size:
            with self._translated():
                piece = bytes(self._files.cat_file(path, start=start, end=min(start + PIECE, size)))
            if not piece:
                return
            yield piece
            start += len(piece)

    def finding(self, location: str) -> str | None:
        return None

    def delete(self, location: str) -> None:
        with self._translated():
            self._call("delete_object", location)

    def _put_parts(self, location: str, what: Ciphertext, read: Reading) -> None:
        part_size = max(_PART, -(-what.size // _MAX_PARTS))
        upload, there = self._unfinished(location)
        digest = hashlib.sha256()
        size = 0
        parts: list[dict[str, Any]] = []
        with ThreadPoolExecutor(max(1, _IN_FLIGHT_BYTES // part_size), "part") as senders:
            waiting: list[Future[str]] = []
            for number, data in enumerate(_in_parts(read(0), part_size), 1):
                digest.update(data)
                size += len(data)
                tag = hashlib.md5(data, usedforsecurity=False).hexdigest()
                if there.get(number) == (tag, len(data)):
                    parts.append({"PartNumber": number, "ETag": f'"{tag}"'})
                    continue
                if len(waiting) * part_size >= _IN_FLIGHT_BYTES:
                    waiting.pop(0).result()
                future = senders.submit(self._send_part, location, upload, number, data)
                waiting.append(future)
                parts.append({"PartNumber": number, "ETag": future})
            for future in waiting:
                future.result()
        if (digest.hexdigest(), size) != (what.sha256, what.size):
            self._call("abort_multipart_upload", location, UploadId=upload)
            raise other_bytes()
        told = [{**part, "ETag": _told(part["ETag"])} for part in parts]
        self._call("complete_multipart_upload", location, UploadId=upload, MultipartUpload={"Parts": told})

    def _send_part(self, location: str, upload: str, number: int, data: bytes) -> str:
        answer = self._call("upload_part", location, UploadId=upload, PartNumber=number, Body=data)
        return str(answer["ETag"])

    def _unfinished(self, location: str) -> tuple[str, dict[int, tuple[str, int]]]:
        """An upload of this object, begun if there is none: its id, MD5 and size of each part it has."""
        key = self._key(location)
        listed = self._files.call_s3("list_multipart_uploads", Bucket=self._bucket, Prefix=key)
        found = [item for item in listed.get("Uploads", []) if item["Key"] == key]
        if not found:
            return str(self._call("create_multipart_upload", location)["UploadId"]), {}
        upload = str(max(found, key=lambda item: item["Initiated"])["UploadId"])
        there: dict[int, tuple[str, int]] = {}
        marker = 0
        while True:
            page = self._call("list_parts", location, UploadId=upload, PartNumberMarker=marker)
            for part in page.get("Parts", []):
                there[part["PartNumber"]] = (part["ETag"].strip('"'), part["Size"])
            if not page.get("IsTruncated"):
                return upload, there
            marker = page["NextPartNumberMarker"]

    def _call(self, action: str, location: str, **more: Any) -> Any:
        return self._files.call_s3(action, Bucket=self._bucket, Key=self._key(location), **more)

    def _key(self, location: str) -> str:
        if len(location) != 68 or "/" in location:
            raise FormatError("a location that no store of this kind gave")
        return self._prefix + location

    @contextmanager
    def _translated(self) -> Iterator[None]:
        with translated(self.address, self._absent):
            try:
                yield
            except OSError as error:
                code, status = _answer(error)
                if code in _FULL or status == 507:
                    raise full(self.address) from error
                if code == "NoSuchBucket":
                    raise gone(self.address, N_("No such file or directory")) from error
                raise

    def _absent(self) -> MizhengError:
        return missing(self.address)


def _answer(error: OSError) -> tuple[str, int]:
    """(code, HTTP status) that the store itself gave, behind what s3fs made of it."""
    response = getattr(error.__cause__, "response", None) or {}
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return str(response.get("Error", {}).get("Code", "")), int(status)


def _in_parts(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in parts of `size`, the last one shorter."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) >= size:
            yield bytes(waiting[:size])
            del waiting[:size]
    if waiting:
        yield bytes(waiting)


def _told(tag: str | Future[str]) -> str:
    return tag if isinstance(tag, str) else tag.result()
