"""``netless why FROM TO[:PORT]`` from end to end: what can be asked, what is read, what a script reads, and the exit codes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from helpers import checkout
from helpers.broken import SITE, START
from helpers.running import Running, running
from helpers.waiting import eventually
from netless_lab.client import Refused
from netless_lab.model.probe import Udp
from netless_lab.protocol import Explain

pytestmark = pytest.mark.kernel

SERVER = "198.51.100.53"


@pytest.fixture(scope="module")
def lab() -> Iterator[Running]:
    """A lab of this file's own."""
    with running() as lab:
        lab.goto(START, end=True)
        yield lab


@pytest.fixture
def whole(lab: Running) -> Running:
    """The same, built anew."""
    lab.goto(START, end=True)
    return lab


def why(lab: Running, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line, speaking to this lab."""
    return checkout.netless("why", *words, lab=lab.name)


@pytest.mark.parametrize(
    "words",
    [
        f"c1 {SITE}", f"c1 {SITE}:80", f"c1 {SERVER}:53 --udp", f"c1 {SITE}:5000 --udp", "c1 c2", "c1 c2:5000 --udp --size 1400 --df", "host 127.0.0.1:9 --udp",
        f"c1 {SITE} --size 1400 --df", f"c1 {SITE} --size 4000", f"c1 {SITE}:5000 --udp --size 4000", "c1 example.test", "c1 example.test --name",
        "c1 example.test:80 --name", "c1 example.test:5000 --udp", "c1 http://example.test/", "c1 [::1]:9 --udp", "c1 [::1]",
    ],
)  # fmt: skip
def test_everything_that_can_be_asked_is_answered(lab: Running, words: str) -> None:
    """A ping, a connection, a datagram (also one to a closed port: its target was reached), names, a page; IPv6 too; exit code 0, nothing to explain."""
    done = why(lab, *words.split())
    told = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(line.startswith(("  conntrack in ", "  an older flow in ")) for line in told[1:]), told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("c9 c1", "no node c9"), ("c1 c9", "c9 is neither an address nor a node"), ("c1 10.0.0.300", "10.0.0.300 is not an address"),
        ("c1 10.0.0.300:80", "10.0.0.300 is not an address"), ("c1 c2:0", "0 is not a port"), ("c1 c2:99999", "99999 is not a port"),
        ("c1 c2:http", "http is not a port"), ("c1 c2:", "nothing is not a port"), ("c1 [fd00::1", "brackets"), ("c1 [fd00::1]:x", "x is not a port"),
        ("c1 c2 --udp", "--udp needs a port"), ("c1 fd00::1 --udp", "[fd00::1]:53"), ("c1 c2 --size 65508", "0 to 65507"), ("c1 c2 --size -1", "--size"),
        ("c1 c2:80 --size 9", "TCP sizes its packets itself"), ("c1 c2:80 --df", "TCP"), ("c1 10.0.0.3 --name", "leave --name out"),
        ("c1 https://example.test/", "only http"), ("c1 http://example.test/ --udp", "a page is fetched by TCP"), ("c1 http://[::1/", "cannot be fetched"),
        ("c1", "TO[:PORT]"), ("c1 :80", "TO is missing before :80"), ("c1 fe80::1", "fe80::1%veth1"), ("c1 fe80::1%veth9", "c1 has no interface veth9"),
        ("c1 [ff02::1]:5000 --udp", "multicast"), ("c1 224.0.0.1", "multicast"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(lab: Running, words: str, said: str) -> None:
    """Exit code 2, and the sentence says what is wrong; no result."""
    done = why(lab, *words.split())
    assert done.returncode == 2 and said in done.stderr and not done.stdout, done.stderr


def test_a_name_that_is_a_nodes_is_looked_up_when_asked_to(lab: Running) -> None:
    """Without --name c2 is the node; with it, the name server is asked, who knows no such name."""
    done = why(lab, "c1", "c2", "--name")
    assert done.returncode == 1 and "knows no name c2" in done.stdout


def test_a_datagram_to_everybody_is_told_to_be_one(lab: Running) -> None:
    """The broadcast address of a subnet is nobody's: neither a rule nor a route is blamed."""
    done = why(lab, "c1", "10.0.0.255:5000", "--udp")
    assert done.returncode == 1 and done.stdout.count("is the broadcast address") == 2 and "prohibit" not in done.stdout


def test_what_cannot_be_sent_is_no_answer_about_the_network(lab: Running) -> None:
    """A probe that cannot even begin is refused with exit code 3, in the words of what went wrong."""
    with pytest.raises(Refused, match="70000") as refused:
        lab.client.ask(Explain(Udp("c1", SITE, 5000, size=70_000)))
    assert refused.value.code == 3


def test_a_dropped_port_is_named_and_its_neighbour_is_not(whole: Running) -> None:
    """The rule for TCP 80 stops the connection, and says nothing of the datagram; the mend it offers heals."""
    whole.sh("nft insert rule ip lab forward tcp dport 80 drop")
    done = why(whole, "c1", f"{SITE}:80")
    assert done.returncode == 1 and "tcp dport 80 drop" in done.stdout
    assert why(whole, "c1", f"{SITE}:80", "--udp").returncode == 0
    whole.sh(next(line.partition("mend it: ")[2] for line in done.stdout.splitlines() if "mend it:" in line))
    assert why(whole, "c1", f"{SITE}:80").returncode == 0


@pytest.mark.parametrize("again_s", [0, 0.15], ids=["once", "twice"])
def test_a_slow_name_server_hides_nothing(whole: Running, again_s: float) -> None:
    """The name is found 40 ms after it was asked for (a name server of our own that waits, and may say the same once more, long after), and what
    stops the connection behind it is still named.
    """
    slow = (
        "import socket, threading, time; own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); own.bind(('10.0.0.3', 53))\n"
        "while True:\n    asked, who = own.recvfrom(512); time.sleep(0.04)\n"
        "    said = asked[:2] + bytes((132, 0, 0, 1, 0, 1, 0, 0, 0, 0)) + asked[12:] + bytes((192, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 198, 51, 100, 10))\n"
        f"    own.sendto(said, who); {again_s} and threading.Timer({again_s}, own.sendto, (said, who)).start()"
    )
    whole.sh(f'python3 -c "{slow}" >/dev/null 2>&1 & echo $! >/run/slow.pid', "c2")
    try:
        assert eventually(lambda: "10.0.0.3:53" in whole.sh("ss -Hlun", "c2"))
        whole.sh("nsenter -t $(pgrep -o -f '^c1$' || ip netns pids c1 | head -n1) -m sh -c 'echo nameserver 10.0.0.3 > /etc/resolv.conf'")
        whole.sh("nft insert rule ip lab forward tcp dport 80 drop")
        done = why(whole, "c1", "slow.test:80")
        assert done.returncode == 1 and "tcp dport 80 drop" in done.stdout and "with tracing on" in done.stdout, done.stdout
    finally:
        whole.sh("kill $(cat /run/slow.pid); until ! ss -Hlun | grep -q 10.0.0.3:53; do sleep 0.02; done", "c2")


def test_the_size_decides(whole: Running) -> None:
    """A narrow link on the way: small packets pass, a big one does not, and the narrow link is named; cut into pieces it comes through."""
    whole.sh("ip link set eth0 mtu 1000")
    whole.sh("ip link set eth0 mtu 1000", "internet")
    assert why(whole, "c1", SITE, "--size", "900", "--df").returncode == 0
    big = why(whole, "c1", SITE, "--size", "1200", "--df")
    assert big.returncode == 1 and "eth0 of the host carries at most 1000 bytes" in big.stdout
    assert why(whole, "c1", SITE, "--size", "1200").returncode == 0


def test_a_rejecting_firewall_is_not_taken_for_a_closed_port(whole: Running) -> None:
    """The target's own firewall says "port unreachable" as a closed port would: it is named all the same, and no answer is claimed."""
    whole.sh("nft 'add table ip zz; add chain ip zz i { type filter hook input priority 0; }'; nft add rule ip zz i udp dport 5000 reject", "c2")
    done = why(whole, "c1", "c2:5000", "--udp")
    assert done.returncode == 1 and "udp dport 5000 reject" in done.stdout and "c2's firewall" in done.stdout, done.stdout
    assert why(whole, "c1", "c2:5001", "--udp").returncode == 0


def test_a_flow_from_before_a_rule_is_named(whole: Running) -> None:
    """A ping that began before the masquerade rule goes on untranslated (conntrack -L); a new one is answered, and the old one's entry is named.

    What is offered as the mend takes just that entry away, and the ping that runs is answered; then it is told to be treated like the new one.
    """
    whole.sh("nft flush chain ip lab postrouting")
    whole.sh(f"ping -q -n -i 0.2 -c 300 {SITE} >/dev/null 2>&1 & echo $! >/run/old.pid", "c1")
    try:
        assert eventually(lambda: "[UNREPLIED]" in whole.sh("conntrack -L -p icmp 2>/dev/null"))
        whole.sh("nft add rule ip lab postrouting ip saddr 10.0.0.0/24 oifname != br0 masquerade")
        done = why(whole, "c1", SITE)
        told = done.stdout.splitlines()
        assert done.returncode == 0 and told[0].startswith(f"✓ {SITE} answered")
        assert "it leaves the host untranslated, as 10.0.0.2, a new one as 203.0.113.2" in told[2], done.stdout
        document = json.loads(why(whole, "c1", SITE, "--json").stdout)
        assert document["answered"] and (document["code"], document["place"]) == ("stale-flow", "host:NAT")
        (old,) = document["older"]
        assert old["original"][1:3] == ["10.0.0.2", SITE] and old["reply"][1:3] == [SITE, "10.0.0.2"] and not old["replied"]
        whole.sh(document["fix"])
        assert eventually(lambda: f"dst=203.0.113.2 type=0 code=0 id={old['original'][3]} " in whole.sh("conntrack -L -p icmp 2>/dev/null"))
        again = why(whole, "c1", SITE)
        assert again.returncode == 0 and "an older flow in host, treated the same:" in again.stdout and "mend it" not in again.stdout
    finally:
        whole.sh("kill $(cat /run/old.pid)", "c1")


def test_a_flow_of_ipv6_from_before_a_rule_is_named(whole: Running) -> None:
    """The same by IPv6, whose conntrack(8) has options of its own: what is offered as the mend can be typed, and heals."""
    whole.sh("""sysctl -qw net.ipv6.conf.all.forwarding=1; ip addr add fd00:a::1/64 dev br0 nodad; ip addr add fd00:b::2/64 dev eth0 nodad
        ip addr add fe80::b:2/64 dev eth0 nodad; nft 'add table ip6 n; add chain ip6 n p { type nat hook postrouting priority 100; }'
        nft add rule ip6 n p tcp dport 9 masquerade""")
    whole.sh("ip addr add fd00:a::2/64 dev veth1 nodad; ip -6 route add default via fd00:a::1", "c1")
    whole.sh("ip addr add fd00:b::1/64 dev eth0 nodad; ip addr add fe80::b:1/64 dev eth0 nodad", "internet")
    whole.sh("ping -6 -q -n -i 0.2 -c 300 fd00:b::1 >/dev/null 2>&1 & echo $! >/run/old.pid", "c1")
    try:
        assert eventually(lambda: "[UNREPLIED]" in whole.sh("conntrack -L -f ipv6 -p icmpv6 2>/dev/null"))
        whole.sh("nft add rule ip6 n p oifname eth0 masquerade")
        document = json.loads(why(whole, "c1", "fd00:b::1", "--json").stdout)
        assert document["answered"] and document["code"] == "stale-flow", document["seen"]
        (old,) = document["older"]
        whole.sh(document["fix"])
        assert eventually(lambda: f"dst=fd00:b::2 type=129 code=0 id={old['original'][3]} " in whole.sh("conntrack -L -f ipv6 -p icmpv6 2>/dev/null"))
    finally:
        whole.sh("kill $(cat /run/old.pid)", "c1")


def test_a_connection_that_works_by_an_old_entry_is_not_torn(whole: Running) -> None:
    """Its source is another than a new one's (ss and conntrack -L agree that it stands): that is told, and no command that would end it is offered."""
    holds = f"import socket; own = socket.create_server(('{SITE}', 81)); held = [own.accept() for _ in iter(int, 1)]"  # the site itself hangs up on the silent
    keep = f"import socket, time; own = socket.create_connection(('{SITE}', 81)); time.sleep(60)"
    whole.sh(f'python3 -c "{holds}" >/dev/null 2>&1 & echo $! >/run/holds.pid', "internet")
    assert eventually(lambda: f"{SITE}:81" in whole.sh("ss -Hltn", "internet"))
    whole.sh(f'python3 -c "{keep}" >/dev/null 2>&1 & echo $! >/run/old.pid', "c1")
    try:
        assert eventually(lambda: "ESTABLISHED" in whole.sh("conntrack -L -p tcp 2>/dev/null"))
        whole.sh("nft flush chain ip lab postrouting; ip addr add 203.0.113.7/24 dev eth0; nft add rule ip lab postrouting oifname eth0 snat to 203.0.113.7")
        done = why(whole, "c1", f"{SITE}:81")
        assert done.returncode == 0 and "it leaves the host as 203.0.113.2, a new one as 203.0.113.7" in done.stdout, done.stdout
        assert "mend it" not in done.stdout and "ESTAB" in whole.sh("ss -Htn", "c1")
    finally:
        whole.sh("kill $(cat /run/old.pid)", "c1")
        whole.sh("kill $(cat /run/holds.pid)", "internet")


def test_a_flow_that_rules_still_allow_is_not_called_old(whole: Running) -> None:
    """A published port with two targets, by turns: an older flow that went to the other one is no fault, and none is named."""
    whole.sh("nft 'add chain ip lab pre { type nat hook prerouting priority -100; }'; nft insert rule ip lab forward ct status dnat accept")
    whole.sh("nft add rule ip lab pre udp dport 5000 dnat to numgen inc mod 2 map { 0 : 10.0.0.2, 1 : 10.0.0.3 }")
    keep = "import socket, time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b'x', ('203.0.113.2', 5000)); time.sleep(60)"
    whole.sh(f'python3 -c "{keep}" >/dev/null 2>&1 & echo $! >/run/old.pid', "internet")
    try:
        assert eventually(lambda: "dport=5000" in whole.sh("conntrack -L -p udp 2>/dev/null"))
        documents = [json.loads(why(whole, "internet", "203.0.113.2:5000", "--udp", "--json").stdout) for _ in range(2)]
        assert {flow["reply"][1] for document in documents for flow in document["flows"]} == {"10.0.0.2", "10.0.0.3"}
        assert all(document["answered"] and document["older"] and not document["code"] for document in documents), documents
    finally:
        whole.sh("kill $(cat /run/old.pid)", "internet")


def test_a_script_reads_one_document(whole: Running) -> None:
    """--json: the explanation with its journey and the flow's entries, as conntrack -L has them."""
    done = why(whole, "c1", f"{SITE}:5000", "--udp", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 0 and document["format"] == 1 and document["answered"] and document["code"] == ""
    (flow,) = document["flows"]
    _, source, _, port, _ = flow["original"]
    listed = whole.sh("conntrack -L -p udp --orig-port-dst 5000 2>/dev/null")
    assert source == "10.0.0.2" and f"sport={port} dport=5000" in listed
    assert any(hop["kind"] == "udp" for hop in document["journey"]["hops"])


def test_without_a_packet_it_is_the_one_lost_last() -> None:
    """Here of a ping of another command. Before any was lost it is said that of netless' own none was: who lost one in his own shell is not told
    otherwise, but how to ask about it. Half a packet is none.
    """
    with running() as lab:
        assert checkout.netless("exec", "c1", "--", "ping", "-c1", "-W1", "203.0.113.99", lab=lab.name).returncode != 0
        nothing = why(lab)
        assert nothing.returncode == 1 and "no packet of netless's was lost in this step" in nothing.stderr
        assert "why FROM TO`" in nothing.stderr
        checkout.netless("ping", "c1", "203.0.113.99", lab=lab.name)
        told = why(lab)
        assert told.returncode == 1 and told.stdout == why(lab, "c1", "203.0.113.99").stdout
        for words in (("c1",), ("--udp",)):
            half = why(lab, *words)
            assert half.returncode == 2 and "missing" in half.stderr
