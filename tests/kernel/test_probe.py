"""Probes: what became of a packet, and why, in a lab built by ``ip`` and ``nft``; ping(8) and ss(8) are the witnesses."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager

from msgspec.structs import replace

from helpers.sandboxed import answers, container, sandboxed, sh
from helpers.waiting import becomes
from helpers.wires import own_node, started
from netless_lab.kernel import probe as probing
from netless_lab.kernel.namespace import Namespace, socket_in
from netless_lab.kernel.probe.echo import Identifiers
from netless_lab.kernel.read import NodeRef
from netless_lab.model.probe import Connect, Fetch, Lookup, Outcome, Ping, Probe, Udp
from netless_lab.sandbox import nogroups

Nodes = dict[str, NodeRef]
GRACE_S, SILENCE_S, REPLY_S = 0.06, 0.12, 1.0

BUILD = """
ip link set lo up; ip link add br0 type bridge; ip addr add 10.0.0.1/24 dev br0; ip link set br0 up
ip link add veth2 type veth peer name eth0 netns {c1}; ip link set veth2 master br0 up
ip link add up0 type veth peer name eth0 netns {net}; ip addr add 203.0.113.2/24 dev up0; ip link set up0 up
nsenter --net=/proc/{c1}/ns/net sh -ec 'ip link set lo up; ip addr add 10.0.0.2/24 dev eth0; ip link set eth0 up
  ip route add default via 10.0.0.1; sysctl -qw net.ipv4.neigh.eth0.retrans_time_ms=20 net.ipv4.neigh.eth0.mcast_solicit=2'
nsenter --net=/proc/{net}/ns/net sh -ec 'ip link set lo up; ip addr add 203.0.113.1/24 dev eth0; ip link set eth0 up
  ip addr add 198.51.100.10/32 dev lo; ip route add 10.0.0.0/24 via 203.0.113.2'
ip route add default via 203.0.113.1; sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=0
sysctl -qw net.ipv4.neigh.up0.retrans_time_ms=20 net.ipv4.neigh.up0.mcast_solicit=2
"""


@contextmanager
def lab() -> Iterator[Nodes]:
    """c1 on a bridge of the host, the host on a cable to ``net``, which is the internet; ready for packets."""
    with ExitStack() as stack:
        pids = {name: stack.enter_context(container()) for name in ("c1", "net")}
        sh(BUILD.format(**pids))
        assert answers("198.51.100.10", pids["c1"])
        nodes = {name: NodeRef(name, "container", Namespace.of_pid(pid), pid) for name, pid in pids.items()} | {"host": own_node()}
        yield nodes
        for ref in nodes.values():
            ref.namespace.close()


def inside(nodes: Nodes, name: str, command: str) -> str:
    """Run a command in a node's network namespace."""
    return sh(f"nsenter --net=/proc/{nodes[name].pid}/ns/net sh -ec '{command}'")


async def silent(probe: Probe, nodes: Nodes) -> Outcome:
    """Send a packet that should not be answered."""
    return await probing.run(probe, nodes, deadline_s=SILENCE_S, grace_s=GRACE_S)


async def wanted(probe: Probe, nodes: Nodes) -> Outcome:
    """Send a packet that should be answered."""
    return await probing.run(probe, nodes, deadline_s=REPLY_S, grace_s=GRACE_S)


@sandboxed
async def test_an_answer_tells_who_and_how_long() -> None:
    """The reply's address, its TTL and the round trip are those ping prints; each probe has an id of its own."""
    with lab() as nodes:
        outcomes = [await wanted(Ping("c1", to), nodes) for to in ("10.0.0.1", "198.51.100.10", "127.0.0.1")]
        assert [(outcome.result, outcome.reason, outcome.ttl) for outcome in outcomes] == [
            ("answered", "answered", 64), ("answered", "answered", 63), ("answered", "answered", 64),
        ]  # fmt: skip
        assert "ttl=63" in inside(nodes, "c1", "ping -c1 198.51.100.10")
        assert all(outcome.rtt_us is not None and 0 < outcome.rtt_us < 100_000 for outcome in outcomes)
        assert len({outcome.ident for outcome in outcomes}) == 3 and "10.0.0.1 answered in" in outcomes[0].text


