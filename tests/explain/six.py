"""What is broken where IPv6 is concerned: addresses, its switch, neighbour discovery, and who listens for which family."""

from __future__ import annotations

from explain.routing import SIX
from helpers.broken import Broken, ping
from netless_lab.model.probe import Connect, Udp

FORGET = "ip -6 neigh flush all\nc1| ip -6 neigh flush all"
BESIDE = "c2| ip addr add fd00:a::3/64 dev veth3 nodad"
ONLY_SIX = 'python3 -c \'import socket, time; s = socket.socket(socket.AF_INET6); s.setsockopt(41, 26, 1); s.bind(("::", 80)); s.listen(); time.sleep(60)\''
"""41 and 26 are IPPROTO_IPV6 and IPV6_V6ONLY (ipv6(7))."""

BROKEN = (
    Broken(
        "closed, and errors are rationed",
        f"""{SIX}
        internet| sysctl -qw net.ipv6.icmp.ratelimit=100000
        c1| python3 -c 'import socket; s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); [s.sendto(b"x", ("fd00:b::1", 5000)) for _ in range(9)]'""",
        Udp("c1", "fd00:b::1", 5000), "no-listener", "internet:service", "internet| sysctl -qw net.ipv6.icmp.ratelimit=1000",
    ),
    Broken(
        "closed, and the word about it filtered",
        f"""{SIX}
        internet| nft add table ip6 zz; nft 'add chain ip6 zz o {{ type filter hook output priority 0; }}'
        internet| nft add rule ip6 zz o icmpv6 type destination-unreachable drop""",
        Udp("c1", "fd00:b::1", 5000), "no-listener", "internet:service", "internet| nft delete table ip6 zz",
    ),
    Broken(
        "an answer that is refused where it begins", f"{SIX}\ninternet| ip -6 route add unreachable fd00:a::/64 metric 1", ping("fd00:b::1"),
        "blackhole-route", "internet:routing",
    ),
    Broken(
        "an answer that a policy rule refuses", f"{SIX}\ninternet| ip -6 rule add to fd00:a::/64 prohibit", ping("fd00:b::1"),
        "policy-rule", "internet:routing",
    ),
    Broken(
        "an address that somebody else has",
        f"""{SIX}
        c2| sysctl -qw net.ipv6.conf.veth3.accept_dad=1; ip addr add fd00:a::2/64 dev veth3
        c2| until ip addr show dev veth3 | grep -q dadfailed; do :; done
        c2| ip -6 route add default via fd00:a::1""",
        ping("fd00:b::1", "c2"), "address-not-ready", "c2:veth3",
    ),
    Broken(
        "no address that may be used yet",
        f"""{SIX}
        c2| sysctl -qw net.ipv6.conf.veth3.accept_dad=1 net.ipv6.conf.veth3.dad_transmits=60; ip link set veth3 down; ip link set veth3 up
        c2| ip addr add fd00:a::7/64 dev veth3; ip -6 route add default via fd00:a::1""",
        ping("fd00:b::1", "c2"), "address-not-ready", "c2:veth3",
    ),
    Broken(
        "no address to ask for a neighbour from yet",
        f"""{SIX}
        sysctl -qw net.ipv6.conf.eth0.accept_dad=1 net.ipv6.conf.eth0.dad_transmits=60; ip addr del fe80::b:2/64 dev eth0
        ip addr add fe80::b:9/64 dev eth0; ip -6 neigh flush all""",
        ping("fd00:b::1"), "address-not-ready", "host:eth0",
    ),
    Broken(
        "switched off at the target", f"{SIX}\n{BESIDE}; sysctl -qw net.ipv6.conf.veth3.disable_ipv6=1\n{FORGET}", ping("fd00:a::3"), "ipv6-disabled", "c2:veth3",
        "c2| sysctl -qw net.ipv6.conf.veth3.disable_ipv6=0",
    ),
    Broken(
        "switched off at home", f"{SIX}\nc1| sysctl -qw net.ipv6.conf.all.disable_ipv6=1", ping("fd00:b::1"), "ipv6-disabled", "c1:veth1",
        "c1| sysctl -qw net.ipv6.conf.all.disable_ipv6=0",
    ),
    Broken(
        "a router whose firewall shuts its neighbours out",
        f"""{SIX}
        ip6tables -P INPUT DROP; ip6tables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
        {FORGET}""",
        ping("fd00:b::1"), "input-drop", "host:fw",
    ),
    Broken(
        "an asker whose firewall shuts its neighbours out",
        f"""{SIX}
        c1| ip6tables -P INPUT DROP; ip6tables -A INPUT -i lo -j ACCEPT
        {FORGET}""",
        ping("fd00:a::1"), "input-drop", "c1:fw",
    ),
    Broken(
        "a target whose firewall shuts its neighbours out", f"{SIX}\n{BESIDE}; ip6tables -P INPUT DROP\n{FORGET}", ping("fd00:a::3"), "input-drop", "c2:fw",
    ),
    Broken(
        "published, and asked next door", f"{SIX}\nip6tables -t nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to [fd00:a::3]:80\n{BESIDE}\n"
        "while ip -6 addr show dev br0 tentative | grep -q inet6; do :; done\n"
        "c2& python3 -m http.server 80 --bind ::", Connect("c1", "fd00:b::2", 8080), "no-hairpin", "host:NAT",
    ),
    Broken(
        "a gateway that is none, before the right one",
        f"{SIX}\nc2| ip addr add fe80::66/64 dev veth3 nodad\nc1| ip -6 route add default via fe80::66 dev veth1 metric 100",
        ping("fd00:b::1"), "gateway-wrong", "c1:routing",
    ),
    Broken(
        "the gateway's address at a neighbour's",
        f"""{SIX}
        c2| ip link set veth3 address 02:00:00:00:00:77; ip addr add fd00:a::1/64 dev veth3 nodad
        c1| ip -6 neigh replace fd00:a::1 lladdr 02:00:00:00:00:77 dev veth1 nud reachable""",
        ping("fd00:b::1"), "duplicate-address", "c2:veth3",
    ),
    Broken(
        "published for IPv4 only", f"{SIX}\niptables -t nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to 10.0.0.3:80", Connect("internet", "fd00:b::2", 8080),
        "dnat-rule", "host:NAT",
    ),
    Broken(
        "a port that lets no multicast out", f"{SIX}\n{BESIDE}\nbridge link set dev veth4 mcast_flood off\n{FORGET}\nc2| ip -6 neigh flush all",
        ping("fd00:a::3"), "port-flood", "host:veth4",
    ),
    Broken("an address of IPv4 only", "true", ping("fd00:b::1"), "address-missing", "c1:veth1"),
    Broken(
        "nobody answers for who is behind",
        f"""{SIX}
        internet| ip -6 route del fd00:a::/64
        c1| ip addr add fd00:b::77/128 dev veth1 nodad; ip -6 route replace default via fd00:a::1 src fd00:b::77
        ip -6 route add fd00:b::77/128 dev br0""",
        ping("fd00:b::1"), "proxy-arp-off", "host:neighbour",
        "sysctl -qw net.ipv6.conf.eth0.proxy_ndp=0 net.ipv6.neigh.eth0.proxy_delay=80; ip -6 neigh flush proxy",
    ),
    Broken(
        "a source that nobody out there knows",
        f"{SIX}\nc1| ip addr add fd00:ff::2/64 dev veth1 nodad; ip -6 route replace default via fd00:a::1 src fd00:ff::2", ping("fd00:b::1"), "source-wrong",
        "c1:routing",
    ),
    Broken("too narrow for IPv6, at home", f"{SIX}\nc1| ip link set veth1 mtu 1000", ping("fd00:b::1"), "ipv6-disabled", "c1:veth1"),
    Broken("too narrow for IPv6, at the router", f"{SIX}\nip link set eth0 mtu 1200", ping("fd00:b::1"), "ipv6-disabled", "host:eth0"),
    Broken(
        "a hop limit of one", f"{SIX}\nc1| sysctl -qw net.ipv6.conf.veth1.hop_limit=1", ping("fd00:b::1"), "ttl-exceeded", "c1",
        "c1| sysctl -qw net.ipv6.conf.veth1.hop_limit=64",
    ),
    Broken("a next hop that swallows", f"{SIX}\nip -6 route add blackhole fd00:b::1/128", ping("fd00:b::1"), "blackhole-route", "host:routing"),
    Broken("the old iptables", f"{SIX}\nip6tables-legacy -P FORWARD DROP", ping("fd00:b::1"), "legacy-iptables", "host:fw"),
    Broken(
        "bridged questions in the IP firewall", f"{SIX}\n{BESIDE}\nsysctl -qw net.bridge.bridge-nf-call-ip6tables=1; ip6tables -P FORWARD DROP\n{FORGET}",
        ping("fd00:a::3"), "bridge-netfilter", "host:fw", "sysctl -qw net.bridge.bridge-nf-call-ip6tables=0",
    ),
    Broken(
        "its own firewall keeps it from asking for neighbours", f"{SIX}\nc1| ip6tables -A OUTPUT -p icmpv6 --icmpv6-type neighbour-solicitation -j DROP\n{FORGET}",
        ping("fd00:b::1"), "output-drop", "c1:fw",
    ),
    Broken("served by IPv4 only", f"{SIX}\n{BESIDE}\nc2& python3 -m http.server 80 --bind 0.0.0.0",
           Connect("c1", "fd00:a::3", 80), "service-wrong-address", "c2:service"),
    Broken("served by IPv6 only", f"c2& {ONLY_SIX}", Connect("c1", "10.0.0.3", 80), "service-wrong-address", "c2:service"),
)  # fmt: skip
