"""What is broken where routes, forwarding, translation and tunnels are concerned, by ``ip``, ``sysctl`` and ``nft``."""

from __future__ import annotations

from helpers.broken import SITE, Broken, ping
from netless_lab.model.probe import Connect

NAT = "nft flush chain ip lab postrouting\nnft add rule ip lab postrouting "
CLASH = "ip link add br1 type bridge; ip addr add 198.51.100.1/24 dev br1; ip link set br1 up"

CALICO = "ip link set veth2 nomaster; ip route add 10.0.0.2/32 dev veth2; nft insert rule ip lab forward iifname veth2 accept"
BEHIND_NOBODY = """ip addr flush dev veth1; ip addr add 10.0.0.2/32 dev veth1; ip route add 169.254.1.1 dev veth1 scope link
ip route add default via 169.254.1.1 dev veth1""".replace("\n", "; ")
"""A container behind a gateway that is nobody's address, as Calico has it."""
SIX = """ip addr add fd00:a::1/64 dev br0 nodad; ip addr add fd00:b::2/64 dev eth0 nodad; ip addr add fe80::b:2/64 dev eth0 nodad
sysctl -qw net.ipv6.conf.all.forwarding=1
internet| ip addr add fd00:b::1/64 dev eth0 nodad; ip addr add fe80::b:1/64 dev eth0 nodad; ip -6 route add fd00:a::/64 via fd00:b::2
c1| ip addr add fd00:a::2/64 dev veth1 nodad; ip -6 route add default via fd00:a::1
c1| until ping -c1 -W1 fd00:b::1 > /dev/null; do :; done"""
"""The way from c1 to fd00:b::1 in the internet by IPv6, once it works."""


def vxlan(first: str, second: str) -> str:
    """A tunnel between c1 (10.9.0.1) and c2 (10.9.0.2) over br0."""
    lines = [
        f"ip -n {node} link add vx0 type vxlan local {own} remote {far} {options}; ip -n {node} addr add {inner}/24 dev vx0; ip -n {node} link set vx0 up"
        for node, own, far, inner, options in (
            ("c1", "10.0.0.2", "10.0.0.3", "10.9.0.1", first), ("c2", "10.0.0.3", "10.0.0.2", "10.9.0.2", second),
        )
    ]  # fmt: skip
    return "\n".join(lines)


