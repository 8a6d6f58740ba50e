"""Reading the rules of the old iptables: chains and rules are those of ``iptables-legacy-save``, and each is understood."""

from __future__ import annotations

import re

import pytest

from helpers.sandboxed import sandboxed, sh
from netless_lab.kernel.namespace import Namespace
from netless_lab.kernel.xtables import LegacyTables
from netless_lab.model.netfilter.rules import Accept, Condition, Drop, Jump, Rewrite, Unfollowed, Unread, Untrack, Write
from netless_lab.model.snapshot import Chain

RULES = """
iptables-legacy -P FORWARD DROP
iptables-legacy -N MINE
iptables-legacy -A FORWARD -s 10.0.0.0/24 ! -o br0 -i veth+ -j MINE
iptables-legacy -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables-legacy -A FORWARD -p tcp -m multiport --dports 80,443,8000:8010 -g MINE
iptables-legacy -A FORWARD -d 10.0.0.2
iptables-legacy -A MINE -p udp --dport 53 -j ACCEPT
iptables-legacy -A MINE -m iprange --src-range 10.0.0.4-10.0.0.9 -m comment --comment "some of them" -j DROP
iptables-legacy -A MINE -m statistic --mode random --probability 0.5 -j REJECT
iptables-legacy -A MINE -j RETURN
iptables-legacy -A MINE -j NFQUEUE
iptables-legacy -t nat -A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE
iptables-legacy -t nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 10.0.0.2:80
iptables-legacy -t mangle -A PREROUTING -i br0 -j MARK --set-xmark 0x4000/0x4000
iptables-legacy -t raw -A PREROUTING -i br0 -j CT --notrack
ip6tables-legacy -A FORWARD -s fd00::/64 -j DROP
"""


def read() -> tuple[Chain, ...]:
    """The legacy chains of this sandbox's own namespace."""
    with Namespace.own() as own:
        tables = LegacyTables(own)
        try:
            found = tables.read(("filter", "nat", "mangle", "raw", "ip6 filter"))
        finally:
            tables.close()
    return tuple(chain for chains in found.values() for chain in chains)


def saved(program: str) -> list[tuple[str, str, int]]:
    """(table, chain, how many rules) of every chain of ``iptables-legacy-save``, the witness."""
    found: list[tuple[str, str, int]] = []
    table, text = "", sh(f"{program}-legacy-save")
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif match := re.match(r":(\S+) ", line):
            found.append((table, match[1], len(re.findall(rf"^-A {match[1]} ", text.split(f"*{table}\n")[1].split("COMMIT")[0], re.MULTILINE))))
    return sorted(found)


@sandboxed
def test_every_chain_and_rule_is_there() -> None:
    """As many as the program that made them lists, policies and built-in chains included."""
    sh(RULES)
    chains = read()
    for family, program in (("ip", "iptables"), ("ip6", "ip6tables")):
        own = sorted((chain.table, chain.name, len(chain.rules)) for chain in chains if chain.family == family)
        assert own == saved(program)
    forward = next(chain for chain in chains if (chain.family, chain.name) == ("ip", "FORWARD") and chain.table == "filter")
    assert (forward.hook, forward.policy, forward.type, forward.engine) == ("forward", "drop", "filter", "legacy")


@sandboxed
def test_each_rule_is_understood() -> None:
    """Addresses, devices, protocols, states, ports, ranges, jumps, NAT and marks are typed; what varies or asks a program is said to."""
    sh(RULES)
    chains = {(chain.table, chain.name, chain.family): chain for chain in read()}
    forward = chains["filter", "FORWARD", "ip"].rules
    assert [type(part) for part in forward[0].parts] == [Condition, Condition, Condition, Jump]
    assert forward[0].text == "-s 10.0.0.0/24 -i veth+ ! -o br0 -j MINE"
    assert forward[1].parts[-1] == Accept() and isinstance(forward[1].parts[0], Condition)
    assert forward[2].parts[-1] == Jump("MINE", goto=True)
    assert forward[3].parts[-1] == forward[3].parts[0], "a rule that only counts"
    mine = chains["filter", "MINE", "ip"].rules
    assert mine[1].parts[-1] == Drop() and "some of them" in mine[1].text
    assert isinstance(mine[2].parts[0], Unread) and mine[2].parts[0].varies
    assert isinstance(mine[4].parts[-1], Unfollowed)
    assert chains["nat", "POSTROUTING", "ip"].rules[0].parts[-1] == Rewrite("masquerade")
    assert chains["nat", "PREROUTING", "ip"].rules[0].parts[-1] == Rewrite("dnat", (0x0A000002, 0x0A000002), (80, 80))
    assert chains["mangle", "PREROUTING", "ip"].rules[0].parts[-1] == Write("meta mark", 0xFFFFBFFF, 0x4000)
    assert chains["raw", "PREROUTING", "ip"].rules[0].parts[-1] == Untrack()
    assert chains["filter", "FORWARD", "ip6"].rules[0].parts[-1] == Drop()


@pytest.mark.parametrize("command", ["-L", "-t nat -L", "-F"])
@sandboxed
def test_a_table_that_was_only_looked_at_holds_nothing(command: str) -> None:
    """Listing makes the table come; nothing is in it."""
    sh(f"iptables-legacy {command}")
    assert read() == ()
