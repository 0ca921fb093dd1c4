"""A process that dies on the n-th line it runs of some files: without any `finally`, with nothing closed."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Collection
from types import FrameType
from typing import Any

DIED = 9
FAILED = 3


def run_until(line: int, files: Collection[str], act: Callable[[], object]) -> bool:
    """Run `act` in a process that ends before its `line`-th line in `files`; whether it got through.

    What `act` raises is an error of the test.
    """
    child = os.fork()
    if child == 0:
        seen = 0

        def count(frame: FrameType, event: str, _argument: object) -> Callable[..., Any] | None:
            nonlocal seen
            if frame.f_code.co_filename not in files:
                return None
            if event == "line":
                seen += 1
                if seen >= line:
                    os._exit(DIED)
            return count

        try:
            sys.settrace(count)
            act()
            sys.settrace(None)
        except BaseException:
            traceback.print_exc()
            os._exit(FAILED)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, DIED), code
    return code == 0
