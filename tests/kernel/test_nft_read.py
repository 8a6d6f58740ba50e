"""Reading rules: what a learner types with nft or iptables is listed back word for word; the witness is ``nft -s list ruleset``."""

from __future__ import annotations

import re
import socket
from ipaddress import ip_address

from helpers.listing import listing
from helpers.sandboxed import sandboxed, sh
from netless_lab.kernel.namespace import Namespace
from netless_lab.kernel.nft.read import RulesetReader
from netless_lab.model.netfilter import rules as r
from netless_lab.model.netfilter.conditions import Question, words
from netless_lab.model.snapshot import Chain, Rule

IP_RULES = """
table ip lab {
 chain post { type nat hook postrouting priority srcnat;
  ip saddr 10.0.0.0/24 oifname != "br0" counter masquerade comment "hi there"
  oifname "eth*" masquerade random,persistent
  meta l4proto tcp masquerade to :1024-2000
  snat to 1.2.3.4
  tcp dport 80 snat to 1.2.3.4-1.2.3.9:1000-2000
 }
 chain pre { type nat hook prerouting priority dstnat;
  fib daddr type local tcp dport 8080 dnat to 1.2.3.4:80
  tcp dport 81 redirect to :8080
  udp dport 53 redirect
  tcp dport 82 dnat to 10.0.0.2
  dnat to tcp dport map { 80 : 10.0.0.2, 81 : 10.0.0.3 }
 }
 chain out { type nat hook output priority -100; fib daddr type local tcp dport 8080 dnat to 10.0.0.2:80
 }
 chain f { type filter hook forward priority filter; policy drop;
  ip saddr != {10.0.0.1, 10.0.0.2} tcp dport {80, 443} accept
  tcp dport 1000-2000 counter accept
  tcp dport != 1000-2000 counter accept
  tcp dport > 1024 accept
  ct state vmap {established : accept, invalid: drop}
  ct state established,related accept
  ct state new,established accept
  ct state invalid,new drop
  ct state new accept
  ct state != new accept
  ct state {new, established} accept
  ct status dnat accept
  meta mark 0x1 log prefix "x " limit rate 5/second accept
  limit rate over 10/minute burst 7 packets drop
  limit rate 1 mbytes/second accept
  iifname {"a", "b"} drop
  iifname "br0" oifname "br0" accept
  iif "lo" accept
  oif != "lo" accept
  ip protocol icmp accept
  ip protocol icmp icmp type echo-request reject
  icmp type echo-request accept
  icmp type {echo-request, echo-reply} accept
  icmp type destination-unreachable icmp code 3 accept
  ip protocol tcp tcp dport 22 accept
  ip protocol { tcp, udp } accept
  meta l4proto tcp accept
  meta l4proto { tcp, udp } th dport 53 accept
  ip daddr 10.0.0.1-10.0.0.9 accept
  ip daddr != 10.0.0.0/8 accept
  ip saddr 10.0.16.0/20 accept
  ip saddr 10.0.0.2 ip daddr 10.0.0.3 accept
  ip ttl 64 accept
  ip ttl < 5 drop
  ip length > 1000 drop
  tcp flags syn accept
  tcp flags & (syn|ack) == syn accept
  tcp flags syn / syn,rst accept
  tcp sport 80 ip saddr 1.2.3.4 accept
  tcp sport 80 tcp dport 90 accept
  meta mark set 0x5
  meta nftrace set 1
  ct mark 0x1 accept
  ct mark set meta mark
  meta mark & 0xff == 0x1 accept
  ether saddr 00:11:22:33:44:55 accept
  ip saddr . tcp dport { 10.0.0.1 . 80, 10.0.0.2 . 443 } accept
  reject with tcp reset
  reject with icmp host-unreachable
  reject with icmp admin-prohibited
  reject
  drop
  jump g
  goto g
  return
  ct count over 20 drop
  fib saddr . iif oif missing drop
  ip dscp cs1 accept
  tcp flags syn tcp option maxseg size set rt mtu
  tcp flags syn tcp option maxseg size set 1360
  tcp flags syn / syn,rst counter tcp option maxseg size set rt mtu
  tcp option maxseg size 1-1300 drop
  tcp option timestamp exists drop
  tcp option sack-perm missing accept
  tcp option timestamp tsval 5 accept
  meta l4proto tcp tcp option maxseg size 1400 accept
  reset tcp option timestamp
  rt ip nexthop 10.0.0.1 accept
  ip ttl set 1
  ip dscp set cs1
  ip dscp set ef
  ip ecn ce drop
  ip ecn set ce
  ip daddr set 10.0.0.9
  ip saddr set ip daddr
  tcp dport set 80
  ether saddr set 02:00:00:00:00:01
  meta pkttype broadcast drop
  meta skuid 0 accept
  meta skuid 0-1000 accept
  meta cpu != 2-4095 accept
  meta mark 0x1-0xfff accept
  log
  log prefix "a" level debug
  log group 3
  counter
  ct direction reply accept
  ct original ip saddr 10.0.0.1 accept
 }
 chain g { counter drop
 }
}
"""

