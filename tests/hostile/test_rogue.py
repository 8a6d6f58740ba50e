"""Who enters a node believes nothing: a rogue in the agent's place gets nothing run, nothing entered, and no say on the terminal."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.checkout import as_here
from helpers.waiting import PATIENCE_S
from hostile.helpers.rogue import Answer, hands, rogue, says
from netless_lab import join
from netless_lab.address import address, socket_name
from netless_lab.sandbox import way
from netless_lab.sandbox.visitor import connect
from sandbox.helpers.alone import alone, alone_as_ordinary, alone_as_root
from sandbox.helpers.rooms import room

MARKER = "/tmp/it-ran"
KINDS = (b"outer", b"cgroup", b"user", b"pid", b"mnt", b"net", b"uts", b"ipc")
WAY = b"\0".join((b"way", b"0", b"", *KINDS)) + b"\n"


def own_spaces(*kinds: bytes) -> Callable[[], list[int]]:
    """The rogue's own namespaces, which are the machine's."""
    return lambda: [os.open(f"/proc/self/ns/{'user' if kind == b'outer' else kind.decode()}", os.O_RDONLY) for kind in kinds]


def repeated(make: Callable[[], int], times: int = len(KINDS)) -> Callable[[], list[int]]:
    """As many files of one make."""
    return lambda: [make() for _ in range(times)]


def line(within: bytes, processes: bytes = b"0", kinds: tuple[bytes, ...] = KINDS) -> bytes:
    """An answer of an agent's form."""
    return b"\0".join((b"way", processes, within, *kinds)) + b"\n"


def _trickle(caller: socket.socket) -> None:
    while True:
        caller.sendall(b"x")
        time.sleep(1)


ANSWERS: dict[str, Answer] = {
    "pipes": hands(WAY, repeated(lambda: os.pipe()[0])),
    "sockets": hands(WAY, repeated(lambda: socket.socketpair()[0].detach())),
    "files": hands(WAY, repeated(lambda: os.open("/etc/passwd", os.O_RDONLY))),
    "folders": hands(WAY, repeated(lambda: os.open("/", os.O_PATH))),
    "the wrong order": hands(WAY, own_spaces(*reversed(KINDS))),
    "one too few": hands(WAY, own_spaces(*KINDS[:-1])),
    "one too many": hands(WAY, own_spaces(*KINDS, b"net")),
    "no files": says(WAY),
    "forty files": hands(WAY, repeated(lambda: os.open("/proc/self/ns/net", os.O_RDONLY), 40)),
    "no outer namespace": hands(line(b"", kinds=KINDS[1:]), own_spaces(*KINDS[1:])),
    "no user namespace": hands(line(b"", kinds=(*KINDS[:2], *KINDS[3:])), own_spaces(*KINDS[:2], *KINDS[3:])),
    "no namespace of groups": hands(line(b"", kinds=(KINDS[0], *KINDS[2:])), own_spaces(KINDS[0], *KINDS[2:])),
    "a kind that is none": hands(line(b"", kinds=(*KINDS, b"time")), own_spaces(*KINDS, b"net")),
    "processes by word": hands(line(b"", b"many"), own_spaces(*KINDS)),
    "processes below none": hands(line(b"", b"-1"), own_spaces(*KINDS)),
    "nothing": lambda caller: caller.close(),
    "an empty line": says(b"\n"),
    "zeros": says(bytes(1000) + b"\n"),
    "no text": says(bytes(range(1, 10)) + bytes(range(128, 256)) + b"\n"),
    "a huge line": says(b"way\0" + b"x" * 10_000_000 + b"\n"),
    "a line without end": says(b"no\0" + b"x" * 60_000),
    "a protocol's answer": says(b'{"type":"done","id":1,"value":{"argv":["touch","/tmp/it-ran"]}}\n'),
    "a refusal with escapes": says(b"no\0\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b5n\rnetless: all is well\x00\x7f\n"),
    "a byte now and then, for ever": _trickle,
    "a refusal of many lines": says(b"no\0one\ntwo\n"),
}


def enter(*command: str) -> subprocess.CompletedProcess[bytes]:
    """What ``netless exec`` becomes, on the lab that the rogue says it is."""
    return subprocess.run([*join.command("rogue", "host"), *command], stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)


def spoken(said: bytes) -> bool:
    """Whether it is words for a person, one line and no control characters."""
    text = said.decode()
    return text.startswith("netless: ") and text.endswith("\n") and all(char.isprintable() for char in text[:-1])


@pytest.mark.parametrize("what", ANSWERS)
@alone
def test_nothing_is_run_for_a_rogue(what: str) -> None:
    """Whatever it hands over and says: nothing runs, exit 3, in words that do nothing to a terminal."""
    with rogue(socket_name("rogue", os.geteuid()), ANSWERS[what]):
        done = enter("touch", MARKER)
    assert (done.returncode, done.stdout) == (3, b"")
    assert spoken(done.stderr), done.stderr
    assert not os.path.exists(MARKER)


