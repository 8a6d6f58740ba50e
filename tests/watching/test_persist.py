"""A lab that cannot look for a while, because it has no file left to open, says so once and sees again by itself."""

from __future__ import annotations

import asyncio
import itertools
import os
import resource
import subprocess
import sys
import uuid

import pytest

from helpers.hands import hands
from helpers.running import Running, running
from helpers.sandboxed import sandboxed
from helpers.waiting import eventually
from netless_lab import labs
from netless_lab.client import Refused
from netless_lab.protocol import Notice, SnapshotEvent
from netless_lab.watching.persist import LONGEST_PAUSE_S, persist

FEW = 4


def notices(lab: Running) -> list[str]:
    """What the lab has told since the events were cleared; asking for the status takes in what has come."""
    lab.status()
    return [event.text for event in lab.events if isinstance(event, Notice)]


def shown(lab: Running, link: str) -> bool:
    """Whether a picture with this link on the host has come."""
    lab.status()
    pictures = [event.snapshot for event in lab.events if isinstance(event, SnapshotEvent)]
    return any(own.name == link for picture in pictures for own in picture.nodes[0].links)


def may_open(lab: Running, files: int) -> int:
    """From now on the lab's PID 1 may have so many files open; how many it might before. From outside: inside nobody may limit it."""
    pid = lab.status().agent_pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (files, hard))
    return soft


@pytest.mark.kernel
def test_the_picture_comes_back_by_itself() -> None:
    """PID 1 of the lab may open no file: links that appear are not shown, which is told once. Then it may: they are, with no more news."""
    with running() as lab, hands(lab) as shell:  # entered before: the lab will have no file to spare for that
        assert not shell.type(":")
        lab.events.clear()
        limit = may_open(lab, FEW)
        assert not shell.type("ip link add one type bridge")
        assert eventually(lambda: any("the picture is an old one" in text for text in notices(lab)))
        assert not shell.type("ip link add two type bridge")
        assert not shown(lab, "one")
        may_open(lab, limit)
        assert eventually(lambda: shown(lab, "two"), 15)
        told = [text for text in notices(lab) if "could not be looked at" in text]  # what no picture shows may have its turn meanwhile
        assert len(told) == len(set(told))
        assert [text for text in notices(lab) if "shows again" in text]
        lab.goto("switch", end=True)
        assert lab.check().verdicts[0].verdict.result == "pass"


@pytest.mark.kernel
def test_the_picture_is_not_said_to_be_back_before_it_is() -> None:
    """As long as there is no file to look with, however often that is tried, nobody is told that the picture shows what is there."""
    with running() as lab, hands(lab) as shell:
        assert not shell.type(":")
        lab.events.clear()
        limit = may_open(lab, FEW)
        assert not shell.type("ip link add one type bridge")
        assert eventually(lambda: any("the picture is an old one" in text for text in notices(lab)))
        later = lab.status().uptime_s + 1  # it is tried again after 0.1 s, and then less and less often
        assert eventually(lambda: lab.status().uptime_s > later)
        assert not [text for text in notices(lab) if "shows again" in text]
        may_open(lab, limit)
        assert eventually(lambda: any("shows again" in text for text in notices(lab)))
        assert shown(lab, "one")


@pytest.mark.kernel
def test_what_fails_between_the_tasks_is_told_once() -> None:
    """The slow poll cannot list processes for want of a file: that is told, once however often it fails, and the lab lives."""
    with running() as lab:
        lab.events.clear()
        limit = may_open(lab, FEW)
        assert eventually(lambda: any("the lab itself failed" in text for text in notices(lab)))
        later = lab.status().uptime_s + 2  # the poll looks twice a second
        assert eventually(lambda: lab.status().uptime_s > later, 15)
        assert len([text for text in notices(lab) if "the lab itself failed" in text]) == 1
        may_open(lab, limit)
        lab.goto("switch", end=True)


@pytest.mark.kernel
def test_every_namespace_is_in_the_picture_where_few_files_may_be_open() -> None:
    """A hundred and thirty namespaces in a lab started under ``ulimit -n 1024``: all are shown, goto and reset work, and the lab lives."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    subprocess.run(["prlimit", "--nofile=1024:1024", sys.executable, "-m", "netless", "up", "--lab", name], check=True, capture_output=True)
    with running(name) as lab:
        lab.sh("for i in $(seq 130); do ip netns add many$i || exit; done")
        wanted = {f"many{number}" for number in range(1, 131)}
        assert eventually(lambda: wanted <= {node.name for node in lab.snapshot().nodes}, 30)
        lab.goto("container/internet", end=True)
        assert lab.pings("198.51.100.10")
        lab.sh("for i in $(seq 130); do ip netns add many$i || exit; done")
        assert eventually(lambda: wanted <= {node.name for node in lab.snapshot().nodes}, 30)
        lab.reset("step")
        assert not [own for own in lab.sh("ls /run/netns").split() if own in wanted]


@sandboxed
async def test_work_is_done_in_the_end_and_its_failure_told_once() -> None:
    """Opening a file fails as often as there is none to open; the first time is told, and afterwards nothing is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    told: list[Exception] = []
    attempts = 0

    async def work() -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 3:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        os.close(os.open("/proc/self/stat", os.O_RDONLY))

    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW, hard))
    assert await asyncio.wait_for(persist(work, told.append), 30) == 2
    assert attempts == 3
    assert [type(error) for error in told] == [OSError]
    assert await persist(work, told.append) == 0
    assert len(told) == 1


async def test_the_pauses_grow_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails for long is tried less and less often, but never stops being tried."""
    pauses: list[float] = []
    rest = asyncio.sleep

    async def noted(seconds: float) -> None:
        pauses.append(seconds)
        await rest(0)

    async def work() -> None:
        if len(pauses) < 12:
            raise OSError("not yet")

    monkeypatch.setattr(asyncio, "sleep", noted)
    assert await persist(work, lambda error: None) == 12
    assert all(later > earlier for earlier, later in itertools.pairwise(pauses) if earlier < LONGEST_PAUSE_S)
    assert pauses[-1] == LONGEST_PAUSE_S == max(pauses)


def below(lab: Running, files: int) -> str:
    """A limit lowered from inside, by the number of a thread of PID 1: its own number is refused. What ``run`` says then."""
    lab.sh(f"prlimit --nofile={files} --pid $(ls /proc/1/task | tail -1)")
    with pytest.raises(Refused) as refused:
        lab.run()
    assert refused.value.code == 3
    return str(refused.value)


@pytest.mark.parametrize("files", [3, 20])
@pytest.mark.kernel
def test_a_lab_that_may_open_no_file_says_so_and_ends(files: int) -> None:
    """Somebody inside has lowered what PID 1 may open, and nobody can raise it: what is refused says why, and the lab can be ended as always."""
    with running() as lab:
        told = below(lab, files)
        assert "open no more files" in told and "netless down" in told
        ended = subprocess.run([sys.executable, "-m", "netless", "--lab", lab.name, "down"], capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        assert labs.connect(lab.name) is None
