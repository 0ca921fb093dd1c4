"""Publication into a bucket of an S3-compatible store, through the library obstore (extra `s3`).

Files are created and never overwritten (`If-None-Match: *`). The checkpoint is one put, on condition that the
one which was read still stands there (`If-Match`): of two processes that publish at once, the slower one is
refused and looks again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from mizheng.notary.errors import ConfigurationError
from mizheng.notary.publishing.step import PublicationError

# As the notary itself answers them; see mizheng.notary.routes.log.
_FILE = {"Content-Type": "application/octet-stream", "Cache-Control": "public, max-age=31536000, immutable"}
_MOVING = {"Content-Type": "application/json", "Cache-Control": "public, max-age=60"}
_CHECKPOINT = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "public, max-age=1"}
# Requests are repeated with growing pauses; after this the next step takes over.
_RETRIES, _RETRY_TIME = 4, timedelta(seconds=30)


class S3Target:
    """The log's files in a bucket, below `prefix`; credentials are found as AWS's own tools find them."""

    def __init__(self, bucket: str, prefix: str = "", endpoint: str = "", region: str = "") -> None:
        try:
            import obstore
            from obstore import exceptions
            from obstore.store import S3Store
        except ImportError:
            raise ConfigurationError(
                "publishing to S3 needs the package obstore",
                hint="install it: pip install 'mizheng[notary,s3]'",
            ) from None
        self.kind = "s3"
        self.name = f"s3://{bucket}/{prefix}".rstrip("/")
        said: dict[str, Any] = {"region": region} if region else {}
        if endpoint:
            said["endpoint"] = endpoint
        self._obstore = obstore
        self._failed = exceptions.BaseError
        self._refused = (exceptions.AlreadyExistsError, exceptions.PreconditionError)
        self._store = S3Store(
            bucket,
            prefix=prefix or None,
            # The bucket in the path: what stores other than Amazon's understand as well.
            virtual_hosted_style_request=False,
            client_options={"allow_http": endpoint.startswith("http://")},
            retry_config={"max_retries": _RETRIES, "retry_timeout": _RETRY_TIME},
            **said,
        )
        self._standing: str | None = None

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Nothing to take: the store itself decides whose checkpoint is written."""
        with self._translated():
            yield

    def read_checkpoint(self) -> bytes | None:
        with self._translated():
            try:
                found = self._store.get("checkpoint")
            except FileNotFoundError:
                self._standing = None
                return None
            self._standing = found.meta["e_tag"]
            return bytes(found.bytes())

    def write_file(self, path: str, data: bytes) -> None:
        try:
            self._store.put(path, data, mode="create", attributes=_FILE, use_multipart=False)
        except self._refused:
            if bytes(self._store.get(path).bytes()) != data:
                raise PublicationError(
                    "target-differs",
                    "{path} is there with other bytes than the log has",
                    hint="a published file never changes: find out which of the two is wrong "
                    "before removing it",
                    path=f"{self.name}/{path}",
                ) from None

    def replace_file(self, path: str, data: bytes) -> None:
        self._store.put(path, data, attributes=_MOVING, use_multipart=False)

    def read_file(self, path: str, limit: int) -> bytes | None:
        with self._translated():
            try:
                found = self._store.get(path)
            except FileNotFoundError:
                return None
            return None if found.meta["size"] > limit else bytes(found.bytes())

    def settle(self) -> None:
        """Nothing to do: a put that was answered is durable."""

    def drop_partials(self, path: str) -> None:
        for page in self._store.list(f"{path}.p"):
            self._store.delete([item["path"] for item in page])

    def write_checkpoint(self, note: bytes) -> None:
        mode: Any = "create" if self._standing is None else {"e_tag": self._standing}
        try:
            self._store.put("checkpoint", note, mode=mode, attributes=_CHECKPOINT, use_multipart=False)
        except self._refused:
            raise PublicationError(
                "target-busy", "another process has published to {target} meanwhile", target=self.name
            ) from None

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            reason = "no such bucket"
        except self._failed as error:
            # Its text repeats addresses and headers of the request; the kind says enough.
            reason = type(error).__name__
        else:
            return
        raise PublicationError(
            "target-unreachable", "{target} cannot be written: {reason}", target=self.name, reason=reason
        )
