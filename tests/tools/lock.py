"""Work out the lock files from pyproject.toml: `make lock`, with ARGS=--upgrade for newer releases.

requirements.lock is the command line, the notary and what makes PDFs; requirements-dev.lock is that and what
tests need, at the same versions. Both name the build back end too, so the project itself is installed without
isolation. Neither names a host: each machine asks the package index that it is set up for, and the digests
decide.
"""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The only tool that makes locks for every platform at once. Not locked itself: it decides nothing that the
# review of a lock's changes would not show.
UV = "uv>=0.9"
COMPILE = [
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-header",
    "--no-annotate",
    "--quiet",
]


def install_uv() -> Path:
    """Put uv into a virtual environment of its own, away from the one the lock describes."""
    folder = ROOT / "build" / "uv"
    uv = folder / "bin" / "uv"
    if not uv.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "-q", UV], check=True)
    return uv


def compile_lock(uv: Path, output: str, *arguments: str) -> None:
    """Write one lock file, keeping the versions it already names unless --upgrade is among the arguments."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    back_end = "\n".join(pyproject["build-system"]["requires"])
    command = [uv, "pip", "compile", "pyproject.toml", "-", *COMPILE, f"--output-file={output}", *arguments]
    # uv repeats on its output what it writes to the file.
    subprocess.run(command, cwd=ROOT, input=back_end, text=True, check=True, stdout=subprocess.DEVNULL)
    print(f"wrote {output}")


def main() -> None:
    uv = install_uv()
    compile_lock(uv, "requirements.lock", "--extra=notary", "--extra=pdf", *sys.argv[1:])
    compile_lock(uv, "requirements-dev.lock", "--extra=dev", "--constraint=requirements.lock", *sys.argv[1:])


if __name__ == "__main__":
    main()
