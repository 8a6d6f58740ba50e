"""Which system calls nobody in a lab may make: the kernel's own word, and the filter's for architectures that this machine is not."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import subprocess
import sys

import pytest

from helpers.checkout import as_here
from netless_lab import join
from netless_lab.sandbox import seccomp
from sandbox.helpers.agent import ENTRY
from sandbox.helpers.alone import alone
from sandbox.helpers.rooms import room

ALLOWED = 0
X86, ARM = 0xC000003E, 0xC00000B7
NEWCGROUP, NEWNET = 0x02000000, 0x40000000
CASES: dict[str, tuple[str, int, int, tuple[int, ...], int]] = {
    "keyctl": ("x86_64", X86, 250, (), errno.ENOSYS),
    "keyctl there": ("aarch64", ARM, 219, (), errno.ENOSYS),
    "what is keyctl elsewhere": ("aarch64", ARM, 250, (), ALLOWED),
    "iopl, which it never had": ("aarch64", ARM, 172, (), ALLOWED),
    "io_uring_setup": ("x86_64", X86, 425, (), errno.EPERM),
    "io_setup": ("x86_64", X86, 206, (), errno.ENOSYS),
    "io_setup there": ("aarch64", ARM, 0, (), errno.ENOSYS),
    "fanotify_init": ("x86_64", X86, 300, (), errno.EPERM),
    "fanotify_mark there": ("aarch64", ARM, 263, (), errno.EPERM),
    "inotify_init1": ("x86_64", X86, 294, (), ALLOWED),
    "a lease": ("x86_64", X86, 72, (3, 1024), errno.EPERM),
    "a lease with a high half": ("aarch64", ARM, 25, (3, 1024 | 1 << 32), errno.EPERM),
    "what is done in a folder": ("aarch64", ARM, 25, (3, 1026), errno.EPERM),
    "whether there is a lease": ("x86_64", X86, 72, (3, 1025), ALLOWED),
    "a lock": ("x86_64", X86, 72, (3, 6), ALLOWED),
    "read": ("x86_64", X86, 0, (), ALLOWED),
    "of 32 bits": ("x86_64", 0x40000003, 3, (), errno.ENOSYS),
    "of x32": ("x86_64", X86, 0x40000000, (), errno.ENOSYS),
    "clone3": ("x86_64", X86, 435, (), errno.ENOSYS),
    "clone, for a thread": ("x86_64", X86, 56, (0x3D0F00,), ALLOWED),
    "clone, with a view of groups": ("x86_64", X86, 56, (NEWCGROUP | NEWNET,), errno.EPERM),
    "unshare, with a view of groups": ("aarch64", ARM, 97, (NEWCGROUP,), errno.EPERM),
    "unshare": ("aarch64", ARM, 97, (NEWNET,), ALLOWED),
    "TIOCSTI": ("x86_64", X86, 16, (0, 0x5412), errno.EPERM),
    "TIOCSTI with a high half": ("x86_64", X86, 16, (0, 0x5412 | 1 << 32), errno.EPERM),
    "TIOCGWINSZ": ("x86_64", X86, 16, (0, 0x5413), ALLOWED),
    "a socket of inet": ("x86_64", X86, 41, (2, 1, 0), ALLOWED),
    "a packet socket": ("aarch64", ARM, 198, (17, 3, 0x300), ALLOWED),
    "a socket of vsock": ("x86_64", X86, 41, (40, 1, 0), errno.EAFNOSUPPORT),
    "a socket of no family": ("x86_64", X86, 41, (0, 1, 0), errno.EAFNOSUPPORT),
    "netlink for routes": ("x86_64", X86, 41, (16, 3, 0), ALLOWED),
    "netlink for nftables": ("aarch64", ARM, 198, (16, 3, 12), ALLOWED),
    "netlink for process events": ("x86_64", X86, 41, (16, 3, 11), errno.EPROTONOSUPPORT),
    "inet with the number of process events": ("x86_64", X86, 41, (2, 3, 11), ALLOWED),
    "limits of PID 1": ("x86_64", X86, 302, (1, 7), errno.EPERM),
    "limits of PID 1, without a look at which": ("aarch64", ARM, 261, (1, 4, 1), errno.EPERM),
    "the limit of cores": ("x86_64", X86, 302, (0, 4, 0x7FFE_0000), errno.EPERM),
    "the limit of cores, from an address of high halves": ("aarch64", ARM, 261, (0, 4, 1 << 40), errno.EPERM),
    "a look at the limit of cores": ("x86_64", X86, 302, (0, 4, 0, 0x7FFE_0000), ALLOWED),
    "the limit of cores, the old way": ("x86_64", X86, 160, (4, 0x7FFE_0000), errno.EPERM),
    "the limit of files, the old way there": ("aarch64", ARM, 164, (7, 0x7FFE_0000), ALLOWED),
    "another's key of an encrypted folder": ("x86_64", X86, 16, (3, 0xC040_6619), errno.EPERM),
    "a key of an encrypted folder": ("x86_64", X86, 16, (3, 0xC040_6618), errno.EPERM),
    "a new key for an encrypted folder": ("aarch64", ARM, 29, (3, 0xC050_6617), errno.EPERM),
    "what a key's state is": ("x86_64", X86, 16, (3, 0xC080_661A), ALLOWED),
    "limits of one's own": ("x86_64", X86, 302, (0, 7), ALLOWED),
}
"""Architecture of the filter, architecture and number of the call, its arguments, and the error: numbers of syscall(2)'s tables."""


