"""When packets would prove nothing yet: ports that listen or learn, cables whose carrier has still to come."""

from __future__ import annotations

import re
from typing import Literal

from helpers.sandboxed import sandboxed, sh
from helpers.waiting import eventually
from helpers.wires import own_node
from netless_lab.kernel.probe.ready import pending
from netless_lab.kernel.read import Reader
from netless_lab.model.snapshot import Address, BridgePort, Link, Node, Peer, Snapshot


@sandboxed
def test_a_port_that_listens_or_learns_is_waited_for() -> None:
    """With STP a new port listens, then learns, each for the forward delay; bridge(8) says the same state at the same time."""
    sh("""ip link add br0 type bridge stp_state 1 forward_delay 200; ip link set br0 up; ip link add veth2 type veth peer name veth1
        ip link set veth1 up; ip link set veth2 master br0 up""")
    reader, host, seen = Reader(), own_node(), list[str]()
    for _ in range(100):
        told, waiting = sh("bridge link show dev veth2"), pending(reader.snapshot([host]))
        again = sh("bridge link show dev veth2")
        if told != again:
            continue
        state = told.split("state ")[-1].split()[0]
        assert bool(waiting) == (state in ("listening", "learning"))
        if waiting and waiting[0] not in seen:
            seen.append(waiting[0])
        if state == "forwarding":
            break
        sh("sleep 0.05")
    assert seen == [
        "port veth2 of br0 is still listening (STP), up to 4 s more before it forwards",
        "port veth2 of br0 is still learning (STP), up to 2 s more before it forwards",
    ]


@sandboxed
def test_what_will_not_change_by_itself_is_not_waited_for() -> None:
    """A port switched off on purpose, a cable with one end down, a bridge that is down: a probe may be sent and will tell."""
    sh("""ip link add br0 type bridge; ip link set br0 up; ip link add veth2 type veth peer name veth1; ip link set veth1 up
        ip link set veth2 master br0 up; ip link add p0 type veth peer name p1; ip link set p0 up""")
    reader, host = Reader(), own_node()
    for _ in range(60):
        if "state forwarding" in sh("bridge link show dev veth2"):
            break
        sh("sleep 0.05")
    assert pending(reader.snapshot([host])) == ()
    sh("bridge link set dev veth2 state 0")
    assert pending(reader.snapshot([host])) == ()
    sh("ip link set br0 down")
    assert pending(reader.snapshot([host])) == ()


@sandboxed
def test_the_kernel_catches_up_when_it_is_asked() -> None:
    """A bridge whose last live cable goes is told of as up for most of a second; ip(8) tells the truth once the reader has asked.

    What stands on the bridge hears of it as well.
    """
    sh("""ip link add br0 type bridge; ip link set br0 up; ip link add veth2 type veth peer name veth1
        ip link set veth2 master br0 up; ip link add upper link br0 type macvlan; ip link set upper up""")
    reader, host, late = Reader(), own_node(), 0
    for _ in range(3):
        sh("ip link set veth1 up; ip link show dev br0; ip link set veth1 down")
        late += "NO-CARRIER" not in _told_of_all("br0")
        reader.snapshot([host])
        reader.catch_up()
        assert "NO-CARRIER" in _told_of_all("br0")
        assert "LOWERLAYERDOWN" in _told_of_all("upper")
    assert late, "the kernel was never late: this test proves nothing"


@sandboxed
def test_who_looks_knows_when_to_ask() -> None:
    """A cable that was switched on or off is seen before the snapshot; once the kernel has caught up, and was looked at, there is nothing to ask."""
    sh("""ip link add br0 type bridge; ip link set br0 up; ip link add veth2 type veth peer name veth1
        ip link set veth2 master br0 up""")
    reader, host = Reader(), own_node()
    reader.snapshot([host])
    for state in ("up", "down", "up"):
        assert eventually(lambda: not reader.foresee())
        sh(f"ip link set veth1 {state}")
        assert reader.foresee()
        reader.catch_up()
        bridge, told = reader.snapshot([host]).nodes[0].link("br0"), _told_of_all("br0")
        assert bridge is not None and bridge.carrier == ("NO-CARRIER" not in told) == (state == "up")


def _told_of_all(link: str) -> str:
    """What ip(8) says of a link among all links: to ask for one alone is what makes the kernel catch up."""
    return next(line for line in sh("ip -o link show").splitlines() if re.match(rf"\d+: {link}[@:]", line))


def test_a_carrier_that_must_come_is_waited_for() -> None:
    """Both ends up and no carrier, or a live cable that its bridge has not heard of: it is a matter of at most a second."""
    near = Link("veth2", 2, "veth", up=True, carrier=False, peer=Peer("c1", "veth1", 2))
    far = Link("veth1", 2, "veth", up=True, carrier=False, peer=Peer("host", "veth2", 2))
    snapshot = Snapshot((Node("host", "host", 1, links=(near,)), Node("c1", "container", 2, links=(far,))))
    assert pending(snapshot) == (
        "veth2 in host has no carrier yet, although both its ends are up",
        "veth1 in c1 has no carrier yet, although both its ends are up",
    )
    bridge = Link("br0", 3, "bridge", up=True, carrier=False, forward_delay_s=15)
    port = Link("veth2", 2, "veth", up=True, carrier=True, master="br0", port=BridgePort("disabled"), operstate="down")
    assert pending(Snapshot((Node("host", "host", 1, links=(bridge, port)),))) == (
        "port veth2 of br0 is not forwarding yet: the bridge hears of its carrier within 1 s",
    )


@sandboxed
def test_an_address_that_is_still_asked_about_is_waited_for() -> None:
    """Until ip(8) stops to call it tentative; link-local addresses and one that somebody else has are not waited for."""
    sh("""for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 0 > $f; done
        ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up
        until ip -br link show v0 | grep -q ' UP '; do sleep 0.01; done
        ip addr add fd00::1/64 dev v0""")
    reader, host = Reader(), own_node()
    waiting = pending(reader.snapshot([host]))
    assert waiting == ("fd00::1 on v0 in host may not be used yet: the kernel still asks whether somebody has it",)
    sh("while ip -6 addr show dev v0 to fd00::1 | grep -q tentative; do sleep 0.01; done")
    assert pending(reader.snapshot([host])) == ()
    twice = Address("fd00::1", 64, 6, tentative=True, duplicate=True)
    link = Link("v0", 2, "veth", up=True, carrier=True, addresses=(twice,))
    assert pending(Snapshot((Node("host", "host", 1, links=(link,)),))) == ()


def test_who_has_less_time_than_a_port_takes_to_learn_does_not_wait_for_it() -> None:
    """A port that listens learns for a whole forward delay before it forwards; one that learns may be ready at any moment."""
    bridge = Link("br0", 3, "bridge", up=True, carrier=True, stp=True, forward_delay_s=15)

    def waiting(state: Literal["listening", "learning"], within_s: float) -> int:
        port = Link("veth2", 2, "veth", up=True, carrier=True, master="br0", port=BridgePort(state), operstate="up")
        return len(pending(Snapshot((Node("host", "host", 1, links=(bridge, port)),)), within_s))

    assert (waiting("listening", 1.5), waiting("listening", 15), waiting("learning", 1.5)) == (0, 1, 1)