OTHER_FAMILIES = """
table inet fw {
 chain f { type filter hook forward priority -5; policy drop;
  ip saddr { 10.0.0.0/24, 10.1.0.0/16, 10.2.0.1, 10.3.0.5-10.3.0.9 } accept
  tcp dport { 80, 1000-2000 } accept
  ct state established,related accept
  tcp dport 22 accept
  udp dport 53 reject
  icmp type echo-request accept
  icmpv6 type { nd-neighbor-solicit, nd-router-advert } accept
  ip6 saddr fe80::/10 jump g
  ip6 daddr ::1 accept
  ip6 hoplimit set 3
  ip ttl set 5
  ip daddr set 10.0.0.9
  tcp flags syn tcp option maxseg size set rt mtu
  rt ip6 nexthop fe80::1 accept
  meta nfproto ipv4 accept
  meta l4proto { tcp, udp } th dport 53 accept
  meta l4proto icmp accept
  meta l4proto { icmp, ipv6-icmp } accept
  ip protocol icmp accept
  iifname "br0" ip saddr 10.0.0.2 ip daddr 10.0.0.3 tcp dport 80 ct state new counter accept
  reject with icmpx admin-prohibited
  reject
  reject with icmp host-unreachable
  reject with tcp reset
  iifname vmap { "a" : accept, "b" : jump g }
  ip saddr vmap { 10.0.0.1 : accept, 10.0.0.2 : drop }
  tcp dport vmap { 22 : accept, 80 : goto g }
  meta protocol ip accept
  meta iiftype loopback accept
  ip version 4 accept
 }
 chain g { counter drop
 }
 chain nat { type nat hook postrouting priority 100; oifname "eth0" masquerade; ip saddr 10.0.0.0/8 snat ip to 1.2.3.4;
 }
 chain pre { type nat hook prerouting priority -100; tcp dport 80 dnat ip to 1.2.3.4:80; tcp dport 81 dnat ip6 to [fd00::1]:80
 }
 chain ing { type filter hook input priority filter + 10; policy accept;
 }
 chain raw { type filter hook prerouting priority raw; tcp dport 1 notrack;
 }
 chain man { type route hook output priority mangle; }
 chain sec { type filter hook output priority security - 1; }
 chain far { type filter hook output priority 777; }
}
table bridge b {
 chain f { type filter hook forward priority 0; ether saddr 00:11:22:33:44:55 drop; ip saddr 10.0.0.2 drop
  arp operation request drop
  ether type arp accept
  iifname "veth1" accept
  vlan id 5 accept
  tcp dport 22 accept
  ether type ip tcp dport 80 accept
 }
 chain p { type filter hook prerouting priority dstnat; }
}
table arp a { chain i { type filter hook input priority 0; arp operation request drop; arp saddr ip 10.0.0.1 drop
 }
}
table ip6 s { chain o { type nat hook postrouting priority srcnat; ip6 saddr fd00::/64 masquerade; icmpv6 type echo-request accept
 }
}
table netdev n { chain i { type filter hook ingress device "lo" priority 0; ip saddr 10.0.0.1 drop; icmp type echo-request drop
 }
}
"""

