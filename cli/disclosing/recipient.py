"""For whom and for what a bundle is made, as a person may say it."""

from __future__ import annotations

from mizheng.cli.errors import UsageFault
from mizheng.verifier.errors import FormatError
from mizheng.verifier.event import check_text


def check_recipient(recipient: str | None, purpose: str | None) -> None:
    """UsageFault unless they can stand in a disclosure, or there is neither."""
    if recipient is None:
        if purpose is not None:
            raise UsageFault("--purpose says for what somebody gets it: say for whom with --for")
        return
    try:
        for text in (recipient, purpose):
            if text is not None:
                check_text(text)
    except FormatError as error:
        raise UsageFault(str(error)) from error
