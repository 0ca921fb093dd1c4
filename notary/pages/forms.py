"""What the form of a page sent: names to values, the first of each, as text that any database takes."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import Request

# No page has more; whoever sends more has none of ours, and is answered as if he had sent nothing.
_MAX_FIELDS = 20


async def read_form(request: Request) -> dict[str, str]:
    """Of a POST; of anything else nothing. How large it may be is decided before (`routes.limits`)."""
    if request.method != "POST":
        return {}
    body = (await request.body()).decode("utf-8", "replace")
    try:
        found = parse_qs(body, max_num_fields=_MAX_FIELDS)
    except ValueError:
        return {}
    # No column of text in PostgreSQL holds it, and nothing that is typed by hand has it.
    return {name: values[0].replace("\0", "\ufffd") for name, values in found.items()}
