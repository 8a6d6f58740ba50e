"""A near miss gets the sentence that explains it. Each is made on the real kernel, by the commands a learner would type."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from helpers.lab import Table, expectation, lab
from helpers.sandboxed import sandboxed_once
from helpers.waiting import eventually
from netless_lab.primitives.base import CannotTell, Met, NotMet

NAMED = "mkdir -p /run/netns; ln -s /proc/$C1/ns/net /run/netns/c1\n"
CABLE = NAMED + "ip link add veth1 type veth peer name veth2\n"
PLUGGED = CABLE + "ip link set veth1 netns c1\n"
ADDRESSED = PLUGGED + "ip -n c1 addr add 10.0.0.2/24 dev veth1; ip -n c1 link set veth1 up\n"
BRIDGED = ADDRESSED + "ip link add br0 type bridge; ip link set br0 up; ip link set veth2 master br0; ip link set veth2 up\n"
ROUTED = BRIDGED + "ip addr add 10.0.0.1/24 dev br0\n"
WIRED = ADDRESSED + "ip link set veth2 up; ip addr add 10.0.0.1/24 dev veth2\n"
TABLE = "nft add table ip lab\n"
SHUT = TABLE + "nft 'add chain ip lab forward { type filter hook forward priority 0; policy drop; }'\n"
NAT = TABLE + "nft 'add chain ip lab post { type nat hook postrouting priority 100; }'\n"
SETTLED = "until {} 2>/dev/null | grep -q 'sleep 600'; do sleep 0.02; done"
ADDRESS: Table = {"address": "10.0.0.2/24", "dev": "veth1", "in": "c1"}
ANSWERS: Table = {"forward-accept": "established"}
GATEWAY: Table = {"address": "10.0.0.1/24", "dev": "br0"}
MASQUERADE: Table = {"masquerade": "10.0.0.0/24", "except": "br0"}


@dataclass(frozen=True)
class Miss:
    """A situation, what is expected in vain, words of the sentence, and words of what was seen."""

    name: str
    script: str
    expect: Table
    near: str
    seen: str = ""


MISSES = (
    Miss("address before the move", CABLE + "ip addr add 10.0.0.2/24 dev veth1", ADDRESS, "move first, then give the address", "is in the host"),
    Miss("no address yet, or wiped by the move", PLUGGED, ADDRESS, "If you gave veth1 its address before the move", "no address"),
    Miss("address with /32", PLUGGED + "ip -n c1 addr add 10.0.0.2 dev veth1", ADDRESS, "network of one", "10.0.0.2/32"),
    Miss("address with /0", PLUGGED + "ip -n c1 addr add 10.0.0.2/0 dev veth1", ADDRESS, "/0 is no network", "10.0.0.2/0"),
    Miss("address with /2", PLUGGED + "ip -n c1 addr add 192.168.7.2/2 dev veth1", {**ADDRESS, "address": "192.168.7.2/24"},
         "of internet, for one, would be looked for", "192.168.7.2/2"),
    Miss("address with /30", PLUGGED + "ip -n c1 addr add 10.0.0.2/30 dev veth1", ADDRESS, "smaller than 10.0.0.0/24", "10.0.0.2/30"),
    Miss("address on the other end", PLUGGED + "ip addr add 10.0.0.2/24 dev veth2", ADDRESS, "on veth2 in the host, not in c1"),
    Miss("address on lo", PLUGGED + "ip -n c1 addr add 10.0.0.2/24 dev lo", ADDRESS, "on lo instead of veth1"),
    Miss("address of a wider network on the port", BRIDGED + "ip addr add 10.0.0.1/16 dev veth2", GATEWAY, "10.0.0.1/16 is on veth2, which is a port of br0"),
    Miss("address on the port", BRIDGED + "ip addr add 10.0.0.1/24 dev veth2", GATEWAY, "a port of br0", "no address"),
    Miss("the broadcast address", PLUGGED + "ip -n c1 addr add 10.0.0.255/24 dev veth1", ADDRESS, "10.0.0.255 is the broadcast address", "10.0.0.255/24"),
    Miss("an address of a group", PLUGGED + "ip -n c1 addr add 224.1.1.2/24 dev veth1", ADDRESS, "a group"),
    Miss("a network for two", PLUGGED + "ip -n c1 addr add 172.16.0.2/30 dev veth1", ADDRESS, "172.16.0.0/30 is too small"),
    Miss("the network of the uplink", PLUGGED + "ip -n c1 addr add 203.0.113.9/24 dev veth1", ADDRESS, "203.0.113.0/24 is a network of the world outside"),
    Miss("an address of IPv6 only", PLUGGED + "ip -n c1 addr add fd00::2/64 dev veth1", ADDRESS, "none of IPv4"),
    Miss("the container's address", BRIDGED + "ip addr add 10.0.0.2/24 dev br0", GATEWAY, "is the address of veth1 in c1 already", "10.0.0.2/24"),
    Miss("a gateway in another network", BRIDGED + "ip addr add 10.1.0.1/24 dev br0", GATEWAY, "veth1 in c1 is in 10.0.0.0/24"),
    Miss("not moved yet", CABLE, {"link": "veth1", "in": "c1"}, "still on the host", "veth1 is in the host"),
    Miss("moved into the decoy", CABLE + "ip netns add decoy; ip link set veth1 netns decoy", {"link": "veth1", "in": "c1"}, "ip netns add", "decoy"),
    Miss("moved by the wrong end", CABLE + "ip link set veth2 netns c1", {"link": "veth2", "in": "host"}, "inside c1", "c1"),
    Miss("the decoy has the name", "ip netns add c1", {"named": "c1"}, "a decoy", "c1 (of no container)"),
    Miss("the name dangles", "mkdir -p /run/netns; ln -s /proc/99999/ns/net /run/netns/c1", {"named": "c1"}, "check the process id", "leads nowhere"),
    Miss("the name is an empty file", "mkdir -p /run/netns; touch /run/netns/c1", {"named": "c1"}, "empty file: nothing is mounted", "c1 (an empty"),
    Miss("the name is a plain file", "mkdir -p /run/netns; echo $C1 >/run/netns/c1", {"named": "c1"}, "is a plain file", "c1 (a plain file)"),
    Miss("the name is a folder", "mkdir -p /run/netns/c1", {"named": "c1"}, "c1 is a folder", "c1 (a folder)"),
    Miss("the name is a pipe", "mkdir -p /run/netns; mkfifo /run/netns/c1", {"named": "c1"}, "c1 is neither", "c1 (neither"),
    Miss("the name lost its mount", "ip netns attach c1 $C1; umount /run/netns/c1", {"named": "c1"}, "c1 is an empty file: nothing is mounted on it"),
    Miss(
        "the name leads to the mount namespace",
        "mkdir -p /run/netns; ln -s /proc/$C1/ns/mnt /run/netns/c1",
        {"named": "c1"},
        "c1 leads to a mount namespace, that of process",
        "c1 (a mount namespace)",
    ),
    Miss(
        "the name is a mount of another kind of namespace",
        "mkdir -p /run/netns; touch /run/netns/c1; mount --bind /proc/$C1/ns/uts /run/netns/c1",
        {"named": "c1"},
        "c1 is a host name namespace, not a network namespace",
        "c1 (a host name namespace)",
    ),
    Miss(
        "the name leads to the folder of namespaces",
        "mkdir -p /run/netns; ln -s /proc/$C1/ns /run/netns/c1",
        {"named": "c1"},
        "/ns, a folder",
        "c1 (a folder)",
    ),
    Miss(
        "the name leads to a plain file",
        "mkdir -p /run/netns; ln -s /tmp/c1 /run/netns/c1; echo c1 >/tmp/c1",
        {"named": "c1"},
        "c1 leads to /tmp/c1, a plain file",
        "c1 (a plain file)",
    ),
    Miss(
        "the name leads to what was a namespace",
        "ip netns add old; ln -s /run/netns/old /run/netns/c1; umount /run/netns/old",
        {"named": "c1"},
        "c1 leads to /run/netns/old, an empty file: nothing is mounted on it",
    ),
    Miss(
        "the name leads nowhere",
        "mkdir -p /run/netns; ln -s /proc/$C1/ns/nett /run/netns/c1",
        {"named": "c1"},
        "/ns/nett, where nothing is",
        "c1 (leads nowhere)",
    ),
    Miss("another name is of the wrong kind", "mkdir -p /run/netns; touch /run/netns/web", {"named": "c1"}, "web is an empty file: nothing is mounted on it"),
    Miss("the name leads to whoever looks", "mkdir -p /run/netns; ln -s /proc/self/ns/net /run/netns/c1", {"named": "c1"},
         "/proc/self is whoever looks", "c1 (of host)"),
    Miss("the decoy is an empty file", "mkdir -p /run/netns; touch /run/netns/decoy", {"netns": "decoy"}, "remove decoy first", "an empty file"),
    Miss("the name of no namespace stays", "mkdir -p /run/netns; touch /run/netns/decoy", {"no-netns": "decoy"}, "", "an empty file"),
    Miss("the name keeps nothing", "mkdir -p /run/netns; ln -s /proc/$C1/ns/net /run/netns/c1", {"named": "c1", "kept": True},
         "c1 is a symbolic link, which does not keep the namespace. Take it away first: `ip netns delete c1`."),
    Miss("the name is the host's", "mkdir -p /run/netns; ln -s /proc/1/ns/net /run/netns/c1", {"named": "c1"}, "namespace of the host"),
    Miss("a second name is no new namespace", NAMED + "ip netns attach decoy $C1", {"netns": "decoy"}, "second name", "of c1"),
    Miss("a name is no container", "ip netns add c2", {"container": "c2"}, "a name alone is no container", "containers: c1"),
    Miss("lo is down", NAMED, {"up": "lo", "in": "c1"}, "travel through lo", "lo is down"),
    Miss("ip addr add does not switch on", PLUGGED + "ip -n c1 addr add 10.0.0.2/24 dev veth1", {"up": "veth1", "in": "c1"}, "does not switch a link on"),
    Miss("each end has a switch", PLUGGED + "ip -n c1 link set veth1 up", {"up": "veth2"}, "switch of its own", "veth2 is down"),
    Miss("peer still down", ADDRESSED, {"link": "veth1", "in": "c1", "carrier": True}, "veth2 in the host, is still down", "no carrier"),
    Miss(
        "a bridge without live ports",
        CABLE + "ip link add br0 type bridge; ip link set br0 up; ip link set veth2 master br0",
        {"link": "br0", "carrier": True},
        "through its ports",
    ),
    Miss("bridge down", BRIDGED + "ip link set br0 down", {"port": "veth2", "of": "br0", "state": "forwarding"}, "br0 itself is down"),
    Miss("port down", BRIDGED + "ip link set veth2 down", {"port": "veth2", "of": "br0", "state": "forwarding"}, "veth2 is still down"),
    Miss("far end down", BRIDGED + "ip -n c1 link set veth1 down", {"port": "veth2", "of": "br0", "state": "forwarding"}, "veth1 in c1, is still down"),
    Miss(
        "spanning tree",
        BRIDGED + "ip link set veth2 nomaster; ip link set br0 type bridge stp_state 1; ip link set veth2 master br0",
        {"port": "veth2", "of": "br0", "state": "forwarding"},
        "30 seconds",
    ),
    Miss("port of no bridge", PLUGGED, {"port": "veth2", "of": "br0"}, "no bridge br0", "no port of anything"),
    Miss(
        "the wrong end plugged in",
        CABLE + "ip link add br0 type bridge; ip link set veth1 master br0",
        {"port": "veth2", "of": "br0"},
        "plugged in instead",
    ),
    Miss(
        "another bridge",
        PLUGGED + "ip link add br0 type bridge; ip link add br1 type bridge; ip link set veth2 master br1",
        {"port": "veth2", "of": "br0"},
        "",
        "port of br1",
    ),
    Miss("a bridge by another name", "ip link add bridge0 type bridge", {"bridge": "br0"}, "called bridge0"),
    Miss("not a bridge", "ip link add br0 type veth peer name x", {"bridge": "br0"}, "type bridge", "br0 is a veth"),
    Miss(
        "gateway is nobody",
        BRIDGED + "ip -n c1 route add default via 10.0.0.254",
        {"route": "default", "via": "10.0.0.1", "in": "c1"},
        "nobody's address",
        "via 10.0.0.254",
    ),
    Miss(
        "gateway is oneself",
        ROUTED + "ip link add br1 type bridge; ip addr add 10.0.0.3/32 dev br1; ip -n c1 route add default via 10.0.0.3",
        {"route": "default", "via": "10.0.0.1", "in": "c1"},
        "belongs to the host",
        "via 10.0.0.3",
    ),
    Miss(
        "route in the wrong node",
        ROUTED + "ip route replace default via 10.0.0.1",
        {"route": "default", "via": "10.0.0.1", "in": "c1"},
        "table of its own",
    ),
    Miss(
        "route out of the device",
        BRIDGED + "ip -n c1 route add default dev veth1",
        {"route": "default", "via": "10.0.0.1", "in": "c1"},
        "has to go to the gateway",
    ),
    Miss("a route of IPv6", ROUTED + "ip -n c1 -6 route add default dev veth1", {"route": "default", "via": "10.0.0.1", "in": "c1"}, "default route for IPv6"),
    Miss("a better route", ROUTED + "ip -n c1 route add default via 10.0.0.9 metric 5; ip -n c1 route add default via 10.0.0.1 metric 9",
         {"route": "default", "via": "10.0.0.1", "in": "c1"}, "its metric is 9", "via 10.0.0.9"),
    Miss(
        "gateway out of reach",
        PLUGGED + "ip -n c1 addr add 10.0.0.2/32 dev veth1; ip -n c1 link set veth1 up",
        {"route": "default", "via": "10.0.0.1", "in": "c1"},
        "direct neighbour",
    ),
    Miss("routes lost with the link", ROUTED + "ip -n c1 link set veth1 down", {"route": "default", "via": "10.0.0.1", "in": "c1"}, "deletes the routes"),
    Miss("forwarding in the container", NAMED + "ip netns exec c1 sysctl -qw net.ipv4.ip_forward=1", {"forwarding": True}, "on in c1", "is 0"),
    Miss(
        "forwarding off for one device",
        "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.eth0.forwarding=0",
        {"forwarding": True},
        "eth0 has a switch of its own",
    ),
    Miss("masquerade of another network", NAT + "nft add rule ip lab post ip saddr 10.1.0.0/24 masquerade", MASQUERADE, "rule for 10.1.0.0/24"),
    Miss("masquerade on another way out", NAT + "nft add rule ip lab post ip saddr 10.0.0.0/24 oifname wan0 masquerade", MASQUERADE, "leave by wan0"),
    Miss(
        "masquerade that leaves out the way out",
        NAT + "nft 'add rule ip lab post ip saddr 10.0.0.0/24 oifname != eth0 masquerade'",
        MASQUERADE,
        "just the way out",
    ),
    Miss("masquerade of one host", NAT + "nft add rule ip lab post ip saddr 10.0.0.2 oifname eth0 masquerade", MASQUERADE, "a part of 10.0.0.0/24",
         "10.0.0.3-10.0.0.254"),
    Miss("snat to nobody", NAT + "nft add rule ip lab post oifname eth0 snat to 203.0.113.99", MASQUERADE, "those of eth0 (203.0.113.2)", "203.0.113.99"),
    Miss("snat to a range", NAT + "nft add rule ip lab post oifname eth0 snat to 203.0.113.2-203.0.113.9", MASQUERADE, "those of eth0",
         "203.0.113.2-203.0.113.9, and 203.0.113.3-203.0.113.9 is no address of eth0"),
    Miss("an accept before it", NAT + "nft add rule ip lab post ip saddr 10.0.0.0/8 accept; nft add rule ip lab post oifname eth0 masquerade", MASQUERADE,
         "`ip saddr 10.0.0.0/8 accept` stands before it"),
    Miss("masquerade in a chain without a hook", TABLE + "nft add chain ip lab postrouting; nft add rule ip lab postrouting masquerade", MASQUERADE,
         "hangs on no hook"),
    Miss("masquerade of all", NAT + "nft add rule ip lab post ip saddr 10.0.0.0/24 masquerade", MASQUERADE, "too wide", "stay on br0"),
    Miss("masquerade by legacy iptables", "iptables-legacy -t nat -A POSTROUTING -j MASQUERADE", MASQUERADE, "too wide"),
    Miss(
        "drop at another hook",
        TABLE + "nft 'add chain ip lab i { type filter hook input priority 0; policy drop; }'",
        {"forward-policy": "drop"},
        "never see",
    ),
    Miss(
        "drop for IPv6",
        "nft add table ip6 l; nft 'add chain ip6 l f { type filter hook forward priority 0; policy drop; }'",
        {"forward-policy": "drop"},
        "for IPv6",
    ),
    Miss("drop in a chain without a hook", TABLE + "nft add chain ip lab forward; nft add rule ip lab forward drop", {"forward-policy": "drop"}, "hangs on no hook"),
    Miss("drop in a dormant table", SHUT + "nft 'add table ip lab { flags dormant; }'", {"forward-policy": "drop"}, "is dormant"),
    Miss("drop of the bridge's only", TABLE + "nft 'add chain ip lab f { type filter hook forward priority 0; }'; nft add rule ip lab f iifname br0 drop",
         {"forward-policy": "drop"}, "no rule speaks of"),
    Miss("drop by policy in the container", "nsenter -t $C1 -n nft add table ip l; nsenter -t $C1 -n nft "
         "'add chain ip l f { type filter hook forward priority 0; policy drop; }'", {"forward-policy": "drop"}, "is in c1"),
    Miss("drop by a policy that is not asked", SHUT + "nft add rule ip lab forward accept", {"forward-policy": "drop"}, "", "with its rule `accept`"),
    Miss("drop before it is known", TABLE + "nft 'add chain ip lab p { type filter hook prerouting priority 0; policy drop; }'", {"forward-policy": "drop"},
         "hook prerouting"),
    Miss("accept by a port", ROUTED + SHUT + "nft add rule ip lab forward iifname veth2 accept", {"forward-accept": "br0"}, "veth2 is a port of br0"),
    Miss("accept of pings only", ROUTED + SHUT + "nft add rule ip lab forward iifname br0 ip protocol icmp accept", {"forward-accept": "br0"},
         "does not fit them all", "when they are TCP"),
    Miss("accept in a chain without a hook", SHUT + "nft add chain ip lab mine; nft add rule ip lab mine iifname br0 accept", {"forward-accept": "br0"},
         "hangs on no hook"),
    Miss(
        "accept in another chain",
        ROUTED + SHUT + "nft 'add chain ip lab early { type filter hook forward priority -10; }'; nft add rule ip lab early iifname br0 accept",
        {"forward-accept": "br0"},
        "ends only its own chain",
        "lab forward drops",
    ),
    Miss(
        "accept after the drop",
        ROUTED + SHUT + "nft add rule ip lab forward drop; nft add rule ip lab forward iifname br0 accept",
        {"forward-accept": "br0"},
        "from the top",
        "its rule",
    ),
    Miss("accept of the network after the drop", ROUTED + SHUT + "nft add rule ip lab forward drop; nft add rule ip lab forward ip saddr 10.0.0.0/24 accept",
         {"forward-accept": "br0"}, "from the top", "its rule"),
    Miss("a drop behind an accept of something else", ROUTED + SHUT + "nft add rule ip lab forward iifname lo accept; nft add rule ip lab forward drop",
         {"forward-accept": "br0"}, "", "its rule `drop`"),
    Miss("a drop before an accept of something else", ROUTED + SHUT + "nft add rule ip lab forward drop; nft add rule ip lab forward iifname lo accept",
         {"forward-accept": "br0"}, "", "its rule `drop`"),
    Miss(
        "accept at another hook",
        SHUT + "nft 'add chain ip lab i { type filter hook input priority 0; }'; nft add rule ip lab i iifname br0 accept",
        {"forward-accept": "br0"},
        "the hook input",
    ),
    Miss("accept from a bridge that is not there", PLUGGED + SHUT, {"forward-accept": "br0"}, "", "there is no br0 on the host"),
    Miss("answers with no bridge there", NAMED + SHUT, ANSWERS, "", "there is no bridge on the host"),
    Miss("answers to who has a cable of his own", WIRED + SHUT, ANSWERS, "", "ip lab forward drops them by its policy"),
    Miss("drop of all but beginnings", SHUT + "nft add rule ip lab forward ct state new accept", {"forward-policy": "drop"}, "",
         "lets packets that should find no rule by with its rule"),
    Miss("accept the wrong way round", SHUT + "nft add rule ip lab forward oifname br0 accept", {"forward-accept": "br0"}, "come in by it (iifname)"),
    Miss(
        "accept answers only of TCP",
        SHUT + "nft add rule ip lab forward ip protocol tcp ct state established accept",
        {"forward-accept": "established"},
        "does not fit",
    ),
    Miss(
        "the loopback of the host",
        NAMED + "nsenter -t $C1 -m sh -c 'echo nameserver 127.0.0.53 > /etc/resolv.conf'",
        {"resolver": "198.51.100.53", "in": "c1"},
        "loopback of its own",
        "127.0.0.53",
    ),
    Miss("the resolver of the host", "echo nameserver 198.51.100.53 > /etc/resolv.conf", {"resolver": "198.51.100.53", "in": "c1"}, "reads a file of its own"),
    Miss(
        "the resolver of ip netns exec",
        NAMED + "mkdir -p /etc/netns/c1; echo nameserver 198.51.100.53 > /etc/netns/c1/resolv.conf",
        {"resolver": "198.51.100.53", "in": "c1"},
        "read only by what is started with `ip netns exec`",
        "names no server",
    ),
    Miss(
        "nobody answers",
        ROUTED + "sysctl -qw net.ipv4.neigh.br0.retrans_time_ms=20 net.ipv4.neigh.br0.mcast_solicit=1; ping -c1 -W1 10.0.0.9 || true",
        {"neighbour": "10.0.0.9"},
        "nobody answered",
    ),
    Miss(
        "a wrong MAC by hand",
        ROUTED + "ip neigh replace 10.0.0.2 lladdr 02:00:00:00:00:99 dev br0 nud permanent",
        {"neighbour": "10.0.0.2"},
        "belongs to veth1 in c1",
    ),
    Miss("nothing said yet", BRIDGED + "bridge fdb flush dev veth2 dynamic || true", {"learned": "internet", "behind": "veth2"}, "Ping from it once"),
    Miss("an address on two links", ROUTED + "ip addr add 10.0.0.1/24 dev veth2", {"no-address": "10.0.0.1/24", "dev": "br0"}, "", "br0 has 10.0.0.1"),
    Miss("an address anywhere", ROUTED + "ip addr add 10.0.0.1/16 dev veth2", {"no-address": "10.0.0.1/24"}, "", "veth2 and br0 have 10.0.0.1"),
    Miss("a server whose address begins so", "nsenter -t $C1 -m sh -c 'echo nameserver 198.51.100.53 > /etc/resolv.conf'",
         {"resolver": "198.51.100.5", "in": "c1"}, "", "names 198.51.100.53"),
    Miss("a default route that is a dead end", ROUTED + "ip -n c1 route add blackhole default", {"route": "default", "via": "10.0.0.1", "in": "c1"},
         "of the kind blackhole, which sends nothing on", "goes blackhole"),
    Miss("an address of the loopback", PLUGGED + "ip -n c1 addr add 127.0.0.5/8 dev veth1", ADDRESS, "an address of the loopback", "veth1 has 127.0.0.5/8"),
    Miss("an address for the link only", PLUGGED + "ip -n c1 addr add 10.7.0.7/24 dev veth1 scope link", ADDRESS, "", "veth1 has 10.7.0.7/24"),
    Miss("forwarding for IPv6", ROUTED + "sysctl -qw net.ipv6.conf.all.forwarding=1", {"forwarding": True}, "on for IPv6; IPv4 has a switch of its own"),
    Miss("forwarding on one side", ROUTED + "sysctl -qw net.ipv4.conf.br0.forwarding=1", {"forwarding": True}, "on for br0, but not for eth0"),
    Miss("masquerade by where packets go", ROUTED + NAT + "nft add rule ip lab post ip daddr 10.0.0.0/24 masquerade", MASQUERADE,
         "packets that go to 10.0.0.0/24 (ip daddr)"),
    Miss("accept only of TCP", ROUTED + SHUT + "nft add rule ip lab forward iifname br0 tcp dport 80 accept", {"forward-accept": "br0"},
         "does not fit them all", "drops them by its policy when they are ICMP"),
    Miss("masquerade only of TCP", ROUTED + NAT + "nft add rule ip lab post ip protocol tcp ip saddr 10.0.0.0/24 masquerade", MASQUERADE, "",
         "no rule rewrites them on the way out of eth0 when they are ICMP"),
    Miss("a process without a host name of its own", "unshare --net sleep 600 >/dev/null 2>&1 &\n" + SETTLED.format("lsns -nt net -o COMMAND"),
         {"container": "c2"}, "`unshare --uts`", "containers: c1"),
    Miss("a named process without a host name of its own",
         "unshare --net sh -c 'ip netns attach c2 $$; exec sleep 600' >/dev/null 2>&1 &\n" + SETTLED.format("ps -o args= -p $(ip netns pids c2)"),
         {"container": "c2"}, "`unshare --uts`", "containers: c1"),
    Miss("a process with another host name", "unshare --net --uts sh -c 'hostname web; exec sleep 600' >/dev/null 2>&1 &\n" + SETTLED.format("lsns -nt uts -o COMMAND"),
         {"container": "c2"}, "-u hostname c2` makes it c2", "containers: c1 and web"),
    Miss("a name that is taken", "mkdir -p /run/netns; ln -s /proc/1/ns/net /run/netns/c1", {"named": "c1"}, "Take it away first: `ip netns delete c1`"),
    Miss("a folder for a name", "mkdir -p /run/netns/c1", {"named": "c1"}, "Take it away first: `rmdir /run/netns/c1`"),
    Miss("a decoy has its own name only", "ip netns add c2", {"named": "c2"}, "no process lives in it", "names: c2 (of no container)"),
    Miss("the name stays behind", "mkdir -p /run/netns; ln -s /proc/99999/ns/net /run/netns/decoy", {"no-netns": "decoy"}, "stays behind"),
)


@pytest.mark.parametrize("miss", MISSES, ids=lambda miss: miss.name.replace(" ", "-"))
@sandboxed_once
def test_near_miss_is_explained(miss: Miss) -> None:
    """Not met, with what was expected, what was seen, a command that runs, and the sentence for just this mistake."""
    with lab() as own:
        own.shell("host", f"C1={own.refs()['c1'].pid}\n{miss.script}\n")
        assert eventually(lambda: isinstance(expectation(miss.expect).check(own.snapshot(), own.where()), NotMet))  # a port hears late of its far end
        finding = expectation(miss.expect).check(own.snapshot(), own.where())
        assert isinstance(finding, NotMet)
        assert finding.claim and finding.expected and finding.look
        assert miss.near in finding.near if miss.near else finding.near == ""
        assert miss.seen in finding.seen
        own.shell("host", f"{finding.look} >/tmp/looked 2>&1 || test -s /tmp/looked")


@sandboxed_once
def test_where_no_name_is_the_look_ends_well() -> None:
    """The command that shows what is there fails nowhere, also where nothing is there yet."""
    with lab() as own:
        finding = expectation({"named": "c1"}).check(own.snapshot(), own.where())
        assert isinstance(finding, NotMet)
        own.shell("host", finding.look)


@sandboxed_once
def test_a_name_that_is_in_the_way_goes_by_the_command_that_is_told() -> None:
    """After it ln(1) makes the name."""
    with lab() as own:
        for entry in ("ln -s /proc/1/ns/net /run/netns/c1", "ln -s /proc/99999/ns/net /run/netns/c1", "touch /run/netns/c1", "mkdir /run/netns/c1"):
            own.shell("host", f"mkdir -p /run/netns; {entry}")
            finding = expectation({"named": "c1"}).check(own.snapshot(), own.where())
            assert isinstance(finding, NotMet)
            own.shell("host", finding.near.rpartition("first: `")[2].partition("`")[0])
            own.shell("host", f"ln -s /proc/{own.refs()['c1'].pid}/ns/net /run/netns/c1; rm /run/netns/c1")


@pytest.mark.parametrize(
    "script", ["touch", "mkdir", "touch /tmp/c1; ln -s /tmp/c1", "ln -s /proc/$C1/ns/mnt", "ln -s /proc/$C1/ns"], ids=lambda script: script.replace("/", "-")
)
@sandboxed_once
def test_process_ids_are_spoken_of_only_where_they_are_the_matter(script: str) -> None:
    """An entry of the wrong kind is told for what it is; the number was right, or there was none."""
    with lab() as own:
        own.shell("host", f"C1={own.refs()['c1'].pid}\nmkdir -p /run/netns\n{script} /run/netns/c1\n")
        finding = expectation({"named": "c1"}).check(own.snapshot(), own.where())
        assert isinstance(finding, NotMet) and "process id" not in finding.near and "/ns/net" in finding.near


@sandboxed_once
def test_answers_to_who_has_a_cable_of_his_own_are_judged_on_their_way() -> None:
    """Without a bridge the packets come in by the cable; where one of two gets answers and the other none, nobody can tell who was meant."""
    second = "ip link add veth4 type veth peer name veth5; ip addr add 10.0.1.1/24 dev veth4; ip link set veth4 up\n"
    accept = "nft add rule ip lab forward iifname eth0 oifname veth2 ct state established accept\n"
    with lab() as own:
        own.shell("host", f"C1={own.refs()['c1'].pid}\n{WIRED}{SHUT}{accept}")
        assert isinstance(expectation(ANSWERS).check(own.snapshot(), own.where()), Met)
        own.shell("host", second)
        assert isinstance(expectation(ANSWERS).check(own.snapshot(), own.where()), CannotTell)
