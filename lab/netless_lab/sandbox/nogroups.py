"""Run a program that insists on setgroups(2): ``python -I -S nogroups.py PROGRAM ARG...``.

tcpdump, started by root, gives up its groups before it captures, even when told to stay root. In a user namespace made by an ordinary
user setgroups is forbidden for good (user_namespaces(7)), and tcpdump ends. There is nothing to give up here, so a seccomp filter
(seccomp(2)) lets the call succeed without doing anything, for this program only.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys

_SETGROUPS = {"x86_64": 116, "aarch64": 159, "riscv64": 159, "loongarch64": 159, "ppc64le": 81, "s390x": 206, "armv7l": 206, "i686": 206}
"""The call's number, by the machine's name as uname(2) has it."""
_LOAD_NUMBER, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_SUCCEED, _ALLOW = 0x0005_0000, 0x7FFF_0000
"""SECCOMP_RET_ERRNO with errno 0; SECCOMP_RET_ALLOW."""
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2


class _Program(ctypes.Structure):
    """struct sock_fprog"""

    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def let_setgroups_succeed() -> None:
    """For this process and all it becomes. Nothing happens on a machine whose number for the call is not known."""
    number = _SETGROUPS.get(os.uname().machine)
    if number is None:
        return
    instructions = (
        (_LOAD_NUMBER, 0, 0, 0),
        (_JUMP_IF_EQUAL, 0, 1, number),
        (_RETURN, 0, 0, _SUCCEED),
        (_RETURN, 0, 0, _ALLOW),
    )
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(_Program(len(instructions), code)), 0, 0)


if __name__ == "__main__":
    let_setgroups_succeed()
    os.execv(sys.argv[1], sys.argv[1:])
