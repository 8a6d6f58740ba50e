"""Whoever comes into a lab first finds it as it began, and what he does there is his doing: a reset takes it away."""

from __future__ import annotations

import os
import signal
import socket
import uuid

import pytest

from helpers.running import Running, running
from netless_lab import labs
from netless_lab.address import address
from netless_lab.kernel import syscalls as sc
from netless_lab.sandbox import way

pytestmark = pytest.mark.kernel

SETTING = "net/ipv4/conf/default/arp_announce"


def write_inside(kinds: tuple[str, ...], files: list[int], value: str) -> None:
    """Set ``SETTING`` from a process that goes in by these files and asks nobody for anything."""
    child = os.fork()
    if child == 0:
        try:
            into = dict(zip(kinds, files, strict=True))
            for kind, flag in (("outer", sc.CLONE_NEWUSER), ("user", sc.CLONE_NEWUSER), ("net", sc.CLONE_NEWNET)):
                sc.setns(into[kind], flag)
            with open(f"/proc/sys/{SETTING}", "w", encoding="ascii") as file:
                file.write(value)
            os._exit(0)
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("node", ["host", "c1"])
def test_what_the_first_comer_sets_is_not_how_the_lab_began(node: str) -> None:
    """Somebody asks for a node before anybody else has asked for anything, and changes a setting in it at once: `reset step` takes that back."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    with labs.start(name), socket.socket(socket.AF_UNIX) as sock:
        way.connect(sock, address(name), 5)
        sock.sendall(way.request(node))
        into, files = way.receive(sock)
        write_inside(into.kinds, files, "2")
        for fd in files:
            os.close(fd)
        with running(name) as lab:
            assert reading(lab, node) == "2"
            lab.reset("step")
            assert reading(lab, node) == "0"


def reading(lab: Running, node: str) -> str:
    """What the setting is now."""
    return lab.sh(f"cat /proc/sys/{SETTING}", node).strip()


def test_who_cannot_be_let_in_is_told_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lab can start no thread, which whoever comes in first needs: it says so, and what can be done, and that it has not ended."""
    monkeypatch.setattr(labs, "ENTRY", "helpers.threadless:main")
    name = f"test-{uuid.uuid4().hex[:12]}"
    with labs.start(name), socket.socket(socket.AF_UNIX) as sock:
        way.connect(sock, address(name), 5)
        sock.sendall(way.request("c1"))
        with pytest.raises(way.NotThere, match="processes and threads"):
            way.receive(sock)
    labs.end(name)
