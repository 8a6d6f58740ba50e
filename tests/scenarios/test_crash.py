"""SIGKILL of the lab after every step, a reboot, a spoiled file: nothing earned is lost, and the next start says how things stand."""

from __future__ import annotations

import functools
import json
import os
import shutil
import signal
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from helpers import checkout
from helpers.checkout import CHECKOUT
from helpers.hands import accepted, positions
from helpers.running import Running, running
from helpers.waiting import eventually
from netless_lab import labs
from netless_lab.client import Client, LabGone
from netless_lab.course.places import lessons_root
from netless_lab.course.saved import progress_path
from netless_lab.protocol import Hello, Run
from scenarios.door import stands_at_the_door, with_a_door

pytestmark = pytest.mark.kernel


@pytest.fixture
def name() -> str:
    """A lab of the test's own, to be started more than once."""
    return f"crash-{uuid.uuid4().hex[:10]}"


@contextmanager
def again(name: str, **orders: object) -> Iterator[Running]:
    """The lab, started with what earlier starts left; it is killed at the end, as a power cut would."""
    with running(name, **orders) as lab:
        yield lab
        kill(lab)


def kill(lab: Running) -> None:
    """SIGKILL of the lab's agent, as seen from outside; the kernel takes all else along."""
    with suppress(LabGone):
        os.kill(lab.status().agent_pid, signal.SIGKILL)
    assert eventually(lambda: labs.connect(lab.name) is None)


def earned(lab: Running) -> list[str]:
    """Every tick: ``lesson/step``."""
    return [f"{lesson.id}/{step.id}" for lesson in lab.status().course.lessons for step in lesson.steps if step.earned]


@pytest.mark.timeout(600)  # as many labs as steps, one after the other
def test_a_kill_after_every_single_step(name: str) -> None:
    """A4, D1, D2: after each step the lab is killed; the next start stands at the step after it, says that what was built is gone,
    and now ``run`` and now ``reset`` go on from there. At the end every tick is there."""
    with again(name) as lab:
        places = positions(lab)
        lab.run()
    for number, place in enumerate(places[1:], 1):
        with again(name) as lab:
            assert lab.status().position == f"container/{place}"
            assert earned(lab) == places[:number]
            (notice,) = lab.status().notices
            assert "this lab is new" in notice and f"container/{place}" in notice and "`run`" in notice and "`reset lab`" in notice
            assert "veth2" not in lab.links() and "br0" not in lab.links()
            if number % 2:
                assert lab.reset().text.startswith("Reset")
                assert lab.status().notices == ()
            (told,) = lab.run().verdicts
            assert told.verdict.result == "pass", json.dumps(told.verdict, indent=1)
            assert lab.status().notices == ()
    with again(name) as lab:
        assert earned(lab) == places
        assert lab.status().position == f"container/{places[-1]}"
        lab.run()
        assert lab.pings("198.51.100.10") and lab.pings("198.51.100.10", "c2")


def test_a_kill_in_the_middle_of_a_verb(name: str, tmp_path: Path) -> None:
    """A4, C9: killed while it works, the client gets a sentence and no tick is invented; the next start is in order."""
    with again(name, folder=with_a_door(tmp_path)) as lab:
        lab.run()
        before = earned(lab)
        said: list[str] = []

        def run() -> None:
            sock = labs.connect(name)
            assert sock is not None
            try:
                Client(sock, Hello(client="test", lab=name), lambda event: None).ask(Run())
            except LabGone as error:
                said.append(str(error))

        verb = threading.Thread(target=run)
        verb.start()
        assert stands_at_the_door(lab)
        os.kill(lab.status().agent_pid, signal.SIGKILL)
        verb.join()
        assert len(said) == 1 and "the lab" in said[0], said
    with again(name, folder=str(tmp_path)) as lab:
        assert earned(lab) == before == ["cable/pair"]
        assert lab.status().position == "post/cable/wait"
        lab.goto("cable/pair")
        assert lab.run().verdicts[0].verdict.result == "pass"


def test_a_lesson_update_keeps_every_tick_where_it_belongs(name: str, tmp_path: Path) -> None:
    """D6: a step inserted before the place where one stands: old ticks stay on their steps, the new step has none, and it can be done."""
    folder = tmp_path / "container"
    shutil.copytree(lessons_root() / "container", folder)
    with again(name, folder=str(folder)) as lab:
        lab.goto("cable/pair")
        lab.run()
        lab.run()
        lab.next()
    page = folder / "02-cable.md"
    new = NEW_STEP + "## Plug one end into the container"
    page.write_text(page.read_text().replace("## Plug one end into the container", new))
    with again(name, folder=str(folder)) as lab:
        assert positions(lab)[4:8] == ["cable/pair", "cable/spare", "cable/plug", "cable/address"]
        assert earned(lab) == ["cable/pair", "cable/plug"]
        assert lab.status().position == "container/cable/address"
        lab.goto("cable/spare")
        lab.sh("ip netns add spare")
        accepted(lab, "the inserted step")
        assert earned(lab) == ["cable/pair", "cable/spare", "cable/plug"]


NEW_STEP = """## Keep a spare room

One namespace more, for later.

```toml step
id = "spare"
do = [{ netns = "spare" }]
expect = [{ netns = "spare" }]
hint = ["`ip netns add` and the name: spare."]
```

"""


def test_lessons_that_vanish_do_not_stop_a_reset(name: str, tmp_path: Path) -> None:
    """A7: the lesson folder is deleted while the lab runs: reset, goto and run go on as before."""
    folder = tmp_path / "container"
    shutil.copytree(lessons_root() / "container", folder)
    with running(name, folder=str(folder)) as lab:
        lab.goto("switch", end=True)
        shutil.rmtree(folder)
        lab.reset("lab")
        assert lab.links() == {"lo", "eth0"}
        assert lab.run().verdicts[0].verdict.result == "pass"


def test_a_spoiled_progress_file(name: str) -> None:
    """A progress file that is no JSON is told of and kept aside; the lab starts all the same and keeps what is earned from now on."""
    path = progress_path(name, os.environ)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"{ not json")
    with again(name) as lab:
        (notice,) = lab.status().notices
        assert ".broken" in notice and "not JSON" in notice
        lab.run()
    assert path.with_name(path.name + ".broken").read_bytes() == b"{ not json"
    with again(name) as lab:
        assert earned(lab) == ["netless/name"]


def test_progress_that_cannot_be_kept_is_said(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where progress cannot be written (a read-only or impossible place) the lab starts, works, and says that nothing will be kept."""
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    with running(name) as lab:
        (notice,) = lab.status().notices
        assert "cannot be kept" in notice
        assert lab.run().verdicts[0].verdict.result == "pass"


def test_a_checkout_in_tmp(tmp_path: Path) -> None:
    """A checkout that lies where a lab has a folder of its own (/tmp) starts a lab all the same, lessons and Python included."""
    for part in ("lab", "tui", "lessons"):
        shutil.copytree(CHECKOUT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    lab = f"tmp-{uuid.uuid4().hex[:10]}"
    netless = functools.partial(checkout.netless, lab=lab, checkout=tmp_path)
    try:
        done = netless("run", "cable/pair")
        assert done.returncode == 0, done.stderr
        assert "container/cable/pair" in netless("exec", "host", "--", "netless", "check").stdout
    finally:
        assert netless("down").returncode == 0
