"""System calls that Python has no function for, by name, raising OSError. Standard library only: it is imported inside the lab."""

from __future__ import annotations

import ctypes
import os
import platform

_X86, _ARM = 0, 1
_NUMBERS = {
    "ptrace": (101, 117), "syslog": (103, 116), "pivot_root": (155, 41), "adjtimex": (159, 171), "acct": (163, 89), "swapon": (167, 224),
    "reboot": (169, 142), "iopl": (172, -1), "ioperm": (173, -1), "init_module": (175, 105), "delete_module": (176, 106),
    "quotactl": (179, 60), "mq_open": (240, 180), "kexec_load": (246, 104), "add_key": (248, 217), "request_key": (249, 218),
    "keyctl": (250, 219), "unshare": (272, 97), "perf_event_open": (298, 241), "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263), "open_by_handle_at": (304, 265), "setns": (308, 268), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "kcmp": (312, 272), "finit_module": (313, 273), "kexec_file_load": (320, 294), "bpf": (321, 280),
    "userfaultfd": (323, 282), "settimeofday": (164, 170), "swapoff": (168, 225), "vhangup": (153, 58), "shmget": (29, 194),
    "sethostname": (170, 161), "setdomainname": (171, 162), "name_to_handle_at": (303, 264),
    "io_setup": (206, 0),
}  # fmt: skip
_NEWER = {
    "io_uring_setup": 425, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "pidfd_open": 434,
    "pidfd_getfd": 438, "process_madvise": 440, "mount_setattr": 442, "process_mrelease": 448,
}  # fmt: skip
"""The same number on every architecture, as for all system calls since Linux 5.1."""
_libc = ctypes.CDLL(None, use_errno=True)
Argument = int | bytes | None | ctypes.Array[ctypes.c_char]

NEWNS, NEWUSER = 0x20000, 0x10000000
RDONLY, REMOUNT, BIND, MOVE, REC, SHARED = 0x1, 0x20, 0x1000, 0x2000, 0x4000, 0x100000


def call(name: str, *arguments: Argument) -> int:
    """system call ``name``. Raises OSError, ENOSYS for one that this architecture never had."""
    column = _ARM if platform.machine() == "aarch64" else _X86
    number = _NEWER[name] if name in _NEWER else _NUMBERS[name][column]
    words = (ctypes.c_long(word) if isinstance(word, int) else word for word in arguments)
    return checked(_libc.syscall(ctypes.c_long(number), *words), name)


def checked(result: int, name: str) -> int:
    """The result of a C function, or its error."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return int(result)


def mount(source: str | None, target: str, kind: str | None = None, flags: int = 0, options: str | None = None) -> None:
    """mount(2)"""
    source_, target_, kind_, options_ = (None if text is None else text.encode() for text in (source, target, kind, options))
    checked(_libc.mount(source_, target_, kind_, ctypes.c_ulong(flags), options_), "mount")


def unmount(target: str) -> None:
    """umount2(2), lazily."""
    checked(_libc.umount2(target.encode(), 2), "umount")


def make_writable(fd: int, path: bytes, *, below: bool) -> None:
    """mount_setattr(2): clear MOUNT_ATTR_RDONLY of a mount, given by an open file and a path from there, and of all below it."""
    attributes = (ctypes.c_uint64 * 4)(0, 1, 0, 0)
    flags = 0x8000 if below else 0x1000 if not path else 0
    call("mount_setattr", fd, path, flags, bytes(attributes), 32)


def fresh(name: str) -> str:
    """A new folder to mount on, private to the lab."""
    path = f"/tmp/{name}-{os.getpid()}"
    os.makedirs(path, exist_ok=True)
    return path


def mounted(kind: str, options: str | None = None) -> str:
    """Mount a filesystem of this kind on a new folder. The folder."""
    place = fresh(kind)
    mount(kind, place, kind, 0, options)
    return place


def write(path: str, data: bytes = b"x", flags: int = os.O_WRONLY | os.O_CREAT) -> str:
    """Open and write. The path."""
    fd = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, data)
    finally:
        os.close(fd)
    return path


def read(path: str, size: int = 4096) -> bytes:
    """Open and read."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        return os.read(fd, size)
    finally:
        os.close(fd)


def nested_root() -> None:
    """Become root of a user and mount namespace below the lab's."""
    uid = os.geteuid()
    call("unshare", NEWUSER | NEWNS)
    for name, text in (("setgroups", b"deny"), ("uid_map", f"0 {uid} 1".encode())):
        write(f"/proc/self/{name}", text, os.O_WRONLY)