IPTABLES = """
iptables -t nat -A POSTROUTING -s 10.0.0.0/24 ! -o br0 -j MASQUERADE
iptables -t nat -A POSTROUTING -s 10.0.0.0/24 -o eth0 -j SNAT --to-source 203.0.113.2
iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -p tcp --dport 8080 -j DNAT --to-destination 10.0.0.2:80
iptables -t nat -A PREROUTING -p udp --dport 53 -j REDIRECT --to-ports 5353
iptables -A FORWARD -i br0 -p tcp --dport 80 -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT
iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A FORWARD -m conntrack --ctstate DNAT -j ACCEPT
iptables -A FORWARD -s 10.0.0.2 -j DROP
iptables -A FORWARD -p icmp -j REJECT
iptables -t raw -A PREROUTING -i br0 -j CT --notrack
iptables -A FORWARD -j REJECT --reject-with icmp-host-prohibited
iptables -A FORWARD -j LOG --log-prefix "dead "
iptables -N MINE; iptables -A FORWARD -j MINE; iptables -A MINE -j RETURN
iptables -P FORWARD DROP
"""


def read() -> tuple[Chain, ...]:
    """The chains of this sandbox's own namespace."""
    with Namespace.own() as own:
        reader = RulesetReader(own)
        try:
            return reader.read({1: "lo"})[0]
        finally:
            reader.close()


def witness() -> list[str]:
    """``nft -s list ruleset`` line by line, without its warnings about iptables and without table order."""
    return [line for line in sh("nft -s list ruleset").splitlines() if not line.startswith("# Warning")]


def differing(ours: list[str], theirs: list[str]) -> list[tuple[str, str]]:
    """Lines that differ, side by side."""
    assert len(ours) == len(theirs)
    return [(mine, other) for mine, other in zip(ours, theirs, strict=True) if mine != other]


def rule_of(script: str) -> Rule:
    """The only rule that ``script`` leaves behind."""
    sh(script)
    rules = [rule for chain in read() for rule in chain.rules]
    assert len(rules) == 1
    return rules[0]


@sandboxed
def test_ip_rules_read_as_nft_lists_them() -> None:
    """Every kind of match and statement of the ip family that a learner meets is printed as nft prints it, none is opaque."""
    sh("nft -f -", input=IP_RULES)
    chains = read()
    assert differing(listing(chains).splitlines(), witness()) == []
    assert [rule.text for chain in chains for rule in chain.rules if rule.opaque] == []


@sandboxed
def test_rules_of_the_other_families_read_as_nft_lists_them() -> None:
    """inet, bridge, arp, ip6 and netdev: protocol matches that nft leaves out are left out, hooks and priorities have their names."""
    sh("nft -f -", input=OTHER_FAMILIES)
    assert differing(listing(read()).splitlines(), witness()) == []


@sandboxed
def test_rules_made_by_iptables_are_understood() -> None:
    """What iptables-nft wraps in matches and targets of its own still says masquerade, dnat, reject and ct state."""
    sh(IPTABLES)
    ours = {re.sub(" +", " ", line).strip() for line in listing(read()).splitlines()}
    theirs = {re.sub(" +", " ", line).strip() for line in witness()}
    assert ours - theirs == set() and theirs - ours == set()
    parts = {part for chain in read() for rule in chain.rules for part in rule.parts}
    snat, dnat = (int(ip_address(own)) for own in ("203.0.113.2", "10.0.0.2"))
    assert {
        r.Rewrite("masquerade"), r.Rewrite("snat", (snat, snat)), r.Rewrite("dnat", (dnat, dnat), (80, 80)), r.Rewrite("redirect", port=(5353, 5353)),
        r.Drop("port-unreachable"), r.Jump("MINE"),
    } <= parts  # fmt: skip


