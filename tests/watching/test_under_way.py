"""How long an answer is waited for when Why sends a packet: as long as who has the packet may need, be it a kernel, a program or a queue."""

from __future__ import annotations

import sys

import pytest

from capture.watching import watched
from helpers.sandboxed import sandboxed, sh
from helpers.wires import inside, started
from netless_lab.kernel.evidence import replay
from netless_lab.kernel.evidence.under_way import taken_in
from netless_lab.model.evidence import Count
from netless_lab.model.probe import Fetch, Lookup, Probe, Udp
from netless_lab.watching import gather

SITE = "198.51.100.10"

HOUR_S = 3600  # seconds
LOST: dict[str, tuple[Probe, str]] = {
    "question": (Lookup("c1", "a.test", server=SITE), "nft add rule ip lab f udp dport 53 drop"),
    "datagram": (Udp("c1", SITE, 5000), "nft add rule ip lab f udp dport 5000 drop"),
    "connection": (Fetch("c1", f"http://{SITE}/"), "nft add rule ip lab f tcp dport 80 drop"),
    "nobody": (Lookup("c1", "a.test", server="10.0.0.77"), "true"),
    "nobody's page": (Fetch("c1", "http://10.0.0.77/"), "true"),
}
"""Probes that die on the way, and the rule that they die of."""


@pytest.mark.parametrize("name", LOST)
@sandboxed
async def test_what_is_lost_on_its_way_is_waited_for_as_long_as_kernels_take(name: str) -> None:
    """If programs had an hour to answer: what none of them has been given ends all the same, and so does its replay, where the packet ended."""
    probe, rule = LOST[name]
    async with watched() as lab:
        sh(f"nft add chain ip lab f '{{ type filter hook forward priority 0; }}'; {rule}")
        gather.PATIENCE_S = replay.LATE_S = HOUR_S  # type: ignore[misc]
        found = await lab.investigate(probe)
        assert found.outcome.result == "failed" and found.journey.death is not None
        dropped = found.trace.dropped if found.trace is not None else None
        assert (dropped.text if dropped is not None else "") == rule.partition("ip lab f ")[2]


@sandboxed
async def test_a_question_for_a_neighbour_meets_no_rules_for_ip() -> None:
    """Nobody has the address: only questions were heard in the host, whose rules are for IP, and nothing is sent again to see what they do."""
    async with watched() as lab:
        found = await lab.investigate(Lookup("c1", "a.test", server="10.0.0.77"))
        assert found.outcome.reason == "no-neighbour" and found.trace is None
        sh("nft add table arp t; nft add chain arp t i '{ type filter hook input priority 0; }'")
        assert (await lab.investigate(Lookup("c1", "a.test", server="10.0.0.77"))).trace is not None


FILLS = "import socket; own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); [own.sendto(bytes(340), ('10.0.0.3', 5000)) for _ in range(3)]"
SLOW = """import socket, time; own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); own.bind(('{address}', 53)); print(flush=True)
while True:
    asked, who = own.recvfrom(512); time.sleep({seconds})
    own.sendto(asked[:2] + bytes((132, 0, 0, 1, 0, 1, 0, 0, 0, 0)) + asked[12:] + bytes((192, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4)), who)
"""


@sandboxed
async def test_a_program_that_has_the_question_is_waited_for() -> None:
    """A name server that takes several times as long as any kernel."""
    async with watched() as lab:
        server = started(lab.nodes, "c2", sys.executable, "-c", SLOW.format(address="10.0.0.3", seconds=3 * gather.GRACE_S))
        assert server.stdout is not None
        server.stdout.readline()
        gather.PATIENCE_S = HOUR_S  # type: ignore[misc]
        found = await lab.investigate(Lookup("c1", "slow.test", server="10.0.0.3"))
        server.kill()
        assert (found.outcome.result, found.outcome.answer) == ("answered", "1.2.3.4")


@sandboxed
async def test_what_was_answered_to_where_no_route_leads_is_waited_for_no_longer() -> None:
    """Behind a host that masquerades nothing: out there a name server has the question, and no way back to who asked."""
    async with watched() as lab:
        server = started(lab.nodes, "net", sys.executable, "-c", SLOW.format(address=SITE, seconds=0))
        assert server.stdout is not None
        server.stdout.readline()
        sh("nft flush chain ip lab postrouting")
        gather.PATIENCE_S = HOUR_S  # type: ignore[misc]
        found = await lab.investigate(Lookup("c1", "a.test", server=SITE))
        server.kill()
        assert found.outcome.reason == "silence"
        assert [(answer.node, answer.error) for answer in found.routes if answer.dst == "10.0.0.2" and answer.error] == [("net", "ENETUNREACH")] * 2


@sandboxed
async def test_a_queue_that_has_the_question_is_waited_for() -> None:
    """A link so slow (tc-tbf) that the question stands in its queue, behind datagrams that were there first: it is not lost."""
    async with watched() as lab:
        server = started(lab.nodes, "c2", sys.executable, "-c", SLOW.format(address="10.0.0.3", seconds=0))
        assert server.stdout is not None
        server.stdout.readline()
        inside(lab.nodes, "c1", "tc qdisc add dev eth0 root tbf rate 8kbit burst 400 limit 9000")
        started(lab.nodes, "c1", sys.executable, "-c", FILLS).wait()
        gather.PATIENCE_S, gather.GRACE_S = HOUR_S, 0.002  # type: ignore[misc]
        found = await lab.investigate(Lookup("c1", "slow.test", server="10.0.0.3"))
        server.kill()
        assert (found.outcome.result, found.outcome.answer) == ("answered", "1.2.3.4")


@pytest.mark.parametrize(
    ("counted", "taken"),
    [
        ({"IpInDelivers": 1}, True), ({"Ip6InDelivers": 1}, True), ({"IpInDelivers": 2, "IcmpInMsgs": 2}, False), ({"IpInDelivers": 2, "IcmpInMsgs": 1}, True),
        ({"Ip6InDelivers": 3, "Icmp6InMsgs": 3, "IpInReceives": 4}, False), ({}, False),
        ({"IpInDelivers": 1, "IpOutNoRoutes": 1}, False), ({"Ip6InDelivers": 2, "Ip6OutNoRoutes": 1}, True),
    ],
)  # fmt: skip
def test_what_is_taken_in_for_a_program(counted: dict[str, int], taken: bool) -> None:
    """Whatever a kernel delivers, but for ICMP, which it answers itself, and what was answered in vain; one node's counts say nothing of another's."""
    counts = [Count("c1", name, by) for name, by in counted.items()]
    assert taken_in(counts) == taken
    assert taken_in([*counts, Count("host", "IcmpInMsgs", 9)]) == taken
