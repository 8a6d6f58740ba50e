"""Every need that is no mere program (``model.needs``), tried for real: by ``doctor`` in a room of its own, and in a lab before a step that has it.

Nothing here explains; each trial is a name and what the kernel said to it. Each is made in a network namespace that ends with it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import struct
import subprocess
from collections.abc import Callable
from typing import Final

import msgspec

from ..kernel.namespace import Namespace, call_in_new
from ..kernel.netlink.attributes import attribute, number, string
from ..kernel.netlink.link import IFLA_IFNAME, IFLA_LINK, RTM_NEWLINK, RTM_SETLINK, encode_forwarding, encode_link, of_kind
from ..kernel.netlink.socket import ACK, CREATE, EXCLUSIVE, NetlinkSocket
from ..kernel.nft import expressions as nft
from ..kernel.nft.batch import Batch, Hook
from .limits import Limits
from .pid1 import Room

_ETH_P_ALL: Final = 3
_AF_PACKET: Final = 17
_TUNSETIFF, _IFF_TUN_NO_PI = 0x400454CA, 0x1001
"""linux/if_tun.h"""
_FORWARD: Final = Hook("forward")


class Outcome(msgspec.Struct, frozen=True):
    """``errno`` is 0 for a success; ``text`` is what was seen or what the kernel said."""

    name: str
    errno: int = 0
    text: str = ""


class Told(msgspec.Struct, frozen=True):
    """What ``doctor`` hears from inside: what bounds the room, what it has to do without, and what came of each trial."""

    limits: Limits
    notes: tuple[str, ...]
    outcomes: tuple[Outcome, ...]


def main(room: Room) -> None:
    """Be PID 1 of a room: try everything, write what came of it, as JSON, to the file that the room was given, and end."""
    outcomes = (*(_attempt(name, trial) for name, trial in ROOM.items()), *map(attempt, TRIALS))
    with open(room.files[0], "wb") as out:
        out.write(msgspec.json.encode(Told(room.limits, room.notes, outcomes)))
    room.ready()


def attempt(need: str) -> Outcome:
    """Try one of ``TRIALS``, in a network namespace made for it. One of ``iptables`` starts that program."""
    return _attempt(need, lambda: call_in_new(TRIALS[need]))


def _attempt(name: str, trial: Callable[[], str | None]) -> Outcome:
    try:
        return Outcome(name, 0, trial() or "")
    except OSError as error:
        return Outcome(name, error.errno or -1, error.strerror or str(error))
    except (subprocess.SubprocessError, ValueError) as error:
        return Outcome(name, -1, str(error))


def _link(kind: str, data: bytes = b"", *, on_another: bool = False) -> None:
    """A link of this kind, or one that rests on another."""
    with NetlinkSocket() as route:
        below = b""
        if on_another:
            route.request(RTM_NEWLINK, ACK | CREATE | EXCLUSIVE, encode_link(0, string(IFLA_IFNAME, "try-below"), of_kind("veth")))
            below = number(IFLA_LINK, socket.if_nametoindex("try-below"))
        route.request(RTM_NEWLINK, ACK | CREATE | EXCLUSIVE, encode_link(0, string(IFLA_IFNAME, "try"), below, of_kind(kind, data)))


def _rule(*expressions: bytes, family: str = "ip", hook: Hook = _FORWARD) -> None:
    """A chain with one rule."""
    with Namespace.own() as here, contextlib.closing(Batch(here)) as batch:
        batch.add_table(family, "try").add_chain(family, "try", "try", hook).add_rule(family, "try", "try", *expressions).commit()


def _tun() -> None:
    """The one kind of link that is not made by netlink but by a device file (Documentation/networking/tuntap.rst)."""
    with open("/dev/net/tun", "r+b", buffering=0) as device:
        fcntl.ioctl(device, _TUNSETIFF, struct.pack("=16sH22x", b"try", _IFF_TUN_NO_PI))


def _root_is_read_only() -> str:
    for path in ("/netless-doctor", "/usr/netless-doctor"):
        try:
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600))
        except OSError:
            continue
        os.unlink(path)
        raise OSError(-1, f"{path} could be written")
    return "nothing of this machine can be written inside"


def _calls_are_filtered() -> str:
    """By a call that everybody may make otherwise: for a socket of a family without network namespaces."""
    try:
        socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM).close()
    except OSError:
        with open("/proc/self/status", encoding="ascii") as file:
            if "Seccomp:\t2\n" in file.read():
                return "keys, bpf, io_uring and their like cannot be asked for inside"
    raise OSError(-1, "keys, bpf, io_uring and their like are as this machine allows them")


def _kernel_settings_are_closed() -> str:
    path = "/proc/sys/kernel/printk"
    try:
        os.close(os.open(path, os.O_WRONLY))
    except OSError:
        return "settings of the machine's kernel cannot be written inside"
    raise OSError(-1, f"{path} can be opened for writing")


def _etc_is_writable() -> str:
    with open("/etc/netns/.netless-doctor", "w", encoding="ascii") as file:
        file.write("x")
    os.unlink("/etc/netns/.netless-doctor")
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as mounts:
        overlay = any(line.split()[4] == "/etc" and " - overlay " in line for line in mounts)
    return "overlay" if overlay else "links, for want of an overlay"


def _set_forwarding() -> None:
    with open("/proc/sys/net/ipv4/ip_forward", "w", encoding="ascii") as file:
        file.write("1")


def _forward_by_netlink() -> None:
    with NetlinkSocket() as route:
        route.request(RTM_SETLINK, ACK, encode_forwarding(socket.if_nametoindex("lo")))


def _bridge_nf() -> str:
    with open("/proc/sys/net/bridge/bridge-nf-call-iptables", encoding="ascii") as file:
        value = file.read().strip()
    return f"{value} in a new namespace; the lab sets 0"


def _iptables() -> str:
    command = ["iptables", "-w", "-t", "nat", "-A", "POSTROUTING", "-j", "MASQUERADE"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    if done.returncode:
        raise OSError(-1, (done.stderr.strip().splitlines() or ["no reason given"])[0])
    return subprocess.run(["iptables", "--version"], capture_output=True, text=True, timeout=5, check=False).stdout.strip()


ROOM: Final[dict[str, Callable[[], str | None]]] = {
    "read-only root": _root_is_read_only,
    "machine's settings out of reach": _kernel_settings_are_closed,
    "filtered system calls": _calls_are_filtered,
    "writable /etc": _etc_is_writable,
}
"""What a room promises, whatever is done in it."""
TRIALS: Final[dict[str, Callable[[], str | None]]] = {
    "veth": lambda: _link("veth"),
    "bridge": lambda: _link("bridge"),
    "macvlan": lambda: _link("macvlan", number(1, 4), on_another=True),
    "vxlan": lambda: _link("vxlan", number(1, 42)),
    "vlan": lambda: _link("vlan", attribute(1, struct.pack("=H", 7)), on_another=True),
    "ipvlan": lambda: _link("ipvlan", on_another=True),
    "dummy": lambda: _link("dummy"),
    "tun": _tun,
    "nft-nat": lambda: _rule(nft.masquerade(), hook=Hook("postrouting", "nat", 100)),
    "nft-filter": lambda: _rule(nft.counter()),
    "conntrack": lambda: _rule(nft.ct_state("established")),
    "nft-trace": lambda: _rule(nft.trace()),
    "nft-bridge": lambda: _rule(nft.counter(), family="bridge"),
    "nft-netdev": lambda: _rule(nft.counter(), family="netdev", hook=Hook("ingress", device="lo")),
    "nft-arp": lambda: _rule(nft.counter(), family="arp", hook=Hook("input")),
    "bridge-nf": _bridge_nf,
    "proc-forwarding": _set_forwarding,
    "netlink-forwarding": _forward_by_netlink,
    "raw-icmp": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close(),
    "packet-socket": lambda: socket.socket(_AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL)).close(),
    "iptables-nat": _iptables,
}
"""A trial for each need of the kernel."""
