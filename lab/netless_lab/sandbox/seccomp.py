"""What nobody in a lab may ask the kernel for: calls that no lesson needs, and that reach past the lab's namespaces.

A filter of classic BPF that the kernel asks at every system call (seccomp(2)); it is inherited, and cannot be taken off. The namespaces
are the wall; this is what stands where they have none: keys are a user's wherever he is, the kernel's log is the machine's, sockets of
virtual machines know no network namespace, and much of what was ever used to break out began with one of these calls.

What is refused is refused with an error that programs know (EPERM; for keys and asynchronous I/O ENOSYS; for a family of sockets
EAFNOSUPPORT); ``clone3`` with ENOSYS, upon which the C library uses ``clone``, whose flags a filter can read. It is for processes whose root has
CAP_SYS_ADMIN in his own user namespace, so programs that change their user go on working.
"""

from __future__ import annotations

import errno
import os
import struct

from ..kernel import syscalls as sc

TYPE_CHECKING = False  # importing typing costs 4 ms, and who enters a node waits for it
if TYPE_CHECKING:
    from typing import Final

_REFUSED: Final = {
    "ioperm": (173, None), "iopl": (172, None), "perf_event_open": (298, 241), "bpf": (321, 280), "userfaultfd": (323, 282),
    "syslog": (103, 116), "acct": (163, 89),
    "swapon": (167, 224), "swapoff": (168, 225), "quotactl": (179, 60), "quotactl_fd": (443, 443), "lookup_dcookie": (212, 18),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "open_by_handle_at": (304, 265), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "pidfd_getfd": (438, 438),
    "fanotify_init": (300, 262), "fanotify_mark": (301, 263),
}  # fmt: skip
"""Their numbers on x86-64, and on architectures of the generic table (None: it has no such call)."""
_LACKING: Final = {"add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "io_setup": (206, 0)}
"""A kernel may be without keys and without asynchronous I/O, and programs know that: for them it is one without.

Of the latter there is so much for the whole machine (fs.aio-max-nr); without io_setup there is none of its other calls."""
_CLONE, _CLONE3, _UNSHARE, _IOCTL, _SOCKET, _FCNTL = "clone", "clone3", "unshare", "ioctl", "socket", "fcntl"
_PRLIMIT, _SETRLIMIT = "prlimit64", "setrlimit"
_LOOKED_INTO: Final = {
    _CLONE: (56, 220), _CLONE3: (435, 435), _UNSHARE: (272, 97), _IOCTL: (16, 29), _SOCKET: (41, 198), _PRLIMIT: (302, 261),
    _SETRLIMIT: (160, 164), _FCNTL: (72, 25),
}  # fmt: skip
_ARCHITECTURES: Final = {"x86_64": (0xC000_003E, 0), "aarch64": (0xC000_00B7, 1), "riscv64": (0xC000_00F3, 1)}
"""AUDIT_ARCH_* (include/uapi/linux/audit.h), and the column of the numbers."""
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
"""Type into a terminal, paste into a console (ioctl_tty(2), ioctl_console(2))."""
_FSCRYPT: Final = (0x800C_6613, 0xC050_6617, 0xC040_6618, 0xC040_6619)
"""Set a policy, add a key, remove one, remove everybody's, of a file system with encrypted folders (Documentation/filesystems/fscrypt.rst): they ask
for no more than a file of it that can be read, and for whose the key is, by the user's number outside. Only those that look are left."""
_RLIMIT_CORE: Final = 4
"""Its value of 1 keeps the machine's handler of cores away from who dies inside, 0 does not (``syscalls.leave_no_core``)."""
_F_SETLEASE, _F_NOTIFY = 1024, 1026
"""Have others wait who open a file, be told what is done in a folder (fcntl(2)): of the files that are shown, outside too."""
_FAMILIES: Final = (1, 2, 10, 15, 16, 17)
"""unix, inet, inet6, key, netlink, packet: those that have network namespaces (address_families(7))."""
_NETLINK: Final = 16
_FOREIGN_NETLINK: Final = (7, 8, 9, 11, 18, 20, 21)
"""selinux, iscsi, audit, connector, scsi transport, rdma, crypto: of the machine, not of a network namespace (netlink(7))."""
_X32_BIT: Final = 0x4000_0000

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE = 0, 4
_ALLOW, _ERROR = 0x7FFF_0000, 0x0005_0000
_INSTRUCTION: Final = struct.Struct("=HBBI")


def enclose() -> str:
    """Let go of the owner's keys and refuse such calls, from now on, to this process and all that it starts.

    Answers in words what this machine cannot, whoever asks: it has no table, or its kernel no filters. Raises OSError when it could and did
    not, for want of memory, say: then this process must not go on inside. The memory for filters is the whole machine's
    (net.core.bpf_jit_limit, Documentation/admin-guide/sysctl/net.rst), and whoever is inside can fill it, by filters on sockets.
    """
    machine = os.uname().machine
    if machine not in _ARCHITECTURES:
        return f"there is no filter of system calls for {machine}: bpf, keyctl and their like are as the machine allows them"
    _leave_keys(_LACKING["keyctl"][_ARCHITECTURES[machine][1]])
    try:
        sc.set_filter(program(machine), _INSTRUCTION.size)
    except OSError as error:
        if error.errno not in (errno.ENOSYS, errno.EINVAL):
            raise
        return f"system calls are not filtered ({error.strerror}): bpf, keyctl and their like are as the machine allows them"
    return ""


def _leave_keys(keyctl: int) -> None:
    """The inherited session keyring knows no namespace (session-keyring(7)): have an empty one instead, where there is one to be had.

    A user may have so many (keyrings(7)), and who is inside can use them up; nobody inside can use any, with the filter.
    """
    try:  # noqa: SIM105  (contextlib alone takes as long to import as half of what entering takes)
        sc.leave_session_keyring(keyctl)
    except OSError:
        pass


def program(machine: str) -> bytes:
    """The filter for one of the architectures for which there is one."""
    audit, column = _ARCHITECTURES[machine]
    code: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, audit), _refusal(errno.ENOSYS), (_LOAD, 0, 0, _NUMBER),
    ]  # fmt: skip
    if machine == "x86_64":
        code += [(_AT_LEAST, 0, 1, _X32_BIT), _refusal(errno.ENOSYS)]
    for error, table in ((errno.EPERM, _REFUSED), (errno.ENOSYS, _LACKING)):
        for numbers in table.values():
            number = numbers[column]
            if number is not None:
                code += [(_EQUAL, 0, 1, number), _refusal(error)]
    for name, inner in _inner().items():
        code += [(_EQUAL, 0, len(inner) + 1, _LOOKED_INTO[name][column]), *inner, (_RETURN, 0, 0, _ALLOW)]
    return b"".join(_INSTRUCTION.pack(*instruction) for instruction in (*code, (_RETURN, 0, 0, _ALLOW)))


