"""Run a test in a pid, net and mount namespace of its own, without a user namespace where we can: the machine as a lab's starter sees it.

    @alone
    def test_something() -> None: ...

In there every process, socket name and file in /tmp and /run is of the test's own making, so "nothing remains" can be asked of the
kernel and answered exactly: ``remains``. The ordinary user of a run by root has no namespace that would make it root of anything.
Who runs it: ``helpers.forked``.
"""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers import forked
from helpers.forked import NEWNET, NEWNS, NEWPID, NOSUID_NODEV, PRIVATE, Recipe, mount

HOME = "/tmp/home"


def alone(test: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a test function; see the module."""
    return forked.decorated(test, STARTER, forked.users())


def alone_as_root(test: Callable[..., Any]) -> Callable[..., Any]:
    """Like ``alone``, for what only root can try."""
    return pytest.mark.root(forked.decorated(test, STARTER, ["root"]))  # type: ignore[no-any-return]


def alone_as_ordinary(test: Callable[..., Any]) -> Callable[..., Any]:
    """Like ``alone``, for users other than root: for tests of what binds only them."""
    return forked.decorated(test, STARTER, forked.ordinary())


def _enter(user: str) -> None:
    if os.geteuid() != 0:
        forked.new_user_namespace(root_inside=False)
    elif user != "root":
        forked.open_interpreter()
    forked.unshare(NEWNS | NEWNET | NEWPID)


def _set_up(user: str) -> None:
    mount(None, "/", None, PRIVATE)
    mount("proc", "/proc", "proc", 0)
    for path in ("/tmp", "/run"):
        if not str(Path(__file__)).startswith(f"{path}/"):
            mount("tmpfs", path, "tmpfs", NOSUID_NODEV, "mode=1777")
    os.makedirs(HOME, exist_ok=True)
    if user not in ("root", "self"):
        entry = pwd.getpwnam(user)
        os.chown(HOME, entry.pw_uid, entry.pw_gid)
        forked.become(user)
    for name in [name for name in os.environ if name.startswith("XDG_")]:
        del os.environ[name]
    os.environ["HOME"] = HOME
    os.chdir(HOME)


STARTER = Recipe(_enter, _set_up, 100.0)


def remains(*, of: Machine) -> list[str]:
    """What is there that was not before, in words; waits a while for the kernel to take things down."""
    end = time.monotonic() + 10
    while True:
        found = Machine.now().beyond(of)
        if not found or time.monotonic() > end:
            return found
        time.sleep(0.01)


class Machine:
    """Everything a lab could leave behind, as the kernel shows it at one moment."""

    def __init__(self, things: frozenset[str]) -> None:
        self._things = things

    @classmethod
    def now(cls) -> Machine:
        """Collect the dead, then look at processes, namespaces, mounts, sockets and files."""
        _reap()
        return cls(frozenset((*_processes(), *_mounts(), *_sockets(), *_files())))

    def beyond(self, before: Machine) -> list[str]:
        """What came since."""
        return sorted(self._things - before._things)


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _processes() -> list[str]:
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            command = Path(f"/proc/{name}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            spaces = [os.readlink(f"/proc/{name}/ns/{kind}") for kind in ("net", "mnt", "user", "pid")]
        except FileNotFoundError:
            continue
        except (PermissionError, ProcessLookupError):
            command, spaces = "?", []
        found.append(f"process {name}: {command} in {spaces}")
    return found


def _mounts() -> list[str]:
    return [f"mount {line.split()[4]}" for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()]


def _sockets() -> list[str]:
    lines = Path("/proc/net/unix").read_text(encoding="utf-8").splitlines()
    return [f"socket {line.split()[-1]}" for line in lines if "netless" in line]


def _files() -> list[str]:
    return [f"file {path}" for top in ("/tmp", "/run", "/dev/shm") for path in Path(top).rglob("*")]