@sandboxed
async def test_a_hundred_probes_at_once_do_not_mix() -> None:
    """Every probe gets its own answer, the silent ones among them none, although all sockets hear everything."""
    with lab() as nodes:
        inside(nodes, "net", """nft add table ip t; nft add chain ip t i { type filter hook input priority 0\\; }
            nft add rule ip t i ip daddr 203.0.113.1 drop""")
        probes = [Ping("c1" if n % 2 else "host", "203.0.113.1" if n % 5 == 0 else "198.51.100.10") for n in range(100)]
        outcomes = await asyncio.gather(*(silent(probe, nodes) for probe in probes))
        assert [outcome.result for outcome in outcomes] == ["failed" if n % 5 == 0 else "answered" for n in range(100)]
        assert {outcome.reason for outcome in outcomes} == {"answered", "silence"}


@sandboxed
async def test_an_error_about_another_packet_is_not_taken_for_ones_own() -> None:
    """The kernel hands an ICMP error to every raw socket of the node: the probe that waits in silence beside the refused one stays silent."""
    with lab() as nodes:
        inside(nodes, "net", """nft add table ip t; nft add chain ip t i { type filter hook input priority 0\\; }
            nft add rule ip t i ip daddr 203.0.113.1 drop""")
        sh("ip route add unreachable 198.51.100.77")
        waiting, refused = await asyncio.gather(*(silent(Ping("c1", to), nodes) for to in ("203.0.113.1", "198.51.100.77")))
        assert (waiting.result, waiting.reason) == ("failed", "silence")
        assert refused.result == "failed" and "10.0.0.1" in refused.text


@sandboxed
async def test_packets_that_cannot_leave_say_why() -> None:
    """No route, a blackhole, an unreachable and a prohibit route, a firewall on the way out, a broadcast address."""
    with lab() as nodes:
        inside(nodes, "c1", """ip route del default; ip route add blackhole 192.0.2.1; ip route add unreachable 192.0.2.2
            ip route add prohibit 192.0.2.3; ip addr add 10.7.0.2/30 dev eth0
            nft add table ip t; nft add chain ip t o { type filter hook output priority 0\\; }
            nft add rule ip t o ip daddr 10.0.0.9 drop""")
        expected = {
            "8.8.4.4": "no-route", "192.0.2.1": "blackhole", "192.0.2.2": "unreachable", "192.0.2.3": "filtered",
            "10.0.0.9": "local-drop", "10.7.0.3": "filtered",
        }  # fmt: skip
        reasons = {to: await silent(Ping("c1", to), nodes) for to in expected}
        assert {to: outcome.reason for to, outcome in reasons.items()} == expected
        assert "broadcast" in reasons["10.7.0.3"].text and "never left" in reasons["8.8.4.4"].text
        assert all(outcome.result == "failed" for outcome in reasons.values())


@sandboxed
async def test_icmp_errors_name_who_sent_them() -> None:
    """TTL exceeded, a reject on the way, a router without a route, a link too narrow: the outcome says at which address."""
    with lab() as nodes:
        sh("""nft add table ip t; nft 'add chain ip t f { type filter hook forward priority 0; }'
            nft add rule ip t f ip daddr 198.51.100.10 icmp type echo-request meta length 50-60 reject""")
        exceeded = await silent(Ping("c1", "203.0.113.1", ttl=1), nodes)
        rejected = await silent(Ping("c1", "198.51.100.10", size=24), nodes)
        inside(nodes, "net", "sysctl -qw net.ipv4.ip_forward=1; ip route add unreachable 192.0.2.0/24")
        lost = await silent(Ping("c1", "192.0.2.7"), nodes)
        sh("ip link set up0 mtu 1000")
        big = await silent(Ping("c1", "203.0.113.1", size=1200, dont_fragment=True), nodes)
        assert (exceeded.reason, exceeded.by) == ("ttl-exceeded", "10.0.0.1")
        assert (rejected.reason, rejected.by) == ("filtered", "10.0.0.1")
        assert (lost.reason, lost.by) == ("unreachable", "203.0.113.1")
        assert (big.reason, big.by) == ("too-big", "10.0.0.1") and "1000 bytes" in big.text
        whole = await silent(Ping("c1", "10.0.0.1", size=3000), nodes)
        assert whole.result == "answered"


