"""Nodes: processes in network namespaces of their own; and the reaper, who sees every one of them end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from helpers.sandboxed import sandboxed, sandboxed_once, sh
from helpers.waiting import becomes, eventually
from netless_lab.kernel.namespace import Namespace, socket_in
from netless_lab.sandbox import container, tune
from netless_lab.sandbox.reaper import Reaper
from netless_lab.sandbox.rootfs import EMPTY_RESOLV_CONF

RETRANSMIT = [[str(milliseconds), "2"] for milliseconds in (50, 52, 60)]
"""50 ms, or the next whole tick of the kernel's clock (HZ 1000, 250, 100), and two tries."""


def inside(pid: int, command: str) -> str:
    """Run a command in a node by nsenter, the learner's own way."""
    return sh(f"nsenter -t {pid} -n -m -u -i {command}")


@sandboxed_once
def test_a_container_starts_where_its_files_cannot_be_shown() -> None:
    """Somebody has removed or replaced a file of the host's that a container has its own of: it starts all the same."""
    sh("rm /etc/hosts /etc/hostname; mkdir /etc/hostname")
    assert inside(container.launch("c1").pid, "cat /etc/resolv.conf") == EMPTY_RESOLV_CONF


@sandboxed
def test_a_container_has_only_lo_and_it_is_down() -> None:
    """A node's host name, interfaces, /sys, resolver and names are its own, and it is as bare as ``docker run --net=none``."""
    own = container.launch("c1")
    (lo,) = json.loads(inside(own.pid, "ip -j addr"))
    assert (lo["ifname"], lo["operstate"], lo["addr_info"]) == ("lo", "DOWN", [])
    assert inside(own.pid, "hostname") == "c1\n"
    assert inside(own.pid, "ls /sys/class/net").split() == ["lo"]
    assert inside(own.pid, "cat /etc/hostname") == "c1\n"
    assert "nameserver" not in inside(own.pid, "cat /etc/resolv.conf")
    assert inside(own.pid, "ip -j route") == "[  ]\n" or json.loads(inside(own.pid, "ip -j route")) == []
    assert os.stat(f"/proc/{own.pid}/ns/net").st_ino == own.netns
    for kind in ("net", "mnt", "uts", "ipc"):
        assert os.readlink(f"/proc/{own.pid}/ns/{kind}") != os.readlink(f"/proc/self/ns/{kind}")
    for kind in ("user", "pid"):
        assert os.readlink(f"/proc/{own.pid}/ns/{kind}") == os.readlink(f"/proc/self/ns/{kind}")
    assert sh(f"ps -o args= {own.pid}") == "sleep infinity\n"


@sandboxed
def test_the_callers_own_namespaces_are_not_disturbed() -> None:
    """Launching nodes changes nothing for the process that launches them, nor for its threads."""
    kinds = ("net", "mnt", "uts", "ipc")
    before = [os.readlink(f"/proc/self/ns/{kind}") for kind in kinds]
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    for number in range(3):
        container.launch(f"c{number}")
    assert [os.readlink(f"/proc/self/ns/{kind}") for kind in kinds] == before
    assert Path("/proc/self/mountinfo").read_text(encoding="utf-8") == mounts


@sandboxed
def test_a_resolver_set_from_outside_is_seen_inside() -> None:
    """The file behind a node's /etc/resolv.conf can be written by either side, and by no other node."""
    sh("rm -f /etc/resolv.conf; echo nameserver 192.0.2.9 > /etc/resolv.conf")
    one, two = container.launch("one"), container.launch("two")
    Path(one.resolv_conf).write_text("nameserver 192.0.2.1\n", encoding="ascii")
    assert inside(one.pid, "cat /etc/resolv.conf") == "nameserver 192.0.2.1\n"
    inside(two.pid, "sh -c 'echo nameserver 192.0.2.2 > /etc/resolv.conf'")
    assert Path(two.resolv_conf).read_text(encoding="ascii") == "nameserver 192.0.2.2\n"
    assert "192.0.2.1" in inside(one.pid, "cat /etc/resolv.conf")
    assert Path("/etc/resolv.conf").read_text(encoding="ascii") == "nameserver 192.0.2.9\n"


