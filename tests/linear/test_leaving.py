"""How a tutor without a screen ends, what then becomes of the lab, and what a lab that is gone leaves: on a real terminal, by the rules of the screen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helpers.checkout import CHECKOUT
from helpers.desk import Desk, at_a_desk
from helpers.seat import Seat, seated
from helpers.waiting import eventually

pytestmark = pytest.mark.kernel


@contextmanager
def teaching(desk: Desk) -> Iterator[Seat]:
    """The tutor, line by line, which waits for a line."""
    with seated(desk.command("--plain"), desk.environment) as seat:
        seat.read_until(b"host:~# ")
        yield seat


@pytest.mark.parametrize("keys", [b"quit\n", b"\x04"])
def test_who_quits_ends_the_lab_and_is_told(tmp_path: Path, keys: bytes) -> None:
    """By the word, or by an end of the input at the prompt. Nothing that draws was imported for any of it."""
    with at_a_desk(tmp_path) as desk:
        with teaching(desk) as seat:
            seat.type(keys)
            assert seat.ended() == 0
            assert b"is gone, with everything in it" in seat.said
        assert not desk.runs()


@pytest.mark.parametrize("keys", [b"quit\n", b"\x04"])
def test_who_would_lose_something_is_asked(tmp_path: Path, keys: bytes) -> None:
    """What no step brings back is told; without an answer one stays, and a yes ends the lab."""
    with at_a_desk(tmp_path) as desk:
        with teaching(desk) as seat:
            desk.build()
            seat.type(keys)
            seat.read_until(b"mine will go from the host")
            seat.read_until(b"Enter stays: ")
            seat.type(b"\n")
            seat.read_until(b"host:~# ")
            assert desk.still_built()
            seat.type(keys)
            seat.read_until(b"Enter stays: ")
            seat.type(b"y\n")
            assert seat.ended() == 0
            assert b"is gone, with everything in it" in seat.said
        assert not desk.runs()


@pytest.mark.parametrize("answer", [b"k\n", b"\x04"], ids=["k", "ctrl-d"])
def test_who_is_asked_can_keep_the_lab(tmp_path: Path, answer: bytes) -> None:
    """By the letter, or by an end of the input, which says nothing of the lab: it goes on as after an accident."""
    with at_a_desk(tmp_path) as desk:
        with teaching(desk) as seat:
            desk.build()
            seat.type(b"quit\n")
            seat.read_until(b"Enter stays: ")
            seat.type(answer)
            assert seat.ended() == 0
            assert f"goes on: `netless --lab {desk.lab}` comes back to it within 30 minutes" in " ".join(seat.said.decode().split())
        assert desk.still_built()


@pytest.mark.parametrize("answer", [b"k\n", b"y\n"], ids=["k", "y"])
def test_a_job_of_the_pages_shell_is_named_before_it_ends(tmp_path: Path, answer: bytes) -> None:
    """It ends with the page, also where the lab is kept: so it is asked first, and it is told that this job is not among what stays."""
    with at_a_desk(tmp_path) as desk:
        with teaching(desk) as seat:
            seat.type(b"sleep 4711 &\n")
            assert eventually(lambda: "sleep 4711" in desk.netless("exec", "host", "--", "ps", "-eo", "args").stdout)
            seat.read_until(b"host:~# ")
            seat.type(b"quit\n")
            seat.read_until(b"Enter stays: ")
            assert "sleep 4711 in the host will end in any case: the lab does not keep that shell." in " ".join(seat.said.decode().split())
            seat.type(answer)
            assert seat.ended() == 0
        assert desk.runs() == (answer == b"k\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_lab(tmp_path: Path, number: signal.Signals) -> None:
    """With what was built in it, and coming back joins it where it was."""
    with at_a_desk(tmp_path) as desk:
        with teaching(desk) as seat:
            desk.build()
            os.kill(seat.pid, number)
            assert seat.ended() == 128 + number
        assert desk.still_built()
        with teaching(desk) as seat:
            seat.type(b"picture\n")
            seat.read_until(b"mine, a bridge")


def test_a_closed_terminal_leaves_the_lab(tmp_path: Path) -> None:
    """Also while a program runs in its shell, which ends."""
    with at_a_desk(tmp_path) as desk:
        with teaching(desk) as seat:
            desk.build()
            seat.type(b"sleep 4711\n")
            assert eventually(lambda: "sleep 4711" in desk.netless("exec", "host", "--", "ps", "-eo", "args").stdout)
            seat.close()
            seat.ended()
        assert desk.still_built()
        assert eventually(lambda: "sleep 4711" not in desk.netless("exec", "host", "--", "ps", "-eo", "args").stdout)


def test_ctrl_c_stops_the_program_and_no_more(tmp_path: Path) -> None:
    """At the prompt it says how to quit; ctrl+d ends the input of a program that reads."""
    with at_a_desk(tmp_path) as desk, teaching(desk) as seat:
        seat.type(b"cd /tmp; ping 127.0.0.1\n")
        seat.read_until(b"icmp_seq=1")
        seat.type(b"\x03")
        seat.read_until(b"host:/tmp# ")
        seat.type(b"\x03")
        seat.read_until(b"`quit` or ctrl+d ends the tutor.\r\nhost:/tmp# ")
        seat.type(b"cat; echo cat is over: $?\n")
        seat.type(b"something\n")
        seat.read_until(b"something\r\nsomething")
        seat.type(b"\x04")
        seat.read_until(b"cat is over: 0")
        assert desk.runs()


def test_a_program_that_draws_is_told_in_words(tmp_path: Path) -> None:
    """Once, with what ends it; what it draws is left out until the shell has its prompt again, and then all is told."""
    with at_a_desk(tmp_path) as desk, teaching(desk) as seat:
        seat.type(b"printf 'before\\n\\033[2;1Hdr%s\\033[3;1Hdr%s' awn awn; cat; true\n")
        seat.read_until(b"`sh host` gives")
        seat.type(b"typed\n")
        seat.read_until(b"typed\r\n")
        seat.type(b"\x04")
        seat.type(b"echo ag''ain\n")
        seat.read_until(b"again\r\n")
        assert b"before\r\n" in seat.said and b"drawn" not in seat.said
        assert seat.said.count(b"draws on a whole screen") == 1


def test_packets_are_sought_and_read_byte_by_byte(tmp_path: Path) -> None:
    """``filter`` narrows ``packets`` and ``bytes``, which tells one layer by layer; what a screen alone can do is answered honestly."""
    with at_a_desk(tmp_path) as desk, teaching(desk) as seat:
        seat.type(b"go switch/port-up end\n")
        seat.read_until(b"Step done.")
        assert desk.netless("why", "c1", "10.0.0.1").returncode == 0  # which waits until every node is listened to
        seat.said = b""
        seat.type(b"check\n")
        seat.read_until(b"Conditions that hold")
        seat.type(b"packets\n")
        seat.read_until(b"Packet: ping ")
        seat.type(b"filter no-such-word\n")
        seat.read_until(b"tell only those with no-such-word.")
        seat.type(b"bytes\n")
        seat.read_until(b"No packet is kept that can be shown.")
        seat.type(b"filter\n\nbytes\n")
        seat.read_until(b"tell all packets.")
        seat.read_until(b"Which packet? Its number, or Enter for none: ")
        seat.type(b"1\n")
        seat.read_until(b"Where on its way? Its number, or Enter for none: ")
        seat.type(b"1\n")
        seat.read_until(b"Ethernet")
        for word, answer in ((b"screenshot", b"There is no screen here"), (b"record", b"script(1) keeps what is said"), (b"theme", b"There are no colours here")):
            seat.type(word + b"\n")
            seat.read_until(answer)


def test_a_list_that_gives_faults_away_is_told_when_it_is_asked_for(tmp_path: Path) -> None:
    """A drill offers the two ways of being surprised; every title only to who wants them."""
    with at_a_desk(tmp_path) as desk, teaching(desk) as seat:
        seat.type(b"drill\n")
        seat.read_until(b"Enter to leave it whole: ")
        assert b"2: Anything, as an exam" in seat.said and b"The host does not forward" not in seat.said
        seat.type(b"list\n")
        seat.read_until(b"The host does not forward")


def test_a_lab_that_is_killed_is_told_and_built_again(tmp_path: Path) -> None:
    """In the middle of a program: what is left is a prompt that says so, and ``again`` leads back to the same step."""
    with at_a_desk(tmp_path) as desk, teaching(desk) as seat:
        seat.type(b"go cable/plug\n")
        seat.read_until(b"Not yet: veth1 is in c1")
        seat.type(b"sleep 4712\n")
        assert eventually(lambda: "sleep 4712" in desk.netless("exec", "host", "--", "ps", "-eo", "args").stdout)
        os.kill(desk.agent(), signal.SIGKILL)
        seat.read_until(b"no lab> ")
        seat.type(b"ip link\n")
        seat.read_until(b"The lab is gone. `again` builds it anew")
        seat.said = b""
        seat.type(b"again\n")
        seat.read_until(b"Rebuilding the lab, up to")
        seat.read_until(b"Not yet: veth1 is in c1")
        seat.type(b"ip link set veth1 netns c1\n")
        seat.read_until(b"Done: veth1 is in c1")
        seat.type(b"quit\n")
        assert seat.ended() == 0


def test_a_script_is_done_to_its_end_and_leaves_the_lab(tmp_path: Path) -> None:
    """Lines of a pipe, each after the one before it; what was typed is told; the lab goes on, as for anybody who may have been cut off."""
    with at_a_desk(tmp_path) as desk:
        lines = "cd /tmp\npwd\nip link add mine type bridge\n"
        command = [sys.executable, "-X", "importtime", "-P", "-m", "netless", "--lab", desk.lab]
        done = subprocess.run([*command, "--plain"], input=lines, capture_output=True, text=True, env=desk.environment, timeout=60, check=False)
        assert done.returncode == 0
        assert "host:/tmp# pwd\n/tmp\n" in done.stdout and "Changed: mine appeared on the host: a bridge" in done.stdout
        assert "goes on" in done.stdout
        assert desk.still_built()
        assert "netless.linear.tutor" in done.stderr and "textual" not in done.stderr


def test_that_play_mode_begins_and_ends_is_told_once(tmp_path: Path) -> None:
    """By the answer to the word that was said, which also says what became of the lab; what somebody else does is told as news."""
    with at_a_desk(tmp_path) as desk:
        script = "play\nrun\nplay\nnext\nplay\nplay\nquit\n"
        done = subprocess.run(desk.command("--plain"), input=script, capture_output=True, text=True, env=desk.environment, timeout=60, check=False)
        said = " ".join(done.stdout.split())
        assert said.count("Play mode: ") == said.count("Play mode is over") == 3, done.stdout


def test_a_crash_keeps_the_lab_and_is_reported_as_the_screens_is(tmp_path: Path) -> None:
    """A fault of our own: one sentence with the lab that goes on and the report's place; the report has the traceback, the size, and what went
    before by kinds. The terminal is as it was.
    """
    with at_a_desk(tmp_path) as desk:
        command = [sys.executable, "-P", "-m", "app.breaking_app", "--lab", desk.lab, "--plain"]
        with seated(command, desk.environment) as seat:
            seat.read_until(b"host:~# ")
            seat.type(b"help\n")
            assert seat.ended() == 4
            told = " ".join(seat.said.decode().split())
            assert termios.tcgetattr(seat.ours) == seat.before
        assert "failed in a way it should not (RuntimeError: the help broke)" in told and f"The lab {desk.lab} goes on" in told
        assert desk.runs()
        (report,) = (tmp_path / "netless" / "reports").iterdir()
        assert "Traceback" in (text := report.read_text()) and "120x40" in text and "StatusEvent" in text


def test_of_several_courses_one_is_chosen_first(tmp_path: Path) -> None:
    """As on the screen: the list stands at the beginning when nothing was asked for; a number goes there, Enter stays."""
    with at_a_desk(tmp_path) as desk, seated(desk.command("--lessons", str(CHECKOUT / "tests/courses"), "--plain"), desk.environment) as seat:
        seat.read_until(b"Which lesson? Its number, or Enter to stay: ")
        seat.type(b"1\n")
        seat.read_until(b"host:~# ")
        assert b"Conditions that hold: 0 of" in seat.said


def test_nobody_reads_any_more(tmp_path: Path) -> None:
    """What it writes goes nowhere: it ends quietly when it has something to tell, whoever's doing that is, and leaves the lab."""
    with at_a_desk(tmp_path) as desk, desk.begin("--plain") as process:
        assert process.stdout is not None
        while not process.stdout.readline().startswith(b"Conditions that hold"):
            pass
        process.stdout.close()
        desk.build()
        assert process.wait(20) == 0
        assert desk.still_built()
        process.stdout = None
