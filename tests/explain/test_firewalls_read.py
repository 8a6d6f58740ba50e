"""What Why makes of a firewall without a trace: the kernel has taken the rules, the packet is known, and Why says what they do with it.

That such rules do so is for ``tests/model/netfilter``, where packets are sent; here it is that Why asks the same and never says more.
"""

from __future__ import annotations

import msgspec
import pytest

from explain.test_ladder import AT_ROUTER, SIX, evidence, hop, stuck, with_sysctls
from helpers.rules import rule as typed
from helpers.sandboxed import sandboxed_once, sh
from helpers.snapshots import default, edit, edit_node, internet, lab_with, lo, veth
from helpers.wires import own_node
from netless_lab.explain.ladder import explain
from netless_lab.explain.rules import answers_zone
from netless_lab.kernel.read import Reader
from netless_lab.model.evidence import Evidence, RuleHit, Run
from netless_lab.model.journey import Explanation, Journey
from netless_lab.model.journeys.flow import Flow
from netless_lab.model.journeys.packet import TCP, Tuple
from netless_lab.model.netfilter.packet import ICMP, first
from netless_lab.model.probe import Connect, Outcome, Ping
from netless_lab.model.snapshot import Address, Chain, Route, Snapshot

FORWARD = "nft add table inet t; nft 'add chain inet t f {{ type filter hook forward priority 0; policy {0}; }}'; "
BEFORE = "nft 'add chain inet t p {{ type filter hook prerouting priority {0}; }}'; "
NAT = "nft 'add chain inet t n { type nat hook postrouting priority 100; }'; "

LOCAL = tuple(Address(f"fe80::{number}", 64, 6, "link") for number in (1, 2))
ROUTES = (default("203.0.113.1", "eth0"), Route("10.0.0.0/24", None, "br0"), Route("default", "fd00:c::1", "eth0", family=6))
WORLD = edit_node(with_sysctls(lab_with(2), {"ip_forward": "1", "v6.forwarding": "1"}), "host", routes=ROUTES)
"""Two containers behind a host that forwards both families."""
for name, address in zip(("br0", "eth0"), LOCAL, strict=True):
    WORLD = edit(WORLD, "host", name, addresses=(*WORLD.node("host").link(name).addresses, address))  # type: ignore[union-attr]


def set_up(script: str) -> Snapshot:
    """The lab, with the firewall in its host that this sandbox has after ``script``."""
    sh(script)
    own, reader = own_node(), Reader()
    try:
        found = reader.snapshot([own]).nodes[0]
    finally:
        reader.close()
        own.namespace.close()
    return edit_node(WORLD, "host", chains=found.chains, sets=found.sets, legacy=found.legacy, xtables=found.xtables)


def rule(words: str, policy: str = "accept") -> str:
    """A rule on the forward hook."""
    return f"{FORWARD.format(policy)}nft add rule inet t f {words}"


