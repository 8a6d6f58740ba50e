"""Where somebody's own firewall stands, by whatever tool: what is shown succeeds and is enough, what is done is the same, and it can be taken back."""

from __future__ import annotations

from typing import Final

import pytest

from conformance.cases import POST
from helpers.lab import Lab, Table, action, expectation, lab
from helpers.sandboxed import answers, sandboxed_once
from netless_lab.primitives.base import DIALECTS, Action, Dialect, Met
from netless_lab.session.moves import spoken

_OTHER: Final = "nft add table inet mine; nft 'add chain inet mine way { type filter hook forward priority 5; policy drop; }'"
_OPEN: Final = "nft add table inet mine; nft 'add chain inet mine way { type filter hook forward priority 5; }'; "
FOREIGN: Final = {
    "iptables": "iptables -P FORWARD DROP",
    "iptables, by a last rule": "iptables -A FORWARD -p tcp --dport 22 -j ACCEPT; iptables -A FORWARD -j REJECT",
    "iptables, by a rule in the middle": "iptables -P FORWARD DROP; iptables -A FORWARD -p udp -j ACCEPT; "
    "iptables -A FORWARD -p tcp -j DROP; iptables -A FORWARD -i lo -j ACCEPT",
    "iptables, by a chain of one's own": "iptables -N NO; iptables -A NO -j DROP; iptables -A FORWARD -i lo -j ACCEPT; iptables -A FORWARD -j NO",
    "iptables, two tables": "iptables -P FORWARD DROP; iptables -t mangle -P FORWARD DROP",
    "iptables, accepts there already": "iptables -P FORWARD DROP; iptables -A FORWARD -i br0 -j ACCEPT",
    "iptables for NAT too": "iptables -t nat -A POSTROUTING -o wlan0 -j MASQUERADE; iptables -P FORWARD DROP",
    "the old iptables": "iptables-legacy -P FORWARD DROP",
    "the old iptables, by a last rule": "iptables-legacy -A FORWARD -i lo -j ACCEPT; iptables-legacy -A FORWARD -j DROP",
    "both of iptables": "iptables-legacy -P FORWARD DROP; iptables -P FORWARD DROP",
    "another family, table, name and priority": _OTHER,
    "three that drop": f"{_OTHER}; iptables -P FORWARD DROP; iptables-legacy -P FORWARD DROP",
    "a last rule of nft": _OPEN + "nft add rule inet mine way iifname lo accept; nft add rule inet mine way counter reject",
    "a first rule of nft": _OPEN + "nft add rule inet mine way counter drop; nft add rule inet mine way iifname lo accept",
    "a chain that is jumped to": _OPEN + "nft add chain inet mine no; nft add rule inet mine no drop; nft add rule inet mine way iifname lo accept; "
    "nft add rule inet mine way jump no",
    "a map of verdicts": _OPEN + "nft 'add rule inet mine way ct state vmap { invalid : drop, new : drop, established : drop, related : drop }'",
    "as firewalld does": """nft -f - <<EOF
table inet firewalld {
  chain filter_FORWARD_ZONES { iifname "lo" accept; reject with icmpx admin-prohibited; }
  chain filter_FORWARD { type filter hook forward priority filter + 10; policy accept;
    ct state { established, related } accept; ct status dnat accept; iifname "lo" accept; ct state invalid drop; jump filter_FORWARD_ZONES
    reject with icmpx admin-prohibited; }
  chain nat_POSTROUTING { type nat hook postrouting priority srcnat + 10; policy accept; }
}
EOF""",
    "nothing": "true",
    "the lessons' names for other chains": f"{_OTHER}; nft add table ip lab; nft add chain ip lab forward; nft add chain ip lab postrouting",
    "the lessons' names at other hooks": "nft add table ip lab; nft 'add chain ip lab forward { type filter hook input priority 0; }'; "
    "nft 'add chain ip lab postrouting { type filter hook postrouting priority 0; }'",
    "the lessons' names at other priorities": "nft add table ip lab; nft 'add chain ip lab forward { type filter hook forward priority 7; policy drop; }'; "
    "nft 'add chain ip lab postrouting { type nat hook postrouting priority 7; }'",
    "the lessons' table asleep": "nft add table ip lab '{ flags dormant; }'; nft 'add chain ip lab forward { type filter hook forward priority 0; policy drop; }'",
    "the lessons' chain": "nft add table ip lab; nft 'add chain ip lab forward { type filter hook forward priority 0; policy drop; }'",
}
"""What a learner, or a program of theirs, has made before."""
STEPS: Final[tuple[tuple[Table, Table], ...]] = (
    ({"masquerade": "10.0.0.0/24", "except": "br0"}, {"masquerade": "10.0.0.0/24", "except": "br0"}),
    ({"forward-policy": "drop"}, {"forward-policy": "drop"}),
    ({"forward-accept": "br0"}, {"forward-accept": "br0"}),
    ({"forward-accept": "established"}, {"forward-accept": "established"}),
)
"""What lessons do to a firewall, and what is true then."""


