"""Attempts on the machine's files: to change them, and to read what is not for the lab."""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import socket
import struct
import sys

from hostile.attempt import Lacking, Refused, attempt
from hostile.bait import Bait
from hostile.calls import call, read, write

_SETFLAGS = 0x40086602
"""FS_IOC_SETFLAGS, ioctl_iflags(2)"""
PROGRAMS = ("/", "/usr", "/usr/bin", "/usr/lib", "/usr/local/bin", "/usr/local/lib", "/opt", "/srv", "/home", "/root", "/boot")
PRIVATE = ("/tmp", "/run", "/etc", "/dev", "/dev/shm", "/var/tmp", "/var/lib", "/var/log")


@attempt("refused", over=PROGRAMS)
def write_in(bait: Bait, folder: str) -> object:
    """A file is made where programs and their data are."""
    return write(f"{folder}/{bait.mark}")


@attempt("private", over=PRIVATE)
def write_in_private(bait: Bait, folder: str) -> object:
    """A file is made where the lab has folders of its own."""
    return write(f"{folder}/{bait.mark}")


@attempt("private", over=("passwd", "hosts", "shadow"))
def append_to_etc(bait: Bait, name: str) -> object:
    """A line is added to a file of /etc."""
    return write(f"/etc/{name}", bait.mark.encode(), os.O_WRONLY | os.O_APPEND)


@attempt("private")
def replace_in_etc(bait: Bait) -> None:
    """A file of /etc gives way to another."""
    write(f"/etc/new-{bait.mark}")
    os.replace(f"/etc/new-{bait.mark}", "/etc/hosts")


@attempt("refused", control="both")
def write_owners_home(bait: Bait) -> object:
    """A file is made in the owner's home."""
    return write(f"{bait.home}/{bait.mark}")


@attempt("refused", control="both")
def append_to_owners_file(bait: Bait) -> object:
    """A file in the owner's home gets longer."""
    return write(f"{bait.home}/secret", b"more", os.O_WRONLY | os.O_APPEND)


@attempt("refused", control="both")
def truncate_owners_file(bait: Bait) -> None:
    """A file in the owner's home is emptied."""
    os.truncate(f"{bait.home}/truncated", 0)


@attempt("refused", control="both")
def map_owners_file(bait: Bait) -> object:
    """A file in the owner's home is changed through memory."""
    fd = os.open(f"{bait.home}/secret", os.O_RDWR)
    with mmap.mmap(fd, 1) as memory:
        memory[0] = 0
    return fd


@attempt("refused", control="both")
def remove_owners_file(bait: Bait) -> None:
    """A file in the owner's home is removed."""
    os.unlink(f"{bait.home}/removed-{bait.node}")


@attempt("refused", control="both")
def rename_owners_folder(bait: Bait) -> None:
    """A folder in the owner's home gets another name."""
    os.rename(f"{bait.home}/renamed-{bait.node}", f"{bait.home}/{bait.mark}-renamed")


@attempt("refused", control="both")
def link_owners_file(bait: Bait) -> None:
    """A file in the owner's home gets a second name."""
    os.link(f"{bait.home}/secret", f"{bait.home}/{bait.mark}-link")


@attempt("refused")
def link_owners_file_into_the_lab(bait: Bait) -> None:
    """A file in the owner's home gets a second name in the lab's /tmp."""
    os.link(f"{bait.home}/secret", f"/tmp/{bait.mark}-link")


@attempt("refused", control="both")
def symlink_in_owners_home(bait: Bait) -> None:
    """A symbolic link is made in the owner's home."""
    os.symlink("/", f"{bait.home}/{bait.mark}-symlink")


@attempt("refused", control="both")
def folder_in_owners_home(bait: Bait) -> None:
    """A folder is made in the owner's home."""
    os.mkdir(f"{bait.home}/{bait.mark}-folder")


@attempt("refused", control="both")
def fifo_in_owners_home(bait: Bait) -> None:
    """A FIFO is made in the owner's home."""
    os.mkfifo(f"{bait.home}/{bait.mark}-fifo")


@attempt("refused", control="both")
def socket_in_owners_home(bait: Bait) -> None:
    """A socket is bound in the owner's home."""
    socket.socket(socket.AF_UNIX).bind(f"{bait.home}/{bait.mark}-socket")


@attempt("refused", control="both")
def nameless_file_in_owners_home(bait: Bait) -> object:
    """A file without a name is made in the owner's home: it takes up the machine's disk."""
    return os.open(bait.home, os.O_TMPFILE | os.O_WRONLY, 0o600)


@attempt("refused", control="both")
def mode_of_owners_home(bait: Bait) -> None:
    """The owner's home is opened to everybody."""
    os.chmod(f"{bait.home}/folder", 0o777)


@attempt("refused", control="both")
def owner_of_owners_file(bait: Bait) -> None:
    """A file of the owner's is said to be its owner's again, which writes its time of change."""
    os.chown(f"{bait.home}/secret", os.geteuid(), os.getegid())


@attempt("refused", control="both")
def times_of_owners_file(bait: Bait) -> None:
    """A file in the owner's home becomes as old as can be."""
    os.utime(f"{bait.home}/secret", (0, 0))