def answered(program: bytes, audit: int, number: int, arguments: tuple[int, ...]) -> int:
    """What a filter answers: an error, or 0. The few instructions of classic BPF that it may use (Documentation/networking/filter.rst)."""
    data = struct.pack("=iIQ6Q", number, audit, 0, *(*arguments, *(0,) * (6 - len(arguments))))
    code = [struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)]
    at, held = 0, 0
    while True:
        kind, yes, no, value = code[at]
        at += 1
        if kind == 0x20:
            held = int(struct.unpack_from("=I", data, value)[0])
        elif kind == 0x06:
            assert value >> 16 in (0x7FFF, 0x0005)
            return int(value & 0xFFFF)
        else:
            at += yes if {0x15: held == value, 0x35: held >= value, 0x45: bool(held & value)}[kind] else no


@pytest.mark.parametrize("what", CASES)
def test_the_filter_answers(what: str) -> None:
    """Each call by its number and arguments, on each architecture by its own table."""
    machine, audit, number, arguments, error = CASES[what]
    assert answered(seccomp.program(machine), audit, number & 0xFFFF_FFFF, arguments) == error


@alone
def test_everybody_in_a_lab_is_under_it() -> None:
    """The kernel says so of PID 1, of what the agent starts and of who enters (proc(5), Seccomp); a program that changes its user still may."""
    with room() as made:
        for pid in ("1", "self"):
            assert "Seccomp:\t2" in made.sh(f"cat /proc/{pid}/status").splitlines()
        assert "NoNewPrivs:\t0" in made.sh("cat /proc/self/status").splitlines()
        assert made.sh("unshare -Urmpf --mount-proc id -u") == "0\n"
        assert "Seccomp:\t2" in made.sh("unshare -n cat /proc/self/status").splitlines()
    assert "Seccomp:\t2" not in _own_status(), "nothing of it is left outside"


@alone
def test_who_cannot_be_filtered_does_not_enter() -> None:
    """Where the kernel grants a visitor no filter, which those inside can bring about, his command is not run, and he is told; so is who starts a lab."""
    with room() as made:
        into = join.command(made.lab, "host")
        done = subprocess.run([*into, "echo", "inside"], capture_output=True, text=True, check=False, preexec_fn=use_up_filters)
        assert (done.returncode, done.stdout) == (3, "") and "filter of system calls" in done.stderr
    start = "import sys; from netless_lab.sandbox.start import start; start(sys.argv[1], sys.argv[2])"
    words = [sys.executable, "-c", start, "other", ENTRY]
    done = subprocess.run(words, env=as_here(), capture_output=True, text=True, check=False, preexec_fn=use_up_filters)
    assert done.returncode == 1 and "StartError" in done.stderr and "filter of system calls" in done.stderr


@alone
def test_who_cannot_leave_his_keys_is_filtered_all_the_same() -> None:
    """No other session keyring can be had, as when a user has as many keys as he may: the filter is set, and refuses the use of any."""
    with room() as made:
        words = [*join.command(made.lab, "host"), "sh", "-c", "grep Seccomp_filters /proc/self/status"]
        done = subprocess.run(words, capture_output=True, text=True, check=True, preexec_fn=lambda: refuse(KEYCTL))
        assert done.stdout == "Seccomp_filters:\t2\n"


KEYCTL = {"x86_64": 250}.get(os.uname().machine, 219)
_LOAD_NUMBER, _IF_EQUAL, _RETURN, _ALLOW = 0x20, 0x15, 0x06, 0x7FFF_0000


def use_up_filters() -> None:
    """Have as many filters as one may: 32,768 instructions of all together (seccomp(2), ENOMEM)."""
    for size in (4096, 256, 16):
        while _filter([(_RETURN, 0, 0, _ALLOW)] * size) == 0:
            pass


def refuse(number: int) -> None:
    """Have a system call fail with EPERM."""
    assert _filter([(_LOAD_NUMBER, 0, 0, 0), (_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, 0x0005_0000 | errno.EPERM), (_RETURN, 0, 0, _ALLOW)]) == 0


def _filter(code: list[tuple[int, int, int, int]]) -> int:
    """Set a filter on this process, 0 if it is one, as an ordinary user may who gives up gaining privileges (prctl(2), PR_SET_NO_NEW_PRIVS)."""
    libc = ctypes.CDLL(None, use_errno=True)
    held = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *instruction) for instruction in code))
    told = ctypes.create_string_buffer(struct.pack("@HP", len(code), ctypes.addressof(held)))
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    return int(libc.prctl(22, 2, ctypes.c_void_p(ctypes.addressof(told)), 0, 0))


def _own_status() -> list[str]:
    with open(f"/proc/{os.getpid()}/status", encoding="ascii") as file:
        return file.read().splitlines()
