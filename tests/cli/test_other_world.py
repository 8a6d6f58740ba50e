"""A course in a world of its own (``tests/courses/shop``): other containers, another uplink, site and zone, and a network that is half built.

It stands beside the course that comes along; one lab goes from one to the other. ip, getent and curl are the witnesses.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.checkout import CHECKOUT
from helpers.command_line import Cli, begun

pytestmark = [pytest.mark.kernel, pytest.mark.rootless]

LESSONS = CHECKOUT / "tests" / "courses"
HALF_BUILT = {"up0": ["203.0.113.66"], "br-shop": ["10.0.0.1"], "front1": []}
"""What the shop's world has on the host, with IPv4 addresses."""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Cli]:
    """A lab that has both courses and stands in the shop."""
    with begun(tmp_path, "shop", LESSONS) as cli:
        yield cli


def told(cli: Cli, node: str, *words: str) -> Any:
    """What ip(8) says in a node."""
    return json.loads(cli("exec", node, "--", "ip", "-j", *words).stdout)


def addresses(cli: Cli, node: str = "host") -> dict[str, list[str]]:
    """The IPv4 addresses of each interface but the loopback."""
    return {
        link["ifname"]: [own["local"] for own in link["addr_info"] if own["family"] == "inet"]
        for link in told(cli, node, "addr")
        if link["ifname"] != "lo"
    }


def nodes(cli: Cli) -> list[str]:
    """The nodes there are, in their order."""
    return [node["name"] for node in cli.json("status")["nodes"]]


def stands_in_the_shop(cli: Cli) -> None:
    """Its world is there, and nothing else."""
    assert nodes(cli) == ["host", "internet", "front", "back"]
    assert addresses(cli) == HALF_BUILT
    assert addresses(cli, "front") == {"front0": ["10.0.0.2"]} and addresses(cli, "back") == {}
    assert [route["gateway"] for route in told(cli, "host", "route") if route["dst"] == "default"] == ["203.0.113.65"]
    assert addresses(cli, "internet") == {"up0": ["203.0.113.65"]}


def stands_in_the_container(cli: Cli) -> None:
    """The world of the course that comes along is there, and nothing else."""
    assert nodes(cli) == ["host", "internet", "c1"]
    assert addresses(cli) == {"eth0": ["203.0.113.2"]} and addresses(cli, "internet") == {"eth0": ["203.0.113.1"]} and addresses(cli, "c1") == {}


def test_the_world_is_as_the_course_describes_it(lab: Cli) -> None:
    """Nodes, addresses, routes; and at the course's end its names and its pages, with whom the site saw."""
    stands_in_the_shop(lab)
    lab("goto", "shop/switch", "--end")
    lab("check", "shop")
    assert lab("exec", "front", "--", "curl", "-s", "http://shop.test/").stdout == "Welcome to the shop.\nI see you as 203.0.113.66\n"
    assert lab("exec", "front", "--", "getent", "hosts", "api.shop.test").stdout.split() == ["198.51.100.80", "api.shop.test"]
    assert lab("exec", "front", "--", "getent", "hosts", "198.51.100.81").stdout.split() == ["198.51.100.81", "ns.shop.test"]
    lab("exec", "front", "--", "getent", "hosts", "example.test", code=2)


def test_a_reset_after_any_mess_is_that_world_again(lab: Cli) -> None:
    """Also when what the world had, the uplink itself included, was taken away; nothing of it counts as the learner's own."""
    assert lab.json("snapshot")  # somebody has looked
    for line in ("ip link del br-shop", "ip link del up0", "ip link add left-over type bridge", "sysctl -qw net.ipv4.ip_forward=1"):
        lab("exec", "host", "--", "sh", "-c", line)
    lab("exec", "front", "--", "ip", "link", "del", "front0")
    lab("reset", "step", "--yes")
    stands_in_the_shop(lab)
    lab("run")
    lab("reset", "lab", "--yes")
    stands_in_the_shop(lab)
    assert "Nothing to reset" in lab("reset", "step", "--yes").stdout


