"""No node keeps a word to itself that a probe waits for: the kernel's limit on ICMP errors is lifted in all of them, whoever made them."""

from __future__ import annotations

import pytest

from helpers.running import Running
from helpers.waiting import eventually

pytestmark = [pytest.mark.kernel, pytest.mark.rootless]

LIMITS = "sysctl -n net.ipv4.icmp_ratelimit net.ipv6.icmp.ratelimit"
MANY = (
    "import socket\n"
    "told = 0\n"
    "for _ in range(12):\n"
    "    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:\n"
    "        own.settimeout(1)\n"
    "        own.connect(('10.0.0.2', 5000))\n"
    "        own.send(b'hello')\n"
    "        try:\n"
    "            own.recv(9)\n"
    "        except ConnectionRefusedError:\n"
    "            told += 1\n"
    "        except TimeoutError:\n"
    "            pass\n"
    "print(told)\n"
)


def test_a_closed_port_is_told_of_as_often_as_it_is_asked_for(lab: Running) -> None:
    """Twelve datagrams at once get twelve answers, in a lab as it starts and in one that was reset; the default of a kernel is six."""
    for _ in range(2):
        lab.goto("container/neighbour")
        assert lab.sh(f"python3 -c \"{MANY}\"").split() == ["12"]
        assert lab.sh(LIMITS, "c1").split() == ["0", "0"]
        lab.reset("lab")


def test_a_namespace_of_the_learners_own_is_no_exception(lab: Running) -> None:
    """The same in one of ``ip netns add``, once it was seen; and what the learner sets there stays."""
    lab.reset("lab")
    lab.sh("ip netns add box")
    assert eventually(lambda: lab.sh(f"ip netns exec box {LIMITS}").split() == ["0", "0"])
    lab.sh("ip netns exec box sysctl -qw net.ipv4.icmp_ratelimit=2000; ip link add va type veth peer name vb netns box")
    assert eventually(lambda: lab.sh("ip netns exec box sysctl -n net.ipv4.neigh.vb.mcast_solicit").strip() == "2")
    assert lab.sh(f"ip netns exec box {LIMITS}").split() == ["2000", "0"]
