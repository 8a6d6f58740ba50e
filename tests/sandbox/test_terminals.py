"""Terminals that a lab keeps: who goes leaves them as they are, and the next who asks has them. The programs on them are ordinary ones of the machine.

The kernel is the witness: a process's descriptor (pidfd_open(2)) tells its end, and a file how far a program came.
"""

from __future__ import annotations

import asyncio
import os
import random
import shlex
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from helpers.running import Running
from helpers.terminals import Program, ended, forget, full, hung_up, left, program, readable, taken_from
from helpers.waiting import becomes
from netless.shell.child import Child, size_of
from netless_lab import keeping, labs
from netless_lab.address import terminals_name
from netless_lab.client import Client
from netless_lab.keeping import Taken
from netless_lab.lease import Lease
from netless_lab.protocol import Hello
from netless_lab.sandbox import kept as wire
from netless_lab.sandbox import ring, terminals

pytestmark = [pytest.mark.kernel, pytest.mark.rootless]


async def test_who_takes_one_has_all_of_it(lab: Running) -> None:
    """Node, note and size are those of before; what it printed is there; the program runs on, hears what is typed, and its end is told."""
    async with left(lab.name, "stty -echo cols 91 rows 17; echo one; read word; echo got $word; exit 7", "c1", b'[1,"x"]'):
        taken = await taken_from(lab.name)
        assert (taken.node, taken.note) == ("c1", b'[1,"x"]')
        assert size_of(taken.master) == (91, 17)
        assert taken.kept.shown() == (b"one\r\n", True, b"as noted")
        again = Program(taken.kept)
        child = Child.join(taken.master, again.listener)
        child.write("hello\n")
        assert await becomes(lambda: again.codes)
        assert again.said == b"got hello\r\n"
        assert again.codes == [None], "only a parent is told the code"
        assert taken.kept.shown()[:2] == (b"one\r\ngot hello\r\n", True)
        taken.kept.end()


async def test_who_is_alone_prints_on(lab: Running, tmp_path: Path) -> None:
    """A program that prints 1 MiB while nobody is there gets to its end; the last of that is there, and known to be a part."""
    mark = tmp_path / "done"
    mebibyte = "head -c 1048576 /dev/zero | tr '\\0' x"
    script = f"echo one; read word; {mebibyte}; echo end; touch {shlex.quote(str(mark))}; read word"
    async with left(lab.name, script):
        taken = await taken_from(lab.name)
        os.write(taken.master, b"go\n")
        os.close(taken.master)
        taken.kept.leave()
        assert await becomes(mark.exists, 60)
        taken = await taken_from(lab.name)
        child = Child.join(taken.master, Program(taken.kept).listener)
        assert await becomes(lambda: taken.kept.shown()[0].endswith(b"xxxend\r\n"))
        shown, whole, _ = taken.kept.shown()
        assert len(shown) == ring.SIZE and not whole and shown.startswith(b"xxx")
        taken.kept.end()
        await child.stop()


async def test_each_goes_to_one(lab: Running) -> None:
    """Of several who ask at once each gets another one, and nobody what somebody has."""
    async with left(lab.name, "echo one; read word", "host"), left(lab.name, "echo two; read word", "c1"):
        await taken_again(lab.name, 2)
        found = [one for one in await asyncio.gather(*(keeping.take(lab.name, ()) for _ in range(5))) if one is not None]
        assert sorted(one.node for one in found) == ["c1", "host"]
        for one in found:
            forget(one)


async def taken_again(lab: str, count: int) -> None:
    """So many are left behind, as far as the lab knows: all were taken and left once more."""
    for _ in range(3000):
        found: list[Taken] = []
        while (one := await keeping.take(lab, ())) is not None:
            assert isinstance(one, Taken)
            found.append(one)
        for one in reversed(found):  # the one that was used last is the first to be taken, and so the last to be left
            os.close(one.master)
            one.kept.leave()
        if len(found) == count:
            return
        await asyncio.sleep(0.005)
    raise AssertionError("they were not left behind")


async def test_the_one_that_was_used_last_comes_first(lab: Running) -> None:
    """Whoever comes back is where he was."""
    async with program("echo one; read word") as (one, first), program("echo two; read word") as (two, second):
        one.kept = keeping.keep(lab.name, "host", b"first", first.master)
        two.kept = keeping.keep(lab.name, "host", b"second", second.master)
        while len(await keeping.listed(lab.name)) < 2:  # a use before the other is kept would be no later one
            await asyncio.sleep(0.005)
        one.kept.use()
        assert one.kept.leave() and two.kept.leave()
        await taken_again(lab.name, 2)
        for note in (b"first", b"second"):
            taken = await taken_from(lab.name)
            assert taken.note == note
            forget(taken)


