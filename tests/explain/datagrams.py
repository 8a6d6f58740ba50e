"""What is broken where datagrams and the sizes of packets are concerned, and flows that conntrack knows from before."""

from __future__ import annotations

from helpers.broken import SITE, Broken, ping
from netless_lab.model.probe import Connect, Udp

SILENT = "c2& python3 -c 'import socket, time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((\"\", 5000)); time.sleep(60)'"
MUTE = "nft add table ip zz; nft 'add chain ip zz o { type filter hook output priority 0; }'; nft add rule ip zz o icmp type destination-unreachable drop"
REJECT = "nft add table ip zz; nft 'add chain ip zz i { type filter hook input priority 0; }'; nft add rule ip zz i udp dport 5000 reject"
PUBLISH = "nft 'add chain ip lab pre { type nat hook prerouting priority -100; }'; nft insert rule ip lab forward ct status dnat accept"
SEND = "python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((\"\", 4000)); s.sendto(b\"x\", (\"203.0.113.2\", 5000))'"
LEARN = f"ping -n -q -c1 -W1 -M do -s 900 {SITE} >/dev/null || true"
SIX = """sysctl -qw net.ipv6.conf.all.forwarding=1
    ip addr add fd00:a::1/64 dev br0 nodad; ip addr add fd00:b::2/64 dev eth0 nodad; ip addr add fe80::b:2/64 dev eth0 nodad
    c1| ip addr add fd00:a::2/64 dev veth1 nodad; ip -6 route add default via fd00:a::1
    internet| ip addr add fd00:b::1/64 dev eth0 nodad; ip addr add fe80::b:1/64 dev eth0 nodad; ip -6 route add fd00:a::/64 via fd00:b::2"""

