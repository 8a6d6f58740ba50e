"""All that was gathered about one probe, as plain facts: what ``explain`` reasons from. Pure values; ``kernel/evidence`` fills them.

Every part may be empty. ``Evidence.missing`` says in words what could not be looked at, so that "no rule dropped it" and "nobody could
watch the rules" are never mistaken for each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from .journey import Journey
from .journeys.flow import Flow
from .journeys.packet import Tuple
from .probe import Outcome, Probe
from .snapshot import Snapshot

CLOSED_PORT: Final[Mapping[int, str]] = {4: "UdpNoPorts", 6: "Udp6NoPorts"}
"""By family, the counters that rise when a datagram came for a port that no program has (RFC 4113, udpNoPorts)."""


class RouteAnswer(msgspec.Struct, frozen=True):
    """What a node's own routing says about one packet (``ip route get``, RTM_GETROUTE): the decision itself, not a guess from tables.

    With ``iif`` it is the decision about a packet that comes in by that link (forwarding, reverse path filter and policy rules
    included), without it about one the node sends itself. ``type`` is unicast, local, broadcast, blackhole ...; ``via`` the gateway.
    When there is no way, ``type`` is "" and ``error`` the errno's name: ENETUNREACH no route or an unreachable rule, EHOSTUNREACH an unreachable
    route or, with ``iif``, forwarding off (asked first), EACCES a prohibit route or rule, EINVAL a blackhole. With ``iif``, EXDEV (kernels before 6.13)
    or EINVAL also mean that the source is not believed: the reverse path filter (rp_filter), or a martian address.
    ``mtu`` is the most that the path carries as far as routing knows, 0 for what the link carries; ``mtu_learned``: a router said so.
    ``look`` is the command that shows the same.
    """

    node: str
    dst: str
    src: str | None = None
    iif: str | None = None
    type: str = ""
    via: str | None = None
    dev: str | None = None
    prefsrc: str | None = None
    table: int = 0
    error: str = ""
    words: str = ""
    look: str = ""
    mtu: int = 0
    mtu_learned: bool = False

    @property
    def next_hop(self) -> str:
        """The neighbour the packet would be handed to; "" when there is no way or none is needed."""
        return "" if self.error or self.type != "unicast" else self.via or self.dst


class Count(msgspec.Struct, frozen=True):
    """A kernel counter that rose between just before and just after the probe.

    ``name`` is the kernel's: ``IpForwDatagrams``, ``TcpExtIPReversePathFilter`` (/proc/net/snmp, netstat, snmp6), or
    ``eth0.rx_drop`` (/proc/net/dev). Anything else that happened in those milliseconds counts too.
    """

    node: str
    name: str
    by: int


class RuleHit(msgspec.Struct, frozen=True):
    """A firewall rule with a counter that rose while the probe was on its way."""

    node: str
    family: str
    table: str
    chain: str
    handle: int
    text: str
    packets: int


class LegacyRule(msgspec.Struct, frozen=True):
    """A rule of the old iptables that drops or rejects, and how many packets it counted. ``number`` 0 is the chain's policy."""

    node: str
    table: str
    chain: str
    number: int
    target: str
    packets: int


class TraceStep(msgspec.Struct, frozen=True):
    """One step of the replayed packet through a node's nftables (``nft monitor trace``).

    ``kind``: "rule" (this rule matched), "return" (back from a chain) or "policy" (no rule decided, the chain's policy did).
    ``verdict`` is in lower case: drop, accept, continue, jump, goto, return, stolen, queue. ``text`` is the rule in nft's words.
    ``talk`` is the packet as it was there, before this hook's own rewriting.
    """

    node: str
    family: str
    table: str
    chain: str
    kind: Literal["rule", "return", "policy"]
    verdict: str
    handle: int | None = None
    text: str = ""
    hook: str = ""
    iif: str = ""
    oif: str = ""
    talk: Tuple | None = None


