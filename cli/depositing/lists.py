"""Lists of the notary's API, page by page, to their end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mizheng.cli.depositing.client import NotaryClient


def list_items(client: NotaryClient, path: str, **query: str | None) -> Iterator[dict[str, Any]]:
    """Every item behind the cursor `after` (from the first, if there is none), fetched as they are taken.

    Of `query` what is None is left out. A notary that gives one cursor twice is not asked for ever.
    """
    seen: set[str] = set()
    while True:
        params = {name: value for name, value in query.items() if value is not None}
        page = client.ask("GET", path, {"items": list}, params=params)
        yield from (item for item in page["items"] if isinstance(item, dict))
        cursor = page.get("next")
        if not isinstance(cursor, str) or cursor in seen:
            return
        seen.add(cursor)
        query["after"] = cursor
