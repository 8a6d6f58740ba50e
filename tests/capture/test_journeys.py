"""Journeys for real: ARP first, floods and learning, NAT both ways, TTL, errors, deaths, tunnels, TCP, DNS, IPv6, other people's."""

from __future__ import annotations

import asyncio

from capture import frames
from capture.watching import Watched, places, watched
from helpers.sandboxed import sandboxed, sh
from helpers.wires import forget, inside
from netless_lab.kernel.capture import Recorder
from netless_lab.model.journey import Direction, Journey
from netless_lab.model.journeys.assemble import MOST_HOPS, follow, traffic
from netless_lab.model.journeys.converse import Sight, converse, questions
from netless_lab.model.journeys.decode import decode
from netless_lab.model.journeys.flow import Flow
from netless_lab.model.journeys.frame import Frame, Ground, Recording
from netless_lab.model.journeys.path import death, learned
from netless_lab.model.probe import Connect, Fetch, Lookup, Outcome, Ping

SITE = "198.51.100.10"
THERE = ["c1.eth0>", "host.veth1<", "host.br0<", "host.up0>", "net.eth0<"]
BACK = ["net.eth0>", "host.up0<", "host.br0>", "host.veth1>", "c1.eth0<"]


@sandboxed
async def test_a_ping_through_nat_hop_by_hop() -> None:
    """ARP before the packet, the flood to the other container, the bridge's learning, TTL, and both rewrites at the right place."""
    async with watched() as lab:
        seen = await lab.journey(Ping("c1", SITE))
        assert seen.complete and seen.death is None and seen.lost_frames == 0
        assert places(seen, "forward") == THERE and places(seen, "return") == BACK
        asked, told = ["c1.eth0>", "host.veth1<", "host.br0<", "host.veth2>", "c2.eth0<"], ["host.br0>", "host.veth1>", "c1.eth0<"]
        assert places(seen)[:8] == asked + told
        assert [hop.kind for hop in seen.hops[:8]] == ["arp-request"] * 5 + ["arp-reply"] * 3
        assert {hop.ttl for hop in seen.hops if hop.leg == "forward" and hop.node in ("c1", "host") and hop.link != "up0"} == {64}
        assert {hop.ttl for hop in seen.hops if hop.link == "up0" and hop.leg == "forward"} == {63}
        assert [(own.node, own.what, own.before, own.after) for own in seen.rewrites] == [
            ("host", "source", "10.0.0.2", "203.0.113.2"), ("host", "destination", "203.0.113.2", "10.0.0.2"),
        ]  # fmt: skip
        assert [seen.hops[own.after_hop].link for own in seen.rewrites] == ["br0", "up0"]
        mac = inside(lab.nodes, "c1", "ip -br link show eth0").split()[2]
        assert [(own.port, own.mac) for own in seen.learned if own.port == "veth1"] == [("veth1", mac)]
        assert [(own.bridge, own.ports) for own in seen.floods] == [("br0", ("br0", "veth2"))]
        times = [hop.at_us for hop in seen.hops]
        assert times == sorted(times) and times[0] == 0 and times[-1] < 1_000_000


def test_a_packet_that_did_not_arrive_is_the_one_that_died() -> None:
    """Of two attempts the first got no further than its sender and the second arrived unanswered: the death is the first one's."""
    def seen(number: int, seq: int, node: str, direction: Direction) -> Sight:
        data = frames.ethernet(frames.ip4(1, frames.echo(seq=seq), target="10.0.0.3"))
        return Sight(Frame(number, node, "eth0", 2, direction, data, len(data)), decode(data), 1)

    sights = [seen(0, 1, "c1", "out"), seen(1, 2, "c1", "out"), seen(2, 2, "c2", "in")]
    found = death(sights, Ground(owners={"10.0.0.3": ("c2",)}), "c1", asked=False)
    assert found is not None and (found.node, found.link, found.after_hop) == ("c1", "eth0", 0)