ECHO = "import socket; own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); own.bind(('198.51.100.10', 5000)); [own.sendto(*own.recvfrom(99)) for _ in range(9)]"


def test_only_ids_that_were_given_are_the_labs_own() -> None:
    """Of all ids of a ping those few that were given are known again; another program's, which may be any other, is never taken for one."""
    identifiers = Identifiers()
    given = {identifiers.next() for _ in range(3)}
    assert {ident for ident in range(1, 0x10000) if identifiers.gave(ident)} == given


@sandboxed
async def test_a_datagram_is_answered_or_its_port_is_closed() -> None:
    """By a program that answers (ss lists its socket), or by its target, whose kernel counts a closed port (nstat); a router that says so is none."""
    with lab() as nodes:
        with started(nodes, "net", sys.executable, "-c", ECHO) as server:
            assert await becomes(lambda: ":5000" in inside(nodes, "net", "ss -Hlun"))
            open_ = await silent(Udp("c1", "198.51.100.10", 5000), nodes)
            server.kill()
        closed = await silent(Udp("c1", "198.51.100.10", 5001), nodes)
        assert (open_.result, open_.by) == ("answered", None) and open_.rtt_us is not None
        assert (closed.result, closed.by) == ("answered", "198.51.100.10") and "nobody listens on its UDP port 5001" in closed.text
        assert "UdpNoPorts                      1 " in inside(nodes, "net", "nstat -asz UdpNoPorts")
        sh("nft add table ip t; nft 'add chain ip t f { type filter hook forward priority 0; }'; nft add rule ip t f udp dport 5002 reject")
        sh("nft add rule ip t f udp dport 5003 drop")
        rejected = await silent(Udp("c1", "198.51.100.10", 5002), nodes)
        dropped = await silent(Udp("c1", "198.51.100.10", 5003), nodes)
        assert (rejected.result, rejected.reason, rejected.by) == ("failed", "filtered", "10.0.0.1")
        assert (dropped.result, dropped.reason) == ("failed", "silence")


@sandboxed
async def test_probes_from_one_port_take_turns() -> None:
    """Two at once of one client that keeps its port: both are sent and both reach the closed port (nstat), one after the other."""
    with lab() as nodes:
        asked = Udp("c1", "198.51.100.10", 5001, source_port=4000)
        found = await asyncio.gather(silent(asked, nodes), silent(asked, nodes), silent(asked, nodes))
        assert [own.result for own in found] == ["answered"] * 3, found
        assert "UdpNoPorts                      3 " in inside(nodes, "net", "nstat -asz UdpNoPorts")


@sandboxed
async def test_a_packet_is_cut_or_must_not_be() -> None:
    """The don't-fragment bit is in every packet that must not be cut, and in no other (nft counts); a narrow link lets just the latter through."""
    with lab() as nodes:
        sh("ip link set up0 mtu 1000")
        inside(nodes, "net", "ip link set eth0 mtu 1000")
        inside(nodes, "c1", """nft add table ip w; nft add chain ip w o { type filter hook output priority 0\\; }
            nft add rule ip w o ip frag-off and 0x4000 == 0x4000 counter; nft add rule ip w o ip frag-off and 0x4000 == 0 counter""")
        probes: tuple[Ping | Udp, ...] = (Ping("c1", "198.51.100.10", size=1200), Udp("c1", "198.51.100.10", 5000, size=1200))
        for number, probe in enumerate(probes, 1):
            assert (await silent(probe, nodes)).result == "answered", probe
            told = await silent(replace(probe, dont_fragment=True), nodes)
            assert (told.reason, told.by) == ("too-big", "10.0.0.1"), told
            inside(nodes, "c1", "ip route flush cache")
            assert inside(nodes, "c1", "nft list chain ip w o").count(f"packets {number} ") == 2


