"""What a session writes down is what was done, and the script of it makes another lab like this one."""

from __future__ import annotations

from shlex import quote

import pytest

from helpers.running import Running, running
from helpers.waiting import eventually
from netless_lab.protocol import Break, GetHistory, Mend

pytestmark = pytest.mark.kernel


def entries(lab: Running) -> int:
    """How many things were done."""
    return len(lab.client.ask(GetHistory()).entries)


def typed(lab: Running, command: str) -> None:
    """A command of the learner's, and that all it did was seen: what is snapped is written down."""
    before = entries(lab)
    lab.sh(command)
    lab.snapshot()
    assert entries(lab) > before, command


def started(lab: Running, inside: str) -> None:
    """A container of the learner's, whose shell does this first: its network is made when it has its name, and is never seen without."""
    before = {node.pid for node in lab.status().nodes}
    lab.sh(f"setsid unshare --mount --uts --ipc sh -c {quote(f'{inside}; exec unshare --net sleep infinity')} >/dev/null 2>&1 &")
    assert eventually(lambda: {node.pid for node in lab.snapshot().nodes} - before), inside


def replayed(lab: Running, *asked: str) -> tuple[list[str], list[str]]:
    """What these commands say here, and in a fresh lab in which the script of this one was run."""
    script = lab.client.ask(GetHistory()).script
    here = [lab.sh(command) for command in asked]
    with running() as other:
        other.sh(script)
        assert eventually(lambda: [other.sh(command) for command in asked] == here), (here, [other.sh(command) for command in asked], script)
        return here, [other.sh(command) for command in asked]


def test_the_script_holds_what_a_rebuild_made(lab: Running) -> None:
    """After goto the script makes the network that goto made, then what was done in it, and nothing of what came before."""
    lab.goto("cable/pair")
    typed(lab, "ip link add old type bridge")
    lab.goto("switch", end=True)
    typed(lab, "ip link add a1 type veth peer name a2")
    here, there = replayed(lab, "ip -br link | cut -d@ -f1 | awk '{print $1}' | sort", "ip -4 -br addr show br0", "ip -n c1 route")
    assert here == there and "a1" in here[0] and "br0" in here[0] and "old" not in here[0]


def test_a_name_given_by_a_process_is_given_in_the_next_lab(lab: Running) -> None:
    """The process of a container has another number in each lab: the script looks for it, also for a container that it starts."""
    lab.reset("lab")
    started(lab, "hostname c9")
    pid = next(node.pid for node in lab.status().nodes if node.name == "c9")
    typed(lab, f"ip netns attach nine {pid}")
    typed(lab, "ip link add v9 type veth peer name w9 netns nine")
    here, there = replayed(lab, "ip netns exec nine cat /sys/class/net/w9/address", "ls /run/netns")
    assert here == there
    assert str(pid) not in lab.client.ask(GetHistory()).script


def test_the_script_runs_no_host_name(lab: Running) -> None:
    """The kernel takes any line for a host name, and hostname(1) few: the script tells that one of it, and a shell reads nothing into it."""
    lab.reset("lab")
    name = "c9;>$(echo /tmp/owned);'>/tmp/owned;'"
    started(lab, f"python3 -c {quote(f'import socket; socket.sethostname({name!r})')}")
    assert name in [node.name for node in lab.status().nodes]
    with running() as other:
        other.sh(lab.client.ask(GetHistory()).script)
        assert eventually(lambda: "sleep" in other.sh("ps -eo comm"))
        assert "owned" not in other.sh("ls /tmp")


