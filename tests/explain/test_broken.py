"""Why, of every table beside this file: each thing is broken for real, by ``ip``, ``bridge``, ``sysctl``, ``nft`` and their kin."""

from __future__ import annotations

import pytest

from explain import datagrams, firewalls, links, reports, routing, services, six
from explain.firewalls import firewall
from helpers.broken import SITE, START, Broken, check, explained, ping
from helpers.running import Running
from netless_lab.model.probe import Connect, Fetch, Lookup, Probe, Udp
from netless_lab.protocol import Explain

pytestmark = pytest.mark.kernel
TABLES = (links, routing, firewalls, services, datagrams, six, reports)
BROKEN = {f"{table.__name__.rpartition('.')[2]}: {broken.name}": broken for table in TABLES for broken in table.BROKEN}


def test_every_breakage_has_a_name_of_its_own() -> None:
    """None is lost because another is called the same."""
    assert len(BROKEN) == sum(len(table.BROKEN) for table in TABLES)


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_the_place_and_the_cause_are_named(lab: Running, broken: Broken) -> None:
    """After the breakage it does not work, and explain names where and why, with facts."""
    check(lab, broken)


@pytest.mark.parametrize("name", ["firewalls: reset", "services: pages stopped by a rule", "datagrams: a named port stopped by a rule"])
def test_a_rule_that_shuts_a_first_packet_out_can_go(lab: Running, name: str) -> None:
    """A refusal, and what a name server answered before, is no answer of the conversation: it is a first packet that nothing has translated yet."""
    assert explained(lab, BROKEN[name]).fix.startswith("nft delete rule ip lab forward handle ")


@pytest.mark.parametrize("name", ["services: published, and asked next door", "services: published, and asked by its own"])
def test_who_asks_for_a_port_of_his_neighbours_is_translated(lab: Running, name: str) -> None:
    """What an expert types there is offered: then the answer comes back by who changed the destination."""
    assert explained(lab, BROKEN[name]).fix.endswith(" masquerade")


def test_a_tunnels_rule_stays_where_one_before_it_heals(lab: Running) -> None:
    """Without its rule a tunnel carries nothing any more; what is at home needs one before it, for its subnet alone."""
    assert explained(lab, BROKEN["routing: a tunnel takes what is at home"]).fix == "ip rule add to 10.0.0.0/24 lookup main priority 100"


def test_what_takes_a_packet_before_its_translation_can_go(lab: Running) -> None:
    """The rule before the masquerade is taken away, where the sender is translated then."""
    assert explained(lab, BROKEN["reports: a return before the masquerade"]).fix.startswith("nft delete rule ip lab postrouting handle ")


def test_a_mend_that_does_not_heal_is_not_offered(lab: Running) -> None:
    """A service that nobody serves, and one that is rejected: with the rule gone the packet would go out and find nobody (curl witnesses that)."""
    lab.goto(START, end=True)
    lab.sh("nft insert rule ip lab forward ip daddr 10.96.0.1 tcp dport 443 reject")
    told = lab.client.ask(Explain(Connect("c1", "10.96.0.1", 443)))
    assert told.code == "firewall-reject" and told.certainty == "certain" and not told.fix
    lab.sh("nft delete rule ip lab forward handle $(nft -a list chain ip lab forward | sed -n 's/.*443.*handle //p')")
    assert lab.sh("curl -s --max-time 0.3 https://10.96.0.1 && echo came || true", "c1") == ""


def test_a_link_that_brings_no_way_back_up_is_no_mend(lab: Running) -> None:
    """c1's link is down, and behind it is no gateway yet: raised, it leads to its own network only (ping witnesses that)."""
    lab.goto("cable/switch-on")
    told = lab.client.ask(Explain(ping("203.0.113.2")))
    assert (told.code, told.place, told.fix) == ("link-down", "c1:veth1", ""), told
    lab.sh("ip -n c1 link set veth1 up")
    assert "unreachable" in lab.sh("ping -n -c1 -W0.5 203.0.113.2 2>&1 || true", "c1")