@sandboxed
async def test_nobody_at_that_address_is_told_from_silence() -> None:
    """With ``lo`` up by the kernel's own ICMP error, with ``lo`` down from the neighbour table; ip neigh agrees."""
    with lab() as nodes:
        first = await wanted(Ping("c1", "10.0.0.77"), nodes)
        inside(nodes, "c1", "ip link set lo down; sysctl -qw net.ipv4.neigh.eth0.retrans_time_ms=60000")
        second = await silent(Ping("c1", "10.0.0.78"), nodes)
        assert (first.reason, second.reason) == ("no-neighbour", "no-neighbour") and "10.0.0.78" in second.text
        assert "INCOMPLETE" in inside(nodes, "c1", "ip neigh show 10.0.0.78"), "the kernel itself would go on asking for minutes"


@sandboxed
async def test_silence_is_only_silence() -> None:
    """Forwarding off, a drop rule, a host that ignores pings: no answer in two attempts of the grace time, and no invented reason."""
    with lab() as nodes:
        sh("sysctl -qw net.ipv4.ip_forward=0")
        forwarding = await silent(Ping("c1", "198.51.100.10"), nodes)
        sh("sysctl -qw net.ipv4.icmp_echo_ignore_all=1")
        ignored = await silent(Ping("c1", "10.0.0.1"), nodes)
        for outcome in (forwarding, ignored):
            assert (outcome.result, outcome.reason) == ("failed", "silence") and outcome.waited_ms >= 2 * GRACE_S * 1000 - 5


@sandboxed
async def test_silence_lasts_its_time_at_every_attempt() -> None:
    """tcpdump sees two requests with ids of their own, and each of them had the whole grace time to be answered."""
    with lab() as nodes:
        sh("sysctl -qw net.ipv4.icmp_echo_ignore_all=1")
        program = [sys.executable, "-IS", nogroups.__file__, shutil.which("tcpdump") or ""]
        with started(nodes, "host", *program, "-Z", "root", "-nttli", "br0", "-c2", "icmp[0] = 8") as tcpdump:
            assert tcpdump.stdout is not None
            while not (line := tcpdump.stdout.readline()).startswith("listening"):
                assert line, "tcpdump did not start"
            outcome = await probing.run(Ping("c1", "10.0.0.1"), nodes, deadline_s=0.3, grace_s=0.2)
            ended = time.time()
            sent = [tcpdump.stdout.readline().split() for _ in range(2)]
        assert (outcome.result, outcome.reason) == ("failed", "silence")
        assert len({words[words.index("id") + 1] for words in sent}) == 2
        assert all(ended - float(words[0]) >= 0.199 for words in sent), (ended, sent)


@sandboxed
async def test_a_ping_that_must_be_answered_is_sent_again() -> None:
    """The way is opened when the first attempt is seen to be lost: a later attempt gets through, without an error from the earlier ones."""
    with lab() as nodes:
        inside(nodes, "c1", "ip neigh flush all")
        sh("ip link set veth2 nomaster")
        before = frames("veth2")

        async def opens() -> None:
            assert await becomes(lambda: frames("veth2") > before), "nothing was sent"
            sh("ip link set veth2 master br0")

        opening = asyncio.create_task(opens())
        outcome = await probing.run(Ping("c1", "10.0.0.1"), nodes, deadline_s=15, grace_s=GRACE_S)
        await opening
        assert outcome.result == "answered"


