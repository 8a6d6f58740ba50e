"""What is too long or too deep is refused in words, in bounded memory: measured in a process of its own, as the kernel counts its peak."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helpers.post import FOLDER
from netless_lab import labs
from netless_lab.connection import LINE_LIMIT
from netless_lab.course.folder import read_course
from netless_lab.documents import Unfit, read_file, write_json
from netless_lab.protocol import VERSION, Failed, decode_event
from netless_lab.sandbox import find

MOST_MIB = 150
HUGE = 45_000_000
"""Characters of a text that somebody feeds, as a pipe hands it over: in pieces where the reader reads pieces, else as one file."""
TERMINAL = """
from netless.vt.terminal import Terminal
terminal = Terminal(80, 24)
piece = {piece!r} * (65536 // len({piece!r}))
terminal.feed({begin!r})
for _ in range({size} // len(piece)):
    terminal.feed(piece)
"""
LESSON = """
from pathlib import Path
from netless_lab.course.files import read_folder
reading = read_folder(Path(argument))
assert any("larger" in str(problem) for problem in reading.problems), reading.problems
"""
PROGRESS = """
from pathlib import Path
from netless_lab.course.saved import load
assert "larger" in load(Path(argument)).notice
"""
CLIENT = """
import socket, threading
from netless_lab.client import Client, LabGone
from netless_lab.protocol import Hello
ours, theirs = socket.socketpair()
def flood():
    try:
        while True:
            theirs.send(b"x" * 65536)
    except OSError:
        pass
threading.Thread(target=flood, daemon=True).start()
try:
    Client(ours, Hello())
except LabGone as gone:
    assert "MiB" in str(gone)
else:
    raise AssertionError("greeted")
"""


def peak_mib(program: str, argument: str = "") -> float:
    """The largest resident size of a Python that runs this; it must end well."""
    told = "\nimport resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    words = [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}; argument = sys.argv[1]\n{program}{told}", argument]
    # ru_maxrss of a process counts that of the one it was forked from, until exec; a small shell stands between
    done = subprocess.run(["sh", "-c", '"$@" & wait $!', "sh", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout) / 1024


@pytest.mark.parametrize(
    ("begin", "piece"),
    [("", "x"), ("", "line\r\n"), ("\x1b]0;", "T"), ("\x1bP", "q"), ("\x1b[", "1;"), ("e", "\u0301"), ("", "\x1b[38;5;7mx")],
    ids=["a line", "lines", "a title", "a device string", "parameters", "marks", "colours"],
)
def test_a_terminal_that_is_fed_a_huge_text(begin: str, piece: str) -> None:
    """45 million characters of one kind, which may be one token that never ends."""
    size = HUGE // 15 if piece.startswith(("\u0301", "\x1b")) else HUGE  # what is taken apart one by one, which takes long
    assert peak_mib(TERMINAL.format(begin=begin, piece=piece, size=size)) < MOST_MIB


def test_a_huge_page_is_a_problem_of_that_page(tmp_path: Path) -> None:
    """A page of 45 million characters is not read."""
    for path in FOLDER.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with open(tmp_path / "02-cable.md", "a", encoding="ascii") as page:
        page.write("x" * HUGE)
    assert peak_mib(LESSON, str(tmp_path)) < MOST_MIB


def test_a_huge_progress_file_is_set_aside(tmp_path: Path) -> None:
    """One of 45 million characters is no progress."""
    (tmp_path / "lab.json").write_bytes(b'{"format": 1, "x": "' + b"x" * HUGE + b'"}')
    assert peak_mib(PROGRESS, str(tmp_path / "lab.json")) < MOST_MIB
    assert (tmp_path / "lab.json.broken").exists()


def test_what_answers_without_end_is_no_lab() -> None:
    """A client reads no line without end."""
    assert peak_mib(CLIENT) < MOST_MIB


@pytest.mark.parametrize("text", ["do = " + "[" * 5000, "do = " + "{a=" * 5000, "n = " + "9" * 5000], ids=["lists", "tables", "digits"])
def test_toml_that_python_cannot_read_is_a_problem(text: str) -> None:
    """Deep nesting and endless numbers are told with the file and a line."""
    reading = read_course({"course.toml": text})
    assert reading.course is None and [(problem.file, problem.line) for problem in reading.problems] == [("course.toml", 1)]


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    """A FIFO, a folder and a device are refused without waiting; a file may have just so many bytes."""
    os.mkfifo(tmp_path / "fifo")
    for odd in (tmp_path / "fifo", tmp_path, Path("/dev/zero")):
        with pytest.raises(Unfit, match="regular"):
            read_file(odd, 10)
    (tmp_path / "file").write_bytes(b"0123456789")
    assert read_file(tmp_path / "file", 10) == b"0123456789"
    with pytest.raises(Unfit, match="larger"):
        read_file(tmp_path / "file", 9)


def test_what_is_no_text_can_be_said() -> None:
    """A name that is not UTF-8, as Python carries it along, leaves with a sign in its place."""
    said = decode_event(write_json(Failed(1, 2, "no node \udcff\ud800!")))
    assert isinstance(said, Failed) and re.fullmatch("no node \ufffd+!", said.text)


@contextmanager
def a_lab() -> Iterator[tuple[str, int]]:
    """A lab and the pid of its agent, as the machine numbers it."""
    lab = f"bound-{uuid.uuid4().hex[:10]}"
    labs.start(lab, keep_progress=False).close()
    try:
        with conversation(lab) as sock, sock.makefile("rb") as lines:
            sock.sendall(b'{"type":"getstatus","id":1}\n')
            yield lab, json.loads(lines.readline())["value"]["agent_pid"]
    finally:
        labs.end(lab)


@contextmanager
def conversation(lab: str) -> Iterator[socket.socket]:
    """A connection that was greeted."""
    with find.connect(lab) as sock:
        sock.settimeout(30)
        sock.sendall(json.dumps({"type": "hello", "version": VERSION}).encode() + b"\n")
        while sock.recv(1) != b"\n":
            pass
        yield sock


def agent_peak_mib(pid: int) -> float:
    """VmHWM of proc_pid_status(5)."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


@pytest.mark.kernel
def test_a_line_of_ten_megabytes_is_answered() -> None:
    """In words, once; the next line of the same client is answered too, and so is one that has no end. The agent stays small."""
    with a_lab() as (lab, pid):
        with conversation(lab) as sock, sock.makefile("rb") as lines:
            for _ in range(3):
                sock.sendall(b'{"type":"goto","id":7,"target":"' + b"x" * 10_000_000 + b'"}\n{"type":"getstatus","id":8}\n')
                said = json.loads(lines.readline())
                assert said["type"] == "failed" and str(LINE_LIMIT >> 10) in said["text"]
                assert json.loads(lines.readline())["id"] == 8
            sock.sendall(b"x" * (4 * LINE_LIMIT))
            assert json.loads(lines.readline())["type"] == "failed"
        with find.connect(lab) as sock, sock.makefile("rb") as lines:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it may hang up on the rest, having said why
                sock.sendall(b"x" * (2 * LINE_LIMIT))
            assert "first line" in json.loads(lines.readline())["text"]
        assert agent_peak_mib(pid) < MOST_MIB


@pytest.mark.kernel
@pytest.mark.parametrize(
    "line",
    [b'{"type":"goto","id":7,"target":"\xff"}', b'{"type":"subscribe","id":7,"a":' + b"[" * 5000 + b"]" * 5000 + b"}", b"", b"{}"],
    ids=["not UTF-8", "deep", "empty", "no request"],
)
def test_a_bad_line_is_answered(line: bytes) -> None:
    """With ``failed`` in words, as the first line and later; the connection that was greeted stays usable."""
    with a_lab() as (lab, _):
        with conversation(lab) as sock, sock.makefile("rb") as lines:
            sock.sendall(line + b'\n{"type":"getstatus","id":8}\n')
            said = json.loads(lines.readline())
            assert said["type"] == "failed" and said["code"] == 2 and said["text"]
            assert json.loads(lines.readline())["id"] == 8
        with find.connect(lab) as sock, sock.makefile("rb") as lines:
            sock.settimeout(30)
            sock.sendall(line + b"\n")
            assert json.loads(lines.readline())["type"] == "failed"
            assert lines.readline() == b""
