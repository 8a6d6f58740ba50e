"""What a command that enters has of the machine's: of its standard files, its program and its variables nothing reaches back out."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import resource
import select
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from helpers.waiting import eventually
from netless_lab import join
from sandbox.helpers.alone import alone
from sandbox.helpers.rooms import TestRoom, room

ANEW = """
import os
for number in (0, 1, 2):
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_TRUNC):
        try:
            os.write(os.open(f"/proc/self/fd/{number}", flags | os.O_NONBLOCK), b"evil")
        except OSError:
            pass
    for change in (lambda: os.fchmod(number, 0o4777), lambda: os.utime(number, (1, 1)), lambda: os.truncate(number, 0)):
        try:
            change()
        except OSError:
            pass
"""
"""Whatever can be done to an open file that is no reading from it or writing to it as it was opened."""

IN_STEPS = """
import os, select, sys, time
def told(step):
    while not os.path.exists(f"/tmp/{step}"):
        time.sleep(0.01)
select.select([0], [], [])
print("shown")
told("read")
sys.stdout.write(os.read(0, 100).decode())
told("end")
"""
"""Reads and ends when it is told to."""

FILL = """
import os, time
pipe = os.open("/proc/self/fd/0", os.O_WRONLY | os.O_NONBLOCK)
try:
    while True:
        os.write(pipe, bytes(4096))
except BlockingIOError:
    open("/tmp/full", "w").close()
time.sleep(1000)
"""


def entered(made: TestRoom, *command: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run a command in the host, as ``netless exec`` does."""
    environment = {**os.environ, **join.environment(made.lab, "host")}
    return subprocess.run([*join.command(made.lab, "host"), *command], env=environment, timeout=30, check=False, **options)


@alone
def test_a_file_that_is_read_is_not_written() -> None:
    """The owner's file as standard input is read inside; it is not written, nor given another mode or time."""
    given = Path("/tmp/given")
    given.write_bytes(b"print('read')\n" + ANEW.encode())
    before = given.stat()
    with room() as made, given.open("rb") as file:
        done = entered(made, "python3", "-I", "-", stdin=file, stdout=subprocess.PIPE)
    assert b"read\n" in done.stdout, done
    assert given.read_bytes() == b"print('read')\n" + ANEW.encode()
    assert (given.stat().st_mode, given.stat().st_mtime_ns) == (before.st_mode, before.st_mtime_ns)


@alone
def test_a_file_that_is_written_is_not_changed_otherwise() -> None:
    """The owner's log as standard output and error gets longer, in order; what it held stays, and so does its mode."""
    log = Path("/tmp/log")
    log.write_bytes(b"kept\n")
    before = log.stat()
    with room() as made, log.open("ab") as file:
        done = entered(made, "python3", "-I", "-c", f"import os\nos.write(1, b'1\\n')\nos.write(2, b'2\\n')\nos.write(1, b'3\\n')\n{ANEW}", stdout=file, stderr=file)
    assert done.returncode == 0
    assert log.read_bytes().startswith(b"kept\n1\n2\n3\n")
    assert log.stat().st_mode == before.st_mode


@alone
def test_much_is_carried_whole() -> None:
    """A file of some megabytes goes in and out by the byte, however soon the command ends after its last one."""
    given, got = Path("/tmp/given"), Path("/tmp/got")
    given.write_bytes(os.urandom(5 << 20))
    with room() as made, given.open("rb") as source, got.open("wb") as target:
        assert entered(made, "cat", stdin=source, stdout=target).returncode == 0
    assert got.read_bytes() == given.read_bytes()


SIZES = (10, 60_000, 65_536, 250_000)
"""Of an input: smaller than a pipe, as large, larger."""
PART = ["dd", "bs=5", "count=1", "status=none"]
REFILL = ["python3", "-I", "-c", "import os; os.read(0, 70); os.write(os.open('/proc/self/fd/0', os.O_WRONLY | os.O_NONBLOCK), bytes(50))"]
"""Reads some and puts as much of its own into the pipe it reads from, where the kernel lets it."""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["file", "pipe"])
@alone
def test_what_is_not_read_is_read_by_the_next(kind: str, size: int) -> None:
    """A command that reads nothing of its input leaves all of it to the next one, as in a loop of the shell's."""
    with room() as made, _input(kind, size) as source:
        assert entered(made, "true", stdin=source, stdout=subprocess.PIPE).stdout == b""
        assert entered(made, "cat", stdin=source, stdout=subprocess.PIPE).stdout == _content(size)


