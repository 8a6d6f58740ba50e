"""The system calls a room is made with, as Python functions that raise OSError with the call's own name.

``os.unshare`` and ``os.setns`` exist from Python 3.12 on, mount(2) and its kin in no version, hence ctypes. Every function here
acts on the calling *thread* where the kernel does (unshare, setns, prctl).
"""

from __future__ import annotations

import ctypes
import os
import resource
import struct

TYPE_CHECKING = False  # importing typing costs 4 ms, a fifth of what it takes to enter a node
if TYPE_CHECKING:
    from typing import Final

CLONE_NEWNS: Final = 0x0002_0000
CLONE_NEWCGROUP: Final = 0x0200_0000
CLONE_NEWUTS: Final = 0x0400_0000
CLONE_NEWIPC: Final = 0x0800_0000
CLONE_NEWUSER: Final = 0x1000_0000
CLONE_NEWPID: Final = 0x2000_0000
CLONE_NEWNET: Final = 0x4000_0000

NAMESPACES: Final = {
    "user": CLONE_NEWUSER, "pid": CLONE_NEWPID, "mnt": CLONE_NEWNS, "net": CLONE_NEWNET, "uts": CLONE_NEWUTS, "ipc": CLONE_NEWIPC,
    "cgroup": CLONE_NEWCGROUP,
}  # fmt: skip
"""By the names of /proc/PID/ns."""
SI_KERNEL: Final = 0x80
"""si_code of a signal that the kernel itself sent, as a terminal does to its foreground group (sigaction(2))."""

MS_RDONLY: Final = 0x1
MS_NOSUID: Final = 0x2
MS_NODEV: Final = 0x4
MS_NOEXEC: Final = 0x8
MS_REMOUNT: Final = 0x20
MS_NOATIME: Final = 0x400
MS_NODIRATIME: Final = 0x800
MS_BIND: Final = 0x1000
MS_MOVE: Final = 0x2000
MS_REC: Final = 0x4000
MS_PRIVATE: Final = 0x4_0000
MS_RELATIME: Final = 0x20_0000
MNT_DETACH: Final = 0x2

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NAME: Final = 15
_PR_CAPBSET_DROP: Final = 24
_CAP_SYS_BOOT: Final = 22
_SYS_MOUNT_SETATTR: Final = 442
"""The same number on every architecture, as for all system calls since Linux 5.1."""
_AT_FDCWD: Final = -100
_AT_RECURSIVE: Final = 0x8000
_MOUNT_ATTR_RDONLY: Final = 0x1

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]
_libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4


def unshare(kinds: int) -> None:
    """unshare(2). ``CLONE_NEWUSER`` works only in a process with one thread."""
    _check(_libc.unshare(kinds), "unshare")


def setns(fd: int, kind: int) -> None:
    """setns(2): into the namespace behind ``fd``. For ``CLONE_NEWPID`` it is the next child that enters."""
    _check(_libc.setns(fd, kind), "setns")


def mount(source: str | None, target: str, kind: str | None, flags: int = 0, options: str = "") -> None:
    """mount(2)."""
    _check(_libc.mount(_bytes(source), os.fsencode(target), _bytes(kind), flags, options.encode() or None), "mount", target)


def bind(source: str, target: str, *, read_only: bool = False) -> None:
    """Show the one mount at ``source`` at ``target`` too; ``read_only`` needs the second call (mount(2), "Remounting")."""
    mount(source, target, None, MS_BIND)
    if read_only:
        mount(None, target, None, MS_BIND | MS_REMOUNT | MS_RDONLY)


def unmount(target: str) -> None:
    """umount2(2) with MNT_DETACH: gone from the tree now, whoever still uses it."""
    _check(_libc.umount2(os.fsencode(target), MNT_DETACH), "umount", target)


def set_read_only_below(target: str) -> None:
    """mount_setattr(2), Linux 5.12: the mount at ``target`` and all below it become read-only. ENOSYS before that."""
    attributes = struct.pack("=QQQQ", _MOUNT_ATTR_RDONLY, 0, 0, 0)
    result = _libc.syscall(
        ctypes.c_long(_SYS_MOUNT_SETATTR),
        ctypes.c_int(_AT_FDCWD),
        os.fsencode(target),
        ctypes.c_uint(_AT_RECURSIVE),
        attributes,
        ctypes.c_size_t(len(attributes)),
    )
    _check(result, "mount_setattr", target)


def set_hostname(name: str) -> None:
    """sethostname(2), in the UTS namespace of the calling thread."""
    encoded = name.encode()
    _check(_libc.sethostname(encoded, len(encoded)), "sethostname")


def set_parent_death_signal(signal: int) -> None:
    """prctl(PR_SET_PDEATHSIG): this signal comes when the *thread* that made this process ends; 0 forgets it."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, signal, 0, 0, 0), "prctl")


def forbid_reboot() -> None:
    """No program this process starts may call reboot(2), which in a pid namespace of one's own kills its PID 1.

    capabilities(7): a capability dropped from the bounding set is not gained by exec, not even by root.
    """
    _check(_libc.prctl(_PR_CAPBSET_DROP, _CAP_SYS_BOOT, 0, 0, 0), "prctl")


def set_dumpable(on: bool) -> None:
    """Whether others may trace this process, read its memory and take its files, until it executes another program.

    prctl(2), PR_SET_DUMPABLE. A process that is not dumpable can be traced only by who has CAP_SYS_PTRACE in the user namespace in which its
    program was begun: never from a user namespace that it entered or made later (ptrace(2), "Ptrace access mode checking").
    """
    _check(_libc.prctl(_PR_SET_DUMPABLE, int(on), 0, 0, 0), "prctl")


def limit_processes(processes: int) -> None:
    """Limit the processes of this one's user, counted within its user namespace (RLIMIT_NPROC); it cannot be raised again."""
    _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    limit = processes if hard == resource.RLIM_INFINITY else min(processes, hard)
    resource.setrlimit(resource.RLIMIT_NPROC, (limit, limit))


def set_process_name(name: str) -> None:
    """The name ``ps -e`` and ``top`` show for the calling thread, cut to 15 bytes (prctl(2), PR_SET_NAME)."""
    buffer = ctypes.create_string_buffer(name.encode()[:15])
    _check(_libc.prctl(_PR_SET_NAME, ctypes.addressof(buffer), 0, 0, 0), "prctl")


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else os.fsencode(text)


def _check(result: int, call: str, path: str | None = None) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}", path)
