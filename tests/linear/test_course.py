"""The whole course without a screen, in a terminal of 40 columns: by its own commands, typed one after the other; what it did the kernel tells."""

from __future__ import annotations

import json
import re
import time
import unicodedata
from itertools import takewhile
from pathlib import Path

import pytest

from helpers.desk import Desk, at_a_desk
from helpers.seat import Seat, seated
from netless_lab.client import Client
from netless_lab.protocol import GetStatus, Hello, Status
from netless_lab.sandbox import find

pytestmark = pytest.mark.kernel
COLUMNS = 40
_PROMPT = re.compile(r"(?:^|\n)[a-z0-9]+:[^ \n]*# $")


def cells(line: str) -> int:
    """How wide a terminal shows it (Unicode Standard Annex 11)."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else not unicodedata.combining(sign) for sign in line)


class Learner:
    """Somebody at a narrow terminal who reads only what is written there."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self.read = 0

    def until_asked(self) -> str:
        """What was written until a prompt stands at the end of it."""
        end = time.monotonic() + 40
        while True:
            told = self._seat.said[self.read :].decode().replace("\r\n", "\n")
            if _PROMPT.search(told):
                self.read = len(self._seat.said)
                return told
            assert time.monotonic() < end, told
            self._seat._read(0.1)

    def until_told(self, told: str, *words: str) -> str:
        """What was written further, until it holds one of these: "" when it was ``told`` already."""
        more = ""
        while not any(word in " ".join((told + more).split()) for word in words):
            more += self.until_asked()
        return more

    def type(self, line: str) -> str:
        """A line; what came of it until the next prompt. What the terminal shows of the typing itself is not told by anybody."""
        echo = f"{line}\r\n".encode()
        begun = len(self._seat.said)
        self._seat.type(f"{line}\n".encode())
        while (at := self._seat.said.find(echo, begun)) < 0:
            assert self._seat._read(20)
        self.read = at + len(echo)
        return self.until_asked()


def status(desk: Desk) -> Status:
    """Where the lab stands, by its own protocol."""
    with Client(find.connect(desk.lab), Hello(client="test", lab=desk.lab)) as client:
        return client.ask(GetStatus())


def commands(desk: Desk) -> list[str]:
    """What the step would have typed now."""
    return next((list(own.lines) for own in status(desk).page.commands if own.dialect == "ip"), [])


def links(desk: Desk, node: str) -> set[str]:
    """What iproute2 sees."""
    return {link["ifname"] for link in json.loads(desk.netless("exec", node, "--", "ip", "-j", "link").stdout)}


def step_by_hand(desk: Desk, learner: Learner) -> str:
    """Type the commands of the step; all that was told. A line about a process that is yet to be started waits until the tutor knows its number."""
    told = ""
    while True:
        wanted = commands(desk)
        now = list(takewhile(lambda line: "$PID_" not in line, wanted))
        told += "".join(learner.type(f"!{line}") for line in now)
        if now == wanted:
            return told + learner.until_told(told, "Step done", "The step holds.")
        told += learner.until_told(told, "$ ip netns attach c2")


@pytest.mark.timeout(300)
def test_the_whole_course_is_done_in_forty_columns(tmp_path: Path) -> None:
    """Each step says that it is done and how it goes on; nothing moves a cursor, colours, draws or is wider than the terminal."""
    with at_a_desk(tmp_path) as desk:
        command = [*desk.command("--plain", "tutor", "container")]
        with seated(command, {**desk.environment, "COLUMNS": ""}, size=(COLUMNS, 24)) as seat:
            learner = Learner(seat)
            learner.until_asked()
            seen: list[str] = []
            while True:
                here = status(desk)
                assert here.position not in seen
                seen.append(here.position)
                told = " ".join(step_by_hand(desk, learner).split())
                if "That was the last step of this course." in told:
                    break
                assert "`next` goes on to the next step." in told, (here.position, told)
                learner.until_told(learner.type("next"), "Step ")
            assert len(seen) == sum(len(lesson.steps) for lesson in here.course.lessons)
            assert {"br0", "veth2", "veth4"} <= links(desk, "host") and "veth1" in links(desk, "c1")
            assert desk.netless("exec", "c1", "--", "ping", "-c1", "-W2", "10.0.0.3").returncode == 0
            seat.type(b"quit\n")
            assert seat.ended() == 0
            shown = seat.said.decode()
        assert "\x1b" not in shown
        assert not re.search(r"[\u2500-\u259f]", shown), "something is drawn"
        told_lines = [line for line in shown.replace("\r\n", "\n").split("\n") if not line.startswith("!") and "# !" not in line]
        assert [line for line in told_lines if cells(line) > COLUMNS] == []
        assert not desk.runs()
