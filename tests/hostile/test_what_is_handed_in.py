"""What a command that enters has of the machine's: of its standard files, its program and its variables nothing reaches back out."""

from __future__ import annotations

import os
import resource
import subprocess
from pathlib import Path
from typing import Any

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


@alone
def test_what_is_not_read_is_read_by_the_next() -> None:
    """A command that reads nothing, or a part, leaves the rest of the file to the next one, as in a loop of the shell's."""
    given = Path("/tmp/given")
    given.write_bytes(bytes(range(256)) * 1000)
    with room() as made, given.open("rb") as source:
        got = [entered(made, *command, stdin=source, stdout=subprocess.PIPE).stdout for command in (["true"], ["dd", "bs=5", "count=1", "status=none"], ["cat"])]
    assert [len(own) for own in got] == [0, 5, 255_995]
    assert b"".join(got) == given.read_bytes()


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