@sandboxed
async def test_time_in_which_nobody_could_do_anything_does_not_count() -> None:
    """The machine stands still for longer than a probe may take; what is then answered within the rest of its time is an answer."""
    with lab() as nodes:
        async with serving(nodes, "net"):
            sh("nft add table ip t; nft 'add chain ip t i { type filter hook input priority 0; policy drop; }'")

            async def opens() -> None:
                await asyncio.sleep(GRACE_S)
                time.sleep(REPLY_S + 0.3)
                await asyncio.sleep(GRACE_S)
                sh("nft delete table ip t")

            opening = asyncio.create_task(opens())
            pinged = await wanted(Ping("c1", "10.0.0.1"), nodes)
            await opening
            assert pinged.result == "answered", pinged
            fetched = await wanted(Fetch("c1", "http://198.51.100.10/late"), nodes)
            assert fetched.result == "answered", fetched


def frames(link: str) -> int:
    """How many frames a link of ours has received."""
    return int(json.loads(sh(f"ip -s -j link show {link}"))[0]["stats64"]["rx"]["packets"])


@asynccontextmanager
async def serving(nodes: Nodes, name: str) -> AsyncIterator[None]:
    """A web site on port 80 and a name server on port 53 of every address of a node, made by the standard library."""

    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        if b"/late" in line:
            time.sleep(REPLY_S + 0.3)
            await asyncio.sleep(GRACE_S)
        body = f"hello\nI see you as {writer.get_extra_info('peername')[0]}\n"
        endless = f"HTTP/1.1 200 OK\r\nContent-Length: {'9' * 5000}\r\n\r\n{body}"
        answer = {b"/odd": "SSH-2.0-nonsense\r\n", b"/endless": endless, b"/": f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}"}
        writer.write(answer.get(line.split()[1], "HTTP/1.0 404 Not Found\r\n\r\n").encode())
        writer.close()

    class Names(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
            known = b"\x07example\x04test\x00" in data.lower()
            record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x1e\x00\x04" + socket.inet_aton("198.51.100.10") if known else b""
            head = data[:2] + (b"\x85\x80" if known else b"\x85\x83") + b"\0\1" + (b"\0\1" if known else b"\0\0") + bytes(4)
            self.transport.sendto(head + data[12:] + record, address)  # type: ignore[attr-defined]

    web = socket_in(nodes[name].namespace, socket.AF_INET, socket.SOCK_STREAM)
    web.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    web.bind(("0.0.0.0", 80))
    names = socket_in(nodes[name].namespace, socket.AF_INET, socket.SOCK_DGRAM)
    names.setblocking(False)
    names.bind(("198.51.100.10", 53))
    server = await asyncio.start_server(page, sock=web)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Names, sock=names)
    try:
        yield
    finally:
        transport.close()
        server.close()
        await server.wait_closed()


@sandboxed
async def test_connections_open_are_refused_filtered_or_vanish() -> None:
    """A listener, nobody listening, a firewall that says so, and one that does not."""
    with lab() as nodes:
        async with serving(nodes, "net"):
            sh("""nft add table ip t; nft 'add chain ip t f { type filter hook forward priority 0; }'
                nft add rule ip t f tcp dport 82 reject; nft add rule ip t f tcp dport 83 drop
                nft add rule ip t f tcp dport 84 reject with tcp reset""")
            ports = {port: await silent(Connect("c1", "198.51.100.10", port), nodes) for port in (80, 81, 82, 83, 84)}
            reasons = {port: (outcome.result, outcome.reason) for port, outcome in ports.items()}
            assert reasons == {
                80: ("answered", "answered"), 81: ("failed", "refused"), 82: ("failed", "filtered"), 83: ("failed", "silence"),
                84: ("failed", "refused"),
            }  # fmt: skip
            assert ports[82].by == "10.0.0.1" and "nothing listens" in ports[81].text
            nobody = await wanted(Connect("c1", "10.0.0.88", 80), nodes)
            assert nobody.reason == "no-neighbour"
            far = await silent(Connect("c1", "198.51.100.10", 70_000), nodes)
            assert far.result == "error"


