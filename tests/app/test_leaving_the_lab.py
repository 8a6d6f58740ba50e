"""What becomes of the lab when the tutor is left, by whatever way: the real program on a real terminal, with a real lab.

The witness of a lab that lives is ip(8) inside it, and the kernel's word about its agent's process.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.desk import Desk, at_a_desk
from helpers.seat import seated
from helpers.waiting import eventually

pytestmark = [pytest.mark.kernel, pytest.mark.rootless]


def gone(pid: int) -> bool:
    """Whether a process is no more, or only waits to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A lab of this test's own, which does not run yet and is ended afterwards."""
    with at_a_desk(tmp_path) as own:
        yield own


@pytest.mark.parametrize("key", [b"q", b"\x03"], ids=["q", "ctrl-c"])
def test_quitting_ends_the_lab_and_says_so(desk: Desk, key: bytes) -> None:
    """Quitting on purpose ends the lab that this tutor started: one line on the restored terminal names it and says that ticks are kept."""
    with desk.tutor() as seat:
        agent = desk.agent()
        seat.type(key)
        assert seat.ended() == 0 and seat.restored()
        assert f"the lab {desk.lab} is gone, with everything in it; your ticks are kept" in seat.told()
        assert eventually(lambda: gone(agent))


@pytest.mark.parametrize("key", [b"q", b"\x03"], ids=["q", "ctrl-c"])
def test_quitting_asks_before_what_was_built_goes(desk: Desk, key: bytes) -> None:
    """What no step brings back is named, and what quits, pressed once more, stays; a yes ends the lab."""
    question, below = b"mine will go from the host", b"addresses, routes and firewall"
    with desk.tutor() as seat:
        desk.build()
        agent = desk.agent()
        seat.type(key)
        seat.read_until(question)
        seat.type(key)
        seat.read_until(below, after=question)
        assert desk.still_built()
        seat.type(key)
        seat.read_until(question, after=below)
        seat.type(b"y")
        assert seat.ended() == 0 and seat.restored()
        assert f"the lab {desk.lab} is gone, with everything in it" in seat.told()
        assert eventually(lambda: gone(agent))


def test_quitting_can_keep_the_lab(desk: Desk) -> None:
    """It goes on as after an accident, which is said, and coming back joins it."""
    with desk.tutor() as seat:
        desk.build()
        seat.type(b"\x03")
        seat.read_until(b"Keep it")
        seat.type(b"k")
        assert seat.ended() == 0 and seat.restored()
        assert f"the lab {desk.lab} goes on: `netless --lab {desk.lab}` comes back to it within 30 minutes" in seat.told() and "is gone" not in seat.told()
    assert desk.still_built()


def test_quitting_asks_when_others_look_on(desk: Desk) -> None:
    """Who follows would see the lab end."""
    with desk.tutor() as seat, desk.begin("follow") as follower:
        assert follower.stdout is not None and follower.stdout.readline()
        seat.type(b"q")
        seat.read_until(b"1 other looks on")
        seat.type(b"y")
        assert seat.ended() == 0
        assert follower.wait(20) == 0 or follower.returncode


def test_quitting_says_when_ticks_could_not_be_kept(desk: Desk) -> None:
    """Where nothing can be written, such as on a full disk, what was earned goes with the lab."""
    desk.environment["XDG_STATE_HOME"] = "/proc/nowhere"
    with desk.tutor() as seat:
        assert desk.netless("run").returncode == 0
        seat.type(b"q")
        assert seat.ended() == 0 and seat.restored()
        assert f"the lab {desk.lab} is gone, with everything in it; your ticks could not be kept" in seat.told()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda number: number.name)
def test_a_signal_keeps_the_lab(desk: Desk, number: signal.Signals) -> None:
    """A signal from outside, SIGKILL too, ends the tutor and leaves the lab as it is."""
    with desk.tutor() as seat:
        desk.build()
        os.kill(seat.pid, number)
        assert seat.ended() == (-number if number == signal.SIGKILL else 128 + number)
        assert desk.still_built()
        assert ("goes on" in seat.told()) == (number in (signal.SIGTERM, signal.SIGINT))


def test_a_closed_terminal_keeps_the_lab(desk: Desk) -> None:
    """A window that is closed, an ssh that drops: the tutor ends soon, and the lab stays."""
    with desk.tutor() as seat:
        desk.build()
        seat.close()
        assert seat.ended() == 128 + signal.SIGHUP
        assert desk.still_built()


