"""Every setting (sysctl) of a namespace as it was at some moment, and the way back there.

Which settings there are is asked of the kernel: all files below /proc/sys/net that may be opened both to read and to write. So counters
and facts (nf_conntrack_count, tcp_available_*) are left out, and so are orders (ipv4/route/flush), by their mode and not by a list.

About 800 files for a node with one cable: opening, reading and closing them takes 5 ms, reading open ones again less than 1 ms. So a
namespace that will be compared again and again keeps them open (``keep``). An open file does not keep its namespace alive: when that is
gone, or the device or module of a setting, reading says so (fs/proc/proc_sysctl.c). Reading and writing happen inside the namespace,
because some settings ask whose thread it is.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator
from typing import Final

import msgspec

from .namespace import Namespace, call_in

ROOT: Final = "/proc/sys"
_SIZE: Final = 4096
_PER_DEVICE: Final = ("conf", "neigh")
_WIDE: Final = ("all", "default")


class Difference(msgspec.Struct, frozen=True):
    """A setting that is not as it was; ``was`` is None for one that was not set at all (``stable_secret``)."""

    key: str
    was: str | None
    now: str


class Settings:
    """The settings of one namespace: ``net/ipv4/ip_forward`` -> what its file held.

    In the order in which they are to be written: what is of no device, then ``all``, then ``default``, then each device, because the
    kernel copies in that direction (writing ip_forward also writes the forwarding of every device, and accept_redirects of ``all``).
    """

    def __init__(self, values: dict[str, bytes | None], files: dict[str, int] | None = None, home: int | None = None) -> None:
        """``files`` are the descriptors of those that are kept open, and belong to the namespace with the inode ``home``; they become ours."""
        self.values = values
        self._files = files or {}
        self._home = home

    def moved(self) -> Settings:
        """The same settings for a namespace in the place of the one they were read in; no file is open any more, and these are not to be used."""
        self.close()
        return Settings(self.values)

    def close(self) -> None:
        """Close what was kept open."""
        for fd in self._files.values():
            os.close(fd)
        self._files.clear()

    def put_back(self, namespace: Namespace, keys: Collection[str] | None = None) -> dict[str, str]:
        """Write what differs, of all settings or of ``keys``. Those that could not be written, and why in words.

        ``namespace`` may be another than these were read in. What is gone, with its device or its module, is passed over. Limits are
        checked against one another (ip_local_port_range, ip_unprivileged_port_start): what is refused is tried again.
        """
        chosen = [key for key in self.values if keys is None or key in keys]
        return call_in(namespace, self._put_back, chosen, self._kept(namespace)) if chosen else {}

    def of_devices(self, names: Collection[str]) -> frozenset[str]:
        """The keys of the settings that belong to these devices."""
        return frozenset(key for key in self.values if device_of(key) in names) if names else frozenset()

    def differences(self, namespace: Namespace) -> tuple[Difference, ...]:
        """What ``put_back`` would write now."""
        return call_in(namespace, self._differences, list(self.values), self._kept(namespace))

    def spoiled(self, namespace: Namespace) -> frozenset[str]:
        """Devices with a setting that was not set at all and that the kernel cannot unset: they are to be made anew."""
        unset = [key for key, value in self.values.items() if value is None and device_of(key)]
        found = call_in(namespace, self._differences, unset, self._kept(namespace)) if unset else ()
        return frozenset(device_of(one.key) for one in found)

    def _kept(self, namespace: Namespace) -> dict[str, int]:
        """The files that are open, as far as they speak of this namespace: an open file shows the one in which it was opened."""
        return self._files if namespace.inode == self._home else {}

    def _put_back(self, keys: list[str], files: dict[str, int]) -> dict[str, str]:
        refused = [key for key in keys if self._write(key, files)]
        return {key: problem for key in refused if (problem := self._write(key, files))}

    def _differences(self, keys: list[str], files: dict[str, int]) -> tuple[Difference, ...]:
        found = []
        for key in keys:
            was, now = self.values[key], _read(key, files)
            if now is not None and now != was:
                found.append(Difference(key, None if was is None else _text(was), _text(now)))
        return tuple(found)

    def _write(self, key: str, files: dict[str, int]) -> str:
        """Write when it differs; "" when all is well or the file is gone."""
        wanted, now = self.values[key], _read(key, files)
        if now is None or now == wanted:
            return ""
        if wanted is None:
            return f"{key} was not set before, and the kernel has no way to unset it"
        try:
            with _opened(key) as fd:
                os.pwrite(fd, wanted, 0)
        except FileNotFoundError:
            return ""
        except OSError as error:
            return f"could not set {key} to {_text(wanted)}: {error.strerror}"
        return ""


def read_settings(namespace: Namespace, *, keep: bool = False) -> Settings:
    """Every setting as it is now; with ``keep`` the files stay open, about 800 descriptors, until ``close``."""
    return call_in(namespace, _read_all, keep, namespace.inode)


def device_of(key: str) -> str:
    """The device that a setting belongs to: "br0" for ``net/ipv4/conf/br0/arp_ignore``; "" for those of no single one."""
    parts = key.split("/")
    return parts[3] if len(parts) > 4 and parts[2] in _PER_DEVICE and parts[3] not in _WIDE else ""


def _read(key: str, files: dict[str, int]) -> bytes | None:
    """The value now, from its open file when there is one; None when there is none to read."""
    fd = files.get(key)
    if fd is not None:
        try:
            return os.pread(fd, _SIZE, 0)
        except FileNotFoundError:  # its device has gone; there may be another of this name
            os.close(files.pop(key))
        except OSError:
            return None
    with contextlib.suppress(OSError), _opened(key) as fd:
        return os.pread(fd, _SIZE, 0)
    return None


def _read_all(keep: bool, home: int) -> Settings:
    values: dict[str, bytes | None] = {}
    files: dict[str, int] = {}
    for key in sorted(_listed(f"{ROOT}/net"), key=_rank):
        try:
            fd = _open(key)
        except OSError:
            continue
        values[key] = None
        with contextlib.suppress(OSError):  # not set yet
            values[key] = os.pread(fd, _SIZE, 0)
        if keep:
            files[key] = fd
        else:
            os.close(fd)
    return Settings(values, files, home)


def _listed(directory: str) -> Iterator[str]:
    """The keys of all files below a directory."""
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _listed(entry.path)
            else:
                yield entry.path[len(ROOT) + 1 :]


def _rank(key: str) -> tuple[bool, int]:
    """Where a setting comes in the order of writing.

    ``addr_gen_mode`` before all others: while it is 3 (random), any other that wakes IPv6 makes the kernel draw a ``stable_secret``.
    """
    parts, mode = key.split("/"), not key.endswith("/addr_gen_mode")
    if len(parts) <= 4 or parts[2] not in _PER_DEVICE:
        return mode, 0
    return mode, 1 + _WIDE.index(parts[3]) if parts[3] in _WIDE else 1 + len(_WIDE)


def _open(key: str) -> int:
    """To read and to write: what allows only one of the two is no setting. Raises OSError."""
    return os.open(f"{ROOT}/{key}", os.O_RDWR | os.O_CLOEXEC)


@contextlib.contextmanager
def _opened(key: str) -> Iterator[int]:
    fd = _open(key)
    try:
        yield fd
    finally:
        os.close(fd)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace").strip()
