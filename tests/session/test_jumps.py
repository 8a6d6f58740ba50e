"""Moving in time: from any step to any step, in both directions, with a mess in between, the state equals that of a clean run."""

from __future__ import annotations

import random
from typing import Any

import pytest

from helpers.running import Running, running
from helpers.waiting import eventually
from netless_lab.client import Refused

pytestmark = pytest.mark.kernel
JUMPS = {"a push": 40, "thoroughly": 200}
MESSES = (
    "ip link add stray type bridge; ip link set stray up",
    "ip link set veth2 nomaster; ip link set veth2 down",
    "ip link add odd type veth peer name even; ip link set even netns $(pgrep -xo sleep)",
    "ip addr add 10.9.9.1/24 dev eth0; ip route add 10.8.0.0/16 via 203.0.113.1; ip rule add from 10.0.0.2 prohibit",
    "nft add table inet mine; nft 'add chain inet mine f { type filter hook forward priority 5; policy drop; }'",
    "sysctl -qw net.ipv4.ip_forward=1; sysctl -qw net.ipv4.conf.all.rp_filter=1; sysctl -qw net.ipv4.icmp_echo_ignore_all=1",
    "ip netns add x1; ip netns add x2; ip link add vx type vxlan id 7 dstport 4789 dev eth0; rm -f /run/netns/c1",
    "ip link del eth0; ip link set lo down",
    "echo nameserver 10.1.1.1 > /etc/resolv.conf; mkdir -p /etc/netns/c1; echo x > /etc/netns/c1/resolv.conf",
)


def state(lab: Running) -> Any:
    """What iproute2, nft and the files say of host and containers, without numbers that differ from run to run."""
    told: dict[str, Any] = {"names": lab.sh("ls /run/netns", check=False), "etc": lab.sh("ls /etc/netns 2>/dev/null; cat /etc/resolv.conf")}
    for node in sorted(node.name for node in lab.status().nodes):
        links = {
            link["ifname"]: (link["flags"].count("UP"), link.get("master"), link["mtu"], link.get("linkinfo", {}).get("info_kind"))
            for link in lab.told("ip -j -d link", node)
        }
        addresses = sorted((link["ifname"], own["local"]) for link in lab.told("ip -j -4 addr", node) for own in link["addr_info"])
        routes = sorted((route["dst"], route.get("gateway"), route.get("dev")) for route in lab.told("ip -j -4 route", node))
        rules = [(rule["priority"], rule["src"]) for rule in lab.told("ip -j rule", node)]
        settings = lab.sh(
            "cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/all/rp_filter /proc/sys/net/ipv4/icmp_echo_ignore_all", node
        )
        told[node] = links, addresses, routes, rules, settings, lab.sh("nft -s list ruleset", node)
    return told


@pytest.mark.timeout(600)  # dozens of rebuilds
@pytest.mark.parametrize("how", ["a push", pytest.param("thoroughly", marks=pytest.mark.long)])
def test_random_jumps(how: str) -> None:
    """After each of many random jumps the judge agrees with where we are, and every eighth time the whole state equals a clean run's."""
    chance = random.Random(20)
    with running() as lab, running() as clean:
        places = [f"{lesson.id}/{step.id}" for lesson in lab.status().course.lessons for step in lesson.steps]
        wanted: dict[tuple[str, bool], Any] = {}
        for number in range(JUMPS[how]):
            place, end = chance.choice(places), chance.random() < 0.5
            if number % 3 == 0:
                lab.sh(chance.choice(MESSES), check=False)
            lab.goto(place, end=end)
            status = lab.status()
            assert status.position == f"container/{place}"
            assert not status.notices
            if number % 8 == 0:
                if (place, end) not in wanted:
                    clean.reset("lab")
                    clean.goto(place, end=end)
                    wanted[place, end] = state(clean)
                assert state(lab) == wanted[place, end], (number, place, end)


def test_a_name_that_is_the_uplinks_too() -> None:
    """The end is called eth0 in the container, as containers have it: one gets back to where it is still on the host, by whatever verb."""
    with running() as lab:
        lab.goto("cable/plug")
        lab.sh("ip link set veth1 netns c1 name eth0")
        assert lab.check().verdicts[0].verdict.passed and lab.status().bindings == {"veth1": "eth0"}
        for place in ("cable/plug", "cable/pair", "cable/plug"):
            lab.goto(place)
            assert lab.links() == {"lo", "eth0"} | ({"veth1", "veth2"} if place == "cable/plug" else set())
            assert "eth0" not in str(lab.status().page.commands)
        lab.sh("ip link set veth1 netns c1 name eth0")
        assert lab.check().verdicts[0].verdict.passed
        lab.goto("internet/masquerade", end=True)
        assert lab.links("c1") == {"lo", "eth0"} and lab.links() == {"lo", "eth0", "veth2", "br0"}
        assert lab.pings("198.51.100.10")


def test_play_mode_is_forgotten() -> None:
    """In play mode nothing is judged and anything goes; leaving it rebuilds the lab for the step, as is said beforehand."""
    from netless_lab.protocol import Play

    with running() as lab:
        lab.goto("switch/bridge-up", end=True)
        before = state(lab)
        assert "the lab is rebuilt for this step" in lab.client.ask(Play(on=True)).text
        lab.sh("ip link del br0; ip link add chaos type bridge; nft add table ip mine")
        assert eventually(lambda: "chaos" in str(lab.snapshot()))
        assert lab.status().playing
        with pytest.raises(Refused) as told:
            lab.client.ask(Play(on=False))
        assert "chaos" in str(told.value.going) and "br0" in str(told.value.coming)
        assert lab.status().playing and "chaos" in lab.sh("ip -br link")
        lab.client.ask(Play(on=False, force=True))
        assert state(lab) == before
        assert lab.check().verdicts[0].verdict.result == "pass"


def test_shells_survive_moving() -> None:
    """A process in host and one in a container live on through goto, back and the reset of a lesson; that of the lab starts containers anew."""
    with running() as lab:
        lab.goto("container/switch", end=True)
        pids = {node: lab.sh("setsid sleep 1000 >/dev/null 2>&1 & echo $!", node).strip() for node in ("host", "c1")}

        def alive(node: str) -> bool:
            return lab.sh(f"kill -0 {pids[node]} 2>/dev/null && echo alive", node, check=False).strip() == "alive"

        lab.goto("cable/plug")
        lab.back()
        lab.reset("lesson")
        lab.goto("container/internet", end=True)
        assert alive("host") and alive("c1")
        lab.reset("lab")
        assert alive("host") and not alive("c1")
