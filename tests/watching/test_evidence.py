"""Evidence for real: routing answers, counters, connection table, rules, and the nftables trace of a replayed packet."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from capture.watching import Watched, watched
from helpers.sandboxed import sandboxed, sh
from helpers.waiting import becomes
from helpers.wires import inside, started
from netless_lab.kernel.evidence import nft_trace, ways
from netless_lab.kernel.evidence.nft_trace import Match, Tracing
from netless_lab.kernel.evidence.ways import Query
from netless_lab.kernel.read import NodeRef, Reader
from netless_lab.model.evidence import Evidence, RouteAnswer, TraceStep
from netless_lab.model.probe import Connect, Fetch, Lookup, Ping, Probe, Udp
from netless_lab.model.snapshot import Snapshot

SITE = "198.51.100.10"
UNBELIEVED = ("EINVAL", "EXDEV")
"""How routing refuses a source by its reverse path: the errno changed with Linux 6.13."""
FIREWALL = """nft add table inet fw; nft add chain inet fw forward '{ type filter hook forward priority 0; policy drop; }'
nft add rule inet fw forward ct state established counter accept; nft add rule inet fw forward tcp dport 80 counter reject"""


def routing_of(found: Evidence, node: str, dst: str, *, src: str | None = None, iif: str | None = None) -> RouteAnswer | None:
    """What the kernel answered to one question about routing; any sender and any link, where none is named. None when it was not asked."""
    return next((own for own in found.routes if (own.node, own.dst) == (node, dst) and src in (None, own.src) and iif in (None, own.iif)), None)


@sandboxed
async def test_a_packet_dropped_by_a_policy() -> None:
    """The wire, the trace and the routing decision name the same place; the trace names chain and policy, and nothing of ours stays."""
    async with watched() as lab:
        sh(FIREWALL)
        await lab.investigate(Ping("c1", "10.0.0.1"))
        found = await lab.investigate(Ping("c1", SITE))
        assert found.outcome.reason == "silence" and found.lost == 0 and found.missing == ()
        assert found.journey.death is not None and (found.journey.death.node, found.journey.death.link) == ("host", "br0")
        assert found.trace is not None and found.trace.nodes == ("host",)
        assert brief(found.trace.dropped) == ("host", "inet", "fw", "forward", "forward", "policy", None)
        forward = routing_of(found, "host", SITE, iif="br0")
        assert forward is not None and (forward.type, forward.via, forward.dev) == ("unicast", "203.0.113.1", "up0")
        assert [run.arrived for run in found.runs] == [False]
        assert "netless-trace" not in sh("nft list tables")


@sandboxed
async def test_a_packet_rejected_by_a_rule() -> None:
    """The rule's own counter rose, the trace names its handle and text, and the ICMP error says who made it."""
    async with watched() as lab:
        sh(FIREWALL)
        found = await lab.investigate(Connect("c1", SITE, 80))
        assert found.outcome.reason == "filtered"
        assert [(hit.chain, hit.text, hit.packets) for hit in found.rules] == [("forward", "tcp dport 80 counter reject", 1)]
        assert found.trace is not None and found.trace.dropped is not None
        assert found.trace.dropped.text == "tcp dport 80 counter reject"
        listed = json.loads(sh("nft -j list chain inet fw forward"))["nftables"]
        handles = [entry["rule"]["handle"] for entry in listed if "rule" in entry]
        assert found.trace.dropped.handle == handles[1]
        (error,) = found.errors
        assert (error.made_by, error.source, error.type, error.code, error.came_home) == ("host", "10.0.0.1", 3, 3, True)


def brief(step: TraceStep | None) -> tuple[object, ...]:
    """A step without its packet."""
    assert step is not None
    return step.node, step.family, step.table, step.chain, step.hook, step.kind, step.handle