@pytest.mark.parametrize(
    ("command", "gone", "look"),
    [
        ("ip -n c1 route del default", "default", "ip -n c1 route"),
        ("nft delete table ip lab", "masquerade", "nft list ruleset"),
        ("ip -n c1 addr del 10.0.0.2/24 dev veth1", "10.0.0.2/24", "ip -n c1 addr"),
        ("ip link del br0", "br0", "ip link"),
        ("sysctl -qw net.ipv4.ip_forward=0", "= 1", "sysctl net.ipv4.ip_forward"),
        ("ip netns del c1", "c1", "ls /run/netns"),
    ],
    ids=["route", "firewall", "address", "bridge", "forwarding", "name"],
)
def test_back_undoes_one_change(lab: Running, command: str, gone: str, look: str) -> None:
    """What was taken away comes back as it was, and what the learner had made before it stays: nothing was rebuilt."""
    lab.goto("internet", end=True)
    typed(lab, "ip link add mine type bridge")
    assert gone in lab.sh(look)
    typed(lab, command)
    assert gone not in lab.sh(look)
    answer = lab.back()
    assert gone in lab.sh(look) and "mine" in lab.links(), answer
    assert eventually(lambda: lab.pings("198.51.100.10", "c1") if gone != "c1" else True)


def test_a_fault_is_in_the_script_when_nobody_seeks_it_any_more(lab: Running) -> None:
    """What broke the lab is kept from who seeks it; afterwards the script has it, so that the repair in it can be done."""
    lab.goto("internet", end=True)

    def said() -> list[str]:
        script: str = lab.client.ask(GetHistory()).script
        return [line[-1] for line in script.splitlines() if line.startswith("sysctl -qw net.ipv4.ip_forward=")]

    lab.client.ask(Break(fault="forwarding-off", drill=True))
    assert said() == []
    typed(lab, "sysctl -w net.ipv4.ip_forward=1")
    assert eventually(lambda: said() == ["0", "1"]), said()
    lab.client.ask(Mend())


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("iptables-legacy -A INPUT -j DROP", "# (no command here does that)"),
        ("sysctl -qw net.ipv4.ip_local_port_range='9000 9100'", "#   there: net.ipv4.ip_local_port_range = 9000?9100"),
        ("ip xfrm policy add src 10.0.0.0/24 dst 10.0.0.0/24 dir out action block", "#   there: 1 of ip xfrm policy in the host"),
        ("ip route flush table local", " of ip route in the host"),
        ("nft 'add table ip t; add quota ip t q { over 10 mbytes; }'", "#   there: the quota q of the table ip t in the host"),
        ("nft 'add table ip t; add ct helper ip t ftp { type \"ftp\" protocol tcp; }'", "#   there: the ct helper ftp of the table ip t in the host"),
        ("nft 'add table ip t; add counter ip t k'", "#   there: the counter k of the table ip t in the host"),
        (
            "nft 'add table ip t; add limit ip t few { rate 5/second; }; add map ip t m { type ipv4_addr : limit; elements = { 10.0.0.2 : \"few\" }; }'",
            "# (no command here does that)",
        ),
        ("nft 'add table ip t; add synproxy ip t s { mss 1460 wscale 7; }; add chain ip t c; add rule ip t c synproxy name \"s\"'", "# (no command here does that)"),
        ("sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0; ip -6 route add fd01::/64 dev eth0 expires 600", "#   there: the time limit of the route fd01::/64 in the host"),
    ],
    ids=[
        "a rule of the old iptables", "a setting", "a policy of IPsec", "routes of the kernel's own", "a quota with a name", "a helper of connections",
        "a counter that nobody asks", "what a map of limits leads to", "a rule that asks a synproxy", "a route with an end",
    ],
)
def test_a_script_says_what_it_does_not_make(lab: Running, command: str, told: str) -> None:
    """What no picture shows, or no command is known for, stands in it as a comment that says so; who runs it is told; else nothing is said of that."""
    lab.reset("lab")
    typed(lab, "ip rule del pref 32767")
    assert "not made all" not in lab.client.ask(GetHistory()).script
    lab.reset("lab")
    lab.sh(command)
    assert eventually(lambda: told in lab.client.ask(GetHistory()).script), lab.client.ask(GetHistory()).script
    script = lab.client.ask(GetHistory()).script
    lab.reset("lab")
    assert "This script has not made all of it" in lab.sh(f"exec 2>&1\n{script}")
