"""Where a webhook may lead: to the public Internet, and to private networks that the operator has named.

Whoever registers a webhook has the notary speak to an address of his choosing (server-side request forgery).
So nothing is ever sent to this machine, its networks, or the addresses where a cloud hands out credentials. A
name is resolved once for each attempt, every address that it has is looked at, and one of those is connected
to: what the name says a moment later changes nothing (DNS rebinding).

The table `[webhooks]` of notary.toml:

    [webhooks]
    networks = ["10.20.0.0/16"]   # private networks that may be sent to, over plain http, too
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from mizheng.notary.errors import ConfigurationError, Problem

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]

# What every receiver's software takes, and room for a token in the path.
MAX_URL = 1000
# RFC 3986 without spaces, controls and anything but ASCII; a name is written in punycode.
_URL = re.compile(r"[!-~]+")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")
# Where clouds hand out credentials, though the address is a public one (Azure); others are link-local, unique
# local or shared, and refused as such.
_METADATA = frozenset({ipaddress.ip_address("168.63.129.16")})
# IETF protocol assignments (RFC 6890), some of which count as global, and the relays of 6to4 (RFC 7526).
_PROTOCOLS = (ipaddress.ip_network("192.0.0.0/24"), ipaddress.ip_network("192.88.99.0/24"))
# Of IPv6 only what is given out as global unicast (RFC 4291 §2.4); all else has a purpose of its own.
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
# Global unicast by number, but a way to an IPv4 address: 6to4 (RFC 3056) and Teredo (RFC 4380).
_TUNNELS = (ipaddress.ip_network("2002::/16"), ipaddress.ip_network("2001::/32"))
# NAT64 (RFC 6052 §2.1): the last 32 bits are the IPv4 address that is spoken to.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class AddressRefusedError(Exception):
    """The name has no address, or one that must not be sent to. Which of these is told to nobody."""


@dataclass(frozen=True, slots=True)
class Target:
    """A webhook's URL in its parts."""

    scheme: str
    host: str
    port: int
    path: str
    """Path and query, as they are sent."""

    @property
    def host_header(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == {"http": 80, "https": 443}[self.scheme] else f"{name}:{self.port}"


@dataclass(frozen=True, slots=True)
class WebhookSetup:
    """What the operator allows."""

    networks: tuple[Network, ...] = ()
    """Private networks that may be sent to."""


def parse_webhooks(table: Mapping[str, Any]) -> WebhookSetup:
    """Read the table; ConfigurationError says what is wrong."""
    networks = table.get("networks", [])
    if set(table) - {"networks"} or not isinstance(networks, list):
        raise ConfigurationError("notary.toml: [webhooks] has the setting networks, a list, and no other")
    try:
        return WebhookSetup(tuple(ipaddress.ip_network(item) for item in networks))
    except (ValueError, TypeError):
        raise ConfigurationError(
            "notary.toml: [webhooks]: networks is a list of networks",
            hint='each with its length, such as "10.20.0.0/16" or "fd12:3456::/48"',
        ) from None


def parse_target(url: str) -> Target:
    """The parts of a URL; Problem `webhook-url-wrong` for one that cannot be a webhook's."""
    try:
        if len(url) > MAX_URL or not _URL.fullmatch(url):
            raise ValueError
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        if parts.scheme not in ("http", "https") or "@" in parts.netloc or parts.fragment:
            raise ValueError
        if not (_HOST.fullmatch(host) or _is_ipv6(host)) or port == 0:
            raise ValueError
    except ValueError:
        raise Problem("webhook-url-wrong") from None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or {"http": 80, "https": 443}[parts.scheme], path)


def choose_addresses(setup: WebhookSetup, target: Target, resolve: Resolve | None = None) -> list[str]:
    """The addresses that may be connected to for this target, in the resolver's order; AddressRefusedError if
    there is none, or any that must not be.
    """
    try:
        found = [ipaddress.ip_address(item) for item in (resolve or _resolve)(target.host, target.port)]
    except (OSError, ValueError, UnicodeError):
        raise AddressRefusedError from None
    if not found or not all(_is_allowed(setup, target, _plain(address)) for address in found):
        raise AddressRefusedError
    return list(dict.fromkeys(str(address) for address in found))


def is_public(address: Address) -> bool:
    """Whether it is an address of the public Internet that one host has."""
    address = _plain(address)
    if address in _METADATA or address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    if address.version == 6:
        is_tunnel = any(address in network for network in _TUNNELS)
        return address in _GLOBAL_UNICAST and address.is_global and not is_tunnel
    return address.is_global and not any(address in network for network in _PROTOCOLS)


def _is_allowed(setup: WebhookSetup, target: Target, address: Address) -> bool:
    if any(address in network for network in setup.networks if network.version == address.version):
        return True
    # In the clear, whoever stands between could read and change it: only within a named network.
    return target.scheme == "https" and is_public(address)


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, if it stands for one."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_ipv6(host: str) -> bool:
    try:
        # With a zone it would be link-local.
        return "%" not in host and ipaddress.ip_address(host).version == 6
    except ValueError:
        return False


def _resolve(host: str, port: int) -> Sequence[str]:
    return [str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
