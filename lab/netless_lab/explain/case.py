"""One probe's evidence, and the questions that every rung asks of it. Pure.

A case is about one packet, so it has one family, and whoever asks it for addresses, neighbours, settings or commands gets those of that
family: nothing of IPv4 is ever a fact about a packet of IPv6, nor the reverse.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Final

from ..model import dns, routes
from ..model.addresses import is_address
from ..model.evidence import Evidence, RouteAnswer
from ..model.gates import Family
from ..model.journey import Hop, Rewrite
from ..model.journeys.flow import Flow
from ..model.journeys.packet import TCP, UDP
from ..model.knobs import slashed
from ..model.probe import Lookup
from ..model.snapshot import Address, Chain, Link, Neighbour, Node, PolicyRule, Snapshot
from ..primitives.base import Where, device, word
from .last_seen import NEIGHBOUR_KINDS, LastSeen, locate, sent_to
from .segment import End

_BY_FAMILY: Final = ("route", "rule", "neighbour")
"""Objects of ip(8) that mean IPv4 unless told otherwise."""
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_.@:+/%-]+")
"""A name that is a word of its own to a shell, to ip(8) and to nft(8)."""


def of_link(family: Family, link: str, knob: str, *, of: str = "conf") -> str:
    """The key of a link's own setting as sysctl(8) takes it: with slashes, where a dot is one of the link's name."""
    return ("/" if "." in link else ".").join(("net", f"ipv{family}", of, link, knob))


def _odd(names: Collection[str]) -> frozenset[str]:
    return frozenset(name for name in names if name and not _PLAIN_NAME.fullmatch(name))


class Case:
    """The evidence under examination. ``expected`` says whose an address should be, as far as a lesson says so."""

    def __init__(self, evidence: Evidence, where: Where, expected: Mapping[str, str]) -> None:
        self.evidence = evidence
        self.where = where
        self.expected = expected
        self.before: Snapshot = evidence.before
        self.outcome = evidence.outcome
        self.probe = evidence.probe
        self.hops = evidence.journey.hops

    @cached_property
    def last(self) -> LastSeen:
        """Where the packet was last seen."""
        return locate(self.evidence)

    @cached_property
    def family(self) -> Family:
        """The packet's own family: of the addresses it carries where it was lost, whatever name or URL was asked for."""
        last = self.last
        said = (last.dst, last.asked, last.src, *(hop.dst for hop in self.hops if hop.leg == "forward"))
        return next((routes.family_of(address) for address in said if is_address(address)), 4)

    @property
    def protocol(self) -> str:
        """``IPv4`` or ``IPv6``."""
        return f"IPv{self.family}"

    @property
    def asking(self) -> str:
        """How this family finds a neighbour."""
        return "ARP" if self.family == 4 else "neighbour discovery"

    @cached_property
    def blind(self) -> bool:
        """Whether the capture missed frames, or a node that the packet may have gone into: then what was not seen may have been there."""
        return bool(self.evidence.lost or self.evidence.journey.lost_frames or self.evidence.journey.unheard)

    @property
    def sender(self) -> Node:
        """The node the probe was sent from; an empty one when it is not in the snapshot."""
        return self.node(self.probe.node)

    def node(self, name: str) -> Node:
        """A node by name; an empty one when there is none of that name."""
        return self.before.node(name) or Node(name, "unknown", 0)

    def after(self, name: str) -> Node:
        """The same node just after the probe."""
        return self.evidence.after.node(name) or self.node(name)

    def link(self, node: str, link: str) -> Link | None:
        """A link by its place."""
        return self.node(node).link(link)

    def own(self, link: Link) -> tuple[Address, ...]:
        """A link's addresses of this family; those of fe80::/10, which every link makes itself, are nobody's doing and left out."""
        return tuple(own for own in link.addresses if own.family == self.family and (self.family == 4 or own.scope != "link"))

    def lacking(self, link: Link) -> str:
        """``no address``, or ``no IPv6 address`` when the link has one of the other family."""
        return f"no {self.protocol} address" if any(own.scope != "link" for own in link.addresses) else "no address"

    def owners(self, address: str, but: str = "") -> tuple[End, ...]:
        """Every interface that holds ``address``, in any node ``but`` one."""
        others = (node for node in self.before.nodes if node.name != but)
        return tuple(End(node, link) for node in others for link in node.links if any(own.address == address for own in link.addresses))

    def neighbours(self, node: str) -> tuple[Neighbour, ...]:
        """A node's neighbour table, this family's part."""
        return tuple(entry for entry in self.node(node).neighbours if entry.family == self.family)

    def policy(self, node: str) -> tuple[PolicyRule, ...]:
        """A node's policy rules, this family's."""
        return tuple(rule for rule in self.node(node).policy if rule.family == self.family)

    def forwards(self, node: Node, iif: str) -> bool:
        """Whether a packet of this family that came in by ``iif`` may leave again."""
        if self.family == 6 and self.knob(node.name, f"net/ipv6/conf/{iif}/force_forwarding") == "1":
            return True
        return routes.forwards(node, iif, self.family)

    def forwarding_key(self, node: Node, iif: str) -> str:
        """The sysctl that keeps a packet from being passed on: the device's own one when the node forwards otherwise."""
        if self.family == 6:
            return "net.ipv6.conf.all.forwarding"
        return of_link(4, iif, "forwarding") if routes.forwards(node, "", 4) else "net.ipv4.ip_forward"

    def has_default(self, node: Node) -> bool:
        """Whether the node's main table knows a way for everything else."""
        return routes.has_default(node, self.family)

    def route(self, node: str, dst: str, src: str | None = None, iif: str | None = None) -> RouteAnswer:
        """What ``node``'s routing does with a packet."""
        return routes.answer(self.evidence, self.node(node), dst, src, iif)

    def ip(self, node: str, rest: str) -> str:
        """An ip(8) command for ``node``, as typed in the shell at hand, and of this packet's family where ip would take the other."""
        six = self.family == 6 and rest.startswith(_BY_FAMILY)
        return self.where.ip(node, f"-6 {rest}" if six else rest)

    def run(self, node: str, command: str) -> str:
        """Any command for ``node``; those of ip(8) in the shorter form."""
        return self.ip(node, command[3:]) if command.startswith("ip ") else self.where.run(node, command)

    def typable(self, command: str) -> str:
        """The command, or "" when it holds a name that a shell or nft(8), which knows no quotes for it, would read as more than a name.

        Who talks to the kernel without them may call a link, a table or a chain anything, ``c; flush ruleset`` too. So may a file in /run/netns be
        called, a line of resolv.conf read, and a name be that somebody asks for: those are harmless where they stand in quotes.
        """
        bare, (named, quotable) = command, self._odd_names
        for name in quotable:
            bare = bare.replace(word(name), "")
        return "" if any(name in command for name in named) or any(name in bare for name in quotable) else command

    @cached_property
    def _odd_names(self) -> tuple[frozenset[str], frozenset[str]]:
        """Names that no quotes make harmless, and those that they do."""
        nodes = self.before.nodes
        named = {link.name for node in nodes for link in node.links}
        named |= {name for node in nodes for chain in (*node.chains, *node.legacy) for name in (chain.table, chain.name)}
        quotable = {name for node in nodes for name in (node.name, *node.names, *node.resolvers)}
        quotable |= {self.name, self.last.dst, self.last.asked}
        return _odd(named), _odd(quotable)

    @property
    def name(self) -> str:
        """The name that the probe asks for, or the address or name that it is for."""
        return self.probe.name if isinstance(self.probe, Lookup) else sent_to(self.probe)[0]

    @property
    def iptables(self) -> str:
        """The command of the old iptables that is for this family."""
        return "iptables-legacy" if self.family == 4 else "ip6tables-legacy"

    def listing(self, node: str, chain: Chain) -> str:
        """The command that shows a chain, with what is needed to change it."""
        where = f"nft -a list chain {chain.family} {chain.table} {chain.name}"
        return self.run(node, where if chain.engine == "nft" else f"{self.iptables} -t {chain.table} -S {chain.name}")

    @cached_property
    def port(self) -> int | None:
        """The port the probe is for; None for a ping."""
        return dns.PORT if self.looking_up else sent_to(self.probe)[1]

    @property
    def looking_up(self) -> bool:
        """Whether the probe was lost while it looked for the address of the name it was sent to."""
        return isinstance(self.probe, Lookup) or (not is_address(sent_to(self.probe)[0]) and self.outcome.answer is None)

    def port_at(self, address: str, before: str = "") -> int | None:
        """The port the probe is for, as it stands where the packet is for ``address``: translation may have put in another.

        ``before`` is a node that has not translated it yet.
        """
        for flow in self.evidence.flows:
            if flow.destination_nat and flow.reply.src == address and flow.node != before:
                return flow.reply.sport
        for change in self.redirects:
            host, port = routes.host_of(change.after), change.after.rpartition(":")[2]
            if host == address != change.after and port.isdecimal() and change.node != before:
                return int(port)
        return self.port

    def flow(self, node: str) -> Flow | None:
        """What a node's connection table says of the conversation; None when it has no entry, or could not be read."""
        kind = {"tcp": TCP, "udp": UDP}.get(self.last.kind)
        return next((flow for flow in self.evidence.flows if flow.node == node and kind in (None, flow.original.proto)), None)

    @cached_property
    def talking(self) -> bool:
        """Whether an answer came as far as the place of the packet before it: there it is then part of an established connection.

        A refusal is none, nor is what another conversation of the probe was told, as that with a name server.
        """
        last, hops = self.last, self.evidence.journey.hops
        answers = (run.hops for run in self.evidence.runs if run.leg == "return" and not (last.stage == "refused" and last.at in run.hops))
        return any((hops[number].src, hops[number].dst) == (last.dst, last.src) for answer in answers for number in answer)

    @cached_property
    def bounced(self) -> bool:
        """Whether the packet was last seen coming back into a node that had sent it out itself, by its own address: somebody sent it back."""
        last = self.last
        left = self.hops[: max(last.at, 0)] if last.iif else ()
        owner = self.node(last.node).owner(last.src) if last.src else None
        return owner is not None and any(hop.node == last.node and hop.direction == "out" and (hop.leg, hop.src) == (last.leg, last.src) for hop in left)

    @cached_property
    def redirects(self) -> tuple[Rewrite, ...]:
        """Where the packet was given another destination on its way there: a published port, not the undoing of NAT on the way back."""
        changes = self.evidence.journey.rewrites
        return tuple(change for change in changes
                     if change.what == "destination" and (change.after_hop < 0 or self.hops[change.after_hop].leg == "forward"))

    def seen(self, node: str, link: str | None = None, direction: str | None = None) -> tuple[Hop, ...]:
        """Sightings of the packet itself at a place."""
        return tuple(hop for hop in self.hops if hop.node == node and link in (None, hop.link) and direction in (None, hop.direction)
                     and hop.kind not in NEIGHBOUR_KINDS)

    def made(self, hop: Hop) -> bool:
        """Whether the node itself gave the frame its addresses; else it only switches it."""
        return any(link.mac == hop.mac_src for link in self.node(hop.node).links)

    def at_end(self, hop: Hop) -> bool:
        """Whether a sighting is at an interface of the node's own, and not at a port of its bridge."""
        link = self.link(hop.node, hop.link)
        return link is not None and not (link.master and link.port)

    def setting(self, node: str, key: str) -> str:
        """A sysctl by its short key, "" when the snapshot does not hold it."""
        return self.node(node).sysctls.get(key, "")

    def knob(self, node: str, key: str) -> str:
        """A sysctl that was read for this probe (``net/ipv4/conf/br0/arp_ignore``, in either spelling), "" when it was not."""
        return self.evidence.knobs.get(node, {}).get(slashed(key), "")

    def bridge_netfilter(self, node: str, bridge: str) -> tuple[str, str]:
        """What sends a bridge's packets of this family through the firewall of IP, the node's switch or the bridge's own, and the command that
        shows it; "" twice when nothing does."""
        word, key = ("nf_call_iptables", "bridge-nf-call-iptables") if self.family == 4 else ("nf_call_ip6tables", "bridge-nf-call-ip6tables")
        link = self.link(node, bridge)
        if "1" in (self.setting(node, key), self.knob(node, f"net/bridge/{key}")):
            return f"net.bridge.{key}", f"sysctl net.bridge.{key}"
        return (f"{word} of {bridge}", f"ip -d link show {device(bridge)}") if link is not None and link.option(word) == "1" else ("", "")

    @cached_property
    def talks_dns(self) -> bool:
        """Whether the packet that is stuck is a question for a name."""
        return self.port == dns.PORT and self.last.kind == "udp"
