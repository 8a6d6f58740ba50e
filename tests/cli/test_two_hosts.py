"""A world of two hosts, each with a container (``tests/courses/pair``): built, judged, explained, reset and left. ip and ping are the witnesses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.checkout import CHECKOUT
from helpers.command_line import Cli, begun
from helpers.waiting import eventually

pytestmark = [pytest.mark.kernel, pytest.mark.rootless]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Cli]:
    """A lab that stands in the world of two hosts."""
    with begun(tmp_path, "pair", CHECKOUT / "tests" / "courses") as cli:
        yield cli


def addresses(cli: Cli, node: str) -> dict[str, list[str]]:
    """The IPv4 addresses of each interface but the loopback, as ip(8) says."""
    told: list[Any] = json.loads(cli("exec", node, "--", "ip", "-j", "addr").stdout)
    return {link["ifname"]: [own["local"] for own in link["addr_info"] if own["family"] == "inet"] for link in told if link["ifname"] != "lo"}


def pings(cli: Cli, node: str, target: str, code: int = 0) -> None:
    """Whether a ping is answered."""
    cli("exec", node, "--", "ping", "-c1", "-W1", target, code=code)


def stands(cli: Cli) -> None:
    """The world is there, and nothing else."""
    assert [(node["name"], node["role"]) for node in cli.json("status")["nodes"]] == [
        ("host", "host"), ("internet", "internet"), ("far", "host"), ("c1", "container"), ("c2", "container"),
    ]  # fmt: skip
    assert addresses(cli, "host") == {"eth0": ["203.0.113.2"], "veth2": ["10.0.1.1"]}
    assert addresses(cli, "far") == {"eth0": ["203.0.113.130"], "veth4": ["10.0.2.1"]}
    assert addresses(cli, "internet") == {"eth0": ["203.0.113.1"], "far": ["203.0.113.129"]}
    assert addresses(cli, "c2") == {"veth3": ["10.0.2.2"]}


def test_the_hosts_reach_each_other_and_the_site(lab: Cli) -> None:
    """Each by its own cable; their containers do not before the lessons are done, and do then, both ways."""
    stands(lab)
    for node, target in (("host", "203.0.113.130"), ("far", "203.0.113.2"), ("far", "198.51.100.10"), ("c2", "10.0.2.1")):
        pings(lab, node, target)
    pings(lab, "c1", "10.0.2.2", code=1)
    lab("goto", "pair", "--end")
    lab("check", "pair")
    pings(lab, "c1", "10.0.2.2")
    pings(lab, "c2", "10.0.1.2")


def test_why_names_the_host_that_is_to_blame(lab: Cli) -> None:
    """The far host's forwarding, its cable; and a provider without a route is told so, and gets no default route towards a customer."""
    lab("run")
    told = lab("ping", "c1", "10.0.2.2", "--explain", code=1).stdout
    assert "internet" in told and "mend it" not in told
    lab("goto", "pair", "--end")
    lab("exec", "far", "--", "sysctl", "-qw", "net.ipv4.ip_forward=0")
    told = lab("ping", "c1", "10.0.2.2", "--explain", code=1).stdout
    assert "net.ipv4.ip_forward is 0 in far" in told and "ip_forward=1" in told
    failed = lab("check", code=1).stdout
    assert "far passes on packets that are not for itself; seen: net.ipv4.ip_forward is 0" in failed
    lab("exec", "far", "--", "ip", "link", "set", "veth4", "down")
    assert "veth4 of far" in lab("ping", "c2", "10.0.1.2", "--explain", code=1).stdout


def test_a_reset_puts_every_host_back(lab: Cli) -> None:
    """What was done on the far host is undone as on the first; its name and its processes stay its own."""
    for line in ("ip link del veth4", "ip link add left-over type bridge", "sysctl -qw net.ipv4.ip_forward=1", "nft add table ip mess", "hostname other"):
        lab("exec", "far", "--", "sh", "-c", line)
    lab("exec", "internet", "--", "ip", "route", "add", "10.0.2.0/24", "via", "203.0.113.130")
    lab("reset", "step", "--yes")
    stands(lab)
    assert lab("exec", "far", "--", "sysctl", "-n", "net.ipv4.ip_forward").stdout == "0\n"
    assert "mess" not in lab("exec", "far", "--", "nft", "list", "tables").stdout
    assert lab("exec", "far", "--", "hostname").stdout == "far\n"
    assert "10.0.2.0" not in lab("exec", "internet", "--", "ip", "route").stdout


@pytest.mark.parametrize("node", ["far", "internet"])
def test_a_reset_starts_again_what_is_no_container(lab: Cli, node: str) -> None:
    """Whoever ends the process of a host or of the internet hears that a reset brings it back, and it does: it can be entered, and answers."""
    pid = next(own["pid"] for own in lab.json("status")["nodes"] if own["name"] == node)
    lab("exec", "host", "--", "kill", "-KILL", str(pid))
    assert eventually(lambda: any(f"The process of {node} was killed" in note for note in lab.json("status")["notices"]))
    lab("exec", node, "--", "true", code=2)
    assert f"the process of {node}" in lab("reset", "step", "--yes").stderr
    stands(lab)
    pings(lab, "host", "203.0.113.130")
    pings(lab, "far", "198.51.100.10")
    assert "Nothing to reset" in lab("reset", "step", "--yes").stdout


def test_the_picture_holds_every_host_with_its_cables(lab: Cli) -> None:
    """Nothing is dropped: both hosts and all that hangs on them, as text and as a graph."""
    drawn = lab("diagram", "--width", "130", "--height", "40").stdout
    assert "[fwd✗]" in next(line for line in drawn.splitlines() if line.lstrip().startswith("╰─")), "the gate of the far host"
    lab("exec", "far", "--", "sysctl", "-qw", "net.ipv4.ip_forward=1")
    assert "[fwd] " in next(line for line in lab("diagram", "--width", "130", "--height", "40").stdout.splitlines() if line.lstrip().startswith("╰─"))
    for word in ("far", "203.0.113.130/25", "veth4", "10.0.2.1/24", "veth3", "host", "203.0.113.2/25", "veth2", "internet", "203.0.113.129/25"):
        assert word in drawn, word
    graph = lab("diagram", "--mermaid").stdout
    assert graph.count("203.0.113.129/25") == 1 and "veth4" in graph


def test_the_far_host_goes_with_its_world(lab: Cli) -> None:
    """The other course knows one host, and a provider that passes nothing on; and back again."""
    lab("goto", "container/cable", "--end")
    lab("check", "container/cable")
    assert [node["name"] for node in lab.json("status")["nodes"]] == ["host", "internet", "c1"]
    assert addresses(lab, "internet") == {"eth0": ["203.0.113.1"]}
    assert lab("exec", "internet", "--", "sysctl", "-n", "net.ipv4.ip_forward").stdout == "0\n"
    lab("goto", "pair")
    stands(lab)
