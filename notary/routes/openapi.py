"""The OpenAPI document: what FastAPI makes of the routes, and what it cannot know of them.

Problem details instead of its own form of validation errors, examples of everything, the plain ASGI routes of
the log, and the answers that every route can give (a database that fails, a body that is too large).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from mizheng.notary.routes.examples import BODIES, EXAMPLES, PARAMETERS
from mizheng.notary.routes.log import OPENAPI_PATHS
from mizheng.notary.routes.problems import document
from mizheng.notary.routes.schemas import ProblemAnswer


def complete_openapi(app: FastAPI) -> None:
    """Let the application's document be the whole one."""
    generate = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        paper = generate()
        paper["paths"].update(OPENAPI_PATHS)
        schemas = paper["components"]["schemas"]
        schemas[ProblemAnswer.__name__] = ProblemAnswer.model_json_schema()
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for name, example in EXAMPLES.items():
            if name in schemas:
                schemas[name]["example"] = example
        for path, operation in _operations(paper):
            _complete_answers(operation)
            for parameter in operation.get("parameters", ()):
                _complete_parameter(parameter)
            if path in BODIES:
                for body in (operation.get("requestBody", {}), operation["responses"].get("200", {})):
                    body.get("content", {}).get("application/json", {})["example"] = BODIES[path]
        return paper

    app.openapi = complete  # type: ignore[method-assign]


def _operations(paper: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, operations in paper["paths"].items():
        for operation in operations.values():
            yield path, operation


def _complete_parameter(parameter: dict[str, Any]) -> None:
    # A certificate's number is text; other numbers are numbers.
    if parameter["schema"].get("type") == "integer":
        parameter.setdefault("example", PARAMETERS["limit"] if parameter["name"] == "limit" else 0)
    elif parameter["name"] in PARAMETERS:
        parameter.setdefault("example", PARAMETERS[parameter["name"]])


def _complete_answers(operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    if "application/json" in answers.get("422", {}).get("content", {}):
        answers["422"] = document("request-malformed")[422]
    if "requestBody" in operation:
        answers.setdefault("413", document("body-too-large")[413])
    if operation.get("tags") != ["operation"]:
        # Each of them asks the database, and the log that lies in it.
        answers.setdefault("503", document("log-unavailable")[503])
