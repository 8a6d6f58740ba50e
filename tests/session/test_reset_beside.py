"""A reset takes away, and names before, what no tool of iproute2 or nftables shows: ipset, nfacct, nfct, ethtool; and mends what would keep it from that.

Where those tools are not at hand the witness is their kernel interface, spoken here without a line of the lab's code.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpers.running import Running, running
from helpers.waiting import eventually

pytestmark = pytest.mark.kernel

PYTHON = """python3 - <<'END'
import fcntl, socket, struct, array
def attr(kind, value): return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)
def ask(kind, flags, body):
    own = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
    own.settimeout(9)
    own.send(struct.pack("=IHHII", 16 + len(body), kind, flags | 1, 1, 0) + body)
    told, going = [], True
    while going:
        data = own.recv(65536)
        while data:
            length, answer = struct.unpack_from("=IH", data)
            going = going and answer not in (2, 3)
            if answer == 2 and struct.unpack_from("=i", data, 16)[0]: raise SystemExit(f"refused: {struct.unpack_from('=i', data, 16)}")
            if answer > 3: told.append(data[16:length])
            data = data[(length + 3) & ~3:]
    return told
def ethtool(device, command, value=0):
    both = array.array("I", [command, value])
    fcntl.ioctl(socket.socket(), 0x8946, struct.pack("16sP", device.encode(), both.buffer_info()[0]))
    return both[1]
