"""Clients for asking other services over HTTP: authorities, witnesses, observers."""

import ssl
from functools import cache

import httpx
from mizheng.notary.chain.rpc import LOOPBACK


def make_client(seconds: float) -> httpx.Client:
    """A client that keeps its connections, waits so long for each answer, and follows nobody elsewhere."""
    # This machine's own addresses are never looked for at a proxy.
    direct = {f"all://{f'[{host}]' if ':' in host else host}": None for host in LOOPBACK}
    return httpx.Client(timeout=seconds, follow_redirects=False, mounts=direct, verify=_tls())


@cache
def _tls() -> ssl.SSLContext:
    # Reading the certificates that this machine trusts takes longer than anything else of a client.
    return httpx.create_ssl_context()
