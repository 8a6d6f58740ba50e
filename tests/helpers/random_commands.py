"""Random commands of a learner about a lab: adds, removals, settings and mistakes, of everything that a snapshot holds."""

from __future__ import annotations

import random
from collections.abc import Iterator

NODES = ("host", "c1", "box")
"""Where things are done: the host, the container c1 (by its name ``c1``), and a namespace that ``ip netns add box`` makes, while there is one."""
_LINKS = ("va", "vb", "vc", "br0", "br1", "d0", "mv0", "vx0", "eth0", "lo")
_NETS = ("10.0.0.0/24", "198.51.100.0/25", "203.0.113.128/25", "10.0.0.128/25")
_OWN = ("10.0.0.1/24", "10.0.0.2/24", "10.0.0.3/24", "10.0.0.9/32", "198.51.100.77/24", "fd00::1/64", "fd00::2/64", "fd00:1::1/64")
_GATEWAYS = ("10.0.0.1", "10.0.0.2", "198.51.100.78", "203.0.113.1")
_MACS = ("02:00:00:00:00:11", "02:00:00:00:00:12", "02:00:00:00:00:13")
_LEARNED = ("02:00:00:00:00:21", "02:00:00:00:00:22", "02:00:00:00:00:23")
_RULES = (
    "ip saddr 10.0.0.0/24 accept", "ct state established,related accept", "tcp dport 80 counter drop", 'iifname "br0" oifname != "eth0" accept',
    "ip daddr { 10.0.0.2, 10.0.0.3 } counter accept", "udp dport 53 jump other", "icmp type echo-request drop", "meta mark 0x1 return",
    "ip saddr @web drop", "tcp dport vmap @ways",
)  # fmt: skip


def commands(seed: int, length: int) -> list[list[str]]:
    """``length`` groups of commands that begin with a small network; a group is seen at once."""
    dice = random.Random(seed)
    start = [
        ["ip netns attach c1 $C1"],
        ["ip link add va type veth peer name vb", "ip link set vb netns c1"],
        ["ip link add br0 type bridge", "ip link set va master br0", "ip link set va up", "ip link set br0 up", "ip addr add 10.0.0.1/24 dev br0"],
        ["ip -n c1 addr add 10.0.0.2/24 dev vb", "ip -n c1 link set vb up", "ip -n c1 route add default via 10.0.0.1"],
        ["nft add table ip lab", "nft 'add chain ip lab forward { type filter hook forward priority 0; policy drop; }'", "nft add chain ip lab other"],
    ]
    made = _made(dice)
    groups = ([next(made) for _ in range(dice.choice((1, 1, 1, 2, 3)))] for _ in range(length))
    return [*start, *(part for group in groups for part in _namespaces_alone(group))]


def _namespaces_alone(group: list[str]) -> list[list[str]]:
    """The group, but a namespace that is made is seen at once: what settings it is born with is the machine's own affair."""
    new = [command for command in group if command == "ip netns add box"]
    return [[command] for command in new] + [[command for command in group if command not in new]] if new else [group]


def _made(dice: random.Random) -> Iterator[str]:
    kinds = (_link, _link, _port, _address, _address, _route, _route, _rule, _neighbour, _fdb, _nft, _nft, _nft, _sysctl, _name, _setting, _setting)
    while True:
        node = dice.choice(("host", "host", "host", "c1", "c1", "box"))
        kind = dice.choice(kinds)
        yield kind(dice, node)


def _ip(node: str, rest: str) -> str:
    return f"ip {rest}" if node == "host" else f"ip -n {node} {rest}"


def _in(node: str, command: str) -> str:
    return command if node == "host" else f"ip netns exec {node} {command}"


def _link(dice: random.Random, node: str) -> str:
    name, other = dice.sample(_LINKS[:8], 2)
    return dice.choice((
        _ip(node, f"link add {name} type veth peer name {other}"),
        _ip(node, f"link add {name} type veth peer name {other} netns {dice.choice(('c1', 'box', '1'))}"),
        _ip(node, f"link add {name} address {dice.choice(_MACS)} mtu 1400 type veth peer name {other}"),
        _ip(node, f"link add {dice.choice(('br0', 'br1'))} type bridge"),
        _ip(node, "link add d0 type ifb"),
        _ip(node, f"tuntap add d0 mode {dice.choice(('tun', 'tap'))}"),
        _ip(node, f"link add mv0 link {dice.choice(('va', 'eth0', 'd0'))} type macvlan mode {dice.choice(('bridge', 'private'))}"),
        _ip(node, f"link add vx0 type vxlan id 7 dstport 4789 local 203.0.113.2 remote {dice.choice(('203.0.113.1', '203.0.113.9'))}"),
        _ip(node, f"link del {name}"),
        _ip(node, f"link set {name} netns {dice.choice(('c1', 'box', '1'))}"),
        _ip(node, f"link set {name} netns {dice.choice(('c1', 'box', '1'))} name {other}"),
        _ip(node, f"link set {name} down; {_ip(node, f'link set {name} name {other}')}; {_ip(node, f'link set {other} up')}"),
    ))  # fmt: skip


