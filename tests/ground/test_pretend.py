"""The ground of a sandbox: what it writes of its own accord is written down before, and what puts all back says when nothing is left to undo."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from helpers.lab import action
from helpers.sandboxed import sandboxed_once, sh
from helpers.waiting import becomes
from netless_lab.errors import Refusal
from netless_lab.ground.ground import OnEnd
from netless_lab.ground.ledger import Begun, Line, Memory, NotRestored, Restoring, Tuned
from netless_lab.ground.pretend import PretendHost
from netless_lab.kernel.beginning import Beginning, begin
from netless_lab.kernel.read import Reader
from netless_lab.model.outside import USUAL
from netless_lab.room import BIN, HOME, NETLESS, NETNS
from netless_lab.sandbox.limits import Limits
from netless_lab.sandbox.pid1 import Room
from netless_lab.sandbox.reaper import Reaper
from netless_lab.sandbox.rootfs import CONTAINERS, EMPTY_RESOLV_CONF

LOOK = "sysctl -n net.ipv4.neigh.veth1.retrans_time_ms 2>/dev/null || :; ip -br link"
OLD = Begun(1, action({"bridge": "br0"}), (action({"delete-link": "br0"}),))


class Witnessing(Memory):
    """A ledger that looks with sysctl(8) and ip(8) at each line that it is given."""

    def __init__(self, ground: PretendHost) -> None:
        super().__init__()
        self._ground = ground
        self.seen: list[tuple[Line, str]] = []

    def write(self, line: Line) -> None:
        """Keep it, with what is there at that moment."""
        with self._ground.hands_off():
            self.seen.append((line, sh(LOOK)))
        super().write(line)


@asynccontextmanager
async def standing(on_end: OnEnd = lambda name, own: None) -> AsyncIterator[tuple[PretendHost, Witnessing, Beginning]]:
    """The ground with the container c1, before anything is done; the ledger that looks; and what was there."""
    for folder in (CONTAINERS, NETNS, NETLESS, BIN, HOME, "/run/lock", "/etc/netns"):
        os.makedirs(folder, exist_ok=True)
    os.unlink("/etc/resolv.conf")
    with open("/etc/resolv.conf", "w", encoding="ascii") as file:
        file.write(EMPTY_RESOLV_CONF)
    reaper = Reaper(asyncio.get_running_loop())
    ours, theirs = socket.socketpair()
    outer = os.open("/proc/self/ns/user", os.O_RDONLY)
    ground = PretendHost(Room("own", os.getpid(), ours, -1, outer, Limits()), reaper, on_end)
    await ground.build(("c1",), USUAL)
    ledger = Witnessing(ground)
    ground.ledger = ledger
    yield ground, ledger, begin(ground.refs(), Reader().snapshot(ground.refs()))
    ground.hang_up()
    reaper.close()
    ours.close()
    theirs.close()
    os.close(outer)


def said(ground: PretendHost, script: str) -> str:
    """What a shell says, whose end the reaper leaves to it."""
    with ground.hands_off():
        return sh(script)


@sandboxed_once
async def test_new_devices_are_written_down_before_they_are_tuned() -> None:
    """The line stands while the kernel's own second is still in force; then it is some hundredths of one."""
    async with standing() as (ground, ledger, _):
        said(ground, "ip link add veth1 type veth peer name veth2")
        ground.tune(("veth1", "veth2"), ground.refs()[0], new=False)
        ((line, then),) = ledger.seen
        assert line == Tuned("host", ("veth1", "veth2"), new=False) and then.startswith("1000\n")
        assert int(said(ground, LOOK).partition("\n")[0]) < 100


@sandboxed_once
async def test_a_way_back_is_written_down_and_ends_what_was() -> None:
    """Its line stands before anything is undone. When all is as it was, nothing that was written down stands any more."""
    async with standing() as (ground, ledger, beginning):
        ledger.write(OLD)
        said(ground, "ip link add br9 type bridge")
        assert ground.restore(("c1",), beginning) == ()
        line, then = ledger.seen[-1]
        assert line == Restoring(("c1",), anew=False) and "br9" in then
        assert ledger.lines() == (OLD, line)
        assert ground.purge(ground.refs(), beginning, (), (), ()) == ()
        assert ledger.lines() == () and "br9" not in said(ground, LOOK)


