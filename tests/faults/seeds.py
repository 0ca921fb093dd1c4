"""One seed for every random choice here: the same number, the same faults.

`MIZHENG_SEED=number make test ARGS=tests/faults` plays other ones.
"""

from __future__ import annotations

import os
import random

SEED = int(os.environ.get("MIZHENG_SEED", "20261123"))


def chooser(*part: object) -> random.Random:
    """Random choices of one test, independent of all others and of their order."""
    return random.Random(f"{SEED}/{'/'.join(str(word) for word in part)}")
