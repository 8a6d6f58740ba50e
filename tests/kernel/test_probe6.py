"""Probes over IPv6: what became of a packet, and why, in a lab built by ``ip`` and ``nft``; ping -6 is the witness."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager

from helpers.sandboxed import answers, container, sandboxed, sh
from helpers.wires import Nodes, inside, own_node
from netless_lab.kernel import probe as probing
from netless_lab.kernel.namespace import Namespace, socket_in
from netless_lab.kernel.read import NodeRef
from netless_lab.model.probe import Connect, Fetch, Lookup, Outcome, Ping, Probe

GRACE_S = 0.06
SITE, GATEWAY, OWN = "fd00:198::10", "fd00:10::1", "fd00:10::2"
NODAD = """for f in /proc/sys/net/ipv6/conf/*/accept_dad; do echo 0 > $f; done
for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 0 > $f; done"""
QUICK = "for f in /proc/sys/net/ipv6/neigh/*/; do echo 20 > $f/retrans_time_ms; echo 2 > $f/mcast_solicit; done"
BUILD = f"""{NODAD}
ip link set lo up; ip link add br0 type bridge; ip addr add {GATEWAY}/64 dev br0 nodad; ip link set br0 up
ip link add veth2 type veth peer name eth0 netns {{c1}}; ip link set veth2 master br0 up
ip link add up0 type veth peer name eth0 netns {{net}}; ip addr add fd00:203::2/64 dev up0 nodad; ip link set up0 up
nsenter --net=/proc/{{c1}}/ns/net sh -ec '{NODAD}
  ip link set lo up; ip addr add {OWN}/64 dev eth0 nodad; ip link set eth0 up; ip -6 route add default via {GATEWAY}; {QUICK}'
nsenter --net=/proc/{{net}}/ns/net sh -ec '{NODAD}
  ip link set lo up; ip addr add fd00:203::1/64 dev eth0 nodad; ip link set eth0 up
  ip addr add {SITE}/128 dev lo nodad; ip -6 route add fd00:10::/64 via fd00:203::2'
ip -6 route add default via fd00:203::1; sysctl -qw net.ipv6.conf.all.forwarding=1; {QUICK}
"""
REJECTING = "nft add table ip6 t; nft 'add chain ip6 t f {{ type filter hook {hook} priority 0; }}'; nft add rule ip6 t f {rule}"


@contextmanager
def lab() -> Iterator[Nodes]:
    """c1 on a bridge of the host, the host on a cable to ``net``, which is the internet; ready for packets."""
    with ExitStack() as stack:
        pids = {name: stack.enter_context(container()) for name in ("c1", "net")}
        sh(BUILD.format(**pids))
        assert answers(SITE, pids["c1"])
        nodes = {name: NodeRef(name, "container", Namespace.of_pid(pid), pid) for name, pid in pids.items()} | {"host": own_node()}
        yield nodes
        for ref in nodes.values():
            ref.namespace.close()


async def silent(probe: Probe, nodes: Nodes) -> Outcome:
    """Send a packet that should not be answered."""
    return await probing.run(probe, nodes, deadline_s=2 * GRACE_S, grace_s=GRACE_S)


async def wanted(probe: Probe, nodes: Nodes) -> Outcome:
    """Send a packet that should be answered."""
    return await probing.run(probe, nodes, deadline_s=1, grace_s=GRACE_S)


@sandboxed
async def test_an_answer_tells_who_and_how_far() -> None:
    """The reply's address, the hops left and the round trip are those ``ping -6`` prints; each probe has an id of its own."""
    with lab() as nodes:
        outcomes = [await wanted(Ping("c1", to), nodes) for to in (GATEWAY, SITE, "::1")]
        assert [(outcome.result, outcome.reason, outcome.ttl) for outcome in outcomes] == [
            ("answered", "answered", 64), ("answered", "answered", 63), ("answered", "answered", 64),
        ]  # fmt: skip
        assert "ttl=63" in inside(nodes, "c1", f"ping -6 -nc1 {SITE}")
        assert all(outcome.rtt_us is not None and 0 < outcome.rtt_us < 100_000 for outcome in outcomes)
        assert len({outcome.ident for outcome in outcomes}) == 3 and f"{GATEWAY} answered in" in outcomes[0].text
        assert (await wanted(Ping("c1", GATEWAY, size=3000), nodes)).result == "answered"


@sandboxed
async def test_packets_that_cannot_leave_say_why() -> None:
    """No route, a blackhole, an unreachable and a prohibit route, a firewall on the way out; ping -6 gets none of them through."""
    with lab() as nodes:
        inside(nodes, "c1", """ip -6 route del default; ip -6 route add blackhole fd00:99::1; ip -6 route add unreachable fd00:99::2
            ip -6 route add prohibit fd00:99::3""" + "\n" + REJECTING.format(hook="output", rule="ip6 daddr fd00:10::9 drop"))
        expected = {
            "fd00:77::1": "no-route", "fd00:99::1": "blackhole", "fd00:99::2": "unreachable", "fd00:99::3": "filtered",
            "fd00:10::9": "local-drop",
        }  # fmt: skip
        outcomes = {to: await silent(Ping("c1", to), nodes) for to in expected}
        assert {to: outcome.reason for to, outcome in outcomes.items()} == expected
        assert all(outcome.result == "failed" for outcome in outcomes.values()) and "never left" in outcomes["fd00:77::1"].text
        assert not any(answers(to, nodes["c1"].pid, 0) for to in expected)


