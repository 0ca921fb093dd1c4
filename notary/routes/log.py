"""The log as everybody may read it: C2SP checkpoint, tiles and entry bundles."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from mizheng.notary.database import reading
from mizheng.notary.errors import Problem
from mizheng.notary.log.head import load_head
from mizheng.notary.log.publish import read_bundle, read_tile
from mizheng.notary.problems import document
from mizheng.notary.routes.access import ServiceOf
from mizheng.verifier.tiles import parse_tile_path

router = APIRouter(tags=["log"])

# A path and a width name the same bytes for ever.
_IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "the bytes"}
}


@router.get(
    "/checkpoint",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "C2SP signed note"}, **document()},
)
def get_checkpoint(service: ServiceOf) -> Response:
    """The log's present head, signed."""
    with reading(service.engine) as connection:
        note = load_head(connection).checkpoint
    return Response(
        note, headers={"Cache-Control": "public, max-age=1"}, media_type="text/plain; charset=utf-8"
    )


@router.get(
    "/tile/entries/{path:path}", response_class=Response, responses={**_BYTES, **document("not-found")}
)
def get_entries(path: str, service: ServiceOf) -> Response:
    """An entry bundle: `<N>` or `<N>.p/<W>`."""
    place = parse_tile_path(path)
    if place is None:
        raise Problem("not-found")
    with reading(service.engine) as connection:
        return _answer(read_bundle(connection, *place))


@router.get(
    "/tile/{level}/{path:path}", response_class=Response, responses={**_BYTES, **document("not-found")}
)
def get_tile(level: str, path: str, service: ServiceOf) -> Response:
    """A tile of hashes: `<N>` or `<N>.p/<W>` on its level."""
    place = parse_tile_path(path)
    # Levels are written without leading zeros, and a 63-bit tree has eight.
    if place is None or level not in "01234567" or len(level) != 1:
        raise Problem("not-found")
    with reading(service.engine) as connection:
        return _answer(read_tile(connection, int(level), *place))


def _answer(data: bytes | None) -> Response:
    if data is None:
        raise Problem("not-found")
    return Response(data, headers=_IMMUTABLE, media_type="application/octet-stream")
