"""The bait on the playing machine, as whoever owns the lab lays it, and the witnesses: what shows outside whether it was taken."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from helpers import forked
from helpers.forked import mount
from hostile.attempts import keyrings as keys
from hostile.bait import KEYS, Bait
from hostile.calls import call
from hostile.helpers.groups import BAIT, KILLED, Groups
from hostile.helpers.machine import ADDRESS, HOME, LINK, NODES, OTHER, SHADOW, SUPERUSER, WRITABLE
from netless_lab.address import socket_name

LAB, MARK, PORT, KEY = "hostile", "hostile-mark", 45999, 0x6E657430
NODES_TRIED = ("host", "c1", "outside")
SECRET = b"a secret"
_SOCKETS = ("/tmp/socket", "/run/socket", "/var/tmp/socket")
_SETTINGS = ("kernel/core_pattern", "kernel/panic", "kernel/printk", "kernel/shmmax", "kernel/msgmax", "fs/mqueue/msg_max", "vm/swappiness")


class Outside:
    """The playing machine in its first process."""

    def __init__(self, groups: Groups, *, root: bool) -> None:
        """Lay the bait."""
        self._listening = dict(_listen())
        for name in ("secret", "truncated", "locked", *(f"removed-{node}" for node in NODES_TRIED)):
            Path(HOME, name).write_bytes(SECRET)
        for name in ("folder", "work", *(f"renamed-{node}" for node in NODES_TRIED)):
            os.mkdir(f"{HOME}/{name}")
        os.mkfifo(f"{HOME}/fifo")
        self._fifo = os.open(f"{HOME}/fifo", os.O_RDWR | os.O_NONBLOCK)
        Path(f"/dev/shm/{MARK}-shared").touch()
        call("shmget", KEY, 4096, 0o1600)
        call("mq_open", f"hostile-{KEY}".encode(), os.O_RDWR | os.O_CREAT, 0o600, None)
        _lay_keys()
        self._process = _begin()
        self._victim = _begin()
        for kind, has in groups.has.items():
            if has and root:
                _put(kind, ((self._process.pid, BAIT), (self._victim.pid, KILLED)))
        self.bait = Bait(
            "", root, MARK, HOME, OTHER, SUPERUSER, SHADOW if root or not os.access("/etc/shadow", os.R_OK) else "", NODES if os.listdir(NODES) else "",
            f"{MARK}-abstract", socket_name(LAB, os.geteuid())[1:], _SOCKETS, PORT, ADDRESS, LINK, self._process.pid,
            BAIT if groups.has["cgroup2"] else "", BAIT if groups.has["cgroup"] else "", KEY,
        )  # fmt: skip
        self._before = {name: dict(look()) for name, look in _LOOKS.items()}

    def witnesses(self, *places: str) -> dict[str, list[str]]:
        """Each witness by name, with what it has seen happen since all began: nothing, where the wall held. ``places``: from where it was tried."""
        seen = {name: _differences(self._before[name], dict(look())) for name, look in _LOOKS.items()}
        seen["sockets"] = [name for name, sock in self._listening.items() if select.select([sock], [], [], 0)[0]]
        seen["fifo"] = ["somebody wrote"] if select.select([self._fifo], [], [], 0)[0] else []
        seen["processes"] = [name for name, own in (("bait", self._process), ("victim", self._victim)) if not _answers(own)]
        seen["keys"] = [text for node in places for text in _keys_harmed(node)]
        return seen


def _listen() -> Iterator[tuple[str, socket.socket]]:
    """Sockets of every kind that somebody inside might find. Nobody answers there: that one called is seen afterwards."""
    for name in (f"\0{MARK}-abstract", f"{HOME}/socket", *_SOCKETS):
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(name)
        sock.listen(64)
        yield name.replace("\0", "@"), sock
    for name in (f"\0{MARK}-abstract-datagrams", f"{HOME}/datagrams"):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sock.bind(name)
        yield name.replace("\0", "@"), sock
    for address in ("127.0.0.1", ADDRESS, "::1"):
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        sock.bind((address, PORT))
        sock.listen(64)
        yield address, sock


def _lay_keys() -> None:
    """A session of one's own, with its keys, and a keyring that has a name; the lab is begun in this session."""
    named = call("keyctl", keys.JOIN, f"{MARK}-session".encode())
    call("add_key", b"user", f"{MARK}-named".encode(), SECRET, len(SECRET), named)
    call("keyctl", keys.SETPERM, named, 0x3F3F0000)
    call("keyctl", keys.LINK, named, keys.PROCESS)
    call("keyctl", keys.JOIN, None)
    for node in NODES_TRIED:
        for what in KEYS:
            call("add_key", b"user", f"{MARK}-{node}-{what}".encode(), SECRET, len(SECRET), keys.SESSION)


