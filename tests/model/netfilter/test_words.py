"""The words of a condition are nft's own: nft(8) takes them, and makes the same condition of them."""

from __future__ import annotations

from helpers.sandboxed import sandboxed_once, sh
from netless_lab.kernel.namespace import Namespace
from netless_lab.kernel.nft.read import RulesetReader
from netless_lab.model.netfilter import rules as r
from netless_lab.model.netfilter.conditions import Question, allowed, fields_of, words
from netless_lab.model.netfilter.packet import UDP, address, first, only
from netless_lab.model.netfilter.run import missed
from netless_lab.model.snapshot import Chain, Node, Rule

CONDITIONS = (
    "ip saddr 10.0.0.2", "ip saddr 10.0.0.0/29", "ip saddr != 10.0.0.3", "ip saddr { 10.0.0.3, 10.0.0.7 }", "ip saddr 10.0.0.2-10.0.0.3",
    "ip saddr @some", "ip saddr != @some", "ip saddr != { 10.0.0.3, 10.0.0.7 }", "udp dport 54-6000", "udp dport != 80", "tcp dport { 53, 80-90 }",
    "iifname in0", "oifname != out0", 'oifname "out*"', 'iifname { "in0", "x" }', "ct state new", "ct state established,related", "ct state != new",
    "ct direction reply", "ct status snat", "meta l4proto { tcp, icmp }", "meta mark 7", "meta mark & 0x6 == 0x6", "meta mark & 0x6 != 0x2", "ct mark 3",
    "fib daddr type local", "fib daddr type != local", "ip saddr . udp dport { 10.0.0.2 . 53, 10.0.0.3 . 80 }", "icmp type echo-request",
    "icmp type { echo-request, time-exceeded }", "tcp flags syn", "tcp flags & (syn | ack) == syn", "ether saddr 02:00:00:00:00:01",
    "ip6 saddr fd00::/64", "ip6 daddr fd00::2", "icmpv6 type nd-neighbor-solicit", "meta pkttype broadcast", "ip dscp ef", "meta length < 9000",
)  # fmt: skip


def rules() -> dict[str, Rule]:
    """The rules of the chains in this sandbox, the last of each."""
    with Namespace.own() as own:
        reader = RulesetReader(own)
        try:
            return {chain.name: chain.rules[-1] for chain in reader.read({1: "lo"})[0] if chain.rules}
        finally:
            reader.close()


@sandboxed_once
def test_nft_reads_the_words_as_the_same_conditions() -> None:
    """For every kind of condition: the rule that nft makes of the words asks what the first one asked."""
    sh("nft add table inet t; nft 'add set inet t some { type ipv4_addr; elements = { 10.0.0.2 }; }'; nft add chain inet t one; nft add chain inet t other")
    for condition in CONDITIONS:
        sh(f"nft -f - <<'N'\nadd rule inet t one {condition} accept\nN")
        asked = [part for part in rules()["one"].parts if isinstance(part, Question)]
        sh(f"nft -f - <<'N'\nadd rule inet t other {' '.join(map(words, asked))} accept\nN")
        again = [part for part in rules()["other"].parts if isinstance(part, Question)]
        assert [fields_of(part) for part in again] == [fields_of(part) for part in asked], condition
        assert list(map(words, again)) == list(map(words, asked)), condition
        assert [part for part in again if isinstance(part, r.Condition)] == [part for part in asked if isinstance(part, r.Condition)], condition


@sandboxed_once
def test_what_a_rule_is_for_and_what_it_lets_by() -> None:
    """The values that a field may have, and the conditions that a packet certainly does not meet; of one that is not known neither is said."""
    sh("""nft add table ip t; nft add chain ip t one; nft add chain ip t other
        nft add rule ip t one icmp type '{ time-exceeded, destination-unreachable }' drop
        nft add rule ip t other ip saddr 10.0.0.9 udp dport '{ 53, 80 }' limit rate 1/second oifname != eth0 drop""")
    found = rules()
    assert allowed(found["one"], "icmp type") == ((3, 3), (11, 11)) and allowed(found["other"], "icmp type") is None
    asked = first(source=only(address("10.0.0.2")), protocol=UDP).between("br0", "eth0")
    base = Chain("ip", "t", "other", "filter", "forward", 1, "accept", rules=(found["other"],))
    misses = missed(Node("host", "host", 1, chains=(base,)), base, base, found["other"], asked)
    assert [words(part) for part in misses] == ["ip saddr 10.0.0.9", 'oifname != "eth0"']