def _port(dice: random.Random, node: str) -> str:
    name = dice.choice(("va", "vb", "vc", "d0", "vx0"))
    return dice.choice((
        _ip(node, f"link set {name} master {dice.choice(('br0', 'br1'))}"),
        _ip(node, f"link set {name} nomaster"),
        _ip(node, f"link set {name} type bridge_slave {dice.choice(('hairpin', 'isolated', 'learning', 'flood', 'guard', 'mcast_flood'))} {dice.choice(('on', 'off'))}"),
        _ip(node, f"link set {name} type bridge_slave priority {dice.randrange(60)}"),
    ))  # fmt: skip


def _setting(dice: random.Random, node: str) -> str:
    name = dice.choice(_LINKS)
    return dice.choice((
        _ip(node, f"link set {name} up"), _ip(node, f"link set {name} up"), _ip(node, f"link set {name} down"),
        _ip(node, f"link set {name} mtu {dice.choice((1300, 1400, 1500))}"),
        _ip(node, f"link set {dice.choice(('va', 'vb', 'vc'))} address {dice.choice(_MACS)}"),
        _ip(node, f"link set {name} alias 'the way {dice.randrange(9)}'"),
        _ip(node, f"link set {name} arp {dice.choice(('on', 'off'))}"),
        _ip(node, f"link set {name} promisc {dice.choice(('on', 'off'))}"),
        _ip(node, f"link property {dice.choice(('add', 'del'))} dev {name} altname uplink-of-all"),
        _ip(node, f"link set {dice.choice(('br0', 'br1'))} type bridge stp_state {dice.randrange(2)}"),
        _ip(node, f"link set {dice.choice(('br0', 'br1'))} type bridge {dice.choice(('ageing_time', 'hello_time', 'max_age'))} {dice.choice((300, 700, 900))}"),
        _ip(node, f"link set {name} {dice.choice(('group', 'txqueuelen'))} {dice.randrange(1, 9)}"),
        _ip(node, f"link set {name} {dice.choice(('allmulticast', 'multicast', 'dynamic'))} {dice.choice(('on', 'off'))}"),
    ))  # fmt: skip


def _address(dice: random.Random, node: str) -> str:
    link = dice.choice(_LINKS)
    more = dice.choice(("", "", "", "", f" label {link}:7", " noprefixroute", " metric 7", " proto 77"))
    return dice.choice((
        _ip(node, f"addr add {dice.choice(_OWN)} dev {link}{more}"), _ip(node, f"addr add {dice.choice(_OWN)} dev {link}{more}"),
        _ip(node, f"addr del {dice.choice(_OWN)} dev {link}"), _ip(node, f"addr {dice.choice(('add', 'del'))} 10.1.1.1 peer 10.1.1.2/32 dev {link}"),
    ))  # fmt: skip


def _route(dice: random.Random, node: str) -> str:
    metric = dice.choice(("", "", " metric 5", " metric 77"))
    table = dice.choice(("", "", "", " table 100"))
    src = dice.choice(("", "", " src 10.0.0.2"))
    verb, net, dev = dice.choice(("add", "add", "replace", "del")), dice.choice(("default", *_NETS)), dice.choice(_LINKS)
    return dice.choice((
        _ip(node, f"route {verb} {net} via {dice.choice(_GATEWAYS)}{metric}{table}{src}"),
        _ip(node, f"route {verb} {net} dev {dev}{metric}{table}{src}"),
        _ip(node, f"route {verb} {net} via 192.0.2.1 dev {dev} onlink{metric}"),
        _ip(node, f"route {dice.choice((verb, 'append'))} {net} nexthop via {dice.choice(_GATEWAYS)} weight {dice.randrange(1, 4)} nexthop dev {dev}{metric}"),
        _ip(node, f"route {dice.choice((verb, 'append'))} {net} via {dice.choice(_GATEWAYS)}{metric} mtu {dice.choice((1300, 1400))} advmss 900"),
        _ip(node, f"route {verb} {dice.choice(('blackhole', 'unreachable', 'prohibit'))} {dice.choice(_NETS)}{metric}{table}"),
        _ip(node, f"-6 route {verb} {dice.choice(('default', 'fd00:9::/64'))} via {dice.choice(('fe80::1', 'fd00::2'))} dev {dev}{metric}"),
        _ip(node, f"-6 route {verb} blackhole fd00:8::/64{metric}"),
        _ip(node, "route del default"), _ip(node, "route flush table 100"), _ip(node, f"route flush dev {dev}"),
        _ip(node, "route del 10.0.0.0/24"),
    ))  # fmt: skip


def _rule(dice: random.Random, node: str) -> str:
    verb, pref = dice.choice(("add", "add", "del")), dice.choice((50, 51, 52))
    return _ip(node, dice.choice((
        f"rule {verb} pref {pref} from 10.0.0.2 lookup 100", f"rule {verb} pref {pref} fwmark 1 lookup 100",
        f"rule {verb} pref {pref} iif br0 to 198.51.100.0/24 prohibit", f"-6 rule {verb} pref {pref} from fd00::/64 lookup 100",
        f"rule {verb} pref {pref} fwmark 0x1/0xff oif va blackhole", f"rule {verb} pref {pref} ipproto tcp dport 80-90 lookup 100",
        f"rule {verb} pref {pref} lookup main suppress_prefixlength 0", f"rule {verb} pref {pref} tos 0x10 lookup 100 protocol 77",
    )))  # fmt: skip


