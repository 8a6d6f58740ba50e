"""A course whose second step does not end before somebody opens a door: for tests that meet a verb in the middle of its work."""

from __future__ import annotations

from pathlib import Path

from helpers import pages
from helpers.running import Running
from helpers.waiting import eventually

_DOOR = "/tmp/door"
_WAIT = pages.step(
    "Wait at the door",
    id='"wait"',
    do=f'[{{ run = "mkfifo {_DOOR}; read word <{_DOOR}; ip link add late type bridge" }}]',
    expect='[{ link = "late" }]',
    hint='["Whoever waits long enough gets in."]',
)


def with_a_door(folder: Path) -> str:
    """Write the course: its steps are ``cable/pair``, which makes a cable, and ``cable/wait``."""
    for name, text in pages.course(cable=pages.page(pages.step(), _WAIT)).items():
        (folder / name).write_text(text, encoding="utf-8")
    return str(folder)


def stands_at_the_door(lab: Running) -> bool:
    """Whether the second step is on its way now."""
    return eventually(lambda: lab.sh(f"test -p {_DOOR} && echo there || true") == "there\n")


def open_the_door(lab: Running) -> None:
    """Let it go on."""
    lab.sh(f"echo word >{_DOOR}")
