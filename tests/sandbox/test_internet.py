"""The pretend internet, seen from where a learner sees it: ip, ping, getent, curl and plain sockets are the witnesses."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import random
import socket
import struct
from collections.abc import Callable
from typing import TypeVar

import pytest

from helpers.sandboxed import container, sandboxed, sh
from netless_lab.model.outside import USUAL
from netless_lab.sandbox import internet
from netless_lab.sandbox.nameserver import answer
from netless_lab.sandbox.rootfs import CONTAINERS
from netless_lab.sandbox.website import BIG_SIZE, respond

T = TypeVar("T")


def question(name: str, kind: int = 1, *, flags: int = 0x0100, klass: int = 1, tail: bytes = b"", additional: int = 0) -> bytes:
    """A DNS query written by hand (RFC 1035, 4.1)."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label)
    return struct.pack("!HHHHHH", 0x1234, flags, 1, 0, 0, additional) + labels + b"\0" + struct.pack("!HH", kind, klass) + tail


def counts(reply: bytes | None) -> tuple[int, int, int]:
    """(response code, answers, authority records)."""
    assert reply is not None
    ident, flags, questions, answers, authorities, _ = struct.unpack_from("!HHHHHH", reply)
    assert ident == 0x1234 and flags & 0x8000
    assert questions in (0, 1)
    return flags & 0xF, answers, authorities


async def begin() -> tuple[internet.Internet, internet.Servers]:
    """Build it and serve."""
    os.makedirs(CONTAINERS, exist_ok=True)
    built = internet.build()
    return built, await built.serve()


async def aside(work: Callable[[], T]) -> T:
    """Run a blocking client in a thread, so that the servers in this loop can answer it."""
    return await asyncio.to_thread(work)


@sandboxed
async def test_the_host_has_an_uplink_and_a_way_out() -> None:
    """eth0 has its address and a default route, with the same hardware addresses in every lab; nothing else is there."""
    built, _ = await begin()
    links = {link["ifname"]: link for link in json.loads(sh("ip -j -d addr"))}
    assert sorted(links) == ["eth0", "lo"]
    eth0 = links["eth0"]
    assert [own["local"] for own in eth0["addr_info"] if own["family"] == "inet"] == ["203.0.113.2"]
    assert eth0["addr_info"][0]["prefixlen"] == 24 and eth0["addr_info"][0]["broadcast"] == "203.0.113.255"
    assert (eth0["address"], eth0["ifindex"], eth0["linkinfo"]["info_kind"]) == ("02:00:cb:00:71:02", 2, "veth")
    (default,) = [route for route in json.loads(sh("ip -j route")) if route["dst"] == "default"]
    assert (default["gateway"], default["dev"]) == ("203.0.113.1", "eth0")
    there = json.loads(sh(f"nsenter -t {built.node.pid} -n ip -j addr"))
    assert {own["local"] for link in there for own in link["addr_info"] if own["family"] == "inet"} == {
        "127.0.0.1", "198.51.100.10", "198.51.100.53", "203.0.113.1",
    }  # fmt: skip
    assert sh("sysctl -n net.ipv4.ip_forward") == "0\n"


@sandboxed
async def test_it_answers_at_once() -> None:
    """The very first packets get through: no waiting for the link to be noticed."""
    await begin()
    for address in ("203.0.113.1", "198.51.100.10", "198.51.100.53"):
        assert "1 received" in await aside(functools.partial(sh, f"ping -c1 -W1 {address}"))
    assert json.loads(sh("ip -j link show eth0"))[0]["operstate"] == "UP"


@sandboxed
async def test_it_knows_no_way_back_to_private_addresses() -> None:
    """As in the real internet: a packet from 10.0.0.0/24 arrives there and is never answered; there is no route to it."""
    built, _ = await begin()
    assert "Network is unreachable" in sh(f"nsenter -t {built.node.pid} -n ip route get 10.0.0.2 2>&1 || true")
    sh("ip addr add 10.0.0.2/32 dev lo")
    counter = f"nsenter -t {built.node.pid} -n nstat -asz IcmpInEchos | awk '/IcmpInEchos/ {{print $2}}'"
    before = int(sh(counter))
    done = await aside(lambda: sh("ping -c1 -W0.3 -I 10.0.0.2 203.0.113.1 || true"))
    assert "0 received" in done
    assert int(sh(counter)) == before + 1


