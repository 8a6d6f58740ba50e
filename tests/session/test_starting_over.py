"""A lab that starts over is a fresh lab, also in what is no network's: limits, queues, files, domains. The tools are the witnesses."""

from __future__ import annotations

import pytest

from helpers.running import Running

pytestmark = pytest.mark.kernel


LEFT: dict[str, tuple[str, str]] = {
    "the rule for the node's own addresses": ("ip rule del pref 0", "ip rule; ip -6 rule"),
    "the address ::1 of loopback": ("ip addr del ::1/128 dev lo", "ip addr show lo; ip -6 route show table all dev lo"),
    "the way to ::1": ("ip -6 route flush table local", "ip -6 route show table all dev lo"),
    "a rule like one of the kernel's own": ("ip rule add pref 32766 lookup main", "ip -d rule"),
    "a policy of the other kind": ("ip xfrm policy add src ::/0 dst ::/0 dir fwd ptype sub action allow", "ip xfrm policy"),
    "programs among the lab's own": ("echo exit 1 >/run/netless/bin/ip; chmod +x /run/netless/bin/ip; touch /run/lock/x", "ls /run/netless/bin /run/lock; ip rule"),
    "objects of System V": ("ipcmk -M 100; ipcmk -S 3; ipcmk -Q", "ipcs | grep '^0x'; true"),
    "a message queue": (
        "python3 -c 'import ctypes; assert ctypes.CDLL(None).mq_open(b\"/left\", 0o102, 0o600, 0) >= 0'",
        "unshare -m sh -c 'mount -t mqueue q /mnt && ls /mnt'",
    ),
    "files of a program": ("mkdir -p /var/x/y; echo x >/var/log/z; echo x >/dev/shm/q; rm -rf /var/cache; touch /dev/mine", "find /var /dev/shm | sort; ls /dev"),
    "modes of folders": ("chmod 777 /run; chmod 700 /var/lib /dev/shm", "stat -c '%n %a' /run /var/* /dev/shm"),
    "a domain": ("domainname left", "domainname; nsenter -t $(pgrep -o sleep) -u domainname"),
    "limits of namespaces": ("sysctl -qw user.max_net_namespaces=3 user.max_user_namespaces=0", "sysctl -a -r '^user'"),
    "limits of queues": ("sysctl -qw kernel.shmmax=5 kernel.sem='1 2 3 4' fs.mqueue.msg_max=5", "sysctl kernel.shmmax kernel.sem fs.mqueue.msg_max"),
    "loopback without ARP": ("ip link set lo arp off; ip link set lo promisc on", "ip link show lo"),
}
"""What somebody may leave in the host that no program, no mount and no interface holds, and the command that shows it."""


@pytest.mark.parametrize("what", LEFT, ids=lambda name: name.replace(" ", "-"))
def test_what_is_left_of_the_room_goes_when_the_lab_starts_over(lab: Running, what: str) -> None:
    """Whether a picture shows it or not, ``reset lab`` does not ask: all of it is as in a fresh lab, and the lab's own programs still work."""
    typed, look = LEFT[what]
    lab.reset("lab")
    before = lab.sh(look, check=False)
    lab.sh(typed)
    assert lab.sh(look, check=False) != before
    lab.reset("lab")
    assert lab.sh(look, check=False) == before
    assert lab.sh("curl -s --max-time 9 -o /dev/null -w '%{http_code}' http://198.51.100.10/") == "200"


def test_what_nodes_are_made_in_does_not_show_in_them(lab: Running) -> None:
    """The size of a table of connections is given to a namespace by the one in which it is made: a container of a lab that started over has its own."""
    look = "sysctl net.ipv4.tcp_ehash_entries net.ipv4.tcp_max_tw_buckets"
    lab.reset("lab")
    before = {node: lab.sh(look, node) for node in ("c1", "internet")}
    lab.sh("sysctl -qw net.ipv4.tcp_child_ehash_entries=5")
    lab.reset("lab")
    assert {node: lab.sh(look, node) for node in ("c1", "internet")} == before


def test_what_only_a_container_shows_goes_with_it(lab: Running) -> None:
    """A mount inside c1 is in no list: when the lab starts over c1 is another all the same."""
    lab.reset("lab")
    look = "awk '{print $5}' /proc/self/mountinfo | sort"
    before = lab.sh(look, "c1")
    lab.sh("mount -t tmpfs none /usr", "c1")
    lab.reset("lab")
    assert lab.sh(look, "c1") == before
