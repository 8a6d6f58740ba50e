"""Run a test function inside a machine of its own: new user, network, mount, pid, uts and ipc namespaces.

    from helpers.sandboxed import sandboxed

    @sandboxed
    def test_something(): ...            # also ``async def``; fixtures work as usual

The function runs as root of that machine, in a forked child of pytest which is its pid 1. /run, /tmp, /proc and /sys are its own,
/etc is a writable copy, everything else is read-only; when it returns, all it made is gone with it. Who runs it: ``helpers.forked``.
"""

from __future__ import annotations

import ctypes
import functools
import os
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from helpers import forked
from helpers.forked import NEWIPC, NEWNET, NEWNS, NEWPID, NEWUTS, NOSUID_NODEV, PRIVATE, Recipe, mount, users

_libc = ctypes.CDLL(None, use_errno=True)


def sandboxed(test: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a test function: it runs in its own namespaces, once per user of ``users()``."""
    return forked.decorated(test, MACHINE, users())


def sandboxed_as_ordinary(test: Callable[..., Any]) -> Callable[..., Any]:
    """Like ``sandboxed``, for users other than root: for tests of what binds only them."""
    return forked.decorated(test, MACHINE, forked.ordinary())


def sandboxed_once(test: Callable[..., Any]) -> Callable[..., Any]:
    """Like ``sandboxed``, for the least of its users only: for tests in which root and others cannot differ."""

    @functools.wraps(test)
    def wrapper(**fixtures: Any) -> None:
        forked.verdict(run_in_sandbox(functools.partial(test, **fixtures), users()[-1]))

    marked: Callable[..., Any] = pytest.mark.kernel(wrapper)
    return marked


def run_in_sandbox(test: Callable[[], Any], user: str) -> str:
    """Run ``test`` as ``user``. "" when it passed, else the traceback to show, or ``SKIP why``."""
    return forked.run(test, user, MACHINE)


def _enter(user: str) -> None:
    if user not in ("root", "self"):
        forked.open_interpreter()
        forked.lend_tun()
        forked.become(user)
    forked.new_user_namespace(root_inside=True)
    # after the maps: files of /proc/net are given at birth to whoever root is then
    forked.unshare(NEWNET | NEWNS | NEWPID | NEWUTS | NEWIPC)


def _set_up(user: str) -> None:
    mount(None, "/", None, PRIVATE)
    _read_only("/")
    mount("proc", "/proc", "proc", 0)
    mount("sysfs", "/sys", "sysfs", 0)
    for path in ("/run", "/tmp"):
        mount("tmpfs", path, "tmpfs", NOSUID_NODEV)
    os.makedirs("/tmp/.etc/upper")
    os.makedirs("/tmp/.etc/work")
    mount("overlay", "/etc", "overlay", 0, "lowerdir=/etc,upperdir=/tmp/.etc/upper,workdir=/tmp/.etc/work,userxattr")
    os.environ["HOME"] = "/tmp"
    os.chdir("/tmp")


MACHINE = Recipe(_enter, _set_up, 60.0)


def _read_only(path: str) -> None:
    """mount_setattr(2) with AT_RECURSIVE and MOUNT_ATTR_RDONLY: ``path`` and all mounts below it."""
    attributes = struct.pack("=QQQQ", 1, 0, 0, 0)
    forked.check(_libc.syscall(442, -100, path.encode(), 0x8000, attributes, len(attributes)), "mount_setattr")


def tun_is_lent() -> bool:
    """Whether tun devices can be made here. Run by root the tests always have a device file of their own (``forked.lend_tun``).

    Where an ordinary user runs them on a machine that keeps /dev/net/tun for root, False, and ip(8) is held to saying so.
    """
    if not os.path.exists("/dev/net/tun"):
        pytest.skip("this kernel has no tun devices")
    said = sh("ip tuntap add tun9 mode tun 2>&1 && ip tuntap del tun9 mode tun || true")
    if os.access("/dev/net/tun", os.R_OK | os.W_OK):
        assert said == ""
        return True
    assert "Permission denied" in said
    return False


def sh(script: str, **options: Any) -> str:
    """Run a shell script, as a learner would in a terminal; its output. Raises with what it printed when any command fails."""
    done: subprocess.CompletedProcess[str] = subprocess.run(["sh", "-ec", script], capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise AssertionError(f"exit {done.returncode} of:\n{script}\n{done.stdout}{done.stderr}")
    return done.stdout


def answers(to: str, node: int | None = None, seconds: float = 10.0) -> bool:
    """Whether ping(8) gets an answer from ``to`` within a time, sent from here or from the namespace of the process ``node``.

    Asked again and again: what was just built drops packets for up to 1 s, and an ARP that goes unanswered meanwhile ends ping at once.
    """
    enter = [] if node is None else ["nsenter", f"--net=/proc/{node}/ns/net"]
    end = time.monotonic() + seconds
    while subprocess.run([*enter, "ping", "-nqc1", "-W1", to], capture_output=True, check=False).returncode:
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


@contextmanager
def container(hostname: str = "") -> Iterator[int]:
    """The pid of a process in a network and mount namespace of its own (and uts, with ``hostname``), as ``--net=none`` does."""
    uts = ["--uts"] if hostname else []
    name = f"hostname {hostname}; " if hostname else ""
    script = f"{name}echo ready; exec sleep 1000"
    process = subprocess.Popen(["unshare", "--net", "--mount", *uts, "sh", "-ec", script], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        yield process.pid
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