def test_a_packet_in_a_loop_dies_where_it_was_seen_last() -> None:
    """Two routers send an echo to and fro, more often than a journey keeps: the first sightings are told, the others counted, the last is the death's."""
    data = frames.ethernet(frames.ip4(1, frames.echo()))
    places: tuple[tuple[str, Direction], ...] = (("c1", "out"), ("host", "in"), ("host", "out"), ("c1", "in"))
    seen = [Frame(10**9 + number, *places[number % 4][:1], "eth0", 2, places[number % 4][1], data, len(data)) for number in range(MOST_HOPS + 10)]
    ping = Ping("c1", "198.51.100.10")
    made = follow(ping, Outcome(ping, "failed", "silence", "no answer", ident=77), Recording(tuple(seen)), (), Ground()).journey
    assert (len(made.hops), made.left_out) == (MOST_HOPS, 10)
    assert made.death is not None and (made.death.node, made.death.after_hop, made.death.leg) == ("host", MOST_HOPS + 9, "forward")


def test_a_frame_for_another_mac_is_a_copy_only_behind_a_bridge() -> None:
    """What a node itself put on a cable died at the other end, whatever MAC it was for; what a bridge flooded there is no more than a copy."""
    def seen(number: int, node: str, link: str, direction: Direction) -> Sight:
        data = frames.ethernet(frames.ip4(1, frames.echo(), target="10.0.0.3"))
        return Sight(Frame(number, node, link, 2, direction, data, len(data)), decode(data), 1)

    def died(ground: Ground) -> int | None:
        sights = [seen(0, "c1", "eth0", "out"), seen(1, "host", "wg0", "out"), seen(2, "far", "wg1", "other")]
        found = death(sights, ground, "c1", asked=False)
        return found.after_hop if found is not None else None

    cable = {("host", "wg0"): ("far", "wg1"), ("far", "wg1"): ("host", "wg0")}
    ports = {("host", "veth9"): "br0"}
    assert died(Ground(ports=ports, peers=cable)) == 2
    assert died(Ground(ports=ports | {("host", "wg0"): "br0"}, peers=cable)) == 0


def test_a_bridge_learns_no_group_as_a_sender() -> None:
    """A frame that gives a group as its source teaches nothing, as in the kernel (is_valid_ether_addr, br_input.c); an ordinary one does."""
    ordinary = frames.ethernet(frames.ip4(1, frames.echo()))
    group = ordinary[:6] + bytes.fromhex("01005e000001") + ordinary[12:]
    sights = [
        Sight(Frame(number, "host", "veth1", 3, "in", data, len(data)), decode(data), 1) for number, data in enumerate((group, ordinary))
    ]
    found = learned(sights, Ground(ports={("host", "veth1"): "br0"}))
    assert [(own.port, own.mac, own.at_hop) for own in found] == [("veth1", frames.MAC_A.hex(":"), 1)]


@sandboxed
async def test_two_containers_on_one_bridge() -> None:
    """Layer two only: no rewrite, no TTL change, and the bridge itself is not on the way once it knows the MACs."""
    async with watched() as lab:
        await lab.journey(Ping("c1", "10.0.0.3"))
        seen = await lab.journey(Ping("c1", "10.0.0.3"))
        assert places(seen) == ["c1.eth0>", "host.veth1<", "host.veth2>", "c2.eth0<", "c2.eth0>", "host.veth2<", "host.veth1>", "c1.eth0<"]
        assert {hop.ttl for hop in seen.hops} == {64} and seen.rewrites == () and seen.floods == ()


@sandboxed
async def test_a_mac_the_bridge_does_not_know_is_flooded() -> None:
    """With its forwarding database empty and neighbours known, a unicast frame goes everywhere; a copy that is not wanted is no death."""
    async with watched("c1", "c2", "c3") as lab:
        await lab.journey(Ping("c1", "10.0.0.3"))
        sh("ip link set br0 type bridge fdb_flush")
        inside(lab.nodes, "c2", "sysctl -qw net.ipv4.icmp_echo_ignore_all=1")
        seen = await lab.journey(Ping("c1", "10.0.0.3"))
        assert [(own.unknown_mac, set(own.ports)) for own in seen.floods] == [(True, {"veth2", "veth3"})]
        assert ("c3", "eth0") in {(hop.node, hop.link) for hop in seen.hops if hop.direction == "other"}
        assert seen.death is not None and (seen.death.node, seen.death.link) == ("c2", "eth0")


