"""Why, where something decides over packets that netless cannot read: it says that it is there, and accuses nobody else of what it may have done."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpers.broken import SITE, START, ping
from helpers.running import Running, running
from netless_lab.protocol import Explain

pytestmark = [pytest.mark.kernel, pytest.mark.kernel_may_lack]
STEAL = "protocol all u32 match u32 0 0 action mirred egress redirect dev lo"
PLACES = {
    "at the uplink, on the way out": ("host", "eth0", "egress"),
    "at the uplink, on the way back": ("host", "eth0", "ingress"),
    "at the container, on the way back": ("c1", "veth1", "ingress"),
    "at a port of the bridge": ("host", "veth2", "ingress"),
}


@pytest.fixture(scope="module")
def lab() -> Iterator[Running]:
    """One lab for all: each test begins with a healthy one."""
    with running() as own:
        own.goto(START, end=True)
        if said := own.sh(f"tc qdisc add dev lo clsact 2>&1 && tc filter add dev lo ingress {STEAL} 2>&1 || true"):
            pytest.skip(f"this kernel has no such filters: {said.strip()}")
        yield own


@pytest.mark.parametrize("place", PLACES)
def test_a_filter_is_named_and_nobody_else_accused(lab: Running, place: str) -> None:
    """The packet dies in a filter: no cause is given, and the filter is among the facts with the command that shows it."""
    node, link, direction = PLACES[place]
    lab.goto(START, end=True)
    lab.sh(f"tc qdisc add dev {link} clsact; tc filter add dev {link} {direction} {STEAL}", node)
    told = lab.client.ask(Explain(probe=ping(SITE)))
    assert not told.answered and (told.cause, told.certainty) == ("", "unknown"), told
    facts = [fact for fact in told.facts if link in fact.text and "tc" in fact.text]
    assert facts, (told.seen, told.facts)
    assert f"tc filter show dev {link} {direction}" in facts[0].look, told.facts
    assert "u32" in lab.sh(facts[0].look)


def test_what_the_kernel_says_stays_a_cause(lab: Running) -> None:
    """A rule whose counter rose has dropped the packet, whatever filters there are beside it."""
    lab.goto(START, end=True)
    lab.sh("tc qdisc add dev eth0 clsact; tc filter add dev eth0 egress protocol ipv6 u32 match u32 0 0 flowid 1:1")
    lab.sh("nft insert rule ip lab forward counter drop")
    told = lab.client.ask(Explain(probe=ping(SITE)))
    assert told.code == "forward-rule" and told.certainty == "certain", told


def test_a_setting_beside_a_filter_is_likely(lab: Running) -> None:
    """Forwarding is off where the packet was lost, and a filter is there as well: the one is likely, the other is named."""
    lab.goto(START, end=True)
    lab.sh("tc qdisc add dev eth0 clsact; tc filter add dev eth0 egress protocol ipv6 u32 match u32 0 0 flowid 1:1; sysctl -qw net.ipv4.ip_forward=0")
    told = lab.client.ask(Explain(probe=ping(SITE)))
    assert (told.code, told.certainty) == ("forwarding-off", "likely"), told
    assert any("tc" in fact.text for fact in told.facts)