def told(state: Snapshot, journey: Journey = AT_ROUTER) -> Explanation:
    """What Why says of a ping that came into the host and did not leave it."""
    return explain(evidence(state, journey))


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("nft add table inet t; nft 'add set inet t bad { type ipv4_addr; elements = { 10.0.0.2 }; }';" + rule("ip saddr @bad drop"), "forward-rule"),
        ("nft add table inet t; nft 'add set inet t good { type ipv4_addr; elements = { 10.0.0.9 }; }';" + rule("ip saddr @good accept", "drop"), "forward-policy"),
        ("nft add table inet t; nft 'add set inet t good { type ipv4_addr; elements = { 10.0.0.9 }; }';" + rule("ip saddr != @good drop"), "forward-rule"),
        ("nft add table inet t; nft 'add map inet t m { type ipv4_addr : verdict; elements = { 10.0.0.2 : drop }; }';" + rule("ip saddr vmap @m"), "forward-rule"),
        (rule("ip saddr . ip daddr '{ 10.0.0.2 . 198.51.100.10 }' drop"), "forward-rule"),
        (rule("ip saddr . ip daddr '{ 10.0.0.3 . 198.51.100.10 }' accept", "drop"), "forward-policy"),
        (rule("ip saddr != '{ 10.0.0.9, 10.0.0.10 }' drop"), "forward-rule"),
        (rule("fib daddr type != local drop"), "forward-rule"),
        (rule("meta mark 0 drop"), "forward-rule"),
        (rule("ct status != snat drop"), "forward-rule"),
        (rule("meta mark 7 drop") + ";" + BEFORE.format(-150) + "nft add rule inet t p meta mark set 7", "forward-rule"),
        (rule("ct state untracked drop") + ";" + BEFORE.format(-300) + "nft add rule inet t p notrack", "forward-rule"),
        (BEFORE.format(-300).replace("nft ", "nft add table inet t; nft ", 1) + "nft add rule inet t p ct state invalid drop", "prerouting-drop"),
        ("iptables-nft -A FORWARD -m iprange --src-range 10.0.0.1-10.0.0.9 -j DROP", "forward-rule"),
        ("iptables-nft -A FORWARD -m addrtype --dst-type UNICAST,LOCAL -j DROP", "forward-rule"),
        ("iptables-nft -A FORWARD -p icmp --icmp-type 8 -j DROP", "forward-rule"),
        ("iptables-nft -A FORWARD -m conntrack --ctstate NEW,SNAT -j DROP", "forward-rule"),
        ("iptables-nft -A FORWARD -m mark ! --mark 7 -j DROP", "forward-rule"),
        ("iptables-legacy -A FORWARD -s 10.0.0.0/24 -j DROP", "legacy-iptables"),
        ("iptables-legacy -P FORWARD DROP", "legacy-iptables"),
    ],
)
@sandboxed_once
def test_a_rule_is_read_as_the_kernel_takes_it(script: str, code: str) -> None:
    """Sets, maps of verdicts, fields side by side, *not*, marks, states, matches of iptables and its own tables: what stops the packet is named."""
    found = told(set_up(script))
    assert (found.code, found.place, found.certainty) == (code, "host:fw", "likely")


@pytest.mark.parametrize(
    "script",
    [
        "nft add table inet t; nft 'add set inet t good { type ipv4_addr; elements = { 10.0.0.2 }; }';" + rule("ip saddr @good accept", "drop"),
        rule("ct status dnat drop"),
        rule("ct state untracked drop"),
        rule("ip saddr 10.0.0.2 ct direction reply drop"),
        rule("meta mark 7 drop"),
        rule("ip6 saddr ::/0 drop"),
        "iptables-nft -A FORWARD -p tcp -m multiport --dports 80,443 -j DROP",
        "iptables-legacy -P FORWARD DROP; iptables-legacy -A FORWARD -s 10.0.0.2 -j ACCEPT",
        BEFORE.format(0).replace("nft ", "nft add table inet t; nft ", 1) + "nft add rule inet t p oifname eth0 drop",
    ],
)
@sandboxed_once
def test_what_lets_the_packet_through_is_not_accused(script: str) -> None:
    """The same for rules that do not stop it; and then nothing is left to ask about them."""
    found = told(set_up(script))
    assert (found.code, found.certainty, found.facts) == ("", "unknown", ())


@pytest.mark.parametrize(
    ("script", "named"),
    [
        (rule("limit rate over 1/minute drop"), "limit rate over 1/minute drop"),
        (rule("numgen inc mod 2 0 accept", "drop"), "<numgen>"),
        ("iptables-nft -A FORWARD -m string --algo bm --string x -j DROP", 'xt match "string"'),
        ("iptables-legacy -A FORWARD -m statistic --mode random --probability 0.5 -j DROP", "-m statistic -j DROP"),
    ],
)
@sandboxed_once
def test_a_rule_that_cannot_be_read_is_named_as_unknown(script: str, named: str) -> None:
    """No cause is made of it, and it is not passed over either: it is named among the facts, as something that cannot be told."""
    found = told(set_up(script))
    assert (found.code, found.certainty) == ("", "unknown")
    assert [named in fact.text and "cannot be told" in fact.text and bool(fact.look) for fact in found.facts] == [True]


def test_a_rule_that_cannot_be_followed_is_named_as_unknown() -> None:
    """A program may be asked (queue): on the forward hook as where packets are translated, and there it is never said that no rule is."""
    handed = typed("unfollowed", 7)
    forward = Chain("ip", "t", "f", "filter", "forward", 0, "accept", rules=(handed,))
    found = told(edit_node(WORLD, "host", chains=(forward,)))
    assert found.code == "" and [handed.text in fact.text for fact in found.facts] == [True]
    post = Chain("ip", "t", "n", "nat", "postrouting", 100, "accept", rules=(handed,))
    found = untranslated(edit_node(WORLD, "host", chains=(post,)))
    assert found.code == "masquerade-skipped" and "cannot be told" in found.cause and "no masquerade" not in str(found.facts)


