"""Classic BPF programs that decide in the kernel which frames a tap takes (Documentation/networking/filter.rst).

A flood passes a tap a million times a second; of a probe there are a dozen frames. A sieve that knows the probe lets the flood fall
through before it is copied, so that nothing of the probe is lost and the recording may still say what is *not* there.
"""

from __future__ import annotations

import struct
from typing import Final

_PROTOCOL: Final = 0xFFFFF000
"""SKF_AD_OFF + SKF_AD_PROTOCOL: the EtherType, wherever the frame keeps it."""
_NETWORK: Final = 0xFFF00000
"""SKF_NET_OFF: offsets from the IP header on, also for devices without Ethernet."""
_BYTE, _HALF, _EQUAL, _GREATER, _NOT_LESS, _ANY_BIT, _RETURN = 0x30, 0x28, 0x15, 0x25, 0x35, 0x45, 0x06
_IP4, _IP6, _ICMP, _TCP, _UDP, _ICMP6 = 0x0800, 0x86DD, 1, 6, 17, 58
_DNS, _VXLAN, _OLD_VXLAN = 53, 4789, 8472
_WHOLE: Final = 0xFFFFFFFF

Line = tuple[int, int, str, str]
"""Code, operand, label to go to when true, label when false; "" is the next line."""


def _assemble(lines: list[tuple[str, Line]]) -> bytes:
    """``lines`` are (own label or "", instruction)."""
    places = {label: number for number, (label, _) in enumerate(lines) if label}
    packed = b""
    for number, (_, (code, operand, true, false)) in enumerate(lines):
        jumps = [places[label] - number - 1 if label else 0 for label in (true, false)]
        packed += struct.pack("=HBBI", code, *jumps, operand)
    return packed


def _do(code: int, operand: int) -> Line:
    return code, operand, "", ""


NOTHING: Final = _assemble([("", _do(_RETURN, 0))])
EVERYTHING: Final = _assemble([("", _do(_RETURN, _WHOLE))])


def echoes(first: int, last: int) -> bytes:
    """What a ping with an id from ``first`` to ``last`` may cause: those echoes, ICMP errors, ARP, IPv6, names, tunnels, pieces.

    TCP, other people's UDP and other people's echoes are left out. Whose a later piece is, or one with options, is not looked for: it is taken.
    """
    return _of_echoes(first, last, tcp="drop", udp="udp")


def no_echoes() -> bytes:
    """What a connection, a datagram or a question for a name may cause: everything but echoes, of which a flood is one command away."""
    return _of_echoes(1, 0, tcp="keep", udp="keep")


def _of_echoes(first: int, last: int, *, tcp: str, udp: str) -> bytes:
    """Echoes of these ids; where the other protocols go, by label."""
    return _assemble([
        ("", _do(_HALF, _PROTOCOL)),
        ("", (_EQUAL, _IP6, "ip6", "")),
        ("", (_EQUAL, _IP4, "", "keep")),
        ("", _do(_BYTE, _NETWORK + 9)),
        ("", (_EQUAL, _TCP, tcp, "")),
        ("", _do(_HALF, _NETWORK + 6)),
        ("", (_ANY_BIT, 0x1FFF, "keep", "")),
        ("", _do(_BYTE, _NETWORK)),
        ("", (_EQUAL, 0x45, "", "keep")),
        ("", _do(_BYTE, _NETWORK + 9)),
        ("", (_EQUAL, _UDP, udp, "")),
        ("", (_EQUAL, _ICMP, "", "keep")),
        ("", _do(_BYTE, _NETWORK + 20)),
        ("", (_EQUAL, 8, "echo", "")),
        ("", (_EQUAL, 0, "echo", "keep")),
        ("echo", _do(_HALF, _NETWORK + 24)),
        ("", (_NOT_LESS, 0, "id", "id")),
        ("ip6", _do(_BYTE, _NETWORK + 6)),
        ("", (_EQUAL, _ICMP6, "", "keep")),
        ("", _do(_BYTE, _NETWORK + 40)),
        ("", (_EQUAL, 128, "echo6", "")),
        ("", (_EQUAL, 129, "echo6", "keep")),
        ("echo6", _do(_HALF, _NETWORK + 44)),
        ("id", (_NOT_LESS, first, "", "drop")),
        ("", (_GREATER, last, "drop", "keep")),
        ("udp", _do(_HALF, _NETWORK + 22)),
        ("", (_EQUAL, _VXLAN, "keep", "")),
        ("", (_EQUAL, _OLD_VXLAN, "keep", "")),
        ("", (_EQUAL, _DNS, "keep", "")),
        ("", _do(_HALF, _NETWORK + 20)),
        ("", (_EQUAL, _DNS, "keep", "drop")),
        ("keep", _do(_RETURN, _WHOLE)),
        ("drop", _do(_RETURN, 0)),
    ])  # fmt: skip