async def test_there_are_only_so_many(lab: Running) -> None:
    """When all are owned one more is not kept, and its owner knows; the one that was left longest is ended to make room for another."""
    async with program("echo one; read word") as (own, child), left(lab.name, "echo two; read word") as lonely:
        assert await becomes(lambda: own.said)
        taken = await taken_from(lab.name)
        os.close(taken.master)
        taken.kept.leave()
        with full(lab.name, child.master) as kept:
            assert await becomes(lambda: ended(lonely)), "it makes room"
            more = keeping.keep(lab.name, "host", b"", child.master)
            told: list[keeping.News] = []
            more.attend(told.append)
            assert await becomes(lambda: told)
            assert told == [keeping.Full(terminals.MOST)]
            assert not more.leave()
            unheard = keeping.keep(lab.name, "host", b"", child.master)
            assert await becomes(lambda: readable(unheard))
            assert not unheard.leave(), "also when he has not heard it yet"
            assert not any(hung_up(one) for one in kept)


async def test_wrong_files_are_not_kept(lab: Running) -> None:
    """What is no terminal's controlling end, or no sealed memory, is refused, and why is said: the lab lets go of it, and nobody is handed it."""
    async with program("echo one; read word") as (_, child):
        null, short, good = os.open("/dev/null", os.O_RDWR), os.memfd_create("short"), ring.new()
        try:
            for files in ((null, good), (child.master, short), (child.master, null), (child.master,), ()):
                sock = wire.connected(terminals_name(lab.name, os.geteuid()))
                wire.send(sock, wire.KEEP, wire.VERSION, b"host", b"", files=files)
                assert refusal(sock)
                sock.close()
            assert await keeping.take(lab.name, ()) is None
        finally:
            for fd in (null, short, good):
                os.close(fd)


def refusal(sock: socket.socket) -> str:
    """Why a lab does not keep what it was given; it hangs up behind that."""
    sock.setblocking(True)
    sock.settimeout(20)
    word, (why,), files = wire.receive(sock)
    assert (word, files, sock.recv(1)) == (wire.REFUSED, (), b"")
    return why.decode()


async def test_who_is_of_another_version_is_told(lab: Running) -> None:
    """When the lab does not know what he wants kept."""
    sock = wire.connected(terminals_name(lab.name, os.geteuid()))
    wire.send(sock, wire.KEEP, b"0", b"host", b"")
    assert refusal(sock) == "the lab is of another version of netless"
    sock.close()


async def test_an_owner_is_told_why(lab: Running) -> None:
    """What cannot be kept, with the reason: nothing is left behind then."""
    null = os.open("/dev/null", os.O_RDWR)
    kept = keeping.keep(lab.name, "host", b"", null)
    told: list[keeping.News] = []
    kept.attend(told.append)
    assert await becomes(lambda: told)
    assert told == [keeping.Refused("this is no pseudo-terminal's controlling end")]
    assert not kept.is_kept and not kept.leave()
    os.close(null)


async def test_too_many_who_ask_at_once_are_told(lab: Running) -> None:
    """As long as others have come and not said what they want."""
    name = terminals_name(lab.name, os.geteuid())
    silent = [wire.connected(name) for _ in range(terminals._CALLERS)]
    async with program("read word") as (_, child):
        kept = keeping.keep(lab.name, "host", b"", child.master)
        told: list[keeping.News] = []
        kept.attend(told.append)
        assert await becomes(lambda: told)
        assert told == [keeping.Refused("too many ask the lab for that at once")]
        assert not kept.leave()
    for sock in silent:
        sock.close()


async def test_where_nobody_keeps_any_that_is_said() -> None:
    """At once, and not by a connection that ends."""
    with pytest.raises(keeping.NotKept, match="refused"):
        keeping.keep(f"nobody-{os.getpid()}", "host", b"", 0)


