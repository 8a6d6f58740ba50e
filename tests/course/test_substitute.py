"""The learner's words in actions, expectations, probes, prose and commands."""

from __future__ import annotations

import re

import pytest

from helpers.post import step
from netless_lab.course.bindings import Bindings, apply, apply_text
from netless_lab.course.step import ProbeCheck
from netless_lab.model.probe import Connect, Fetch, Lookup, Ping
from netless_lab.primitives.base import Where
from netless_lab.primitives.run import Run

OWN = Bindings(
    links={"veth1": "left", "veth2": "right", "br0": "sw0"},
    netns={"c1": "4711"},
    addresses={"10.0.0.1": "192.168.7.254"},
    nets={"10.0.0.0/24": "192.168.7.0/24"},
)
HERE = Where("host", {"c1": "4711"}, {"c1": 4711})


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("`ip link set veth1 netns c1`", "`ip link set left netns 4711`"),
        ("ip -n c1 addr add 10.0.0.2/24 dev veth1", "ip -n 4711 addr add 192.168.7.2/24 dev left"),
        ("`ip netns exec c1 ping -c1 10.0.0.1`", "`ip netns exec 4711 ping -c1 192.168.7.254`"),
        ("veth1@veth2, (br0): veth1.", "left@right, (sw0): left."),
        ("veth11 and myveth1 and veth1-old stay", "veth11 and myveth1 and veth1-old stay"),
        ("from 10.0.0.1 to 10.0.0.254, in 10.0.0.0/24.", "from 192.168.7.254 to 192.168.7.1, in 192.168.7.0/24."),
        ("110.0.0.2, 10.0.0.22 and 10.0.1.2", "110.0.0.2, 192.168.7.22 and 10.0.1.2"),
        ("c1 is a container", "c1 is a container"),
        ("/run/netns/c1, /etc/netns/c1/resolv.conf", "/run/netns/4711, /etc/netns/4711/resolv.conf"),
        ("/proc/sys/net/ipv4/conf/br0/forwarding", "/proc/sys/net/ipv4/conf/sw0/forwarding"),
        ("203.0.113.2 and example.test", "203.0.113.2 and example.test"),
        ("把veth1移到c1里，veth1的地址是10.0.0.2。", "把left移到c1里，left的地址是192.168.7.2。"),
        ("veth1で、br0へ", "leftで、sw0へ"),
    ],
)
def test_prose_and_commands(text: str, wanted: str) -> None:
    """Whole words only; a namespace's name changes where a command or path asks for it, the node keeps its own."""
    assert apply_text(text, OWN) == wanted


@pytest.mark.parametrize(
    ("path", "names", "wanted"),
    [
        ("netless/name", {"c1": "4711"}, "`ip -n 4711 ...` and `ip netns exec 4711 ...`"),
        ("netless/tidy", {"c1": "4711"}, "after `ip netns del 4711` instead"),
        ("netless/tidy", {"decoy": "bait"}, "`/run/netns/bait` is gone"),
        ("cable/plug", {"c1": "4711"}, "`link-netns 4711` tells which one"),
        ("neighbour/second-cable", {"c2": "right"}, "`link-netns right`"),
    ],
)
def test_the_pages_call_a_namespace_as_the_learner_does(path: str, names: dict[str, str], wanted: str) -> None:
    """Where a page means the name and not the container, it says it as a command or a path does, so that it can follow."""
    own = step(path)
    told = "\n".join(apply_text(text, Bindings(netns=names)) for text in (own.prose, *own.hints, own.success))
    assert wanted in told
    assert not re.search(r"(name|called|knows) `?(c1|c2|decoy)\b", told)


def test_a_name_of_other_letters_is_a_whole_word_among_them() -> None:
    """In a script that sets blanks between words a name is no part of one, whatever letters it has."""
    own = Bindings(links={"кабель": "left", "a": "w"}, netns={"кот": "cat"})
    text = "кабель, кабельный, мкабель; Faça a à; ip -n кот, ip -n котик"
    assert apply_text(text, own) == "left, кабельный, мкабель; Faça w à; ip -n cat, ip -n котик"


def test_two_words_may_change_places() -> None:
    """veth1 and veth2 swapped: every word is replaced once."""
    turned = Bindings(links={"veth1": "veth2", "veth2": "veth1"})
    assert apply_text("veth1 and veth2", turned) == "veth2 and veth1"


