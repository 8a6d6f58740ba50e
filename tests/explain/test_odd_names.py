"""Tables, chains, links and namespaces may be called anything, and so may whom a resolv.conf names: no command of Why does anything else."""

from __future__ import annotations

import json
from shlex import quote

import pytest

from helpers.broken import SITE, START, ping
from helpers.running import Running
from netless_lab.model.journey import Explanation
from netless_lab.model.probe import Lookup
from netless_lab.protocol import Explain

pytestmark = pytest.mark.kernel
OWNED = "add table inet owned"
IN_A_WORD = f"$({OWNED.replace('add', 'nft add').replace(' ', '${IFS}')})"
NAMES = {
    "a table": ("t;nft " + OWNED + ";", "c"),
    "a chain": ("t", "c;nft " + OWNED + ";"),
    "a chain that nft itself takes apart": ("t", "c; " + OWNED),
    "plain ones": ("t", "c"),
}


@pytest.fixture(autouse=True)
def _in_the_lessons_names(lab: Running) -> None:
    """All is called as in the lessons: what somebody renames keeps that name also when it is rebuilt."""
    lab.reset("lab")


@pytest.mark.parametrize("what", NAMES)
def test_what_is_typed_of_an_explanation_makes_nothing(lab: Running, what: str) -> None:
    """A rule under an odd name drops the packet: the cause is named, and its commands, typed, make no table of their own."""
    table, chain = NAMES[what]
    lab.goto(START, end=True)
    at = {"family": "inet", "table": table}
    hook = {"type": "filter", "hook": "forward", "prio": 0, "policy": "accept"}
    said = [{"add": {"table": {"family": "inet", "name": table}}}, {"add": {"chain": {**at, "name": chain, **hook}}},
            {"add": {"rule": {**at, "chain": chain, "expr": [{"counter": None}, {"drop": None}]}}}]  # fmt: skip
    lab.sh(f"echo {quote(json.dumps({'nftables': said}))} | nft -j -f -")
    told = lab.client.ask(Explain(probe=ping(SITE)))
    assert told.code == "forward-rule", told
    typed(lab, told)
    assert (told.fix != "") == (what == "plain ones"), told


def test_a_namespace_is_compared_whatever_it_is_called(lab: Running) -> None:
    """The cable went into a namespace of an odd name, and c1 has none: the command shows the inodes of both, and makes no table (stat witnesses)."""
    lab.goto("container/netless")
    name = f"x;nft {OWNED};"
    lab.sh(f"ip netns add {quote(name)}; ip link add v1 type veth peer name v2; ip link set v1 netns {quote(name)}")
    told = lab.client.ask(Explain(probe=ping("10.0.0.1")))
    assert told.code == "decoy-namespace", told
    look = next(fact.look for fact in told.facts if "inode" in fact.text)
    typed(lab, told)
    inode = lab.sh(f"stat -Lc %i {quote(f'/run/netns/{name}')}").strip()
    own = next(node for node in lab.snapshot().nodes if node.name == "c1")
    assert {line.split()[0] for line in lab.sh(look).splitlines()} == {inode, str(own.netns)}


def test_a_name_server_may_be_anything(lab: Running) -> None:
    """An IPv6 address with the name of a link behind it, which is none: what is typed of the explanation makes nothing."""
    lab.goto(START, end=True)
    lab.sh("ip address add fd00::2/64 dev veth1 nodad", "c1")
    lab.sh(f"echo {quote(f'nameserver fe80::53%{IN_A_WORD}')} > /etc/resolv.conf", "c1")
    typed(lab, lab.client.ask(Explain(probe=Lookup("c1", "example.test"))))


def test_a_name_that_nobody_knows_may_be_anything(lab: Running) -> None:
    """The command asks for that name again, and for no more."""
    lab.goto(START, end=True)
    told = lab.client.ask(Explain(probe=Lookup("c1", f"a{IN_A_WORD}")))
    assert told.code == "no-such-name" and any(fact.look for fact in told.facts), told
    typed(lab, told)


@pytest.mark.parametrize("name", ["a", "up"])
def test_a_link_may_be_called_like_a_word_of_ip(lab: Running, name: str) -> None:
    """The port of c1's cable is down: what is told shows it and mends it (ping witnesses)."""
    lab.goto(START, end=True)
    lab.sh(f"ip link set veth2 down name {name}")
    told = lab.client.ask(Explain(probe=ping("10.0.0.1")))
    assert (told.code, told.place) == ("port-down", f"host:{name}"), told
    shown = lab.sh(told.facts[0].look)
    assert len(shown.splitlines()) == 2 and f" {name}@" in shown
    lab.sh(told.fix)
    assert lab.pings("10.0.0.1")


@pytest.mark.parametrize(
    ("node", "link", "name", "knob", "to"), [("c2", "veth3", "ve.3", "arp_ignore", "10.0.0.3"), ("host", "br0", "br.0", "forwarding", SITE)],
    ids=["in the way of a question", "in the way of everything"],
)  # fmt: skip
def test_a_setting_is_named_of_a_link_with_a_dot(lab: Running, node: str, link: str, name: str, knob: str, to: str) -> None:
    """sysctl(8) takes the key that is told: it shows what was set, and the mend sets it right (the file below /proc witnesses)."""
    off, on = ("8", "0") if knob == "arp_ignore" else ("0", "1")
    lab.goto(START, end=True)
    back = "; ip route add default via 10.0.0.1" if node == "c2" else ""
    lab.sh(f"ip link set {link} down name {name}; ip link set {name} up{back}; sysctl -qw net/ipv4/conf/{name}/{knob}={off}", node)
    lab.sh("ip neigh flush all")
    lab.sh("ip neigh flush all", "c1")
    told = lab.client.ask(Explain(probe=ping(to)))
    assert told.code in ("arp-ignored", "forwarding-off-device") and f"net/ipv4/conf/{name}/{knob}" in told.cause, told
    assert f"{knob} = {off}" in "".join(lab.sh(fact.look) for fact in told.facts if "sysctl" in fact.look)
    lab.sh(told.fix)
    assert lab.sh(f"cat /proc/sys/net/ipv4/conf/{name}/{knob}", node).strip() == on


def typed(lab: Running, told: Explanation) -> None:
    """Every command of an explanation is typed, and none makes a table."""
    commands = [line for line in (*(fact.look for fact in told.facts), told.fix) if line]
    for line in commands:
        lab.sh(line, check=False)
    tables = [entry["table"]["name"] for entry in json.loads(lab.sh("nft -j list tables"))["nftables"] if "table" in entry]
    assert "owned" not in tables, commands
