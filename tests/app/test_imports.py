"""What the screen's process loads: never the kernel's half, and before the first frame nothing it does not need for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import os, sys, threading
import netless.cli, netless.verbs.tutor, netless.app
from netless.app.app import TutorApp
async def show():
    async with TutorApp(threading.Event().wait).run_test(size=(120, 40)):
        os.write(1, "\\n".join(sys.modules).encode())
        os._exit(0)
import asyncio
asyncio.run(show())
"""
"""The tutor up to its first frame; the lab never comes."""
LATER = (
    "netless.record",
    "netless.commands.doing", "netless.app.screens.panel", "netless.app.screens.palette", "netless.app.screens.help", "netless.app.terminal", "netless.vt",
    "netless.say.why", "netless.say.detail", "netless.app.memory", "ctypes",
    "netless_lab.model", "netless_lab.primitives.base", "netless_lab.explain", "netless_lab.course.step",
    "netless_lab.protocol.status", "netless_lab.protocol.replies", "netless_lab.protocol.messages",
    "markdown_it", "importlib.metadata", "rich.traceback", "pygments", "tomllib",
)  # fmt: skip
"""What is imported when the first key is pressed, a window, a shell or the palette opens, or the lab says something; each costs milliseconds."""


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """The modules that are there when the first frame has been painted."""
    environment = {"PYTHONPATH": f"{ROOT / 'tui'}:{ROOT / 'lab'}", "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-P", "-c", PROGRAM], capture_output=True, text=True, check=True, env=environment, timeout=60)
    return set(done.stdout.split())


def of(loaded: set[str], name: str) -> list[str]:
    """A module and what is in it, as far as it is there."""
    return [module for module in loaded if module == name or module.startswith(f"{name}.")]


@pytest.mark.parametrize("name", ["pyroute2", "netless_lab.kernel", "netless_lab.session", "netless_lab.agent"])
def test_the_screen_never_touches_the_kernel(loaded: set[str], name: str) -> None:
    """The app talks to the agent and loads nothing of what the agent is made of."""
    assert not of(loaded, name)


def test_the_screen_finds_a_lab_and_makes_none(loaded: set[str]) -> None:
    """Of how a pretend host is made it loads how one is found."""
    assert set(of(loaded, "netless_lab.sandbox")) <= {"netless_lab.sandbox", "netless_lab.sandbox.find", "netless_lab.sandbox.way"}


@pytest.mark.parametrize("name", LATER)
def test_the_first_frame_waits_for_nothing(loaded: set[str], name: str) -> None:
    """What is needed later is imported later."""
    assert not of(loaded, name)


def test_what_was_loaded_is_what_was_painted(loaded: set[str]) -> None:
    """The first frame has everything of the main screen: these modules were asked in a process that painted it."""
    assert {"netless.app.screens.tutor", "netless.app.widgets.picture", "netless.commands.table"} <= loaded