@pytest.mark.parametrize(
    ("rule", "node", "probe"),
    [
        ("iptables -t nat -A PREROUTING -i br0 -p tcp --dport 80 -j REDIRECT --to-ports 3128", "host", Connect("c1", SITE, 80)),
        ("ip netns exec c1 iptables -t nat -A OUTPUT -p tcp -j REDIRECT --to-ports 15001", "c1", Connect("c1", SITE, 80)),
        ("iptables -t nat -A PREROUTING -i br0 -p udp --dport 53 -j REDIRECT --to-ports 53", "host", Lookup("c1", "example.test")),
    ],
    ids=["a proxy that does not run", "a sidecar that does not run yet", "a name server that does not run"],
)
def test_a_rule_that_takes_a_conversation_in_is_named(lab: Running, rule: str, node: str, probe: Probe) -> None:
    """Nothing listens where a redirect leads to: the rule is told too, and nobody says of the far address that nothing listens there (its page came before)."""
    lab.goto(START, end=True)
    assert lab.sh(f"curl -s --max-time 1 http://{SITE}/ >/dev/null && echo came", "c1") == "came\n"
    lab.sh(rule)
    told = lab.client.ask(Explain(probe))
    assert (told.code, told.place) == ("no-listener", f"{node}:service") and "redirect to" in told.cause, told
    assert "no name server listens on" not in told.seen and not told.fix


@pytest.mark.parametrize(
    ("name", "rule", "look"),
    [
        ("names led to a port of the router", "redirect to :5353", "ss -lun"),
        ("names led to a neighbour", "dnat to 10.0.0.3:53", "ip netns exec c2 nstat -az UdpNoPorts"),
        ("a question led to a neighbour", "dnat to 10.0.0.3:53", "ip netns exec c2 nstat -az UdpNoPorts"),
        ("names led to who has no name server there", f"dnat to {SITE}:53", "ss -lun"),
        ("pages led to a neighbour", "dnat to 10.0.0.3:80", "ip netns exec c2 ss -ltn"),
        ("pages led to a neighbour, and the answer back", "dnat to 10.0.0.3:80", "ip netns exec c2 ss -ltn"),
    ],
)  # fmt: skip
def test_a_rule_that_leads_to_nobody_is_named(lab: Running, name: str, rule: str, look: str) -> None:
    """The rule that sends a conversation to where nothing listens stands in the cause, nobody looks for a socket of the other protocol, and translating
    its source too is no mend: nothing would listen there then.
    """
    told = explained(lab, BROKEN[f"services: {name}"])
    assert rule in told.cause and any(fact.look.endswith(look) for fact in told.facts) and not told.fix, told


def test_ipsec_is_told_in_a_sentence(lab: Running) -> None:
    """What there is of it stands beside the sentence, as the kernel counts it."""
    told = explained(lab, BROKEN["reports: IPsec blocks what is sent"])
    assert told.cause.startswith("c1 has IPsec set up (1 of ip xfrm policy): "), told


@pytest.mark.parametrize("probe", [Lookup("c1", "example.test"), Fetch("c1", "http://example.test/")], ids=["lookup", "page"])
@pytest.mark.parametrize("silent", ["10.0.0.250", "198.51.100.99", "198.51.100.10"], ids=["beside it", "beyond the router", "that a rule keeps from it"])
def test_a_first_name_server_that_keeps_silent_delays_every_lookup(lab: Running, probe: Probe, silent: str) -> None:
    """The name is found by the second, and that each program waits for the first is told, with what ends it; where there is none nothing is told."""
    lab.goto(START, end=True)
    lab.sh("nft insert rule ip lab forward ip daddr 198.51.100.10 udp dport 53 drop")
    lab.sh(f"nsenter -t $(pgrep -o -f '^c1$' || ip netns pids c1 | head -n1) -m sh -c 'printf \"nameserver {silent}\\nnameserver 198.51.100.53\\n\" >/etc/resolv.conf'")
    told = lab.client.ask(Explain(probe))
    assert told.answered and (told.code, told.place) == ("resolver-wrong", "c1:names"), told
    assert f"asks {silent} for names first" in told.cause and "every lookup waits for it" in told.cause, told
    lab.sh(told.fix)
    told = lab.client.ask(Explain(probe))
    assert told.answered and not told.code, told


def test_who_is_told_to_answer_for_another_does_so_at_once(lab: Running) -> None:
    """The mend heals at the first ping: a proxy of neighbour discovery waits up to 0.8 s unless told (proxy_delay), longer than the lab's nodes ask."""
    lab.goto(START, end=True)
    broken = BROKEN["six: nobody answers for who is behind"]
    for line in broken.do.strip().splitlines():
        node, _, command = line.strip().rpartition("| ")
        lab.sh(command, node or "host")
    for node in ("host", "c1"):  # who has no address that is known to be his alone asks for no neighbour (RFC 4862, section 5.4)
        lab.sh('until [ -z "$(ip -6 addr show tentative)" ]; do sleep 0.02; done', node)
    for _ in range(3):
        told = lab.client.ask(Explain(broken.probe))
        assert told.code == "proxy-arp-off" and told.fix, told
        lab.sh(told.fix)
        assert " 1 received" in lab.sh(f"ping -n -c1 -W0.5 {broken.probe.to} || true", "c1")
        lab.sh("ip -6 neigh flush proxy; sysctl -qw net.ipv6.conf.eth0.proxy_ndp=0 net.ipv6.neigh.eth0.proxy_delay=80")
        lab.sh("ip -6 neigh flush all", "internet")


