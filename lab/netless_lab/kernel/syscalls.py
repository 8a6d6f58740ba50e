"""The system calls that namespaces, mounts and processes are made with, as Python functions that raise OSError with the call's own name.

``os.unshare`` and ``os.setns`` exist from Python 3.12 on, mount(2) and its kin in no version, hence ctypes. Every function here
acts on the calling *thread* where the kernel does (unshare, setns, prctl).
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import struct

TYPE_CHECKING = False  # importing typing costs 4 ms, a fifth of what it takes to enter a node
if TYPE_CHECKING:
    from signal import SIGKILL
    from typing import Final
else:
    from _signal import SIGKILL  # the module signal makes enums of all its numbers, which takes 5 ms

CLONE_NEWNS: Final = 0x0002_0000
CLONE_FS: Final = 0x200
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
MS_SHARED: Final = 0x10_0000
MS_RELATIME: Final = 0x20_0000
_MNT_DETACH: Final = 0x2
_UMOUNT_NOFOLLOW: Final = 0x8

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NAME: Final = 15
_PR_SET_SECCOMP: Final = 22
_PR_CAPBSET_DROP: Final = 24
_PR_SET_CHILD_SUBREAPER: Final = 36
_SECCOMP_MODE_FILTER: Final = 2
_KEYCTL_JOIN_SESSION_KEYRING: Final = 1
_CAP_SYS_BOOT: Final = 22
_SYS_OPEN_TREE: Final = 428
_SPLICE_F_NONBLOCK: Final = 2
_SYS_MOVE_MOUNT: Final = 429
_SYS_MOUNT_SETATTR: Final = 442
"""The same number on every architecture, as for all system calls since Linux 5.1."""
_IPC_RMID: Final = 0
_AT_FDCWD: Final = -100
_AT_RECURSIVE: Final = 0x8000
_AT_EMPTY_PATH: Final = 0x1000
_OPEN_TREE_CLONE: Final = 0x1
_OPEN_TREE_CLOEXEC: Final = os.O_CLOEXEC
_MOVE_MOUNT_F_EMPTY_PATH: Final = 0x4
_MOUNT_ATTR_RDONLY: Final = 0x1
_MOUNT_ATTR_NODEV: Final = 0x4
_MOUNT_ATTR_IDMAP: Final = 0x10_0000

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]
_libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
_libc.tee.restype = _libc.splice.restype = ctypes.c_ssize_t


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


def unmount(target: str, *, follow: bool = True) -> None:
    """umount2(2) with MNT_DETACH: gone from the tree now, whoever still uses it. ``follow``: where a link leads, not what lies on the link."""
    _check(_libc.umount2(os.fsencode(target), _MNT_DETACH | (0 if follow else _UMOUNT_NOFOLLOW)), "umount", target)


def close_below(target: str) -> None:
    """mount_setattr(2), Linux 5.12: the mount at ``target`` and all below it become read-only, and no device of theirs can be opened.

    ENOSYS before that.
    """
    _set_attributes(_AT_FDCWD, target, _AT_RECURSIVE, on=_MOUNT_ATTR_RDONLY | _MOUNT_ATTR_NODEV)


def open_tree(path: str) -> int:
    """open_tree(2), Linux 5.2: a copy of the mounts at and below ``path`` that is attached nowhere, as an open file."""
    result = _libc.syscall(
        ctypes.c_long(_SYS_OPEN_TREE),
        ctypes.c_int(_AT_FDCWD),
        os.fsencode(path),
        ctypes.c_uint(_OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC | _AT_RECURSIVE),
    )
    _check(result, "open_tree", path)
    return int(result)


def map_owner(tree: int, mapping: int) -> None:
    """In a copy that ``open_tree`` made, show files as owned by whom the user namespace behind ``mapping`` makes of their owner.

    Raises OSError, EINVAL most likely, for a file system that cannot do it.
    """
    _set_attributes(tree, "", _AT_EMPTY_PATH | _AT_RECURSIVE, on=_MOUNT_ATTR_IDMAP, user_namespace=mapping)


def move_tree(tree: int, target: str) -> None:
    """move_mount(2): attach at ``target`` a copy that ``open_tree`` made."""
    result = _libc.syscall(
        ctypes.c_long(_SYS_MOVE_MOUNT),
        ctypes.c_int(tree),
        b"",
        ctypes.c_int(_AT_FDCWD),
        os.fsencode(target),
        ctypes.c_uint(_MOVE_MOUNT_F_EMPTY_PATH),
    )
    _check(result, "move_mount", target)


def user_namespace(uid: int, gid: int) -> int:
    """A user namespace whose root is this user outside, as an open file; no process lives in it. Only root can make it."""
    ready, done = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        try:
            unshare(CLONE_NEWUSER)
            os.write(ready[1], b"r")
            os.close(done[1])
            os.read(done[0], 1)
        finally:
            os._exit(0)
    try:
        os.close(ready[1])
        os.close(done[0])
        if not os.read(ready[0], 1):
            raise OSError(errno.EPERM, "unshare: a user namespace could not be made")
        map_root_to(uid, gid, of=str(child))
        return os.open(f"/proc/{child}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(ready[0])
        os.close(done[1])
        os.waitpid(child, 0)


def map_root_to(uid: int, gid: int, *, of: str = "self", proc: str = "/proc") -> None:
    """Root of the user namespace of the process ``of`` is this user of the one outside (user_namespaces(7)).

    A process may write its own only for who it is itself, and has to give up setgroups(2) first; root outside may write another's.
    ``proc`` is where the files of processes can be written.
    """
    deny = (("setgroups", "deny"),) if of == "self" else ()
    for name, text in (*deny, ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        with open(f"{proc}/{of}/{name}", "w", encoding="ascii") as file:
            file.write(text)


def become_root_inside() -> None:
    """In a user namespace whose root is somebody else outside: be that one, in no other group, and be dumpable again (prctl(2))."""
    os.setgroups([])
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    set_dumpable(True)


def tee(source: int, target: int, size: int) -> int:
    """Have what waits in one pipe wait in another too (tee(2)): how many bytes, 0 when nobody writes into the source any more. Does not wait."""
    result: int = _libc.tee(source, target, ctypes.c_size_t(size), _SPLICE_F_NONBLOCK)
    _check(min(result, 0), "tee")
    return result


def splice(source: int, target: int, size: int) -> int:
    """Take what waits in a pipe to another file (splice(2)): how many bytes, 0 when nobody writes into the source any more.

    Does not wait, whatever the modes of a pipe's ends are.
    """
    result: int = _libc.splice(source, None, target, None, ctypes.c_size_t(size), _SPLICE_F_NONBLOCK)
    _check(min(result, 0), "splice")
    return result


def set_hostname(name: str) -> None:
    """sethostname(2), in the UTS namespace of the calling thread."""
    encoded = name.encode()
    _check(_libc.sethostname(encoded, len(encoded)), "sethostname")


def set_domainname(name: str) -> None:
    """setdomainname(2), in the UTS namespace of the calling thread."""
    encoded = name.encode()
    _check(_libc.setdomainname(encoded, len(encoded)), "setdomainname")


def remove_ipc(kind: str, number: int) -> None:
    """IPC_RMID: the queue (``msg``), the semaphores (``sem``) or the memory (``shm``) of this number goes (msgctl(2), semctl(2), shmctl(2))."""
    call, arguments = f"{kind}ctl", (0, _IPC_RMID, 0) if kind == "sem" else (_IPC_RMID, None)
    _check(getattr(_libc, call)(number, *arguments), call)


def set_parent_death_signal(signal: int) -> None:
    """prctl(PR_SET_PDEATHSIG): this signal comes when the *thread* that made this process ends; 0 forgets it."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, signal, 0, 0, 0), "prctl")