@sandboxed
def test_a_container_keeps_no_name_of_its_host_alive() -> None:
    """A namespace named before the container came is freed by ``ip netns del`` all the same, and the container lists no names."""
    sh("ip netns add early; ip link add here type veth peer name there netns early")
    own = container.launch("c1")
    assert inside(own.pid, "ip netns list") == ""
    sh("ip netns del early; while ip link show here >/dev/null 2>&1; do sleep 0.02; done")  # the sandbox has its time limit


@sandboxed
def test_a_name_made_later_is_the_hosts_alone() -> None:
    """Names and mounts made in the host do not appear in a container."""
    own = container.launch("c1")
    sh("ip netns add late")
    assert inside(own.pid, "ls /run/netns") == ""


@sandboxed
def test_a_stopped_container_frees_its_namespace() -> None:
    """With the process and the launcher's own handle its cables go; stopping twice does no harm."""
    own = container.launch("c1")
    sh(f"ip link add here type veth peer name there netns {own.pid}")
    own.stop()
    os.waitpid(own.pid, 0)
    own.network.close()
    sh("while ip link show here >/dev/null 2>&1; do sleep 0.02; done")  # the sandbox has its time limit
    own.stop()


@sandboxed
def test_a_node_can_be_told_from_a_container_in_ps() -> None:
    """The pretend internet's process does not look like a container's ``sleep``."""
    own = container.launch("internet", shown_as="internet")
    assert sh(f"ps -o args= {own.pid}") == "internet infinity\n"


