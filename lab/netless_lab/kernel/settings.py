"""Every setting (sysctl) of a namespace as it was at some moment, and the way back there.

Which settings there are is asked of the kernel: all files below /proc/sys/net that may be opened both to read and to write. So counters
and facts (nf_conntrack_count, tcp_available_*) are left out, and so are orders (ipv4/route/flush), by their mode and not by a list.

About 800 files for a node with one cable: opening, reading and closing them takes 3 ms, reading open ones again less than 1 ms. So a
namespace that will be compared again and again keeps them open (``keep``). An open file does not keep its namespace alive: when that is
gone, or the device or module of a setting, reading says so (fs/proc/proc_sysctl.c). Reading and writing happen inside the namespace,
because some settings ask whose thread it is. Two namespaces that are compared at the same time take longer than one after the other: each
of these calls hands Python over to the other's thread.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import chain
from typing import Final

import msgspec

from .namespace import Namespace, call_in

ROOT: Final = "/proc/sys"
_SIZE: Final = 255
"""The kernel clears as many bytes as are asked for before it writes a few of them, so longer values are asked for once more."""
_LONGEST: Final = 1 << 16
_PER_DEVICE: Final = ("conf", "neigh")
_WIDE: Final = ("all", "default")


INHERITED: Final = ("net/ipv4/tcp_child_ehash_entries", "net/ipv4/udp_child_hash_entries")
"""Settings of the namespace in which a new one is made that decide what that one is like for good (Documentation/networking/ip-sysctl.rst)."""


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

    def __init__(
        self, values: dict[str, bytes | None], files: dict[str, int] | None = None, home: int | None = None, *, keep: bool = False,
        devices: _Devices | None = None,
    ) -> None:  # fmt: skip
        """``files`` are the descriptors of those that are kept open, and belong to the namespace with the inode ``home``; they become ours.
        ``keep``: others of that namespace are kept open too, once they were opened. ``devices`` knows whose ``values`` are, where that is known.
        """
        self.values = values
        self._devices = devices or _Devices(values)
        self._files = files or {}
        self._home = home
        self._keep = keep

    def held_for(self, home: int, *, keep: bool) -> Settings:
        """The same settings for another namespace; with ``keep`` their files are kept open from the first comparison on."""
        return Settings(self.values, home=home, keep=keep, devices=self._devices)

    def beyond(self, bare: Settings) -> frozenset[str]:
        """The keys of those that are otherwise than in ``bare``, or not there: what tells a node that was set up from one that was not."""
        return frozenset(key for key, value in self.values.items() if key not in bare.values or bare.values[key] != value)

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
        return call_in(namespace, self._put_back, chosen, self._reading(namespace)) if chosen else {}

    def well(self, namespace: Namespace) -> frozenset[str]:
        """The keys of the settings of no device that are as they were. The kernel changes none of these when another setting is written, and looks at
        none of them for what it does to links: they can be read while these go.
        """

        def found() -> frozenset[str]:
            reading = self._reading(namespace)
            with reading:
                return self._devices.nobodys.difference(key for key, _ in reading.differing(self._devices.nobodys, self.values))

        return call_in(namespace, found)

    @property
    def of_no_device(self) -> Collection[str]:
        """The keys of those that are of no device, nor for all of them."""
        return self._devices.nobodys

    def of_devices(self, names: Collection[str]) -> frozenset[str]:
        """The keys of the settings that belong to these devices."""
        return frozenset().union(*(self._devices.of.get(name, ()) for name in names))

    def of_newborn(self, names: Collection[str]) -> frozenset[str]:
        """The same without those that such a device has by itself as soon as it is made, where ``default`` is as it was: the kernel copies it
        (inetdev_init in net/ipv4/devinet.c, ipv6_add_dev in net/ipv6/addrconf.c). What it copies of neighbours only the machine's own namespace
        shows (neigh_parms_alloc in net/core/neighbour.c); ``lo`` has had it since it was born.
        """
        return self.of_devices(names) & self._devices.own

    def differences(self, namespace: Namespace) -> tuple[Difference, ...]:
        """What ``put_back`` would write now."""
        return call_in(namespace, self._differences, list(self.values), self._reading(namespace))

    def spoiled(self, namespace: Namespace, names: Mapping[str, str]) -> frozenset[str]:
        """Devices with a setting that was not set at all and that the kernel cannot unset: they are to be made anew. ``names`` are those that
        devices of this beginning have now, where they have others.
        """
        unset = {key: device for key, value in self.values.items() if value is None and (device := device_of(key))}
        now = {key.replace(f"/{device}/", f"/{names.get(device, device)}/", 1): device for key, device in unset.items()}

        def found() -> frozenset[str]:
            reading = self._reading(namespace)
            with reading:
                return frozenset(now[key] for key, _ in reading.differing(now, dict.fromkeys(now)))

        return call_in(namespace, found) if now else frozenset()

    def _reading(self, namespace: Namespace) -> _Reading:
        """The files that are open, as far as they speak of this namespace: an open file shows the one in which it was opened."""
        return _Reading(self._files, keep=self._keep) if namespace.inode == self._home else _Reading({}, keep=False)

    def _put_back(self, keys: list[str], reading: _Reading) -> dict[str, str]:
        with reading:
            refused = [key for key, _ in reading.differing(keys, self.values) if self._write(key, reading)]
            return {key: problem for key, _ in reading.differing(refused, self.values) if (problem := self._write(key, reading))}

    def _differences(self, keys: list[str], reading: _Reading) -> tuple[Difference, ...]:
        with reading:
            found = [(key, self.values[key], now) for key, now in reading.differing(keys, self.values)]
        return tuple(Difference(key, None if was is None else _text(was), _text(now)) for key, was, now in found)

    def _write(self, key: str, reading: _Reading) -> str:
        """Write what was; "" when all is well or the file is gone."""
        wanted = self.values[key]
        if wanted is None:
            return f"{key} was not set before, and the kernel has no way to unset it"
        try:
            with contextlib.closing(os.fdopen(reading.open(key), "wb", buffering=0)) as file:
                file.write(wanted)
        except FileNotFoundError:
            return ""
        except OSError as error:
            return f"could not set {key} to {_text(wanted)}: {error.strerror}"
        return ""


class _Devices:
    """Which of the settings belong to which device: found out once, when it is first asked for, for all namespaces that are to have them."""

    def __init__(self, values: Mapping[str, bytes | None]) -> None:
        self._values = values

    @cached_property
    def of(self) -> Mapping[str, Collection[str]]:
        """The keys by the device's name."""
        found: dict[str, list[str]] = {}
        for key in self._values:
            if device := device_of(key):
                found.setdefault(device, []).append(key)
        return found

    @cached_property
    def nobodys(self) -> frozenset[str]:
        """Those of no device, nor for all of them."""
        return frozenset(key for key in self._values if _rank(key) == (True, 0))

    @cached_property
    def own(self) -> frozenset[str]:
        """Those of a device that it does not have by itself, made where all else is so."""
        return frozenset(key for key in chain.from_iterable(self.of.values()) if self._values[key] != self._values.get(_copied_from(key), b""))


