"""Attempts on devices: to make them, to open those of the machine."""

from __future__ import annotations

import fcntl
import os
import stat
import struct

from hostile.attempt import Lacking, attempt
from hostile.bait import Bait
from hostile.calls import nested_root

CHARACTER, BLOCK = stat.S_IFCHR, stat.S_IFBLK
NUMBERS = {
    "mem": (CHARACTER, 1, 1), "port": (CHARACTER, 1, 4), "kmsg": (CHARACTER, 1, 11), "null": (CHARACTER, 1, 3), "console": (CHARACTER, 5, 1),
    "tty1": (CHARACTER, 4, 1), "fuse": (CHARACTER, 10, 229), "vda": (BLOCK, 254, 0), "sda": (BLOCK, 8, 0), "loop0": (BLOCK, 7, 0),
}  # fmt: skip
OF_THE_MACHINE = (
    "mem", "kmem", "port", "kmsg", "console", "tty0", "tty1", "vcs", "vcsa", "vda", "sda", "nvme0n1", "loop0", "loop-control", "mapper/control",
    "fuse", "kvm", "vsock", "vhost-net", "vhost-vsock", "rtc0", "watchdog", "input/event0", "uinput", "uhid", "snapshot", "autofs", "hpet",
    "cpu/0/msr", "disk", "btrfs-control", "ppp", "userfaultfd",
)  # fmt: skip
LAID_OUT = ("null", "zero", "mem", "kmsg")
"""Nodes that lie outside /dev on the machine."""
_SETIFF, _BLOCK_SIZE = 0x400454CA, 0x80081272


@attempt("refused", over=tuple(NUMBERS))
def make(bait: Bait, name: str) -> None:
    """A device node is made in the lab."""
    kind, major, minor = NUMBERS[name]
    os.mknod(f"/tmp/{bait.mark}-{name}", 0o600 | kind, os.makedev(major, minor))


@attempt("refused", over=("mem", "vda"))
def make_as_nested_root(bait: Bait, name: str) -> None:
    """A device node is made by root of a user namespace below the lab's."""
    nested_root()
    kind, major, minor = NUMBERS[name]
    os.mknod(f"/tmp/{bait.mark}-nested-{name}", 0o600 | kind, os.makedev(major, minor))


@attempt("refused", over=OF_THE_MACHINE)
def open_in_dev(bait: Bait, name: str) -> object:
    """A device of the machine's is opened."""
    return os.open(f"/dev/{name}", os.O_RDONLY | os.O_NONBLOCK)


@attempt("refused", over=LAID_OUT[:2], control="both")
def open_outside_dev(bait: Bait, name: str) -> object:
    """A device node that lies in some other folder, open to everybody, is opened."""
    return os.open(_laid(bait, name), os.O_RDWR)


@attempt("refused", over=LAID_OUT[2:])
def open_kernels_outside_dev(bait: Bait, name: str) -> object:
    """The same with a device that the kernel gives to root alone, whatever the node's mode is."""
    return os.open(_laid(bait, name), os.O_RDONLY | os.O_NONBLOCK)


@attempt("refused")
def size_of_a_disk_outside_dev(bait: Bait) -> object:
    """A disk's node outside /dev tells the disk's size."""
    return fcntl.ioctl(os.open(_laid(bait, "disk"), os.O_RDONLY | os.O_NONBLOCK), _BLOCK_SIZE, bytes(8))


@attempt("private", over=("null", "zero", "full", "random", "urandom"))
def open_harmless(bait: Bait, name: str) -> object:
    """A device that every program expects."""
    return os.open(f"/dev/{name}", os.O_RDWR if name == "null" else os.O_RDONLY)


@attempt("private")
def feed_the_random_numbers(bait: Bait) -> object:
    """Entropy is written, which everybody may."""
    return os.write(os.open("/dev/urandom", os.O_WRONLY), b"x")


@attempt("refused", over=(0x5203, 0x5204, 0x5207))
def change_the_random_numbers(bait: Bait, request: int) -> object:
    """Entropy is credited, cleared, or made anew, which only root may (random(4))."""
    if request == 0x5203:
        return fcntl.ioctl(os.open("/dev/urandom", os.O_WRONLY), 0x40085203, struct.pack("=ii4s", 1, 4, b"aaaa"))
    return fcntl.ioctl(os.open("/dev/urandom", os.O_WRONLY), request)


@attempt("private")
def make_a_tun_interface(bait: Bait) -> object:
    """An interface that is a file: one of the lab's network."""
    return fcntl.ioctl(os.open("/dev/net/tun", os.O_RDWR), _SETIFF, struct.pack("16sH22x", b"hostile%d", 0x1001))


@attempt("private")
def change_the_mode_of_a_device(bait: Bait) -> None:
    """A device of the machine's that the lab shows is locked for everybody else."""
    os.chmod("/dev/null", os.stat("/dev/null").st_mode & 0o7777)


@attempt("refused", over=("null", "random"))
def remove_a_device(bait: Bait, name: str) -> None:
    """A device of the machine's that the lab shows is removed."""
    os.unlink(f"/dev/{name}")


def _laid(bait: Bait, name: str) -> str:
    if not bait.nodes:
        raise Lacking("only root can lay this bait")
    return f"{bait.nodes}/{name}"