FLOW = Flow("host", Tuple(1, "10.0.0.2", "198.51.100.10", 7, 7), Tuple(1, "198.51.100.10", "203.0.113.2", 7, 7), source_nat=True)


def answer_at_router() -> Journey:
    """The answer came back to the host, which has undone its translation, and left it by no link."""
    out = (*AT_ROUTER.hops, hop("host", "eth0", "out"))
    back = hop("host", "eth0", "in")
    back = msgspec.structs.replace(back, kind="echo-reply", src="198.51.100.10", dst="203.0.113.2", leg="return")
    return stuck(*out, back)


@pytest.mark.parametrize(
    ("words", "policy", "code"),
    [
        ("ct state new accept", "drop", "answers-not-accepted"),
        ("ct state established accept", "drop", ""),
        ("ct direction reply drop", "accept", "forward-rule"),
        ("ct status snat accept", "drop", ""),
        ("icmp type echo-reply drop", "accept", "forward-rule"),
        ("ct state vmap '{ new : accept, established : drop }'", "accept", "forward-rule"),
    ],
)
@sandboxed_once
def test_an_answer_is_asked_for_as_an_answer(words: str, policy: str, code: str) -> None:
    """Established, of the other direction, with what its connection was translated by, and addressed to who asked."""
    journey = answer_at_router()
    runs = (Run("return", "echo-reply", "", 8, (len(journey.hops) - 1,), False),)
    found = explain(msgspec.structs.replace(evidence(set_up(rule(words, policy)), journey, flows=(FLOW,)), runs=runs))
    assert found.code == code


@pytest.mark.parametrize(
    ("words", "code"), [("ip6 saddr fd00:a::2 drop", "forward-rule"), ("ip6 daddr != @far accept", "forward-policy"), ("icmpv6 type echo-request accept", "")]
)
@sandboxed_once
def test_a_packet_of_ipv6_meets_the_rules_for_it(words: str, code: str) -> None:
    """In a table of both families; a set of addresses of its own is looked into."""
    make = "nft add table inet t; nft 'add set inet t far { type ipv6_addr; flags interval; elements = { fd00:b::/64 }; }';"
    state = set_up(make + rule(words, "accept" if code == "forward-rule" else "drop"))
    probe = Ping("c1", "fd00:b::1")
    assert explain(msgspec.structs.replace(evidence(state, SIX), probe=probe, outcome=Outcome(probe, "failed", "silence", "no answer"))).code == code


@pytest.mark.parametrize(("switches", "code"), [("1", "bridge-netfilter"), ("0", ""), ("", "")])
def test_bridged_packets_of_ipv6_have_a_switch_of_their_own(switches: str, code: str) -> None:
    """What sends those of IPv4 through the firewall says nothing about them."""
    chain = Chain("inet", "t", "f", "filter", "forward", 0, "accept", rules=(typed("ip6 saddr fd00:a::2 drop"),))
    state = edit_node(with_sysctls(WORLD, {"v6.forwarding": "1", "bridge-nf-call-iptables": "1"}), "host", chains=(chain,), routes=ROUTES)
    probe = Ping("c1", "fd00:a::3")
    hops = [msgspec.structs.replace(one, dst="fd00:a::3") for one in SIX.hops[:2]]
    knobs = {"host": {"net/bridge/bridge-nf-call-ip6tables": switches}} if switches else {}
    found = explain(msgspec.structs.replace(evidence(state, stuck(*hops), knobs=knobs), probe=probe, outcome=Outcome(probe, "failed", "silence", "no answer")))
    assert found.code == code and ("bridge-nf-call-ip6tables is 1" in found.cause) == bool(code)


@pytest.mark.parametrize(("words", "code"), [("icmp type echo-request counter drop", "forward-rule"), ("ct state vmap '{ new : accept, invalid : drop }' counter", "")])
@sandboxed_once
def test_a_counter_that_rose_accuses_only_what_drops(words: str, code: str) -> None:
    """A map of verdicts has counted the packet that it let pass, too."""
    state = set_up(rule(words))
    (chain,) = state.node("host").chains  # type: ignore[union-attr]
    hit = RuleHit("host", chain.family, chain.table, chain.name, chain.rules[0].handle, chain.rules[0].text, 1)
    found = explain(evidence(state, AT_ROUTER, rules=(hit,)))
    assert (found.code, found.certainty) == (code, "certain" if code else "unknown")


