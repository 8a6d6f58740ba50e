"""A machine for one lab to be attacked from: namespaces that play it, in which every file that could be harmed is a copy in memory.

Everything of the real machine is read-only in here, before the lab has made anything so; over it lie folders that can be written, with
``Bait`` in them. Its processes, names, keys, shared memory, network and groups of processes are its own: a hole in the wall leads here.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import socket
import subprocess
import sys
from pathlib import Path

from helpers import forked
from helpers.checkout import CHECKOUT
from helpers.forked import NEWIPC, NEWNET, NEWNS, NEWPID, NEWUTS, PRIVATE, Recipe, mount
from hostile.calls import call
from hostile.helpers.groups import Groups
from netless_lab.kernel.netlink.address import RTM_NEWADDR, encode_address
from netless_lab.kernel.netlink.attributes import string
from netless_lab.kernel.netlink.link import IFLA_IFNAME, RTM_NEWLINK, encode_link, encode_up, of_kind
from netless_lab.kernel.netlink.socket import ACK, CREATE, EXCLUSIVE, NetlinkSocket
from netless_lab.model.snapshot import Address

HOME, OTHER, SUPERUSER, NODES = "/home/owner", "/home/other", "/root", "/srv/nodes"
ADDRESS, LINK = "192.0.2.77", "outer0"
SHADOW = "root:hostile:19000::::::\n"
WRITABLE = ("/usr/bin", "/usr/local", "/opt", "/srv", "/var/lib", "/var/log", "/home", "/root", "/etc")
_OF_PEOPLE = ("/home", "/root")
_NUMBERS = {"null": (1, 3), "zero": (1, 5), "mem": (1, 1), "kmsg": (1, 11)}
_FIRST_PID = 30_000
"""More than a lab has processes: a number outside never is one inside as well."""
_OTHER_USER = 4242
_NEWCGROUP = 0x02000000


def recipe(groups: Groups) -> Recipe:
    """How a child of pytest becomes the first process of such a machine."""
    return Recipe(_enter, lambda user: _set_up(user, groups), 140.0)


def _enter(user: str) -> None:
    if os.geteuid() != 0:
        forked.new_user_namespace(root_inside=False)
    elif user != "root":
        forked.open_interpreter()
    forked.unshare(NEWNS | NEWNET | NEWPID | NEWUTS | NEWIPC)


def _set_up(user: str, groups: Groups) -> None:
    mount(None, "/", None, PRIVATE)
    mount("proc", "/proc", "proc", 0)
    groups.enter()
    with contextlib.suppress(OSError):
        forked.unshare(_NEWCGROUP)
    call("mount_setattr", -100, b"/", 0x8000, bytes((ctypes.c_uint64 * 4)(1, 0, 0, 0)), 32)
    mount("proc", "/proc", "proc", 0)
    mount("sysfs", "/sys", "sysfs", 0)
    for path in ("/tmp", "/run", "/var/tmp", "/dev/shm"):
        mount("tmpfs", path, "tmpfs", 0, "mode=1777")
    _cover_what_can_be_written()
    owner = None if user in ("root", "self") else pwd.getpwnam(user)
    _lay_files_of_others()
    os.makedirs(HOME)
    _network()
    with contextlib.suppress(OSError):
        Path("/proc/sys/kernel/ns_last_pid").write_text(str(_FIRST_PID), encoding="ascii")
    if owner is not None:
        os.chown(HOME, owner.pw_uid, owner.pw_gid)
        forked.become(user)
    for name in [name for name in os.environ if name.startswith("XDG_")]:
        del os.environ[name]
    os.environ["HOME"] = HOME
    os.chdir("/")


def _cover_what_can_be_written() -> None:
    """A layer in memory over each folder, so that what is there can be changed; people's homes are empty unless Python lies there."""
    mount("tmpfs", "/mnt", "tmpfs", 0, "mode=755")
    ours = tuple(str(Path(path).resolve()) for path in (CHECKOUT, sys.prefix, sys.base_prefix))
    for path in WRITABLE:
        if path in _OF_PEOPLE and not any(own.startswith(f"{path}/") for own in ours):
            mount("tmpfs", path, "tmpfs", 0, "mode=755")
            continue
        layer = f"/mnt/{path.replace('/', '-')}"
        for name in ("upper", "work"):
            os.makedirs(f"{layer}/{name}")
        mount("overlay", path, "overlay", 0, f"lowerdir={path},upperdir={layer}/upper,workdir={layer}/work,userxattr")
    forked.check(ctypes.CDLL(None).umount2(b"/mnt", 2), "umount")


def _lay_files_of_others() -> None:
    """What is root's and another user's, and device nodes for all. An ordinary user's machine has nobody else: there it is his."""
    Path("/tmp/under").touch()
    os.makedirs(OTHER)
    os.makedirs(f"{SUPERUSER}/.ssh", 0o700, exist_ok=True)
    os.makedirs(NODES)
    for path, text in ((f"{OTHER}/secret", "a secret"), (f"{SUPERUSER}/.ssh/id", "a private key"), ("/etc/shadow", SHADOW)):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        Path(path).write_text(text, encoding="ascii")
        os.chmod(path, 0o600)
    os.chmod(SUPERUSER, 0o700)
    if os.geteuid() == 0:
        os.chown(f"{OTHER}/secret", _OTHER_USER, _OTHER_USER)
        for name, (major, minor) in _NUMBERS.items():
            os.mknod(f"{NODES}/{name}", 0o020666, os.makedev(major, minor))
            os.chmod(f"{NODES}/{name}", 0o666)


def _network() -> None:
    """By this process itself: an ordinary user's capabilities here do not outlive an execve(2), for he is not root inside (capabilities(7))."""
    new = ACK | CREATE | EXCLUSIVE
    with NetlinkSocket() as route:
        lo = socket.if_nametoindex("lo")
        route.request(RTM_NEWLINK, ACK, encode_up(lo))
        route.request(RTM_NEWADDR, new, encode_address(lo, Address(ADDRESS, 32)))
        route.request(RTM_NEWLINK, new, encode_link(0, string(IFLA_IFNAME, LINK), of_kind("bridge")))
    if os.geteuid() == 0:
        subprocess.run(["nft", "add", "table", "inet", "hostile"], check=True, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
