"""The HTTP application: routes, errors, limits. It holds nothing that cannot be thrown away."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi.concurrency import run_in_threadpool
from mizheng.notary.metrics import Counting
from mizheng.notary.pages.people.routes import people_routes
from mizheng.notary.pages.routes import page_routes
from mizheng.notary.routes import (
    access_requests,
    beacon,
    certificates,
    deposits,
    events,
    health,
    keys,
    lists,
    log,
    lookup,
    mailbox,
    organisation,
    urgent,
    webhooks,
)
from mizheng.notary.routes.limits import BodyLimit
from mizheng.notary.routes.openapi import complete_openapi
from mizheng.notary.routes.problems import install_handlers
from mizheng.notary.routes.shortcut import NotaryApp
from mizheng.notary.service import Service

_DESCRIPTION = """
Takes signed statements over commitments, keeps them in a transparency log and anchors the log on a chain.
The notary never sees what was sealed.

Errors are RFC 9457 problem details whose `type` is stable.
"""


_ROOMS = (
    deposits,
    urgent,
    certificates,
    events,
    mailbox,
    keys,
    organisation,
    webhooks,
    lists,
    lookup,
    access_requests,
    beacon,
    log,
    health,
)


def create_app(service: Service) -> NotaryApp:
    """The application over a service, which it starts and stops."""

    @asynccontextmanager
    async def run_service(_app: NotaryApp) -> AsyncIterator[None]:
        await run_in_threadpool(service.start)
        try:
            yield
        finally:
            await run_in_threadpool(service.stop)

    app = NotaryApp(
        title="Mizheng notary",
        version=version("mizheng"),
        description=_DESCRIPTION,
        lifespan=run_service,
        # Their pages load scripts from elsewhere; the document itself is at /openapi.json.
        docs_url=None,
        redoc_url=None,
        # One spelling each: what is asked for with a slash too many is not there.
        redirect_slashes=False,
    )
    app.state.service = service
    for room in _ROOMS:
        app.include_router(room.router)
    if service.pages.is_enabled:
        app.router.routes.extend(page_routes)
        if service.people is not None:
            app.router.routes.extend(people_routes(service.people))
    install_handlers(app)
    app.add_shortcuts(service)
    app.add_middleware(BodyLimit)
    app.add_middleware(Counting, metrics=service.metrics)
    complete_openapi(app)
    return app
