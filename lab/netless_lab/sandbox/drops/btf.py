"""BPF Type Format: where a field lies in a kernel structure, and the names of an enumeration (Documentation/bpf/btf.rst).

/sys/kernel/btf/vmlinux holds some hundred thousand types one after the other, each of its own length, so they have to be walked; the
walk stops as soon as everything asked for was met.
"""

from __future__ import annotations

import contextlib
import mmap
import struct
from collections.abc import Iterator
from typing import Final

PATH: Final = "/sys/kernel/btf/vmlinux"
_MAGIC: Final = 0xEB9F
_HEADER: Final = struct.Struct("<HBBIIIII")
_TYPE: Final = struct.Struct("<III")
_MEMBER: Final = struct.Struct("<III")
_VALUE: Final = struct.Struct("<Ii")
_STRUCT, _UNION, _ENUM = 4, 5, 6
_HEAD: Final = tuple(_TYPE.size + {1: 4, 3: 12, 14: 4, 17: 4}.get(kind, 0) for kind in range(32))
"""Bytes of a type by its kind, before its members: of INT, ARRAY, VAR and DECL_TAG more than the header."""
_EACH: Final = tuple({4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12}.get(kind, 0) for kind in range(32))
"""Bytes for each member, value or parameter of STRUCT, UNION, ENUM, FUNC_PROTO, DATASEC, ENUM64."""
_ALIASES: Final = frozenset({8, 9, 10, 11, 18})
"""TYPEDEF, VOLATILE, CONST, RESTRICT, TYPE_TAG: look at what they are of."""


def read() -> bytes | mmap.mmap:
    """The types of this kernel. Raises OSError."""
    with open(PATH, "rb") as file:
        with contextlib.suppress(OSError):  # it can be mapped since Linux 6.16; to read all of it takes 4 ms
            return mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ)
        return file.read()


class Btf:
    """The types of one kernel. Raises ValueError for what is no BTF."""

    def __init__(self, data: bytes | mmap.mmap) -> None:
        if len(data) < _HEADER.size:
            raise ValueError("this is no BTF: it is too short")
        magic, _, _, header, types, size, strings, _ = _HEADER.unpack_from(data)
        if magic != _MAGIC:
            raise ValueError("this is no BTF of this machine's byte order")
        self._data = data
        self._strings: int = header + strings
        self._at = header + types
        self._end = header + types + size
        self._offsets = [0]
        self._named: dict[str, int] = {}

    def find(self, *names: str) -> None:
        """Walk until the structures and enumerations of these names were met: ask for all at once. Raises KeyError for one there is not."""
        wanted = {self._string_offset(name): name for name in names if name not in self._named}
        for number in range(1, len(self._offsets)):
            if not wanted:
                return
            name, info, _ = self._header(number)
            self._meet(number, name, info, wanted)
        data, offsets, at, unpack = self._data, self._offsets, self._at, _TYPE.unpack_from
        while wanted:  # thousands of types: whatever is called here for each would take most of the time
            if at >= self._end:
                raise KeyError(*wanted.values())
            name, info, _ = unpack(data, at)
            if name in wanted:
                self._meet(len(offsets), name, info, wanted)
            offsets.append(at)
            kind = info >> 24 & 31
            self._at = at = at + _HEAD[kind] + _EACH[kind] * (info & 0xFFFF)

    def _meet(self, number: int, name: int, info: int, wanted: dict[int, str]) -> None:
        if name in wanted and info >> 24 & 31 in (_STRUCT, _ENUM):
            self._named[wanted.pop(name)] = number

    def offset(self, structure: str, path: str) -> int:
        """Bytes from the start of ``structure`` to ``a.b.c``, looking into members without a name. Raises KeyError."""
        self.find(structure)
        return self._member(self._named[structure], path)

    def names(self, enumeration: str) -> dict[int, str]:
        """The values of an enumeration by number."""
        self.find(enumeration)
        number = self._named[enumeration]
        count = self._header(number)[1] & 0xFFFF
        start = self._offsets[number] + _TYPE.size
        values = (_VALUE.unpack_from(self._data, start + place * _VALUE.size) for place in range(count))
        return {value: self._string(name) for name, value in values}

    def _member(self, number: int, path: str) -> int:
        head, _, rest = path.partition(".")
        for name, kind, bits in self._members(number):
            if name == head:
                return bits // 8 + (self._member(kind, rest) if rest else 0)
            if not name:
                try:
                    return bits // 8 + self._member(kind, path)
                except KeyError:
                    continue
        raise KeyError(path)

    def _members(self, number: int) -> Iterator[tuple[str, int, int]]:
        """(name, type, offset in bits) of each member of a structure; nothing for other types."""
        _, info, of = self._header(number)
        while info >> 24 & 31 in _ALIASES:
            number = of
            _, info, of = self._header(number)
        if info >> 24 & 31 not in (_STRUCT, _UNION):
            return
        start = self._offsets[number] + _TYPE.size
        for place in range(info & 0xFFFF):
            name, kind, bits = _MEMBER.unpack_from(self._data, start + place * _MEMBER.size)
            yield self._string(name), kind, bits & 0xFFFFFF if info >> 31 else bits

    def _header(self, number: int) -> tuple[int, int, int]:
        """(where its name is, kind and count, size or type) of a type; walks there when it must. Raises KeyError past the end."""
        data, offsets, unpack = self._data, self._offsets, _TYPE.unpack_from
        while number >= len(offsets):
            if self._at >= self._end:
                raise KeyError(f"type {number}")
            _, info, _ = unpack(data, self._at)
            kind = info >> 24 & 31
            offsets.append(self._at)
            self._at += _HEAD[kind] + _EACH[kind] * (info & 0xFFFF)
        name, info, of = unpack(data, offsets[number])
        return name, info, of

    def _string_offset(self, name: str) -> int:
        found: int = self._data.find(b"\0" + name.encode() + b"\0", self._strings)
        if found < 0:
            raise KeyError(name)
        return found + 1 - self._strings

    def _string(self, offset: int) -> str:
        start = self._strings + offset
        end = self._data.find(b"\0", start)
        if end < 0:
            raise ValueError("the last string of this BTF has no end")
        return self._data[start:end].decode("ascii", "replace")
