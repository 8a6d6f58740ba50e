"""A lab is its own user's: nobody else drives it, and a process of somebody else is never taken for it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from helpers.desk import Desk
from helpers.pretender import pretender
from netless_lab import labs
from netless_lab.address import socket_name
from netless_lab.client import Client
from netless_lab.protocol import GetStatus, Hello
from netless_lab.sandbox.find import NotOurs
from netless_lab.sandbox.stop import stop

pytestmark = [pytest.mark.kernel, pytest.mark.root]
NOBODY = 65534
CALLER = """
import socket, sys
with socket.socket(socket.AF_UNIX) as caller:
    caller.connect(chr(0) + sys.argv[1])
    try:
        caller.sendall(b'{"type":"hello","version":' + sys.argv[2].encode() + b'}\\n{"type":"down","id":1}\\n')
    except OSError:  # it has hung up already
        pass
    with caller.makefile("rb") as lines:
        print(lines.readline().decode())
"""


def test_a_process_of_another_user_is_neither_believed_nor_ended(tmp_path: Path) -> None:
    """It listens under our lab's name: every verb says whose it is and goes no further, ``down`` too, and it lives on."""
    desk = Desk(tmp_path)
    name = socket_name(desk.lab, os.geteuid()).removeprefix("\0")
    with pretender(name, user=NOBODY, group=NOBODY, extra_groups=[]) as process:
        for words in (("status",), ("check",), ("up",), ("down",)):
            done = desk.netless(*words)
            assert done.returncode == 3 and "another user" in done.stderr, done
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(f"\0{name}")
            with pytest.raises(NotOurs):
                stop(sock)
        assert process.poll() is None


def test_another_user_cannot_drive_a_lab() -> None:
    """Abstract sockets know no permissions: the agent asks the kernel who calls, and refuses even to be ended."""
    lab = f"whose-{uuid.uuid4().hex[:10]}"
    with Client(labs.start(lab, keep_progress=False), Hello(client="test")) as client:
        try:
            for version in ("1", str(Hello(client="test").version)):
                words = [sys.executable, "-I", "-c", CALLER, socket_name(lab, os.geteuid()).removeprefix("\0"), version]
                done = subprocess.run(
                    words, capture_output=True, text=True, user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", timeout=30, check=False
                )
                assert "another user" in done.stdout and "done" not in done.stdout, done
            assert client.ask(GetStatus()).lab == lab
        finally:
            labs.end(lab)
