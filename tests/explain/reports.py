"""Faults that people report: tunnels and VPNs whose routes stay behind, answers that go another way, programs that do not keep up."""

from __future__ import annotations

from explain.firewalls import firewall
from explain.links import FORGET
from explain.routing import NAT, vxlan
from explain.services import LET_IN, PUBLISH, SERVE, resolver
from helpers.broken import SITE, Broken, ping
from netless_lab.model.probe import Connect, Fetch, Lookup, Udp

VPN = "ip link add tun9 type veth peer name tun8; ip addr add 10.8.0.2/24 dev tun9; ip link set tun9 up; ip link set tun8 up"
FRESH = "nft flush chain ip lab forward; nft add rule ip lab forward ct state established,related accept"
FULL = (
    'python3 -c \'exec("import socket, time; own = socket.socket(); own.setsockopt(1, 2, 1); own.bind((\\"\\", 80)); own.listen(0); '
    "all = [socket.socket() for _ in range(4)]; [one.setblocking(False) for one in all]; "
    '[one.connect_ex((\\"127.0.0.1\\", 80)) for one in all]; time.sleep(60)")\''
)
FROM_ELSEWHERE = (
    'python3 -c \'exec("import socket; own, other = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]; '
    '[one.setsockopt(1, 2, 1) for one in (own, other)]; own.bind((\\"10.0.0.3\\", 5000)); other.bind((\\"10.0.0.44\\", 5000))\\n'
    'while True: other.sendto(*own.recvfrom(99))")\''
)
SILENT = 'c2& python3 -c \'import socket, time; own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); own.bind(("{address}", {port})); time.sleep(60)\''
SECOND = """ip link add br1 type bridge; ip addr add 10.1.0.1/24 dev br1; ip link set br1 up
ip link add va type veth peer name vb; ip link set va master br1 up; ip link set vb netns c2; ip -n c2 addr add 10.1.0.3/24 dev vb; ip -n c2 link set vb up"""
UPLINK = """ip netns add isp; ip netns add far; ip link add eth1 type veth peer name up2 netns isp; ip addr add 192.0.2.2/24 dev eth1; ip link set eth1 up
ip -n isp addr add 192.0.2.1/24 dev up2; ip -n isp link set up2 up; ip netns exec isp sysctl -qw net.ipv4.ip_forward=1
ip -n isp link add dn type veth peer name en netns far; ip -n isp addr add 198.18.0.1/24 dev dn; ip -n isp link set dn up
ip -n far addr add 198.18.0.5/24 dev en; ip -n far link set en up; ip -n far route add default via 198.18.0.1; ip -n isp route add 10.0.0.0/24 via 192.0.2.2
nft insert rule ip lab forward iifname eth1 accept"""
"""A second way out of the host, with somebody behind it."""
ALIKE = "id 42 dstport 4789"