def test_a_terminal_that_goes_without_a_signal_keeps_the_lab(desk: Desk) -> None:
    """The terminal is gone and SIGHUP goes to somebody else (the tutor is not the first of its session): it ends all the same."""
    words = ["/bin/sh", "-c", 'trap "" HUP; "$@"; exit $?', "sh", *desk.command()]
    with seated(words, desk.environment) as seat:
        seat.read_until(b"/run/netns/c1")
        desk.build()
        seat.close()
        assert seat.ended() == 128 + signal.SIGHUP
        assert desk.still_built()


def test_a_crash_keeps_the_lab_and_says_so_truly(desk: Desk) -> None:
    """A fault of our own ends the tutor, not the lab; the sentence names the lab that goes on."""
    with desk.tutor(program="app.breaking_app") as seat:
        desk.build()
        seat.type(b"?")
        assert seat.ended() == 4 and seat.restored()
        assert f"The lab {desk.lab} goes on" in seat.told() and "is gone" not in seat.told()
        assert desk.still_built()


def test_a_crash_without_a_lab_promises_none(desk: Desk) -> None:
    """When the lab has ended before the tutor crashes, nothing is said to go on."""
    with desk.tutor(program="app.breaking_app") as seat:
        desk.netless("down")
        seat.read_until(b"The lab is gone")
        seat.type(b"r")
        assert seat.ended() == 4
        assert "failed in a way it should not" in seat.told() and "goes on" not in seat.told()


def test_coming_back_joins_where_one_was(desk: Desk) -> None:
    """After the ssh dropped, opening the tutor again shows the same step of the same lab; quitting it then leaves a lab
    it did not start, and says so.
    """
    with desk.tutor() as seat:
        desk.netless("goto", "cable/plug")
        seat.read_until(b"Plug one end")
        desk.build()
        seat.close()
        seat.ended()
    with desk.tutor(until=b"Plug one end") as seat:
        assert desk.still_built()
        seat.type(b"q")
        assert seat.ended() == 0
        assert f"the lab {desk.lab} goes on: this tutor did not start it" in seat.told() and "is gone" not in seat.told()
        assert desk.still_built()


def test_quitting_leaves_a_lab_that_somebody_else_uses(desk: Desk) -> None:
    """A command that still runs in the lab, or another view of it, keeps it: quitting says so."""
    with desk.tutor() as seat:
        desk.build()
        with desk.begin("exec", "host", "--", "sh", "-c", "echo here; cat") as other:
            assert other.stdout is not None and other.stdout.readline() == b"here\n"
            seat.type(b"q")
            assert seat.ended() == 0
            assert f"the lab {desk.lab} goes on: somebody else uses it" in seat.told()
            assert desk.still_built()


def test_quitting_leaves_a_lab_that_is_to_last(desk: Desk) -> None:
    """``up`` on the lab of a tutor makes it last: quitting says so and leaves it."""
    with desk.tutor() as seat:
        assert desk.netless("up").returncode == 0
        desk.build()
        seat.type(b"q")
        assert seat.ended() == 0
        assert "goes on" in seat.told() and "to last" in seat.told()
        assert desk.still_built()


def test_quitting_leaves_a_lab_of_the_same_name_that_it_did_not_start(desk: Desk) -> None:
    """The tutor's own lab was ended and another has its name: that one is not the tutor's to end."""
    with desk.tutor() as seat:
        desk.netless("down")
        seat.read_until(b"The lab is gone")
        with desk.tutor():
            desk.build()
            seat.type(b"q")
            assert seat.ended() == 0
        assert desk.still_built()


def test_quitting_leaves_a_lab_of_the_same_name_that_nobody_uses_just_now(desk: Desk) -> None:
    """The same when whoever started the other lab has lost the terminal: nobody else is connected, and still it is not ours to end."""
    with desk.tutor() as seat:
        desk.netless("down")
        seat.read_until(b"The lab is gone")
        with desk.tutor():
            desk.build()
        assert desk.still_built()
        seat.type(b"q")
        assert seat.ended() == 0
        assert f"the lab {desk.lab} goes on: this tutor did not start it" in seat.told()
        assert desk.still_built()
