"""The slips everyone makes: each gets, unasked, the sentence that names it; put right, the step passes and nothing is held against it."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time

import pytest

from helpers.hands import accepted, hands
from helpers.running import Running
from helpers.waiting import eventually
from netless import shell as netless_shell

pytestmark = pytest.mark.kernel


def near(lab: Running) -> str:
    """Every near-miss sentence of the verdict the watching judge gave."""
    verdict = lab.status().verdict
    return "\n".join(item.near for item in verdict.items) if verdict is not None and not verdict.passed else ""


SLEEP = "$(pgrep -fx 'sleep infinity')"
SLIPS = [
    (
        "netless/name",
        "ip netns add c1",
        "decoy",
        f"ip netns del c1; ip netns attach c1 {SLEEP}",
    ),
    (
        "netless/name",
        "mkdir -p /run/netns; ln -s /proc/1/ns/net /run/netns/c1",
        "process id",
        f"ln -sfn /proc/{SLEEP}/ns/net /run/netns/c1",
    ),
    (
        "netless/name",
        "mkdir -p /run/netns; ln -s /proc/99999/ns/net /run/netns/c1",
        "no namespace",
        f"ip netns del c1; ip netns attach c1 {SLEEP}",
    ),
    (
        "cable/plug",
        "ip netns add decoy; ip link set veth1 netns decoy",
        "not c1's",
        "ip -n decoy link set veth1 netns c1",
    ),
    (
        "cable/address",
        "ip -n c1 addr add 10.0.0.2/30 dev veth1",
        "/24",
        "ip -n c1 addr del 10.0.0.2/30 dev veth1; ip -n c1 addr add 10.0.0.2/24 dev veth1",
    ),
    (
        "cable/address",
        "ip -n c1 addr add 10.0.0.2 dev veth1",
        "network of one",
        "ip -n c1 addr flush dev veth1; ip -n c1 addr add 10.0.0.2/24 dev veth1",
    ),
    (
        "cable/address",
        "ip addr add 10.0.0.2/24 dev veth2",
        "in the host, not in c1",
        "ip addr del 10.0.0.2/24 dev veth2; ip -n c1 addr add 10.0.0.2/24 dev veth1",
    ),
    (
        "cable/address",
        "ip -n c1 link set lo down; ip -n c1 addr add 10.0.0.2/24 dev veth1",
        "lo in c1 is down",
        "ip -n c1 link set lo up",
    ),
    (
        "cable/switch-on",
        "ip link set veth2 up",
        "other end",
        "ip -n c1 link set veth1 up",
    ),
    (
        "switch/gateway",
        "ip addr add 10.0.0.1/24 dev veth2",
        "belongs to the bridge",
        "ip addr del 10.0.0.1/24 dev veth2; ip addr add 10.0.0.1/24 dev br0",
    ),
    (
        "switch/port-up",
        "ip -n c1 link set veth1 down; ip link set veth2 up",
        "veth1 is down",
        "ip -n c1 link set veth1 up",
    ),
    (
        "internet/default-route",
        "ip -n c1 route add default via 10.0.0.2",
        "belongs to c1",
        "ip -n c1 route replace default via 10.0.0.1",
    ),
    (
        "internet/forwarding",
        "ip netns exec c1 sysctl -qw net.ipv4.ip_forward=1",
        "on in c1",
        "sysctl -qw net.ipv4.ip_forward=1",
    ),
    (
        "internet/masquerade",
        "ip netns exec c1 iptables -t nat -A POSTROUTING -s 10.0.0.0/24 -j MASQUERADE",
        "in c1",
        "iptables -t nat -A POSTROUTING -s 10.0.0.0/24 ! -o br0 -j MASQUERADE",
    ),
    (
        "internet/masquerade",
        "iptables -t nat -A POSTROUTING -s 10.0.1.0/24 ! -o br0 -j MASQUERADE",
        "10.0.1.0/24",
        "iptables -t nat -A POSTROUTING -s 10.0.0.0/24 ! -o br0 -j MASQUERADE",
    ),
    (
        "internet/door-out",
        "nft add rule ip lab forward oifname br0 accept",
        "iifname",
        "nft flush chain ip lab forward; nft add rule ip lab forward iifname br0 accept",
    ),
    (
        "internet/names",
        "echo nameserver 198.51.100.53 > /etc/resolv.conf",
        "file of the host",
        f"nsenter -t {SLEEP} -m sh -c 'echo nameserver 198.51.100.53 > /etc/resolv.conf'",
    ),
    (
        "neighbour/second",
        "ip netns add c2",
        "no process",
        "ip netns del c2; setsid unshare -nmui sh -c 'hostname c2; exec sleep 5000' & "
        "until ip netns attach c2 $(pgrep -fx 'sleep 5000') 2>/dev/null; do :; done",
    ),
]
"""Where, what is typed first, a word of the sentence that names the slip, and what is typed then."""


@pytest.mark.parametrize(("place", "slip", "word", "remedy"), SLIPS, ids=[f"{place}-{word}" for place, _, word, _ in SLIPS])
def test_a_slip_is_named_and_can_be_put_right(lab: Running, place: str, slip: str, word: str, remedy: str) -> None:
    """C4, C8, C14: the verdict of the watching judge holds the matching sentence; after the remedy the step passes by itself."""
    lab.goto(place)
    with hands(lab) as shell:
        said = shell.type(slip)
        assert eventually(lambda: word in near(lab)), f"{said}\n{lab.check()}"
        said = shell.type(remedy)
        accepted(lab, f"{remedy}: {said}")


def test_an_address_set_before_the_move_is_told_of(lab: Running) -> None:
    """C15: the address is there, the cable is moved, the address is gone: the verdict of the address step knows why."""
    lab.goto("cable/plug")
    lab.sh("ip addr add 10.0.0.2/24 dev veth1; ip link set veth1 up; ip link set veth1 netns c1")
    accepted(lab, "plug")
    lab.next()
    assert eventually(lambda: "mov" in near(lab)), near(lab)
    assert lab.told("ip -j addr show veth1", "c1")[0]["addr_info"] == []


def test_a_ping_that_works_for_the_wrong_reason(lab: Running) -> None:
    """C6: the host takes the container's address itself; ping is happy, the judge is not, and says who it was that answered."""
    lab.goto("switch/port-up")
    lab.sh("ip addr add 10.0.0.2/32 dev br0; ip link set veth2 up")
    assert lab.pings("10.0.0.2", "host")
    assert eventually(lambda: "answers itself" in near(lab) or "own echo" in near(lab)), lab.check()
    assert lab.check().verdicts[0].verdict.result == "fail"
    lab.sh("ip addr del 10.0.0.2/32 dev br0")
    accepted(lab, "the usurper went")


def test_a_name_of_sixteen_characters_is_explained(lab: Running) -> None:
    """B7: the kernel's "policy validation" is translated where it is seen: in the lab's own shell, once, and the lab is unchanged."""
    lab.goto("cable/pair")
    entry = lab.entry("host")
    master, slave = pty.openpty()
    shell = subprocess.Popen(
        [*entry.argv, *netless_shell.command()], env={**os.environ, **entry.env, "TERM": "xterm"}, stdin=slave, stdout=slave, stderr=slave
    )
    os.close(slave)
    try:
        os.write(master, b"ip link add name veth-container-1 type veth peer name veth2\nexit\n")
        seen = b""
        end = time.monotonic() + 10
        while b"has 16" not in seen and time.monotonic() < end:
            if select.select([master], [], [], 0.2)[0]:
                seen += os.read(master, 65536)
        assert b"at most 15 characters; veth-container-1 has 16" in seen
    finally:
        shell.kill()
        shell.wait()
        os.close(master)
    assert not any("veth" in name for name in lab.links())
