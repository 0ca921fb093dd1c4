"""One request for a page: in which language, what was asked, and how it is answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mizheng.notary.pages.remembering import Key
from mizheng.notary.pages.render import PREFIXES, answer_page, render
from mizheng.notary.service import Service
from mizheng.verifier.certificate_number import parse_code
from mizheng.verifier.words import translator
from starlette.responses import Response


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for a page."""

    service: Service
    language: str
    path: str
    """Without the language's prefix."""
    places: dict[str, str]
    form: dict[str, str]

    def show(self, template: str, status: int = 200, **values: Any) -> Response:
        return answer_page(template, self._render(template, values), status)

    def show_once_made(self, template: str, key: Key, make: Callable[[], dict[str, Any]]) -> Response:
        """A page without secrets, on which `key` decides: rendered the first time, remembered then."""
        remembered, key = self.service.remembered_pages, (self.language, self.path, template, *key)
        body = remembered.find(key)
        if body is None:
            body = self._render(template, make()).encode()
            remembered.remember(key, body)
        return answer_page(template, body)

    def _render(self, template: str, values: dict[str, Any]) -> str:
        setup, origin = self.service.pages, self.service.instance.origin
        can_log_in = self.service.people is not None
        shared = {"site": setup.name or origin, "origin": origin, "can_log_in": can_log_in}
        return render(self.language, template, {**shared, **values}, path=self.path)

    def say(self, message: str) -> str:
        return translator(self.language)(message)

    @property
    def prefix(self) -> str:
        return PREFIXES[self.language]

    @property
    def code(self) -> str | None:
        """The code that was sent; FormatError if it can be none."""
        typed = self.form.get("code", "")
        return parse_code(typed) if typed.strip() else None