def _neighbour(dice: random.Random, node: str) -> str:
    address, dev = dice.choice(("10.0.0.7", "10.0.0.8", "fd00::7")), dice.choice(_LINKS[:5])
    return dice.choice((
        _ip(node, f"neigh replace {address} lladdr {dice.choice(_MACS)} dev {dev} nud permanent"), _ip(node, f"neigh del {address} dev {dev}"),
    ))  # fmt: skip


def _fdb(dice: random.Random, node: str) -> str:
    mac, dev = dice.choice(_LEARNED), dice.choice(("va", "vb", "vc"))
    return _in(node, dice.choice((
        f"bridge fdb replace {mac} dev {dev} master static", f"bridge fdb del {mac} dev {dev} master",
        f"bridge fdb replace {mac} dev {dev} master permanent", f"bridge fdb append 00:00:00:00:00:00 dev vx0 dst 203.0.113.{dice.choice((1, 4))}",
        f"bridge fdb replace {mac} dev vx0 dst 203.0.113.4",
    )))  # fmt: skip


def _nft(dice: random.Random, node: str) -> str:
    rule, chain, number = dice.choice(_RULES), dice.choice(("forward", "forward", "other")), dice.randrange(1, 4)
    handle = f"$({_in(node, f'nft -a list chain ip lab {chain}')} | grep -v '{{' | sed -n 's/.*handle //p' | sed -n {number}p)"
    return dice.choice((
        _in(node, f"nft add rule ip lab {chain} '{rule}'"), _in(node, f"nft add rule ip lab {chain} '{rule}'"),
        _in(node, f"nft insert rule ip lab {chain} '{rule}'"),
        _in(node, f"nft add rule ip lab {chain} index 0 '{rule}'"),
        _in(node, f"nft delete rule ip lab {chain} handle {handle}"), _in(node, f"nft delete rule ip lab {chain} handle {handle}"),
        _in(node, f"nft replace rule ip lab {chain} handle {handle} '{rule}'"),
        _in(node, f"nft 'chain ip lab forward {{ policy {dice.choice(('accept', 'drop'))}; }}'"),
        _in(node, "nft add table ip lab; ") + _in(node, "nft add chain ip lab other"),
        _in(node, "nft 'add set ip lab web { type ipv4_addr; flags interval; }'"),
        _in(node, f"nft {dice.choice(('add', 'delete'))} element ip lab web '{{ 10.0.0.{dice.randrange(4)}, 10.0.1.0/24 }}'"),
        _in(node, "nft 'add map ip lab ways { type inet_service : verdict; }'"),
        _in(node, f"nft {dice.choice(('add', 'delete'))} element ip lab ways '{{ {dice.choice((80, 81))} : jump other }}'"),
        _in(node, "nft delete set ip lab web"),
        _in(node, "nft add table inet more; ") + _in(node, "nft 'add chain inet more in { type filter hook input priority 5; }'"),
        _in(node, "nft add rule inet more in ip6 saddr fd00::/64 counter accept"),
        _in(node, "nft flush chain ip lab forward; ") + _in(node, "nft delete chain ip lab forward"),
        _in(node, "nft delete table inet more"), _in(node, "nft delete table ip lab") if dice.random() < 0.3 else "true",
        _in(node, "nft 'add table ip lab; add chain ip lab forward { type filter hook forward priority 0; policy drop; }'"),
    ))  # fmt: skip


def _sysctl(dice: random.Random, node: str) -> str:
    knob, value = dice.choice(("forwarding", "rp_filter", "proxy_arp", "route_localnet")), dice.randrange(2)
    return _in(node, dice.choice((
        f"sysctl -qw net.ipv4.ip_forward={value}", f"sysctl -qw net.ipv6.conf.all.forwarding={value}",
        f"sysctl -qw net.ipv4.icmp_echo_ignore_all={value}", f"sysctl -qw net.ipv4.conf.all.rp_filter={dice.randrange(3)}",
        f"sysctl -qw net.ipv4.conf.{dice.choice(('va', 'vb', 'br0', 'eth0'))}.{knob}={value}",
        f"sysctl -qw net.ipv4.conf.default.{dice.choice(('rp_filter', 'proxy_arp', 'route_localnet'))}={value}",
    )))  # fmt: skip


def _name(dice: random.Random, node: str) -> str:
    return dice.choice((
        "ip netns add box", "ip netns add box", "ip netns del box", "ln -s /proc/$C1/ns/net /run/netns/also", "ip netns del also",
        "ip netns attach more $C1", "ip netns del more",
        "echo nameserver 198.51.100.53 | nsenter -t $C1 -m tee /etc/resolv.conf", "nsenter -t $C1 -m sh -c ': > /etc/resolv.conf'",
    ))  # fmt: skip