class Trace(msgspec.Struct, frozen=True):
    """The probe was sent once more with nftables' tracing on, in ``nodes``; these are its steps, in the order each node told them.

    ``outcome`` and ``journey`` are the replay's own: it may have fared differently from the first packet.
    """

    nodes: tuple[str, ...]
    steps: tuple[TraceStep, ...]
    outcome: Outcome | None = None
    journey: Journey | None = None

    @property
    def dropped(self) -> TraceStep | None:
        """The step that dropped the packet (a reject drops too), None when no rule or policy did."""
        return next((step for step in self.steps if step.verdict == "drop"), None)


class Drop(msgspec.Struct, frozen=True):
    """The kernel freed a packet of the probe and said why (tracepoint skb:kfree_skb). Only when really root.

    ``reason`` is the kernel's name without its prefix, ``words`` what it means; ``function`` where it was. The names mislead at times
    (a peer that is down reads QDISC_DROP), so this confirms a cause and does not find one. ``about``: what was freed is an ICMP message about a
    packet of the probe, a redirect say, and says nothing of that packet's own fate.
    """

    node: str
    link: str
    reason: str
    words: str
    function: str
    talk: Tuple | None = None
    text: str = ""
    at_us: float = 0.0
    about: bool = False


class IcmpError(msgspec.Struct, frozen=True):
    """An ICMP error about the probe, seen on a wire. ``made_by`` is the node where it appeared first, ``source`` its address."""

    made_by: str
    source: str
    type: int
    code: int
    text: str
    mtu: int = 0
    came_home: bool = False


class Run(msgspec.Struct, frozen=True):
    """One packet of the probe over all its hops (``hops`` are numbers in the journey). ``arrived``: the node it was for took it in.
    ``flags`` are TCP's ("SYN", "RST,ACK").
    """

    leg: Literal["forward", "return"]
    kind: str
    flags: str
    size: int
    hops: tuple[int, ...]
    arrived: bool


class Afresh(msgspec.Struct, frozen=True):
    """The same probe, sent once more as a flow that no connection table knew: what became of it, and its entries in the tables."""

    outcome: Outcome
    flows: tuple[Flow, ...] = ()


class Evidence(msgspec.Struct, frozen=True):
    """Everything known about one probe.

    ``before`` and ``after`` are the lab just before and just after it; ``lost`` frames that the capture missed: when it is not 0 the
    wire proves nothing about what is not in ``journey``. ``runs`` are the packets of ``journey``. ``flows`` are the connection table's
    entries of the probe's own conversation.
    ``older`` are entries from before the probe, of flows still in use that ask for the same: same protocol, ends and port. Where a packet of the
    probe itself went by an entry from before it, one of ``flows`` is "known", and ``afresh`` is the same probe as a new flow.
    ``drops`` is None when the kernel's reasons could not be asked for (not root), () when it gave none. ``knobs`` are sysctls of the nodes on
    the way that a snapshot does not hold, by node and key (``net/ipv4/conf/br0/arp_ignore``, ``qdisc/eth0``).
    ``legacy`` are the rules of the old iptables that stopped it when it was sent once more, None when that was not tried.
    """

    probe: Probe
    outcome: Outcome
    journey: Journey
    before: Snapshot
    after: Snapshot
    runs: tuple[Run, ...] = ()
    errors: tuple[IcmpError, ...] = ()
    routes: tuple[RouteAnswer, ...] = ()
    counts: tuple[Count, ...] = ()
    rules: tuple[RuleHit, ...] = ()
    flows: tuple[Flow, ...] = ()
    older: tuple[Flow, ...] = ()
    afresh: Afresh | None = None
    trace: Trace | None = None
    drops: tuple[Drop, ...] | None = None
    lost: int = 0
    missing: tuple[str, ...] = ()
    took_ms: float = 0.0
    knobs: dict[str, dict[str, str]] = {}
    legacy: tuple[LegacyRule, ...] | None = None

    def count(self, node: str, name: str) -> int:
        """By how much a counter of a node rose; 0 when it did not."""
        return sum(count.by for count in self.counts if (count.node, count.name) == (node, name))
