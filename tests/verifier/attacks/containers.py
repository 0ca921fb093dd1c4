"""The container of a bundle, member by member, for attacks that tell one lie about it."""

from __future__ import annotations

from collections.abc import Callable

from mizheng.verifier.report import Report, Verdict

from tests.support.world import failed
from tests.support.zips import Member, build_zip

from .scene import Scene, refuse


def members_of(scene: Scene) -> list[Member]:
    return [Member(name, data) for name, data in scene.honest.items()]


def structure_refused(scene: Scene, data: bytes) -> Report:
    report = refuse(data, scene.trust)
    assert report.verdict is Verdict.INVALID
    assert failed(report) == {"bundle.structure"}
    assert report.latest is None
    return report


def lie(name: str = "README.txt", **changes: object) -> Callable[[Scene], bytes]:
    """One member's headers say what is not so. `local_x` and `central_x` change one header only."""

    def build(scene: Scene) -> bytes:
        members = members_of(scene)
        victim = next(member for member in members if member.name == name)
        for key, value in changes.items():
            where, _, what = key.partition("_")
            if where in ("local", "central"):
                getattr(victim, where)[what] = value
            else:
                setattr(victim, key, value)
        return build_zip(members)

    return build