@pytest.mark.parametrize("command", [PART, REFILL], ids=["a part", "a part that is refilled"])
@pytest.mark.parametrize("size", SIZES)
@alone
def test_where_the_next_goes_on_is_not_for_the_command_to_say(size: int, command: list[str]) -> None:
    """A file of which a command reads a part stands where it stood or at its end, never at a place of the command's choice."""
    with room() as made, _input("file", size) as source:
        os.lseek(source, 3, os.SEEK_SET)
        entered(made, *command, stdin=source, stdout=subprocess.PIPE)
        assert os.lseek(source, 0, os.SEEK_CUR) in (3, size)
        if command == PART:
            assert os.lseek(source, 0, os.SEEK_CUR) == size


@alone
def test_a_command_can_wait_for_what_comes_later() -> None:
    """A pipe that is written piece by piece is read piece by piece, and its end is seen."""
    reading, writing = os.pipe()
    with room() as made:
        environment = {**os.environ, **join.environment(made.lab, "host")}
        inner = [*join.command(made.lab, "host"), "sh", "-c", "while read -r line; do echo got $line; done; echo end"]
        with subprocess.Popen(inner, env=environment, stdin=reading, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            os.close(reading)
            for word in (b"one", b"two", b"three"):
                os.write(writing, word + b"\n")
                assert process.stdout.readline() == b"got " + word + b"\n"
            os.close(writing)
            assert process.stdout.read() == b"end\n"
        assert process.returncode == 0


@alone
def test_what_was_read_of_a_pipe_is_not_read_again() -> None:
    """What a command has read of a pipe that somebody still writes into is not for the next one, however soon it ends after that."""
    reading, writing = os.pipe()
    with room() as made:
        for number in range(5):
            os.write(writing, b"%d\n" % number)
            assert entered(made, "head", "-n", "1", stdin=reading, stdout=subprocess.PIPE).stdout == b"%d\n" % number
        os.write(writing, b"last\n")
        os.close(writing)
        assert entered(made, "cat", stdin=reading, stdout=subprocess.PIPE).stdout == b"last\n"
    os.close(reading)


@alone
def test_two_who_read_one_pipe_end_as_their_commands_do() -> None:
    """Of two commands at once on their caller's pipe, who are both shown what waits there, neither keeps who entered, and what comes later is the next one's."""
    reading, writing = os.pipe()
    os.write(writing, b"a line\n")
    with room() as made:
        words = [*join.command(made.lab, "host"), "python3", "-I", "-u", "-c", IN_STEPS]
        environment = {**os.environ, **join.environment(made.lab, "host")}
        both = [subprocess.Popen(words, env=environment, stdin=reading, stdout=subprocess.PIPE) for _ in range(2)]
        files = [process.stdout for process in both if process.stdout is not None]
        assert [file.readline() for file in files] == [b"shown\n"] * 2
        made.sh("touch /tmp/read")
        assert [file.readline() for file in files] == [b"a line\n"] * 2
        assert eventually(lambda: not select.select([reading], [], [], 0)[0]), "it has been taken"
        made.sh("touch /tmp/end")
        for process in both:
            process.communicate(timeout=30)
        os.write(writing, b"another\n")
        os.close(writing)
        assert entered(made, "cat", stdin=reading, stdout=subprocess.PIPE).stdout == b"another\n"
    os.close(reading)


@alone
def test_who_fills_his_own_input_has_nobody_work_for_it() -> None:
    """When a command keeps the pipe full that it reads from, who copies goes to sleep until there is room."""
    reading, writing = os.pipe()
    with room() as made:
        words = [*join.command(made.lab, "host"), "python3", "-I", "-c", FILL]
        with subprocess.Popen(words, env={**os.environ, **join.environment(made.lab, "host")}, stdin=reading, stdout=subprocess.DEVNULL) as process:
            os.close(reading)
            assert eventually(lambda: made.code("test -e /tmp/full") == 0)
            copier = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0]
            before = _times_asleep(copier)
            os.write(writing, b"a line\n")
            assert eventually(lambda: _times_asleep(copier) > before and _state(copier) == "S")
            os.close(writing)
            process.terminate()


