"""Where a webhook may lead, and above all where not."""

from __future__ import annotations

import ipaddress

import pytest
from mizheng.notary.errors import ConfigurationError, Problem
from mizheng.notary.webhooks.addresses import (
    AddressRefusedError,
    WebhookSetup,
    choose_addresses,
    is_public,
    parse_target,
    parse_webhooks,
)

# One address of each kind that is nobody's receiver (IANA's special-purpose registries, and clouds' own).
INNER = [
    "0.0.0.0",  # noqa: S104
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "192.88.99.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
OUTER = ["1.1.1.1", "223.5.5.5", "2400:3200::1", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
URL = "https://plm.example.com/hooks?token=1"


@pytest.mark.parametrize("address", INNER)
def test_inner_addresses_are_refused(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    with pytest.raises(AddressRefusedError):
        choose_addresses(WebhookSetup(), parse_target(URL), lambda _host, _port: [address])


@pytest.mark.parametrize("address", OUTER)
def test_public_addresses_are_taken(address: str) -> None:
    (found,) = choose_addresses(WebhookSetup(), parse_target(URL), lambda _host, _port: [address])
    assert ipaddress.ip_address(found) == ipaddress.ip_address(address)


def test_one_inner_address_among_public_ones_is_enough() -> None:
    with pytest.raises(AddressRefusedError):
        choose_addresses(WebhookSetup(), parse_target(URL), lambda _host, _port: ["1.1.1.1", "10.0.0.1"])


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1", "[::1]", "localhost"])
def test_other_spellings_of_this_machine_are_refused(host: str) -> None:
    """As the system's resolver reads them."""
    with pytest.raises((AddressRefusedError, Problem)):
        choose_addresses(WebhookSetup(), parse_target(f"https://{host}/"))


def test_in_the_clear_only_into_a_named_network() -> None:
    setup = parse_webhooks({"networks": ["10.20.0.0/16", "fd12:3456::/48"]})
    target = parse_target("http://court.internal/hook")
    for inner in ("10.20.3.4", "fd12:3456::7", "::ffff:10.20.3.4"):
        assert choose_addresses(setup, target, lambda _host, _port, inner=inner: [inner])
    for other in ("10.21.0.1", "127.0.0.1", "1.1.1.1"):
        with pytest.raises(AddressRefusedError):
            choose_addresses(setup, target, lambda _host, _port, other=other: [other])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://plm.example.com/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "https://",
        "https:///hook",
        "https://user@plm.example.com/",
        "https://user:word@plm.example.com/",
        "https://plm.example.com/#part",
        "https://plm.example.com:0/",
        "https://plm.example.com:99999/",
        "https://plm.example.com:x/",
        "https://plm.example.com/a b",
        "https://plm.example.com/\r\nx: y",
        "https://plm.example.com/\x00",
        "https://plm.example.com\\@10.0.0.1/",
        "https://[fe80::1%25eth0]/",
        "https://.example.com/",
        "https://例子.example/",
        "https://plm.example.com/" + "a" * 1000,
    ],
)
def test_what_is_no_webhooks_address(url: str) -> None:
    with pytest.raises(Problem, match="cannot be the address"):
        parse_target(url)


def test_the_parts_are_what_is_sent() -> None:
    target = parse_target("https://[2400:3200::1]:8443/a/b?c=d")
    assert (target.host, target.port, target.path, target.host_header) == (
        "2400:3200::1",
        8443,
        "/a/b?c=d",
        "[2400:3200::1]:8443",
    )
    assert parse_target("https://plm.example.com").path == "/"


@pytest.mark.parametrize(
    "table", [{"networks": "10.0.0.0/8"}, {"networks": ["10.0.0.1/8"]}, {"networks": [7.5]}, {"other": 1}]
)
def test_a_wrong_table_is_refused(table: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="webhooks"):
        parse_webhooks(table)
