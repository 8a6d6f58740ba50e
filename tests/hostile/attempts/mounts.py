"""Attempts to see or change the machine by mounting, unmounting and moving what is mounted."""

from __future__ import annotations

import os

from hostile.attempt import Refused, attempt
from hostile.bait import Bait
from hostile.calls import (
    BIND,
    MOVE,
    NEWNS,
    NEWUSER,
    RDONLY,
    REC,
    REMOUNT,
    SHARED,
    call,
    fresh,
    make_writable,
    mount,
    mounted,
    nested_root,
    unmount,
    write,
)

READ_ONLY = ("/", "/proc/sys", "/usr")
"""/proc/sys is no mount in the labs of ordinary users: refused for that."""
COVERED = ("/tmp", "/run", "/dev", "/etc", "/proc", "/var/tmp", "/proc/sys", "/")
OF_THE_MACHINE = ("devtmpfs", "debugfs", "tracefs", "securityfs", "configfs", "pstore", "efivarfs", "hugetlbfs", "ext4", "nfsd", "selinuxfs", "smackfs")
"""Filesystems of which there is one for the whole machine, or that need a disk."""
OF_ONES_OWN = ("tmpfs", "ramfs", "devpts", "mqueue", "bpf", "sysfs", "proc", "binfmt_misc")
"""Those of which each user namespace may have its own."""


@attempt("refused", over=READ_ONLY)
def remount_writable(bait: Bait, target: str) -> None:
    """The filesystem becomes writable, for everybody."""
    mount(None, target, flags=REMOUNT)


@attempt("refused", over=(*READ_ONLY, "/home"))
def remount_one_mount_writable(bait: Bait, target: str) -> None:
    """This one mount becomes writable."""
    mount(None, target, flags=REMOUNT | BIND)


@attempt("refused", control="root")
def bind_home_writable(bait: Bait) -> object:
    """The owner's home is shown elsewhere, made writable there, and written."""
    place = fresh("home")
    mount(bait.home, place, flags=BIND | REC)
    mount(None, place, flags=REMOUNT | BIND)
    return write(f"{place}/{bait.mark}-bind")


@attempt("refused")
def bind_the_top_alone(bait: Bait) -> object:
    """The root folder is shown elsewhere without what is mounted on it: what lies under the lab's folders comes to light."""
    place = fresh("top")
    mount("/", place, flags=BIND)
    return _shows_the_machine(place)


@attempt("refused")
def bind_one_of_the_tops_folders(bait: Bait) -> None:
    """The same with the folder of programs."""
    place = fresh("usr")
    mount("/usr", place, flags=BIND)
    mount(None, place, flags=REMOUNT | BIND)


@attempt("refused", over=("all", "one"))
def clone_the_tree_writable(bait: Bait, how: str) -> object:
    """A copy of the mounts that hangs nowhere (open_tree) is made writable and written through."""
    below = how == "all"
    fd = call("open_tree", -100, b"/", 1 | (0x8000 if below else 0))
    make_writable(fd, b"", below=below)
    return os.open(f"{bait.home[1:]}/{bait.mark}-tree", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=fd)


@attempt("refused")
def clone_the_home_writable(bait: Bait) -> object:
    """The same with nothing but the owner's home."""
    fd = call("open_tree", -100, bait.home.encode(), 1)
    make_writable(fd, b"", below=False)
    return os.open(f"{bait.mark}-tree", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=fd)


@attempt("refused", over=("/", "/usr", "/home", "/proc/sys"))
def set_writable(bait: Bait, target: str) -> None:
    """mount_setattr(2) on a mount and all below it."""
    make_writable(-100, target.encode(), below=True)


@attempt("refused", over=COVERED)
def uncover(bait: Bait, target: str) -> None:
    """What covers a folder of the machine's is taken off."""
    unmount(target)


@attempt("refused")
def pivot_and_uncover(bait: Bait) -> object:
    """Another root folder, from which the old one is written."""
    place = fresh("new")
    mount("t", place, "tmpfs")
    os.mkdir(f"{place}/old")
    call("pivot_root", place.encode(), f"{place}/old".encode())
    os.chdir("/")
    for covered in ("/old/tmp", "/old/etc"):
        unmount(covered)
    return write(f"/old{bait.home}/{bait.mark}-pivot")