@sandboxed
async def test_names_are_resolved_by_the_systems_own_resolver() -> None:
    """With the name server in resolv.conf, getent finds the site both ways, and a name that is not there is not there."""
    await begin()
    sh("echo nameserver 198.51.100.53 > /tmp/resolv.conf; echo hosts: dns > /tmp/nsswitch.conf")
    sh("for name in resolv.conf nsswitch.conf; do mount --bind /tmp/$name /etc/$name; done")
    assert (await aside(lambda: sh("getent ahostsv4 example.test"))).split()[0] == "198.51.100.10"
    assert (await aside(lambda: sh("getent ahostsv4 www.example.test"))).split()[0] == "198.51.100.10"
    assert "example.test" in await aside(lambda: sh("getent hosts 198.51.100.10"))
    assert await aside(lambda: sh("getent hosts nosuch.test || echo none")) == "none\n"


@sandboxed
async def test_the_page_says_whom_it_sees() -> None:
    """curl gets a page that names the address the request came from; HEAD gets no body; /big is as large as it says."""
    await begin()
    assert "I see you as 203.0.113.2\n" in await aside(lambda: sh("curl -sS --max-time 5 http://198.51.100.10/"))
    head = await aside(lambda: sh("curl -sSI --max-time 5 http://198.51.100.10/any/thing"))
    assert head.startswith("HTTP/1.1 200 OK")
    assert await aside(lambda: sh("curl -sS --max-time 5 http://198.51.100.10/big | wc -c")) == f"{BIG_SIZE}\n"
    assert "405" in await aside(lambda: sh("curl -sS -o /dev/null -w '%{http_code}' -d x=1 --max-time 5 http://198.51.100.10/"))


@sandboxed
async def test_a_container_behind_translation_is_seen_as_the_host() -> None:
    """The whole way once, by hand: a container, a cable, forwarding and masquerade; the site sees the host's address."""
    await begin()
    with container() as pid:
        script = f"""
        ip link add v0 type veth peer name v1 netns {pid}; ip addr add 10.0.0.1/24 dev v0; ip link set v0 up
        nsenter -t {pid} -n sh -ec 'ip addr add 10.0.0.2/24 dev v1; ip link set v1 up; ip route add default via 10.0.0.1'
        echo 1 > /proc/sys/net/ipv4/ip_forward
        """
        sh(script)
        fetch = f"nsenter -t {pid} -n curl -sS --max-time 1 http://198.51.100.10/ 2>&1 || true"
        assert "I see you" not in await aside(lambda: sh(fetch))
        sh("nft 'add table ip t; add chain ip t p { type nat hook postrouting priority 100; }; add rule ip t p oifname eth0 masquerade'")
        assert "I see you as 203.0.113.2" in await aside(lambda: sh(fetch))