@sandboxed
async def test_errors_name_who_sent_them() -> None:
    """Hop limit exceeded, a reject on the way, a router without a route, a link too narrow: the outcome says at which address."""
    with lab() as nodes:
        sh(REJECTING.format(hook="forward", rule=f"ip6 daddr {SITE} reject with icmpv6 admin-prohibited"))
        exceeded = await silent(Ping("c1", "fd00:203::1", ttl=1), nodes)
        rejected = await silent(Ping("c1", SITE), nodes)
        inside(nodes, "net", "sysctl -qw net.ipv6.conf.all.forwarding=1; ip -6 route add unreachable fd00:55::/64")
        lost = await silent(Ping("c1", "fd00:55::7"), nodes)
        assert (exceeded.reason, exceeded.by) == ("ttl-exceeded", GATEWAY) and "hop limit" in exceeded.text
        assert (rejected.reason, rejected.by) == ("filtered", GATEWAY)
        assert (lost.reason, lost.by) == ("unreachable", "fd00:203::1")


@sandboxed
async def test_a_narrow_link_is_told_or_learned() -> None:
    """Routers never cut IPv6 packets: one that may not be cut dies there, any other is cut by its sender after the first error."""
    with lab() as nodes:
        sh("ip link set up0 mtu 1300")
        inside(nodes, "net", "ip link set eth0 mtu 1300")
        big = await silent(Ping("c1", "fd00:203::1", size=1340, dont_fragment=True), nodes)
        assert (big.reason, big.by) == ("too-big", GATEWAY) and "1300 bytes" in big.text
        inside(nodes, "c1", "ip -6 route flush cache")
        assert (await silent(Ping("c1", "fd00:203::1", size=1340), nodes)).result == "answered"
        own = await silent(Ping("c1", GATEWAY, size=2000, dont_fragment=True), nodes)
        assert own.reason == "too-big" and "way out of c1" in own.text


@sandboxed
async def test_nobody_at_that_address_is_told_from_silence() -> None:
    """With ``lo`` up by the kernel's own error, with ``lo`` down from the neighbour table; ip neigh agrees. No ARP is mentioned."""
    with lab() as nodes:
        told = await wanted(Ping("c1", "fd00:10::77"), nodes)
        inside(nodes, "c1", "ip link set lo down; sysctl -qw net.ipv6.neigh.eth0.retrans_time_ms=1000")
        read = await silent(Ping("c1", "fd00:10::78"), nodes)
        assert (told.result, told.reason, read.result, read.reason) == ("failed", "no-neighbour", "failed", "no-neighbour")
        assert "neighbour solicitation" in read.text and "fd00:10::78" in read.text and "ARP" not in told.text + read.text
        assert "INCOMPLETE" in inside(nodes, "c1", "ip -6 neigh show fd00:10::78")


@sandboxed
async def test_silence_is_only_silence() -> None:
    """Forwarding off, a drop rule: no answer in two attempts of the grace time, and no invented reason. ping -6 hears nothing either."""
    with lab() as nodes:
        sh("sysctl -qw net.ipv6.conf.all.forwarding=0; ip -6 route replace default via fd00:203::1")
        forwarding = await silent(Ping("c1", SITE), nodes)
        assert not answers(SITE, nodes["c1"].pid, 0)
        sh("sysctl -qw net.ipv6.conf.all.forwarding=1; " + REJECTING.format(hook="input", rule="icmpv6 type echo-request drop"))
        dropped = await silent(Ping("c1", GATEWAY), nodes)
        for outcome in (forwarding, dropped):
            assert (outcome.result, outcome.reason) == ("failed", "silence") and outcome.waited_ms >= 2 * GRACE_S * 1000 - 5


@sandboxed
async def test_a_link_local_address_needs_its_link() -> None:
    """``fe80::1%eth0`` is sent on that link and nowhere else; without one nobody can tell which is meant; a missing one is no route."""
    with lab() as nodes:
        sh("ip addr add fe80::1/64 dev br0 nodad")
        assert answers("fe80::1%eth0", nodes["c1"].pid)
        found = await wanted(Ping("c1", "fe80::1%eth0"), nodes)
        assert (found.result, found.ttl) == ("answered", 64)
        bare = await wanted(Ping("c1", "fe80::1"), nodes)
        assert bare.result == "error" and "fe80::1%" in bare.text
        missing = await silent(Ping("c1", "fe80::1%eth7"), nodes)
        assert (missing.result, missing.reason) == ("failed", "no-route") and "eth7" in missing.text
        nobody = await wanted(Ping("c1", "fe80::77%eth0"), nodes)
        assert nobody.reason == "no-neighbour"
        everybody = await wanted(Ping("c1", "ff02::1%eth0"), nodes)
        assert everybody.result == "answered"


