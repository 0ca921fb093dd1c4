"""What Schemathesis does not know of this API: how a batch is written."""

from __future__ import annotations

import json
from typing import Any

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def write_batch(_context: Any, value: Any) -> bytes:
    """As it is if it is a text, else as whatever it is in JSON."""
    return (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "surrogatepass")
