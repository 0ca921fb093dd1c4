"""The second verifier, built from its lock file into build/web: a module for Node.js, and verify.html."""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
import subprocess
from pathlib import Path

from mizheng.verifier.codes import CODES, NEEDED, NEEDED_ONE_OF

from tests.support.catalogue import load
from tests.support.tools import ROOT, exclusive, node_path, read_text, run_npm
from tests.support.typescript import SOURCE, literals

PAGE = SOURCE / "verify.html"
HOME = ROOT / "build" / "web"

_FILES = ("package.json", "package-lock.json", "tsconfig.json", "build.mjs")


def collect_words() -> dict[str, object]:
    """What the sources import as `mizheng:words`: codes, and Chinese texts of the ids that they use."""
    chinese = {str(message.id): str(message.string) for message in load("zh_CN") if message.id}
    used = {*literals(), *CODES.values()}
    return {
        "codes": CODES,
        "needed": NEEDED,
        "neededOneOf": NEEDED_ONE_OF,
        "chinese": {text: chinese[text] for text in sorted(used) if chinese.get(text)},
    }


@functools.cache
def built() -> Path:
    """The folder with `verifier.mjs` and `verify.html`; RuntimeError in the compiler's words if it fails."""
    HOME.mkdir(parents=True, exist_ok=True)
    with exclusive(HOME.parent / "web.lock"):
        words = json.dumps(collect_words(), ensure_ascii=False)
        stamp, wanted = HOME / "stamp", _digest(words)
        if read_text(stamp) != wanted:
            stamp.unlink(missing_ok=True)
            _install()
            shutil.rmtree(HOME / "src", ignore_errors=True)
            shutil.copytree(SOURCE / "src", HOME / "src")
            for name in _FILES:
                shutil.copyfile(SOURCE / name, HOME / name)
            (HOME / "words.json").write_text(words, "utf-8")
            _run("node_modules/typescript/bin/tsc")
            _run("build.mjs")
            stamp.write_text(wanted)
    return HOME / "dist"


def make_page() -> bytes:
    """verify.html as the sources give it."""
    return (built() / "verify.html").read_bytes()


def _install() -> None:
    """The packages of the lock file, once for each lock file."""
    lock = (SOURCE / "package-lock.json").read_text("utf-8")
    if read_text(HOME / "installed") != lock:
        shutil.rmtree(HOME / "node_modules", ignore_errors=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(SOURCE / name, HOME / name)
        run_npm("ci", "--ignore-scripts", cwd=HOME, missing="what the second verifier needs")
        (HOME / "installed").write_text(lock, "utf-8")


def _run(script: str) -> None:
    command = [node_path(), HOME / script]
    done = subprocess.run(command, cwd=HOME, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)


def _digest(words: str) -> str:
    digest = hashlib.sha256(words.encode())
    for path in sorted([*(SOURCE / name for name in _FILES), *(SOURCE / "src").rglob("*")]):
        if path.is_file():
            digest.update(path.relative_to(SOURCE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