OURSELVES: dict[str, Answer] = {
    "as they are": hands(WAY, own_spaces(*KINDS)),
    "one of them twice": hands(line(b"", kinds=(*KINDS, b"net")), own_spaces(*KINDS, b"net")),
    "with a name within": hands(line(b"rogue"), own_spaces(*KINDS)),
}
"""The rogue's own namespaces, which are the machine's."""


def _insist_that_it_is_not_run(what: str) -> None:
    with rogue(socket_name("rogue", os.geteuid()), OURSELVES[what]):
        done = enter("touch", MARKER)
    assert not os.path.exists(MARKER), "it was run outside"
    assert done.returncode == 3 and spoken(done.stderr), done


@pytest.mark.parametrize("what", OURSELVES)
@alone_as_ordinary
def test_the_machines_own_namespaces_are_not_a_node(what: str) -> None:
    """A rogue that hands over the namespaces it is in itself, the machine's, does not get a command run in them."""
    _insist_that_it_is_not_run(what)


@pytest.mark.parametrize("what", OURSELVES)
@alone_as_root
def test_the_machines_own_namespaces_are_not_roots_node(what: str) -> None:
    """The same for root, whom the kernel forbids nothing that an ordinary user's command stumbles over."""
    _insist_that_it_is_not_run(what)


@pytest.mark.parametrize("mine", ["mnt", "net", "uts", "ipc", "pid"])
@alone
def test_a_node_is_the_labs_in_every_part(mine: str) -> None:
    """A rogue that has the namespaces of a true lab and puts the machine's own in place of one does not get the command to work there."""
    with room() as made:
        true, files = _handed_over(made.lab)
        mixed = [os.open(f"/proc/self/ns/{kind}", os.O_RDONLY) if kind == mine else file for kind, file in zip(true.kinds, files, strict=True)]
        with rogue(socket_name("rogue", os.geteuid()), hands(line(b"", kinds=tuple(map(str.encode, true.kinds))), lambda: mixed)):
            done = enter("touch", MARKER)
    assert not os.path.exists(MARKER), "it was run on the machine's files"
    assert done.returncode == 3 and spoken(done.stderr), done


@alone
def test_a_command_does_not_stay_among_the_machines_groups() -> None:
    """A rogue that hands over all of a true lab but its namespace of control groups does not get the command to work in the machine's."""
    if not os.path.exists("/proc/self/ns/cgroup"):
        pytest.skip("this kernel has no control groups")
    with room() as made:
        true, files = _handed_over(made.lab)
        others = [(kind, file) for kind, file in zip(true.kinds, files, strict=True) if kind != "cgroup"]
        with rogue(socket_name("rogue", os.geteuid()), hands(line(b"", kinds=tuple(kind.encode() for kind, _ in others)), lambda: [file for _, file in others])):
            done = enter("cat", "/proc/self/cgroup")
    assert (done.returncode, done.stdout) == (3, b""), "it works among the machine's"
    assert spoken(done.stderr), done.stderr


@alone
def test_who_has_entered_holds_nothing_that_is_handed_to_him_later() -> None:
    """Open files that come with the answer or after it are let go of, or refused, while the command runs and says that the lab is in use."""
    own, handed = os.pipe()
    with room() as made:
        true, files = _handed_over(made.lab)

        def answer(caller: socket.socket) -> None:
            socket.send_fds(caller, [line(b"", kinds=tuple(map(str.encode, true.kinds)))], files)
            with contextlib.suppress(BrokenPipeError):
                while True:
                    socket.send_fds(caller, [b"more"], [handed])
                    time.sleep(0.01)
            os.close(handed)
            caller.recv(1)  # it is held as long as it is used

        with rogue(socket_name("rogue", os.geteuid()), answer):
            os.close(handed)
            words = [*join.command("rogue", "host", stay=True), "sh", "-c", "echo begun; read end"]
            environment = {**os.environ, **join.environment("rogue", "host")}
            with subprocess.Popen(words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
                assert process.stdout is not None and process.stdout.readline() == b"begun\n"
                assert select.select([own], [], [], PATIENCE_S)[0], "somebody has it still"
                assert os.read(own, 1) == b"" and process.poll() is None
                process.communicate(b"\n", timeout=30)
    os.close(own)


def _handed_over(lab: str) -> tuple[way.Way, list[int]]:
    sock = connect(address(lab))
    sock.sendall(way.request("host"))
    handed = way.receive(sock)
    sock.close()
    return handed


@pytest.mark.parametrize("agrees", [b"null", b'{"argv":["touch","/tmp/it-ran"],"env":{"PATH":"/tmp"}}', b'["touch","/tmp/it-ran"]'])
@alone
def test_the_command_line_runs_nothing_that_is_answered(agrees: bytes) -> None:
    """``netless exec`` against one that agrees to all with words to run: they are not run, and nothing else is."""
    with rogue(socket_name("rogue", os.geteuid()), ANSWERS["pipes"], agrees):
        words = [sys.executable, "-P", "-m", "netless", "--lab", "rogue", "exec", "host", "--", "touch", "/tmp/it-ran-as-asked"]
        done = subprocess.run(words, env=as_here(), stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    assert done.returncode == 3, done
    assert spoken(done.stderr), done.stderr
    assert [path.name for path in Path("/tmp").glob("it-ran*")] == []
