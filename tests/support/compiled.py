"""The compiled part of sealing, made anew from its source, with every warning an error."""

import importlib.util
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.tools.layout import ROOT

SOURCE = ROOT / "cli" / "sealing" / "native" / "quick.c"
FLAGS = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")


def compile_quick(folder: Path) -> Any:
    """The module; where it cannot be compiled the test is left out, and on a build machine it fails."""
    compiler, headers = shutil.which("cc"), Path(sysconfig.get_path("include"))
    if compiler is None or not (headers / "Python.h").exists():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say("needs a C compiler and Python's headers (Debian: gcc, python3-dev)")
    target = folder / "_quick.abi3.so"
    # More, for whoever looks for faults: -fsanitize=address,undefined.
    more = os.environ.get("MIZHENG_CFLAGS", "").split()
    subprocess.run([str(compiler), *FLAGS, *more, f"-I{headers}", SOURCE, "-o", target], check=True)
    spec = importlib.util.spec_from_file_location("mizheng.cli.sealing._quick", target)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