@pytest.mark.parametrize("seed", range(4))
async def test_nothing_that_is_said_ends_the_lab(lab: Running, seed: int) -> None:
    """Any words and files in any order, by many at once who may go at any moment: the lab goes on, keeps what it should, and hands that out."""
    chance = random.Random(seed)
    words = (
        wire.KEEP, wire.TAKE, wire.USED, wire.ENDED, wire.KEPT, wire.NONE, wire.LIST, wire.CLAIM, wire.LOST, wire.VERSION, b"1", b"2", b"host", b"", b"x" * 5000,
        b"\xff\xfe",
    )  # fmt: skip
    async with program("echo one; read word") as (_, child):
        files = [child.master, ring.new(), os.open("/dev/null", os.O_RDWR)]
        said: list[socket.socket] = []
        for _ in range(300):
            if said and chance.random() < 0.7:
                sock = chance.choice(said)
            else:
                with suppress(OSError):  # as many wait to be let in as may
                    said.append(wire.connected(terminals_name(lab.name, os.geteuid())))
                continue
            if chance.random() < 0.2:
                said.remove(sock)
                sock.close()
                continue
            with suppress(OSError):  # it was let go of, or does not read so fast
                wire.send(sock, *chance.choices(words, k=chance.randrange(5)), files=tuple(chance.choices(files, k=chance.randrange(3))))
        for sock in said:
            sock.close()
        while (taken := await keeping.take(lab.name, ())) is not None:
            forget(taken)
        for fd in files[1:]:
            os.close(fd)
    async with left(lab.name, "echo two; read word", "c1"):
        taken = await taken_from(lab.name)
        assert taken.node == "c1"
        forget(taken)
    assert lab.sh("echo here") == "here\n"


async def test_wrong_files_are_not_taken() -> None:
    """Whoever holds the name of a lab's terminals and hands over something else gets it back: nothing is taken, and no file stays open."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    lab = f"pretended-{os.getpid()}"
    listener.bind(terminals_name(lab, os.geteuid()))
    listener.listen(8)
    listener.setblocking(False)
    null, good = os.open("/dev/null", os.O_RDWR), ring.new()
    answers = [(wire.KEPT, b"host", b"", files) for files in ((null, good), (null, null), (null,), ())]
    answers += [(wire.KEPT, b"host", b"", ()), (b"what", b"host", b"", (null, good))]

    async def pretend() -> None:
        for word, node, note, files in answers:
            caller, _ = await asyncio.get_running_loop().sock_accept(listener)
            wire.send(caller, word, node, note, files=files)
            waiting.append(caller)

    waiting: list[socket.socket] = []
    pretending = asyncio.create_task(pretend())
    before = sorted(os.listdir("/proc/self/fd"))
    assert await keeping.take(lab, ()) is None
    await pretending
    assert [caller.recv(100)[:4] for caller in waiting[:1]] == [b"take"]
    for caller in waiting:
        caller.close()
    assert sorted(os.listdir("/proc/self/fd")) == before
    for fd in (null, good):
        os.close(fd)
    listener.close()


async def test_what_nobody_wants_is_hung_up_on(lab: Running) -> None:
    """Who ends a terminal leaves nothing: the kernel hangs up on the program, though the lab had the terminal too."""
    async with left(lab.name, "echo one; read word; sleep 1000") as watch:
        forget(await taken_from(lab.name))
        assert await becomes(lambda: ended(watch))
        assert await keeping.take(lab.name, ()) is None


async def test_nobody_inside_reaches_them(lab: Running) -> None:
    """The name is one of the machine's network: in the lab nobody answers there."""
    name = terminals_name(lab.name, os.geteuid())
    script = f"import socket; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect({name!r})"
    assert "ConnectionRefusedError" in lab.sh(f"python3 -c {shlex.quote(script)} 2>&1", check=False)
    assert "ConnectionRefusedError" in lab.sh(f"python3 -c {shlex.quote(script)} 2>&1", "c1", check=False)
    wire.connected(name).close()


async def test_a_lab_ends_on_time_and_takes_them_along() -> None:
    """A terminal is no use of the lab: its lease runs as if there were none. Then what was left is hung up on, and owners know."""
    name = f"kept-{os.getpid()}"
    client = Client(await asyncio.to_thread(labs.start, name), Hello(client="test", lease=Lease(0.5)))
    async with program("echo one; read word; sleep 1000") as (own, child), left(name, "echo two; read word; sleep 1000") as lonely:
        own.kept = keeping.keep(name, "host", b"", child.master)
        assert own.kept is not None
        client.close()
        assert await becomes(lambda: ended(lonely))
        kept = own.kept
        assert await becomes(lambda: hung_up(kept))
        assert await keeping.take(name, ()) is None
        assert child.running, "whoever is at one has it still"