def untranslated(state: Snapshot) -> Explanation:
    """What Why says of a ping that arrived in the internet with the source it set out with."""
    way = (*AT_ROUTER.hops, hop("host", "eth0", "out"), hop("internet", "isp0", "in"))
    site = internet(veth("isp0", "host:eth0", "203.0.113.1/24"), lo("198.51.100.10/32"))
    return explain(evidence(edit_node(state, "internet", links=site.links), stuck(*way)))


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        ("ip saddr 10.9.0.0/24 masquerade", "masquerade-wrong-subnet", "ip saddr 10.9.0.0/24"),
        ("ip saddr @near masquerade", "masquerade-wrong-subnet", "ip saddr @near"),
        ("oifname '{ \"wlan0\", \"wlan1\" }' masquerade", "masquerade-wrong-link", "oifname {"),
        ("meta l4proto tcp masquerade", "masquerade-rule", "meta l4proto tcp"),
        ("ip saddr 10.0.0.0/24 snat to 203.0.113.2", "masquerade-skipped", "10.0.0.0/24"),
        ("numgen inc mod 2 0 masquerade", "masquerade-skipped", "<numgen>"),
        ("", "masquerade-missing", "untranslated"),
    ],
)
@sandboxed_once
def test_why_a_source_was_not_translated(words: str, code: str, named: str) -> None:
    """Which condition did not fit, in nft's words; where that cannot be told the rule is named, and never said not to be there."""
    make = "nft add table inet t; nft 'add set inet t near { type ipv4_addr; flags interval; elements = { 10.9.0.0/24 }; }';" + NAT
    found = untranslated(set_up(make + (f"nft add rule inet t n {words}" if words else "true")))
    assert found.code == code and named in found.cause
    assert "has no masquerade" not in str(found.facts) or code == "masquerade-missing"


@sandboxed_once
def test_what_takes_a_packet_before_its_translation_is_named() -> None:
    """A rule that would fit stands behind one that ends the chain: that one is the reason."""
    script = f"nft add table inet t; {NAT}nft add rule inet t n ip daddr 198.51.100.0/24 accept; nft add rule inet t n masquerade"
    found = untranslated(set_up(script))
    assert found.code == "masquerade-skipped" and "ip daddr 198.51.100.0/24 accept" in found.cause


@sandboxed_once
def test_a_masquerade_of_the_old_iptables_is_a_rule_too() -> None:
    """It is read like any other: one for another subnet is the reason, and is not said to be missing."""
    found = untranslated(set_up("iptables-legacy -t nat -A POSTROUTING -s 10.9.0.0/24 -j MASQUERADE"))
    assert found.code == "masquerade-wrong-subnet" and "10.9.0.0/24" in found.cause


def published(state: Snapshot, *, far: str = "10.0.0.3") -> Evidence:
    """A connection to port 8080 of the host, which asks its network for ``far`` and hears nothing."""
    probe = Connect("c1", "10.0.0.1", 8080)
    syn = msgspec.structs.replace(hop("c1", "veth1", "out"), kind="tcp", dst="10.0.0.1", text="10.0.0.2:40000 > 10.0.0.1:8080 SYN")
    came = [msgspec.structs.replace(syn, node="host", link=link, direction="in") for link in ("veth2", "br0")]
    asked = msgspec.structs.replace(syn, node="host", link="br0", direction="out", kind="arp-request", src="10.0.0.1", dst=far, leg="arp", neighbour="question")
    outcome = Outcome(probe, "failed", "silence", "no answer")
    return msgspec.structs.replace(evidence(state, stuck(syn, *came, asked)), probe=probe, outcome=outcome)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("tcp dport 8080 dnat ip to 10.0.0.77-10.0.0.79:80", "dnat-wrong"),
        ("tcp dport '{ 8080, 8443 }' dnat ip to 10.0.0.78", "dnat-wrong"),
    ],
)
@sandboxed_once
def test_a_destination_that_a_rule_puts_in_is_blamed_on_the_rule(words: str, code: str) -> None:
    """A range of addresses as well as a single one."""
    make = "nft add table inet t; nft 'add chain inet t d { type nat hook prerouting priority -100; }';"
    found = explain(published(set_up(f"{make} nft add rule inet t d {words}"), far="10.0.0.78"))
    assert (found.code, found.place) == (code, "host:NAT")


