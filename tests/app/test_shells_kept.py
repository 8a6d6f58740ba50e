"""Shells outlive the tutor: whatever way it went, who comes back joins them. The real program on a real terminal, with a real lab.

What a shell is like is witnessed by what it writes into files of the lab, and its processes by the kernel.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from app.at_shells import TERMINAL, closed, hung_up, in_a_shell, kept, killed, outside, pid_of_the_shell, seen, shows, somebody_at, told
from helpers.desk import Desk, at_a_desk
from helpers.seat import Seat
from helpers.waiting import eventually
from netless_lab.sandbox.terminals import MOST

pytestmark = [pytest.mark.kernel, pytest.mark.rootless]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A lab of this test's own, which does not run yet and is ended afterwards."""
    with at_a_desk(tmp_path) as own:
        yield own


@pytest.mark.parametrize("end", [killed, hung_up, closed, kept], ids=lambda end: end.__name__)
def test_who_comes_back_is_where_he_was(desk: Desk, end: Callable[[Seat], None]) -> None:
    """The shell is the same process, with its folder, its variables and its jobs; what stood on the screen stands there, and what was printed since.
    What was asked of the terminal meanwhile is answered by nobody: no answer stands at the prompt.
    """
    with desk.tutor() as seat:
        desk.build()
        in_a_shell(
            seat, "cd /tmp; X=five; sleep 1000 &", "(until [ -e go ]; do sleep 0.05; done; echo al''one; printf '\\033[c'; touch done) &",
            "echo $$ $PWD $X $(jobs -p) >before; echo st''ands",
        )  # fmt: skip
        seat.read_until(b"stands")
        before = told(desk, "before")
        end(seat)
        seat.ended()
    assert desk.netless("exec", "host", "--", "touch", "/tmp/go").returncode == 0
    assert eventually(lambda: desk.netless("exec", "host", "--", "test", "-e", "/tmp/done").returncode == 0), "who prints alone is not held up"
    with desk.tutor(until=b"alone") as seat:
        assert b"stands" in seat.said
        seat.read_until(b"The shell of the host is as you left it.")
        in_a_shell(seat, "echo $$ $PWD $X $(jobs -pr | head -1) >after")
        after = told(desk, "after")[0].split()
        assert after[1:3] == ["/tmp", "five"]
        assert after == before[0].split()[:4]


FULL_SCREEN = r"""
printf '\033[?1049h\033[?25lbe''gun'
trap 'printf "\033[2J\033[5;5Hredr""awn $(stty size)"' WINCH
trap 'printf "\033[?1049l\033[?25hclo""sed42\n"; exit' INT
while ! [ -e /tmp/go ]; do sleep 0.05; done
head -c 400000 /dev/zero | tr '\0' x
touch /tmp/done
while :; do sleep 0.05; done
"""


def test_a_full_screen_program_draws_its_picture_anew(desk: Desk) -> None:
    """Though it has printed more meanwhile than is kept, and how it began is not there any more: its picture is on a screen of its own, drawn anew at the
    size of the terminal, and the ordinary screen behind it is clean.
    """
    (script := Path(desk.environment["XDG_STATE_HOME"]) / "full").write_text(FULL_SCREEN)
    with desk.tutor() as seat:
        with script.open() as given:
            assert subprocess.run(desk.command("exec", "host", "--", "sh", "-c", "cat >/tmp/full"), stdin=given, env=desk.environment, check=False).returncode == 0
        in_a_shell(seat, "sh /tmp/full")
        seat.read_until(b"begun")
        killed(seat)
        seat.ended()
    assert desk.netless("exec", "host", "--", "touch", "/tmp/go").returncode == 0
    assert eventually(lambda: desk.netless("exec", "host", "--", "test", "-e", "/tmp/done").returncode == 0, 30)
    with desk.tutor(until=b"as you left it") as seat:
        assert shows(seat, "redrawn", but="xxxxxx")
        in_a_shell(seat)
        seat.type(b"\x03")
        assert shows(seat, "closed42", but="redrawn") and shows(seat, "closed42", but="xxxxxx")


