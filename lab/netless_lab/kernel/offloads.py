"""What a link leaves to its hardware, or would if it had any: checksums, segments put together or cut (ethtool(8), ``-k`` and ``-K``).

No picture shows it, and packets tell of it: a checksum that nobody has made is wrong in every recording.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Final

from .namespace import Namespace
from .netlink.attributes import attribute, attributes, native, nest, number
from .netlink.generic import GENMSG, family, generic
from .netlink.socket import ACK, NetlinkError, NetlinkSocket

_NAME: Final = "ethtool"
_GET_FEATURES, _SET_FEATURES = 11, 12
_HEADER, _WANTED = 1, 3
"""ETHTOOL_A_FEATURES_*: the link that is spoken of, and the bits that somebody wants, be they at work or not (ethtool_netlink.h)."""
_DEV_INDEX, _FLAGS = 1, 3
_COMPACT: Final = 1
"""ETHTOOL_FLAG_COMPACT_BITSETS: as bits, without their names."""
_SIZE, _VALUE, _MASK = 2, 4, 5
_ASK: Final = GENMSG.pack(_GET_FEATURES, 1, 0) + nest(_HEADER, number(_FLAGS, _COMPACT))

Offloads = Mapping[int, bytes]
"""The bits that are wanted of each link, by its index."""


def offloads(namespace: Namespace) -> Offloads:
    """As they are now; none where the kernel does not tell (before 5.6)."""
    with contextlib.suppress(OSError), contextlib.closing(generic(namespace)) as opened:
        return _read(opened, family(opened, _NAME))
    return {}


def changed(namespace: Namespace, wanted: Offloads) -> tuple[int, ...]:
    """The links that are otherwise now than ``wanted``, of those that are there."""
    return _differing(offloads(namespace), wanted) if wanted else ()


def put_back(namespace: Namespace, wanted: Offloads) -> tuple[int, ...]:
    """Have every link that is there as it was; those that the kernel refuses."""
    refused: list[int] = []
    if not wanted:
        return ()
    with contextlib.suppress(OSError), contextlib.closing(generic(namespace)) as opened:
        kind = family(opened, _NAME)
        now = _read(opened, kind)
        for index in _differing(now, wanted):
            others = bytes(was ^ own for was, own in zip(wanted[index], now[index], strict=True))
            bits = number(_SIZE, 8 * len(others)), attribute(_VALUE, wanted[index]), attribute(_MASK, others)
            try:
                opened.request(kind, ACK, GENMSG.pack(_SET_FEATURES, 1, 0) + nest(_HEADER, number(_DEV_INDEX, index)) + nest(_WANTED, *bits))
            except NetlinkError:
                refused.append(index)
    return tuple(refused)


def _differing(now: Offloads, wanted: Offloads) -> tuple[int, ...]:
    return tuple(index for index, bits in now.items() if index in wanted and wanted[index] != bits)


def _read(opened: NetlinkSocket, kind: int) -> Offloads:
    found = {}
    for body in opened.dump(kind, _ASK):
        own = attributes(body, GENMSG.size)
        found[native(attributes(own[_HEADER])[_DEV_INDEX])] = attributes(own[_WANTED])[_VALUE]
    return found