@sandboxed
def test_a_container_starts_with_default_signals_and_no_stray_files() -> None:
    """Nothing of the agent is inherited: no descriptors, no ignored or blocked signals, no terminal."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            os.set_inheritable(int(name), False)  # what the shell that runs pytest left open; a room's agent inherits nothing
    kept = os.pipe()
    own = container.launch("c1")
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{own.pid}/status").read_text().splitlines() if ":\t" in line)
    ordinary = sum(1 << number - 1 for number in signal.valid_signals())  # 32 and 33 belong to the C library
    assert int(status["SigBlk"], 16) & ordinary == int(status["SigIgn"], 16) & ordinary == 0
    assert eventually(lambda: len(os.listdir(f"/proc/{own.pid}/fd")) == 3)  # its loader has files open
    assert sorted(os.listdir(f"/proc/{own.pid}/fd")) == ["0", "1", "2"]
    assert os.getsid(own.pid) == own.pid
    os.close(kept[0])


@sandboxed
def test_tuning_a_node_and_its_links() -> None:
    """The settings that differ per machine have the same value in every node; a device that is gone is no error."""
    own = container.launch("c1")
    fd = os.open(f"/proc/{own.pid}/ns/net", os.O_RDONLY)
    inside(own.pid, "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.lo.rp_filter=1")
    tune.settle(fd)
    names = "net.ipv4.ip_forward net.ipv4.conf.all.rp_filter net.ipv4.conf.lo.rp_filter net.ipv4.conf.default.rp_filter"
    assert inside(own.pid, f"sysctl -n {names}").split() == ["0"] * 4
    inside(own.pid, "ip link add br0 type bridge")
    tune.tune("br0", fd)
    assert inside(own.pid, "sysctl -n net.ipv4.neigh.br0.retrans_time_ms net.ipv4.neigh.br0.mcast_solicit").split() in RETRANSMIT
    assert inside(own.pid, "sysctl -n net.ipv6.neigh.br0.retrans_time_ms net.ipv6.neigh.br0.mcast_solicit").split() in RETRANSMIT
    tune.tune("nosuch", fd)
    sh("ip link add br1 type bridge")
    tune.tune("br1")
    assert sh("sysctl -n net.ipv4.neigh.br1.retrans_time_ms net.ipv4.neigh.br1.mcast_solicit").split() in RETRANSMIT


@pytest.mark.parametrize(("kind", "net"), [(socket.AF_INET, "10.0.0.{}/24"), (socket.AF_INET6, "fd00::{}/64 nodad")], ids=["ipv4", "ipv6"])
@sandboxed
def test_who_was_asked_for_before_a_link_was_tuned_is_asked_for_again(kind: socket.AddressFamily, net: str) -> None:
    """The question was lost, and with the timers that the link was born with, here of an hour, it is not repeated soon. Once the link is tuned, it is
    asked anew, and the datagram that waits for the answer arrives (Python's own sockets).
    """
    own, version = container.launch("c1"), 4 if kind == socket.AF_INET else 6
    second, third = (net.format(number).partition("/")[0] for number in (2, 3))
    sh(f"ip link add near type veth peer name far netns {own.pid}; ip addr add {net.format(1)} dev near; ip link set near up")
    inside(own.pid, f"sh -ec 'ip addr add {net.format(3)} dev far; ip link set far up'")
    sh(f"until ping -n -c1 -W1 {third} >/dev/null; do :; done")
    sh(f"sysctl -qw net.ipv{version}.neigh.near.retrans_time_ms=3600000")
    with Namespace.of_pid(own.pid) as there, socket.socket(kind, socket.SOCK_DGRAM) as asker, socket_in(there, kind, socket.SOCK_DGRAM) as asked:
        asked.bind(("", 9))
        asked.settimeout(15)
        asker.sendto(b"early", (second, 9))
        assert json.loads(sh(f"ip -j neigh show {second}"))[0]["state"] == ["INCOMPLETE"]
        inside(own.pid, f"ip addr add {net.format(2)} dev far")
        tune.tune("near")
        assert asked.recv(64) == b"early"


async def ended(reaper: Reaper, pid: int) -> int:
    """The exit code of a child, when whoever watches it hears of its end."""
    told: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    reaper.watch(pid, told.set_result)
    return await told


@sandboxed
async def test_the_reaper_collects_orphans() -> None:
    """A process whose parent died becomes ours and leaves no zombie."""
    reaper = Reaper(asyncio.get_running_loop())
    with reaper.hands_off():
        sh("for i in 1 2 3 4 5; do (sleep 0.05 &) ; done")
    assert await becomes(lambda: not [name for name in os.listdir("/proc") if name.isdigit() and name != "1"])
    reaper.close()


@sandboxed
async def test_the_reaper_tells_how_a_process_ended() -> None:
    """Exit codes and signals reach whoever watches, in whatever order things happen."""
    reaper = Reaper(asyncio.get_running_loop())
    assert await ended(reaper, os.posix_spawn("/bin/sh", ["sh", "-c", "exit 7"], {})) == 7
    own = container.launch("c1")
    waiting = asyncio.create_task(ended(reaper, own.pid))
    await asyncio.sleep(0)  # it begins to wait
    own.stop()
    assert await waiting == -9
    early = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 3"], {})
    assert await becomes(lambda: not Path(f"/proc/{early}").exists()), "collected before anybody asked"
    assert await ended(reaper, early) == 3
    reaper.close()


@sandboxed
async def test_who_has_the_number_of_one_that_ended_has_not_ended() -> None:
    """Nobody asked how a process ended, and its number is given to another: that one lives, and its own end is told."""
    reaper = Reaper(asyncio.get_running_loop())
    last = Path("/proc/sys/kernel/ns_last_pid")  # the next one gets the number after it (pid_namespaces(7))
    last.write_text("100", encoding="ascii")
    before = os.posix_spawn("/bin/true", ["true"], {})
    assert await becomes(lambda: not Path(f"/proc/{before}").exists())
    last.write_text(str(before - 2), encoding="ascii")
    own = container.launch("c1")  # by a thread, which has a number too
    assert own.pid == before
    waiting = asyncio.create_task(ended(reaper, own.pid))
    await asyncio.sleep(0)  # it begins to wait
    own.stop()
    assert await waiting == -9
    reaper.close()


@sandboxed
async def test_the_reaper_leaves_subprocess_alone() -> None:
    """While hands are off, ``subprocess`` in another thread gets the true exit codes; watched processes are still told."""
    reaper = Reaper(asyncio.get_running_loop())

    def work() -> list[int]:
        with reaper.hands_off():
            return [subprocess.run(["sh", "-c", f"(true &); exit {number % 100}"], check=False).returncode for number in range(150)]

    task = asyncio.create_task(asyncio.to_thread(work))
    while not task.done():
        assert await ended(reaper, os.posix_spawn("/bin/sh", ["sh", "-c", "exit 5"], {})) == 5
    assert await task == [number % 100 for number in range(150)]
    assert await becomes(lambda: "Z" not in sh("ps -o stat= ax"))
    reaper.close()