@sandboxed
async def test_where_packets_die() -> None:
    """Silence at a router, nobody's address, an unplugged port, no route, a TTL that ends: the last place alive, on the right leg."""
    async with watched() as lab:
        await lab.journey(Ping("c1", SITE))
        assert died(await lab.journey(Ping("c1", SITE, ttl=1))) == ("host", "br0", "forward")
        sh("sysctl -qw net.ipv4.ip_forward=0")
        assert died(await lab.journey(Ping("c1", SITE))) == ("host", "br0", "forward")
        assert died(await lab.journey(Ping("c1", "10.0.0.77"))) == ("c1", "eth0", "arp")
        sh("sysctl -qw net.ipv4.ip_forward=1; nft delete table ip lab")
        assert died(await lab.journey(Ping("c1", SITE))) == ("net", "eth0", "forward")
        sh("ip link set veth2 nomaster")
        forget(lab.nodes)
        assert died(await lab.journey(Ping("c1", "10.0.0.3"))) is not None
        inside(lab.nodes, "c1", "ip route del default")
        assert died(await lab.journey(Ping("c1", SITE))) == ("c1", "", "forward")


def died(journey: Journey) -> tuple[str, str, str] | None:
    """Where it died."""
    return (journey.death.node, journey.death.link, journey.death.leg) if journey.death is not None else None


@sandboxed
async def test_an_icmp_error_comes_back_on_the_journey() -> None:
    """TTL exceeded: the router's error is part of the journey, on the way back, and says what it is about."""
    async with watched() as lab:
        await lab.journey(Ping("c1", SITE))
        seen = await lab.journey(Ping("c1", SITE, ttl=1))
        told = [hop for hop in seen.hops if hop.kind == "icmp-error"]
        assert [f"{hop.node}.{hop.link}" for hop in told] == ["host.br0", "host.veth1", "c1.eth0"]
        assert {(hop.src, hop.leg) for hop in told} == {("10.0.0.1", "return")}
        assert told[0].text == f"10.0.0.1 > 10.0.0.2 TTL exceeded about 10.0.0.2 > {SITE}"


@sandboxed
async def test_the_reply_that_does_not_come_home() -> None:
    """A rule that drops answers on the router: the death is on the way back, behind the place where the answer was last seen."""
    async with watched() as lab:
        sh("nft add table ip t; nft add chain ip t f '{ type filter hook forward priority 0; }'")
        sh("nft add rule ip t f icmp type echo-reply drop")
        seen = await lab.journey(Ping("c1", SITE))
        assert died(seen) == ("host", "up0", "return") and not seen.complete


@sandboxed
async def test_a_connection_redirected_and_translated() -> None:
    """A published port from outside: destination NAT in the host, followed through it and back by the connection table."""
    async with watched() as lab:
        sh("""nft add table ip pub; nft add chain ip pub pre '{ type nat hook prerouting priority -100; }'
            nft add rule ip pub pre tcp dport 8080 dnat to 10.0.0.3:80""")
        seen = await lab.journey(Connect("net", "203.0.113.2", 8080))
        assert seen.complete, "it was refused, and the refusal came home"
        assert places(seen, "forward") == ["net.eth0>", "host.up0<", "host.br0>", "host.veth2>", "c2.eth0<"]
        assert places(seen, "return") == ["c2.eth0>", "host.veth2<", "host.br0<", "host.up0>", "net.eth0<"]
        assert [(own.what, own.before, own.after) for own in seen.rewrites] == [
            ("destination", "203.0.113.2:8080", "10.0.0.3:80"), ("source", "10.0.0.3:80", "203.0.113.2:8080"),
        ]  # fmt: skip


