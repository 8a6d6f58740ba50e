"""A snapshot: the network state of every node of a lab, read from the kernel at one moment.

Everything else (diff, scene, judge, explain) works on this frozen value and never on the kernel itself.
Identity: a namespace is its inode (``netns``), an interface is (netns, ifindex). Names are only labels: two namespaces may
hold interfaces of the same name, the same ifindex and even the same nsid (see ``Peer``).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Literal, TypeVar

import msgspec

from .addresses import interface, plain
from .netfilter.rules import NamedSet, Part
from .options import Option

K = TypeVar("K")
V = TypeVar("V")

Role = Literal["host", "container", "internet", "router", "unknown"]
"""What a node is in the lesson. ``unknown`` is a namespace no lesson made: it is shown all the same."""


class Address(msgspec.Struct, frozen=True):
    """One address of a link, as ``ip address`` shows it.

    ``peer`` is the far end of a point-to-point link, with its prefix. ``others`` are further words of ip(8) that it was given, as far as they
    last: ``noprefixroute``, ``label eth0:1``, a broadcast address that is not its network's. ``tentative``: an IPv6 address nobody may use
    yet, because the kernel still asks whether somebody has it; ``duplicate``: somebody has.
    """

    address: str
    prefix: int
    family: Literal[4, 6] = 4
    scope: str = "global"
    tentative: bool = False
    duplicate: bool = False
    peer: str | None = None
    others: tuple[str, ...] = ()

    @property
    def cidr(self) -> str:
        """``10.0.0.2/24``"""
        return f"{self.address}/{self.prefix}"

    @property
    def given(self) -> Address:
        """As it was given, however it fares."""
        return msgspec.structs.replace(self, tentative=False, duplicate=False)


class Peer(msgspec.Struct, frozen=True):
    """The other end of a veth cable (or the lower device of a macvlan), resolved to a node.

    ``node`` is "" when the other end lies in a namespace this lab cannot see.
    """

    node: str
    name: str
    ifindex: int


class BridgePort(msgspec.Struct, frozen=True):
    """What a bridge knows of one of its ports (``bridge -d link``).

    ``flood`` and ``broadcast``: whether frames for MACs it does not know, and for everybody, leave by it. ``locked``: it takes frames in
    only from MACs it was told of.
    """

    state: Literal["disabled", "listening", "learning", "forwarding", "blocking"] = "disabled"
    hairpin: bool = False
    isolated: bool = False
    learning: bool = True
    flood: bool = True
    broadcast: bool = True
    locked: bool = False


Program = Literal["xdp", "tc-ingress", "tc-egress", "queue"]
"""What decides over the packets of a link and is no rule: an XDP program, filters of tc(8) on the way in or out, a queueing discipline that
delays or drops. netless sees that it is there and cannot read what it does."""

PLAIN_QUEUES = frozenset({"", "noqueue", "pfifo_fast", "fq_codel", "fq", "mq", "noop", "pfifo", "bfifo", "sfq"})
"""Queueing disciplines that drop nothing at the pace of a ping (tc(8)): where there is no other, nothing is said of a link's queue."""


class Vxlan(msgspec.Struct, frozen=True):
    """The part of a vxlan device that matters for a lesson (``ip -d link``)."""

    vni: int
    port: int
    local: str | None = None
    remote: str | None = None


class Link(msgspec.Struct, frozen=True):
    """One network interface. ``mac`` is lower case with colons, ``mtu`` in bytes.

    ``kind`` is the kernel's own word (veth, bridge, macvlan, vxlan, tun ...); "loopback" for lo, "physical" for a device that has none.
    ``peer`` is the other end of a veth, or the device below a macvlan, vlan or vxlan. ``mode`` is that of a macvlan,
    ipvlan or tun device ("tun" or "tap").
    ``options`` are what it was given beside all that, and is not born with.
    ``forward_delay_s`` is set on bridges only: how long a port stays in each of listening and learning when STP is on.

    ``up`` is IFF_UP (what was asked), ``carrier`` is IFLA_CARRIER (whether the cable is live); a bridge's operstate is not
    used: the same build reads UP or UNKNOWN at random.
    """

    name: str
    ifindex: int
    kind: str
    up: bool
    carrier: bool
    mac: str = ""
    mtu: int = 1500
    peer: Peer | None = None
    master: str | None = None
    addresses: tuple[Address, ...] = ()
    port: BridgePort | None = None
    stp: bool = False
    arp: bool = True
    promisc: bool = False
    operstate: str = "unknown"
    vxlan: Vxlan | None = None
    mode: str | None = None
    alias: str = ""
    altnames: tuple[str, ...] = ()
    forward_delay_s: int | None = None
    programs: tuple[Program, ...] = ()
    options: tuple[Option, ...] = ()

    def option(self, word: str) -> str:
        """What it was given of one option; "" for what it was born with."""
        return next((own.value for own in self.options if own.word == word), "")

    @property
    def v4(self) -> tuple[Address, ...]:
        """Its IPv4 addresses."""
        return tuple(address for address in self.addresses if address.family == 4)