BROKEN = (
    Broken("a prefix of nobody but oneself, and no route", "c1| ip addr flush dev veth1; ip addr add 10.0.0.2/32 dev veth1", ping(SITE), "prefix-wrong", "c1:veth1"),
    Broken("a route that picks a source nobody leads back to",
           "c1| ip addr add 10.9.9.9/24 dev veth1; ip route replace default via 10.0.0.1 src 10.9.9.9", ping(SITE), "source-wrong", "c1:routing"),
    Broken("a route that picks a source nobody leads back to, and everything is translated",
           f"{NAT} oifname eth0 masquerade\nc1| ip addr add 10.9.9.9/24 dev veth1; ip route replace default via 10.0.0.1 src 10.9.9.9",
           Connect("c1", SITE, 80), "source-wrong", "c1:routing"),
    Broken("a route and no address", "c2| ip addr flush dev veth3; ip route add default dev veth3", ping(SITE, "c2"), "address-missing", "c2:veth3"),
    Broken("a route and no address, and the router known", "c2| ip addr flush dev veth3; ip route add default dev veth3", ping("10.0.0.1", "c2"),
           "address-missing", "c2:veth3"),
    Broken("a connection, a route and no address", "c2| ip addr flush dev veth3; ip route add default dev veth3", Connect("c2", SITE, 80),
           "address-missing", "c2:veth3"),
    Broken("a sender with a broadcast address", "c1| ip addr flush dev veth1; ip addr add 10.0.0.255/24 dev veth1; ip route add default via 10.0.0.1", ping(SITE),
           "broadcast-address", "c1:veth1"),
    Broken("a connection from a broadcast address", "c1| ip addr flush dev veth1; ip addr add 10.0.0.255/24 dev veth1; ip route add default via 10.0.0.1",
           Connect("c1", SITE, 80), "broadcast-address", "c1:veth1"),
    Broken("forwarding off", "sysctl -qw net.ipv4.ip_forward=0", ping(SITE), "forwarding-off", "host:fwd"),
    Broken("forwarding off for a device", "sysctl -qw net.ipv4.conf.br0.forwarding=0", ping(SITE), "forwarding-off-device", "host:fwd"),
    Broken("forwarding off for answers", "sysctl -qw net.ipv4.conf.eth0.forwarding=0", ping(SITE), "forwarding-off-device", "host:fwd"),
    Broken("no default route", "c1| ip route del default", ping(SITE), "no-default-route", "c1:routing"),
    Broken("a route that throws", "c1| ip route add throw 198.51.100.0/24", ping(SITE), "blackhole-route", "c1:routing"),
    Broken("a router's route that throws", "ip route add throw 198.51.100.0/24", ping(SITE), "blackhole-route", "host:routing"),
    Broken("no default route, target", "c2| ip route del default\nc2| ip route del 10.0.0.0/24", ping("10.0.0.3"), "no-route", "c2:routing"),
    Broken("router without default route", "ip route del default", ping(SITE), "no-default-route", "host:routing"),
    Broken("connected route gone", "c1| ip route del default; ip route del 10.0.0.0/24", ping("10.0.0.3"), "no-route", "c1:routing"),
    Broken("gateway that nobody is", "c1| ip route replace default via 10.0.0.77", ping(SITE), "gateway-wrong", "c1:routing"),
    Broken("gateway that is a neighbour", "c1| ip route replace default via 10.0.0.3", ping(SITE), "gateway-wrong", "c1:routing"),
    Broken("router's gateway wrong", "ip route replace default via 203.0.113.99", ping(SITE), "gateway-wrong", "host:routing"),
    Broken("route without gateway", "c1| ip route replace default dev veth1", ping(SITE), "gateway-missing", "c1:routing"),
    Broken("gateway that is oneself", "c1| ip route replace default via 10.0.0.2", ping(SITE), "gateway-self", "c1:routing"),
    Broken(
        "a full tunnel takes what the containers send",
        """ip link add wg0 type veth peer name wg0p; ip addr add 10.66.0.2/32 dev wg0; ip link set wg0 arp off up; ip link set wg0p up
           ip route add default dev wg0 table 51820; ip rule add not fwmark 51820 table 51820; ip rule add table main suppress_prefixlength 0""",
        ping(SITE), "policy-rule", "host:routing",
    ),
    Broken(
        "a tunnel takes what is at home",
        """ip link add wg0 type veth peer name wg0p; ip addr add 10.66.0.2/32 dev wg0; ip link set wg0 arp off up; ip link set wg0p up
           ip route add default dev wg0 table 51820; ip rule add pref 1000 table 51820""",
        ping("10.0.0.2", "host"), "policy-rule", "host:routing",
    ),
    Broken("proxy ARP that is off", f"{CALICO}\nc1| {BEHIND_NOBODY}", ping(SITE), "proxy-arp-off", "host:neighbour"),
    Broken(
        "proxy ARP that has no route", f"{CALICO}; sysctl -qw net.ipv4.conf.veth2.proxy_arp=1; ip route del default\nc1| {BEHIND_NOBODY}", ping(SITE),
        "proxy-arp-route", "host:routing",
    ),
    Broken("IPv6 is not forwarded", f"{SIX}\nsysctl -qw net.ipv6.conf.all.forwarding=0", ping("fd00:b::1"), "forwarding-off", "host:fwd"),
    Broken("no default route of IPv6", f"{SIX}\nc1| ip -6 route del default", ping("fd00:b::1"), "no-default-route", "c1:routing"),
    Broken("IPv6 without a link-local address", f"{SIX}\nip addr del fe80::b:2/64 dev eth0; ip -6 neigh flush all", ping("fd00:b::1"), "link-local-missing", "host:eth0"),
    Broken(
        "IPv6 without a link-local address that it does not need",
        f"{SIX}\nc1| ip -6 addr flush dev veth1 scope link; ip -6 neigh flush all\nc1| ping -c1 -W1 fd00:b::1 >/dev/null && ip -6 neigh flush all\n"
        "tc -n c1 qdisc add dev veth1 root tbf rate 8bit burst 10 limit 10",
        ping("fd00:b::1"), "queue-drop", "c1:veth1",
    ),
    Broken(
        "IPv6 prefix /128", f"{SIX}\nc1| ip -6 route del default; ip addr del fd00:a::2/64 dev veth1; ip addr add fd00:a::2/128 dev veth1 nodad", ping("fd00:a::1"),
        "prefix-wrong", "c1:veth1",
    ),
    Broken("gateway of IPv6 that nobody is", f"{SIX}\nc1| ip -6 route replace default via fd00:a::77", ping("fd00:b::1"), "gateway-wrong", "c1:routing"),
    Broken(
        "IPv6 pings ignored", f"{SIX}\nsysctl -qw net.ipv6.icmp.echo_ignore_all=1", ping("fd00:a::1"), "icmp-ignored", "host",
        "sysctl -qw net.ipv6.icmp.echo_ignore_all=0",
    ),
    Broken("route to the wrong side", "ip route add 10.0.0.2/32 via 203.0.113.1", ping("10.0.0.2", "host"), "route-wrong", "host:routing"),
    Broken("answers to the wrong side", "ip route add 10.0.0.2/32 via 203.0.113.1", ping(SITE), "route-wrong", "host:routing"),
    Broken("blackhole at home", "c1| ip route add blackhole 198.51.100.0/24", ping(SITE), "blackhole-route", "c1:routing"),
    Broken("blackhole at the router", "ip route add blackhole 198.51.100.0/24", ping(SITE), "blackhole-route", "host:routing"),
    Broken("blackhole for answers", "ip route add blackhole 10.0.0.2/32", ping(SITE), "blackhole-route", "host:routing"),
    Broken("unreachable at the router", "ip route add unreachable 198.51.100.0/24", ping(SITE), "blackhole-route", "host:routing"),
    Broken(
        "policy rule to an empty world", "ip rule add from 10.0.0.2 lookup 77 pref 100; ip route add blackhole default table 77", ping(SITE),
        "policy-rule", "host:routing",
    ),
    Broken("policy rule says prohibit", "c1| ip rule add to 198.51.100.0/24 prohibit pref 100", ping(SITE), "policy-rule", "c1:routing"),
    Broken("rule for the main table gone", "c1| ip rule del pref 32766", ping(SITE), "policy-rule", "c1:routing"),
    Broken(
        "policy rule by mark",
        """nft add table ip zz; nft 'add chain ip zz p { type filter hook prerouting priority -150; }'
           nft add rule ip zz p ip saddr 10.0.0.2 meta mark set 7
           ip rule add fwmark 7 lookup 77 pref 50; ip route add default via 10.0.0.3 dev br0 table 77""",
        ping(SITE), "policy-rule", "host:routing",
    ),
    Broken(
        "reverse path filter",
        """c2| sysctl -qw net.ipv4.conf.all.rp_filter=1; ip link add d0 type veth peer name d1; ip link set d0 up; ip link set d1 up
           c2| ip route add 10.0.0.2/32 dev d0""",
        ping("10.0.0.3"), "rp-filter", "c2:routing",
    ),
    Broken("own subnet covers the site", CLASH, ping(SITE), "subnet-clash", "host:routing"),
    Broken("TTL too small", "c1| sysctl -qw net.ipv4.ip_default_ttl=1", ping(SITE), "ttl-exceeded", "c1", "c1| sysctl -qw net.ipv4.ip_default_ttl=64"),
    Broken("TTL used up on purpose", "true", ping(SITE, ttl=1), "ttl-exceeded", "host"),
    Broken(
        "routing loop", "ip route replace 198.51.100.0/24 via 10.0.0.2\nc1| sysctl -qw net.ipv4.ip_forward=1", ping(SITE, "c2"),
        "routing-loop", "host:routing",
    ),
    Broken("local table forgot", "c2| ip route del local 10.0.0.3 table local", ping("10.0.0.3"), "local-route-missing", "c2:routing"),
    Broken(
        "source of another link", "c1| ip addr add 10.9.9.9/32 dev lo; ip route replace 10.0.0.0/24 dev veth1 src 10.9.9.9", ping("10.0.0.1"),
        "source-wrong", "c1:routing",
    ),
    Broken("nobody in the world", "true", ping("192.0.2.9"), "no-such-host", "internet:routing"),
    Broken("no masquerade", "nft flush chain ip lab postrouting", ping(SITE), "masquerade-missing", "host:NAT"),
    Broken("no chain for it", "nft delete chain ip lab postrouting", ping(SITE), "masquerade-missing", "host:NAT"),
    Broken("masquerade for another subnet", f"{NAT} ip saddr 10.1.0.0/24 masquerade", ping(SITE), "masquerade-wrong-subnet", "host:NAT"),
    Broken(
        "masquerade on another link", f"{NAT} ip saddr 10.0.0.0/24 oifname eth1 masquerade", ping(SITE), "masquerade-wrong-link", "host:NAT"
    ),
    Broken("masquerade for TCP only", f"{NAT} oifname eth0 meta l4proto tcp masquerade", ping(SITE), "masquerade-rule", "host:NAT"),
    Broken("source nobody has", f"{NAT} oifname eth0 snat to 203.0.113.77", ping(SITE), "snat-wrong", "host:NAT"),
    Broken(
        "not tracked, so not translated",
        "nft add table ip zz; nft 'add chain ip zz p { type filter hook prerouting priority -300; }'; nft add rule ip zz p ip saddr 10.0.0.2 notrack",
        ping(SITE), "untracked", "host:NAT",
    ),
    Broken("not tracked, says iptables", "iptables -t raw -A PREROUTING -i br0 -j CT --notrack", ping(SITE), "untracked", "host:NAT"),
    Broken(
        "a zone of connections for one side",
        "nft add table ip zz; nft 'add chain ip zz p { type filter hook prerouting priority -300; }'; nft add rule ip zz p iifname br0 ct zone set 5",
        ping(SITE), "zone-split", "host:NAT",
    ),
    Broken("a zone of connections for answers, says iptables", "iptables -t raw -A PREROUTING -i eth0 -j CT --zone 5", ping(SITE), "zone-split", "host:NAT"),
    Broken("tunnels of two networks", vxlan("id 42 dstport 4789", "id 43 dstport 4789"), ping("10.9.0.2"), "vni-mismatch", "c2:vx0"),
    Broken("tunnels of two ports", vxlan("id 42 dstport 4789", "id 42 dstport 4790"), ping("10.9.0.2"), "vxlan-port", "c2:vx0"),
    Broken(
        "tunnel end down", vxlan("id 42 dstport 4789", "id 42 dstport 4789") + "\nip -n c2 link set vx0 down", ping("10.9.0.2"), "link-down", "c2:vx0"
    ),
    Broken(
        "a macvlan and its own device",
        """ip link add mv0 link eth0 type macvlan mode bridge; ip link set mv0 netns c2
           ip -n c2 addr add 203.0.113.50/24 dev mv0; ip -n c2 link set mv0 up""",
        ping("203.0.113.50", "host"), "macvlan-host", "c2:mv0",
    ),
    Broken(
        "a bridged frame too big for a tunnel",
        """ip netns add far; ip link add up1 type veth peer name up2 netns far; ip addr add 192.0.2.1/24 dev up1; ip link set up1 up
           ip -n far addr add 192.0.2.2/24 dev up2; ip -n far link set up2 up
           ip link add vx9 type vxlan id 9 local 192.0.2.1 remote 192.0.2.2 dstport 4789 dev up1; ip link set vx9 mtu 1450 master br0 up
           ip -n far link add vx9 type vxlan id 9 local 192.0.2.2 remote 192.0.2.1 dstport 4789 dev up2; ip -n far addr add 10.0.0.50/24 dev vx9
           ip -n far link set vx9 mtu 1450 up
           c1| until ping -c1 -W1 10.0.0.50 > /dev/null; do :; done""",
        ping("10.0.0.50", size=1450), "mtu-black-hole", "host:vx9",
    ),
    Broken("too big to leave", "c1| ip link set veth1 mtu 600", ping(SITE, size=900, dont_fragment=True), "mtu-wrong", "c1:veth1"),
    Broken("too big for the uplink", "ip link set eth0 mtu 600", ping(SITE, size=900, dont_fragment=True), "mtu-wrong", "host:eth0"),
    Broken(
        "too big, and nobody says so",
        """ip link set eth0 mtu 600; nft add table ip zz; nft 'add chain ip zz o { type filter hook output priority 0; }'
           nft add rule ip zz o icmp type destination-unreachable drop""",
        ping(SITE, size=900, dont_fragment=True), "mtu-black-hole", "host:eth0",
    ),
    Broken(
        "127.0.0.0/8 does not travel",
        "nft 'add chain ip lab pre { type nat hook prerouting priority -100; }'; nft add rule ip lab pre tcp dport 8080 dnat to 127.0.0.1:80",
        Connect("c1", "10.0.0.1", 8080), "route-localnet", "host:routing",
    ),
)  # fmt: skip
