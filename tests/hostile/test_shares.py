"""What the kernel counts for a user wherever he is: a lab that takes all it can get leaves some to its owner outside."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
from pathlib import Path

import pytest

from netless_lab import join
from sandbox.helpers.alone import alone
from sandbox.helpers.rooms import room

TAKE = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
for _ in range(int(sys.argv[1]) // 500 + 1):
    ready, done = os.pipe()
    if os.fork() == 0:
        for _ in range(500):
            libc.inotify_init1(0)
        os.write(done, b"r")
        sys.stdin.read()
        os._exit(0)
    os.read(ready, 1)
print("taken", flush=True)
sys.stdin.read()
"""
"""Takes so many inotify instances, and holds them until the end of its input."""


@alone
def test_a_lab_leaves_inotify_to_its_owner() -> None:
    """All instances that the lab gets are taken: the owner outside gets one, as programs of his do that wait for files (inotify(7))."""
    most = int(Path("/proc/sys/fs/inotify/max_user_instances").read_text(encoding="ascii"))
    with room() as made:
        environment = {**os.environ, **join.environment(made.lab, "host")}
        command = [*join.command(made.lab, "host"), "python3", "-I", "-c", TAKE, str(most)]
        with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as taker:
            assert taker.stdout is not None and taker.stdout.readline() == b"taken\n"
            own = ctypes.CDLL(None).inotify_init1(0)
            taker.communicate()
        assert own >= 0, "nothing is left outside"
        os.close(own)


TIMER = "libc.timer_create(0, None, ctypes.byref(ctypes.c_void_p()))"
QUEUE = "libc.mq_open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600, None)"
TAKE_ALL = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
number, name = 0, b"/share-" + os.urandom(8).hex().encode()  # others, with the same pid in a namespace of their own, do the same
while {one} >= 0:
    libc.mq_unlink(name)  # a queue outlives its makers (mq_overview(7)); one without a name is gone with who has it open
    number += 1
print(number, flush=True)
sys.stdin.read()
"""
"""Takes as many as it gets, says how many, and holds them until the end of its input."""


@pytest.mark.parametrize(
    ("one", "kind", "least"),
    [pytest.param(TIMER, resource.RLIMIT_SIGPENDING, 400, id="timers"), pytest.param(QUEUE, resource.RLIMIT_MSGQUEUE, 400_000, id="queues")],
)
@alone
def test_a_lab_leaves_half_to_its_owner(one: str, kind: int, least: int) -> None:
    """All that the lab gets is taken, in a user namespace made for it too: outside its owner gets some, timers and message queues (getrlimit(2))."""
    resource.setrlimit(kind, (least, least))
    with room() as made:
        environment = {**os.environ, **join.environment(made.lab, "host")}
        takers = []
        for words in (("unshare", "-U"), ()):
            command = [*join.command(made.lab, "host"), *words, "python3", "-I", "-S", "-c", TAKE_ALL.format(one=one)]
            takers.append(subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
            output = takers[-1].stdout
            assert output is not None
            assert int(output.readline()) > 0 or not words, "some are for the lab"
        mine = subprocess.run(["python3", "-I", "-S", "-c", TAKE_ALL.format(one=one)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
        for taker in takers:
            taker.communicate()
    assert int(mine.stdout) > 0, "nothing is left outside"


FORK_ALL = """
import os, sys
number = 0
while True:
    try:
        if os.fork() == 0:
            sys.stdin.read()
            os._exit(0)
    except BlockingIOError:
        break
    number += 1
print(number, flush=True)
sys.stdin.read()
"""
"""The same with processes, which end with the input that they share."""


@alone
def test_a_lab_leaves_processes_to_its_owner() -> None:
    """All processes that the lab gets are made, by who was begun inside, in a user namespace made for it, and not bound by what binds visitors:
    it gets no more than half of what its owner may have, and leaves him the others."""
    may = 1200
    resource.setrlimit(resource.RLIMIT_NPROC, (may, may))
    with room() as made:
        environment = {**os.environ, **join.environment(made.lab, "host")}
        unbound = f"import os, resource, sys; resource.setrlimit(resource.RLIMIT_NPROC, ({may}, {may})); os.execvp(sys.argv[1], sys.argv[1:])"
        takers = []
        for words in (("unshare", "-U"), ("python3", "-I", "-S", "-c", unbound), ()):
            command = [*join.command(made.lab, "host"), *words, "python3", "-I", "-S", "-c", FORK_ALL]
            takers.append(subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
        taken = [int(taker.stdout.readline() or 0) for taker in takers if taker.stdout is not None]
        subprocess.run(["true"], check=True)
        for taker in takers:
            taker.communicate()
    assert 100 < sum(taken) <= may // 2, taken
