"""Follow one probe through every nftables rule it meets, with the kernel's own tracing.

A table of our own, with a name nobody else has, marks the probe's packets and no others (by ICMP id, or by its TCP or UDP ports), in
those nodes that have rules at all and before any of their rules sees them; the kernel then reports each step to us. The table belongs
to our socket (NFT_TABLE_F_OWNER, Linux 5.12): even if this process is killed, the kernel removes it. Nobody's rules or tracing are
changed.

xtables of the legacy kind are not traced; ``Node.xtables`` names them.
Sources: nft(8) "meta nftrace", net/netfilter/nf_tables_trace.c.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Literal, NamedTuple

from ...model.evidence import TraceStep
from ...model.journeys.decode import decode
from ...model.journeys.packet import ICMP, ICMP6, TCP, UDP, Packet
from ...model.snapshot import Chain, Node
from ..namespace import call_in
from ..netlink.attributes import attributes, text
from ..netlink.socket import HEADER, HEADER_SIZE, NETLINK_NETFILTER, SOL_NETLINK
from ..nft import expressions as nft
from ..nft import wire
from ..nft.batch import Batch, BatchError, Hook
from ..nft.wire import FAMILY_NAMES, GENMSG_SIZE, SUBSYSTEM, big, verdict_of, verdict_words
from ..read import NodeRef

_FIRST: Final = -1_000_000
"""A priority before everybody's: connection tracking is at -200, raw at -300."""
_ADD_MEMBERSHIP: Final = 1
_NFTRACE_GROUP: Final = 9
_RECEIVE: Final = 1 << 17
_IP_FAMILIES: Final = frozenset({"ip", "ip6", "inet"})
_PROTOCOLS: Final[dict[int, nft.Protocol]] = {ICMP: "icmp", ICMP6: "icmpv6", TCP: "tcp", UDP: "udp"}
_threads: Final = ThreadPoolExecutor(4, thread_name_prefix="trace")
MESSAGE: Final = SUBSYSTEM << 8 | 17
_TABLE, _CHAIN, _HANDLE, _TYPE, _VERDICT, _ID, _NETWORK, _TRANSPORT = 1, 2, 3, 4, 5, 6, 8, 9
_IIF, _OIF, _NFPROTO, _POLICY = 10, 12, 15, 16
_KINDS: Final[dict[int, Literal["policy", "return", "rule"]]] = {1: "policy", 2: "return", 3: "rule"}
_POLICIES: Final = {0: "drop", 1: "accept"}
_WORDS: Final = {"verdict 2": "stolen", "verdict 3": "queue", "verdict 4": "repeat", "verdict 5": "stop"}
_ETHERTYPES: Final = {4: b"\x08\x00", 6: b"\x86\xdd"}


class Report(NamedTuple):
    """One message of NFT_MSG_TRACE (<linux/netfilter/nf_tables.h>, enum nft_trace_attributes).

    One with packet headers begins a walk through one base chain; those that follow with the same ``ident`` belong to it, and carry none:
    ``packet`` is None. The id changes on the way (it is a hash that connection tracking takes part in), so walks are joined by what the headers
    say, never by id.
    """

    family: str
    table: str
    chain: str
    kind: Literal["policy", "return", "rule"]
    verdict: str
    handle: int | None
    ident: int
    iif: int
    oif: int
    packet: Packet | None


def parse(data: bytes) -> Iterator[Report]:
    """The trace messages in what one receive gave."""
    at = 0
    while at + HEADER_SIZE <= len(data):
        length, kind, _, _, _ = HEADER.unpack_from(data, at)
        if length < HEADER_SIZE:
            return
        if kind == MESSAGE:
            found = _report(data[at + HEADER_SIZE : at + length])
            if found is not None:
                yield found
        at += (length + 3) & ~3


def _report(body: bytes) -> Report | None:
    parts = attributes(body, GENMSG_SIZE)
    kind = _KINDS.get(big(parts.get(_TYPE, b"")))
    if kind is None or not body:
        return None
    if kind == "policy":
        verdict = _POLICIES.get(big(parts.get(_POLICY, b"")), "")
    else:
        verdict = verdict_words(verdict_of({2: parts[_VERDICT]})) if _VERDICT in parts else ""
        verdict = _WORDS.get(verdict, verdict)
    return Report(
        family=FAMILY_NAMES.get(body[0], str(body[0])),
        table=text(parts.get(_TABLE, b"")),
        chain=text(parts.get(_CHAIN, b"")),
        kind=kind,
        verdict=verdict,
        handle=big(parts[_HANDLE]) if _HANDLE in parts else None,
        ident=big(parts.get(_ID, b"")),
        iif=big(parts.get(_IIF, b"")),
        oif=big(parts.get(_OIF, b"")),
        packet=_packet(parts),
    )


