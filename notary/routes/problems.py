"""Errors as RFC 9457 problem details, for every way in which a request can fail."""

import json
import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from mizheng.notary.errors import PROBLEMS, Problem
from mizheng.notary.log.guard import LogBehindError
from mizheng.notary.log.sequencer import REFUSED_RETRY_SECONDS
from mizheng.notary.log.tiles import LogCorruptError
from mizheng.notary.routes.schemas import ProblemAnswer
from mizheng.verifier.errors import ConsistencyError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.routing import Match

CONTENT_TYPE = "application/problem+json"
logger = logging.getLogger(__name__)

# How the log may be while nothing is added to it.
LOG_PROBLEMS = ("log-unavailable", "log-behind", "log-key-replaced", "log-damaged")

_BY_STATUS = {404: "not-found", 405: "method-not-allowed"}


def problem_response(problem: Problem) -> Response:
    """The HTTP answer for a problem."""
    headers = {}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    content = json.dumps(problem.as_json(), ensure_ascii=False)
    return Response(content, problem.status, headers, CONTENT_TYPE)


def install_handlers(app: FastAPI) -> None:
    """Answer with problem details whatever goes wrong."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(SQLAlchemyError, _on_database)
    app.add_exception_handler(LogBehindError, _on_behind)
    app.add_exception_handler(LogCorruptError, _on_damage)
    app.add_exception_handler(ConsistencyError, _on_damage)
    app.add_exception_handler(Exception, _on_crash)


def document(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these problems."""
    found: dict[int | str, dict[str, Any]] = {}
    for code in ("request-refused", *codes, "internal"):
        kind = PROBLEMS[code]
        row = f"`{code}`: {kind.title}"
        if kind.status in found:
            found[kind.status]["description"] += "; " + row
        else:
            schema = {"$ref": f"#/components/schemas/{ProblemAnswer.__name__}"}
            content = {"schema": schema, "examples": {}}
            found[kind.status] = {"description": row, "content": {CONTENT_TYPE: content}}
        found[kind.status]["content"][CONTENT_TYPE]["examples"][code] = {"value": Problem(code).as_json()}
    return found


async def _on_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101
    return problem_response(error)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    # FastAPI wraps what happens while it reads a body.
    if isinstance(error.__cause__, Problem):
        return problem_response(error.__cause__)
    response = problem_response(Problem(_BY_STATUS.get(error.status_code, "request-refused")))
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    if error.status_code == 405:
        response.headers["Allow"] = ", ".join(_allowed(request))
    return response


def _allowed(request: Request) -> list[str]:
    """Methods of the path (RFC 9110 §10.2.1). Several routes may share one, and each knows its own alone."""
    return [
        method
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE")
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    ]


async def _on_invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    # Where and what, without the value: it may be a key that somebody pasted into the wrong field.
    rows = [f"{_place(row)}: {row['msg']}" for row in error.errors()[:5]]
    return problem_response(Problem("request-malformed", "; ".join(rows)[:500]))


def _place(row: Any) -> str:
    """Where it is, by names of ours: what a field is called that there is not was chosen by the caller."""
    parts = row["loc"][:-1] if row["type"] == "extra_forbidden" else row["loc"]
    return ".".join(str(part) for part in parts)


async def _on_database(_request: Request, error: Exception) -> Response:
    logger.error("the database failed: %s", type(error).__name__)
    return problem_response(Problem("log-unavailable", retry_after=2))


async def _on_behind(_request: Request, error: Exception) -> Response:
    assert isinstance(error, LogBehindError)  # noqa: S101
    return problem_response(Problem(error.problem, retry_after=REFUSED_RETRY_SECONDS))


async def _on_damage(_request: Request, _error: Exception) -> Response:
    return problem_response(Problem("log-damaged", retry_after=REFUSED_RETRY_SECONDS))


async def _on_crash(_request: Request, _error: Exception) -> Response:
    # Logged with its traceback by the server, which sees it as well.
    return problem_response(Problem("internal"))
