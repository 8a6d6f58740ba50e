"""What the interpreter says of a packet is what the kernel does with it. The witness is a socket at the other end of a real router."""

from __future__ import annotations

import random
import re
import select
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import pytest

from helpers.sandboxed import container, sandboxed_once, sh
from helpers.wires import QUIET, own_node
from netless_lab.kernel.namespace import Namespace, socket_in
from netless_lab.kernel.read import Reader
from netless_lab.model.gates import Family
from netless_lab.model.netfilter.packet import UDP, Packet, address, answer, first, only
from netless_lab.model.netfilter.run import Way, always, through
from netless_lab.model.snapshot import Node

ROUTER = """
ip link add in0 type veth peer name e0 netns {near}; ip link add out0 type veth peer name e0 netns {far}
ip address add 10.0.0.1/24 dev in0; ip link set in0 up; ip address add 203.0.113.2/24 dev out0; ip link set out0 up
sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.in0.rp_filter=0 net.ipv4.conf.out0.rp_filter=0
nsenter --net=/proc/{near}/ns/net sh -c 'ip link set lo up; ip link set e0 up; for n in 2 3 7; do ip address add 10.0.0.$n/24 dev e0; done
  ip route add default via 10.0.0.1'
nsenter --net=/proc/{far}/ns/net sh -c 'ip link set lo up; ip link set e0 up; for n in 1 9; do ip address add 203.0.113.$n/24 dev e0; done
  ip address add 198.51.100.10/32 dev lo; ip route add 10.0.0.0/24 via 203.0.113.2'
ip route add 198.51.100.0/24 via 203.0.113.1
"""
SIX = """
sysctl -qw net.ipv6.conf.all.forwarding=1; mac() {{ ip -br link show $1 | awk '{{print $3}}'; }}
ip address add fd00:a::1/120 dev in0 nodad; ip address add fd00:b::2/120 dev out0 nodad; ip route add fd00:c::/120 via fd00:b::1
one=$(mac in0) other=$(mac out0) near=$(nsenter --net=/proc/{near}/ns/net ip -br link show e0 | awk '{{print $3}}')
far=$(nsenter --net=/proc/{far}/ns/net ip -br link show e0 | awk '{{print $3}}')
for n in 2 3 7; do ip neigh add fd00:a::$n lladdr $near dev in0; nsenter --net=/proc/{near}/ns/net ip address add fd00:a::$n/120 dev e0 nodad; done
for n in 1 9; do ip neigh add fd00:b::$n lladdr $far dev out0; nsenter --net=/proc/{far}/ns/net ip address add fd00:b::$n/120 dev e0 nodad; done
nsenter --net=/proc/{near}/ns/net sh -c "ip neigh add fd00:a::1 lladdr $one dev e0; ip route add default via fd00:a::1"
nsenter --net=/proc/{far}/ns/net sh -c "ip neigh add fd00:b::2 lladdr $other dev e0; ip address add fd00:c::10/128 dev lo; ip route add fd00:a::/120 via fd00:b::2"
"""
"""The same for IPv6; nobody has to ask for a neighbour, so no rule stops that."""
NEAR, FAR, PORTS = ("10.0.0.2", "10.0.0.3", "10.0.0.7"), ("203.0.113.1", "203.0.113.9", "198.51.100.10"), (53, 80, 5000)
SOON, LONG_S = 0.03, 2.0


class Router(NamedTuple):
    """A router between two other nodes, in whose namespaces sockets can be opened."""

    near: Namespace
    far: Namespace

    def node(self) -> Node:
        """The router, as the snapshot has it."""
        own, reader = own_node(), Reader()
        try:
            found = reader.snapshot([own]).nodes[0]
        finally:
            reader.close()
            own.namespace.close()
        return found


@contextmanager
def router(family: Family) -> Iterator[Router]:
    """In the sandbox's own namespace."""
    with ExitStack() as stack:
        near, far = (stack.enter_context(container()) for _ in range(2))
        sh(ROUTER.format(near=near, far=far) + (QUIET if family == 4 else SIX.format(near=near, far=far)))
        yield Router(*(stack.enter_context(Namespace.of_pid(pid)) for pid in (near, far)))


class Sent(NamedTuple):
    """One UDP packet that was really sent: what came of it, and of the answer to it."""

    arrived: bool
    seen_from: str
    answered: bool