@sandboxed
async def test_names_are_asked_of_the_nodes_own_servers() -> None:
    """No server, a server that does not answer, one where nobody listens, and one that knows the name, or not."""
    with lab() as nodes:
        async with serving(nodes, "net"):
            sh("rm -f /etc/resolv.conf; : > /etc/resolv.conf")
            assert (await wanted(Lookup("c1", "example.test"), nodes)).reason == "no-resolver"
            sh("echo nameserver 198.51.100.10 > /etc/resolv.conf")
            known, unknown = await wanted(Lookup("c1", "Example.test"), nodes), await wanted(Lookup("c1", "nowhere.test"), nodes)
            assert (known.result, known.answer, known.by) == ("answered", "198.51.100.10", "198.51.100.10")
            assert (unknown.result, unknown.reason) == ("failed", "no-such-name") and "nowhere.test" in unknown.text
            assert (await silent(Lookup("c1", "example.test", server="10.0.0.1"), nodes)).reason == "refused"
            sh("echo nameserver 10.0.0.99 > /etc/resolv.conf")
            assert (await silent(Lookup("c1", "example.test"), nodes)).reason == "no-neighbour"
            sh("printf 'nameserver 10.0.0.99\\nnameserver 198.51.100.10\\n' > /etc/resolv.conf")
            assert (await wanted(Lookup("c1", "example.test"), nodes)).answer == "198.51.100.10"
            assert (await wanted(Lookup("c1", "two..dots"), nodes)).result == "error"


@sandboxed
async def test_a_page_says_whom_the_site_saw() -> None:
    """Without masquerade the container's own address, with it the host's; a name in the URL is looked up first."""
    with lab() as nodes:
        async with serving(nodes, "net"):
            sh("rm -f /etc/resolv.conf; echo nameserver 198.51.100.10 > /etc/resolv.conf")
            plain = await wanted(Fetch("c1", "http://example.test/"), nodes)
            assert (plain.result, plain.seen_as, plain.answer) == ("answered", "10.0.0.2", "198.51.100.10")
            sh("""nft add table ip t; nft 'add chain ip t p { type nat hook postrouting priority 100; }'
                nft add rule ip t p oifname up0 masquerade""")
            assert (await wanted(Fetch("c1", "http://198.51.100.10"), nodes)).seen_as == "203.0.113.2"
            missing = await wanted(Fetch("c1", "http://example.test/x"), nodes)
            assert missing.result == "answered" and "404" in missing.text
            assert (await wanted(Fetch("c1", "http://example.test/odd"), nodes)).reason == "bad-answer"
            assert (await wanted(Fetch("c1", "http://example.test/endless"), nodes)).seen_as == "203.0.113.2", "a length that is no number is none"
            assert (await wanted(Fetch("c1", "http://nowhere.test/"), nodes)).reason == "no-such-name"
            assert (await wanted(Fetch("c1", "https://example.test/"), nodes)).result == "error"
            assert (await wanted(Ping("c1", "example.test"), nodes)).result == "answered"


@sandboxed
async def test_a_probe_that_cannot_run_is_an_error() -> None:
    """An unknown node, a closed namespace, an address that may be on any link: never a failure, never a pass."""
    with lab() as nodes:
        unknown = await silent(Ping("c9", "10.0.0.1"), nodes)
        assert unknown.result == "error" and "c1, host, net" in unknown.text
        assert (await silent(Ping("c1", "fe80::1"), nodes)).result == "error"
        assert (await silent(Ping("c1", "10.0.0.1", size=70_000), nodes)).result == "error"
        nodes["c1"].namespace.close()
        for probe in (Ping("c1", "10.0.0.1"), Connect("c1", "10.0.0.1", 80), Lookup("c1", "x.test", "10.0.0.1"), Fetch("c1", "http://10.0.0.1/")):
            assert (await silent(probe, nodes)).result == "error"
