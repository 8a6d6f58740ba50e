"""The program that runs at every packet the kernel throws away, instruction by instruction (Documentation/bpf/standardization).

    is the packet's network namespace owned by our user namespace?   no: done
    stamp, reason, namespace, interface, protocol, function, the first bytes from the IP header on -> ring

Nothing but these bytes leaves the kernel: no addresses of its memory.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final

from .btf import Btf

RECORD: Final = struct.Struct("<QIIIHxx16s48s104s")
"""ns since boot (CLOCK_MONOTONIC), reason, inode of the network namespace, ifindex, EtherType (big endian), interface, function, packet."""
assert RECORD.size == 192
_DATA_SIZE: Final = 104
_FUNCTION_SIZE: Final = 48
FIELDS: Final = {
    "dev": ("sk_buff", "dev"),
    "head": ("sk_buff", "head"),
    "network_header": ("sk_buff", "network_header"),
    "protocol": ("sk_buff", "protocol"),
    "sk": ("sk_buff", "sk"),
    "dev_net": ("net_device", "nd_net.net"),
    "ifindex": ("net_device", "ifindex"),
    "dev_name": ("net_device", "name"),
    "net_inum": ("net", "ns.inum"),
    "net_user": ("net", "user_ns"),
    "user_inum": ("user_namespace", "ns.inum"),
    "sk_net": ("sock", "__sk_common.skc_net.net"),
}
REASONS: Final = "skb_drop_reason"

_MAP_LOOKUP, _KTIME, _READ_KERNEL, _RING_OUTPUT, _SNPRINTF = 1, 5, 113, 130, 165
_CTX, _SKB, _PLACE, _REASON, _WORK, _FRAME = 1, 6, 7, 8, 9, 10
"""Registers: 6 to 9 survive calls, 10 is the stack's end."""
_START: Final = -256
"""Where the record lies on the stack; above it is room for single values."""
_AT_REASON, _AT_NET, _AT_IFINDEX, _AT_PROTOCOL, _AT_NAME, _AT_FUNCTION, _AT_DATA = 8, 12, 16, 20, 24, 40, 88
_POINTER, _NET, _KEY, _ARGUMENT, _NUMBER = -8, -16, -24, -32, -40


def fields(btf: Btf) -> dict[str, int]:
    """The offsets the program needs. Raises KeyError for one this kernel does not have."""
    return {name: btf.offset(structure, path) for name, (structure, path) in FIELDS.items()}


def program(offsets: Mapping[str, int], ring: int, owner: int, formats: int) -> bytes:
    """The instructions. ``ring``, ``owner`` and ``formats`` are the maps' descriptors: records, wanted user namespace, "%ps"."""
    code = _load(8, _SKB, _CTX, 0) + _load(8, _PLACE, _CTX, 8) + _load(8, _REASON, _CTX, 16)
    for place in range(0, RECORD.size, 8):
        code += _store_number(8, _START + place, 0)
    code += _namespace(offsets) + _only_ours(offsets, owner)
    code += _store(4, _START + _AT_REASON, _REASON)
    code += _read(_START + _AT_PROTOCOL, 2, _SKB, offsets["protocol"])
    code += _function(formats) + _packet(offsets)
    code += _call(_KTIME) + _store(8, _START, 0)
    code += _map(1, ring) + _address(2, _START) + _set(3, RECORD.size) + _set(4, 0) + _call(_RING_OUTPUT)
    return code + _end()