def send(there: Router, source: str, destination: str, port: int, expected: bool | None) -> Sent:
    """Send a packet, and if it arrives an answer to it. ``expected`` only says how long to wait for what is not expected."""
    kind = socket.AF_INET6 if ":" in source else socket.AF_INET
    with socket_in(there.far, kind, socket.SOCK_DGRAM) as far, socket_in(there.near, kind, socket.SOCK_DGRAM) as near:
        far.bind((destination, port))
        near.bind((source, 0))
        near.sendto(b"?", (destination, port))
        if not select.select([far], [], [], LONG_S if expected else SOON)[0]:
            return Sent(False, "", False)
        _, sender = far.recvfrom(8)
        far.sendto(b"!", sender)
        return Sent(True, sender[0], bool(select.select([near], [], [], SOON * 3)[0]))


def packet(source: str, destination: str, port: int) -> Packet:
    """The first packet of such a conversation, on its way through the router."""
    found = first(6 if ":" in source else 4, source=only(address(source)), destination=only(address(destination)), protocol=UDP)
    return found.listing("th dport", only(port)).between("in0", "out0")


def passing(found: Packet, node: Node) -> tuple[Way, ...]:
    """What becomes of it on the whole way through."""
    return through(node, ("prerouting", "forward", "postrouting"), found)


CONDITIONS = (
    "ip saddr 10.0.0.2", "ip saddr 10.0.0.0/29", "ip saddr != 10.0.0.3", "ip saddr { 10.0.0.3, 10.0.0.7 }", "ip saddr 10.0.0.2-10.0.0.3",
    "ip saddr @some", "ip saddr != @some", "ip daddr 203.0.113.0/24", "ip daddr { 198.51.100.0/24 }", "ip daddr 203.0.113.9",
    "udp dport 53", "udp dport { 53, 80 }", "udp dport 54-6000", "udp dport > 80", "udp dport != 80", "tcp dport 53", "th dport 80",
    "iifname in0", "iifname != in0", "oifname out0", 'oifname "out*"', 'iifname { "in0", "x" }', "iif in0", "oif != out0", "iifname @links",
    "ct state new", "ct state established,related", "ct state { new, established }", "ct state != new", "ct direction reply", "ct status snat",
    "meta l4proto udp", "meta l4proto { tcp, icmp }", "ip protocol udp", "meta mark 7", "meta mark != 7", "meta mark & 0x6 == 0x6", "ct mark 3",
    "fib daddr type local", "fib daddr type != local", "fib saddr type unicast", "ip saddr . udp dport { 10.0.0.2 . 53, 10.0.0.3 . 80 }",
    "ip saddr . udp dport @pairs", "udp sport > 1024", "ip ttl > 3", "meta length < 9000", "meta protocol ip", "limit rate 1000/second",
)  # fmt: skip
ENDS = ("accept", "drop", "accept", "drop", "reject", "return", "jump side", "goto side", "continue", "counter", "meta mark set 7", "ct mark set 3")
MAPS = (
    "udp dport vmap { 53 : accept, 80 : drop, 1000-6000 : jump side }", "ip saddr vmap { 10.0.0.2 : drop, 10.0.0.3/32 : accept, 10.0.0.4/30 : jump side }",
    "iifname vmap { in0 : jump side, x : drop }", "ip saddr vmap @verdicts", "ct state vmap { established : accept, new : continue }",
)  # fmt: skip
REWRITES = ("masquerade", "snat to 203.0.113.2", "snat to 203.0.113.77", "accept", "masquerade random")


def ruleset(chance: random.Random) -> str:
    """A random firewall, as it would be typed."""

    def rule(ends: tuple[str, ...]) -> str:
        conditions = " ".join(chance.sample(CONDITIONS, chance.choice((0, 1, 1, 1, 2))))
        return f"{conditions} {chance.choice(ends)}"

    def chain(head: str, ends: tuple[str, ...], most: int = 4) -> str:
        body = [rule(ends) if chance.random() < 0.85 else chance.choice(MAPS) for _ in range(chance.randint(0, most))]
        if "side" in head:
            body = [line for line in body if "side" not in line]
        return head + "\n".join(body) + "\n}\n"

    def priority() -> int:
        return chance.choice((-150, -5, 0, 0, 7, 200))

    family = chance.choice(("ip", "inet"))
    text = f"table {family} t {{\n set some {{ type ipv4_addr; flags interval; elements = {{ 10.0.0.3, 10.0.0.6-10.0.0.9 }} }}\n"
    text += " set links { type ifname; elements = { in0, other } }\n"
    text += " set pairs { type ipv4_addr . inet_service; elements = { 10.0.0.2 . 53, 10.0.0.7 . 80 } }\n"
    text += " map verdicts { type ipv4_addr : verdict; elements = { 10.0.0.2 : accept, 10.0.0.7 : drop } }\n"
    text += chain(" chain side {\n", ENDS, 3)
    for number in range(chance.randint(1, 2)):
        policy = chance.choice(("accept", "accept", "drop"))
        text += chain(f" chain f{number} {{ type filter hook forward priority {priority()}; policy {policy};\n", ENDS)
    if chance.random() < 0.4:
        text += chain(f" chain pre {{ type filter hook prerouting priority {chance.choice((-300, -150, 0))};\n", (*ENDS, "notrack"), 2)
    if chance.random() < 0.6:
        lines = "\n".join(f"{chance.choice(CONDITIONS)} {chance.choice(REWRITES)}" for _ in range(chance.randint(1, 3)))
        lines = lines.replace("snat to", "snat ip to") if family == "inet" else lines
        text += f" chain post {{ type nat hook postrouting priority {chance.choice((100, 5, -10))};\n{lines}\n}}\n"
    return text + "}\n"