@sandboxed
async def test_rude_clients_are_got_rid_of() -> None:
    """Nonsense, endless requests and silent connections do not keep the servers from serving others."""
    _built, _servers = await begin()

    def rude() -> list[bytes]:
        silent = [socket.create_connection(("198.51.100.10", 80), 2) for _ in range(10)]
        replies = []
        for sent in (b"\xff" * 30_000 + b"\n", b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 500, b"HELLO\r\n\r\n", b"GET /\r\n\r\n", b"\r\n"):
            with socket.create_connection(("198.51.100.10", 80), 2) as sock:
                try:
                    sock.sendall(sent)
                    sock.shutdown(socket.SHUT_WR)
                    replies.append(sock.recv(4096)[:12])
                except OSError:
                    replies.append(b"")
        for sock in silent:
            sock.close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            for size in (0, 1, 11, 12, 13, 500):
                udp.sendto(os.urandom(size), ("198.51.100.53", 53))
        with socket.create_connection(("198.51.100.53", 53), 2) as tcp:
            tcp.sendall(b"\xff\xff" + b"x" * 100)
        return replies

    replies = await aside(rude)
    assert replies[1:] == [b"HTTP/1.1 400", b"HTTP/1.1 400", b"HTTP/1.1 200", b""]
    assert "I see you" in await aside(lambda: sh("curl -sS --max-time 5 http://198.51.100.10/"))

    def over_tcp() -> bytes:
        query = question("example.test")
        with socket.create_connection(("198.51.100.53", 53), 2) as tcp:
            tcp.sendall(len(query).to_bytes(2, "big") + query)
            return tcp.recv(600)[2:]

    assert socket.inet_ntoa((await aside(over_tcp))[-4:]) == "198.51.100.10"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (question("example.test"), (0, 1, 0)),
        (question("ExAmPlE.TeSt"), (0, 1, 0)),
        (question("www.example.test"), (0, 1, 0)),
        (question("ns.example.test"), (0, 1, 0)),
        (question("example.test", 28), (0, 0, 1)),
        (question("example.test", 2), (0, 1, 0)),
        (question("example.test", 6), (0, 1, 0)),
        (question("example.test", 255), (0, 3, 0)),
        (question("test"), (0, 0, 1)),
        (question("nosuch.test"), (3, 0, 1)),
        (question("example.com"), (3, 0, 1)),
        (question("10.100.51.198.in-addr.arpa", 12), (0, 1, 0)),
        (question("11.100.51.198.in-addr.arpa", 12), (3, 0, 1)),
        (question("example.test", klass=3), (5, 0, 0)),
        (question("example.test", flags=0x2800), (4, 0, 0)),
        (struct.pack("!HHHHHH", 0x1234, 0x0100, 2, 0, 0, 0) + question("a.test")[12:] * 2, (1, 0, 0)),
        (struct.pack("!HHHHHH", 0x1234, 0x0100, 1, 0, 0, 0) + b"\xc0\x0c\0\1\0\1", (1, 0, 0)),
        (struct.pack("!HHHHHH", 0x1234, 0x0100, 1, 0, 0, 0) + b"\x3f" + b"x" * 10, (1, 0, 0)),
    ],
)
def test_dns_answers(query: bytes, expected: tuple[int, int, int]) -> None:
    """(response code, answers, authority records) for each kind of question, by RFC 1035 and RFC 2308."""
    assert counts(answer(query, internet.zone(USUAL))) == expected


def test_dns_says_nothing_to_what_is_no_question() -> None:
    """Replies and fragments get no answer, so two servers can never talk to each other for ever."""
    assert answer(b"", internet.zone(USUAL)) is None
    assert answer(b"\0" * 11, internet.zone(USUAL)) is None
    assert answer(question("example.test", flags=0x8180), internet.zone(USUAL)) is None


def test_dns_answers_edns_in_kind() -> None:
    """An asker that sends an OPT record gets one back (RFC 6891); the answer is there all the same."""
    opt = b"\0" + struct.pack("!HHIH", 41, 4096, 0, 0)
    reply = answer(question("example.test", tail=opt, additional=1), internet.zone(USUAL))
    assert reply is not None and counts(reply) == (0, 1, 0)
    assert struct.unpack_from("!H", reply, 10)[0] == 1
    assert reply.endswith(b"\0" + struct.pack("!HHIH", 41, 1232, 0, 0))


def test_dns_survives_random_bytes() -> None:
    """Whatever arrives, the name server answers with a well-formed header or not at all, and never raises."""
    chance = random.Random(1)
    whole = question("www.example.test")
    for _ in range(5000):
        data = bytearray(chance.choice((whole, chance.randbytes(chance.randrange(80)))))
        for _ in range(chance.randrange(4)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        reply = answer(bytes(data[: chance.randrange(len(data) + 1)]), internet.zone(USUAL))
        assert reply is None or len(reply) >= 12


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET / HTTP/1.1\r\n", b"200"),
        (b"GET /\r\n", b"200"),
        (b"HEAD /x HTTP/1.0\r\n", b"200"),
        (b"GET http://example.test/big HTTP/1.1\r\n", b"200"),
        (b"POST / HTTP/1.1\r\n", b"405"),
        (b"GET\r\n", b"400"),
        (b"GET / SPDY\r\n", b"400"),
        (b"\xff\xfe\r\n", b"400"),
    ],
)
def test_http_status(line: bytes, status: bytes) -> None:
    """What each kind of request line is answered with; the length always tells the truth."""
    reply = respond(line, "192.0.2.7")
    head, _, body = reply.partition(b"\r\n\r\n")
    assert head.split()[1] == status
    length = int(next(part for part in head.split(b"\r\n") if part.startswith(b"Content-Length")).split()[1])
    assert len(body) == (0 if line.startswith(b"HEAD") else length)
    if b"/big" in line:
        assert length == BIG_SIZE
