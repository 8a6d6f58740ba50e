"""Load the program, attach it, aim it at a lab: for whoever starts a lab as real root. See the package's docstring. 4 ms."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Mapping
from typing import Final

from .btf import Btf, read
from .program import FIELDS, REASONS, RECORD, fields, program

_SYSCALLS: Final = {"x86_64": 321, "aarch64": 280}
_MAP_CREATE, _MAP_UPDATE, _PROG_LOAD, _TRACEPOINT_OPEN, _MAP_FREEZE = 0, 2, 5, 17, 22
_RING_BUFFER, _ARRAY = 27, 2
_READ_ONLY_FOR_PROGRAM: Final = 0x80
_RAW_TRACEPOINT: Final = 17
RING_SIZE: Final = 1 << 16
_LOG_SIZE: Final = 1 << 16
_TRACEPOINT: Final = b"kfree_skb"
_PREFIX: Final = "SKB_DROP_REASON_"
_WHOLE_MACHINE: Final = ["0", "0", "4294967295"]
"""/proc/self/uid_map of the machine's own user namespace."""
_libc = ctypes.CDLL(None, use_errno=True)


class CannotListen(Exception):
    """The kernel's drop reasons cannot be had here; the message says why."""


class Loaded:
    """A program that runs. ``ring`` is a file for the agent, ``link`` one for the keeper; while it is open anywhere, the program stays attached.

    ``ring_size`` and ``layout`` (struct) say how to read the ring, ``reasons`` what this kernel calls its reasons.
    """

    ring_size = RING_SIZE
    layout = str(RECORD.format)

    def __init__(self, ring: int, link: int, owner: int, reasons: Mapping[int, str]) -> None:
        self.ring, self.link, self.reasons = ring, link, dict(reasons)
        self._owner = owner

    def aim(self, pid: int) -> None:
        """From now on hear of packets in the namespaces that are owned by the user namespace of process ``pid``; of none before."""
        inode = os.stat(f"/proc/{pid}/ns/user").st_ino
        _update(self._owner, struct.pack("=Q", inode))

    def close(self) -> None:
        """Close our own copies of the files."""
        for fd in (self.ring, self.link, self._owner):
            os.close(fd)


def is_real_root() -> bool:
    """Whether we are root of the machine itself, not of a user namespace."""
    with open("/proc/self/uid_map", encoding="ascii") as file:
        return os.geteuid() == 0 and file.read().split() == _WHOLE_MACHINE


def load() -> Loaded:
    """Load and attach the program, aimed at nobody yet.

    Raises CannotListen in words: not root, no type information, a kernel that refuses.
    """
    if not is_real_root():
        raise CannotListen("only the machine's root may ask the kernel for drop reasons")
    machine = os.uname().machine
    if machine not in _SYSCALLS:
        raise CannotListen(f"the number of bpf(2) on {machine} is not known")
    btf = _types()
    closing: list[int] = []
    try:
        return _load(btf, closing)
    except (OSError, KeyError) as error:
        raise CannotListen(f"the kernel refuses a tracing program: {error}") from error
    finally:
        for fd in closing:
            os.close(fd)


def _load(btf: Btf, closing: list[int]) -> Loaded:
    """``closing`` gathers the files that are to be closed in any case."""
    reasons = {number: name.removeprefix(_PREFIX) for number, name in btf.names(REASONS).items()}
    offsets = fields(btf)
    ring = _create(_RING_BUFFER, 0, 0, RING_SIZE)
    closing.append(ring)
    owner = _create(_ARRAY, 4, 8, 1)
    closing.append(owner)
    formats = _create(_ARRAY, 4, 8, 1, _READ_ONLY_FOR_PROGRAM)
    closing.append(formats)
    _update(formats, b"%ps\0\0\0\0\0")
    _bpf(_MAP_FREEZE, struct.pack("=I", formats))
    running = _program(program(offsets, ring, owner, formats))
    closing.append(running)
    name = ctypes.create_string_buffer(_TRACEPOINT)
    link = _bpf(_TRACEPOINT_OPEN, struct.pack("=QII", ctypes.addressof(name), running, 0))
    closing.remove(ring)
    closing.remove(owner)
    return Loaded(ring, link, owner, reasons)


def _program(code: bytes) -> int:
    text, log = ctypes.create_string_buffer(code, len(code)), ctypes.create_string_buffer(_LOG_SIZE)
    license_ = ctypes.create_string_buffer(b"GPL")
    where = [ctypes.addressof(buffer) for buffer in (text, license_, log)]
    body = struct.pack("=IIQQIIQII", _RAW_TRACEPOINT, len(code) // 8, where[0], where[1], 1, _LOG_SIZE, where[2], 0, 0)
    try:
        return _bpf(_PROG_LOAD, body)
    except OSError as error:
        said = log.value.decode("ascii", "replace").strip().splitlines()
        raise OSError(error.errno, f"{error.strerror}: {said[-2:] if said else 'no word'}") from error


def _create(kind: int, key: int, value: int, entries: int, flags: int = 0) -> int:
    return _bpf(_MAP_CREATE, struct.pack("=IIIII", kind, key, value, entries, flags))


def _update(descriptor: int, value: bytes) -> None:
    key, buffer = ctypes.create_string_buffer(4), ctypes.create_string_buffer(value, len(value))
    _bpf(_MAP_UPDATE, struct.pack("=IxxxxQQQ", descriptor, ctypes.addressof(key), ctypes.addressof(buffer), 0))


def _bpf(command: int, attributes: bytes) -> int:
    """bpf(2). Descriptors it returns are close-on-exec."""
    buffer = ctypes.create_string_buffer(attributes, max(len(attributes), 128))
    result = int(_libc.syscall(_SYSCALLS[os.uname().machine], command, buffer, len(buffer)))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def _types() -> Btf:
    """This kernel's types, with those that are needed found."""
    try:
        btf = Btf(read())
        btf.find(REASONS, *{structure for structure, _ in FIELDS.values()})
    except FileNotFoundError as error:
        raise CannotListen("this kernel was built without type information (BTF)") from error
    except (OSError, ValueError, KeyError) as error:
        raise CannotListen(f"this kernel's type information cannot be used: {error}") from error
    return btf
