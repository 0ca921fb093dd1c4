"""The OpenAPI document is whole: every operation has its examples, and every answer is in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from mizheng.notary.app import create_app
from mizheng.notary.config import load_settings
from mizheng.notary.errors import PROBLEM_TYPE_PREFIX, PROBLEMS, Problem
from mizheng.notary.instance import open_instance
from mizheng.notary.routes.examples import EXAMPLES, PARAMETERS
from mizheng.notary.routes.shortcut import NotaryApp
from mizheng.notary.service import Service
from mizheng.verifier.certificate_number import parse_code, parse_number
from pydantic import BaseModel, TypeAdapter

from tests.support.schema import lay_database

PROBLEM = "application/problem+json"
JSON = "application/json"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotaryApp]:
    """The application of a notary that does not run."""
    database = lay_database(tmp_path_factory.mktemp("openapi") / "notary")
    instance = open_instance(load_settings({"MIZHENG_DATA_DIR": str(database.parent)}))
    yield create_app(Service(instance))
    instance.engine.dispose()


@pytest.fixture(scope="module")
def paper(app: NotaryApp) -> dict[str, Any]:
    return app.openapi()


def operations(paper: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in paper["paths"].items()
        for method, operation in methods.items()
    }


def api_routes(routes: Iterable[Any]) -> Iterator[APIRoute]:
    """Also those of routers within routers."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):
            yield from api_routes(route.original_router.routes)


def example_of(paper: dict[str, Any], content: dict[str, Any]) -> Any:
    """Of a media type, or of the schema that it names."""
    if "example" in content:
        return content["example"]
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    return paper["components"]["schemas"].get(name, {}).get("example")


def test_every_json_that_is_sent_or_answered_has_an_example(paper: dict[str, Any]) -> None:
    bare = []
    for name, operation in operations(paper).items():
        sent = operation.get("requestBody", {}).get("content", {})
        for media_type, content in sent.items():
            # Bytes have none that anybody could read.
            if media_type == "application/octet-stream":
                continue
            bare += [f"{name}: body"] * (example_of(paper, content) is None)
        for status, answer in operation["responses"].items():
            content = answer.get("content", {}).get(JSON)
            # Documents of the log have a specification of their own.
            if content and operation["tags"] != ["log"] and example_of(paper, content) is None:
                bare.append(f"{name}: {status}")
    assert not bare


def test_every_parameter_has_an_example_and_a_meaning(paper: dict[str, Any]) -> None:
    bare = [
        f"{name}: {parameter['name']}"
        for name, operation in operations(paper).items()
        for parameter in operation.get("parameters", ())
        if not parameter.get("description") or "example" not in parameter
    ]
    assert not bare
    assert parse_number(PARAMETERS["number"]) and parse_code(PARAMETERS["Mizheng-Code"])


def test_every_operation_says_what_it_does(paper: dict[str, Any]) -> None:
    assert not [name for name, operation in operations(paper).items() if not operation.get("summary")]


def test_every_example_is_what_it_is_an_example_of(app: NotaryApp, paper: dict[str, Any]) -> None:
    """Read as the class of the route, by Pydantic."""
    models: dict[str, Any] = {}
    for route in api_routes(app.routes):
        said = [route.response_model, *(answer.get("model") for answer in route.responses.values())]
        said += [field.field_info.annotation for field in route.dependant.body_params]
        models |= {model.__name__: model for model in said if model is not None}
    assert len(models) > 15
    for name, model in models.items():
        assert issubclass(model, BaseModel)
        TypeAdapter(model).validate_python(paper["components"]["schemas"][name]["example"], strict=True)
    assert not set(EXAMPLES) - set(models) - {"ProblemAnswer"}


def test_every_refusal_is_a_problem_with_its_example(paper: dict[str, Any]) -> None:
    for name, operation in operations(paper).items():
        for status, answer in operation["responses"].items():
            if status[0] in "45" and not name.endswith("/readyz"):
                examples = answer["content"][PROBLEM]["examples"]
                assert examples, f"{name}: {status}"
                for code, example in examples.items():
                    assert example["value"] == Problem(code).as_json()
                    assert str(example["value"]["status"]) == status
                    assert example["value"]["type"] == PROBLEM_TYPE_PREFIX + code


def test_what_every_route_can_answer_is_in_every_route(paper: dict[str, Any]) -> None:
    for name, operation in operations(paper).items():
        if operation["tags"] == ["operation"]:
            continue
        expected = {"400", "500", "503"}
        expected |= {"401", "403", "429"} if operation.get("security") else set()
        expected |= {"413"} if "requestBody" in operation else set()
        assert not expected - set(operation["responses"]), name


def test_every_problem_of_the_api_is_answered_somewhere(paper: dict[str, Any]) -> None:
    named = {
        code
        for operation in operations(paper).values()
        for answer in operation["responses"].values()
        for code in answer.get("content", {}).get(PROBLEM, {}).get("examples", {})
    }
    of_observers = {"chain-other", "block-unknown", "block-differs", "block-not-final", "chain-unavailable"}
    assert set(PROBLEMS) - named - of_observers == {"method-not-allowed"}
