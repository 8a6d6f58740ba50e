"""Why, of every table beside this file: each thing is broken for real, by ``ip``, ``bridge``, ``sysctl``, ``nft`` and their kin."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from explain import datagrams, firewalls, links, reports, routing, services, six
from explain.firewalls import firewall
from helpers.broken import SITE, START, Broken, check, ping
from helpers.running import Running, running
from netless_lab.model.probe import Connect, Fetch, Lookup, Probe, Udp
from netless_lab.protocol import Explain

pytestmark = pytest.mark.kernel
TABLES = (links, routing, firewalls, services, datagrams, six, reports)
BROKEN = {f"{table.__name__.rpartition('.')[2]}: {broken.name}": broken for table in TABLES for broken in table.BROKEN}


@pytest.fixture(scope="module")
def lab() -> Iterator[Running]:
    """One lab for all: each breakage begins with a healthy one."""
    with running() as own:
        yield own


def test_every_breakage_has_a_name_of_its_own() -> None:
    """None is lost because another is called the same."""
    assert len(BROKEN) == sum(len(table.BROKEN) for table in TABLES)


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_the_place_and_the_cause_are_named(lab: Running, broken: Broken) -> None:
    """After the breakage it does not work, and explain names where and why, with facts."""
    check(lab, broken)


def test_the_learners_rules_are_left_alone(lab: Running) -> None:
    """Explaining leaves every table as it was, tracing rules of the learner's own included, and none of ours behind."""
    lab.goto(START, end=True)
    lab.sh(firewall("inet", "prerouting", "ip protocol icmp meta nftrace set 1", priority=-350))
    lab.sh("nft insert rule ip lab forward ip protocol icmp drop")
    before = lab.sh("nft -s list ruleset")
    told = lab.client.ask(Explain(probe=ping(SITE)))
    assert told.code == "forward-rule" and told.certainty == "certain"
    assert lab.sh("nft -s list ruleset") == before
    assert "nftrace set 1" in before


@pytest.mark.parametrize(
    "probe", [ping("10.0.0.1"), ping(SITE), ping("10.0.0.3"), Connect("c1", SITE, 80), Udp("c1", SITE, 5000), Lookup("c1", "example.test"), Fetch("c1", "http://example.test/")],
    ids=str,
)  # fmt: skip
def test_a_healthy_lab_answers(lab: Running, probe: Probe) -> None:
    """Nothing is wrong, and nothing is said to be."""
    lab.goto(START, end=True)
    told = lab.client.ask(Explain(probe=probe))
    assert told.answered and not told.cause and not told.code and told.journey is not None and told.journey.complete