def _packet(parts: dict[int, bytes]) -> Packet | None:
    """The headers as far as the kernel copies them: 40 bytes of network, 20 of transport header."""
    network, transport = parts.get(_NETWORK, b""), parts.get(_TRANSPORT, b"")
    if not network:
        return None
    version = network[0] >> 4
    header = (network[0] & 0x0F) * 4 if version == 4 else 40
    kind = _ETHERTYPES.get(version)
    if kind is None or len(network) < header:
        return decode(bytes(12) + struct.pack("!H", 0x0806) + network) if version == 0 else None
    return decode(bytes(12) + kind + network[:header] + transport)


class Match(NamedTuple):
    """Which packets to trace: an ICMP echo by its id, or TCP or UDP by a port at either end. ARP is traced where it has rules."""

    proto: int
    numbers: frozenset[int]

    def rules(self) -> Iterator[bytes]:
        """The expressions of each rule that marks them."""
        protocol = nft.l4proto(_PROTOCOLS[self.proto])
        for number in sorted(self.numbers):
            if self.proto in (ICMP, ICMP6):
                yield protocol + nft.echo_id(number) + nft.trace()
            else:
                yield protocol + nft.port("sport", number) + nft.trace()
                yield protocol + nft.port("dport", number) + nft.trace()


class _Armed:
    """One node with our table in it, and the socket that hears its reports."""

    def __init__(self, ref: NodeRef, node: Node, matches: Sequence[Match], table: str) -> None:
        """Raises OSError when the kernel cannot trace."""
        self.node = node
        self._table = table
        self._families = tuple(_families(node.chains))
        self._ear = call_in(ref.namespace, _listen)
        try:
            self._batch = Batch(ref.namespace)
            try:
                self._install(matches)
            except BaseException:
                self._batch.close()
                raise
        except BaseException:
            self._ear.close()
            raise

    def reports(self) -> list[Report]:
        """What was told so far."""
        found: list[Report] = []
        with contextlib.suppress(BlockingIOError):
            while True:
                found += parse(self._ear.recv(_RECEIVE))
        return found

    def disarm(self) -> None:
        """Remove our table again; waits for the kernel (8 to 16 ms)."""
        with contextlib.suppress(OSError):
            for family in self._families:
                self._batch.delete_table(family, self._table)
            self._batch.commit()
        self._batch.close()
        self._ear.close()

    def _install(self, matches: Sequence[Match]) -> None:
        for flags in (wire.TABLE_OWNER, 0):  # kernels before 5.12 know no owners
            for family in self._families:
                self._batch.add_table(family, self._table, flags)
                for chain, hook in _hooks(family, self.node.chains):
                    self._batch.add_chain(family, self._table, chain, hook)
                    for rule in [nft.trace()] if family == "arp" else [rule for match in matches for rule in match.rules()]:
                        self._batch.add_rule(family, self._table, chain, rule)
            try:
                self._batch.commit()
                return
            except BatchError:
                if not flags:
                    raise


class Tracing:
    """Tracing of one probe in some nodes. ``async with Tracing(...) as tracing``; the tables are gone when the block is left."""

    def __init__(self, refs: Mapping[str, NodeRef], nodes: Iterable[Node], matches: Sequence[Match]) -> None:
        """``nodes`` as they are in the snapshot: those without rules need no tracing and are passed over."""
        self._wanted = [(refs[node.name], node) for node in nodes if node.name in refs and any(_families(node.chains))]
        self._matches = matches
        self._armed: list[_Armed] = []
        self.missing: list[str] = []

    @property
    def nodes(self) -> tuple[str, ...]:
        """Where packets are traced."""
        return tuple(armed.node.name for armed in self._armed)

    async def __aenter__(self) -> Tracing:
        table = f"{wire.TRACE_PREFIX}{os.urandom(6).hex()}"
        arming = asyncio.gather(*(self._arm(ref, node, table) for ref, node in self._wanted), return_exceptions=True)
        found: list[_Armed | str | BaseException] = []
        try:
            found += await asyncio.shield(arming)
        except asyncio.CancelledError as error:
            found += [*await arming, error]
        self._armed = [one for one in found if isinstance(one, _Armed)]
        self.missing = [one for one in found if isinstance(one, str)]
        if failed := [one for one in found if isinstance(one, BaseException)]:
            await self._disarm()
            raise failed[0]
        return self

    async def _arm(self, ref: NodeRef, node: Node, table: str) -> _Armed | str:
        return await asyncio.get_running_loop().run_in_executor(_threads, _arm, ref, node, self._matches, table)

    async def __aexit__(self, *exc: object) -> None:
        await self._disarm()

    def steps(self, numbers: frozenset[int]) -> tuple[TraceStep, ...]:
        """The steps of the probe's packets, node by node, without those of our own rules.

        ``numbers`` are its echo ids, or the ports of its own end: those that nobody else has. ARP is always told.
        """
        return tuple(step for armed in self._armed for step in _steps(armed.node, armed.reports(), numbers))

    async def _disarm(self) -> None:
        loop = asyncio.get_running_loop()
        armed, self._armed = self._armed, []
        leaving = asyncio.gather(*(loop.run_in_executor(_threads, one.disarm) for one in armed))
        try:
            await asyncio.shield(leaving)
        except asyncio.CancelledError:
            await leaving
            raise


