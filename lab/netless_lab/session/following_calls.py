"""What can be asked of the packets that were followed, by name (``protocol.Call``): follow, journeys, packet, pcap."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from ..errors import Refusal

if TYPE_CHECKING:
    from .session import Session


async def follow(session: Session, args: dict[str, Any]) -> dict[str, Any]:
    """Follow the learner's own traffic (``on``), as ``JourneyEvent`` to all who subscribed, or stop. Without ``on``, only tell.

    ``missing`` says in words what cannot be seen.
    """
    following = session.world.following
    if args.get("on") is True:
        await following.ready()
        following.traffic.start()
    elif args.get("on") is False:
        following.traffic.stop()
    return {"following": following.traffic.on, "missing": following.missing}


async def journeys(session: Session, args: dict[str, Any]) -> dict[str, Any]:
    """The journeys that are kept, oldest first."""
    return {"journeys": session.world.following.journeys()}


async def packet(session: Session, args: dict[str, Any]) -> dict[str, Any]:
    """One packet (``journey``, ``hop``) layer by layer, and its bytes in hex."""
    data, found = session.world.following.packet(_number(args, "journey"), _number(args, "hop"))
    return {"layers": found, "bytes": data.hex()}


async def pcap(session: Session, args: dict[str, Any]) -> dict[str, Any]:
    """A pcapng file, base64, of one ``journey`` or of everything that is kept; ``frames`` is how many it holds."""
    wanted = _number(args, "journey") if args.get("journey") is not None else None
    data, count = session.world.following.pcapng(wanted)
    return {"pcapng": base64.b64encode(data).decode("ascii"), "frames": count}


def _number(args: dict[str, Any], name: str) -> int:
    value = args.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refusal(f"{name} must be a number, not {value!r}")
    return value


FOLLOWING: dict[str, Callable[[Session, dict[str, Any]], Awaitable[Any]]] = {
    "follow": follow, "journeys": journeys, "packet": packet, "pcap": pcap,
}  # fmt: skip