BROKEN = (
    # routes that stay behind
    Broken("half of the world by a tunnel", f"{VPN}; ip route add 0.0.0.0/1 dev tun9; ip route add 128.0.0.0/1 dev tun9", ping(SITE), "gateway-missing", "host:routing"),
    Broken("half of the world by nobody", f"{VPN}; ip route add 128.0.0.0/1 via 10.8.0.1", ping(SITE), "gateway-missing", "host:routing"),
    Broken("a better default route without a gateway", "ip route add default via 203.0.113.1 metric 100; ip route del default metric 0; "
           "ip route add default dev br0 metric 10",
           ping(SITE), "gateway-missing", "host:routing"),
    Broken("a route by a container", "ip route add 198.51.100.0/25 via 10.0.0.3", ping(SITE), "gateway-wrong", "host:routing"),
    Broken("a next hop that swallows", "ip nexthop add id 8 blackhole; ip route add 198.51.100.10/32 nhid 8", ping(SITE), "blackhole-route", "host:routing"),
    Broken("two gateways that nobody is", "ip route replace default nexthop via 203.0.113.98 dev eth0 nexthop via 203.0.113.99 dev eth0",
           ping(SITE), "gateway-wrong", "host:routing"),
    Broken("a subnet on a dead cable", "ip link add dx0 type veth peer name dx1; ip addr add 198.51.100.1/24 dev dx0; ip link set dx0 up",
           ping(SITE), "subnet-clash", "host:routing"),
    Broken("a tun that nobody reads", "c1| ip tuntap add tun0 mode tun; ip addr add 10.7.0.2/24 dev tun0; ip link set tun0 up; ip route add 198.51.100.0/24 dev tun0",
           ping(SITE), "link-down", "c1:tun0"),
    Broken("answers that a policy rule sends back out", "ip route add default via 203.0.113.1 table 100; ip rule add iif eth0 lookup 100",
           ping(SITE), "policy-rule", "host:routing"),
    Broken("answers with a TTL of one", "internet| sysctl -qw net.ipv4.ip_default_ttl=1", ping(SITE), "ttl-exceeded", "internet",
           "internet| sysctl -qw net.ipv4.ip_default_ttl=64"),
    Broken("a second firewall that knows one kind of answer", "nft 'table inet wall { chain forward { type filter hook forward priority filter + 1; policy drop; "
           "ct status dnat accept; }; }'", Connect("c1", SITE, 80), "forward-policy", "host:fw"),
    Broken("a policy rule for a protocol", "ip rule add ipproto icmp lookup 100 pref 500; ip route add blackhole default table 100",
           ping(SITE), "policy-rule", "host:routing"),
    Broken("a policy rule for a port", "ip rule add dport 80 lookup 100 pref 500; ip route add unreachable default table 100",
           Connect("c1", SITE, 80), "policy-rule", "host:routing"),
    Broken("a TTL that a rule writes", "nft add table ip zz; nft 'add chain ip zz p { type filter hook prerouting priority mangle; }'; "
           "nft add rule ip zz p iifname br0 ip ttl set 1",
           ping(SITE), "ttl-exceeded", "host"),
    # neighbours
    Broken("a question that the reverse path filter drops", f"{SECOND}\nsysctl -qw net.ipv4.conf.all.rp_filter=1; ip route add 10.1.0.3/32 via 10.0.0.3",
           ping("10.1.0.1", "c2"),
           "rp-filter", "host:routing", "sysctl -qw net.ipv4.conf.all.rp_filter=0"),
    Broken("a client behind a second uplink, and the reverse path filter", f"{UPLINK}\nsysctl -qw net.ipv4.conf.eth1.rp_filter=1",
           ping("10.0.0.2", "far"), "rp-filter", "host:routing"),
    Broken("ARP filtered", f"c2| sysctl -qw net.ipv4.conf.all.arp_filter=1; ip link add dq type veth peer name dp; ip link set dq up; ip link set dp up; "
           f"ip route add 10.0.0.2/32 dev dq\n{FORGET}",
           ping("10.0.0.3"), "arp-ignored", "c2:neighbour", "c2| sysctl -qw net.ipv4.conf.all.arp_filter=0"),
    Broken("ARP ignored for an address on lo", "c2| ip addr add 10.0.0.77/32 dev lo; sysctl -qw net.ipv4.conf.all.arp_ignore=1",
           ping("10.0.0.77"), "arp-ignored", "c2:neighbour",
           "c2| sysctl -qw net.ipv4.conf.all.arp_ignore=0"),
    Broken("nobody answers for who is behind", "internet| ip route add 10.0.0.99/32 dev eth0\nc1| ip addr add 203.0.113.77/32 dev veth1; "
           "ip route replace default via 10.0.0.1 src 203.0.113.77\n"
           "ip route add 203.0.113.77/32 dev br0", ping(SITE), "proxy-arp-off", "host:neighbour", "sysctl -qw net.ipv4.conf.eth0.proxy_arp=0"),
    Broken("the bridge's own MAC nailed to a port", "bridge fdb replace $(cat /sys/class/net/br0/address) dev veth4 master static",
           ping("10.0.0.1"), "fdb-wrong", "host:veth4"),
    # tunnels
    Broken("a tunnel to who has none", vxlan(ALIKE, ALIKE).replace("remote 10.0.0.3", "remote 10.0.0.1"), ping("10.9.0.2"), "vxlan-remote", "c1:vx0"),
    Broken("a tunnel without a far end", vxlan(ALIKE, ALIKE).replace("remote 10.0.0.3", ""), ping("10.9.0.2"), "vxlan-remote", "c1:vx0"),
    Broken("too wide a tunnel", vxlan(ALIKE, ALIKE) + "\nip -n c1 link set vx0 mtu 1500; ip -n c2 link set vx0 mtu 1500\nc1| ping -c1 -W1 -M do -s 1460 10.9.0.2 || true",
           ping("10.9.0.2", size=1460, dont_fragment=True), "mtu-wrong", "c1:vx0"),
    # rules
    Broken("a last rule that rejects the rest", f"{FRESH}; nft add rule ip lab forward counter reject with icmp admin-prohibited",
           ping(SITE), "firewall-reject", "host:fw"),
    Broken("a rule before a policy that drops", f"{FRESH}; nft add rule ip lab forward ip daddr 198.51.100.0/24 drop", ping(SITE), "forward-rule", "host:fw"),
    Broken("answers that are not tracked", "nft add table ip zz; nft 'add chain ip zz p { type filter hook prerouting priority raw; }'; "
           "nft add rule ip zz p ip saddr 198.51.100.10 notrack",
           ping(SITE), "untracked", "host:NAT"),
    Broken("a source that nobody out there has", f"{NAT} oifname eth0 snat to 198.51.100.77", ping(SITE), "snat-wrong", "host:NAT"),
    Broken("a return before the masquerade", f"{NAT} oifname eth0 masquerade\nnft insert rule ip lab postrouting ip saddr 10.0.0.2 return",
           ping(SITE), "masquerade-skipped", "host:NAT"),
    Broken("published in a chain on no hook", f"nft add chain ip lab pre; nft add rule ip lab pre tcp dport 8080 dnat to 10.0.0.3:80\n{SERVE}",
           Connect("internet", "203.0.113.2", 8080),
           "dnat-rule", "host:NAT"),
    Broken("a source that is the provider's", f"{NAT} oifname eth0 snat to 203.0.113.1", ping(SITE), "snat-wrong", "host:NAT"),
    Broken("a source that is a neighbour's", f"{NAT} oifname eth0 snat to 10.0.0.3", ping(SITE), "snat-wrong", "host:NAT"),
    Broken("a source of the other side", f"{NAT} oifname eth0 snat to 10.0.0.1", ping(SITE), "snat-wrong", "host:NAT"),
    Broken("a masquerade on an uplink without an address", "ip addr flush dev eth0; ip route add 203.0.113.1/32 dev eth0; ip route add default via 203.0.113.1",
           ping(SITE), "snat-wrong", "host:NAT"),
    Broken("published, and asked at 127.0.0.1", f"nft 'add chain ip lab out {{ type nat hook output priority -100; }}'; "
           f"nft add rule ip lab out tcp dport 8080 dnat to 10.0.0.3:80\n{SERVE}",
           Connect("host", "127.0.0.1", 8080), "route-localnet", "host:routing"),
    Broken("the old iptables resets", "iptables-legacy -I FORWARD -p tcp --dport 80 -j REJECT --reject-with tcp-reset",
           Connect("c1", SITE, 80), "legacy-iptables", "host:fw"),
    Broken("IPsec blocks what is passed on", "ip xfrm policy add dir fwd src 10.0.0.0/24 dst 198.51.100.0/24 action block", ping(SITE), "ipsec", "host"),
    Broken("IPsec blocks what is sent", "c1| ip xfrm policy add dir out dst 10.0.0.3/32 action block", ping("10.0.0.3"), "ipsec", "c1"),
    Broken("a MAC filter at the target's own interface", f"c2| {firewall('netdev', 'ingress', 'ether saddr != 02:00:00:00:00:01 drop', device='veth3')}\n{FORGET}",
           ping("10.0.0.3"), "nft-netdev", "c2:fw"),
    Broken("questions that may not leave", f"c1| {firewall('arp', 'output', 'arp operation request drop')}\n{FORGET}", ping("10.0.0.3"), "nft-arp", "c1:fw"),
    # who is asked
    Broken("the answer by a cable that leads to no network", f"{PUBLISH} tcp dport 8080 dnat to 10.0.0.3:80\n{LET_IN}\n"
           "ip link add va type veth peer name vb; ip link set va up; ip link set vb netns c2; ip -n c2 addr add 10.5.0.2/24 dev vb; ip -n c2 link set vb up; "
           f"ip -n c2 route replace default via 10.5.0.1\n{SERVE}", Connect("internet", "203.0.113.2", 8080), "address-missing", "host:va"),
    Broken("two cables in the bridge beside the one with the address",
           "ip link add br1 type bridge; ip link set br1 up; ip link set veth2 master br1; ip link set veth4 master br1", ping("10.0.0.1"),
           "port-wrong-bridge", "host:veth2"),
    Broken("the cable in another container", "ip link set veth4 nomaster; ip link set veth4 netns c1", ping("10.0.0.3"), "port-unplugged", "c1:veth4"),
    Broken("a policy rule that skips the tables", "ip rule add from 10.0.0.0/24 pref 300 goto 32767", ping(SITE), "policy-rule", "host:routing"),
    Broken("a name server by its name", resolver("dns.example"), Lookup("c1", "example.test"), "resolver-wrong", "c1:names"),
    Broken("the site's address on a router's lo", "ip addr add 198.51.100.10/32 dev lo", Fetch("c1", f"http://{SITE}/"), "duplicate-address", "host:lo"),
    Broken("the site's address in a router's local table", "ip route add local 198.51.100.10/32 dev lo", Fetch("c1", f"http://{SITE}/"), "route-wrong", "host:routing",
           "ip route del local 198.51.100.10 table local 2>/dev/null || true"),
    Broken("no rule for the local table", "ip rule del pref 0", ping("10.0.0.1"), "policy-rule", "host:routing",
           "ip rule show | grep -q '^0:' || ip rule add pref 0 lookup local"),
    Broken("ports that learn nothing and let nothing out", "bridge link set dev veth2 learning off flood off; bridge link set dev veth4 learning off flood off; "
           f"ip link set br0 type bridge fdb_flush; {FORGET}", ping("10.0.0.3"), "port-flood", "host:veth2"),
    # programs
    Broken("no port left", "c1| sysctl -qw net.ipv4.ip_local_port_range='40000 40000'\n"
           "c1& python3 -c 'import socket, time; own = socket.create_server((\"\", 40000)); time.sleep(60)'",
           Connect("c1", SITE, 80), "no-free-port", "c1", "c1| sysctl -qw net.ipv4.ip_local_port_range='32768 60999'"),
    Broken("a full backlog", f"c2& {FULL}\nc2| until ss -Htn state syn-sent | grep -q :80; do :; done", Connect("c1", "10.0.0.3", 80), "backlog-full", "c2:service"),
    Broken("an answer from another address", f"c2| ip addr add 10.0.0.44/24 dev veth3\nc2& {FROM_ELSEWHERE}",
           Udp("c1", "10.0.0.3", 5000), "answer-from-another", "c2:service"),
    Broken("datagrams for itself only, and no word of it", f"{SILENT.format(address='127.0.0.1', port=5000)}\n"
           "c2| nft add table ip zz; nft 'add chain ip zz o { type filter hook output priority 0; }'; nft add rule ip zz o icmp type destination-unreachable drop",
           Udp("c1", "10.0.0.3", 5000), "service-on-loopback", "c2:service", served=False),
    Broken("a name server that says nothing", f"{SILENT.format(address='', port=53)}\n{resolver('10.0.0.3')}",
           Lookup("c1", "example.test"), "service-silent", "c2:service"),
    Broken("names led to who has no name server", f"{PUBLISH} udp dport 53 dnat to 10.0.0.3\n{LET_IN}", Lookup("c1", "example.test"), "no-listener", "c2:service"),
    Broken("a page whose answers go another way", f"{SECOND}\nnft flush chain ip lab postrouting; nft insert rule ip lab forward ct state invalid drop\n{SERVE}",
           Fetch("c1", "http://10.1.0.3/"),
           "forward-rule", "host:fw"),
)  # fmt: skip