@@
END
"""
MAKE, LIST = 0x4 | 0x600, 0x300


def python(line: str) -> str:
    """A shell command that runs this line after the helpers above."""
    return PYTHON.replace("@@", line)


IPSET = python(
    f"ask(0x602, {MAKE}, bytes(4) + attr(1, b'\\7') + attr(2, b'mine\\0') + attr(3, b'hash:ip\\0') + attr(4, b'\\5') + attr(5, b'\\2') + attr(0x8007, b''))"
)
NFACCT = python(f"ask(0x700, {MAKE}, bytes(4) + attr(1, b'mine\\0'))")
MESS = {
    "a set of ipset": (IPSET, "1 of ipset list", python(f"print(ask(0x607, {LIST}, bytes(4) + attr(1, b'\\7')))")),
    "a counter of nfacct": (NFACCT, "1 of nfacct list", python(f"print(ask(0x701, {LIST}, bytes(4)))")),
    "a timeout of nfct": (
        python(f"ask(0x800, {MAKE}, bytes(4) + attr(1, b'mine\\0') + attr(2, b'\\x08\\0') + attr(3, b'\\x11') + attr(0x8004, attr(1, bytes((0, 0, 0, 9)))))"),
        "1 of nfct list timeout",
        python(f"print(ask(0x801, {LIST}, bytes(4)))"),
    ),
    "what a link leaves to its hardware": (
        python("ethtool('lo', 0x2c, 0); ethtool('lo', 0x1f, 0)"), "ethtool -k tells of lo", python("print(ethtool('lo', 0x2b), ethtool('lo', 0x1e))"),
    ),
    "thresholds of IPsec": (
        "ip xfrm policy set hthresh4 24 30 hthresh6 60 70", "the changed thresholds of ip xfrm policy", "ip -s -s xfrm policy count | grep thresholds",
    ),
}  # fmt: skip
"""What is typed, what the list of a reset must hold of it, and the command that shows it."""


@pytest.fixture(scope="module")
def lab() -> Iterator[Running]:
    """One lab for this file; each test begins with its own goto."""
    with running() as own:
        yield own


@pytest.mark.parametrize("scope", ["step", "lab"])
@pytest.mark.parametrize("node", ["host", "c1", "internet"])
@pytest.mark.parametrize("what", MESS)
def test_it_is_named_and_goes(lab: Running, what: str, node: str, scope: str) -> None:
    """In every node, by a reset of the step as by one of the lab; and then nothing is listed."""
    typed, listed, look = MESS[what]
    lab.goto("netless/name")
    before = lab.sh(look, node)
    lab.sh(typed, node)
    assert lab.sh(look, node) != before
    assert [line for line in lab.what_goes("step").going if listed in line and line.endswith(" in c1" if node == "c1" else f" in the {node}")], lab.what_goes("step")
    assert "Nothing to reset" not in lab.reset("step" if scope == "step" else "lab").text
    assert lab.sh(look, node) == before
    assert (lab.what_goes("step").going, lab.what_goes("step").coming) == ((), ())


def test_what_rules_use_goes_with_them(lab: Running) -> None:
    """A set and a counter that a rule of iptables asks are held by it until the kernel has let go of the rule."""
    lab.goto("netless/name")
    lab.sh(IPSET + NFACCT)
    lab.sh("iptables -A INPUT -m set --match-set mine src -m nfacct --nfacct-name mine -j ACCEPT")
    lab.sh("iptables-legacy -A INPUT -m set --match-set mine src -j ACCEPT")
    lab.reset("step")
    assert (lab.sh(MESS["a set of ipset"][2]), lab.sh(MESS["a counter of nfacct"][2])) == ("[]\n", "[]\n")


def test_a_file_system_over_all_settings(lab: Running) -> None:
    """Whoever mounts something over /proc/sys, where a reset reads and writes, is not spared it; the settings are as they were."""
    lab.goto("netless/name")
    before = lab.sh("sysctl -a -r '^(net.ipv4.conf|user)'; domainname")
    for scope in ("step", "lab"):
        lab.sh("sysctl -qw net.ipv4.conf.all.arp_ignore=8 user.max_mnt_namespaces=77; domainname left; mount -t tmpfs none /proc/sys")
        lab.reset("lab" if scope == "lab" else "step")
        assert lab.sh("sysctl -a -r '^(net.ipv4.conf|user)'; domainname") == before, scope


@pytest.mark.kernel_may_lack
@pytest.mark.parametrize("scope", ["step", "lab"])
def test_a_room_in_which_no_process_may_be_is_given_its_room_back(lab: Running, scope: str) -> None:
    """Whoever lowers the highest number of a process below all that are in use: nothing can be started, and a reset heals it."""
    lab.goto("netless/name")
    before = lab.sh("cat /proc/sys/kernel/pid_max")
    if not lab.sh("test -w /proc/sys/kernel/pid_max && echo yes", check=False):
        pytest.skip("before Linux 6.14 pid_max is the machine's, and nobody in a lab may write it")
    # whose numbers have once reached 300 gives out none below that again (kernel/pid.c, RESERVED_PIDS): the last one is the sleep's. A probe that
    # has it at that moment gives it back, and bash, other than dash, tries a fork again that got no number (bash(1) has no word of it; jobs.c, make_child)
    lab.sh("bash -c 'for i in $(seq 400); do (:); done; echo 301 >/proc/sys/kernel/pid_max; setsid sleep 4321 >/dev/null 2>&1 &'", check=False)
    assert eventually(lambda: lab.sh("echo there", check=False) == "")
    lab.reset("lab" if scope == "lab" else "step")
    assert lab.sh("cat /proc/sys/kernel/pid_max") == before
    lab.sh("! grep -qs 4321 /proc/300/cmdline || kill 300")


NAMES = {
    "its own name as another name of itself": "ip link set eth0 name mine; ip link property add dev mine altname eth0",
    "its name as another name of lo": "ip link set eth0 name mine; ip link property add dev lo altname eth0",
    "names exchanged": "ip link set lo name x; ip link set eth0 name lo; ip link set x name eth0",
    "its name given to another, a setting left behind": "sysctl -qw net.ipv4.conf.eth0.arp_ignore=8; ip link set eth0 name mine; ip link add eth0 type bridge",
}


@pytest.mark.parametrize("scope", ["step", "lab"])
@pytest.mark.parametrize("what", NAMES)
def test_a_link_gets_its_name_back_whoever_has_it(lab: Running, what: str, scope: str) -> None:
    """The uplink is called eth0 again, and leads out, whether it stays or is made anew; its settings are those that it had."""
    lab.goto("netless/name")
    look = "ip -br link; ip route; sysctl -a -r '^net.ipv4.conf'"
    before = lab.sh(look)
    lab.sh(NAMES[what])
    lab.reset("lab" if scope == "lab" else "step")
    assert eventually(lambda: lab.sh(look) == before), lab.sh(look)
    assert lab.pings("198.51.100.10", "host")