SIX = Bindings(links={"veth1": "left"}, addresses={"fd00:10::1": "fd00:77::fe"}, nets={"fd00:10::/64": "fd00:77::/64"})


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("ip -n c1 addr add fd00:10::2/64 dev veth1", "ip -n c1 addr add fd00:77::2/64 dev left"),
        ("via fd00:10::1.", "via fd00:77::fe."),
        ("http://[fd00:10::2]:80/", "http://[fd00:77::2]:80/"),
        ("the network fd00:10::/64, and ::1", "the network fd00:77::/64, and ::1"),
        ("fd00:10::2: done", "fd00:77::2: done"),
        ("lladdr 02:00:00:00:00:10 at 12:34:56", "lladdr 02:00:00:00:00:10 at 12:34:56"),
        ("afd00:10::2x and std::vector", "afd00:10::2x and std::vector"),
        ("地址是fd00:10::2的", "地址是fd00:77::2的"),
    ],
)
def test_ipv6_addresses_in_prose(text: str, wanted: str) -> None:
    """As with IPv4; a MAC or a time of day is no address."""
    assert apply_text(text, SIX) == wanted


def test_ipv6_probes() -> None:
    """Addresses with and without brackets, and the link of a link-local one."""
    assert apply(Ping("c1", "fe80::1%veth1"), SIX).to == "fe80::1%left"
    assert apply(Connect("c1", "fd00:10::2", 80), SIX).to == "fd00:77::2"
    assert apply(Fetch("c1", "http://[fd00:10::1]/"), SIX).url == "http://[fd00:77::fe]/"


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("cable/pair", ("ip link add name left type veth peer name right",)),
        ("cable/plug", ("ip link set left netns 4711",)),
        ("cable/address", ("ip -n 4711 addr add 192.168.7.2/24 dev left",)),
        ("switch/port", ("ip link set right master sw0",)),
        ("switch/gateway", ("ip addr add 192.168.7.254/24 dev sw0",)),
        ("internet/default-route", ("ip -n 4711 route add default via 192.168.7.254",)),
    ],
)
def test_commands_of_steps(path: str, wanted: tuple[str, ...]) -> None:
    """The tutor's own solution in the learner's words, as it is shown and typed."""
    assert tuple(line for action in step(path).do for line in apply(action, OWN).commands("ip", HERE)) == wanted


def test_rules_speak_of_the_learners_network() -> None:
    """Masquerade and the doors of the firewall carry the subnet and the bridge."""
    lines = "\n".join(
        line for path in ("internet/masquerade", "internet/door-out") for a in step(path).do for line in apply(a, OWN).commands("ip", HERE)
    )
    assert "192.168.7.0/24" in lines and "sw0" in lines and "10.0.0." not in lines and "br0" not in lines
    established = step("internet/door-back").do[0]
    assert apply(established, OWN) == established


def test_probes_and_their_controls() -> None:
    """Targets, controls, servers, URLs, wanted answers and reasons follow; nodes do not."""
    check = ProbeCheck(Ping("c1", "10.0.0.3", 5, 100), "guard", "veth1 has no way to 10.0.0.3", control=Ping("c1", "10.0.0.1"))
    bound = apply(check, OWN)
    assert bound.probe == Ping("c1", "192.168.7.3", 5, 100) and bound.control == Ping("c1", "192.168.7.254")
    assert bound.because == "left has no way to 192.168.7.3"
    assert apply(Connect("c1", "10.0.0.1", 80), OWN) == Connect("c1", "192.168.7.254", 80)
    assert apply(Lookup("c1", "example.test", "10.0.0.1"), OWN) == Lookup("c1", "example.test", "192.168.7.254")
    assert apply(Fetch("c1", "http://10.0.0.1:80/x"), OWN) == Fetch("c1", "http://192.168.7.254:80/x")
    seen = apply(ProbeCheck(Fetch("c1", "http://x.test/"), seen_as="10.0.0.2", answer="10.0.0.1"), OWN)
    assert (seen.seen_as, seen.answer) == ("192.168.7.2", "192.168.7.254")


def test_a_command_line_is_prose_too() -> None:
    """The escape hatch: words inside a ``run`` line."""
    assert apply(Run(line="ping -n -c1 10.0.0.3", node="c1"), OWN) == Run(line="ping -n -c1 192.168.7.3", node="c1")


def test_other_prefixes() -> None:
    """A /16 instead of a /24: the prefix follows the network, host numbers stay."""
    wide = Bindings(nets={"10.0.0.0/24": "172.20.0.0/16"})
    assert (wide.cidr("10.0.0.2/24"), wide.net("10.0.0.0/24"), wide.address("10.0.0.9")) == ("172.20.0.2/16", "172.20.0.0/16", "172.20.0.9")
    assert wide.cidr("10.0.0.2/32") == "172.20.0.2/32"


def test_only_what_differs_is_told() -> None:
    """The words shown to a person leave out names that are the lesson's own."""
    assert Bindings(links={"veth1": "veth1", "veth2": "b"}).words() == {"veth2": "b"}
    assert apply_text("veth1 10.0.0.2", Bindings()) == "veth1 10.0.0.2"