def foreign(own: Lab, script: str) -> str:
    """The lab with somebody's own rules in it; the rules as the tools list them."""
    assert own.purge() == ()
    own.do(*POST, {"forwarding": True}, {"route": "default", "via": "10.0.0.1", "in": "c1"})
    own.shell("host", script)
    return rules(own)


def rules(own: Lab) -> str:
    """Without counters, as nft(8) and the old iptables list them; a table without anything in it says nothing."""
    legacy = "for t in filter nat mangle; do grep -q $t /proc/net/ip_tables_names && iptables-legacy -t $t -S; done || true"
    return own.shell("host", f"nft -s list ruleset 2>/dev/null; {legacy}")


def reached(own: Lab, dialect: Dialect, *, typed: bool) -> tuple[Action, ...]:
    """Every step done after the other, each true at once, and a ping gets out and back; what was done."""
    did: list[Action] = []
    for table, expected in STEPS:
        wanted = action(table).placed(own.snapshot())
        if typed:
            own.type(wanted, dialect, own.where())
        else:
            own.apply(*spoken((wanted,), dialect))
        did.append(wanted)
        found = expectation(expected).check(own.snapshot(), own.where())
        assert isinstance(found, Met), (dialect, wanted.commands(dialect, own.where()), found, rules(own))
    assert answers("198.51.100.10", own.refs()["c1"].pid), rules(own)
    return tuple(did)


@pytest.mark.parametrize("name", FOREIGN)
@sandboxed_once
def test_what_is_shown_and_what_is_done_is_enough(name: str) -> None:
    """In every dialect; and iptables can still read its own tables."""
    with lab() as own:
        for dialect in DIALECTS:
            for typed in (True, False):
                foreign(own, FOREIGN[name])
                reached(own, dialect, typed=typed)
                own.shell("host", "iptables -S; iptables -t nat -S; iptables -t mangle -S")


KNOW_TOO_LITTLE: Final = ("the lessons' table asleep", "the lessons' chain")
"""Of these the opposite of a policy is not known: it takes the chain away."""


@pytest.mark.parametrize("name", [name for name in FOREIGN if name not in KNOW_TOO_LITTLE])
@sandboxed_once
def test_what_is_taken_back_leaves_what_was_there(name: str) -> None:
    """The actions' own opposites, the last first."""
    with lab() as own:
        before = foreign(own, FOREIGN[name])
        for done in reversed(reached(own, "ip", typed=False)):
            own.apply(*done.inverse())
        assert rules(own) == before


@pytest.mark.parametrize("what", ["br0", "established"])
@sandboxed_once
def test_where_they_pass_already_the_rule_belongs_where_they_would_be_dropped(what: str) -> None:
    """A rule that is there, and a wide one beside it, let them by: what is shown speaks of the same chain, and makes none that drops nothing."""
    wide = "iptables -P FORWARD DROP; iptables -A FORWARD -i br0 -j ACCEPT; iptables -N WIDE; iptables -A WIDE -i eth0 -o br0 -j ACCEPT; iptables -A FORWARD -j WIDE"
    with lab() as own:
        foreign(own, wide)
        shown = action({"forward-accept": what}).placed(own.snapshot()).commands("ip", own.where())
        assert len(shown) == 1 and shown[0].startswith("iptables -A FORWARD "), shown


@sandboxed_once
def test_that_several_need_it_is_told() -> None:
    """Which they are, in the sentence; where it is the lessons' own chain, no word more than the lesson has."""
    with lab() as own:
        foreign(own, FOREIGN["three that drop"])
        said = action({"forward-accept": "br0"}).placed(own.snapshot()).sentence()
        assert all(place in said for place in ("3 chains drop them", "inet mine way", "FORWARD of iptables", "FORWARD of iptables-legacy")), said
        foreign(own, FOREIGN["the lessons' chain"])
        wanted = action({"forward-accept": "br0"})
        assert wanted.placed(own.snapshot()).sentence() == wanted.sentence()
