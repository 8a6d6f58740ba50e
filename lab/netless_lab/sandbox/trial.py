"""What ``doctor`` runs as PID 1 of a room of its own: every mechanism of the lessons, tried for real, then the room ends.

Nothing here explains; each trial is a name and what the kernel said to it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final

from ..kernel.namespace import Namespace
from ..kernel.netlink.attributes import attribute, number, string
from ..kernel.netlink.link import IFLA_IFNAME, IFLA_LINK, RTM_NEWLINK, RTM_SETLINK, encode_forwarding, encode_link, of_kind
from ..kernel.netlink.socket import ACK, CREATE, EXCLUSIVE, NetlinkSocket
from ..kernel.nft import expressions as nft
from ..kernel.nft.batch import Batch, Hook
from .pid1 import Room

_ETH_P_ALL: Final = 3
_AF_PACKET: Final = 17
_TUNSETIFF, _IFF_TUN_NO_PI = 0x400454CA, 0x1001
"""linux/if_tun.h"""
_TABLE: Final = "netless-doctor"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``errno`` is 0 for a success; ``text`` is what was seen or what the kernel said."""

    name: str
    errno: int = 0
    text: str = ""


def main(room: Room) -> None:
    """Try everything and write the outcomes, as JSON, to the descriptor named by the room's argument."""
    outcomes = [_attempt(name, trial) for name, trial in _trials().items()]
    with open(int(room.argument), "w", encoding="utf-8") as out:
        json.dump({"limits": asdict(room.limits), "notes": room.notes, "outcomes": [asdict(outcome) for outcome in outcomes]}, out)
    room.ready()


def _trials() -> dict[str, Callable[[], str | None]]:
    trials: dict[str, Callable[[], str | None]] = {
        "read-only root": _root_is_read_only,
        "machine's settings out of reach": _kernel_settings_are_closed,
        "filtered system calls": _calls_are_filtered,
        "writable /etc": _etc_is_writable,
        "veth": lambda: _link("veth"),
        "bridge": lambda: _link("bridge"),
        "macvlan": lambda: _link("macvlan", number(1, 4), on="veth"),
        "vxlan": lambda: _link("vxlan", number(1, 42)),
        "vlan": lambda: _link("vlan", attribute(1, struct.pack("=H", 7)), on="veth"),
        "ipvlan": lambda: _link("ipvlan", on="veth"),
        "dummy": lambda: _link("dummy"),
        "tun": _tun,
        "nftables NAT": lambda: _rule(nft.masquerade(), nat=True),
        "nftables filter": lambda: _rule(nft.counter()),
        "connection tracking": lambda: _rule(nft.ct_state("established")),
        "nftables trace": lambda: _rule(nft.trace()),
        "forwarding by /proc/sys": _set_forwarding,
        "forwarding by netlink": _forward_by_netlink,
        "raw ICMP socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close(),
        "packet socket": lambda: socket.socket(_AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL)).close(),
        "bridge-nf": _bridge_nf,
    }
    if shutil.which("iptables"):
        trials["iptables NAT"] = _iptables
    return trials


def _attempt(name: str, trial: Callable[[], str | None]) -> Outcome:
    try:
        return Outcome(name, 0, trial() or "")
    except OSError as error:
        return Outcome(name, error.errno or -1, error.strerror or str(error))
    except (subprocess.SubprocessError, ValueError) as error:
        return Outcome(name, -1, str(error))


def _link(kind: str, data: bytes = b"", on: str = "") -> None:
    below = number(IFLA_LINK, socket.if_nametoindex(f"try-{on}")) if on else b""
    with NetlinkSocket() as route:
        body = encode_link(0, string(IFLA_IFNAME, f"try-{kind}"), below, of_kind(kind, data))
        route.request(RTM_NEWLINK, ACK | CREATE | EXCLUSIVE, body)


def _rule(*expressions: bytes, nat: bool = False) -> None:
    """A chain of its own with one rule."""
    hook = Hook("postrouting", "nat", 100) if nat else Hook("forward")
    chain = f"try-{os.urandom(4).hex()}"
    with Namespace.own() as here, contextlib.closing(Batch(here)) as batch:
        batch.add_table("ip", _TABLE).add_chain("ip", _TABLE, chain, hook).add_rule("ip", _TABLE, chain, *expressions).commit()


def _tun() -> None:
    """The one kind of link that is not made by netlink but by a device file (Documentation/networking/tuntap.rst)."""
    with open("/dev/net/tun", "r+b", buffering=0) as device:
        fcntl.ioctl(device, _TUNSETIFF, struct.pack("=16sH22x", b"try-tun", _IFF_TUN_NO_PI))


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
    try:
        with open("/proc/sys/net/bridge/bridge-nf-call-iptables", encoding="ascii") as file:
            value = file.read().strip()
    except FileNotFoundError:
        return "not loaded"
    return f"{value} in a new namespace; the lab sets 0"


def _iptables() -> str:
    command = ["iptables", "-w", "-t", "nat", "-A", "POSTROUTING", "-j", "MASQUERADE"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    if done.returncode:
        raise OSError(-1, (done.stderr.strip().splitlines() or ["no reason given"])[0])
    return subprocess.run(["iptables", "--version"], capture_output=True, text=True, timeout=5, check=False).stdout.strip()
