"""Times as people in a Chinese court read them: Beijing time, with UTC beside it."""

from __future__ import annotations

import datetime

from ..canonical import format_instant

_BEIJING = datetime.timezone(datetime.timedelta(hours=8))


def both_times(seconds: int) -> dict[str, str]:
    """`beijing` and `utc` for a template; where Beijing time has no date any more, UTC for both."""
    utc = format_instant(seconds)
    try:
        beijing = datetime.datetime.fromtimestamp(seconds, _BEIJING)
    except (OverflowError, ValueError):
        return {"beijing": utc, "utc": utc}
    return {"beijing": f"{beijing:%Y-%m-%d %H:%M:%S}", "utc": utc}
