"""Shells that another tutor of the lab has, or that were left while this one ran: they are listed, and had by who asks for them. The real program.

What a shell writes into files of the lab is the witness of which one it is.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.at_shells import in_a_shell, killed, outside, pid_of_the_shell, seen, shows, told
from helpers.desk import Desk, at_a_desk
from helpers.seat import Seat
from helpers.waiting import eventually

pytestmark = [pytest.mark.kernel, pytest.mark.rootless]

OUT = b"\x1d"
"""ctrl+]"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A lab of this test's own, which does not run yet and is ended afterwards."""
    with at_a_desk(tmp_path) as own:
        yield own


def took_over(seat: Seat) -> None:
    """From wherever one is, the first shell of the list."""
    seat.type(OUT)
    seat.type(b"S")
    assert shows(seat, "Take it over", but="is here now")
    seat.type(b"\r")
    assert shows(seat, "is here now, as it was", but="Take it over")


def answers(seat: Seat, desk: Desk, name: str, line: str = "echo $$ $X >/tmp/{name}") -> list[str]:
    """What the shell in which one is writes into a file."""
    seat.type(f"{line.format(name=name)}\r".encode())
    return told(desk, name)


def test_who_hangs_loses_his_shells_to_who_asks_for_them(desk: Desk) -> None:
    """Who comes is told of them, and has them with all that is in them. The other finds that said in its place when he comes to himself; what he types
    reaches them no more, and he can begin a new one, or have them back.
    """
    with desk.tutor() as hung:
        in_a_shell(hung, "X=five; echo $$ $X >/tmp/before; echo st''ands")
        hung.read_until(b"stands")
        before = told(desk, "before")
        os.kill(hung.pid, signal.SIGSTOP)
        with desk.tutor(until=b"S takes over the shell of the host from another tutor (process ") as seat:
            assert str(hung.pid).encode() in seat.said
            hung.type(b"echo lost >/tmp/lost\r")
            took_over(seat)
            assert shows(seat, "stands", but="new shell")
            assert answers(seat, desk, "after") == before
            os.kill(hung.pid, signal.SIGCONT)
            assert shows(hung, "[another tutor (process ", but="Leave them")
            assert answers(seat, desk, "still") == before
            assert desk.netless("exec", "host", "--", "test", "-e", "/tmp/lost").returncode == 1

            def begins() -> bool:
                hung.type(b"\r")  # not at once: who holds Enter down starts none
                hung._read(0.2)
                return "host:~#" in "".join(seen(hung)).partition("enter starts a new")[2]

            assert eventually(begins)
            assert answers(hung, desk, "new") != before
            took_over(hung)
            assert answers(hung, desk, "again") == before
            assert shows(seat, "has taken this shell over", but="Leave them")


def test_a_shell_of_ones_own_that_makes_room_is_left_and_can_be_had_again(desk: Desk) -> None:
    """Its terminal says that there is another one before anything is typed there, and both are gone on with, one after the other."""
    with desk.tutor() as one, desk.tutor() as two:
        first = pid_of_the_shell(desk, one, "one")
        second = pid_of_the_shell(desk, two, "two")
        assert shows(two, "[this is a new shell, and another tutor", but="Leave them")
        assert first != second
        took_over(two)
        assert answers(two, desk, "three")[0].split()[0] == first
        took_over(two)
        assert answers(two, desk, "four")[0].split()[0] == second


def test_shells_of_a_tutor_that_dies_are_had_by_one_that_runs(desk: Desk) -> None:
    """Nobody is at them: they are listed all the same."""
    with desk.tutor() as seat:
        with desk.tutor() as other:
            in_a_shell(other, "X=five; sleep 1000 &", "echo $$ $X >/tmp/before")
            before = told(desk, "before")
            killed(other)
            other.ended()
        seat.type(b"S")
        assert shows(seat, "Nobody is at these:", but="Another tutor") and "runs sleep 1000" in "".join(seen(seat))
        took_over(seat)
        assert answers(seat, desk, "after") == before


def test_who_ends_ends_nothing_that_he_has_lost(desk: Desk) -> None:
    """Also when he had not heard of it yet."""
    with desk.tutor() as hung:
        in_a_shell(hung, "X=five; echo $$ $X >/tmp/before")
        before = told(desk, "before")
        os.kill(hung.pid, signal.SIGSTOP)
        with desk.tutor(until=b"S takes over the shell of the host") as seat:
            took_over(seat)
            os.kill(hung.pid, signal.SIGTERM)
            os.kill(hung.pid, signal.SIGCONT)
            assert hung.ended() == 128 + signal.SIGTERM
            assert answers(seat, desk, "after") == before
            assert desk.netless("down").returncode == 0
    assert eventually(lambda: not outside(desk.lab)), outside(desk.lab)
