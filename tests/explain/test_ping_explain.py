"""``netless ping FROM TO --explain`` from end to end: what a person reads, what a script reads, and the exit codes."""

from __future__ import annotations

import json
import subprocess

import pytest

from helpers import checkout
from helpers.broken import SITE, START
from helpers.running import Running
from helpers.waiting import eventually
from netless_lab.model.probe import Ping
from netless_lab.protocol import Explain

pytestmark = pytest.mark.kernel


def netless(lab: Running, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line, speaking to this lab."""
    return checkout.netless(*words, lab=lab.name)


def test_an_answer_is_one_line_and_exit_code_0(lab: Running) -> None:
    """Nothing to explain."""
    lab.goto(START, end=True)
    done = netless(lab, "ping", "c1", SITE, "--explain")
    assert done.returncode == 0 and done.stdout.startswith(f"✓ {SITE} answered in") and len(done.stdout.splitlines()) == 1


@pytest.mark.rootless
def test_a_death_is_told_in_two_sentences_with_facts(lab: Running) -> None:
    """What was seen, the cause, the facts with the commands that show them, the mending command, the lesson; exit code 1."""
    lab.goto(START, end=True)
    lab.sh("sysctl -qw net.ipv4.ip_forward=0")
    done = netless(lab, "ping", "c1", SITE, "--explain")
    assert done.returncode == 1
    told = done.stdout.splitlines()
    assert told[0] == "✗ The packet came into the host by br0 and left by no interface."
    cause = next(line for line in told if line.startswith("● "))
    assert cause.startswith("● The host received a packet that is for 198.51.100.10") and "net.ipv4.ip_forward is 0" in cause
    assert "$ sysctl net.ipv4.ip_forward" in done.stdout and "container/internet/forwarding" in done.stdout
    fix = next(line for line in told if "mend it:" in line).partition("mend it: ")[2]
    lab.sh(fix)
    assert netless(lab, "ping", "c1", SITE, "--explain").returncode == 0, "the command that was offered mends it"


@pytest.mark.parametrize(
    ("address", "lo", "told"),
    [("10.0.0.9", "up", "; the sender is told: host unreachable."), ("fd00::9", "up", "; the sender is told: address unreachable."),
     ("10.0.0.9", "down", ".")],
    ids=["IPv4", "IPv6", "lo down"],
)
def test_what_the_sender_hears_is_not_called_silence(lab: Running, address: str, lo: str, told: str) -> None:
    """Both ports are down, so not even the question for a neighbour leaves; the kernel tells the sender by lo, and with lo down it does not (ping)."""
    lab.goto(START, end=True)
    lab.sh(f"ip addr add fd00::1/64 dev br0 nodad; ip link set veth2 down; ip link set veth4 down; ip link set lo {lo}")
    heard = lab.sh(f"ping -n -c1 -W2 {address} 2>&1 || true")
    assert ("nreachable" in heard) is (lo == "up"), heard
    said = netless(lab, "ping", "host", address, "--explain").stdout.splitlines()[0]
    assert said == f"✗ Nothing left the host, not even the question who has the next hop{told}"


def test_a_question_under_way_is_not_taken_for_silence(lab: Running) -> None:
    """Another packet for the same neighbour was sent just before, and the kernel still asks for both at once: Why says the same as ever."""
    lab.goto(START, end=True)
    lab.sh("sysctl -qw net.ipv4.neigh.veth1.retrans_time_ms=300 && ping -c1 -W0.01 10.0.0.99; ip neigh show 10.0.0.99 | grep INCOMPLETE", "c1")
    told = lab.client.ask(Explain(probe=Ping("c1", "10.0.0.99")))
    assert (told.code, told.place) == ("neighbour-unanswered", "c1:neighbour"), told.seen
    assert told.journey is not None and "who has 10.0.0.99? tell 10.0.0.2" in [hop.text for hop in told.journey.hops]


def test_a_script_reads_one_document(lab: Running) -> None:
    """--json: the explanation with its journey, whose last hop is where the packet was last seen."""
    lab.goto(START, end=True)
    lab.sh("nft insert rule ip lab forward ip protocol icmp drop")
    done = netless(lab, "ping", "c1", SITE, "--explain", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 1 and (told["code"], told["place"], told["certainty"]) == ("forward-rule", "host:fw", "certain")
    last = told["journey"]["hops"][-1]
    assert (last["kind"], last["node"], last["link"], last["direction"]) == ("echo-request", "host", "br0", "in")
    counted = lab.told("nft -j list chain ip lab forward")
    assert counted and told["fix"].startswith("nft delete rule ip lab forward handle ")


@pytest.mark.parametrize(
    "words", [("c1", "10.0.0.1"), ("c1", SITE), ("host", "10.0.0.2"), ("c1", "c2")], ids=lambda words: " to ".join(words)
)  # fmt: skip
def test_what_is_offered_as_the_repair_repairs(lab: Running, words: tuple[str, str]) -> None:
    """A port was unplugged: the offered command brings the ping back.

    A bridge borrows the MAC of a port, so c1 could have the very MAC for its gateway of the port that is unplugged, and the host would then
    route what that port still takes in: another fault. Here the bridge has one of its own, and c1 knows it.
    """
    lab.goto(START, end=True)
    lab.sh("ip link set br0 address 02:00:00:00:00:01; ip -n c1 neigh flush all")
    assert lab.pings("10.0.0.1")
    lab.sh("ip link set veth2 nomaster")
    told = json.loads(netless(lab, "ping", *words, "--explain", "--json").stdout)
    assert told["code"] == "port-unplugged" and told["fix"] == "ip link set veth2 master br0"
    lab.sh(told["fix"])
    assert eventually(lambda: "state forwarding" in lab.sh("bridge link show dev veth2"))
    assert lab.pings(SITE)


def test_a_node_that_is_not_there_is_refused(lab: Running) -> None:
    """With the names that there are."""
    done = netless(lab, "ping", "c9", SITE, "--explain")
    assert done.returncode == 2 and "c9" in done.stderr and "c1" in done.stderr
