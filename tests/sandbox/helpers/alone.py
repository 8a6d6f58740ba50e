"""Run a test in a pid, net and mount namespace of its own, without a user namespace where we can: the machine as a lab's starter sees it.

    @alone
    def test_something() -> None: ...

In there every process, socket name and file in /tmp and /run is of the test's own making, so "nothing remains" can be asked of the
kernel and answered exactly: ``remains``. Run by root, each test runs twice: as root, and as the ordinary user with no namespace
that would make it root of anything; run by anybody else, once, as that user.
"""

from __future__ import annotations

import ctypes
import functools
import inspect
import os
import pwd
import select
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.sandboxed import _check, _mount, _open_up, _write, users

_NEWNS, _NEWUSER, _NEWPID, _NEWNET = 0x20000, 0x10000000, 0x20000000, 0x40000000
_PRIVATE, _NOSUID_NODEV = 0x4000 | 0x40000, 0x2 | 0x4
_libc = ctypes.CDLL(None, use_errno=True)
HOME = "/tmp/home"


def alone(test: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a test function; see the module."""
    signature = inspect.signature(test)

    @functools.wraps(test)
    def wrapper(sandbox_user: str, **fixtures: Any) -> None:
        failure = run_alone(functools.partial(test, **fixtures), sandbox_user)
        if failure.startswith("SKIP "):
            pytest.skip(failure[5:])
        if failure:
            pytest.fail(failure, pytrace=False)

    added = inspect.Parameter("sandbox_user", inspect.Parameter.KEYWORD_ONLY)
    wrapper.__signature__ = signature.replace(parameters=[*signature.parameters.values(), added])  # type: ignore[attr-defined]
    del wrapper.__wrapped__
    marked: Callable[..., Any] = pytest.mark.kernel(pytest.mark.parametrize("sandbox_user", users())(wrapper))
    return marked


def run_alone(test: Callable[[], Any], user: str, limit_s: float = 100.0) -> str:
    """ "" when it passed, else what to show."""
    sys.stdout.flush()
    sys.stderr.flush()
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(out)
        _outer(test, user, into)
    os.close(into)
    text, end = b"", time.monotonic() + limit_s
    try:
        while select.select([out], [], [], max(0.0, end - time.monotonic()))[0]:
            chunk = os.read(out, 1 << 16)
            if not chunk:
                break
            text += chunk
        else:
            text = f"the test did not end within {limit_s:g} s".encode()
    finally:
        os.close(out)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return "" if text == b"PASSED" else text.decode(errors="replace") or "the test's process died without a word"


def _outer(test: Callable[[], Any], user: str, into: int) -> None:
    code = 1
    try:
        _libc.prctl(1, signal.SIGKILL)
        uid, gid = os.geteuid(), os.getegid()
        if uid == 0:
            if user != "root":
                for prefix in {sys.base_prefix, sys.prefix}:
                    _open_up(prefix)
            _check(_libc.unshare(_NEWNS | _NEWNET | _NEWPID), "unshare")
        else:
            _check(_libc.unshare(_NEWUSER | _NEWNS | _NEWNET | _NEWPID), "unshare")
            _write("/proc/self/setgroups", "deny")
            _write("/proc/self/uid_map", f"{uid} {uid} 1")
            _write("/proc/self/gid_map", f"{gid} {gid} 1")
        inner = os.fork()
        if inner == 0:
            _inner(test, user, into)
        os.close(into)
        code = os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1])
    except BaseException as error:
        os.write(into, f"no namespaces for {user}: {error}".encode())
    finally:
        os._exit(code & 0xFF)


def _inner(test: Callable[[], Any], user: str, into: int) -> None:
    code = 1
    try:
        _mount(None, "/", None, _PRIVATE)
        _mount("proc", "/proc", "proc", 0)
        for path in ("/tmp", "/run"):
            if not str(Path(__file__)).startswith(f"{path}/"):
                _mount("tmpfs", path, "tmpfs", _NOSUID_NODEV, "mode=1777")
        os.makedirs(HOME, exist_ok=True)
        if user not in ("root", "self"):
            entry = pwd.getpwnam(user)
            os.chown(HOME, entry.pw_uid, entry.pw_gid)
            os.setgroups([])
            os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
            os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
            _libc.prctl(4, 1)
        _libc.prctl(1, signal.SIGKILL)
        for name in [name for name in os.environ if name.startswith("XDG_")]:
            del os.environ[name]
        os.environ["HOME"] = HOME
        os.chdir(HOME)
        test()
        os.write(into, b"PASSED")
        code = 0
    except pytest.skip.Exception as skipped:
        os.write(into, f"SKIP {skipped.msg}".encode())
    except BaseException:
        excinfo: pytest.ExceptionInfo[BaseException] = pytest.ExceptionInfo.from_current()
        os.write(into, str(excinfo.getrepr(style="short")).encode()[:60_000])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


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