XT_CONDITIONS = (
    "-s 10.0.0.2", "-s 10.0.0.0/29", "! -s 10.0.0.3", "-d 203.0.113.0/24", "! -d 198.51.100.10", "-i in0", "! -i in0", "-i in+", "-i x",
    "-p udp", "! -p tcp", "-p udp --dport 53", "-p udp ! --dport 53", "-p udp --dport 54:6000", "-p udp --sport 1024:",
    "-p udp -m multiport --dports 53,80", "-p udp -m multiport --dports 50:60,5000", "-p udp -m multiport ! --dports 80",
    "-m iprange --src-range 10.0.0.2-10.0.0.3", "-m iprange ! --dst-range 203.0.113.1-203.0.113.8", "-m conntrack --ctstate NEW",
    "-m conntrack ! --ctstate INVALID", "-m conntrack --ctstate RELATED,ESTABLISHED", "-m conntrack --ctdir REPLY", "-m state --state NEW",
    "-m conntrack --ctstate SNAT", "-m conntrack ! --ctstate DNAT", "-m conntrack --ctstatus CONFIRMED", "-m mark --mark 7",
    "-m mark --mark 0x2/0x2", "-m mark ! --mark 7/0xff", "-m addrtype --dst-type LOCAL", "-m addrtype ! --src-type LOCAL",
    "-m addrtype --dst-type UNICAST,LOCAL", "-m length --length 0:500", "-m pkttype --pkt-type unicast", "-m comment --comment x",
    "-m connmark --mark 3", "-m limit --limit 1000/second",
)  # fmt: skip
XT_ENDS = ("-j ACCEPT", "-j DROP", "-j ACCEPT", "-j DROP", "-j REJECT", "-j RETURN", "-j MINE", "-g MINE", "", "-j LOG")


def xt_ruleset(chance: random.Random) -> str:
    """A random firewall of iptables, as iptables-restore(8) takes it."""

    def conditions() -> str:
        """None of an option that is there already: iptables takes each once."""
        asked = chance.sample(XT_CONDITIONS, chance.choice((0, 1, 1, 2)))
        return " ".join({condition.removeprefix("! ").split()[0]: condition for condition in asked}.values())

    def rules(chain: str, ends: tuple[str, ...], most: int) -> list[str]:
        return [f"-A {chain} {conditions()} {chance.choice(ends)}" for _ in range(chance.randint(0, most))]

    policy = chance.choice(("ACCEPT", "ACCEPT", "DROP"))
    lines = ["*filter", f":FORWARD {policy}", ":MINE -", *rules("MINE", tuple(end for end in XT_ENDS if "MINE" not in end), 3)]
    lines += [*rules("FORWARD", XT_ENDS, 4), "COMMIT", "*mangle"]
    lines += [*rules("PREROUTING", ("-j MARK --set-mark 7", "-j MARK --set-xmark 0x2/0x2", "-j CONNMARK --set-mark 3", "-j ACCEPT"), 2), "COMMIT"]
    if chance.random() < 0.3:
        lines += ["*raw", *rules("PREROUTING", ("-j CT --notrack", "-j DROP", "-j ACCEPT"), 2), "COMMIT"]
    if chance.random() < 0.7:
        lines += ["*nat", *rules("POSTROUTING", ("-j MASQUERADE", "-j SNAT --to-source 203.0.113.77", "-j RETURN"), 3), "COMMIT"]
    return "\n".join(line for line in lines) + "\n"