def _namespace(offsets: Mapping[str, int]) -> bytes:
    """The packet's namespace into ``_NET``, by its device, or by its socket when it has none yet."""
    by_device = _read(_NET, 8, _WORK, offsets["dev_net"])
    by_device += _read(_START + _AT_IFINDEX, 4, _WORK, offsets["ifindex"])
    by_device += _read(_START + _AT_NAME, 16, _WORK, offsets["dev_name"])
    by_socket = _read(_POINTER, 8, _SKB, offsets["sk"]) + _load(8, _WORK, _FRAME, _POINTER)
    by_socket += _read(_NET, 8, _WORK, offsets["sk_net"])
    by_device += _jump(len(by_socket) // 8)
    code = _store_number(8, _NET, 0) + _read(_POINTER, 8, _SKB, offsets["dev"]) + _load(8, _WORK, _FRAME, _POINTER)
    code += _jump_if_zero(_WORK, len(by_device) // 8) + by_device + by_socket
    return code + _load(8, _WORK, _FRAME, _NET) + _read(_START + _AT_NET, 4, _WORK, offsets["net_inum"])


def _only_ours(offsets: Mapping[str, int], owner: int) -> bytes:
    """Go on only when the namespace in ``_WORK`` is owned by the user namespace whose inode is in the map."""
    code = _store_number(8, _NUMBER, 0) + _store_number(8, _POINTER, 0) + _store_number(8, _KEY, 0)
    code += _read(_POINTER, 8, _WORK, offsets["net_user"]) + _load(8, _WORK, _FRAME, _POINTER)
    code += _read(_NUMBER, 4, _WORK, offsets["user_inum"])
    code += _map(1, owner) + _address(2, _KEY) + _call(_MAP_LOOKUP)
    code += _jump_unless_zero(0, 2) + _end()
    code += _load(4, _WORK, 0, 0) + _load(4, 2, _FRAME, _NUMBER)
    code += _jump_if_zero(_WORK, 1) + _jump_if_equal(_WORK, 2, 2)
    return code + _end()


def _function(formats: int) -> bytes:
    """The name of the function that dropped it, as the kernel itself prints it: nobody outside may know where its code lies."""
    code = _store(8, _ARGUMENT, _PLACE) + _address(1, _START + _AT_FUNCTION) + _set(2, _FUNCTION_SIZE) + _map_value(3, formats)
    return code + _address(4, _ARGUMENT) + _set(5, 8) + _call(_SNPRINTF)


def _packet(offsets: Mapping[str, int]) -> bytes:
    """Its bytes from the network header on."""
    code = _store_number(8, _NUMBER, 0) + _read(_POINTER, 8, _SKB, offsets["head"]) + _read(_NUMBER, 2, _SKB, offsets["network_header"])
    code += _load(8, _WORK, _FRAME, _POINTER) + _load(8, 2, _FRAME, _NUMBER) + _instruction(0x0F, _WORK, 2)
    return code + _read(_START + _AT_DATA, _DATA_SIZE, _WORK, 0)


def _instruction(code: int, target: int = 0, source: int = 0, offset: int = 0, number: int = 0) -> bytes:
    return struct.pack("<BBhi", code, source << 4 | target, offset, number)


def _load(size: int, target: int, base: int, offset: int) -> bytes:
    return _instruction({8: 0x79, 4: 0x61, 2: 0x69}[size], target, base, offset)


def _store(size: int, at: int, source: int) -> bytes:
    return _instruction({8: 0x7B, 4: 0x63}[size], _FRAME, source, at)


def _store_number(size: int, at: int, number: int) -> bytes:
    return _instruction({8: 0x7A, 4: 0x62}[size], _FRAME, 0, at, number)


def _set(register: int, number: int) -> bytes:
    return _instruction(0xB7, register, number=number)


def _address(register: int, at: int) -> bytes:
    """Where ``at`` of the stack is."""
    return _instruction(0xBF, register, _FRAME) + _instruction(0x07, register, number=at)


def _read(into: int, size: int, base: int, offset: int) -> bytes:
    """``size`` bytes of kernel memory at ``base + offset`` onto the stack; zeros when they cannot be read."""
    return _address(1, into) + _set(2, size) + _instruction(0xBF, 3, base) + _instruction(0x07, 3, number=offset) + _call(_READ_KERNEL)


def _call(helper: int) -> bytes:
    return _instruction(0x85, number=helper)


def _end() -> bytes:
    return _set(0, 0) + _instruction(0x95)


def _jump(over: int) -> bytes:
    return _instruction(0x05, offset=over)


def _jump_if_zero(register: int, over: int) -> bytes:
    return _instruction(0x15, register, offset=over)


def _jump_unless_zero(register: int, over: int) -> bytes:
    return _instruction(0x55, register, offset=over)


def _jump_if_equal(register: int, other: int, over: int) -> bytes:
    return _instruction(0x1D, register, other, over)


def _map(register: int, descriptor: int) -> bytes:
    return _instruction(0x18, register, 1, number=descriptor) + _instruction(0)


def _map_value(register: int, descriptor: int) -> bytes:
    """Where the first value of a map lies."""
    return _instruction(0x18, register, 2, number=descriptor) + _instruction(0)
