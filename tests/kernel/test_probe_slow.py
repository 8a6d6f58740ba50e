"""Probes on a slow way: an answer that takes longer than an attempt is an answer. tc(8) makes it slow, Python's own socket is the witness."""

from __future__ import annotations

import asyncio
import socket

import pytest

from helpers.sandboxed import sandboxed_once, sh
from helpers.waiting import becomes
from helpers.wires import inside, own_node, wired
from netless_lab.kernel import probe as probing
from netless_lab.model import dns
from netless_lab.model.probe import Connect, Lookup

BUILD = "ip link set lo up; tc qdisc add dev lo root tbf rate 3kbit burst 80 limit 4000"
"""Some 375 bytes a second: whatever follows a datagram of 70 bytes waits longer than a tenth of a second, and the longer the more there is."""


def stuff() -> None:
    """Take what the queue would let through at once."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.sendto(bytes(28), ("127.0.0.9", 9))


@sandboxed_once
async def test_a_connection_that_opens_late_is_open() -> None:
    """Each attempt waits a tenth of a second, and then the next begins; the answer to the first comes later, and counts."""
    sh(BUILD)
    with socket.create_server(("127.0.0.1", 80)) as server:
        stuff()
        outcome = await probing.run(Connect("host", "127.0.0.1", 80), {"host": own_node()}, deadline_s=1.0, grace_s=0.05)
        assert outcome.result == "answered", outcome.text
        own, there = await asyncio.to_thread(server.accept)
        own.close()
        assert there == (outcome.answer, outcome.ident)


@sandboxed_once
async def test_a_connection_is_open_whatever_became_of_those_before() -> None:
    """One question for the neighbour, given up after a second, fails every attempt of that second at once. The first after it is answered: that counts,
    though there is no time left to wait a moment after each of those that failed.
    """
    with wired("c1") as nodes, socket.create_server(("0.0.0.0", 80)):
        inside(nodes, "c1", "sysctl -qw net.ipv4.neigh.eth0.retrans_time_ms=1000 net.ipv4.neigh.eth0.mcast_solicit=1")
        probing_it = asyncio.create_task(probing.run(Connect("c1", "10.0.0.9", 80), nodes, deadline_s=1.6, grace_s=0.05))
        assert await becomes(lambda: "INCOMPLETE" in inside(nodes, "c1", "ip neigh show 10.0.0.9"))
        sh("ip addr add 10.0.0.9/24 dev br0")  # who is asked for is there by now
        outcome = await probing_it
        assert outcome.result == "answered", outcome.text


@pytest.mark.parametrize("kind", [dns.A, dns.AAAA])
@sandboxed_once
async def test_an_answer_to_an_earlier_question_is_an_answer(kind: int) -> None:
    """The server answers each question when the next one has come, so that every answer is late: the address is found all the same."""
    sh("ip link set lo up")
    loop = asyncio.get_running_loop()
    address = {dns.A: bytes((198, 51, 100, 10)), dns.AAAA: bytes.fromhex("fd000000000000000000000000000001")}[kind]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 53))
        server.setblocking(False)

        async def serve() -> None:
            held, asker = await loop.sock_recvfrom(server, 4096)
            while True:
                data, who = await loop.sock_recvfrom(server, 4096)
                query = dns.decode(held)
                assert query is not None
                (asked,) = query.questions
                records = (dns.Record(asked.name, kind, address, 60),) if asked.kind == kind else ()
                await loop.sock_sendto(server, dns.encode(dns.Message(query.ident, dns.RESPONSE, query.questions, records)), asker)
                held, asker = data, who

        serving = asyncio.create_task(serve())
        outcome = await probing.run(Lookup("host", "late.test", "127.0.0.1"), {"host": own_node()}, deadline_s=5.0, grace_s=0.05)
        serving.cancel()
    assert outcome.answer == {dns.A: "198.51.100.10", dns.AAAA: "fd00::1"}[kind], outcome.text


NAMES = "no such name"
BARE = "no address"


@pytest.mark.parametrize("says", [NAMES, BARE, "fd00::1"])
@sandboxed_once
async def test_what_the_first_server_says_late_counts_whatever_the_second_does(says: str) -> None:
    """The first answers each question when the second, which never answers, was asked too: its answer is the answer."""
    sh("ip link set lo up; rm -f /etc/resolv.conf; printf 'nameserver 127.0.0.1\\nnameserver 127.0.0.2\\n' > /etc/resolv.conf")
    with _server("127.0.0.1") as late, _server("127.0.0.2") as deaf:

        async def serve() -> None:
            while True:
                query, asker = await _question(late)
                await _question(deaf)
                await _answer(late, query, asker, says)

        serving = asyncio.create_task(serve())
        outcome = await probing.run(Lookup("host", "late.test"), {"host": own_node()}, deadline_s=5.0, grace_s=0.05)
        serving.cancel()
    assert (outcome.reason, outcome.answer) == (("answered", says) if ":" in says else ("no-such-name", None)), outcome.text
    assert outcome.by == "127.0.0.1" and (says == BARE) == ("no address" in outcome.text)


@pytest.mark.parametrize("says", [NAMES, BARE, "server failure"])
@sandboxed_once
async def test_a_server_that_knows_of_no_such_name_is_believed(says: str) -> None:
    """The next one, which knows it, is asked only if the first could not answer, as by the C library: getent(1) is the witness."""
    sh("ip link set lo up; rm -f /etc/resolv.conf; printf 'nameserver 127.0.0.1\\nnameserver 127.0.0.2\\n' > /etc/resolv.conf")
    with _server("127.0.0.1") as first, _server("127.0.0.2") as second:

        async def serve(server: socket.socket, says: str) -> None:
            while True:
                query, asker = await _question(server)
                await _answer(server, query, asker, says)

        serving = [asyncio.create_task(serve(first, says)), asyncio.create_task(serve(second, "fd00::1"))]
        witness = await asyncio.to_thread(sh, "getent ahosts some.test || true")
        outcome = await probing.run(Lookup("host", "some.test"), {"host": own_node()}, deadline_s=5.0, grace_s=0.05)
        for task in serving:
            task.cancel()
    assert (outcome.answer or "") == (witness.split() or [""])[0] == ("fd00::1" if says == "server failure" else "")


def _server(address: str) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind((address, 53))
    opened.setblocking(False)
    return opened


async def _question(server: socket.socket) -> tuple[dns.Message, tuple[str, int]]:
    data, asker = await asyncio.get_running_loop().sock_recvfrom(server, 4096)
    query = dns.decode(data)
    assert query is not None
    return query, asker


async def _answer(server: socket.socket, query: dns.Message, asker: tuple[str, int], says: str) -> None:
    """That there is no such name, or none of its addresses is of this kind, or one that is IPv6."""
    (asked,) = query.questions
    value = socket.inet_pton(socket.AF_INET6, says) if ":" in says and asked.kind == dns.AAAA else None
    records = () if value is None else (dns.Record(asked.name, dns.AAAA, value, 60),)
    code = {NAMES: dns.NAME_ERROR, "server failure": 2}.get(says, dns.NO_ERROR)
    reply = dns.Message(query.ident, dns.RESPONSE | dns.RECURSION_AVAILABLE | code, query.questions, records)
    await asyncio.get_running_loop().sock_sendto(server, dns.encode(reply), asker)
