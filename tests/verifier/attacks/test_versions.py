"""Documents of a later version: not understood, so neither valid nor broken."""

from __future__ import annotations

from typing import Any

import pytest
from mizheng.verifier.canonical import dump
from mizheng.verifier.report import Verdict

from tests.support.world import failed, judge, statuses

from .documents import OBSERVATION, PAYLOAD_TYPES, Documents
from .scene import Scene, refuse

CODES = {
    "bundle.dsse.json": "bundle.signature",
    "statement.dsse.json": "envelope.signature",
    "enrolment.dsse.json": "depositor.enrolment",
    "key-status.dsse.json": "depositor.key-status",
    OBSERVATION: "observation.signature",
    "anchors/0001.json": "anchor.header",
    "beacon.json": "beacon.block",
}


@pytest.fixture
def documents(scene: Scene) -> Documents:
    return Documents.of(scene)


def later(value: Any, number: int) -> Any:
    return {**value, "type": value["type"].replace("v1", f"v{number}")}


@pytest.mark.parametrize("number", [2, 3, 10, 999])
@pytest.mark.parametrize("name", CODES)
def test_a_later_version_of_a_document_leaves_the_verdict_open(
    scene: Scene, documents: Documents, name: str, number: int
) -> None:
    """Whatever its other fields are: the type says first how they are to be read."""
    for fields in ({}, {"new": [1, {"field": None}]}):
        data = dump({**later(documents.value(name), number), **fields})
        report = judge(documents.put(name, data), scene.trust)
        assert statuses(report, CODES[name]) == ["NOT_CHECKED"]
        assert failed(report) == set()
        assert report.verdict is Verdict.UNDETERMINED


@pytest.mark.parametrize("name", PAYLOAD_TYPES)
def test_a_later_payload_type_leaves_the_verdict_open(scene: Scene, documents: Documents, name: str) -> None:
    later_type = PAYLOAD_TYPES[name].replace(".v1+", ".v2+")
    members = documents.signed(name, b"of a form that is not known today", later_type)
    report = judge(members, scene.trust)
    assert statuses(report, CODES[name]) == ["NOT_CHECKED"]
    assert report.verdict is Verdict.UNDETERMINED


@pytest.mark.parametrize(
    "found", ["mizheng/deposit/v0", "mizheng/deposit/v01", "mizheng/deposit/v", "deposit", ""]
)
def test_what_is_no_later_version_is_no_document(scene: Scene, documents: Documents, found: str) -> None:
    value = {**documents.value("statement.dsse.json"), "type": found}
    report = refuse(documents.put("statement.dsse.json", dump(value)), scene.trust)
    assert failed(report) == {"envelope.signature"}


@pytest.mark.parametrize("name", CODES)
def test_a_document_of_another_type_is_broken(scene: Scene, documents: Documents, name: str) -> None:
    value = {**documents.value(name), "type": "mizheng/revocation/v1"}
    report = refuse(documents.put(name, dump(value)), scene.trust)
    assert CODES[name] in failed(report)


@pytest.mark.parametrize("name", PAYLOAD_TYPES)
def test_a_signature_for_another_purpose_is_broken(scene: Scene, documents: Documents, name: str) -> None:
    """The same payload and key under another payload type: what was signed was something else."""
    members = documents.signed(name, documents.payload(name), "application/vnd.mizheng.revocation.v1+json")
    assert CODES[name] in failed(refuse(members, scene.trust))


def test_a_kind_of_chain_from_a_later_version(scene: Scene, documents: Documents) -> None:
    for name in ("anchors/0001.json", "beacon.json"):
        value = documents.value(name)
        value["chain"]["kind"] = "fisco"
        report = judge(documents.put(name, dump(value)), scene.trust)
        assert statuses(report, CODES[name]) == ["NOT_CHECKED"]
        assert report.verdict is Verdict.UNDETERMINED


@pytest.mark.parametrize("name", ["heads/5.tlog-proof", "enrolment.tlog-proof"])
def test_a_log_proof_of_a_later_version_is_not_valid(scene: Scene, name: str) -> None:
    data = scene.honest[name].replace(b"tlog-proof@v1", b"tlog-proof@v2")
    refuse({**scene.honest, name: data}, scene.trust)


def test_a_later_member_beside_todays_leaves_the_verdict_open(scene: Scene, documents: Documents) -> None:
    """Nothing of today's is missing, but what the new one would have said is not known."""
    data = dump(later(documents.value("anchors/0001.json"), 2))
    report = judge({**documents.members, "anchors/0002.json": data}, scene.trust)
    assert statuses(report, "anchor.canonical") == ["PASS"]
    assert report.verdict is Verdict.UNDETERMINED


def test_a_later_bundle_may_have_members_of_new_names(scene: Scene, documents: Documents) -> None:
    """Its list says that it is later, before a name that is not known here can make it broken."""
    later_type = PAYLOAD_TYPES["bundle.dsse.json"].replace(".v1+", ".v2+")
    members = documents.signed("bundle.dsse.json", b"of a form that is not known today", later_type)
    report = judge({**members, "light-client/0001.json": b"{}"}, scene.trust)
    assert statuses(report, "bundle.structure") == ["NOT_CHECKED"]
    assert report.verdict is Verdict.UNDETERMINED


def test_a_new_name_in_a_bundle_of_this_version_is_refused(scene: Scene, documents: Documents) -> None:
    members = {**documents.put("README.txt", b""), "light-client/0001.json": b"{}"}
    assert failed(refuse(members, scene.trust)) == {"bundle.structure"}
