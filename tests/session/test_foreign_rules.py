"""A learner whose firewall is their own, by whatever tool: what the page says is true for it, what is done is done there, and it alone is undone."""

from __future__ import annotations

import json
from typing import Final

import pytest

from helpers.running import Running
from helpers.waiting import eventually
from netless_lab.primitives.roles import Dialect
from netless_lab.protocol import Break, Hint, Mend, SetDialect

pytestmark = pytest.mark.kernel

OWN: Final = {
    "iptables": "iptables -P FORWARD DROP",
    "a last rule of iptables": "iptables -A FORWARD -i lo -j ACCEPT; iptables -A FORWARD -j DROP",
    "the old iptables": "iptables-legacy -P FORWARD DROP",
    "another table": "nft add table inet mine; nft 'add chain inet mine way { type filter hook forward priority -3; policy drop; }'",
    "two tables": "nft add table inet mine; nft 'add chain inet mine way { type filter hook forward priority 9; policy drop; }'; iptables -P FORWARD DROP",
}
each = pytest.mark.parametrize("name", OWN)


def rules(lab: Running) -> str:
    """``nft -j list ruleset`` without handles and counters, and what the old iptables has."""
    told = json.loads(lab.sh("nft -j list ruleset"))["nftables"]

    def lasting(own: object) -> object:
        if isinstance(own, dict):
            return {key: lasting(value) for key, value in own.items() if key not in ("handle", "packets", "bytes", "metainfo")}
        return [lasting(one) for one in own] if isinstance(own, list) else own

    return json.dumps(lasting(told)) + lab.sh("for t in filter nat; do iptables-legacy -t $t -S; done | grep -v '^-P .* ACCEPT'", check=False)


def passed(lab: Running) -> bool:
    """Whether the lab itself has seen the step pass."""
    verdict = lab.status().verdict
    return verdict is not None and verdict.passed


def shut(lab: Running, name: str) -> str:
    """The firewall step done by hand, and the learner at the next one; the rules then."""
    lab.client.ask(SetDialect("ip"))
    lab.goto("internet/firewall")
    lab.sh(OWN[name])
    assert eventually(lambda: passed(lab))
    assert lab.next().position == "container/internet/door-out"
    return rules(lab)


@each
def test_the_commands_shown_work(lab: Running, name: str) -> None:
    """Of each dialect, as they stand on the page and in the last hint, typed at a prompt: step after step passes."""
    dialects: tuple[Dialect, ...] = ("ip", "legacy", "pyroute2")
    for dialect in dialects:
        shut(lab, name)
        for _ in range(2):
            assert not lab.check().verdicts[0].verdict.passed
            lines = next("\n".join(own.lines) for own in lab.status().page.commands if own.dialect == dialect)
            if dialect == "ip":
                rungs = range(lab.status().page.hints_total)
                assert [lab.client.ask(Hint(rung)).text for rung in rungs][-1] == lines
            lab.sh(f"python3 - <<'EOF'\n{lines}\nEOF" if dialect == "pyroute2" else lines)
            assert lab.check().verdicts[0].verdict.passed, lines
            lab.next()
        assert lab.pings("198.51.100.10")


@each
def test_run_builds_on_it_and_back_undoes_just_that(lab: Running, name: str) -> None:
    """Nothing of the learner's goes, and nothing is rebuilt: one ``back`` for each step, and the rules are as they were after each."""
    before = [shut(lab, name)]
    first = lab.run().verdicts[0]
    assert first.verdict.passed and first.besides == "", first
    before.append(rules(lab))
    second = lab.run().verdicts[0]
    assert second.verdict.passed and second.besides == "", second
    assert lab.pings("198.51.100.10")
    for position in ("door-back", "door-out"):
        told = lab.back(force=False)
        assert told.position == f"container/internet/{position}" and told.text.startswith("Undone: "), told
        assert rules(lab) == before.pop()
    assert not lab.check().verdicts[0].verdict.passed


def test_a_script_of_it_is_of_the_learners_own_chain(lab: Running) -> None:
    """What the tutor did stands there as it was done: in the chains that drop."""
    shut(lab, "two tables")
    lab.run()
    written = lab.history().script
    assert 'add rule inet mine way iifname "br0" counter accept' in written and "iptables -A FORWARD -i br0 -j ACCEPT" in written


@pytest.mark.parametrize("fault", ["door-shut", "web-blocked", "no-masquerade"])
def test_a_drill_can_be_had_by_who_speaks_iptables(lab: Running, fault: str) -> None:
    """It is broken in the tables that faults speak of, and what its solution shows mends it."""
    lab.client.ask(SetDialect("legacy"))
    lab.goto("internet/door-back", end=True)
    lab.client.ask(Break(fault))
    told = lab.status().fault
    assert told is not None
    lab.sh("\n".join(line.strip() for line in told.solution.splitlines()[1:]))
    assert eventually(lambda: (now := lab.status().fault) is not None and now.healthy), told.solution
    lab.client.ask(Mend())
    lab.client.ask(SetDialect("ip"))
