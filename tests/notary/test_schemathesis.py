"""Schemathesis over the whole API: no 5xx, and no answer that the OpenAPI document does not have.

Twice: with whatever it makes up, and with ids of things that are there, so that it gets past the 404s.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.notary.depositor import TestDepositor, register
from tests.support.certificates import issue
from tests.support.notary import NotaryServer
from tests.tools.layout import ROOT

HOOKS = "tests.notary.schemathesis_hooks"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
)
SOAK = os.environ.get("MIZHENG_SOAK") == "1"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotaryServer]:
    data_dir = tmp_path_factory.mktemp("schemathesis") / "data"
    data_dir.mkdir()
    (data_dir / "notary.toml").write_text('[pages]\nper_minute = 0\n[webhooks]\nnetworks = ["127.0.0.0/8"]\n')
    with NotaryServer(data_dir) as running:
        yield running


@pytest.fixture(scope="module")
def company(server: NotaryServer, database: Engine) -> TestDepositor:
    found = register(server, database)
    found.enrol()
    return found


def run(company: TestDepositor, folder: Path, parameters: dict[str, str], *options: str) -> None:
    config = folder / "schemathesis.toml"
    values = [f'{name} = "{value}"' for name, value in parameters.items()]
    config.write_text("\n".join(["[parameters]", *values]) if values else "")
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run"]
    command += [f"{company.url}/openapi.json", "-H", f"Authorization: Bearer {company.api_key}"]
    command += ["--checks", ",".join(CHECKS), "--continue-on-failure", "--no-color", "--warnings", "off"]
    command += ["--seed", "1", "--no-shrink", "--suppress-health-check", "all", *options]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": HOOKS,
        "PYTHONPATH": str(ROOT),
        "NO_PROXY": "127.0.0.1",
    }
    # What it keeps between two runs it keeps there.
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout[-8000:]}\n{done.stderr[-2000:]}"
    assert "Failures:" not in done.stdout


def test_whatever_is_asked(company: TestDepositor, tmp_path: Path) -> None:
    run(company, tmp_path, {}, "-n", "200" if SOAK else "4")
    assert company.client.get("/readyz").json()["state"] == "ready"


def test_what_is_asked_of_things_that_are_there(company: TestDepositor, tmp_path: Path) -> None:
    made = issue(company)
    found: dict[str, Any] = company.client.post(
        "/v1/webhooks", json={"url": "http://127.0.0.1:9/hook", "events": ["deposit.final"]}
    ).json()
    test = company.client.post(f"/v1/webhooks/{found['id']}/test").json()
    (anchor,) = company.status(made.id)["anchors"]
    parameters = {
        "deposit_id": made.id,
        "digest": made.id,
        "number": made.number,
        "q": made.number,
        "Mizheng-Code": made.code,
        "transaction_hash": anchor["transaction_hash"],
        "webhook": found["id"],
        "delivery": test["id"],
        "level": "0",
        "path": "000.p/1",
    }
    # Not deleting, and not what has no ids.
    options = ["--exclude-method", "DELETE", "--include-path-regex", r"\{|certificates|lookup"]
    run(company, tmp_path, parameters, "-n", "200" if SOAK else "2", *options)