DROPS: dict[str, tuple[Probe, str, str, str]] = {
    "output": (Ping("host", SITE), "ip output", "priority 0", "icmp type echo-request"),
    "input": (Ping("c1", "10.0.0.1"), "ip input", "priority 0", "icmp type echo-request"),
    "raw": (Ping("c1", SITE), "ip prerouting", "priority -300", "icmp type echo-request"),
    "bridge": (Ping("c1", "10.0.0.3"), "bridge forward", "priority 0", "ip protocol icmp"),
    "ingress": (Ping("c1", SITE), "netdev ingress", "device veth1 priority 0", "ip protocol icmp"),
    "arp": (Ping("c1", "10.0.0.1"), "arp input", "priority 0", "arp operation request"),
    "udp": (Lookup("c1", "a.test", server=SITE), "inet postrouting", "priority 0", "udp dport 53"),
    "tcp": (Fetch("c1", f"http://{SITE}/"), "inet forward", "priority 0", "tcp flags syn"),
}


@pytest.mark.parametrize("name", DROPS)
@sandboxed
async def test_every_family_and_hook_is_traced(name: str) -> None:
    """A rule anywhere on the way is named by the replay, in whichever family and hook it is."""
    probe, place, where, match = DROPS[name]
    family, hook = place.split()
    async with watched() as lab:
        sh(f"""nft add table {family} t; nft add chain {family} t c '{{ type filter hook {hook} {where}; }}'
            nft add rule {family} t c {match} drop""")
        found = await lab.investigate(probe)
        assert found.outcome.result == "failed" and found.trace is not None, found.missing
        dropped = found.trace.dropped
        assert dropped is not None and (dropped.family, dropped.hook, dropped.chain) == (family, hook, "c")
        assert dropped.handle is not None and dropped.text and dropped.text in sh("nft -s list ruleset")


@sandboxed
async def test_tracing_leaves_no_trace() -> None:
    """Cancelled in the middle it removes its table; a learner's own tables and tracing rules are as before, and no picture shows ours."""
    async with watched() as lab:
        sh(f"{FIREWALL}; nft add table ip mine; nft add chain ip mine pre '{{ type filter hook prerouting priority -350; }}'")
        sh("nft add rule ip mine pre ip saddr 10.0.0.3 meta nftrace set 1")
        before = sh("nft -s list ruleset")
        nodes = lab.reader.snapshot(tuple(lab.nodes.values())).nodes
        entered = asyncio.Event()

        async def trace() -> None:
            async with Tracing(lab.nodes, nodes, (Match(1, frozenset({4711})),)):
                entered.set()
                await asyncio.sleep(10)

        task = asyncio.create_task(trace())
        await entered.wait()
        during = sh("nft list tables")
        seen = lab.reader.snapshot(tuple(lab.nodes.values())).node("host")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert "table inet netless-trace-" in during
        assert seen is not None and all(not chain.table.startswith("netless") for chain in seen.chains), "it is no part of any picture"
        assert sh("nft -s list ruleset") == before


@sandboxed
async def test_tracing_that_fails_in_one_node_leaves_none_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lab is full when the second node is to be entered: the table that stands in the first is taken back."""
    async with watched() as lab:
        sh(FIREWALL)
        inside(lab.nodes, "c1", "nft add table ip mine; nft add chain ip mine pre '{ type filter hook prerouting priority 0; }'")
        before = sh("nft -s list ruleset")
        nodes = lab.reader.snapshot(tuple(lab.nodes.values())).nodes
        arm = nft_trace._arm

        def full(ref: NodeRef, *more: Any) -> Any:
            if ref.name == "c1":
                raise RuntimeError("can't start new thread")
            return arm(ref, *more)

        monkeypatch.setattr(nft_trace, "_arm", full)
        with pytest.raises(RuntimeError):
            async with Tracing(lab.nodes, nodes, (Match(1, frozenset({4711})),)):
                pass
        assert sh("nft -s list ruleset") == before


class Overtaken(Reader):
    """Just after its first look somebody else in the host asks who has an address that nobody has."""

    looked = False

    def snapshot(self, refs: Sequence[NodeRef]) -> Snapshot:
        """As a reader does."""
        found, first, self.looked = super().snapshot(refs), not self.looked, True
        if first:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
                own.sendto(b"x", ("10.0.0.77", 5000))
        return found


@sandboxed
async def test_a_question_that_somebody_else_has_just_asked() -> None:
    """A packet that joins the queue of a question under way dies of that question, and it is heard though it came before the packet."""
    async with watched() as lab:
        sh("sysctl -qw net.ipv4.neigh.br0.mcast_solicit=1")
        lab.reader = Overtaken()
        found = await lab.investigate(Ping("host", "10.0.0.77"))
        asked = [(hop.link, hop.dst) for hop in found.journey.hops if hop.kind == "arp-request" and hop.direction == "out" and hop.node == "host"]
        assert found.outcome.reason == "no-neighbour" and ("br0", "10.0.0.77") in asked


@sandboxed
async def test_only_the_probe_is_traced() -> None:
    """While somebody else pings through the same rules, the steps told are the probe's alone."""
    async with watched() as lab:
        sh(FIREWALL)
        noise = started(lab.nodes, "c2", "ping", "-nq", "-i0.002", SITE)
        found = await lab.investigate(Ping("c1", SITE))
        noise.kill()
        noise.wait()
        assert found.trace is not None and found.trace.steps
        assert {step.talk.src for step in found.trace.steps if step.talk is not None} == {"10.0.0.2"}
        assert len({step.talk for step in found.trace.steps}) == 1


