"""Processes of the notary and of the command line that need not import everything again.

To start one takes two seconds of a processor, nearly all of it for imports, and the tests start hundreds. So
a template process imports what they need, once, and each is forked from it: a process of its own, with its
own arguments, environment, working directory and files, that runs the same `main`. What starts from nothing
is tested by the walks, the demo, the wheel and the tests of the commands themselves.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import io
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NoReturn

from tests.tools.layout import ROOT

# What runs is its `main.main`; the template imports all modules of it and these, which they import only where
# they are needed.
_NEEDS: Mapping[str, Sequence[str]] = {
    "mizheng.notary": (
        "alembic.command",
        "alembic.autogenerate",
        "anyio._backends._asyncio",
        "psycopg",
        "pyhanko.sign.signers",
        "segno",
        "typst",
        "uvicorn.lifespan.on",
        "uvicorn.loops.asyncio",
        "uvicorn.loops.auto",
        "uvicorn.protocols.websockets.auto",
        "web3",
    ),
    "mizheng.cli": (
        "concurrent.futures.process",
        "httpcore",
        "httpx",
        "multiprocessing.connection",
        "pyhanko.sign.signers",
        "pyrage",
        "segno",
        "typst",
    ),
}
# Locales in which Python writes undecodable names as they are (PEP 538).
_LENIENT = ("C.UTF-8", "C.utf8", "C", "POSIX")


class Prepared:
    """One process, as far as tests use subprocess.Popen."""

    def __init__(self, pid: int, channel: socket.socket, stdout: IO[str] | None) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None
        self._channel = channel
        # Whoever waits and whoever looks may be two threads.
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._look(0.0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(["prepared"], timeout or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _look(self, timeout: float | None) -> int | None:
        with self._lock:
            if self.returncode is None and select.select([self._channel], [], [], timeout)[0]:
                said = self._channel.recv(64)
                # Nothing: the template is gone, and with it whoever knew.
                self.returncode = int(said) if said else -signal.SIGKILL
                self._channel.close()
            return self.returncode


def start(
    package: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    stdout: Any,
    stderr: Any,
    stdin: Any = None,
    cwd: Path | None = None,
) -> Prepared | subprocess.Popen[str]:
    """Run the package's `main` in a process of its own; files as subprocess.Popen takes them, with PIPE for
    `stdout` alone.
    """
    if _of_interpreter(environment) != _of_interpreter(os.environ):
        # What an interpreter reads when it starts cannot be said to one that runs.
        command = [sys.executable, "-c", f"import sys, {package}.main as it; sys.exit(it.main())", *arguments]
        return subprocess.Popen(
            command,
            env=environment,
            cwd=cwd,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            encoding="utf-8",
            errors="replace",
        )
    reading: IO[str] | None = None
    output = stdout
    if stdout == subprocess.PIPE:
        read, write = os.pipe()
        reading, output = open(read, encoding="utf-8", errors="replace"), open(write, "wb")  # noqa: SIM115, PTH123
    # Messages, not a stream: of a process that ends at once its id and its exit code are two all the same.
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        with theirs, Path(os.devnull).open("rb") as nothing:
            files = (stdin or nothing, output, output if stderr == subprocess.STDOUT else stderr, theirs)
            request = {
                "arguments": list(arguments),
                "environment": dict(environment),
                "cwd": str(cwd or Path.cwd()),
            }
            _template(package).ask(request, [file.fileno() for file in files])
            # The template's word for its process id, or nothing if it is gone.
            pid = int(ours.recv(64) or b"0")
    finally:
        if stdout == subprocess.PIPE:
            output.close()
    if not pid:
        raise RuntimeError("the template process is gone")
    return Prepared(pid, ours, reading)


def run(
    package: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    stdin: str | None = None,
    cwd: Path | None = None,
    timeout: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """The same to its end, with what it wrote; undecodable bytes are surrogates."""
    if _of_interpreter(environment) != _of_interpreter(os.environ):
        # What an interpreter reads when it starts cannot be said to one that runs.
        return subprocess.run(
            [sys.executable, "-c", f"import sys, {package}.main as it; sys.exit(it.main())", *arguments],
            env=environment,
            cwd=cwd,
            input=stdin or "",
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=timeout,
            check=False,
        )
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        said.write((stdin or "").encode())
        said.seek(0)
        process = start(package, arguments, environment, stdin=said, stdout=out, stderr=err, cwd=cwd)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "surrogateescape"))
    return subprocess.CompletedProcess([package, *arguments], code, *texts)


def _of_interpreter(environment: Mapping[str, str]) -> dict[str, str]:
    # The loader reads LD_… when a process begins, as the interpreter reads its own.
    return {
        name: value for name, value in environment.items() if name.startswith(("PYTHON", "LD_", "FAKETIME"))
    }


class _Template:
    """The client's side of one template process; it ends with this one."""

    def __init__(self, package: str) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        with theirs:
            command = [sys.executable, "-m", "tests.support.prepared", package, str(theirs.fileno())]
            self._process = subprocess.Popen(command, cwd=ROOT, pass_fds=[theirs.fileno()])

    def ask(self, request: Mapping[str, object], files: Sequence[int]) -> None:
        data = json.dumps(request).encode()
        with self._lock:
            socket.send_fds(self._control, [data], list(files))