@sandboxed
async def test_the_same_lab_over_both_families_does_not_mix() -> None:
    """Fifty pings at once, over IPv4 and IPv6, half of them to nobody: every probe gets its own answer."""
    with lab() as nodes:
        sh("ip addr add 10.0.0.1/24 dev br0")
        inside(nodes, "c1", "ip addr add 10.0.0.2/24 dev eth0")
        assert answers("10.0.0.1", nodes["c1"].pid)
        sh(REJECTING.format(hook="forward", rule=f"ip6 daddr {SITE} drop"))
        targets = ("10.0.0.1", GATEWAY, SITE)
        outcomes = await asyncio.gather(*(silent(Ping("c1", targets[n % 3]), nodes) for n in range(51)))
        assert [outcome.result for outcome in outcomes] == ["answered", "answered", "failed"] * 17


@asynccontextmanager
async def serving(nodes: Nodes) -> AsyncIterator[None]:
    """A web site on port 80 and, on port 53, a name server that knows an AAAA record only, made by the standard library."""

    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        host = next(line for line in lines if line.startswith("Host:"))
        body = f"I see you as {writer.get_extra_info('peername')[0]}\n{host}\n"
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        asked.append(host)
        writer.close()

    class Names(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
            name, kind = data[12:-4].lower(), data[-4:-2]
            records = {b"\x03six\x04test\x00": (b"\0\x1c", socket.inet_pton(socket.AF_INET6, SITE)),
                       b"\x04four\x04test\x00": (b"\0\x01", socket.inet_aton("10.0.0.1"))}  # fmt: skip
            record = b""
            if name in records and records[name][0] == kind:
                value = records[name][1]
                record = b"\xc0\x0c" + kind + b"\0\1\0\0\0\x1e" + len(value).to_bytes(2, "big") + value
            known = name in records or name == b"\x05empty\x04test\x00"
            head = data[:2] + (b"\x85\x80" if known else b"\x85\x83") + b"\0\1" + (b"\0\1" if record else b"\0\0") + bytes(4)
            self.transport.sendto(head + data[12:] + record, address)  # type: ignore[attr-defined]

    asked: list[str] = []
    web = socket_in(nodes["net"].namespace, socket.AF_INET6, socket.SOCK_STREAM)
    web.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    web.bind(("::", 80))
    names = socket_in(nodes["net"].namespace, socket.AF_INET6, socket.SOCK_DGRAM)
    names.setblocking(False)
    names.bind((SITE, 53))
    server = await asyncio.start_server(page, sock=web)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Names, sock=names)
    try:
        yield
        assert all("%" not in host for host in asked)
    finally:
        transport.close()
        server.close()
        await server.wait_closed()


@sandboxed
async def test_connections_pages_and_names() -> None:
    """TCP opens, is refused or is rejected; a page says whom it saw; a name with only an AAAA record leads to it, A comes first."""
    with lab() as nodes:
        async with serving(nodes):
            sh(REJECTING.format(hook="forward", rule="tcp dport 82 reject with icmpv6 admin-prohibited"))
            sh("nft add rule ip6 t f tcp dport 83 drop")
            reasons = {port: (await silent(Connect("c1", SITE, port), nodes)).reason for port in (80, 81, 82, 83)}
            assert reasons == {80: "answered", 81: "refused", 82: "filtered", 83: "silence"}
            page = await wanted(Fetch("c1", f"http://[{SITE}]/"), nodes)
            assert (page.result, page.seen_as, page.answer) == ("answered", OWN, SITE)
            local = inside(nodes, "net", "ip -6 -br addr show dev eth0 scope link").split()[2].partition("/")[0]
            assert (await wanted(Fetch("host", f"http://[{local}%25up0]/"), nodes)).result == "answered"

            found = await wanted(Lookup("c1", "six.test", SITE), nodes)
            assert (found.result, found.answer, found.by) == ("answered", SITE, SITE)
            assert (await wanted(Lookup("c1", "four.test", SITE), nodes)).answer == "10.0.0.1"
            empty, unknown = [await silent(Lookup("c1", name, SITE), nodes) for name in ("empty.test", "no.test")]
            assert (empty.reason, unknown.reason) == ("no-such-name", "no-such-name") and "no address" in empty.text
            assert (await silent(Lookup("c1", "six.test", GATEWAY), nodes)).reason == "refused"
            sh(f"rm -f /etc/resolv.conf; echo nameserver {SITE} > /etc/resolv.conf")
            assert (await wanted(Ping("c1", "six.test"), nodes)).result == "answered"
            assert (await wanted(Fetch("c1", "http://six.test/"), nodes)).seen_as == OWN