def test_no_neighbours_prefix_is_made_up(lab: Running) -> None:
    """Who is beside c1 has its prefix too (ip shows it): that another one is right is told of who has it, and of nobody else."""
    told = explained(lab, BROKEN["links: too wide for who is elsewhere"])
    assert "10.0.0.1/8" in lab.sh("ip -4 addr show br0")
    assert "the others" not in told.cause and "c2, whose address that is, has it with /24" in told.cause, told
    assert [fact.text for fact in told.facts] == ["veth1 of c1 holds 10.0.0.2/8", "veth3 of c2 holds 10.1.0.3/24"]


@pytest.mark.kernel_may_lack
@pytest.mark.parametrize(("broken", "limited"), [("six: closed, and errors are rationed", True), ("six: closed, and the word about it filtered", False)])
def test_a_closed_port_is_told_by_its_own_familys_counters_and_limit(lab: Running, broken: str, limited: bool) -> None:
    """A datagram of IPv6 raises Udp6NoPorts (nstat shows it), and the limit is IPv6's, which is to blame only where it held a message back."""
    if limited and "Icmp6OutRateLimitHost" not in lab.sh("cat /proc/net/snmp6"):
        pytest.skip("this kernel does not count what its limit holds back")
    told = explained(lab, BROKEN[broken])
    counters = [fact.look.rpartition(" ")[2] for fact in told.facts if "nstat" in fact.look]
    assert counters == ["Udp6NoPorts", "Icmp6OutRateLimitHost"][: 1 + limited], told
    assert all(int(lab.sh(f"nstat -asz {name} | grep {name}", "internet").split()[1]) for name in counters)
    assert "net.ipv6.icmp.ratelimit" in told.cause and "net.ipv4" not in told.cause and ("ICMP errors are limited" in told.cause) == limited


def test_an_address_of_the_other_family_is_not_denied(lab: Running) -> None:
    """Who has an address of IPv4 only is not said to have none (ip shows it)."""
    lab.goto(START, end=True)
    told = lab.client.ask(Explain(ping("fd00:b::1")))
    assert "10.0.0.2/24" in lab.sh("ip -4 addr show veth1", "c1")
    assert told.cause.startswith("veth1 of c1 has no IPv6 address")


@pytest.mark.parametrize(("broken", "switch"), [("bridged frames in the IP firewall", "net.bridge.bridge-nf-call-iptables"),
                                                ("frames of one bridge only in the IP firewall", "nf_call_iptables of br0")])  # fmt: skip
def test_what_sends_frames_to_the_firewall_of_ip_is_named(lab: Running, broken: str, switch: str) -> None:
    """The node's switch and a bridge's own are two, and the one is blamed that is on (sysctl and ip show it)."""
    told = explained(lab, BROKEN[f"firewalls: {broken}"])
    key = "net.bridge.bridge-nf-call-iptables"
    sets = {key: lab.sh(f"sysctl -n {key}"), "nf_call_iptables of br0": lab.sh("ip -d link show br0 | grep -o 'nf_call_iptables [01]' | cut -d' ' -f2")}
    assert [name for name, value in sets.items() if value == "1\n"] == [switch]
    assert f"{switch} is 1 and sends them there" in told.cause and f"{switch} is 1 in the host" in [fact.text for fact in told.facts], told


def test_a_masquerade_without_an_address_to_take_is_told(lab: Running) -> None:
    """The uplink has no address of IPv4 (ip shows it), so the masquerade takes that of another link: both are told."""
    told = explained(lab, BROKEN["reports: a masquerade on an uplink without an address"])
    assert lab.sh("ip -4 -o addr show eth0") == "" and "10.0.0.1/24" in lab.sh("ip -4 -o addr show br0")
    assert "go out as 10.0.0.1, the address of br0" in told.cause and "eth0, by which it leaves, has no address of its own" in told.cause, told