@sandboxed_once
async def test_what_cannot_be_put_back_stays_written_down() -> None:
    """The name servers of c1, in a file that was made read-only there: the last line says so, and those before it still stand."""
    async with standing() as (ground, ledger, beginning):
        ledger.write(OLD)
        ground.restore(("c1",), beginning)
        c1 = next(ref.pid for ref in ground.refs() if ref.name == "c1")
        file = "/etc/resolv.conf"
        said(ground, f"nsenter -t {c1} -m sh -c 'echo nameserver 10.0.0.9 > {file}; mount -o remount,bind,ro {file}'")
        (problem,) = ground.purge(ground.refs(), beginning, (), (), ())
        assert "resolv.conf of c1" in problem
        assert ledger.lines() == (OLD, Restoring(("c1",), anew=False), NotRestored((problem,)))


def process(ground: PretendHost, name: str) -> int:
    """The process of a node."""
    pid = next(ref.pid for ref in ground.refs() if ref.name == name)
    assert pid is not None
    return pid


@sandboxed_once
async def test_who_has_the_number_of_a_process_of_the_lab_that_ended_lives() -> None:
    """Somebody ended the internet, and its number is a program's of his own now: to put
    the lab back, and to build an internet in its place, leaves that one alone."""
    ends: list[tuple[str, bool]] = []
    async with standing(lambda name, own: ends.append((name, own))) as (ground, _, beginning):
        called = socket.gethostname()
        before = process(ground, "internet")
        os.kill(before, signal.SIGKILL)
        assert await becomes(lambda: ends == [("internet", False)]) and not Path(f"/proc/{before}").exists()
        with ground.hands_off():
            Path("/proc/sys/kernel/ns_last_pid").write_text(str(before - 1), encoding="ascii")  # the next one gets the number after it
            program = subprocess.Popen(["sleep", "infinity"])
            assert program.pid == before
            ground.restore(("c1",), beginning)
            assert socket.gethostname() == called, "which the internet's own process may not be called by"
            await ground.connect(USUAL, ())
            assert process(ground, "internet") != before and program.poll() is None
            program.kill()
            assert program.wait() == -signal.SIGKILL


@sandboxed_once
async def test_a_node_that_ended_is_not_the_program_that_has_its_number() -> None:
    """Somebody ended the internet, and a program with files of its own in /etc has its number: nobody who wants to enter the internet is sent
    to that one, no file of its is written, and the internet has no process.
    """
    mine = "/tmp/resolv.conf"
    Path(mine).write_text("nameserver 192.0.2.7\n", encoding="ascii")
    async with standing() as (ground, _, beginning):
        before = process(ground, "internet")
        os.kill(before, signal.SIGKILL)
        assert await becomes(lambda: ground.ended() == ("internet",))
        with ground.hands_off():
            Path("/proc/sys/kernel/ns_last_pid").write_text(str(before - 1), encoding="ascii")
            program = subprocess.Popen(["unshare", "-m", "sh", "-c", f"mount --bind {mine} /etc/resolv.conf && echo there && exec sleep infinity"],
                                       stdout=subprocess.PIPE)  # fmt: skip
            assert program.stdout is not None and program.stdout.readline() == b"there\n" and program.pid == before
            ended = next(ref for ref in ground.refs() if ref.name == "internet")
            assert ended.pid is None
            with pytest.raises(Refusal, match="its process has ended"):
                ground.way_into(ended)
            with pytest.raises(Refusal, match="has ended"):
                ground.way_into(msgspec.structs.replace(ended, pid=before))
            assert ground.purge(ground.refs(), beginning, (), (), ()) == ()
            assert Path(mine).read_text(encoding="ascii") == "nameserver 192.0.2.7\n"
            program.kill()
            program.wait()


@sandboxed_once
async def test_the_end_of_a_process_built_in_place_of_one_that_ended_is_somebodys() -> None:
    """The internet was ended and built anew: that the new one is ended too is no doing of the lab. The end of one that the lab replaces is."""
    ends: list[tuple[str, bool]] = []
    async with standing(lambda name, own: ends.append((name, own))) as (ground, _, _beginning):
        os.kill(process(ground, "internet"), signal.SIGKILL)
        assert await becomes(lambda: ends == [("internet", False)])
        await ground.connect(USUAL, ())
        os.kill(process(ground, "internet"), signal.SIGKILL)
        assert await becomes(lambda: ends == [("internet", False)] * 2)
        await ground.connect(USUAL, ())
        await ground.connect(USUAL, ())
        assert await becomes(lambda: ends[2:] == [("internet", True)])
