"""Lists a page at a time: `limit` items, and a cursor to the next ones.

    {"items": […], "next": "…" or null}      then: ?after=…

A cursor is the place of an item, not a number of items: what comes or goes meanwhile makes nobody see one
twice or miss one.
"""

import re
from typing import Annotated

from fastapi import Query
from mizheng.notary.errors import Problem

PAGE = 50
LONGEST_PAGE = 200
# What a signed 64-bit column holds.
_CURSOR = re.compile(r"0|[1-9][0-9]{0,17}")

Limit = Annotated[int, Query(description="how many items at most", ge=1, le=LONGEST_PAGE)]
After = Annotated[
    str | None, Query(description="`next` of the answer before, as it is; left out: from the beginning")
]


def parse_cursor(text: str | None) -> int | None:
    """The place after which the page begins; Problem `cursor-wrong` for what was no answer's `next`."""
    if text is None:
        return None
    if not _CURSOR.fullmatch(text):
        raise Problem("cursor-wrong")
    return int(text)