def test_one_lab_goes_from_world_to_world(lab: Cli) -> None:
    """There, back, and there again in the middle of a lesson, with nothing of one left in the other; each course passes to its end."""
    lab("run", "shop/join/cable")
    lab("exec", "back", "--", "ip", "route", "add", "default", "via", "10.0.0.1")
    lab("goto", "container/cable/plug")
    assert addresses(lab) == {"eth0": ["203.0.113.2"], "veth1": [], "veth2": []} and nodes(lab) == ["host", "internet", "c1"]
    lab("goto", "shop/join")
    stands_in_the_shop(lab)
    lab("goto", "container/netless")
    stands_in_the_container(lab)
    lab("goto", "container/internet", "--end")
    lab("check", "container/internet")
    assert "I see you as 203.0.113.2\n" in lab("exec", "c1", "--", "curl", "-s", "http://example.test/").stdout
    lab("exec", "host", "--", "ip", "link", "del", "eth0")
    lab("goto", "shop/switch", "--end")
    lab("check", "shop")


def test_the_agent_killed_in_the_middle(lab: Cli) -> None:
    """The next lab stands in the world of the course where the learner was, half built as it is; its ticks are there."""
    lab("run")
    lab("goto", "container/cable")
    lab("goto", "shop/switch")
    os.kill(int(lab.json("status")["agent_pid"]), signal.SIGKILL)
    lab("up")
    stands_in_the_shop(lab)
    status = lab.json("status")
    assert status["position"] == "shop/switch/out" and status["course"]["lessons"][0]["steps"][0]["earned"]
    lab("goto", "container/netless")
    stands_in_the_container(lab)


def test_why_sends_to_the_page_of_the_course_at_hand(lab: Cli) -> None:
    """Both courses teach what a missing default route is: each sends to its own page; what only the other teaches is taught there."""
    lab("run")
    assert "shop/switch/out" in lab("ping", "front", "198.51.100.80", "--explain", code=1).stdout
    lab("exec", "host", "--", "ip", "link", "set", "br-shop", "down")
    assert "container/switch/" in lab("ping", "front", "10.0.0.1", "--explain", code=1).stdout
    lab("goto", "container/internet")
    assert "container/internet/default-route" in lab("ping", "c1", "198.51.100.10", "--explain", code=1).stdout


def test_the_script_of_a_session_makes_the_same_of_a_fresh_lab(lab: Cli) -> None:
    """What the world has is there already: it is no part of the script."""
    lab("goto", "shop/switch")
    lab("run")
    script, now = lab("history", "--script").stdout, addresses(lab)
    lab("down")
    lab("up", "shop")
    lab("goto", "shop/join")
    lab("exec", "host", "--", "sh", "-c", script)
    assert addresses(lab) == now and addresses(lab, "back") == {"back0": ["10.0.0.3"]}
    lab("check", "shop")


def test_what_a_world_cannot_have_is_said_and_the_lab_goes_on(cli: Cli, tmp_path: Path) -> None:
    """A course whose world fails in the kernel: the lab starts, says what failed and where it is written; other courses are to be had."""
    (tmp_path / "bad").mkdir()
    text = (LESSONS / "shop" / "course.toml").read_text().replace('id = "shop"', 'id = "bad"').replace('{ up = "br-shop" }', '{ up = "absent0" }')
    (tmp_path / "bad" / "course.toml").write_text(text)
    for page in (LESSONS / "shop").glob("*.md"):
        (tmp_path / "bad" / page.name).write_text(page.read_text())
    cli.environment["NETLESS_LESSONS"] = str(tmp_path)
    cli("up", "bad")
    (note,) = cli.json("status")["notices"]
    assert "could not be made whole" in note and "bad/course.toml" in note
    assert "absent0" in cli("goto", "bad/join", code=4).stderr
    cli("goto", "container/cable", "--end")
    cli("check", "container/cable")