@sandboxed
async def test_a_rewrite_before_the_first_sighting() -> None:
    """The host's own firewall redirects what the host sends: no wire shows the address that was asked for, the connection table does."""
    async with watched() as lab:
        sh("""nft add table ip pub; nft add chain ip pub out '{ type nat hook output priority -100; }'
            nft add rule ip pub out tcp dport 8080 dnat to 10.0.0.3:80""")
        seen = await lab.journey(Connect("host", "203.0.113.2", 8080))
        (rewrite,) = seen.rewrites
        assert (rewrite.node, rewrite.after_hop, rewrite.before, rewrite.after) == ("host", -1, "203.0.113.2:8080", "10.0.0.3:80")


@sandboxed
async def test_a_ping_to_oneself_stays_on_lo() -> None:
    """Request and reply have the same addresses; both are told apart, and nothing leaves."""
    async with watched() as lab:
        seen = await lab.journey(Ping("c1", "10.0.0.2"))
        assert seen.complete and {hop.link for hop in seen.hops} == {"lo"}
        assert [hop.leg for hop in seen.hops] == ["forward", "forward", "return", "return"]


@sandboxed
async def test_names_and_pages() -> None:
    """A lookup that is refused and a page that nobody serves: the packets of name and connection, in words."""
    async with watched() as lab:
        asked = await lab.journey(Lookup("c1", "example.test", server=SITE))
        assert asked.hops[-1].kind in ("icmp-error", "udp") and any("DNS A example.test?" in hop.text for hop in asked.hops)
        page = await lab.journey(Fetch("c1", f"http://{SITE}/"))
        assert [hop.text.split()[-1] for hop in page.hops if hop.node == "net"] == ["SYN", "RST,ACK"]


@sandboxed
async def test_fragments_stay_with_their_packet() -> None:
    """A ping of 3,000 bytes is cut in three: each piece is on the journey, on its leg."""
    async with watched() as lab:
        seen = await lab.journey(Ping("c1", "10.0.0.1", size=3000))
        assert seen.complete
        assert sum(hop.kind == "fragment" for hop in seen.hops) == 2 * sum(hop.kind.startswith("echo") for hop in seen.hops) > 0
        assert {hop.leg for hop in seen.hops if hop.kind == "fragment"} == {"forward", "return"}


@sandboxed
async def test_a_packet_inside_a_tunnel_is_the_same_packet() -> None:
    """Through VXLAN between two bridges: one journey, tunnelled hops say so, and the inner addresses are shown all the way."""
    async with watched() as lab:
        pid = lab.nodes["net"].pid
        sh(f"""ip link add vx0 type vxlan id 100 local 203.0.113.2 remote 203.0.113.1 dstport 4789 dev up0; ip link set vx0 master br0 up
            nsenter --net=/proc/{pid}/ns/net sh -ec '
              ip link add vx0 type vxlan id 100 local 203.0.113.1 remote 203.0.113.2 dstport 4789 dev eth0
              ip addr add 10.0.0.50/24 dev vx0; ip link set vx0 up; for n in 1 2 3 4 5 6 7 8; do ping -nc1 -W1 10.0.0.2 && break; done'""")
        seen = await lab.journey(Ping("c1", "10.0.0.50"))
        assert seen.complete, seen
        tunnelled = [hop for hop in seen.hops if "VXLAN 100" in hop.text and hop.leg == "forward"]
        assert [(hop.node, hop.link) for hop in tunnelled] == [("host", "up0"), ("net", "eth0")]
        assert {hop.dst for hop in tunnelled} == {"10.0.0.50"}


