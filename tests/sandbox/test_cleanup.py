"""SIGKILL of any process at any moment leaves nothing behind, or a lab that is whole and can be found."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from helpers.checkout import as_here
from netless_lab.sandbox import find
from sandbox.helpers.agent import ENTRY
from sandbox.helpers.alone import Machine, alone, remains
from sandbox.helpers.rooms import ask, room

CLIENT = f"""
import json, time
from netless_lab.sandbox.start import start
started = start("victim", {ENTRY!r}, argument=json.dumps({{"internet": True, "containers": ["c1"]}}))
print("ready", flush=True)
time.sleep(1000)
"""


def begin() -> subprocess.Popen[str]:
    """A client, in a process of its own, that starts a lab."""
    return subprocess.Popen([sys.executable, "-c", CLIENT], env=as_here(), stdout=subprocess.PIPE, text=True)


def others() -> list[int]:
    """Every process there is but this one: all are of the start's making."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]


def end(client: subprocess.Popen[str]) -> None:
    """Kill the client and forget its pipe."""
    client.kill()
    client.wait()
    if client.stdout is not None:
        client.stdout.close()


@pytest.mark.parametrize("seed", range(3))
@alone
def test_a_kill_in_the_middle_of_the_start(seed: int) -> None:
    """Whichever process of a start is killed, at whatever moment, what is left is nothing, or a whole lab that answers."""
    chance = random.Random(seed)
    before = Machine.now()
    for _ in range(8):
        client = begin()
        time.sleep(chance.uniform(0.03, 0.25))
        victim = chance.choice(others())
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        if victim != client.pid and chance.random() < 0.5:
            time.sleep(chance.uniform(0, 0.1))
        end(client)
        time.sleep(0.05)
        deadline = time.monotonic() + 5
        while (labs := find.labs()) and not labs[0].ready and time.monotonic() < deadline:
            time.sleep(0.01)
        if labs:
            assert labs == (find.Found("victim", True),)
            assert ask("victim", {"sh": "ip -br link show eth0"})["code"] == 0, "a lab that was left standing must be whole"
            with find.connect("victim") as sock:
                os.kill(find.peer_pid(sock), signal.SIGKILL)
        assert remains(of=before) == [], f"after SIGKILL of {victim}"


@alone
def test_the_client_dies_while_the_lab_starts() -> None:
    """A starter that is killed before its lab is ready takes the lab along."""
    before = Machine.now()
    for delay in (0.05, 0.08, 0.11, 0.14):
        client = begin()
        time.sleep(delay)
        ready = bool(find.labs()) and find.labs()[0].ready
        end(client)
        if not ready:
            time.sleep(0.3)
            for lab in find.labs():  # it may have become ready between the look and the kill
                with contextlib.suppress(ConnectionError), find.connect(lab.lab) as sock:
                    os.kill(find.peer_pid(sock), signal.SIGKILL)
        else:
            with find.connect("victim") as sock:
                os.kill(find.peer_pid(sock), signal.SIGKILL)
        assert remains(of=before) == []


@alone
def test_a_lab_outlives_its_client() -> None:
    """A client that is killed after the lab was ready changes nothing for the lab."""
    before = Machine.now()
    client = begin()
    assert client.stdout is not None and client.stdout.readline() == "ready\n"
    end(client)
    assert ask("victim", {"sh": "echo here"})["text"] == "here\n"
    with find.connect("victim") as sock:
        os.kill(find.peer_pid(sock), signal.SIGKILL)
    assert remains(of=before) == []


@alone
def test_a_container_that_is_killed_is_gone_and_the_lab_goes_on() -> None:
    """SIGKILL of a container's process frees its namespace; the agent collects it and answers as before."""
    with room("one", containers=["c1"]) as made:
        pid = made.sh("pgrep -x sleep").strip()
        made.sh(f"kill -9 {pid}; for i in $(seq 100); do [ -e /proc/{pid} ] || exit 0; sleep 0.01; done; exit 1")
        assert "Z" not in made.sh("ps -o stat= -e")
        made.sh("lsns -t net -o NPROCS -n | wc -l | grep -x 1")


@pytest.mark.parametrize(
    "attack",
    [
        "kill -9 -1",
        "kill -9 1",
        "kill -STOP 1",
        "kill -INT 1; kill -QUIT 1; kill -USR1 1",
        "python3 -c 'import ctypes; ctypes.CDLL(None).reboot(0x4321fedc)'",
        "rm -rf /run /tmp /etc /dev /usr/bin /home 2>/dev/null",
    ],
)
@alone
def test_the_agent_survives_what_is_done_inside(attack: str) -> None:
    """Nothing a learner does inside ends, stops or blinds the agent; only the lab's own things can be lost."""
    with room("one", containers=["c1"]) as made:
        with contextlib.suppress(Exception):
            ask("one", {"sh": attack})
        assert ask("one", {"facts": 1})["pid"] == made.started.pid
        assert ask("one", {"sh": "echo still here"})["text"] == "still here\n"
        assert os.path.exists("/bin/sh")


BOMB = "bomb() { bomb | bomb & }; bomb >/dev/null 2>&1; sleep 1"
FEW = 700
"""Enough to tell a bomb that is bounded from one that is not, without burdening the machine."""


@alone
def test_a_fork_bomb_stays_inside() -> None:
    """The number of processes in a room is bounded, the machine outside keeps working, and the bomb ends with the lab."""
    before = Machine.now()
    with room(processes=FEW) as made:
        assert ask("test", {"facts": 1})["limits"].startswith(f"at most {FEW} processes")
        with find.connect("test") as sock:
            sock.sendall(json.dumps({"sh": BOMB}).encode() + b"\n")
            time.sleep(1)
        assert 200 < len(others()) <= FEW + 20, "the bomb must have gone off, and be bounded"
        assert subprocess.run(["true"], check=False).returncode == 0
        made.kill()
    assert remains(of=before) == []


@alone
def test_a_fork_bomb_can_be_ended_without_ending_the_lab() -> None:
    """The agent stops the bomb from inside: every process but its own is gone, containers live, and commands work again."""
    with room(processes=FEW, containers=["c1"]) as made:
        with find.connect("test") as sock:
            sock.sendall(json.dumps({"sh": BOMB}).encode() + b"\n")
            time.sleep(1)
        assert ask("test", {"calm": 1}) > 100
        deadline = time.monotonic() + 10
        while len(others()) > 5 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert made.sh("ps -o comm= -e | sort -u").split() == ["bash", "netless-agent", "ps", "sleep", "sort"]


@alone
def test_a_visitors_fork_bomb_leaves_room_for_the_agent() -> None:
    """An ordinary user's bomb, typed in a shell of the lab, does not keep the agent from running commands meanwhile."""
    if os.geteuid() == 0:
        pytest.skip("only root can exceed RLIMIT_NPROC, and this is root")
    with room(processes=FEW) as made:
        way = ask("test", {"join": "host"})
        bomb = subprocess.Popen([*way["argv"], "bash", "-c", BOMB], env={**os.environ, **way["env"]}, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while len(others()) < 200 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert made.sh("echo still here") == "still here\n"
        bomb.kill()
        bomb.wait()