def test_each_of_two_tutors_has_a_shell_of_its_own(desk: Desk) -> None:
    """Of two that were left behind each goes to one who comes back."""
    with desk.tutor() as one, desk.tutor() as two:
        before = [pid_of_the_shell(desk, seat, name) for seat, name in ((one, "one"), (two, "two"))]
        for seat in (one, two):
            killed(seat)
            seat.ended()
    with desk.tutor(until=b"as you left it") as one, desk.tutor(until=b"as you left it") as two:
        after = [pid_of_the_shell(desk, seat, name) for seat, name in ((one, "three"), (two, "four"))]
    assert len(set(before)) == 2 and set(after) == set(before)


def test_a_shell_that_is_over_is_not_there_again(desk: Desk) -> None:
    """``exit`` ends it, for the lab as well: who comes back has none, and begins another."""
    with desk.tutor() as seat:
        in_a_shell(seat, "echo $$ >/tmp/before; exit")
        seat.read_until(b"[ended, exit code 0")
        killed(seat)
        seat.ended()
    with desk.tutor() as seat:
        in_a_shell(seat, "echo $$ >/tmp/after; echo ag''ain")
        seat.read_until(b"again")
        assert b"as you left" not in seat.said and b"[ended" not in seat.said
    assert told(desk, "before") != told(desk, "after")


def test_a_shell_that_ended_while_nobody_was_there_is_told_of(desk: Desk) -> None:
    """To who comes back, once: when it was, with what it printed last in its terminal, where Enter starts another."""
    with desk.tutor() as seat:
        in_a_shell(seat, "echo $$ >/tmp/before; until [ -e /tmp/go ]; do sleep 0.05; done; echo so$((40+2))long; exit 3")
        told(desk, "before")
        killed(seat)
        seat.ended()
    assert desk.netless("exec", "host", "--", "touch", "/tmp/go").returncode == 0
    assert eventually(lambda: not [found for found in outside(desk.lab) if "\0host\0" in found and "\0exec\0" not in found])
    with desk.tutor(until=b"The shell of the host ended at ") as seat:
        in_a_shell(seat)
        assert shows(seat, "[ended at ", but="as you left")
        assert "so42long" in "".join(seen(seat))

        def begins() -> bool:
            seat.type(b"\r")  # not at once: who holds Enter down starts none
            seat._read(0.2)
            return "host:~#" in "".join(seen(seat)).partition("[ended at")[2]

        assert eventually(begins)
        assert pid_of_the_shell(desk, seat, "after") != told(desk, "before")[0]
        killed(seat)
        seat.ended()
    with desk.tutor(until=b"as you left it") as seat:
        assert b"ended at" not in seat.said.partition(b"[ended at")[0] and b"of the host ended" not in seat.said


def test_a_shell_that_ends_after_it_was_joined_offers_another(desk: Desk) -> None:
    """Its exit code nobody can know; Enter starts a new one."""
    with desk.tutor() as seat:
        in_a_shell(seat, "echo st''ands")
        seat.read_until(b"stands")
        killed(seat)
        seat.ended()
    with desk.tutor(until=b"stands") as seat:
        before = pid_of_the_shell(desk, seat, "before")
        in_a_shell(seat, "exit 3")
        seat.read_until(b"[ended: enter starts a new shell]")

        def begins() -> bool:
            seat.type(b"\r")  # not at once: who holds Enter down starts none
            seat._read(0.2)
            return "host:~#" in "".join(seen(seat)).partition("[ended:")[2]

        assert eventually(begins)
        assert pid_of_the_shell(desk, seat, "after") != before


def test_a_node_that_was_built_anew_has_a_new_shell(desk: Desk) -> None:
    """A reset while nobody is there takes the container along with the shell in it: who comes back begins one where the node is now. That of the
    host goes on.
    """
    with desk.tutor() as seat:
        host = pid_of_the_shell(desk, seat, "before")
        click(seat, "c1")
        seat.type(b"echo in$((40+2))side\r")
        seat.read_until(b"in42side")
        killed(seat)
        seat.ended()
    assert [found for found in outside(desk.lab) if "\0c1\0" in found]
    assert desk.netless("reset", "lab", "--yes").returncode == 0
    assert eventually(lambda: not [found for found in outside(desk.lab) if "\0c1\0" in found])
    with desk.tutor(until=b"The shell of the host is as you left it.") as seat:
        assert pid_of_the_shell(desk, seat, "after") == host
        click(seat, "c1")
        seat.type(b"readlink /proc/self/ns/net >/tmp/inside; echo a$((40+2))new\r")
        seat.read_until(b"a42new")
        assert told(desk, "inside", "c1") == desk.netless("exec", "c1", "--", "readlink", "/proc/self/ns/net").stdout.split()