@attempt("refused", control="root")
def attribute_of_owners_file(bait: Bait) -> None:
    """A file in the owner's home gets an extended attribute that only root may give."""
    os.setxattr(f"{bait.home}/secret", "trusted.hostile", b"1")


@attempt("refused")
def attribute_of_the_top(bait: Bait) -> None:
    """The root folder gets an extended attribute."""
    os.setxattr("/", "user.hostile", b"1")


@attempt("refused")
def flags_of_owners_home(bait: Bait) -> object:
    """The flags of the owner's home are set (chattr)."""
    return fcntl.ioctl(os.open(bait.home, os.O_RDONLY), _SETFLAGS, struct.pack("l", 0))


@attempt("refused", control="both")
def lock_owners_file(bait: Bait) -> None:
    """A file in the owner's home is locked, so that a program outside waits for ever: for that it need only be readable."""
    fcntl.flock(os.open(f"{bait.home}/locked", os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)


@attempt("refused", control="both")
def lease_owners_file(bait: Bait) -> object:
    """A lease on a file in the owner's home, which makes a program outside that opens it wait."""
    return fcntl.fcntl(os.open(f"{bait.home}/secret", os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_WRLCK)


@attempt("refused", control="both")
def read_owners_secret(bait: Bait) -> object:
    """What is in the owner's home is read: homes are not in the lab unless asked."""
    return read(f"{bait.home}/secret")


@attempt("refused", control="both")
def list_owners_home(bait: Bait) -> object:
    """The names in the owner's home."""
    return _at_least("secret", os.listdir(bait.home))


@attempt("refused", control="root")
def read_others_secret(bait: Bait) -> object:
    """What another user keeps for himself is read."""
    return read(f"{bait.other}/secret")


@attempt("refused", control="root")
def read_shadow(bait: Bait) -> object:
    """The machine's passwords are read."""
    _needs_root(bait)
    return _at_least(bait.shadow, read("/etc/shadow").decode())


@attempt("refused", control="root")
def read_shadow_below_the_overlay(bait: Bait) -> object:
    """The same in the copy of /etc from which the lab finds what it threw away."""
    _needs_root(bait)
    path = "/run/netless/etc/shadow"
    return _at_least(bait.shadow, read(path if bait.node != "outside" else "/etc/shadow").decode())


@attempt("refused", control="root")
def read_roots_keys(bait: Bait) -> object:
    """A private key of root's is read."""
    return read(f"{bait.superuser}/.ssh/id")


@attempt("refused", control="root")
def list_roots_home(bait: Bait) -> object:
    """The names in root's home."""
    return _at_least(".ssh", os.listdir(bait.superuser))


@attempt("refused")
def write_below_the_overlay(bait: Bait) -> object:
    """A file is made in the copy of /etc from which the lab finds what it threw away."""
    return write(f"/run/netless/etc/{bait.mark}")


@attempt("refused")
def overwrite_the_interpreter(bait: Bait) -> object:
    """The Python that runs this, and the tutor outside, is opened to be written."""
    return os.open(os.path.realpath(sys.executable), os.O_WRONLY)


@attempt("refused")
def overwrite_what_runs(bait: Bait) -> object:
    """The same by the way of /proc/self/exe."""
    return os.open("/proc/self/exe", os.O_WRONLY)


@attempt("refused")
def overwrite_the_library(bait: Bait) -> object:
    """A module of Python's own library is opened to be written."""
    return os.open(os.__file__, os.O_WRONLY)


@attempt("refused", control="root")
def open_by_handle(bait: Bait) -> object:
    """A file is opened by its number in the filesystem, past every folder and mount."""
    handle = ctypes.create_string_buffer(struct.pack("=Ii", 128, 0), 136)
    call("name_to_handle_at", -100, b"/tmp", handle, ctypes.create_string_buffer(8), 0)
    return call("open_by_handle_at", os.open("/tmp", os.O_RDONLY), handle, os.O_RDONLY)


@attempt("refused")
def open_what_is_under_tmp(bait: Bait) -> object:
    """What the machine has in its own /tmp, by way of /proc/self/root and back."""
    return _at_least("under", os.listdir("/proc/self/root/../tmp"))


@attempt("refused", control="both", over=("lease", "notify"))
def wait_for_what_others_do(bait: Bait, name: str) -> object:
    """Who opens a file of ours for writing is made to wait (F_SETLEASE); what anybody does where programs are is told to us (F_NOTIFY)."""
    if name == "notify":
        return fcntl.fcntl(os.open("/usr/bin", os.O_RDONLY), fcntl.F_NOTIFY, fcntl.DN_ACCESS)
    fd = os.open(write(f"/tmp/{bait.mark}-lease"), os.O_RDONLY)
    return fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)


def _at_least(name: str, names: object) -> object:
    if not isinstance(names, (str, list)) or name not in names:
        raise Refused(f"{name} is not there")
    return name


def _needs_root(bait: Bait) -> None:
    if not bait.shadow:
        raise Lacking("only root can lay this bait")