@sandboxed
async def test_without_rules_nothing_is_replayed() -> None:
    """Forwarding is off and there is no rule anywhere on the way: the packet is sent once."""
    async with watched() as lab:
        sh("nft delete table ip lab; sysctl -qw net.ipv4.ip_forward=0")
        found = await lab.investigate(Ping("c1", SITE))
        refused = routing_of(found, "host", SITE, iif="br0")
        assert found.trace is None and refused is not None and refused.error == "EHOSTUNREACH"
        assert sh("ip route get 198.51.100.10 from 10.0.0.2 iif br0 2>&1 || true").strip().endswith(refused.words)


@sandboxed
async def test_routing_answers_as_ip_route_get() -> None:
    """Sent and received packets, local, gateway, policy rule, blackhole, reverse path: the same decision that ``ip route get`` prints."""
    async with watched() as lab:
        sh("ip route add blackhole 192.0.2.1; ip route add prohibit 192.0.2.2; ip rule add from 10.0.0.3 prohibit")
        sh("sysctl -qw net.ipv4.conf.all.rp_filter=1")
        host = lab.reader.snapshot(tuple(lab.nodes.values())).node("host")
        assert host is not None
        queries = [
            Query(SITE), Query("10.0.0.2"), Query("10.0.0.1"), Query("192.0.2.1"), Query("192.0.2.2"), Query(SITE, "10.0.0.2", "br0"),
            Query(SITE, "10.0.0.3", "br0"), Query(SITE, "203.0.113.9", "br0"), Query("10.0.0.1", "10.0.0.2", "br0"),
        ]  # fmt: skip
        answers = ways.lookup("host", lab.nodes["host"].namespace, queries, {link.ifindex: link.name for link in host.links})
        for answer in answers:
            told = sh(f"{answer.look} 2>&1 || true")
            if not answer.error:
                words = told.split()
                assert (words[words.index("via") + 1] if "via" in words else None) == answer.via
                assert words[words.index("dev") + 1] == answer.dev
                assert ("local" in words) == (answer.type == "local")
            else:
                assert answer.words in told
        refused = {answer.dst: answer.error for answer in answers if answer.error and answer.iif is None}
        assert refused == {"192.0.2.1": "EINVAL", "192.0.2.2": "EACCES"}
        assert [answer.error for answer in answers if answer.iif == "br0"] in (["", "EACCES", error, ""] for error in UNBELIEVED)


@sandboxed
async def test_counters_that_rose() -> None:
    """What the reverse path filter threw away is in the counters; nothing is told of nodes that had no part."""
    async with watched() as lab:
        sh("sysctl -qw net.ipv4.conf.all.rp_filter=1; ip route add 10.0.0.2/32 dev up0")
        inside(lab.nodes, "c1", f"ip neigh replace 10.0.0.1 lladdr {mac(lab)} dev eth0")
        found = await lab.investigate(Ping("c1", SITE))
        assert found.count("host", "TcpExtIPReversePathFilter") >= 1
        assert found.count("c1", "IcmpOutEchos") >= 1 and found.count("c2", "IcmpInEchos") == 0
        answer = routing_of(found, "host", SITE, iif="br0")
        assert answer is not None and answer.error in UNBELIEVED


