"""A monkey at the tutor: whatever is pressed, clicked, pasted and resized, while others change the lab and it dies, the app lives and does not grow.

``PYTHONPATH=tests:lab:tui python -m app.test_monkey SEED [DEEDS]`` does the same with the real program and a real lab for one seed.
"""

from __future__ import annotations

import os
import re
import select
import signal
import struct
import sys
import tempfile
import termios
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import ioctl
from pathlib import Path
from typing import Any

import pytest
from textual import content
from textual._xterm_parser import XTermParser

from app.driving import opened, until
from app.monkey import SIZES, Deed, deeds
from app.recordings import recorded
from helpers.desk import Desk, at_a_desk
from helpers.seat import Seat
from netless.leaving import Quit
from netless.say.cells import divide_line as divided
from netless_lab import protocol

LAST = 60
"""So many of the last deeds are told of a failure."""
GROWTH_KIB = 30_000
"""How much more memory the app may have at the end than after a third: pages of other lessons, longer logs, what the allocator keeps."""
ANSWERS_S = 30.0
"""What an app on a machine with much to do may take to paint. Nothing that works takes so long."""
BOUND_S = 420.0
"""A monkey that is slow does not go on after this."""


@contextmanager
def _told(seed: int) -> Iterator[deque[Deed]]:
    """The last deeds; what goes wrong says them, and the seed."""
    last: deque[Deed] = deque(maxlen=LAST)
    try:
        yield last
    except BaseException as error:
        error.add_note(f"seed {seed}, the last deeds:\n" + "\n".join(map(str, last)))
        raise