def _arm(ref: NodeRef, node: Node, matches: Sequence[Match], table: str) -> _Armed | str:
    try:
        return _Armed(ref, node, matches, table)
    except OSError as error:
        return f"packets cannot be traced through the rules of {ref.name}: {error.strerror or error}"


def _listen() -> socket.socket:
    """In the node's namespace: a socket that hears trace reports."""
    ear = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, NETLINK_NETFILTER)
    try:
        ear.bind((0, 0))
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        ear.setsockopt(SOL_NETLINK, _ADD_MEMBERSHIP, _NFTRACE_GROUP)
    except OSError:
        ear.close()
        raise
    return ear


def _families(chains: Sequence[Chain]) -> Iterator[str]:
    """The families our table is needed in: only where base chains are that a packet could meet."""
    present = {chain.family for chain in chains if chain.hook is not None}
    if present & _IP_FAMILIES:
        yield "inet"
    for family in ("bridge", "arp"):
        if family in present:
            yield family
    if any(True for _ in _ingress_devices(chains)):
        yield "netdev"


def _ingress_devices(chains: Sequence[Chain]) -> Iterator[str]:
    """Devices with rules at ingress, which a packet meets before prerouting."""
    seen: set[str] = set()
    for chain in chains:
        for device in (chain.device or "").split(", "):
            if chain.hook == "ingress" and device and device not in seen:
                seen.add(device)
                yield device


def _hooks(family: str, chains: Sequence[Chain]) -> Iterator[tuple[str, Hook]]:
    """Our chains: where packets come in, and where the node sends its own."""
    if family == "netdev":
        for number, device in enumerate(_ingress_devices(chains)):
            yield f"ingress{number}", Hook("ingress", "filter", _FIRST, "accept", device)
    elif family == "arp":
        yield "input", Hook("input", "filter", _FIRST)
        yield "output", Hook("output", "filter", _FIRST)
    else:
        yield "prerouting", Hook("prerouting", "filter", _FIRST)
        yield "output", Hook("output", "filter", _FIRST)


def _steps(node: Node, reports: Iterable[Report], wanted: frozenset[int]) -> Iterator[TraceStep]:
    links = {link.ifindex: link.name for link in node.links}
    chains = {(chain.family, chain.table, chain.name): chain for chain in node.chains}
    walks: dict[int, Report] = {}
    for report in reports:
        if report.packet is not None:
            walks[report.ident] = report
        head = walks.get(report.ident)
        if head is None or head.packet is None or report.table.startswith(wire.TRACE_PREFIX):
            continue
        packet = head.packet
        if report.kind == "rule" and report.handle is None:  # the end of a chain's rules, before its policy
            continue
        if packet.kind not in ("arp-request", "arp-reply") and not wanted & {packet.sport, packet.dport}:
            continue
        chain = chains.get((report.family, report.table, report.chain))
        rule = next((own for own in chain.rules if own.handle == report.handle), None) if chain is not None else None
        first = chains.get((head.family, head.table, head.chain))
        yield TraceStep(
            node=node.name,
            family=report.family,
            table=report.table,
            chain=report.chain,
            kind=report.kind,
            verdict=report.verdict,
            handle=report.handle,
            text=rule.text if rule is not None else "",
            hook=(first.hook or "") if first is not None else "",
            iif=links.get(head.iif, ""),
            oif=links.get(head.oif, ""),
            talk=packet.talk,
        )
