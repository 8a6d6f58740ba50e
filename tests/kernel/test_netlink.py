"""Decode and encode of one object belong together: what ``ip`` made is read, deleted, and put back by its own words, as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest

from helpers.sandboxed import sandboxed, sh
from netless_lab.kernel.netlink.address import ADDRESSES_BODY, RTM_DELADDR, RTM_GETADDR, RTM_NEWADDR, decode_address, encode_address
from netless_lab.kernel.netlink.route import ROUTES_BODY, RTM_DELROUTE, RTM_GETROUTE, RTM_NEWROUTE, decode_route, encode_route, without_state
from netless_lab.kernel.netlink.socket import ACK, CREATE, EXCLUSIVE, NetlinkSocket

NEW = ACK | CREATE | EXCLUSIVE
GROUND = """
ip link set lo up
ip link add here type veth peer name there
ip link set there up
ip link set here up
ip address add 10.0.0.1/24 dev here
ip -6 address add fd00::1/64 dev here nodad
"""


def told(command: str) -> list[dict[str, Any]]:
    """What ``ip`` says."""
    found: list[dict[str, Any]] = json.loads(sh(f"ip -j {command}") or "[]")
    return found


def routes() -> list[dict[str, Any]]:
    """Those that somebody made: the kernel's own come and go with a carrier, and so do their flags."""
    found = told("-d route show table all") + told("-d -6 route show table all")
    made = [route for route in found if route["protocol"] in ("boot", "static")]
    return [{**route, "flags": [flag for flag in route["flags"] if flag == "onlink"]} for route in made]


@sandboxed
@pytest.mark.parametrize(
    "route",
    [
        "ip route add 203.0.113.0/24 via 10.0.0.9 dev here metric 7",
        "ip route add default via 10.0.0.9 proto static src 10.0.0.1",
        "ip route add 203.0.113.0/24 dev here scope link table 1000",
        "ip route add blackhole 203.0.113.0/24",
        "ip route add 203.0.113.0/24 via 198.51.100.1 dev here onlink",
        "ip route add unreachable 203.0.113.7",
        "ip route add 203.0.113.0/24 via inet6 fd00::9 dev here",
        "ip -6 route add fd01::/64 via fd00::9 dev here metric 50",
        "ip -6 route add prohibit fd02::/64",
    ],
)
def test_a_route_comes_back_as_it_was(route: str) -> None:
    """Gateways of either family, metrics, tables of any number, sources and routes that refuse."""
    sh(GROUND)
    before = routes()
    sh(route)
    after = routes()
    assert after != before
    with NetlinkSocket() as opened:
        (body,) = [body for body in opened.dump(RTM_GETROUTE, ROUTES_BODY) if _made(body)]
        (raw,) = decode_route(body)
        opened.request(RTM_DELROUTE, ACK, without_state(body))
        assert routes() == before
        opened.request(RTM_NEWROUTE, NEW, encode_route(raw.route, raw.device))
    assert routes() == after


def _made(body: bytes) -> bool:
    """Whether it is a route that somebody made, and not the kernel."""
    return any(raw.route.protocol in ("boot", "static") for raw in decode_route(body))


@sandboxed
@pytest.mark.parametrize("cidr", ["10.0.0.1/24", "fd00::1/64", "203.0.113.4/31"])
def test_an_address_comes_back_as_it_was(cidr: str) -> None:
    """With the broadcast address that ``ip ... brd +`` gives where there is one."""
    sh(GROUND)
    sh("ip address flush dev here scope global")
    sh(f"ip address add {cidr} {'nodad' if ':' in cidr else 'brd +'} dev here")
    before = _addresses()
    with NetlinkSocket() as opened:
        (body,) = [body for body in opened.dump(RTM_GETADDR, ADDRESSES_BODY) if (own := decode_address(body)) and own[1].cidr == cidr]
        found = decode_address(body)
        assert found is not None
        opened.request(RTM_DELADDR, ACK, body)
        assert _addresses() != before
        if ":" in cidr:  # its duplicate is not looked for
            sh("sysctl -qw net.ipv6.conf.here.accept_dad=0")
        opened.request(RTM_NEWADDR, NEW, encode_address(*found))
    assert _addresses() == before


def _addresses() -> list[dict[str, Any]]:
    kept = ("family", "local", "prefixlen", "broadcast", "scope")
    (link,) = told("address show dev here scope global") or [{}]
    return [{key: own[key] for key in kept if key in own} for own in link.get("addr_info", ())]
