"""What a tap hands over: one frame as one interface of one node saw it, and a recording of many."""

from __future__ import annotations

import msgspec

from ..journey import Direction


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One frame at one interface. ``at_ns`` is the wall clock in nanoseconds (CLOCK_REALTIME).

    A bridge port and its bridge show the same stamp, because the kernel stamps a frame once when it comes in; only their order in the
    tap's queue tells them apart, so whoever sorts frames must sort stably.
    ``data`` starts at the Ethernet header and is cut at the tap's slot size; ``length`` is what really passed, in bytes.
    """

    at_ns: int
    node: str
    link: str
    ifindex: int
    direction: Direction
    data: bytes
    length: int


class Recording(msgspec.Struct, frozen=True):
    """Everything seen between start and stop, in true order.

    ``lost`` counts frames that the kernel could not hand over (PACKET_STATISTICS, packet(7)): when it is not 0, a frame that is not
    here may still have passed, and nothing may be called dead. ``left_out`` counts frames that were handed over but not kept,
    because a flood passed the recording's own limit. In the nodes that are ``unheard`` nobody listened.
    """

    frames: tuple[Frame, ...] = ()
    lost: int = 0
    left_out: int = 0
    unheard: frozenset[str] = frozenset()

    @property
    def complete(self) -> bool:
        """Whether every frame is here that passed where somebody listened."""
        return not self.lost and not self.left_out


def in_order(frames: list[Frame]) -> list[Frame]:
    """By time; frames of one stamp keep the order in which their tap handed them over."""
    return sorted(frames, key=_at)


def _at(frame: Frame) -> int:
    return frame.at_ns
