"""`mizheng-notary serve`: one process that listens, sequences and anchors."""

import asyncio
import gc
import logging
import logging.config
import socket
import sys

import click
import uvicorn
from fastapi import FastAPI
from mizheng.notary.app import create_app
from mizheng.notary.commands.console import say
from mizheng.notary.config import Settings
from mizheng.notary.database import reading
from mizheng.notary.errors import ConfigurationError
from mizheng.notary.instance import only_server, open_instance
from mizheng.notary.log.head import load_head
from mizheng.notary.routes.intake import DepositDesk
from mizheng.notary.routes.quick import quick_protocol
from mizheng.notary.service import Service

# Deposits in flight are answered within a batch; longer than this nobody waits for a stopping server.
GRACE_SECONDS = 10
BACKLOG = 2048
# The sequencer gives up the interpreter at every statement. Python's 5 ms until it gets it back would be
# most of a batch's time.
SWITCH_SECONDS = 0.0005

_TRIAL_NOTICE = (
    "提示：内置链仅供试用，没有证据效力。",
    "note: the embedded chain is for trying only and has no evidential value.",
)


def run(settings: Settings) -> None:
    """Serve until told to stop; ConfigurationError when it cannot begin."""
    _configure_logging()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with only_server(settings):
        instance = open_instance(settings)
        listener = _listen(settings)
        service = Service(instance)
        _introduce(service, listener)
        quick = quick_protocol(service.served, service.metrics, DepositDesk(service))
        config = configure_server(create_app(service), quick)
        prepare_interpreter()
        uvicorn.Server(config).run(sockets=[listener])


def configure_server(app: FastAPI, protocol: type[asyncio.Protocol] | None = None) -> uvicorn.Config:
    """How an application is served here; `protocol` None: with uvicorn's own."""
    return uvicorn.Config(
        app,
        http=protocol or "auto",
        log_config=None,
        # Paths hold deposit ids; what is counted stands in /metrics.
        access_log=False,
        server_header=False,
        # Nothing here asks for the caller's address or scheme.
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def prepare_interpreter() -> None:
    """Settings of the process, once everything is loaded."""
    sys.setswitchinterval(SWITCH_SECONDS)
    # What is there by now stays: the collector need not walk through a whole EVM again and again while
    # somebody waits for an answer.
    gc.collect()
    gc.freeze()
    gc.enable()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; OSError when it cannot be had."""
    listener = socket.create_server((host, port), backlog=BACKLOG)
    # An answer leaves as two writes, head and body. Without this, whoever is alone on a connection gets the
    # second only after its delayed acknowledgement of the first: 40 ms. (asyncio sets it by itself only on
    # sockets that were made with the protocol's number.)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _listen(settings: Settings) -> socket.socket:
    try:
        return listen(settings.host, settings.port)
    except OSError as error:
        raise ConfigurationError(
            "cannot listen on {host} port {port}: {reason}",
            hint="choose another one with --port or MIZHENG_PORT",
            host=settings.host,
            port=settings.port,
            reason=error.strerror,
        ) from None


def _introduce(service: Service, listener: socket.socket) -> None:
    instance, settings = service.instance, service.instance.settings
    host, port = listener.getsockname()[:2]
    with reading(instance.engine) as connection:
        entries = load_head(connection).tree_size
    say("data directory: {path}", path=settings.data_dir)
    say("database: {url}", url=instance.engine.url.render_as_string(hide_password=True))
    say("keys: {path}", path=settings.keys_dir)
    say("log: {origin}, {count} entries", origin=instance.origin, count=entries)
    for keeper in service.chains:
        say("chain: {name}, {kind}", name=keeper.profile.name, kind=keeper.profile.kind)
        if keeper.deployment is not None:
            say("contract: 0x{contract}", contract=keeper.deployment.contract.hex())
    if any(profile.kind == "trial" for profile in service.chains.profiles):
        for line in _TRIAL_NOTICE:
            click.echo(line)
    say("listening on: {url}", url=f"http://{host}:{port}")


def _configure_logging() -> None:
    # To standard error, one line each: time, level, where, what. Nothing here logs bodies, headers or paths.
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"level": "WARNING", "handlers": ["stderr"]},
            "loggers": {"mizheng": {"level": "INFO"}},
        }
    )