@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 43))])
async def test_a_monkey_at_the_recorded_lab(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few hundred deeds at an app whose lab answers as a real one did, or not at all: no exception, and it paints at the end. One that is left on
    purpose, by a click say, is opened again.
    """
    monkeypatch.chdir(tmp_path)
    # As the app wraps (``toolkit.wrap_wide_text``), also in a list that has no cell left.
    monkeypatch.setattr(content, "divide_line", lambda text, width, fold=True: divided(text, width))
    left = deeds(seed, 400)
    with _told(seed) as last:
        while await _sits_at_the_recording(left, last):
            pass


async def _sits_at_the_recording(left: Iterator[Deed], last: deque[Deed]) -> bool:
    """One app, until there is no more to do or it was left; whether it was left."""
    kinds: dict[type[protocol.Request[Any]], str] = {
        protocol.Run: "pair-run", protocol.Goto: "plug-opening", protocol.Check: "plug-check", protocol.Back: "plug-back",
    }  # fmt: skip
    async with opened(answers={kind: recorded(moment).answer for kind, moment in kinds.items()}) as (app, pilot, peer):
        driver, parser = app._driver, XTermParser()
        assert driver is not None
        for number, deed in enumerate(left):
            last.append(deed)
            if deed.kind == "resize":
                await pilot.resize_terminal(*deed.size)
            elif deed.kind == "theme":
                app.appearance.turn()
            elif deed.kind == "elsewhere":
                with suppress(OSError):  # the lab may have died
                    peer.say(*recorded("pair-run").answer(protocol.Run())[:-1])
            elif deed.kind == "kill":
                with suppress(OSError):
                    peer.die()
            else:
                for message in parser.feed(deed.text):
                    driver.process_message(message)
            if number % 5 == 4:
                await pilot.pause()
            if app.leaving is not None or not app.is_running:
                assert isinstance(app.leaving, Quit), app.leaving
                return True
        await pilot.resize_terminal(*SIZES[1])
        await until(pilot, lambda: not app.too_small)
        await pilot.press("escape")
        return False


class Monkey:
    """At the real program with a real lab."""

    def __init__(self, desk: Desk, last: deque[Deed]) -> None:
        self.desk, self.last = desk, last
        self.resident: list[int] = []
        self.exits = 0

    def run(self, seed: int, count: int) -> None:
        """All deeds of a seed. Whoever leaves the tutor (by a click, say) opens it again."""
        left, end = deeds(seed, count), time.monotonic() + BOUND_S
        while self._sit(left, end):
            self.exits += 1

    def _sit(self, left: Iterator[Deed], end: float) -> bool:
        """One tutor, from its first frame until the deeds are done or it was left; whether it was left."""
        with self.desk.tutor(until=b"Quit") as seat:  # by then no key stops it any more (^Z)
            grown: list[int] = []
            for number, deed in enumerate(left):
                if time.monotonic() > end:
                    break
                self.last.append(deed)
                self._do(seat, deed)
                if number % 25 == 24:
                    self._answers(seat)
                if self._gone(seat):
                    return True
                if number % 25 == 24:
                    grown.append(_resident_kib(seat.pid))
            self._answers(seat)
            if len(grown) > 9:
                assert grown[-1] < max(grown[: len(grown) // 3]) + GROWTH_KIB, grown
            self.resident += grown
            os.kill(seat.pid, signal.SIGTERM)
            assert seat.ended() == 128 + signal.SIGTERM, seat.told()
            assert seat.restored()
        return False

    def _do(self, seat: Seat, deed: Deed) -> None:
        if deed.kind == "resize":
            _resize(seat, deed.size)
        elif deed.kind == "elsewhere":
            done = self.desk.netless(*deed.text.split())
            assert "failed in a way it should not" not in done.stderr, done
        elif deed.kind == "kill":
            with suppress(ValueError, ProcessLookupError, KeyError):
                os.kill(self.desk.agent(), signal.SIGKILL)
        elif deed.kind == "type":
            self._type(seat, deed.text.encode())

    def _type(self, seat: Seat, text: bytes) -> None:
        """Write as a terminal does, and read meanwhile: neither end waits for the other."""
        end = time.monotonic() + ANSWERS_S
        while text:
            read, write, _ = select.select([seat.terminal], [seat.terminal], [], 1)
            if read:
                self._read(seat)
            if write:
                text = text[os.write(seat.terminal, text[:512]) :]
            assert time.monotonic() < end, "the tutor reads no keys"
            if self._gone(seat, peek=True):
                return

    def _read(self, seat: Seat) -> None:
        seat.said = seat.said[-100_000:] + os.read(seat.terminal, 65536)

    def _answers(self, seat: Seat) -> None:
        """Another size makes it paint."""
        while select.select([seat.terminal], [], [], 0)[0]:
            self._read(seat)
        now = struct.unpack("HHHH", ioctl(seat.ours, termios.TIOCGWINSZ, bytes(8)))
        _resize(seat, (120, 41 if now[0] == 40 else 40))
        end = time.monotonic() + ANSWERS_S
        while not select.select([seat.terminal], [], [], 1)[0]:
            if self._gone(seat, peek=True):
                return
            assert time.monotonic() < end, f"the tutor paints no more, and waits at {Path(f'/proc/{seat.pid}/wchan').read_text()}"
        self._read(seat)

    def _gone(self, seat: Seat, *, peek: bool = False) -> bool:
        """Whether the tutor ended; it may, but not by a fault."""
        state = os.waitid(os.P_PID, seat.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if state is None:
            return False
        if not peek:
            code = seat.ended()
            assert code in (0, 3, 5), (code, seat.told(), *_reports(Path(self.desk.environment["XDG_STATE_HOME"])))
            assert seat.restored()
        return True


def _resize(seat: Seat, size: tuple[int, int]) -> None:
    ioctl(seat.ours, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))


def _resident_kib(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) if found else 0


def _reports(state: Path) -> list[str]:
    return [path.read_text() for path in state.rglob("reports/*.txt")]


@pytest.mark.kernel
@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(100, 106))
def test_a_monkey_at_a_real_lab(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two thousand deeds at the real program, with others who change, break and mend its lab, and an agent that is killed: it ends by no fault,
    paints when asked, gives the terminal back, and has not grown.
    """
    monkeypatch.chdir(tmp_path)  # where what it writes down lies
    with _told(seed) as last, at_a_desk(tmp_path) as desk:
        Monkey(desk, last).run(seed, 2000)


if __name__ == "__main__":
    sys.path[:] = map(os.path.abspath, sys.path)
    with tempfile.TemporaryDirectory() as folder, _told(int(sys.argv[1])) as _last, at_a_desk(Path(folder)) as _desk:
        _monkey = Monkey(_desk, _last)
        os.chdir(folder)
        _monkey.run(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2000)
        print(f"seed {sys.argv[1]}: ended well, left {_monkey.exits} times, resident {_monkey.resident[:1]} ... {_monkey.resident[-1:]} KiB")