BROKEN = (
    Broken("datagrams dropped", "nft insert rule ip lab forward udp dport 5000 drop", Udp("c1", SITE, 5000), "forward-rule", "host:fw"),
    Broken("datagrams rejected on the way", "nft insert rule ip lab forward udp dport 5000 reject", Udp("c1", SITE, 5000), "firewall-reject", "host:fw"),
    Broken("datagrams dropped by their target", "c2| " + REJECT.replace("reject", "drop"), Udp("c1", "10.0.0.3", 5000), "input-drop", "c2:fw"),
    Broken("a program that says nothing", SILENT, Udp("c1", "10.0.0.3", 5000), "service-silent", "c2:service", served=False),
    Broken("closed, and the word about it filtered", f"c2| {MUTE}", Udp("c1", "10.0.0.3", 5000), "no-listener", "c2:service"),
    Broken("closed, and errors are rationed", "c2| sysctl -qw net.ipv4.icmp_ratelimit=100000\n"
           "c1| python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); [s.sendto(b\"x\", (\"10.0.0.3\", 5000)) for _ in range(9)]'",
           Udp("c1", "10.0.0.3", 5000), "no-listener", "c2:service"),
    Broken("no way to a datagram's target", "c1| ip route del default", Udp("c1", SITE, 5000), "no-default-route", "c1:routing"),
    Broken("names stopped on the way to a port", "nft insert rule ip lab forward udp dport 53 drop", Connect("c1", "example.test", 80), "forward-rule", "host:fw"),
    Broken("names stopped on the way to a datagram", "nft insert rule ip lab forward udp dport 53 drop", Udp("c1", "example.test", 5000), "forward-rule", "host:fw"),
    Broken("a named port stopped by a rule", "nft insert rule ip lab forward tcp dport 80 drop", Connect("c1", "example.test", 80), "forward-rule", "host:fw"),
    Broken(
        "too big a datagram for the uplink", "ip link set eth0 mtu 600", Udp("c1", SITE, 5000, size=900, dont_fragment=True), "mtu-wrong", "host:eth0",
    ),
    Broken("too big a datagram to leave", "c1| ip link set veth1 mtu 600", Udp("c1", SITE, 5000, size=900, dont_fragment=True), "mtu-wrong", "c1:veth1"),
    Broken(
        "too big a datagram, and nobody is told", f"ip link set eth0 mtu 600; {MUTE}", Udp("c1", SITE, 5000, size=900, dont_fragment=True),
        "mtu-black-hole", "host:eth0",
    ),
    Broken(
        "too big a datagram, and its sender takes no word of it", "ip link set eth0 mtu 600\nc1| iptables -A INPUT -p icmp -j DROP",
        Udp("c1", SITE, 5000, size=900, dont_fragment=True), "mtu-black-hole", "host:eth0", served=False,
    ),
    Broken(
        "a narrow path remembered", f"ip link set eth0 mtu 600\nc1| {LEARN}\nip link set eth0 mtu 1500", ping(SITE, size=900, dont_fragment=True),
        "path-mtu-remembered", "c1:routing",
    ),
    Broken(
        "a narrow path remembered, and a datagram", f"ip link set eth0 mtu 600\nc1| {LEARN}\nip link set eth0 mtu 1500",
        Udp("c1", SITE, 5000, size=900, dont_fragment=True), "path-mtu-remembered", "c1:routing",
    ),
    Broken(
        "a router's route that says it is narrow", "ip route change default via 203.0.113.1 mtu 600", ping(SITE, size=900, dont_fragment=True),
        "route-mtu", "host:routing",
    ),
    Broken(
        "a router's route that says it is narrow, remembered", f"ip route change default via 203.0.113.1 mtu lock 600\nc1| {LEARN}",
        Udp("c1", SITE, 5000, size=900, dont_fragment=True), "route-mtu", "host:routing",
    ),
    Broken(
        "a router's route that says it is narrow, and nobody is told", f"ip route change default via 203.0.113.1 mtu 600; {MUTE}",
        ping(SITE, size=900, dont_fragment=True), "route-mtu", "host:routing",
    ),
    Broken(
        "a route that says it is narrow", "c1| ip route change default via 10.0.0.1 mtu 600", ping(SITE, size=900, dont_fragment=True),
        "route-mtu", "c1:routing",
    ),
    Broken(
        "an old flow led elsewhere",
        f"""{PUBLISH}; nft add rule ip lab pre udp dport 5000 dnat to 10.0.0.9
            internet| {SEND}
            nft flush chain ip lab pre; nft add rule ip lab pre udp dport 5000 dnat to 10.0.0.3""",
        Udp("internet", "203.0.113.2", 5000, source_port=4000), "stale-flow", "host:NAT",
    ),
    Broken(
        "an old flow with an old mark",
        """nft 'add chain ip lab marks { type filter hook prerouting priority -100; }'; nft add rule ip lab marks udp dport 5000 ct state new ct mark set 7
           c1| python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", 4000)); s.sendto(b"x", ("203.0.113.2", 5000))'
           nft flush chain ip lab marks; nft add rule ip lab marks ct mark 7 udp dport 5000 drop""",
        Udp("c1", "203.0.113.2", 5000, source_port=4000), "stale-flow", "host:NAT",
    ),
    Broken(
        "datagrams of IPv6 dropped", f"{SIX}\nnft 'add table ip6 zz; add chain ip6 zz f {{ type filter hook forward priority 0; }}'\n"
        "nft add rule ip6 zz f udp dport 5000 drop", Udp("c1", "fd00:b::1", 5000), "forward-rule", "host:fw",
    ),
    Broken(
        "no forwarding of IPv6, while a port asks for somebody by itself",
        f"{SIX}\nc1| ip addr add fe80::77/64 dev veth1 nodad\nip addr add fe80::88/64 dev veth2 nodad\n"
        "timeout 20 ping -6 -n -i 0.02 fe80::77%veth2 >/dev/null 2>&1 &\nsysctl -qw net.ipv6.conf.all.forwarding=0",
        Udp("c1", "fd00:b::1", 5000), "forwarding-off", "host:fwd",
    ),
    Broken(
        "too big a datagram of IPv6 for the uplink", f"{SIX}\nip link set eth0 mtu 1300", Udp("c1", "fd00:b::1", 5000, size=1400, dont_fragment=True),
        "mtu-wrong", "host:eth0",
    ),
)  # fmt: skip
