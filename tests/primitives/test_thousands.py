"""Thousands of changes at once are told with work that grows as they do: while it is done the lab answers nobody."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

import msgspec
import pytest

from helpers.snapshots import address, host, lab, link
from netless_lab.model.diff import diff
from netless_lab.model.snapshot import Node, Route, Snapshot
from netless_lab.primitives.retell import retell

FEW, MANY = 200, 2000


def with_routes(node: Node, count: int) -> Node:
    """The node with so many routes of somebody's own."""
    own = tuple(Route(dst=f"10.{number // 250}.{number % 250}.0/24", via="203.0.113.1", dev="eth0") for number in range(count))
    return msgspec.structs.replace(node, routes=own)


def with_addresses(node: Node, count: int) -> Node:
    """The node with so many addresses on its link."""
    own = tuple(address(f"10.{number // 250}.{number % 250}.1/24") for number in range(count))
    return msgspec.structs.replace(node, links=(msgspec.structs.replace(node.links[0], addresses=own),))


def calls(before: Snapshot, after: Snapshot) -> int:
    """How many functions are called, and generators gone on with, to retell what changed."""
    count = 0

    def one(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal count
        count += event == "call"

    seen = diff(before, after)
    sys.setprofile(one)
    try:
        retell(seen, before, after)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("way", ["came", "went"])
@pytest.mark.parametrize("with_many", [with_routes, with_addresses])
def test_ten_times_as_many_take_ten_times_as_much(with_many: Callable[[Node, int], Node], way: str) -> None:
    """Not a hundred times, whether they came or went."""
    (node,) = lab(host(link("eth0"))).nodes
    base = lab(host(link("eth0")))

    def needed(count: int) -> int:
        full = msgspec.structs.replace(base, nodes=(with_many(node, count),))
        return calls(base, full) if way == "came" else calls(full, base)

    assert needed(MANY) < 2 * MANY // FEW * needed(FEW)