@alone
def test_a_pipe_of_the_callers_is_no_open_file_inside() -> None:
    """What the caller writes into his own pipe later nobody inside can read, and how the pipe works is not for them to change."""
    reading, writing = os.pipe()
    spoil = "import fcntl, os; os.set_blocking(1, False); fcntl.fcntl(1, 1031, 4096)"
    with room() as made:
        done = entered(made, "python3", "-I", "-c", f"import os; print([os.stat(n).st_ino for n in (0, 1, 2)]); {spoil}", stdin=reading, stdout=writing, stderr=writing)
        assert done.returncode == 0
        inside = json.loads(os.read(reading, 1000))
        assert os.fstat(reading).st_ino not in inside
        assert os.get_blocking(writing) and fcntl.fcntl(writing, 1032) == 65536
    os.close(reading)
    os.close(writing)


@alone
def test_what_is_carried_can_be_opened_by_name() -> None:
    """Standard files that are pipes in place of the caller's are the command's own: /dev/stdin, /dev/stdout and /dev/stderr are opened."""
    with room() as made:
        done = entered(made, "sh", "-c", "cat /dev/stdin; echo said >/dev/stdout; echo wrong >/dev/stderr", input=b"given\n", capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"given\nsaid\n", b"wrong\n")


@alone
def test_a_reader_that_has_gone_ends_the_writer() -> None:
    """A command whose output nobody wants any more is told so by SIGPIPE, as in every pipeline."""
    with room() as made:
        words = [*join.command(made.lab, "host"), "sh", "-c", "yes; echo $? >/tmp/code"]
        with subprocess.Popen(words, env={**os.environ, **join.environment(made.lab, "host")}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None and process.stdout.readline() == b"y\n"
            process.stdout.close()
        assert made.sh("cat /tmp/code") == "141\n"


def _limited(target: Path) -> int:
    return os.open(target, os.O_WRONLY | os.O_CREAT)


def _read_only(target: Path) -> int:
    target.touch()
    return os.open(target, os.O_RDONLY)


def _sealed(_target: Path) -> int:
    memory = os.memfd_create("sealed", os.MFD_ALLOW_SEALING)
    fcntl.fcntl(memory, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW)
    return memory


@pytest.mark.parametrize(("opened", "why"), [(_limited, errno.EFBIG), (_read_only, errno.EBADF), (_sealed, errno.EPERM)], ids=["limited", "read-only", "sealed"])
@alone
def test_output_that_cannot_be_written_is_told(opened: Callable[[Path], int], why: int) -> None:
    """A command whose output is not all written, here for a limit, a file that is open for reading and one that may not grow, has not done well."""
    with room() as made:
        target = opened(Path("/tmp/got"))
        done = entered(
            made, "dd", "if=/dev/zero", "bs=6000", "count=1", "status=none", stdin=subprocess.DEVNULL, stdout=target, stderr=subprocess.PIPE,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
        )  # fmt: skip
        assert done.returncode == 1
        assert os.strerror(why).encode() in done.stderr
        assert os.fstat(target).st_size == (4096 if opened is _limited else 0)
        os.close(target)


@alone
def test_an_output_that_waits_for_nobody_loses_nothing() -> None:
    """All of it arrives in a pipe that is not waited for (O_NONBLOCK), however late it is read."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with room() as made:
        words = [*join.command(made.lab, "host"), "seq", "100000"]
        environment = {**os.environ, **join.environment(made.lab, "host")}
        with subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, stdout=writing) as process, open(reading, encoding="ascii") as file:
            assert eventually(lambda: not select.select([], [writing], [], 0)[1]), "it has become full"
            os.close(writing)
            assert [int(line) for line in file] == list(range(1, 100_001))
            assert process.wait(30) == 0


@alone
def test_a_reader_that_had_gone_already_is_told_too() -> None:
    """A command that writes where nobody reads any more has ended as if by SIGPIPE, without a word, even if it ends before that is known."""
    reading, writing = os.pipe()
    os.close(reading)
    with room() as made:
        done = entered(made, "echo", "said", stdin=subprocess.DEVNULL, stdout=writing, stderr=subprocess.PIPE)
        assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")
        assert entered(made, "true", stdin=subprocess.DEVNULL, stdout=writing).returncode == 0
    os.close(writing)


@alone
def test_who_reads_his_own_output_keeps_nobody_waiting() -> None:
    """A command that reads back what it has written ends, and so does who waits for it."""
    back = "import os; os.write(1, b'x' * 5000); fd = os.open('/proc/self/fd/1', os.O_RDONLY | os.O_NONBLOCK); os.read(fd, 5000)"
    got = Path("/tmp/got")
    with room() as made, got.open("wb") as target:
        entered(made, "python3", "-I", "-c", back, stdin=subprocess.DEVNULL, stdout=target)
    assert set(got.read_bytes()) <= set(b"x")


@alone
def test_one_who_stops_himself_stops_nobody_outside() -> None:
    """A command that stops by itself leaves who entered running: he waits for it, and a signal that is to end it does."""
    with room() as made:
        words = [*join.command(made.lab, "host"), "sh", "-c", "echo begun; kill -STOP $$"]
        with subprocess.Popen(words, env={**os.environ, **join.environment(made.lab, "host")}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None and process.stdout.readline() == b"begun\n"
            inside = Path(f"/proc/{process.pid}/task/{process.pid}/children")
            assert eventually(lambda: any(_state(pid) == "T" for pid in inside.read_text().split()))
            assert _state(str(process.pid)) != "T"
            process.terminate()
            assert process.wait(30) == 128 + signal.SIGTERM


def _state(pid: str) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _times_asleep(pid: str) -> int:
    """How often its threads have gone to sleep (voluntary_ctxt_switches, proc(5))."""
    told = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/status")]
    return sum(int(line.split()[1]) for text in told for line in text.splitlines() if line.startswith("voluntary_ctxt_switches"))


def _content(size: int) -> bytes:
    return bytes(number % 251 for number in range(size))


@contextmanager
def _input(kind: str, size: int) -> Iterator[int]:
    """A file, or the reading end of a pipe that somebody fills and closes."""
    given = Path("/tmp/given")
    given.write_bytes(_content(size))
    if kind == "file":
        fd = os.open(given, os.O_RDONLY)
        yield fd
        os.close(fd)
        return
    with subprocess.Popen(["cat", str(given)], stdout=subprocess.PIPE) as filler:
        assert filler.stdout is not None
        yield filler.stdout.fileno()


@alone
def test_who_stays_behind_keeps_nobody_waiting() -> None:
    """A command that leaves somebody behind with its standard output has ended, and what it wrote has arrived."""
    got = Path("/tmp/got")
    with room() as made, got.open("wb") as target:
        assert entered(made, "sh", "-c", "sleep 1000 & echo said", stdin=subprocess.DEVNULL, stdout=target).returncode == 0
    assert got.read_bytes() == b"said\n"


@alone
def test_the_python_that_enters_runs_no_script_inside() -> None:
    """A script whose interpreter is /proc/self/exe is not run by the Python of outside, which its owner could write (CVE-2019-5736)."""
    with room() as made:
        made.sh("printf '#!/proc/self/exe --version\\n' > /tmp/script; chmod 755 /tmp/script")
        done = entered(made, "/tmp/script", stdin=subprocess.DEVNULL, capture_output=True)
    assert b"Python" not in done.stdout + done.stderr, "the outside's Python runs inside, as an open file of the machine's"


@alone
def test_a_crash_starts_nothing_outside() -> None:
    """Neither who enters nor the agent, and so nobody inside, leaves a core for the machine's handler: of one byte it takes none."""
    least = min(resource.getrlimit(resource.RLIMIT_CORE)[1] % (1 << 64), 1)  # unlimited is told as -1
    with room() as made:
        own = entered(made, "cat", "/proc/self/limits", "/proc/1/limits", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout.decode()
    assert [line.split()[4:6] for line in own.splitlines() if line.startswith("Max core")] == [[str(least)] * 2] * 2
