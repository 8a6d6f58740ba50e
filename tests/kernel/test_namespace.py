"""Namespace handles: they open, never create, and calls inside a namespace leave the caller where it was."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from helpers.sandboxed import container, sandboxed, sh
from netless_lab.kernel import syscalls
from netless_lab.kernel.namespace import (
    Namespace,
    NamespaceGone,
    call_in,
    each_in,
    hostname_in,
    socket_in,
    sysctl_path,
    write_sysctl,
)


def inode(path: str) -> int:
    """The inode behind a namespace path, by stat."""
    return Path(path).stat().st_ino


@sandboxed
def test_a_namespace_opens_by_pid_path_and_descriptor() -> None:
    """All three ways lead to the same inode, and the handle outlives the process."""
    with container() as pid:
        by_pid, by_path = Namespace.of_pid(pid), Namespace.at(f"/proc/{pid}/ns/net")
        by_fd = Namespace.of_fd(by_pid.fileno())
        assert by_pid.inode == by_path.inode == by_fd.inode == inode(f"/proc/{pid}/ns/net") != Namespace.own().inode
    assert call_in(by_fd, socket.if_nameindex) == [(1, "lo")]


@sandboxed
def test_opening_a_namespace_never_creates_one() -> None:
    """A wrong name is an error that says so, and /run/netns stays as it was."""
    sh("ip netns add real")
    with pytest.raises(NamespaceGone):
        Namespace.at("/run/netns/reel")
    with pytest.raises(NamespaceGone):
        Namespace.of_pid(99999)
    Path("/run/netns/plain").write_text("")
    with pytest.raises(ValueError, match="not a network namespace"):
        Namespace.at("/run/netns/plain")
    assert sorted(os.listdir("/run/netns")) == ["plain", "real"]


@sandboxed
def test_a_call_inside_leaves_the_caller_outside() -> None:
    """The function sees the other namespace, errors come back, no thread and no descriptor is left."""
    sh("ip netns add other; ip -n other link add x0 type veth peer name x1")
    with Namespace.at("/run/netns/other") as other:
        before, descriptors = inode("/proc/self/ns/net"), len(os.listdir("/proc/self/fd"))
        assert [name for _, name in call_in(other, socket.if_nameindex)] == ["lo", "x1", "x0"]
        assert [name for _, name in socket.if_nameindex()] == ["lo"]
        with pytest.raises(ZeroDivisionError):
            call_in(other, lambda: 1 // 0)
        assert inode("/proc/self/ns/net") == inode("/proc/thread-self/ns/net") == before
        assert threading.active_count() == 1 and len(os.listdir("/proc/self/fd")) == descriptors


@sandboxed
def test_a_socket_belongs_to_the_namespace_it_was_opened_in() -> None:
    """A listener opened inside is seen by ss there and nowhere else."""
    sh("ip netns add other; ip -n other link set lo up")
    with Namespace.at("/run/netns/other") as other, socket_in(other, socket.AF_INET, socket.SOCK_STREAM) as server:
        server.bind(("127.0.0.1", 8080))
        server.listen()
        assert "127.0.0.1:8080" in sh("ip netns exec other ss -Hltn") and ":8080" not in sh("ss -Hltn")


@sandboxed
def test_sysctls_are_those_of_the_namespace() -> None:
    """Writing acts on the other namespace's knob; sysctl(8) run inside agrees."""
    sh("ip netns add other")
    with Namespace.at("/run/netns/other") as other:
        write_sysctl(other, "net/ipv4/ip_forward", "1")
        assert sh("ip netns exec other sysctl -n net.ipv4.ip_forward; sysctl -n net.ipv4.ip_forward").split() == ["1", "0"]
        with pytest.raises(FileNotFoundError):
            write_sysctl(other, "net/ipv4/no_such_knob", "1")


def test_only_knobs_of_a_network_namespace_are_reachable() -> None:
    """kernel.* and paths that climb out are refused before anything is opened."""
    assert sysctl_path("net/ipv4/conf/br0.1/forwarding") == "/proc/sys/net/ipv4/conf/br0.1/forwarding"
    for bad in ("kernel/panic", "net/../kernel/panic", "net.ipv4.ip_forward"):
        with pytest.raises(ValueError, match="not a sysctl"):
            sysctl_path(bad)


@sandboxed
def test_the_host_name_of_another_uts_namespace_is_read() -> None:
    """The name set inside comes back; ours is untouched."""
    ours = socket.gethostname()
    with container("c1") as pid:
        assert hostname_in(f"/proc/{pid}/ns/uts") == "c1"
        assert subprocess.run(["hostname"], capture_output=True, text=True, check=True).stdout.strip() == ours


@sandboxed
def test_a_sandboxed_test_cannot_touch_the_machine() -> None:
    """What the tests' own sandbox promises: the machine is read-only inside, /etc takes changes that nobody outside sees."""
    with pytest.raises(OSError, match="Read-only"):
        Path(__file__).with_name("trace").write_text("")
    Path("/etc/netless-trace").write_text("inside")
    assert sh("cat /etc/netless-trace; id -u") == "inside0\n"
    assert [name for _, name in socket.if_nameindex()] == ["lo"]


def inodes_open() -> set[int]:
    """The inodes behind this process's descriptors."""
    found = set()
    for fd in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            found.add(os.stat(f"/proc/self/fd/{fd}").st_ino)
    return found


@pytest.mark.parametrize("go_in", [call_in, lambda handle, fn: each_in([(handle, fn)])[0]], ids=["alone", "with others"])
@sandboxed
def test_a_handle_that_is_closed_while_a_thread_goes_in_leads_nowhere_else(monkeypatch: pytest.MonkeyPatch, go_in: Callable[..., Any]) -> None:
    """A node goes at the moment when a thread is about to enter it, and its descriptor's number is given to another namespace: the thread
    is where it was going, and the handle is closed all the same when it is there.
    """
    sh("ip netns add going; ip -n going link add here type bridge; ip netns add other")
    handle, setns = Namespace.at("/run/netns/going"), syscalls.setns
    others: list[Namespace] = []

    def late(fd: int, kind: int) -> None:
        handle.close()
        others.append(Namespace.at("/run/netns/other"))
        setns(fd, kind)

    monkeypatch.setattr(syscalls, "setns", late)
    assert [name for _, name in go_in(handle, socket.if_nameindex)] == ["lo", "here"]
    assert handle.closed
    with pytest.raises(NamespaceGone):
        handle.fileno()
    assert handle.inode not in (opened := inodes_open()) and others[0].inode in opened