REFUSING = ("blackhole", "unreachable", "prohibit")
"""Types of routes, and actions of policy rules, whose only purpose is to refuse (ip-route(8), ip-rule(8))."""


class Route(msgspec.Struct, frozen=True):
    """One route. ``dst`` is a CIDR or "default".

    ``type`` is unicast, local, broadcast, blackhole, unreachable, prohibit or throw. ``onlink``: the gateway is a neighbour though no network
    of the device holds it (RTNH_F_ONLINK). ``share`` is the weight among several ways of one route (``nexthop ... weight``), each of which is
    a ``Route`` here; 0 for the only one, and for IPv6, whose ways come and go one by one, for an equal share. ``others`` are further
    words of ip(8): ``mtu 1400``, ``tos 0x10``.
    """

    dst: str
    via: str | None = None
    dev: str | None = None
    table: int = 254
    type: str = "unicast"
    scope: str = "global"
    protocol: str = "boot"
    metric: int = 0
    src: str | None = None
    family: Literal[4, 6] = 4
    linkdown: bool = False
    onlink: bool = False
    share: int = 0
    others: tuple[str, ...] = ()


class PolicyRule(msgspec.Struct, frozen=True):
    """One ``ip rule``. The three default rules are in the snapshot too. ``table`` is 0 when the action looks nothing up.

    ``negated``: it is for every packet that does *not* fit (``ip rule add not ...``). ``suppress``: a route it finds counts only when its
    prefix is longer than this (``suppress_prefixlength``). ``others`` are further selectors in ip's words (``ipproto tcp``, ``uidrange 0-0``):
    what is known of a packet here does not say whether they fit. ``notes`` select nothing: who made it, realms.
    """

    priority: int
    src: str = "all"
    dst: str = "all"
    action: str = "lookup"
    table: int = 254
    iif: str | None = None
    oif: str | None = None
    family: Literal[4, 6] = 4
    mark: str | None = None
    negated: bool = False
    suppress: int | None = None
    others: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The whole rule as ``ip rule`` prints it, without its priority: ``not from all fwmark 0xca6c lookup 51820``."""
        words = ["not"] * self.negated + ["from", self.src] + ["to", self.dst] * (self.dst != "all")
        words += ["fwmark", self.mark] if self.mark else []
        words += ["iif", self.iif] if self.iif else []
        words += ["oif", self.oif] if self.oif else []
        words += [*self.others, *(["lookup", str(self.table)] if self.action == "lookup" else [self.action])]
        return " ".join([*words, *(["suppress_prefixlength", str(self.suppress)] if self.suppress is not None else []), *self.notes])


class Neighbour(msgspec.Struct, frozen=True):
    """One entry of the ARP/ND table. ``state`` as ip(8) prints it: reachable, stale, failed, incomplete, permanent ..."""

    address: str
    dev: str
    mac: str | None = None
    state: str = "none"
    family: Literal[4, 6] = 4


class FdbEntry(msgspec.Struct, frozen=True):
    """One entry of a bridge's (or vxlan's) forwarding database: behind which port a MAC lives. ``others`` are further words of bridge(8)."""

    mac: str
    dev: str
    master: str | None = None
    state: str = "reachable"
    local: bool = False
    dst: str | None = None
    others: tuple[str, ...] = ()


class Rule(msgspec.Struct, frozen=True):
    """One nftables rule: ``text`` in nft's own syntax without counter values, for people; ``parts`` all of it that decides anything, typed.

    Whoever wants to know what it does asks the interpreter (``netfilter.run``). ``opaque`` is true when ``text`` holds what nft(8) would
    not take: an expression without words here.
    """

    handle: int
    text: str
    packets: int | None = None
    bytes: int | None = None
    opaque: bool = False
    parts: tuple[Part, ...] = ()


class Chain(msgspec.Struct, frozen=True):
    """One nftables chain. ``hook`` is None for a chain only reached by jump; ``priority`` is the number the kernel uses.

    The kernel asks no chain of a table that is ``dormant`` (nft(8)).

    A chain of a table of the old iptables (``engine`` "legacy") has that table's name, and its rules the words of iptables-save(8).
    """

    family: str
    table: str
    name: str
    type: str | None = None
    hook: str | None = None
    priority: int = 0
    policy: str | None = None
    device: str | None = None
    rules: tuple[Rule, ...] = ()
    engine: Literal["nft", "legacy"] = "nft"
    dormant: bool = False


Instead = Literal["empty", "file", "folder", "other", "mnt", "pid", "uts", "ipc", "user", "cgroup", "time"]
"""What can be where a network namespace should be: a file (``empty``: without content), a folder, something ``other``, or a namespace of
another kind, as /proc/PID/ns calls it."""


class Name(msgspec.Struct, frozen=True):
    """One entry of /run/netns.

    ``netns`` is the inode it leads to; when it leads to something else than a network namespace that is None, and ``instead`` says to
    what (None: nothing is there). ``pid`` is set when it is a symlink to a file of /proc/PID/ns.
    """

    name: str
    netns: int | None
    how: Literal["symlink", "mount", "file"] = "mount"
    pid: int | None = None
    target: str | None = None
    instead: Instead | None = None


class Listener(msgspec.Struct, frozen=True):
    """A socket that waits for clients in a node (``ss -ltun``)."""

    protocol: Literal["tcp", "udp"]
    address: str
    port: int
    family: Literal[4, 6] = 4


class Node(msgspec.Struct, frozen=True, dict=True):
    """One network namespace with a role. ``names`` are its names in /run/netns (``ip netns list``).

    ``xtables`` are the tables of the old iptables that hold anything, ``legacy`` their chains; ``tables`` are those of nftables (``ip lab``).
    ``resolvers`` are the name servers that its own programs ask, ``resolvers_by_name`` those that /etc/netns has for who enters by
    ``ip netns exec``.
    """

    name: str
    role: Role
    netns: int
    pid: int | None = None
    names: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    routes: tuple[Route, ...] = ()
    policy: tuple[PolicyRule, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    fdb: tuple[FdbEntry, ...] = ()
    chains: tuple[Chain, ...] = ()
    sets: tuple[NamedSet, ...] = ()
    xtables: tuple[str, ...] = ()
    legacy: tuple[Chain, ...] = ()
    sysctls: dict[str, str] = {}
    resolvers: tuple[str, ...] = ()
    resolvers_by_name: tuple[str, ...] = ()
    listeners: tuple[Listener, ...] = ()
    tables: tuple[str, ...] = ()

    def link(self, name: str) -> Link | None:
        """The link called ``name``, by name or altname; None when there is none."""
        return self._by_name.get(name)

    def ip_device(self, link: str) -> str:
        """The device that IP, and so its rules and routes, knows a packet on a link by: of a port its bridge, else the link itself."""
        found = self.link(link)
        return found.master if found is not None and found.master else link

    def owner(self, address: str) -> Link | None:
        """The link that holds ``address`` (without prefix, in any spelling), or None."""
        return self._by_address.get(plain(address))

    def address_for(self, asker: Node | None) -> str | None:
        """The address by which somebody means this node: one in a network that the asker is in, else its first that is not alone in its network, IPv4 first."""
        own = [address for link in self.links if link.name != "lo" for address in link.addresses if address.scope == "global"]
        beside = {interface(address.cidr).network for link in (asker.links if asker is not None else ()) for address in link.addresses}

        def rank(address: Address) -> tuple[bool, bool, int]:
            alone = address.prefix == (32 if address.family == 4 else 128)
            return alone or interface(address.cidr).network not in beside, alone, address.family

        return min(own, key=rank).address if own else None

    @cached_property
    def _by_name(self) -> dict[str, Link]:
        return _first((name, link) for link in self.links for name in (link.name, *link.altnames))

    @cached_property
    def _by_address(self) -> dict[str, Link]:
        return _first((plain(own.address), link) for link in self.links for own in link.addresses)


class Snapshot(msgspec.Struct, frozen=True, dict=True):
    """Every node of the lab, host first, and every name in /run/netns, dangling ones included.

    ``taken`` is the wall clock in nanoseconds since the epoch; it takes no part in ``diff``.
    """

    nodes: tuple[Node, ...] = ()
    names: tuple[Name, ...] = ()
    taken: int = 0

    def node(self, name: str) -> Node | None:
        """The node called ``name``, or None."""
        return self._by_name.get(name)

    def host_of(self, node: Node) -> Node | None:
        """The host that a node lives on: itself when it is one, else the one that a cable of its leads to, else the first host there is."""
        if node.role == "host":
            return node
        cabled = (self.node(link.peer.node) for link in node.links if link.peer is not None and link.peer.node)
        hosts = (*(far for far in cabled if far is not None), *self.nodes)
        return next((own for own in hosts if own.role == "host"), None)

    def by_netns(self, inode: int) -> Node | None:
        """The node whose namespace has this inode, or None."""
        return self._by_inode.get(inode)

    def named(self, name: str) -> Node | None:
        """The node that the /run/netns entry ``name`` leads to, or None."""
        inode = next((entry.netns for entry in self.names if entry.name == name and entry.netns is not None), None)
        return self.by_netns(inode) if inode is not None else None

    @cached_property
    def _by_name(self) -> dict[str, Node]:
        return _first((node.name, node) for node in self.nodes)

    @cached_property
    def _by_inode(self) -> dict[int, Node]:
        return _first((node.netns, node) for node in self.nodes)


def _first(pairs: Iterable[tuple[K, V]]) -> dict[K, V]:
    """What each key stands for; of several, the first."""
    found: dict[K, V] = {}
    for key, value in pairs:
        found.setdefault(key, value)
    return found
