"""Attempts on the machine's groups of processes: to freeze or end those in one, to make one, to be run by the kernel outside."""

from __future__ import annotations

import os

from hostile.attempt import Lacking, Refused, attempt
from hostile.bait import Bait
from hostile.calls import call, mounted, read, write

CONTROLLERS = ("freezer", "memory", "devices", "pids", "cpu", "cpuset", "blkio", "net_cls", "perf_event", "rdma", "misc")
NEWCGROUP = 0x02000000


@attempt("refused", control="root")
def mount_the_tree(bait: Bait) -> object:
    """The tree of cgroup2."""
    _needs(bait.cgroup)
    return os.listdir(mounted("cgroup2"))


@attempt("refused", control="root")
def make_a_group(bait: Bait) -> None:
    """A group is made in the machine's tree."""
    os.mkdir(f"{_tree(bait)}/{bait.mark}-{bait.node}")


@attempt("refused", control="root")
def freeze_a_group(bait: Bait) -> object:
    """All processes of a group outside stand still."""
    return write(f"{_tree(bait)}/{bait.cgroup}/cgroup.freeze", b"1", os.O_WRONLY)


@attempt("refused", control="root")
def join_a_group(bait: Bait) -> object:
    """A process of the lab's goes into a group outside, past its own limits."""
    return write(f"{_tree(bait)}/{bait.cgroup}-killed/cgroup.procs", b"0", os.O_WRONLY)


@attempt("refused", control="root")
def kill_a_group(bait: Bait) -> object:
    """All processes of a group outside are ended."""
    return write(f"{_tree(bait)}/{bait.cgroup}-killed/cgroup.kill", b"1", os.O_WRONLY)


@attempt("refused", control="root")
def set_a_group_free(bait: Bait) -> object:
    """How deep the tree of a group outside may be."""
    return write(f"{_tree(bait)}/{bait.cgroup}/cgroup.max.depth", b"7", os.O_WRONLY)


@attempt("refused", control="root")
def see_a_group(bait: Bait) -> object:
    """Which groups there are outside."""
    return read(f"{_tree(bait)}/{bait.cgroup}/cgroup.procs", 64)


@attempt("refused", control="root")
def see_a_groups_processes(bait: Bait) -> object:
    """Which processes are in a group outside: those out of sight have no number here."""
    if str(bait.pid).encode() not in (said := read(f"{_tree(bait)}/{bait.cgroup}/cgroup.procs", 64)).split():
        raise Refused(f"{said!r}")
    return said


@attempt("refused")
def make_a_group_where_one_is(bait: Bait) -> None:
    """A group is made below /sys/fs/cgroup, where a machine has its trees."""
    os.mkdir(f"/sys/fs/cgroup/{bait.mark}")


@attempt("refused", over=("cgroup.kill", "cgroup.freeze", "cgroup.procs", "cgroup.subtree_control", "memory.max"))
def write_where_one_is(bait: Bait, name: str) -> object:
    """A file of /sys/fs/cgroup is opened to be written."""
    return os.open(f"/sys/fs/cgroup/{name}", os.O_WRONLY)


@attempt("refused", over=CONTROLLERS)
def mount_an_old_tree(bait: Bait, controller: str) -> object:
    """A tree of cgroup v1 that the machine uses."""
    with open("/proc/self/cgroup", encoding="ascii") as file:
        used = {name for line in file for name in line.split(":")[1].split(",")}
    if controller not in used:
        raise Lacking("this machine does not use it")
    return os.listdir(mounted("cgroup", controller))


@attempt("refused", control="root")
def make_an_old_group(bait: Bait) -> None:
    """A group is made in it."""
    os.mkdir(f"{_old_tree(bait)}/{bait.mark}-{bait.node}")


@attempt("refused", control="root")
def freeze_an_old_group(bait: Bait) -> object:
    """All processes of a group outside stand still."""
    return write(f"{_old_tree(bait)}/{bait.cgroup1}/freezer.state", b"FROZEN", os.O_WRONLY)


@attempt("refused", control="root")
def join_an_old_group(bait: Bait) -> object:
    """A process of the lab's goes into a group outside."""
    return write(f"{_old_tree(bait)}/{bait.cgroup1}-killed/tasks", b"0", os.O_WRONLY)


@attempt("refused", control="root")
def ask_to_be_told_of_its_end(bait: Bait) -> object:
    """The kernel shall run a program when the last process of a group outside ends."""
    return write(f"{_old_tree(bait)}/{bait.cgroup1}/notify_on_release", b"1", os.O_WRONLY)


@attempt("refused")
def name_the_program_that_is_told(bait: Bait) -> object:
    """Which program that is, which the kernel runs outside with all rights (release_agent)."""
    return os.open(f"{_old_tree(bait)}/release_agent", os.O_WRONLY)


@attempt("refused", control="both")
def enter_anothers_view(bait: Bait) -> object:
    """The cgroup namespace of a process outside is opened."""
    return os.open(f"/proc/{bait.pid}/ns/cgroup", os.O_RDONLY)


@attempt("refused")
def see_above(bait: Bait) -> object:
    """The lab's own place in the machine's tree."""
    said = read("/proc/self/cgroup").decode().splitlines()
    named = [line for line in said if bait.mark in line]
    if not named:
        raise Refused("only the lab's own view of it")
    return named


@attempt("private")
def have_a_view_of_ones_own(bait: Bait) -> object:
    """A cgroup namespace below the lab's."""
    return call("unshare", NEWCGROUP)


def _needs(name: str) -> None:
    if not name:
        raise Lacking("the tests could not make a group of their own on this machine")


def _tree(bait: Bait) -> str:
    _needs(bait.cgroup)
    return mounted("cgroup2")


def _old_tree(bait: Bait) -> str:
    _needs(bait.cgroup1)
    return mounted("cgroup", "freezer")