def _keys_harmed(node: str) -> Iterator[str]:
    for what in KEYS:
        buffer = ctypes.create_string_buffer(64)
        try:
            key = call("keyctl", keys.SEARCH, keys.SESSION, b"user", f"{MARK}-{node}-{what}".encode(), 0)
            size = call("keyctl", keys.READ, key, buffer, 64)
            if buffer.raw[:size] != SECRET:
                yield f"{node} changed {what}"
        except OSError as error:
            yield f"{node} took {what}: {error.strerror}"
    with contextlib.suppress(OSError):
        call("keyctl", keys.SEARCH, keys.SESSION, b"user", f"{MARK}-{node}-added".encode(), 0)
        yield f"{node} added a key"


def _begin() -> subprocess.Popen[bytes]:
    """A process that says back what it is told, as long as it lives and is not stopped."""
    script = "while read line; do echo $line; done"
    return subprocess.Popen(["sh", "-c", script, "4242"], env={"MARK": MARK}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def _answers(process: subprocess.Popen[bytes]) -> bool:
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write(b"there?\n")
        process.stdin.flush()
    except BrokenPipeError:
        return False
    return bool(select.select([process.stdout], [], [], 3)[0]) and os.read(process.stdout.fileno(), 64) == b"there?\n"


def _put(kind: str, members: tuple[tuple[int, str], ...]) -> None:
    mount(kind, "/mnt", kind, 0, "" if kind == "cgroup2" else "freezer")
    for pid, group in members:
        Path("/mnt", group, "cgroup.procs").write_text(str(pid), encoding="ascii")
    forked.check(ctypes.CDLL(None).umount2(b"/mnt", 2), "umount")


def _differences(before: dict[str, object], now: dict[str, object]) -> list[str]:
    return sorted(f"{name}: {before.get(name, 'not there')} -> {now.get(name, 'not there')}" for name in before.keys() | now.keys()
                  if before.get(name) != now.get(name))  # fmt: skip


def _files() -> Iterator[tuple[str, object]]:
    """Mode, owner, size and time of change of all that could be written outside, and what is in the bait."""
    for top in (HOME, OTHER, SUPERUSER, "/srv", "/opt", "/tmp", "/run", "/var/tmp", "/dev"):
        for folder, folders, names in os.walk(top):
            for path in (folder, *(f"{folder}/{name}" for name in (*folders, *names))):
                if not path.startswith(("/dev/pts/", "/dev/ptmx", "/dev/tty")):
                    yield path, _state(path)
    for top in WRITABLE:
        with contextlib.suppress(PermissionError):
            for entry in os.scandir(top):
                yield entry.path, _state(entry.path)


def _state(path: str) -> object:
    try:
        is_ = os.lstat(path)
    except OSError:
        return None
    content = Path(path).read_bytes() if path.startswith(HOME) and os.path.isfile(path) else b""
    changed = 0 if path.startswith("/dev") else is_.st_ctime_ns
    return oct(is_.st_mode), is_.st_uid, is_.st_size if not os.path.isdir(path) else 0, is_.st_nlink, changed, content


def _settings() -> Iterator[tuple[str, object]]:
    paths = [f"/proc/sys/{name}" for name in _SETTINGS]
    paths += [f"{folder}/{name}" for folder, _, names in os.walk("/proc/sys/net") for name in names if not name.endswith("_count")]
    for path in paths:
        with contextlib.suppress(OSError):
            yield path, Path(path).read_bytes()


def _names() -> Iterator[tuple[str, object]]:
    yield "host", socket.gethostname()
    yield "domain", Path("/proc/sys/kernel/domainname").read_text(encoding="ascii")


def _mounts() -> Iterator[tuple[str, object]]:
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        yield line, True


def _network() -> Iterator[tuple[str, object]]:
    for words in (("ip", "-j", "-d", "addr"), ("ip", "-j", "route", "show", "table", "all"), ("nft", "-j", "list", "ruleset")):
        if words[0] == "ip" or os.geteuid() == 0:
            path = {**os.environ, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
            yield " ".join(words), subprocess.run(words, capture_output=True, text=True, check=False, env=path).stdout


def _ipc() -> Iterator[tuple[str, object]]:
    yield "shared memory", [line.split()[:2] for line in Path("/proc/sysvipc/shm").read_text(encoding="ascii").splitlines()]
    if os.path.isdir("/dev/mqueue"):
        yield "queues", os.listdir("/dev/mqueue")


_LOOKS = {"files": _files, "settings": _settings, "names": _names, "mounts": _mounts, "network": _network, "ipc": _ipc}
WITNESSES = (*_LOOKS, "sockets", "fifo", "processes", "keys", "terminal", "agent")
"""All of them; the last two are told by whoever runs the attempts."""