def _inner() -> dict[str, list[tuple[int, int, int, int]]]:
    """For calls that are refused for some arguments: what to look at. Whoever gets through to the end is allowed."""
    no_view_of_groups = [_argument(0), (_ANY_BIT, 0, 1, sc.CLONE_NEWCGROUP), _refusal(errno.EPERM)]
    return {
        _CLONE: no_view_of_groups,
        _CLONE3: [_refusal(errno.ENOSYS)],
        _UNSHARE: no_view_of_groups,
        _IOCTL: [_argument(1), *_refuse_if((_TIOCSTI, _TIOCLINUX, *_FSCRYPT), errno.EPERM)],
        _SOCKET: [
            _argument(0), *_refuse_unless(_FAMILIES, errno.EAFNOSUPPORT),
            (_EQUAL, 0, 1 + 2 * len(_FOREIGN_NETLINK), _NETLINK), _argument(2), *_refuse_if(_FOREIGN_NETLINK, errno.EPROTONOSUPPORT),
        ],
        _PRLIMIT: [
            _argument(0), *_refuse_if((1,), errno.EPERM), _argument(1), (_EQUAL, 0, 5, _RLIMIT_CORE),
            _argument(2), (_EQUAL, 0, 2, 0), _high_half(2), (_EQUAL, 1, 0, 0), _refusal(errno.EPERM),
        ],
        _SETRLIMIT: [_argument(0), *_refuse_if((_RLIMIT_CORE,), errno.EPERM)],
        _FCNTL: [_argument(1), *_refuse_if((_F_SETLEASE, _F_NOTIFY), errno.EPERM)],
    }  # fmt: skip


def _refuse_if(values: tuple[int, ...], error: int) -> list[tuple[int, int, int, int]]:
    return [instruction for value in values for instruction in ((_EQUAL, 0, 1, value), _refusal(error))]


def _refuse_unless(values: tuple[int, ...], error: int) -> list[tuple[int, int, int, int]]:
    return [*((_EQUAL, len(values) - number, 0, value) for number, value in enumerate(values)), _refusal(error)]


def _refusal(error: int) -> tuple[int, int, int, int]:
    return _RETURN, 0, 0, _ERROR | error


def _argument(number: int) -> tuple[int, int, int, int]:
    """Load the low half of an argument: all of these are 32 bits wide, and the kernel looks at no more (struct seccomp_data)."""
    return _LOAD, 0, 0, 16 + 8 * number


def _high_half(number: int) -> tuple[int, int, int, int]:
    """Of an argument that is an address."""
    return _LOAD, 0, 0, 20 + 8 * number
