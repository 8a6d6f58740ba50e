"""What changes in silence while nobody watches is noticed when whoever did it has left, or when somebody comes. sysctl and ip are the witnesses."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helpers.pages import course, front, page, step
from helpers.waiting import eventually
from netless_lab import join, labs
from netless_lab.client import Client
from netless_lab.protocol import AgentMessage, Down, GetStatus, Goto, Hello, Status, Subscribe, VerdictEvent
from netless_lab.sandbox import find

pytestmark = pytest.mark.kernel

DEAF = "net.ipv4.icmp_echo_ignore_all"
STEP = step(id='"deaf"', do=f'[{{ sysctl = "{DEAF}", value = "1", in = "c1" }}]', expect=f'[{{ sysctl = "{DEAF}", value = "1", in = "c1" }}]')
"""Done without a packet, so that nothing is learned in such a lab, nor told of by the kernel."""
HEARS = f"sysctl -qw {DEAF}=0"
BLOCKS = "ip xfrm policy add src 10.0.0.0/24 dst 10.0.0.0/24 dir out action block"


@contextmanager
def client(name: str, on_event: Callable[[AgentMessage], None] | None = None) -> Iterator[Client]:
    """Somebody who comes and goes."""
    with Client(find.connect(name), Hello(client="test", lab=name), on_event) as own:
        yield own


def status(name: str) -> Status:
    """What one is told who only looks."""
    with client(name) as looker:
        return looker.ask(GetStatus())


def shown(name: str) -> str:
    """How the verdict stands."""
    verdict = status(name).verdict
    return verdict.result if verdict is not None else ""


@contextmanager
def left(place: str, folder: str = "") -> Iterator[str]:
    """The name of a lab at the end of a step that holds, which nobody watches."""
    name = f"left-{uuid.uuid4().hex[:10]}"
    labs.start(name, folder=folder, keep_progress=False).close()
    try:
        with client(name) as own:
            own.ask(Goto(place, end=True))
        assert eventually(lambda: shown(name) == "pass")
        yield name
    finally:
        with client(name) as own:
            own.ask(Down())
        assert eventually(lambda: labs.connect(name) is None)


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[str]:
    """Such a lab in which the container is deaf, and nothing else was done."""
    for name, text in course(silent=page(STEP, front=front("silent"))).items():
        (tmp_path / name).write_text(text)
    with left("silent/deaf", str(tmp_path)) as own:
        yield own


def typed(name: str, command: str, node: str) -> None:
    """As with `netless exec`."""
    subprocess.run([*join.command(name, node, stay=True), "sh", "-c", command], env={**os.environ, **join.environment(name, node)}, timeout=30, check=True)


def test_what_one_command_changed_is_judged_when_it_has_left(quiet: str) -> None:
    """`netless exec` comes, changes something in silence and is gone in no time: the verdict is that of the lab as it is now."""
    typed(quiet, HEARS, "c1")
    assert eventually(lambda: shown(quiet) == "fail")


def test_so_is_what_no_picture_shows() -> None:
    """A policy of IPsec stops the step's packets: the same."""
    with left("switch/port-up") as lab:
        typed(lab, BLOCKS, "host")
        assert eventually(lambda: shown(lab) == "fail")


@pytest.mark.root
def test_what_changed_while_nobody_was_there_is_judged_when_somebody_comes(quiet: str) -> None:
    """A program that was left behind changes something later: whoever opens the tutor then is told of it without a change of his own."""
    typed(quiet, f"mkfifo /tmp/door; (read word </tmp/door; {HEARS}) >/dev/null 2>&1 &", "c1")
    assert eventually(lambda: status(quiet).clients == 1), "who typed it has left, and what he left is looked at by then"
    told = status(quiet)
    pid = next(node.pid for node in told.nodes if node.name == "c1")
    inside = f"/proc/{told.agent_pid}/root/proc/{pid}"
    look = ["nsenter", f"--net={inside}/ns/net", "sysctl", "-n", DEAF]
    door = os.open(f"{inside}/root/tmp/door", os.O_WRONLY)  # when there is who reads
    os.write(door, b"go\n")
    os.close(door)
    assert eventually(lambda: subprocess.run(look, capture_output=True, text=True, check=True).stdout.strip() == "0")
    assert shown(quiet) == "pass"
    heard: list[AgentMessage] = []
    with client(quiet, heard.append) as tutor:
        tutor.ask(Subscribe())
        assert eventually(lambda: tutor.ask(GetStatus()) and any(isinstance(event, VerdictEvent) and event.verdict.result == "fail" for event in heard))
