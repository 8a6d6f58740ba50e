"""That a command has ended at a terminal is heard, in whatever shell; typing and printing is nothing of the kind."""

from __future__ import annotations

import asyncio
import os
import pty
import shlex
import subprocess
from pathlib import Path

import pytest

from helpers.sandboxed import sandboxed_once
from helpers.waiting import becomes
from netless_lab.kernel.terminals import Terminals


@pytest.mark.parametrize("shell", ["sh -i", "bash --norc -i", "sh -c 'bash --norc -i; true'"])
@sandboxed_once
async def test_the_end_of_a_command_is_heard(shell: str) -> None:
    """Of a program that has ended, and of one that ends in the background; not of what a shell does and prints by itself."""
    ended: list[str] = []
    near, far = pty.openpty()
    command = ["setsid", "--ctty", *shlex.split(shell)]
    typing = subprocess.Popen(command, stdin=far, stdout=far, stderr=far, env={**os.environ, "PS1": "at-the-prompt "})
    os.set_blocking(near, False)
    said = b""

    async def type_in(line: str, wanted: bytes) -> None:
        nonlocal said
        said = b""
        os.write(near, line.encode())
        assert await becomes(lambda: heard(wanted))

    def heard(wanted: bytes) -> bool:
        nonlocal said
        try:
            said += os.read(near, 4096)
        except BlockingIOError:
            return False
        return wanted in said

    assert await becomes(lambda: b"prompt" in said or heard(b"prompt"))
    terminals = Terminals(asyncio.get_running_loop(), lambda: ended.append("one"))
    try:
        for number in range(20):
            await type_in(f"echo $((40 + {number}))\n", str(40 + number).encode())
        assert not ended
        await type_in("/bin/true; echo do''ne\n", b"done")
        assert await becomes(lambda: ended)
        del ended[:]
        await type_in("(sleep 0.05; sleep 0.05) & wait; echo do''ne\n", b"done")
        assert await becomes(lambda: ended)
    finally:
        terminals.close()
        typing.kill()
        typing.wait()


@sandboxed_once
async def test_what_is_printed_wakes_nobody_until_the_next_look() -> None:
    """A program that prints without end is heard once for each look, and the loop sleeps between."""
    terminals = Terminals(asyncio.get_running_loop(), lambda: None)
    near, far = pty.openpty()

    async def deaf() -> bool:
        os.write(far, b"y")
        for _ in range(5):
            await asyncio.sleep(0)
        return not _waited_for("inotify")

    async def is_deaf_after_printing() -> None:
        assert await becomes(lambda: _waited_for("inotify"))
        while not await deaf():
            os.read(near, 4096)
        os.read(near, 4096)

    try:
        async with asyncio.timeout(20):
            for _ in range(3):
                await is_deaf_after_printing()
    finally:
        terminals.close()
        os.close(near)
        os.close(far)


def _waited_for(kind: str) -> bool:
    """Whether the loop waits for such a file: the kernel says for which each epoll does (proc_pid_fdinfo(5))."""
    files = {path.name: os.readlink(path) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()}
    polls = [Path("/proc/self/fdinfo", fd).read_text() for fd, what in files.items() if what == "anon_inode:[eventpoll]"]
    waited = {line.split()[1] for text in polls for line in text.splitlines() if line.startswith("tfd:")}
    return any(files.get(fd, "").endswith(kind) for fd in waited)