class _Reading:
    """Once through the settings of a namespace, inside it. Use it as a context, once.

    A file is opened from its folder, which is looked up once: every name on a way through /proc/sys costs as much as the opening.
    """

    def __init__(self, files: dict[str, int], *, keep: bool) -> None:
        """``files`` are open by their keys; with ``keep`` those that are opened are added, and left open."""
        self._files = files
        self._keep = keep
        self._folders: dict[str, int] = {}

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        for fd in self._folders.values():
            os.close(fd)

    def differing(self, keys: Iterable[str], values: Mapping[str, bytes | None]) -> Iterator[tuple[str, bytes]]:
        """Those of ``keys`` that are not as in ``values``, with what they are, one at a time: what is written on the way counts for later ones."""
        files, pread = self._files, os.pread
        for key in keys:
            now: bytes | None
            try:
                now = pread(files[key], _SIZE, 0)
            except (KeyError, OSError):
                now = self.read(key)
            else:
                if len(now) == _SIZE:
                    now = self.read(key)
            if now is not None and now != values[key]:
                yield key, now

    def read(self, key: str) -> bytes | None:
        """The value now, from its open file when there is one; None when there is none to read, or it is not set."""
        fd = self._files.get(key)
        if fd is not None:
            try:
                return _whole(fd)
            except FileNotFoundError:  # its device has gone; there may be another of this name
                os.close(self._files.pop(key))
            except OSError:
                return None
        with contextlib.suppress(OSError):
            fd = self.open(key)
            if self._keep:
                self._files[key] = fd
            try:
                return _whole(fd)
            finally:
                if not self._keep:
                    os.close(fd)
        return None

    def open(self, key: str) -> int:
        """To read and to write: what allows only one of the two is no setting. Raises OSError."""
        folder, _, name = key.rpartition("/")
        if folder not in self._folders:
            self._folders[folder] = os.open(f"{ROOT}/{folder}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        return os.open(name, os.O_RDWR | os.O_CLOEXEC, dir_fd=self._folders[folder])


def read_settings(namespace: Namespace, *, keep: bool = False) -> Settings:
    """Every setting as it is now; with ``keep`` the files stay open, about 800 descriptors, until ``close``."""
    return call_in(namespace, _read_all, keep, namespace.inode)


def device_of(key: str) -> str:
    """The device that a setting belongs to: "br0" for ``net/ipv4/conf/br0/arp_ignore``; "" for those of no single one."""
    parts = key.split("/")
    return parts[3] if len(parts) > 4 and parts[2] in _PER_DEVICE and parts[3] not in _WIDE else ""


def _copied_from(key: str) -> str:
    """The setting that was as that of a device is when the device is made."""
    protocol, kind, _, name = key.removeprefix("net/").split("/", 3)
    return f"net/{protocol}/{kind}/{'lo' if kind == 'neigh' else 'default'}/{name}"


def _read_all(keep: bool, home: int) -> Settings:
    values: dict[str, bytes | None] = {}
    files: dict[str, int] = {}
    reading = _Reading(files, keep=True)
    with reading:
        for key in sorted(_listed(f"{ROOT}/net"), key=_rank):
            value = reading.read(key)
            if key in files:
                values[key] = value  # None for one that is not set yet
            if not keep and key in files:
                os.close(files.pop(key))
    return Settings(values, files, home, keep=keep)


def _whole(fd: int) -> bytes:
    """All of a setting's file. Raises OSError."""
    value = os.pread(fd, _SIZE, 0)
    return value if len(value) < _SIZE else os.pread(fd, _LONGEST, 0)


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


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace").strip()
