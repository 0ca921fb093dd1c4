"""What a machine lacks for a test."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def do_without(what: Exception | str) -> NoReturn:
    """Leave the test out, saying what is missing and what brings it; on a build machine (CI is set), which
    has all that is listed, that is a failure.
    """
    if os.environ.get("CI"):
        raise what if isinstance(what, Exception) else RuntimeError(what)
    pytest.skip(str(what))