@sandboxed
def test_what_is_written_into_a_packet_is_known() -> None:
    """A clamped segment size decides over no packet; a TTL and an address that a rule writes in are told, by nft and by the old iptables' targets."""
    sh("""nft add table ip t; nft 'add chain ip t c { type filter hook forward priority 0; }'
       nft add rule ip t c tcp flags syn tcp option maxseg size set rt mtu
       nft add rule ip t c ip ttl set 7; nft add rule ip t c ip dscp set ef; nft add rule ip t c ip daddr set 10.0.0.9
       iptables -t mangle -A FORWARD -j TTL --ttl-set 9; iptables -t mangle -A FORWARD -j TTL --ttl-dec 1""")
    parts = [part for chain in read() for rule in chain.rules for part in rule.parts if not isinstance(part, Question)]
    assert sorted(parts, key=repr) == sorted([
        r.Write("ip ttl", 0, 7), r.Write("ip dscp", 0, 46), r.Write("ip daddr", 0, int(ip_address("10.0.0.9"))), r.Write("ip ttl", 0, 9), r.Write("ip ttl"),
    ], key=repr)  # fmt: skip


@sandboxed
def test_matches_and_verdict_are_parsed() -> None:
    """A judge needs no text: field and values of every condition, and what is done, are there, with what was counted; nft's words come of them."""
    rule = rule_of(
        """nft add table ip t; nft 'add chain ip t c { type nat hook postrouting priority 100; }'
        nft add rule ip t c ip saddr 10.0.0.0/24 oifname != br0 ct state established,related tcp dport '{ 80, 443 }' \
            counter packets 7 bytes 420 masquerade"""
    )
    asked = [words(part) for part in rule.parts if isinstance(part, Question)]
    assert asked == ["ip saddr 10.0.0.0/24", 'oifname != "br0"', "ct state established,related", "meta l4proto tcp", "th dport { 80, 443 }"]
    assert (rule.parts[-1], rule.packets, rule.bytes, rule.opaque) == (r.Rewrite("masquerade"), 7, 420, False)


@sandboxed
def test_reading_again_sees_what_changed() -> None:
    """Counters, a set replaced under the same rule handle, a device renamed: the second look is as true as the first."""

    def make(ports: str) -> None:
        sh(f"""nft add table ip t; nft add chain ip t c; nft add rule ip t c tcp dport '{{ {ports} }}' accept
            nft add rule ip t c iif p0 counter accept""")

    sh("ip link add p0 type veth peer name p1")
    index = socket.if_nametoindex("p0")
    make("80, 443")
    with Namespace.own() as own:
        reader = RulesetReader(own)
        first = [rule.text for rule in reader.read({index: "p0"})[0][0].rules]
        sh("nft delete table ip t")
        make("22, 53")
        again = reader.read({index: "p0"})[0][0].rules
        renamed = reader.read({index: "uplink"})[0][0].rules
        reader.close()
    assert first == ["tcp dport { 80, 443 } accept", 'iif "p0" counter accept']
    assert [rule.text for rule in again] == ["tcp dport { 22, 53 } accept", 'iif "p0" counter accept']
    assert renamed[1].text == 'iif "uplink" counter accept'


@sandboxed
def test_a_target_drawn_by_lot_is_a_translation_that_cannot_be_told() -> None:
    """Which of several addresses a dnat takes is not readable here; that it takes one is, so nobody believes that the packet is left alone."""
    sh("nft add table ip t; nft add chain ip t c '{ type nat hook prerouting priority -100; }'")
    rule = rule_of("nft add rule ip t c udp dport 5000 dnat to numgen inc mod 2 map { 0 : 10.0.0.2, 1 : 10.0.0.3 }")
    assert rule.opaque and rule.parts[-1] == r.Rewrite("dnat", chosen=True)


@sandboxed
def test_an_expression_we_do_not_know_makes_a_rule_opaque() -> None:
    """Nothing is guessed: the rule is shown with a mark in the place of what could not be read."""
    rule = rule_of("nft add table ip t; nft add chain ip t c; nft add rule ip t c ip daddr 10.0.0.1 numgen inc mod 2 0 accept")
    assert rule.opaque and rule.text.startswith("ip daddr 10.0.0.1 <numgen>")


@sandboxed
def test_no_rules_are_no_error() -> None:
    """A fresh namespace has no chains."""
    assert read() == ()