def click(seat: Seat, node: str) -> None:
    """On the tab of a node's terminal; its prompt is there afterwards."""
    rows: list[str] = []

    def shown() -> bool:
        seat._read(0.05)
        rows[:] = seen(seat)
        return any("Terminal host c1" in row for row in rows)

    assert eventually(shown), "what was read so far may be a part of what is painted"
    y = next(y for y, row in enumerate(rows) if "Terminal host c1" in row)
    x = rows[y].index(node, rows[y].index("Terminal"))
    for letter in "Mm":
        seat.type(f"\x1b[<0;{x + 1};{y + 1}{letter}".encode())

    def prompted() -> bool:
        seat._read(0.1)
        return any(f"{node}:~#" in row for row in seen(seat))

    assert eventually(prompted)


def test_a_shell_too_many_says_that_it_is_not_kept(desk: Desk) -> None:
    """In its own terminal, when it is opened, with what to do about it; that is so, and it is another one afterwards."""
    with desk.tutor() as seat, ExitStack() as others:
        for _ in range(MOST):
            others.enter_context(somebody_at(desk.lab))
        in_a_shell(seat)
        assert shows(seat, "[this shell ends with the tutor, for the lab keeps 32", but="as you left")
        before = pid_of_the_shell(desk, seat, "before")
        others.close()
        killed(seat)
        seat.ended()
    with desk.tutor() as seat:
        assert pid_of_the_shell(desk, seat, "after") != before
        assert b"as you left" not in seat.said and b"ends with the tutor" not in seat.said


def test_when_the_lab_ends_nothing_is_left(desk: Desk) -> None:
    """Whoever was at a terminal of it outside ends with the lab, joined or left behind."""
    with desk.tutor() as seat:
        in_a_shell(seat, "sleep 1000 & echo st''ands")
        seat.read_until(b"stands")
        killed(seat)
        seat.ended()
    assert outside(desk.lab)
    assert desk.netless("down").returncode == 0
    assert eventually(lambda: not outside(desk.lab)), outside(desk.lab)




def test_quitting_says_what_runs_in_shells_and_ends_or_goes_on(desk: Desk) -> None:
    """It is asked though nothing was built, also about a shell that nobody is at; kept, both go on, and it is said where one was before."""
    with desk.tutor() as seat, desk.tutor() as other:
        in_a_shell(other, "sleep 4243 & echo st''ands")
        other.read_until(b"stands")
        killed(other)
        other.ended()
        in_a_shell(seat, "sleep 4242", "")
        assert eventually(lambda: sleeps("4242"))
        seat.type(b"\x1d" + b"q")
        assert shows(seat, "- sleep 4242 in the host", but="in c1") and "- sleep 4243 in the host" in "".join(seen(seat))
        seat.type(b"k")
        assert seat.ended() == 0
        assert "what runs in its shells goes on too: sleep 4243 in the host and sleep 4242 in the host" in seat.told()
    assert sleeps("4242") and sleeps("4243")


def test_quitting_ends_what_runs_in_shells_after_a_yes(desk: Desk) -> None:
    """And a shell in which nothing runs is no reason to ask."""
    with desk.tutor() as seat:
        in_a_shell(seat, "sleep 4244", "")
        assert eventually(lambda: sleeps("4244"))
        seat.type(b"\x1d" + b"q")
        assert shows(seat, "- sleep 4244 in the host", but="in c1")
        seat.type(b"n" + TERMINAL + b"\x03" + b"echo st$((40+2))ands\r")
        seat.read_until(b"st42ands")
        seat.type(b"\x1d" + b"q")
        assert seat.ended() == 0
        assert f"the lab {desk.lab} is gone" in seat.told()
    with desk.tutor() as seat:
        in_a_shell(seat, "sleep 4245", "")
        assert eventually(lambda: sleeps("4245"))
        seat.type(b"\x1d" + b"q")
        assert shows(seat, "- sleep 4245 in the host", but="in c1")
        seat.type(b"y")
        assert seat.ended() == 0
    assert eventually(lambda: not sleeps("4245"))


def sleeps(seconds: str) -> bool:
    """Whether somebody on this machine sleeps so long."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (folder / "cmdline").read_bytes() == f"sleep\0{seconds}\0".encode():
                return True
    return False
