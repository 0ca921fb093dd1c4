"""A bundle that was packed anew gets its own bytes back; a ZIP that plays tricks gets nothing."""

from __future__ import annotations

import io

import pytest
from mizheng.verifier.errors import FormatError
from mizheng.verifier.normalize import normalize_bundle

from tests.support import vectors

SOUND = vectors.read("sound/one-file").bundle
SMALL = vectors.read("checkpoint/key-for-this-size").bundle
FORMS = [name for name in vectors.names() if name.startswith("form/")]
REFUSED = [name for name in vectors.names() if name.startswith(("zip/", "names/", "data/", "file/"))]


def normalized(data: bytes) -> tuple[bytes, bool]:
    target = io.BytesIO()
    is_changed = normalize_bundle(data, target)
    return target.getvalue(), is_changed


@pytest.mark.parametrize("name", FORMS)
def test_the_depositors_own_file_comes_back(name: str) -> None:
    # Which of the two bundles was packed anew is the vectors' matter.
    assert normalized(vectors.read(name).bundle) in ((SOUND, True), (SMALL, True))


def test_what_is_in_its_form_stays_as_it_is() -> None:
    assert normalized(SOUND) == (SOUND, False)


@pytest.mark.parametrize("name", REFUSED)
def test_what_two_readers_could_read_differently_is_refused(name: str) -> None:
    with pytest.raises(FormatError):
        normalize_bundle(vectors.read(name).bundle, io.BytesIO())


def test_a_broken_member_is_nothing_to_put_in_form() -> None:
    data = vectors.read("list/readme-changed").bundle
    assert normalized(data) == (data, False)
