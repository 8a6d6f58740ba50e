"""A question about rules ends soon, whatever the rules are: the bound is counted in what is asked, not in time."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from netless_lab.model.gates import firewall
from netless_lab.model.netfilter import rules as r
from netless_lab.model.netfilter.conditions import Question, Split, View
from netless_lab.model.netfilter.packet import Packet, first, network, only, spans
from netless_lab.model.netfilter.run import Way, always, through
from netless_lab.model.snapshot import Chain, Node, Rule

PACKET = first(source=network("10.0.0.0/24"), destination=network("198.51.100.0/24"), protocol=6)
VARIES = r.Unread("limit rate 5/second", varies=True)
UNREAD = r.Unread('xt match "bpf"')


def chain(rules: Iterable[Rule], name: str = "forward", hook: str | None = "forward", policy: str | None = "accept") -> Chain:
    """A chain of the table ``ip t``, at a hook or only to jump to."""
    return Chain("ip", "t", name, "filter" if hook else None, hook, policy=policy if hook else None, rules=tuple(rules))


def rule(*parts: r.Part) -> Rule:
    """A rule of these."""
    return Rule(0, "a rule", parts=parts)


def nested(deep: int, *ask: r.Part) -> tuple[Chain, ...]:
    """Chains of which each leads to the next one, twice."""
    leading = (chain([rule(*ask, r.Jump(f"c{at + 1}"))] * 2, f"c{at}", "forward" if at == 0 else None) for at in range(deep))
    return (*leading, chain([rule(*ask, r.Write("ct mark", 0, 1))], f"c{deep}", None))


def concatenated(many: int) -> r.Lookup:
    """Whether sender and port are an element of a set of so many."""
    keys = ((r.Numbers(only(0x0A000000 + at)), r.Numbers(only(at % 65536))) for at in range(many))
    return r.Lookup(("ip saddr", "th sport"), "s", tuple(map(r.Element, keys)))


LABS = {
    "150 limits at each hook": [chain([rule(VARIES, r.Accept())] * 150, hook, hook) for hook in ("prerouting", "forward", "postrouting")],
    "ten chains of one hook": [chain([rule(VARIES, r.Accept())] * 100, f"c{at}") for at in range(10)],
    "marks that may be": [chain([rule(UNREAD, r.Write("ct mark", 0, at)) for at in range(150)])],
    "jumps that may be": nested(14, VARIES),
    "jumps that are": nested(15),
    "a map of many verdicts": [
        chain([rule(r.VerdictMap(("ip saddr",), "m", tuple(r.Element((r.Numbers(only(0x0A000000 + 2 * at)),), r.Proceed()) for at in range(120))))] * 50)
    ],
    "large sets asked by many ways": [chain([*[rule(VARIES, r.Write("ct mark", 0, 1))] * 7, *[rule(concatenated(2000), r.Drop())] * 50])],
}


@pytest.mark.parametrize("chains", LABS.values(), ids=LABS)
def test_the_bound_is_held(chains: list[Chain], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one question: neither more ways come of it than it may part into, nor is more asked than may be; a set counts by its elements."""
    asked = 0
    ask = View.ask

    def counted(self: View, part: Question, at: Chain, packet: Packet) -> Split:
        nonlocal asked
        asked += 1 + len(part.elements or ()) // 8 if isinstance(part, r.Lookup) else 1
        assert asked <= 40_000
        return ask(self, part, at, packet)

    monkeypatch.setattr(View, "ask", counted)
    ways = through(Node("host", "host", 1, chains=tuple(chains)), ("prerouting", "forward", "postrouting"), PACKET)
    assert 1 <= len(ways) <= 1000


def test_what_is_known_stays_known() -> None:
    """What was decided before there were too many ways is as sure as ever, and of the rest nothing is said."""
    ssh = r.Condition("th dport", r.Numbers(only(22)))
    rules = [rule(ssh, r.Drop()), *[rule(UNREAD, r.Write("ct mark", 0, at)) for at in range(20)]]
    node = Node("host", "host", 1, chains=(chain(rules),))
    ways = through(node, ("forward",), PACKET.listing("th dport", spans([(1, 1000)])))
    assert always(ways, lambda way: way.end == "accept") is False
    assert always(ways, lambda way: way.end == "drop") is None
    assert always(through(node, ("forward",), PACKET.listing("th dport", only(22))), lambda way: way.end == "drop") is True


def test_many_rules_that_are_plain_are_followed() -> None:
    """Ten thousand rules that one packet is asked by are not too many, nor is a set with a hundred thousand elements."""
    senders = r.Lookup(("ip saddr",), "s", tuple(r.Element((r.Numbers(only(0x0B000000 + 2 * at)),)) for at in range(100_000)))
    other = r.Condition("ip saddr", r.Numbers(network("10.9.0.0/16")))
    node = Node("host", "host", 1, chains=(chain([*[rule(other, r.Drop())] * 10_000, rule(senders, r.Drop())]),))

    def passes(way: Way) -> bool:
        return way.end == "accept"

    assert always(through(node, ("forward",), PACKET), passes) is True


def test_a_gate_of_too_many_ways_is_unknown() -> None:
    """The picture's gate says that it cannot be told, for some of what is lost may be dropped."""
    node = Node("host", "host", 1, chains=tuple(nested(14, VARIES)))
    assert firewall(node) == "unknown"