def mac(lab: Watched) -> str:
    """The bridge's MAC."""
    return sh("ip -br link show br0").split()[2]


@sandboxed
async def test_the_connection_table_shows_the_translation() -> None:
    """The entry of the probe's own flow, as ``conntrack -L`` has it, apart from what others did meanwhile."""
    async with watched() as lab:
        found = await lab.investigate(Ping("c1", SITE))
        (flow,) = found.flows
        assert (flow.node, flow.replied, flow.source_nat, flow.reply.dst) == ("host", True, True, "203.0.113.2")
        assert (flow.original.src, flow.original.dst, flow.reply.src, flow.reply.dst) == ("10.0.0.2", SITE, SITE, "203.0.113.2")
        assert [hit.text.split()[-1] for hit in found.rules] == ["masquerade"]


SENDS = "import socket, time; own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); own.bind(('', {port})); own.sendto(b'x', ('{to}', 5000)); {then}"


@sandboxed
async def test_flows_from_before_are_told_from_new_ones() -> None:
    """Of two older flows to the same port (conntrack -L) the one whose program still runs is told; a probe from an old port goes by its old entry.

    When that one is lost, the same is sent as a new flow, with the entry that this one got.
    """
    async with watched() as lab:
        sh("nft add table ip n; nft add chain ip n p '{ type nat hook postrouting priority 100; }'; nft add rule ip n p oifname up0 masquerade")
        waits = started(lab.nodes, "c1", sys.executable, "-c", SENDS.format(port=4000, to=SITE, then="time.sleep(60)"))
        started(lab.nodes, "c1", sys.executable, "-c", SENDS.format(port=4001, to=SITE, then="0")).wait()
        assert await becomes(lambda: all(f"sport={port} dport=5000" in sh("conntrack -L -p udp 2>/dev/null") for port in (4000, 4001)))
        new = await lab.investigate(Udp("c1", SITE, 5000))
        assert new.outcome.result == "answered" and [flow.original.sport for flow in new.older] == [4000]
        assert [(flow.event, flow.original.dport) for flow in new.flows] == [("new", 5000)]
        old = await lab.investigate(Udp("c1", SITE, 5000, source_port=4001))
        assert [(flow.event, flow.original.sport) for flow in old.flows] == [("known", 4001)] and old.afresh is None
        sh("nft add chain ip n f '{ type filter hook forward priority 0; }'; nft add rule ip n f udp sport 4001 drop")
        lost = await lab.investigate(Udp("c1", SITE, 5000, source_port=4001))
        assert lost.outcome.result == "failed" and lost.afresh is not None and lost.afresh.outcome.result == "answered"
        assert [flow.original.dport for flow in lost.afresh.flows] == [5000] and lost.afresh.flows[0].original.sport != 4001
        waits.kill()


@sandboxed
async def test_what_a_route_says_its_path_carries() -> None:
    """What was set with the route (ip route), and what a router has said (ip route get shows when it expires)."""
    async with watched() as lab:
        inside(lab.nodes, "c1", "ip route add 192.0.2.0/24 via 10.0.0.1 mtu 1200")
        sh("ip link set up0 mtu 1000")
        await lab.investigate(Ping("c1", SITE, size=1200, dont_fragment=True))
        assert "expires" in inside(lab.nodes, "c1", f"ip route get {SITE}")
        answers = ways.lookup("c1", lab.nodes["c1"].namespace, [Query("192.0.2.1"), Query(SITE), Query("10.0.0.1")], {})
        assert [(answer.mtu, answer.mtu_learned) for answer in answers] == [(1200, False), (1000, True), (0, False)]


@sandboxed
async def test_a_probe_that_was_answered_has_nothing_to_explain() -> None:
    """No replay, no error, every packet arrived."""
    async with watched() as lab:
        found = await lab.investigate(Ping("c1", SITE))
        assert found.outcome.result == "answered" and found.trace is None and found.errors == ()
        assert [run.arrived for run in found.runs] == [True, True]