@functools.cache
def _template(package: str) -> _Template:
    return _Template(package)


# From here on: inside the template.


def _serve(control: socket.socket) -> dict[str, Any] | None:
    """Fork a process for each request. Returns in each of them with its request, and None in the template
    once nobody asks any more.
    """
    # Written to by the kernel's word that a child ended.
    ended, noted = socket.socketpair()
    for end in (ended, noted):
        end.setblocking(False)
    signal.set_wakeup_fd(noted.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    running: dict[int, socket.socket] = {}
    while True:
        for ready in select.select([control, ended], [], [])[0]:
            if ready is ended:
                ended.recv(4096)
                _report(running)
                continue
            data, files, *_ = socket.recv_fds(control, 1024 * 1024, 4)
            if not data:
                for pid in running:
                    os.kill(pid, signal.SIGKILL)
                return None
            channel = socket.socket(fileno=files[3])
            pid = os.fork()
            if not pid:
                for held in (control, ended, noted, channel, *running.values()):
                    held.close()
                request: dict[str, Any] = json.loads(data)
                return {**request, "files": files[:3]}
            for file in files[:3]:
                os.close(file)
            channel.send(b"%d" % pid)
            running[pid] = channel


def _report(running: dict[int, socket.socket]) -> None:
    """Say of everyone that ended how."""
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with running.pop(pid) as channel, contextlib.suppress(OSError):
            channel.send(b"%d" % os.waitstatus_to_exitcode(status))


def _become(request: Mapping[str, Any]) -> None:
    """Be the process that was asked for, as one that was just started."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, file in enumerate(request["files"]):
        os.dup2(file, number)
        os.close(file)
    environment: dict[str, str] = request["environment"]
    locale = environment.get("LC_ALL") or environment.get("LC_CTYPE") or environment.get("LANG") or "C"
    errors = "surrogateescape" if locale in _LENIENT else "strict"
    sys.stdin = io.TextIOWrapper(open(0, "rb", closefd=False), "utf-8", errors)  # noqa: SIM115
    sys.stdout = io.TextIOWrapper(open(1, "wb", closefd=False), "utf-8", errors)  # noqa: SIM115
    sys.stderr = io.TextIOWrapper(
        open(2, "wb", closefd=False),  # noqa: SIM115
        "utf-8",
        "backslashreplace",
        line_buffering=True,
    )
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(request["cwd"])
    sys.argv = ["mizheng", *request["arguments"]]


def _rehearse_notary() -> None:
    """Open a notary once and throw it away: what is imported, compiled and remembered when it is first needed
    is then there for all.
    """
    from mizheng.notary.app import create_app
    from mizheng.notary.config import load_settings
    from mizheng.notary.instance import open_instance
    from mizheng.notary.service import Service

    with tempfile.TemporaryDirectory() as folder:
        instance = open_instance(load_settings({"MIZHENG_DATA_DIR": folder}))
        service = Service(instance)
        create_app(service).openapi()
        service.stop()


def _import(package: str) -> None:
    """All modules of a package, and what it will need."""
    for found in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        # The one runs when it is imported, the others are Alembic's to run.
        if not found.name.endswith(".__main__") and ".migrations." not in found.name:
            importlib.import_module(found.name)
    for name in _NEEDS[package]:
        importlib.import_module(name)
    if package == "mizheng.notary":
        _rehearse_notary()
    # As every process of ours has it: py-evm raises it.
    sys.setrecursionlimit(1_000)


def _end(main: Callable[[], object]) -> NoReturn:
    """Run `main` and end as an interpreter does, but without taking apart, object by object, what the
    template imported: that takes longer than most commands.
    """
    try:
        code = main()
    except SystemExit as error:
        code = error.code
    if not isinstance(code, int | None):
        # Words for standard error.
        sys.exit(str(code))
    # What the interpreter does before it goes: threads and workers are waited for.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        # Whoever read is gone: what then becomes of the exit code is the interpreter's to say.
        sys.exit(code)
    os._exit((code or 0) & 0xFF)


def _main(package: str, control: int) -> None:
    _import(package)
    gc.collect()
    gc.freeze()
    # A lock that another thread holds at a fork is never let go in the child.
    threads = len(list(Path("/proc/self/task").iterdir()))
    assert threads == 1, f"{package} starts threads when it is imported"
    with socket.socket(fileno=control) as listening:
        request = _serve(listening)
    if request is not None:
        _become(request)
        _end(importlib.import_module(f"{package}.main").main)


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]))
