"""Run a probe and say what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from ...model.addresses import is_address
from ...model.probe import Connect, Fetch, Lookup, Outcome, Ping, Probe, Udp
from ..read import NodeRef
from .datagram import Turns, datagram
from .echo import Identifiers, ping
from .failure import Failure
from .fetch import fetch
from .lookup import lookup, resolve
from .patience import Hope, Patience
from .stream import connect
from .target import locate, reason

LAB_IDENTIFIERS: Final = Identifiers()
"""One process serves one lab, so one counter serves all its probes."""
LAB_TURNS: Final = Turns()
"""And one order in which they send from a port."""


async def run(
    probe: Probe,
    nodes: Mapping[str, NodeRef],
    *,
    deadline_s: float,
    grace_s: float,
    identifiers: Identifiers = LAB_IDENTIFIERS,
    hope: Hope | None = None,
) -> Outcome:
    """Send ``probe`` from its node and wait for what becomes of it. Never raises for anything the network or the node does.

    ``grace_s`` is how long silence must last to count. With ``deadline_s`` of two graces a packet is tried twice, which is how to ask
    for one that must not be answered; with more, it is tried every 100 ms and given time while the network settles. ``hope`` is asked meanwhile
    whether anything may still come.
    A probe that cannot be sent at all (no such node, its namespace gone, no permission) has the result "error".
    """
    patience = Patience(deadline_s, grace_s, hope)
    ref = nodes.get(probe.node)
    if ref is None:
        return _error(probe, f"there is no node {probe.node}; there are {', '.join(sorted(nodes)) or 'none'}", patience)
    try:
        match probe:
            case Ping() | Connect() | Udp():
                return await _to_address(probe, ref, patience, identifiers)
            case Lookup():
                return await lookup(probe, ref, patience)
            case Fetch():
                return await fetch(probe, ref, patience)
    except OSError as error:
        return _error(probe, f"the probe could not be sent from {probe.node}: {reason(error)}", patience)


async def _to_address(probe: Ping | Connect | Udp, ref: NodeRef, patience: Patience, identifiers: Identifiers) -> Outcome:
    """A ping, a connection or a datagram; when it is to a name, the name is looked up first, as the tools do."""
    to = probe.to
    if isinstance(probe, Connect | Udp) and not 0 < probe.port < 65536:
        return _error(probe, f"{probe.port} is not a port: ports are 1 to 65535", patience)
    if not is_address(to):
        found = await resolve(ref, probe.node, to, patience)
        if isinstance(found, Failure):
            return found.outcome(probe, patience.waited_ms)
        outcome = await _to_address(replace(probe, to=found.address), ref, patience, identifiers)
        return replace(outcome, probe=probe, answer=outcome.answer or found.address)
    target = locate(ref.namespace, probe.node, to)
    if isinstance(target, Failure):
        return target.outcome(probe, patience.waited_ms)
    match probe:
        case Ping():
            return await ping(probe, ref, target, patience, identifiers)
        case Connect():
            return await connect(probe, ref, target, patience)
        case Udp():
            return await datagram(probe, ref, target, patience, LAB_TURNS)


def _error(probe: Probe, text: str, patience: Patience) -> Outcome:
    return Failure("could-not-run", text).outcome(probe, patience.waited_ms)