@sandboxed_once
def test_a_rule_for_another_packet_is_not_blamed_for_a_destination() -> None:
    """The same address in a rule for another port has nothing to do with this packet."""
    make = "nft add table inet t; nft 'add chain inet t d { type nat hook prerouting priority -100; }';"
    found = explain(published(set_up(f"{make} nft add rule inet t d tcp dport 9999 dnat ip to 10.0.0.78"), far="10.0.0.78"))
    assert found.code != "dnat-wrong"


@pytest.mark.parametrize(
    "words",
    [
        "nft add rule inet t d tcp dport 8080 dnat ip6 to '[fd00:a::78]:80'",
        "ip6tables-nft -t nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination '[fd00:a::78]:80'",
    ],
)
@sandboxed_once
def test_a_destination_of_ipv6_is_the_address_without_its_port(words: str) -> None:
    """Brackets and a port behind them are no part of it, whichever tool the rule was made with."""
    make = "nft add table inet t; nft 'add chain inet t d { type nat hook prerouting priority -100; }';"
    state = set_up(make + words)
    state = edit_node(state, "host", routes=(*ROUTES, Route("fd00:a::/64", None, "br0", family=6)))
    four = published(state, far="fd00:a::78")
    six = {"10.0.0.1": "fd00:a::1", "10.0.0.2": "fd00:a::2"}
    hops = (msgspec.structs.replace(one, src=six.get(one.src, one.src), dst=six.get(one.dst, one.dst)) for one in four.journey.hops)
    probe = Connect("c1", "fd00:a::1", 8080)
    found = explain(msgspec.structs.replace(four, probe=probe, outcome=Outcome(probe, "failed", "silence", "no answer"), journey=stuck(*hops)))
    assert (found.code, found.place) == ("dnat-wrong", "host:NAT") and "fd00:a::78" in found.cause


@sandboxed_once
def test_the_target_is_asked_for_the_port_that_was_put_in() -> None:
    """Behind a published port the packet is for the target's own port, and a rule for that one stops it."""
    make = "nft add table inet t; nft 'add chain inet t d { type nat hook prerouting priority -100; }';"
    state = set_up(f"{make} nft add rule inet t d tcp dport 8080 dnat ip to 10.0.0.3:80; {rule('tcp dport 80 drop')}")
    found = published(state, far="10.0.0.3")
    flow = Flow("host", Tuple(TCP, "10.0.0.2", "10.0.0.1", 40000, 8080), Tuple(TCP, "10.0.0.3", "10.0.0.2", 80, 40000), destination_nat=True)
    assert explain(msgspec.structs.replace(found, journey=stuck(*found.journey.hops[:3]), flows=(flow,))).code == "forward-rule"


@pytest.mark.parametrize(
    ("words", "zone"),
    [
        ("nft add rule inet t p ct zone set 5", 5),
        ("nft add rule inet t p ct original zone set 5", 0),
        ("nft add rule inet t p ct reply zone set 5", 5),
        ("nft add rule inet t p iifname other ct zone set 5", 0),
        ("nft 'add rule inet t p ct zone set iif map { \"lo\" : 5 }'", None),
        ("nft 'add chain inet t late { type filter hook prerouting priority 0; }'; nft add rule inet t late ct zone set 5", 0),
        ("iptables-legacy -t raw -A PREROUTING -i veth2 -j CT --zone 5", 5),
        ("iptables-legacy -t raw -A PREROUTING -j CT --zone-orig 5", 0),
        ("iptables-legacy -t raw -A PREROUTING -j CT --zone-reply 5", 5),
        ("iptables-legacy -t raw -A PREROUTING -j CT --zone mark", None),
    ],
)
@sandboxed_once
def test_the_zone_in_which_answers_are_looked_for(words: str, zone: int | None) -> None:
    """As conntrack reads a zone: set before it for both directions or one of them; behind it nothing is changed."""
    host = set_up("nft add table inet t; " + BEFORE.format(-300) + words).node("host")
    assert host is not None
    assert answers_zone(host, "prerouting", first(4, protocol=ICMP).between("veth2", "")) == zone