def die_with(parent: int) -> None:
    """Be killed when the parent, which is this process, ends; raises SystemExit if that was a moment ago. A change of user forgets it (prctl(2))."""
    set_parent_death_signal(SIGKILL)
    if os.getppid() != parent:
        raise SystemExit(1)


def take_in_orphans() -> None:
    """Be the parent of every descendant whose own has ended, in place of the machine's PID 1 (PR_SET_CHILD_SUBREAPER, prctl(2)); children do not inherit it."""
    _check(_libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")


def forbid_reboot() -> None:
    """No program this process starts may call reboot(2), which in a pid namespace of one's own kills its PID 1.

    capabilities(7): a capability dropped from the bounding set is not gained by exec, not even by root.
    """
    _check(_libc.prctl(_PR_CAPBSET_DROP, _CAP_SYS_BOOT, 0, 0, 0), "prctl")


def set_filter(program: bytes, instruction: int) -> None:
    """Have the kernel ask a BPF program, of instructions of so many bytes, at every system call of this thread and its children (seccomp(2))."""
    held = ctypes.create_string_buffer(program, len(program))
    told = ctypes.create_string_buffer(struct.pack("@HP", len(program) // instruction, ctypes.addressof(held)))
    _check(_libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(told), 0, 0), "prctl")


def leave_session_keyring(keyctl: int) -> None:
    """A session keyring of one's own, empty, in place of the inherited one (keyctl(2), whose number ``keyctl`` is). ENOSYS without keys."""
    result = _libc.syscall(ctypes.c_long(keyctl), ctypes.c_int(_KEYCTL_JOIN_SESSION_KEYRING), None)
    if result >= 0 or ctypes.get_errno() != errno.ENOSYS:
        _check(result, "keyctl")


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


def leave_no_core() -> None:
    """Have the kernel write no core of this process and its children, nor start the machine's handler of cores for them.

    That one runs outside, as root, and believes what it finds in the process. It is started whatever the limit is, but for a limit of one
    byte (the kernel's fs/coredump.c). Nothing happens where the limit is 0 and cannot be raised to that, or is so already: in a lab it cannot
    be set (``seccomp``).
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if hard != 0 and (soft, hard) != (1, 1):
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))


def set_process_name(name: str) -> None:
    """The name ``ps -e`` and ``top`` show for the calling thread, cut to 15 bytes (prctl(2), PR_SET_NAME)."""
    buffer = ctypes.create_string_buffer(name.encode()[:15])
    _check(_libc.prctl(_PR_SET_NAME, ctypes.addressof(buffer), 0, 0, 0), "prctl")


def _set_attributes(fd: int, path: str, flags: int, *, on: int = 0, off: int = 0, user_namespace: int = 0) -> None:
    """mount_setattr(2)"""
    attributes = struct.pack("=QQQQ", on, off, 0, user_namespace)
    result = _libc.syscall(
        ctypes.c_long(_SYS_MOUNT_SETATTR),
        ctypes.c_int(fd),
        os.fsencode(path),
        ctypes.c_uint(flags),
        attributes,
        ctypes.c_size_t(len(attributes)),
    )
    _check(result, "mount_setattr", path)


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else os.fsencode(text)


def _check(result: int, call: str, path: str | None = None) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}", path)
