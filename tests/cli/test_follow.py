"""``netless follow``: what happens in a lab, line by line, while others are at work in it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from helpers.command_line import NO_LAB, Cli

pytestmark = pytest.mark.kernel

KILLED = "it broke off without a word, as a lab does that is killed"


@contextmanager
def following(cli: Cli, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Somebody who looks on, with a pipe to read."""
    command = [sys.executable, "-m", "netless", "follow", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=cli.environment)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(process: subprocess.Popen[str], words: str) -> list[str]:
    """The lines up to the first with these words."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if words in line:
            return lines
    raise AssertionError(f"{words} was not told: {lines}")


def test_what_others_do_is_told_as_it_happens(cli: Cli) -> None:
    """Where the lab stands, a change by hand, a step that the tutor does, a question why; and the end, after which it is done well."""
    cli("up", "container")
    with following(cli) as process:
        assert "(container/netless/name)" in until(process, "Step 1 of 4")[-1]
        cli("exec", "host", "--", "ip", "link", "add", "br7", "type", "bridge")
        assert "Changed by the learner: br7 appeared on the host" in until(process, "br7")[-1]
        cli("goto", "container/cable/plug")
        until(process, "Conditions that hold: 2 of 3")
        cli("run")
        lines = until(process, "Step done.")
        assert any("Done by the tutor: Move veth1" in line for line in lines) and any("$ ip link set veth1 netns c1" in line for line in lines)
        assert any("Done: veth1 is in c1" in line for line in lines)
        cli("why", "host", "10.0.0.2", code=1)
        until(process, "Asked why: ")
        cli("down")
        assert "The lab has ended: it was ended by `netless down`" in until(process, "has ended")[-1]
        assert process.wait(20) == 0


def test_packets_are_told_when_they_are_asked_for(cli: Cli) -> None:
    """As one kind among others, in JSON each in a line of its own."""
    cli("up", "container")
    with following(cli, "--json", "--packets", "--only", "step") as process:
        until(process, "Step 1")
        cli("ping", "host", "127.0.0.1")
        (line,) = until(process, "127.0.0.1")
        packet = json.loads(line)
        assert (packet["format"], packet["kind"], packet["position"]) == (1, "packet", "container/netless/name")
        assert packet["text"].startswith("Packet: ping host")


def test_a_lab_that_is_killed_is_an_error_and_one_that_is_not_there_is_refused(cli: Cli) -> None:
    """4 and 5, as every verb ends then; nothing is started. Of JSON each document has a line to itself, the last one too."""
    (refused,) = cli("follow", "--json", code=NO_LAB).stdout.splitlines()
    assert json.loads(refused)["code"] == NO_LAB
    assert cli.lab not in cli("labs").stdout.split()
    cli("up", "container")
    with following(cli, "--json") as process:
        until(process, "Step 1")
        os.kill(cli.json("status")["agent_pid"], signal.SIGKILL)
        assert process.stdout is not None
        *_, ended, failed = map(json.loads, process.stdout)
        assert ended["kind"] == "end" and (failed["error"], failed["code"]) == (KILLED, 4)
        assert process.wait(20) == 4


def test_that_a_lab_was_killed_is_said_once(cli: Cli) -> None:
    """In the last line of all, which tells it from one that was ended in good order; beside the lines nothing is said again."""
    cli("up", "container")
    with following(cli) as process:
        until(process, "Step 1")
        os.kill(cli.json("status")["agent_pid"], signal.SIGKILL)
        told, beside = process.communicate(timeout=20)
        assert told.splitlines()[-1].endswith(f"The lab has ended: {KILLED}") and beside == ""
        assert process.returncode == 4


def test_it_ends_quietly_when_nobody_reads_it_or_somebody_stops_it(cli: Cli) -> None:
    """A closed pipe is noticed while nothing happens; ctrl+c ends it as a shell counts it. No word of a fault."""
    cli("up", "container")
    with following(cli) as process:
        until(process, "Step 1")
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.wait(20) == 0
        assert process.stderr.read() == ""
    with following(cli) as process:
        until(process, "Step 1")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert process.stderr is not None and process.stderr.read().strip() == ""
