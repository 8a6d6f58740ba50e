"""Names, a subnet and tools of one's own from the first step to the last; typos on the way are mentioned, never punished."""

from __future__ import annotations

import pytest

from helpers.hands import accepted, hands, positions
from helpers.running import Running

pytestmark = pytest.mark.kernel

OWN: dict[str, str] = {
    "netless/name": "mkdir -p /run/netns; touch /run/netns/box; mount --bind /proc/$(pgrep -fx 'sleep infinity')/ns/net /run/netns/box",
    "netless/decoy": "ip netns add lure",
    "netless/tidy": "umount /run/netns/lure; rm /run/netns/lure",
    "netless/loopback": "nsenter -t $(pgrep -fx 'sleep infinity') -n ifconfig lo up",
    "cable/pair": "ip link add out type veth peer name inner",
    "cable/plug": "ip link set inner netns $(pgrep -fx 'sleep infinity')",
    "cable/address": "ip netns exec box ip addr add 192.168.77.20/24 dev inner",
    "cable/switch-on": "ip netns exec box ifconfig inner up",
    "switch/bridge": "brctl addbr lan0",
    "switch/port": "brctl addif lan0 out",
    "switch/gateway": "ip addr add 192.168.77.254/24 brd + dev lan0",
    "switch/bridge-up": "ifconfig lan0 up",
    "switch/port-up": "ip link set dev out up",
    "internet/default-route": "nsenter -t $(pgrep -fx 'sleep infinity') -n route add default gw 192.168.77.254",
    "internet/forwarding": "python3 -c 'open(\"/proc/sys/net/ipv4/ip_forward\", \"w\").write(\"1\")'",
    "internet/masquerade": "iptables -t nat -A POSTROUTING -s 192.168.77.0/24 ! -o lan0 -j MASQUERADE",
    "internet/firewall": "nft 'table inet mine { chain through { type filter hook forward priority 0; policy drop; }; }'",
    "internet/door-out": "nft add rule inet mine through iifname lan0 accept",
    "internet/door-back": "nft insert rule inet mine through ct state { established, related } accept",
    "internet/names": "echo 'nameserver 198.51.100.53 ' | nsenter -t $(pgrep -fx 'sleep infinity') -m tee -a /etc/resolv.conf",
    "neighbour/second": "setsid unshare -nmui sh -c 'hostname c2; sleep 5000' &\nuntil ip netns attach box2 $(pgrep -fx 'sleep 5000') 2>/dev/null; do :; done",
    "neighbour/second-cable": "ip link add p2 type veth peer name inner netns box2",
    "neighbour/second-address": "ip -n box2 link set lo up; ip -n box2 addr add 192.168.77.30/24 dev inner; ip -n box2 link set inner up",
    "neighbour/second-port": "ip link set p2 master lan0 up",
    "neighbour/first-words": "ip netns exec box2 arping -q -c1 -I inner 192.168.77.20; ip netns exec box ping -qc1 192.168.77.30",
    "neighbour/no-router": "echo 0 > /proc/sys/net/ipv4/ip_forward",
    "neighbour/everyone": "sysctl -q net/ipv4/conf/all/forwarding=1; ip netns exec box2 ip route add 0.0.0.0/0 via 192.168.77.254",
}
"""What this learner types: the lesson's words (c1, veth1, br0, 10.0.0.0/24) never, one tool never twice in a row."""


def test_every_step_with_names_and_a_subnet_of_ones_own(lab: Running) -> None:
    """C5: all 27 steps with own names, own addresses and other tools; later pages speak the learner's words."""
    lab.reset("lab")
    places = positions(lab)
    assert list(OWN) == places
    with hands(lab) as shell:
        for number, (place, line) in enumerate(OWN.items()):
            said = shell.type(line)
            accepted(lab, f"{place}: {line}\n{said}")
            if number + 1 < len(places):
                lab.next()
                assert lab.status().position == f"container/{places[number + 1]}"
                text = page_text(lab)
                if place > "switch/port-up" or place.startswith(("internet", "neighbour")):
                    assert "10.0.0." not in text and "br0" not in text and "veth1" not in text, text
    assert lab.pings("192.168.77.30") and lab.pings("198.51.100.10")
    assert "203.0.113.2" in lab.sh("curl -s -m15 http://198.51.100.10/", "c2")


def page_text(lab: Running) -> str:
    """The commands of the page in every dialect, and what the page says."""
    page = lab.status().page
    return "\n".join(line for commands in page.commands for line in commands.lines)