def in_six(text: str) -> str:
    """The same firewall, or address, for IPv6: every address and network, what asks for them, and the tables."""
    nets = {"10.0.0": "fd00:a", "203.0.113": "fd00:b", "198.51.100": "fd00:c"}
    text = re.sub(r"(10\.0\.0|203\.0\.113|198\.51\.100)\.(\d+)", lambda found: f"{nets[found[1]]}::{found[2]}", text)
    text = re.sub(r"(::\d+)/(\d+)", lambda found: f"{found[1]}/{int(found[2]) + 96}", text)
    text = re.sub(r"\bip (saddr|daddr|to\b)", r"ip6 \1", text).replace("ipv4_addr", "ipv6_addr").replace("table ip ", "table ip6 ")
    return text.replace("ip protocol", "ip6 nexthdr").replace("ip ttl", "ip6 hoplimit").replace("meta protocol ip", "meta protocol ip6")


def judged(there: Router, chance: random.Random, family: Family) -> tuple[int, int]:
    """Some packets through the present rules: (how many it had a word on, how many it could not tell). Fails where the word is wrong."""
    told = unknown = 0
    node = there.node()
    for _ in range(3):
        source, destination, port = chance.choice(NEAR), chance.choice(FAR), chance.choice(PORTS)
        source, destination = (in_six(source), in_six(destination)) if family == 6 else (source, destination)
        asked = packet(source, destination, port)
        ways = passing(asked, node)
        passes = always(ways, lambda way: way.end == "accept")
        dies = always(ways, lambda way: way.end == "drop")
        assert not (passes and dies)
        rewritten = always((way for way in ways if way.end == "accept"), lambda way: way.source_rewritten)
        sent = send(there, source, destination, port, passes)
        what = f"{source} to {destination}:{port}, said {passes=} {dies=} {rewritten=}, was {sent}\n{sh('nft list ruleset')}"
        if passes:
            assert sent.arrived, what
        if dies:
            assert not sent.arrived, what
        if sent.arrived:
            assert dies is not True, what
            if rewritten is not None and any(way.end == "accept" for way in ways):
                assert (sent.seen_from != source) == rewritten, what
            back = answer(asked, translated=sent.seen_from != source)
            if back.tracked and all(way.packet.tracked for way in ways):
                returning = always(through(node, ("forward",), back), lambda way: way.end == "accept")
                if returning is False and always(through(node, ("forward",), back), lambda way: way.end == "drop"):
                    assert not sent.answered, what
        else:
            assert passes is not True, what
        told, unknown = told + (passes is not None and (passes or bool(dies))), unknown + (passes is None)
    return told, unknown


Make = Callable[[random.Random], tuple[list[str], str]]


def by_nft(chance: random.Random) -> tuple[list[str], str]:
    """A firewall of nft: the program, and what it reads."""
    return ["nft", "-f", "-"], ruleset(chance)


def by_iptables(chance: random.Random) -> tuple[list[str], str]:
    """One of iptables, into nf_tables or into tables of its own."""
    return [chance.choice(("iptables-nft-restore", "iptables-legacy-restore"))], xt_ruleset(chance)


def clear() -> None:
    """No rule is left of the last."""
    sh("""nft flush ruleset
        for i in iptables-legacy ip6tables-legacy; do for t in filter mangle raw nat; do $i -t $t -F; $i -t $t -X; done; $i -P FORWARD ACCEPT; done""")


def hold_for(seeds: range, make: Make, family: Family = 4) -> None:
    """Each seed is a firewall; the interpreter is to be right on all it speaks of, and to speak of most."""
    told = unknown = refused = 0
    with router(family) as there:
        for seed in seeds:
            chance = random.Random(seed)
            clear()
            program, text = make(chance)
            if family == 6:
                program, text = [word.replace("iptables", "ip6tables") for word in program], in_six(text)
            if subprocess.run(program, input=text, capture_output=True, text=True, check=False).returncode:
                refused += 1  # conditions that do not go together
                continue
            try:
                one, other = judged(there, chance, family)
            except AssertionError as wrong:
                raise AssertionError(f"seed {seed}: {' '.join(program)}\n{text}\n{wrong}") from None
            told, unknown = told + one, unknown + other
    assert told > 2 * unknown, f"told {told}, did not know {unknown}"
    assert refused < len(seeds) / 4, f"{refused} were refused"


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("make", [by_nft, by_iptables])
@sandboxed_once
def test_what_it_says_of_random_firewalls_is_what_they_do(make: Make, family: Family) -> None:
    """Sixty firewalls of conditions, sets, maps, jumps, marks, NAT and notrack: never wrong, and seldom without an answer."""
    hold_for(range(60), make, family)


@pytest.mark.long
@pytest.mark.parametrize("start", range(1000, 3000, 100))
@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("make", [by_nft, by_iptables])
@sandboxed_once
def test_what_it_says_of_many_random_firewalls_is_what_they_do(start: int, make: Make, family: Family) -> None:
    """Two thousand of them of each."""
    hold_for(range(start, start + 100), make, family)