@sandboxed
async def test_six_speaks_too() -> None:
    """An IPv6 ping of the learner's own: neighbour discovery first, then request and reply, as one journey."""
    async with watched() as lab:
        for name, number in (("c1", 2), ("c2", 3)):
            inside(lab.nodes, name, f"sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0; ip addr add fd00::{number}/64 dev eth0 nodad")
        await asyncio.sleep(0.05)
        made = await followed(lab, "ping -6 -nc1 -W2 fd00::3")
        ping = next(journey for journey in made if journey.title.endswith("echo request seq 1"))
        assert ping.complete and ping.target == "fd00::3"
        assert ping.hops[0].kind == "ipv6-nd" and ping.hops[0].text == "who has fd00::3? tell fd00::2"
        assert places(ping, "forward") == ["c1.eth0>", "host.veth1<", "host.veth2>", "c2.eth0<"]


@sandboxed
async def test_other_peoples_packets_become_journeys() -> None:
    """Three pings and a connection by hand: one journey for each, with the ARP they caused, complete or dead as they were."""
    async with watched() as lab:
        made = await followed(lab, f"ping -nqc3 -i0.01 {SITE}; {connect('10.0.0.3')}")
        titles = [journey.title for journey in made]
        assert [f"10.0.0.2 > {SITE} echo request seq {n}" for n in (1, 2, 3)] == titles[:3]
        assert titles[3].startswith("10.0.0.2:") and titles[3].endswith("> 10.0.0.3:9 SYN") and len(made) == 4
        assert all(journey.complete and journey.death is None for journey in made)
        assert [sum(hop.leg == "arp" for hop in journey.hops) > 0 for journey in made] == [True, False, False, True]


@sandboxed
async def test_an_answer_that_only_reached_the_translator_has_not_come_home() -> None:
    """The host has the address that the answer is sent to, but masquerades for c1: when its filter drops the answer there, it died there."""
    async with watched() as lab:
        sh("""nft add table ip t; nft add chain ip t f '{ type filter hook forward priority 0; }'
            nft add rule ip t f iifname up0 drop""")
        journeys = await followed(lab, f"ping -nqc1 -W0.2 {SITE} || true")
        (journey,) = (one for one in journeys if "echo request" in one.title)
        assert not journey.complete and journey.death is not None
        assert (journey.death.node, journey.death.link, journey.death.leg) == ("host", "up0", "return")
        found = await lab.investigate(Ping("c1", SITE))
        assert [(run.leg, run.arrived) for run in found.runs][:2] == [("forward", True), ("return", False)]


def connect(to: str) -> str:
    """The command that opens a connection nobody takes."""
    return f"python3 -c 'import socket; socket.create_connection((\"{to}\", 9))' 2>/dev/null || true"


async def followed(lab: Watched, command: str) -> tuple[Journey, ...]:
    """The journeys of everything that passes while a shell command runs in c1."""
    ground = Ground.of(lab.reader.snapshot(tuple(lab.nodes.values())))
    with lab.lookout.watch() as watching:
        inside(lab.nodes, "c1", command)
        await asyncio.sleep(0.01)
        seen = watching.stop()
    found = converse(((frame, decode(frame.data)) for frame in seen.recording.frames), seen.flows)
    made = traffic(found.conversations, questions(found.neighbours), ground)
    return tuple(one.journey for one in made if "IGMP" not in one.journey.title)


@sandboxed
async def test_nat_is_followed_without_a_table_to_tell_of_it() -> None:
    """The same packet enters a node and leaves it as another: the addresses differ, the packet is the same, and so is the conversation."""
    async with watched() as lab:
        recorder = Recorder(lab.lookout.taps)
        recorder.start()
        inside(lab.nodes, "c1", connect(SITE))
        await asyncio.sleep(0.01)
        recording: Recording = recorder.stop()
        flows: tuple[Flow, ...] = ()
        found = converse(((frame, decode(frame.data)) for frame in recording.frames), flows)
        (conversation,) = (own for own in found.conversations if own.first.packet.kind == "tcp")
        assert [sight.leg for sight in conversation.sights] == [1] * 5 + [-1] * 5
        assert {"10.0.0.2", "203.0.113.2"} <= conversation.addresses
