"""Files that the workers of a Dask cluster read, on storage that they share with this machine (extra `dask`).

The workers are told paths and answer with digests. They see content, as they must, and no manifest key, no
salt and no record: those are made here. That a worker reads the very files that are meant is not taken for
granted: size, times and inode that it saw have to be those that this machine sees, before or after.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mizheng.cli.errors import ConfigurationFault, UnavailableFault
from mizheng.cli.sealfile.labels import Stamp
from mizheng.cli.sealing.chunks import Part
from mizheng.cli.sealing.elsewhere import Answers, Wanted
from mizheng.cli.sealing.folder import Folder, stamp_of
from mizheng.cli.sealing.hashing import Digests, UnreadableError, digest_file

_CONNECT_SECONDS = 10
# A piece of work keeps a worker busy for some tens of milliseconds: handing one out takes one or two.
_PIECE_BYTES = 32 << 20
# Open questions for each thread of the cluster: none is ever without work.
_WINDOW = 4


class Cluster:
    """The workers of a scheduler; a source of digests."""

    def __init__(self, address: str) -> None:
        """ConfigurationFault without the package, UnavailableFault when no scheduler with workers answers."""
        try:
            import distributed
        except ImportError:
            raise ConfigurationFault(
                "sealing on a cluster needs the package distributed", "pip install 'mizheng[dask]'"
            ) from None
        try:
            client: Any = distributed.Client
            self._client = client(address, timeout=_CONNECT_SECONDS, set_as_default=False, name="mizheng")
        except (OSError, ValueError) as error:
            raise UnavailableFault(
                "no Dask scheduler answers at {name}",
                "it looks like tcp://HOST:8786 or tls://HOST:8786; dask scheduler prints it when it starts",
                name=address,
            ) from error
        threads = sum(self._client.nthreads().values())
        if not threads:
            self._client.close()
            raise UnavailableFault(
                "the Dask scheduler at {name} has no workers", "start some: dask worker ADDRESS", name=address
            )
        self.window = max(2, threads * _WINDOW)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_details: object) -> None:
        self._client.close()

    def stamps(self, part: Part) -> Sequence[Stamp | None]:
        found: list[Stamp | None] = []
        with Folder(part.base, part.folder) as folder:
            for name in part.names.split(b"\0"):
                try:
                    found.append(stamp_of(folder.stat(name)))
                except OSError:
                    found.append(None)
        return found

    def ask(self, wanted: Sequence[Wanted]) -> Answers:
        pieces: list[list[bytes]] = []
        size = 0
        for item in wanted:
            if not pieces or size >= _PIECE_BYTES:
                pieces.append([])
                size = 0
            pieces[-1].append(os.path.abspath(item.path))  # noqa: PTH100 - pathlib has no paths of bytes
            size += item.stamp.size if item.stamp is not None else 0
        # Not `pure`: a file that is read again is read, not remembered.
        futures = [self._client.submit(digest_paths, piece, pure=False) for piece in pieces]
        return lambda: self._collect(wanted, futures)

    def _collect(self, wanted: Sequence[Wanted], futures: list[Any]) -> list[Digests | str]:
        answers: list[Digests | str] = []
        for future in futures:
            try:
                answers += future.result()
            except Exception as error:
                raise UnavailableFault(
                    "the Dask cluster did not read the files: {reason}",
                    "every worker needs this version of mizheng and enough memory; its own log says more",
                    reason=type(error).__name__,
                ) from error
        return [_checked(item, answer) for item, answer in zip(wanted, answers, strict=True)]


def digest_paths(paths: Sequence[bytes]) -> list[Digests | str]:
    """What a worker does: the digests of each file, or why there are none. Raises nothing, so that no log of
    the cluster names a file."""
    answers: list[Digests | str] = []
    for path in paths:
        try:
            answers.append(digest_file(path))
        except UnreadableError as error:
            answers.append(str(error))
    return answers


def _checked(wanted: Wanted, answer: Digests | str) -> Digests | str:
    """The worker's answer, if it is what this machine would have found."""
    if isinstance(answer, Digests) and answer.stamp == wanted.stamp:
        return answer
    try:
        now = stamp_of(Path(os.fsdecode(wanted.path)).lstat())
    except OSError:
        now = None
    if isinstance(answer, Digests) and answer.stamp == now:
        # It changed between our look and the worker's.
        return answer
    # Gone, changing or closed for us as well: then that is what there is to say.
    try:
        digest_file(wanted.path)
    except UnreadableError as error:
        return str(error)
    raise ConfigurationFault(
        "a worker of the cluster does not see {name} as this machine does",
        "the folder has to be the same shared storage under the same path on every worker, readable for it",
        name=wanted.path,
    )