@attempt("refused")
def pivot_and_write(bait: Bait) -> object:
    """Another root folder, and a write into the home behind the old one."""
    place = fresh("new")
    mount("t", place, "tmpfs")
    os.mkdir(f"{place}/old")
    call("pivot_root", place.encode(), f"{place}/old".encode())
    return write(f"/old{bait.home}/{bait.mark}-pivot")


@attempt("refused")
def leave_a_chroot(bait: Bait) -> object:
    """The way out of a changed root folder goes no further than the lab's."""
    os.chroot(fresh("chroot"))
    for _ in range(20):
        os.chdir("..")
    os.chroot(".")
    return _shows_the_machine("/")


@attempt("refused")
def nested_remount(bait: Bait) -> None:
    """Root of a user namespace below the lab's makes the root folder writable."""
    nested_root()
    mount(None, "/", flags=REMOUNT | BIND)


@attempt("refused", over=("/tmp", "/etc", "/dev"))
def nested_uncover(bait: Bait, target: str) -> None:
    """The same one takes off what covers a folder of the machine's."""
    nested_root()
    unmount(target)


@attempt("refused")
def nested_map_of_everybody(bait: Bait) -> object:
    """A user namespace in which the machine's other users are."""
    call("unshare", NEWUSER)
    return write("/proc/self/uid_map", b"0 0 65536", os.O_WRONLY)


@attempt("refused")
def nested_map_of_another(bait: Bait) -> object:
    """A user namespace whose root is another user of the lab's."""
    call("unshare", NEWUSER)
    return write("/proc/self/uid_map", b"0 1 1", os.O_WRONLY)


@attempt("refused")
def move_a_read_only_mount(bait: Bait) -> None:
    """The read-only part of /proc is moved away."""
    mount("/proc/sys", fresh("moved"), flags=MOVE)


@attempt("refused", over=OF_THE_MACHINE)
def mount_the_machines(bait: Bait, kind: str) -> object:
    """A filesystem of which the machine has only one is mounted."""
    return mounted(kind)


@attempt("refused")
def mount_a_disk(bait: Bait) -> object:
    """A filesystem on a disk is made by the new calls (fsopen)."""
    fs = call("fsopen", b"ext4", 0)
    call("fsconfig", fs, 1, b"source", b"/dev/vda", 0)
    call("fsconfig", fs, 6, None, None, 0)
    return call("fsmount", fs, 0, 0)


@attempt("private", over=OF_ONES_OWN)
def mount_ones_own(bait: Bait, kind: str) -> object:
    """A filesystem of which the lab may have its own is mounted."""
    return mounted(kind)


@attempt("private")
def mount_an_overlay_of_home(bait: Bait) -> object:
    """The owner's home with a writable layer of the lab's on top: what is written stays in the lab."""
    place = fresh("overlay")
    mount("t", place, "tmpfs")
    for name in ("upper", "work", "all"):
        os.mkdir(f"{place}/{name}")
    mount("o", f"{place}/all", "overlay", 0, f"lowerdir={bait.home},upperdir={place}/upper,workdir={place}/work,userxattr")
    return write(f"{place}/all/secret", b"changed")


@attempt("refused")
def mount_an_overlay_onto_home(bait: Bait) -> None:
    """The owner's home as the layer that is written."""
    place = fresh("overlay")
    mount("o", place, "overlay", 0, f"lowerdir=/usr,upperdir={bait.home}/folder,workdir={bait.home}/work,userxattr")


@attempt("private")
def mount_for_the_machine_to_see(bait: Bait) -> None:
    """All mounts are shared, then something is mounted: it does not appear outside."""
    mount(None, "/", flags=REC | SHARED)
    mount("t", "/var/tmp", "tmpfs", RDONLY)


@attempt("private")
def cover_the_programs(bait: Bait) -> None:
    """Programs are covered by others: only the lab sees them."""
    place = fresh("programs")
    write(f"{place}/{bait.mark}")
    mount(place, "/usr/bin", flags=BIND)


@attempt("refused")
def enter_the_machines_mounts(bait: Bait) -> object:
    """The mounts of a process outside."""
    return call("setns", os.open(f"/proc/{bait.pid}/ns/mnt", os.O_RDONLY), NEWNS)


def _shows_the_machine(place: str) -> object:
    if "under" not in os.listdir(f"{place}/tmp"):
        raise Refused("the machine's /tmp is not to be seen")
    return place
