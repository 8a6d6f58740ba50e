"""A verdict blames a rule only for packets that come to it, and finds those that do, whatever routes lead them there; on the kernel itself."""

from __future__ import annotations

import pytest

from helpers.running import Running
from netless_lab.course.verdict import Item

pytestmark = pytest.mark.kernel

SHUT = "nft 'add table ip t; add chain ip t f { type filter hook forward priority 0; policy drop; }; add rule ip t f counter'"
"""Nothing passes the host; what comes there to be passed on is counted."""
RAW = "nft 'add table ip t; add chain ip t p { type filter hook prerouting priority -300; }'"
NAT = "nft 'add table ip t; add chain ip t p { type nat hook prerouting priority -100; }'"
BY_POLICY = "Packets from 10.0.0.2 come as far as the host, and there the policy of ip t f drops them."


def first_probe(lab: Running, at: str, commands: str) -> Item:
    """What becomes of the first probe at the end of a step, when something has been done to it there."""
    lab.reset("lab")
    lab.goto(at, end=True)
    lab.sh(f"set -e; {commands}")
    (entry,) = lab.check().verdicts
    return next(item for item in entry.verdict.items if item.kind == "probe")


@pytest.mark.parametrize(
    ("commands", "said"),
    [
        (SHUT, BY_POLICY),
        (f"ip link set veth2 down; {SHUT}", ""),
        (f"ip link set br0 down; {SHUT}", ""),
        (f"ip -n c1 link set veth1 down; {SHUT}", ""),
        (f"sysctl -qw net.ipv4.ip_forward=0; {SHUT}", ""),
        (f"sysctl -qw net.ipv4.conf.all.rp_filter=1; ip route add 10.0.0.2 via 203.0.113.1; {SHUT}", ""),
        (f"ip route add blackhole 198.51.100.10; {SHUT}", ""),
        (f"ip route add 198.51.100.0/24 via 203.0.113.1; ip route del default; {SHUT}; nft 'chain ip t f {{ policy accept; }}; add rule ip t f oifname eth0 drop'",
         "Packets from 10.0.0.2 come as far as the host, and there the rule `oifname \"eth0\" drop` of ip t f drops them."),
        (f"{RAW}; nft add rule ip t p ip daddr 198.51.100.10 drop",
         "Packets from 10.0.0.2 come as far as the host, and there the rule `ip daddr 198.51.100.10 drop` of ip t p drops them."),
        (f"{SHUT}; nft add rule ip t f ip saddr 10.0.0.0/24 accept",
         "Packets from 10.0.0.2 come as far as the host, and there the policy of ip t f drops the answers to them."),
        (f"nft 'add table bridge b; add chain bridge b i {{ type filter hook input priority 0; policy drop; }}'; {SHUT}", ""),
    ],
)  # fmt: skip
def test_a_rule_is_blamed_only_for_what_comes_to_it(lab: Running, commands: str, said: str) -> None:
    """A cable, a port, a switch, a route or a filter ahead of the rule has the packet first; then the rule is not spoken of."""
    item = first_probe(lab, "internet/masquerade", commands)
    assert item.result == "fail"
    assert (item.near, item.look) == (said, "nft list ruleset") if said else "come as far as" not in item.near, item
    assert (" t f " in said) == bool(counted(lab)), "the kernel's own word"


def counted(lab: Running) -> int:
    """The packets that came to the chain that is shut; 0 when there is none."""
    rules = lab.told("nft -j list ruleset")["nftables"]
    counters = (part["counter"]["packets"] for own in rules if own.get("rule", {}).get("table") == "t" for part in own["rule"]["expr"] if "counter" in part)
    return sum(counters)


def test_the_command_to_look_with_shows_what_is_blamed(lab: Running) -> None:
    """Of rules those of the node that has them; of a gone result of an earlier step what was seen of that, for a control that is lost too."""
    drop = f"ip netns exec c1 {OWN}; ip netns exec c1 nft add rule ip t o counter drop"
    assert first_probe(lab, "switch/port-up", drop).look == "ip netns exec c1 nft list ruleset"
    assert first_probe(lab, "switch/port-up", "ip netns exec c1 sysctl -qw net.ipv4.icmp_echo_ignore_all=1").look.endswith(" sysctl net.ipv4.icmp_echo_ignore_all")
    lab.reset("lab")
    lab.goto("internet/firewall", end=True)
    lab.sh("ip link set br0 down")
    (entry,) = lab.check().verdicts
    blamed = [item for item in entry.verdict.items if item.near.startswith("Something from an earlier step ('Switch the bridge on')")]
    assert blamed and {item.look for item in blamed} == {"ip -br link show br0"}, entry.verdict


NO_WORLD = "sysctl -qw net.ipv4.ip_forward=0; nft flush ruleset; ip netns exec c1 ip route del default; ip netns exec c2 ip link set lo down"
"""Much is gone that what goes between the host and its guests, or among these, has no need of."""


@pytest.mark.parametrize(
    ("at", "commands", "title", "claim"),
    [
        ("neighbour/second-port", "ip -n c2 addr flush dev veth3", "Address it", "veth3 in c2 has 10.0.0.3/24"),
        ("neighbour/second-port", "ip -n c1 addr flush dev veth1; ip link set veth2 nomaster; ip -n c2 link set veth3 down", "Address it", "veth3 in c2 is up"),
        ("neighbour/second-port", "ip link set veth2 down; ip link set br0 down", "Switch the bridge on", "br0 on the host is up"),
    ],
)
def test_of_what_is_gone_what_the_packet_needs_is_blamed(lab: Running, at: str, commands: str, title: str, claim: str) -> None:
    """What it has no need of is no cause, though it was built sooner; of what it needs the nearest to its end is named."""
    item = first_probe(lab, at, f"{NO_WORLD}; {commands}")
    assert item.result == "fail" and item.near.startswith(f"Something from an earlier step ({title!r}) is not so any more: {claim}"), item