def test_who_takes_no_word_of_its_packets_is_told(lab: Running) -> None:
    """The router's ICMP message comes home (tcpdump hears it on the sender's own interface), and it is not said that it does not."""
    broken = BROKEN["datagrams: too big a datagram, and its sender takes no word of it"]
    lab.goto(START, end=True)
    heard = "rm -f /tmp/begun; timeout 9 tcpdump -nlc1 -i veth1 'icmp[icmptype] = icmp-unreach' 2>/tmp/begun"
    send = "python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setsockopt(0, 10, 2); s.sendto(bytes(900), (\"198.51.100.10\", 5000))'"
    told = explained(lab, broken)
    assert "came home to c1, which did not take it" in told.cause and any("icmp counter drop" in fact.text for fact in told.facts), told
    lab.sh("ip link set eth0 mtu 600")
    assert "need to frag (mtu 600)" in lab.sh(f"({heard} & until grep -qs 'listening on' /tmp/begun; do :; done; {send}; wait)", "c1")


def test_what_was_dropped_of_a_redirect_is_not_the_packet(lab: Running) -> None:
    """A router that sends a packet out where it came in tells its sender so (RFC 792, redirect), and drops that word: the packet itself went on."""
    lab.goto(START, end=True)
    lab.sh("ip route add 198.51.100.0/25 via 10.0.0.3")
    told = lab.client.ask(Explain(ping(SITE)))
    assert told.code == "gateway-wrong" and not [fact.text for fact in told.facts if "NETFILTER_DROP" in fact.text]


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
    ("lines", "name", "found"),
    [
        ("search test", "example", True), ("domain test.", "example", True), ("search none.test test", "example", True), ("search none.test", "example.test", True),
        ("search test\noptions timeout:1 ndots:5", "example.test", True), ("search none.test", "example", False), ("search test\nsearch none.test", "example", False),
        ("search test", "example.", False), ("options ndots:5", "example", False),
    ],
)  # fmt: skip
def test_a_name_is_looked_for_where_the_nodes_own_programs_look(lab: Running, lines: str, name: str, found: bool) -> None:
    """resolv.conf(5)'s search, domain and ndots count: getent(1) finds a short name or does not, and so does Why, which tells every name that was asked for."""
    lab.goto(START, end=True)
    lab.sh(f"printf 'nameserver 198.51.100.53\n{lines}\n' > /etc/resolv.conf", "c1")
    assert (lab.sh(f"getent ahostsv4 {name} || true", "c1") != "") == found
    told = lab.client.ask(Explain(Lookup("c1", name)))
    assert told.answered == found, told
    if not found:
        assert told.code == "no-such-name" and all(f"{name}.{domain}" in told.seen for domain in ("none.test",) if lines.endswith(domain)), told


@pytest.mark.parametrize(
    "probe", [ping("10.0.0.1"), ping(SITE), ping("10.0.0.3"), Connect("c1", SITE, 80), Udp("c1", SITE, 5000), Lookup("c1", "example.test"), Fetch("c1", "http://example.test/")],
    ids=str,
)  # fmt: skip
def test_a_healthy_lab_answers(lab: Running, probe: Probe) -> None:
    """Nothing is wrong, and nothing is said to be."""
    lab.goto(START, end=True)
    told = lab.client.ask(Explain(probe=probe))
    assert told.answered and not told.cause and not told.code and told.journey is not None and told.journey.complete


@pytest.mark.parametrize("settings", ["accept_ra=0", "forwarding=1"])
def test_a_router_whose_word_is_not_taken_is_named(lab: Running, settings: str) -> None:
    """It advertises itself, the link counts that, and there is no default route for IPv6: the settings that keep it away are the cause; with accept_ra 2
    the next advertisement brings the route (ip witnesses that).
    """
    advertise = """python3 -c 'import socket
own = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
own.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
own.sendto(bytes([134, 0, 0, 0, 64, 0, 7, 8]) + bytes(8), ("ff02::1", 0, 0, socket.if_nametoindex("br0")))'"""
    lab.goto(START, end=True)
    lab.sh("ip addr add fe80::a:1/64 dev br0 nodad")
    lab.sh('until [ -z "$(ip -6 addr show tentative)" ]; do sleep 0.02; done', "c1")
    lab.sh(f"sysctl -qw net.ipv6.conf.veth1.{settings}; ip addr add fd00:a::2/64 dev veth1 nodad", "c1")
    lab.sh(advertise)
    assert "Icmp6InRouterAdvertisements" in lab.sh("cat /proc/net/dev_snmp6/veth1", "c1") and not lab.sh("ip -6 route show default", "c1")
    told = lab.client.ask(Explain(ping("fd00:b::1")))
    assert (told.code, told.place) == ("no-default-route", "c1:routing") and "a router advertises itself on veth1" in told.cause, told
    assert f"{settings.replace('=', ' is ')}" in told.cause, told
    lab.sh("sysctl -qw net.ipv6.conf.veth1.accept_ra=2", "c1")
    lab.sh(advertise)
    assert "proto ra" in lab.sh("ip -6 route show default", "c1")