@sandboxed
async def test_a_black_hole_for_big_packets() -> None:
    """A narrow link whose error message is dropped: small packets arrive, the big one does not, and the error is seen where it died."""
    async with watched() as lab:
        sh("ip link set up0 mtu 1000; nft add table ip t; nft add chain ip t o '{ type filter hook output priority 0; }'")
        sh("nft add rule ip t o icmp type destination-unreachable counter drop")
        small = await lab.investigate(Ping("c1", SITE))
        big = await lab.investigate(Ping("c1", SITE, size=1200, dont_fragment=True))
        assert small.outcome.result == "answered" and big.outcome.reason == "silence"
        assert [(run.arrived, run.size) for run in big.runs] == [(False, 1200)]
        assert [(hit.text, hit.packets) for hit in big.rules] == [("icmp type destination-unreachable counter drop", 1)]
        assert big.count("host", "IpFragFails") == 1


@sandboxed
async def test_a_namespace_that_ends_meanwhile() -> None:
    """A node killed while its packet is on the way: evidence comes all the same."""
    async with watched() as lab:
        pid = lab.nodes["c2"].pid
        assert pid is not None
        asyncio.get_running_loop().call_later(0.02, sh, f"kill -9 {pid}")
        inside(lab.nodes, "c2", "sysctl -qw net.ipv4.icmp_echo_ignore_all=1")
        found = await lab.investigate(Ping("c1", "10.0.0.3"))
        assert found.outcome.result == "failed" and found.journey.hops


@pytest.mark.parametrize("death", ["forwarding", "firewall"])
@sandboxed
async def test_a_flood_hides_nothing_of_the_probe(death: str) -> None:
    """While somebody floods the same way with pings and datagrams, no frame of the probe is lost, and its death is told all the same."""
    async with watched() as lab:
        sh("sysctl -qw net.ipv4.ip_forward=0" if death == "forwarding" else FIREWALL)
        floods = [started(lab.nodes, "c2", "ping", "-nqf", to) for to in ("10.0.0.1", "10.0.0.2")]
        await asyncio.sleep(0.1)
        found = await lab.investigate(Ping("c1", SITE))
        for flood in floods:
            flood.kill()
            flood.wait()
        assert found.lost == 0 and found.outcome.reason == "silence"
        assert found.journey.death is not None and (found.journey.death.node, found.journey.death.link) == ("host", "br0")
        assert {hop.src for hop in found.journey.hops if hop.leg == "forward"} == {"10.0.0.2"}
        assert (found.trace is not None and found.trace.dropped is not None) == (death == "firewall")


@sandboxed
async def test_six_is_traced_as_well() -> None:
    """An IPv6 ping that a rule of family ip6 drops: journey, routing answer and trace, as for IPv4."""
    async with watched() as lab:
        for name, number in (("c1", 2), ("c2", 3)):
            inside(lab.nodes, name, f"sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0; ip addr add fd00::{number}/64 dev eth0 nodad")
        await asyncio.sleep(0.05)
        whole = await lab.investigate(Ping("c1", "fd00::3"))
        assert whole.outcome.result == "answered" and whole.journey.hops[0].kind == "ipv6-nd"
        inside(lab.nodes, "c2", """nft add table ip6 t; nft add chain ip6 t i '{ type filter hook input priority 0; }'
            nft add rule ip6 t i icmpv6 type echo-request drop""")
        found = await lab.investigate(Ping("c1", "fd00::3"))
        assert found.journey.death is not None and (found.journey.death.node, found.journey.death.leg) == ("c2", "forward")
        assert found.trace is not None and found.trace.dropped is not None
        assert (found.trace.dropped.family, found.trace.dropped.text) == ("ip6", "icmpv6 type echo-request drop")
        answer, way = routing_of(found, "c2", "fd00::3", src="fd00::2", iif="eth0"), routing_of(found, "c1", "fd00::3")
        assert answer is not None and answer.type == "local"
        assert way is not None and not way.error and way.dev == "eth0"