def test_what_hangs_on_a_rule_that_nobody_can_read_is_not_said(lab: Running) -> None:
    """The packet may have been let through by it."""
    item = first_probe(lab, "internet/masquerade", f"{SHUT}; nft add rule ip t f meta cpu 0-4095 ip ttl 1 accept")
    assert item.result == "fail" and "come as far as" not in item.near


OWN = "nft 'add table ip t; add chain ip t i { type filter hook input priority 0; }; add chain ip t o { type filter hook output priority 0; }'"


@pytest.mark.parametrize(
    ("commands", "said"),
    [
        (f"{OWN}; nft add rule ip t i iifname br0 counter drop",
         "The answers to packets from 10.0.0.1 come back to the host, and there the rule `iifname \"br0\" counter drop` of ip t i drops them."),
        (f"{RAW}; nft add rule ip t p ip saddr 10.0.0.2 counter drop",
         "The answers to packets from 10.0.0.1 come back to the host, and there the rule `ip saddr 10.0.0.2 counter drop` of ip t p drops them."),
        (f"ip netns exec c1 {OWN}; ip netns exec c1 nft add rule ip t o counter drop",
         "Packets from 10.0.0.1 come as far as c1, and there the rule `counter drop` of ip t o drops the answers to them."),
        (f"{OWN}; nft add rule ip t i iifname eth0 counter drop; ip neigh replace 10.0.0.2 lladdr 02:00:00:00:00:99 dev br0 nud permanent", ""),
        (f"ip -n c1 route del 10.0.0.0/24; {OWN}; nft add rule ip t i iifname br0 counter drop", ""),
    ],
)  # fmt: skip
def test_a_rule_is_blamed_for_answers_that_it_drops_where_they_begin_or_end(lab: Running, commands: str, said: str) -> None:
    """Whoever answers has rules of its own for what it sends, and whoever asked for what comes back."""
    item = first_probe(lab, "switch/port-up", commands)
    assert item.result == "fail"
    assert item.near == said if said else " drops " not in item.near, item
    inside = lab.told("ip netns exec c1 nft -j list ruleset")["nftables"] if "netns exec" in commands else lab.told("nft -j list ruleset")["nftables"]
    counters = [part["counter"]["packets"] for own in inside for part in own.get("rule", {}).get("expr", ()) if "counter" in part]
    assert any(counters) == bool(said), "the kernel's own word"


@pytest.mark.parametrize(
    ("commands", "result", "said"),
    [
        (f"{NAT}; nft add rule ip t p ip daddr 10.0.0.3 dnat to 203.0.113.1", "pass", ""),
        (f"ip netns exec c2 nft 'add table ip t; add chain ip t i {{ type filter hook input priority 0; policy drop; }}'; {SHUT}", "fail",
         "Packets from 10.0.0.2 come as far as c2, and there the policy of ip t i drops them."),
    ],
)  # fmt: skip
def test_what_a_bridge_carries_meets_no_rule_of_its_host(lab: Running, commands: str, result: str, said: str) -> None:
    """Two neighbours on one bridge: the host's rules for IP have no say in what they tell one another."""
    item = first_probe(lab, "neighbour/first-words", commands)
    assert (item.result, item.near) == (result, said), item
    assert lab.pings("10.0.0.3") == (result == "pass")


@pytest.mark.kernel_may_lack
def test_but_where_the_bridge_asks_them(lab: Running) -> None:
    """With bridge-nf-call-iptables they meet them all."""
    if not lab.sh("sysctl -n net.bridge.bridge-nf-call-iptables", check=False):
        pytest.skip("this kernel has no br_netfilter")
    item = first_probe(lab, "neighbour/first-words", f"sysctl -qw net.bridge.bridge-nf-call-iptables=1; {SHUT}")
    assert (item.result, item.near) == ("fail", BY_POLICY)
    item = first_probe(lab, "neighbour/first-words", f"sysctl -qw net.bridge.bridge-nf-call-iptables=1; {NAT}; nft add rule ip t p ip daddr 10.0.0.3 dnat to 10.0.0.1")
    assert (item.result, item.seen) == ("fail", "an answer, but from the wrong place")


def test_an_answer_from_elsewhere_is_none(lab: Running) -> None:
    """A router sends the packets of its guest to another address than they are for: the answer is told as what it is."""
    item = first_probe(lab, "internet/masquerade", f"{NAT}; nft add rule ip t p ip daddr 198.51.100.10 dnat to 203.0.113.1")
    assert (item.result, item.seen) == ("fail", "an answer, but from the wrong place")
    assert item.near == "On the host the rule `ip daddr 198.51.100.10 dnat to 203.0.113.1` sends what goes to 198.51.100.10 to 203.0.113.1 instead."


def test_whose_rule_gave_packets_another_sender(lab: Running) -> None:
    """The site saw an address that is neither the way out's nor the sender's own: the rule that wrote it in is named."""
    first_probe(lab, "internet/masquerade", "ip addr add 203.0.113.77/24 dev eth0; nft insert rule ip lab postrouting snat to 203.0.113.77")
    (entry,) = lab.check().verdicts
    (item,) = (item for item in entry.verdict.items if item.result == "fail")
    assert (item.seen, item.near) == ("the site saw 203.0.113.77", "On the host the rule `snat to 203.0.113.77` gives them 203.0.113.77 as their source.")
