"""SIGKILL of any process at any moment leaves nothing behind, or a lab that is whole and can be found."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers.checkout import as_here
from helpers.waiting import PATIENCE_S, eventually
from netless_lab import join
from netless_lab.sandbox import find
from sandbox.helpers.agent import ENTRY
from sandbox.helpers.alone import Machine, alone, remains
from sandbox.helpers.rooms import ask, room

CLIENT = f"""
import sys, time
from netless_lab.sandbox.start import start
started = start("victim", {ENTRY!r}, argument=sys.argv[1], seconds=1000)
print("ready", flush=True)
time.sleep(1000)
"""


def begin(**asked: object) -> subprocess.Popen[str]:
    """A client, in a process of its own, that starts a lab."""
    argv = [sys.executable, "-c", CLIENT, json.dumps({"internet": True, "containers": ["c1"], **asked})]
    return subprocess.Popen(argv, env=as_here(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def others() -> list[int]:
    """Every process there is but this one: all are of the start's making."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]


def sight() -> frozenset[tuple[str, ...]]:
    """What a start looks like from outside: its name, its processes, what they call themselves and where they live."""
    found: set[tuple[str, ...]] = {("lab", str(lab)) for lab in find.labs()}
    for pid in others():
        told = [str(pid)]
        with contextlib.suppress(OSError):
            told.append(Path(f"/proc/{pid}/comm").read_text().strip())
            told += [os.readlink(f"/proc/{pid}/ns/{kind}") for kind in ("user", "mnt", "net", "uts")]
        found.add(tuple(told))
    return frozenset(found)


def until(change: int, over: Callable[[frozenset[tuple[str, ...]]], bool]) -> bool:
    """Wait until what is seen has changed so many times; False when it was ``over`` before."""
    last = sight()
    while change and not over(last):
        now = sight()
        change, last = change - (now != last), now
    return not change


def end(client: subprocess.Popen[str]) -> None:
    """Kill the client and forget its pipe."""
    client.kill()
    client.wait()
    if client.stdout is not None:
        client.stdout.close()


def whole() -> bool:
    """Whether a lab is there, answers, and has all that was asked for."""
    with contextlib.suppress(OSError, ValueError):
        return bool(ask("victim", {"sh": "ip -br link show eth0"})["code"] == 0)
    return False


@pytest.mark.parametrize("seed", range(2))
@alone
def test_a_kill_in_the_middle_of_the_start(seed: int) -> None:
    """Whichever process of a start is killed, after whatever change of its looks, what is left is nothing, or a whole lab that answers."""
    chance = random.Random(seed)
    before = Machine.now()
    reached = True
    for change in itertools.count(1):
        client = begin()

        assert client.stdout is not None

        def over(_: frozenset[tuple[str, ...]], said: int = client.stdout.fileno()) -> bool:
            return bool(select.select([said], [], [], 0)[0])  # "ready", or its end

        reached = until(change, over)
        victim = chance.choice(others())
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        if victim != client.pid and chance.random() < 0.5:
            until(2, over)
        end(client)
        assert eventually(lambda: not Machine.now().beyond(before) or whole()), f"after SIGKILL of {victim}: {Machine.now().beyond(before)}"
        with contextlib.suppress(find.NoSuchLab), find.connect("victim") as sock:
            os.kill(find.peer_pid(sock), signal.SIGKILL)
        assert remains(of=before) == [], f"after SIGKILL of {victim}"
        if not reached:
            break


def status_of(pid: int) -> dict[str, str]:
    """What /proc/PID/status says, by its names; nothing of a process that is gone."""
    try:
        return dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    except (FileNotFoundError, ProcessLookupError):
        return {}


def helper_inside() -> tuple[int, int] | None:
    """A process of the room that is not its PID 1, and its parent, which is outside: the one that mounts /proc, and the builder. None while there is none."""
    for pid in others():
        found = status_of(pid)
        if len(numbers := found.get("NSpid", "").split()) == 2 and numbers[1] != "1" and len(status_of(int(found["PPid"])).get("NSpid", "").split()) == 1:
            return pid, int(found["PPid"])
    return None


@alone
def test_nobody_outside_has_to_collect_what_a_start_leaves() -> None:
    """The builder is killed when the process that it sent into the room has ended: that one is collected by the lab itself, so the start fails
    at once. This test is the machine's PID 1 here, and collects nobody, as in a container whose first program is no init.
    """
    before = Machine.now()
    for _ in range(50):
        client = begin()
        assert client.stdout is not None
        output = client.stdout
        while (found := helper_inside()) is None and not select.select([output], [], [], 0)[0]:
            pass
        uncollected = False
        if found is not None:
            inside, builder = found
            with contextlib.suppress(ProcessLookupError):
                os.kill(builder, signal.SIGSTOP)
            assert eventually(lambda inside=inside: status_of(inside).get("State", "")[:1] in ("", "Z"))  # type: ignore[misc]
            uncollected = bool(status_of(inside))
            with contextlib.suppress(ProcessLookupError):
                os.kill(builder, signal.SIGKILL)
        assert select.select([output], [], [], PATIENCE_S)[0], "the client still waits"
        failed = not output.readline()
        end(client)
        with contextlib.suppress(find.NoSuchLab), find.connect("victim") as sock:
            os.kill(find.peer_pid(sock), signal.SIGKILL)
        assert remains(of=before) == []
        if uncollected and failed:
            return
    raise AssertionError("the builder was never killed between the end of its child and its own word about it")


@alone
def test_the_client_dies_while_the_lab_starts() -> None:
    """A starter that is killed before its lab is ready takes the lab along: after every change of its looks, up to the agent's own work."""
    before = Machine.now()
    reached = True
    for change in itertools.count(1):
        client = begin(fail="wait")
        reached = until(change, lambda seen: any("netless-agent" in told for told in seen))
        assert client.poll() is None, "the client waits for a lab that will never be ready"
        end(client)
        assert remains(of=before) == []
        if not reached:
            break


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
        made.sh(f"kill -9 {pid}")
        assert eventually(lambda: made.code(f"[ -e /proc/{pid} ]") == 1), "the agent collects it"
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


BOMB = "bomb() { bomb | bomb & }; bomb >/dev/null 2>&1; sleep 1000"
FEW = 700
"""Enough to tell a bomb that is bounded from one that is not, without burdening the machine."""
MANY = 200
"""So many processes are a bomb that has gone off."""


@contextlib.contextmanager
def bombed(lab: str) -> Iterator[None]:
    """A fork bomb, typed in the host, that has gone off."""
    with find.connect(lab) as sock:
        sock.sendall(json.dumps({"sh": BOMB}).encode() + b"\n")
        assert eventually(lambda: len(others()) > MANY), "the bomb must have gone off"
        yield


@alone
def test_a_fork_bomb_stays_inside() -> None:
    """The number of processes in a room is bounded, the machine outside keeps working, and the bomb ends with the lab."""
    before = Machine.now()
    with room(processes=FEW) as made:
        assert ask("test", {"facts": 1})["limits"].startswith(f"at most {FEW} processes")
        with bombed("test"):
            assert max(len(others()) for _ in range(300)) <= FEW + 20, "and be bounded"
        assert subprocess.run(["true"], check=False).returncode == 0
        made.kill()
    assert remains(of=before) == []


@alone
def test_a_fork_bomb_can_be_ended_without_ending_the_lab() -> None:
    """The agent stops the bomb from inside: every process but its own is gone, containers live, and commands work again."""
    with room(processes=FEW, containers=["c1"]) as made:
        with bombed("test"):
            pass
        assert ask("test", {"calm": 1}) > MANY / 2
        assert eventually(lambda: set(made.sh("ps -o comm= -e").split()) == {"netless-agent", "ps", "sleep"})


FORKS = """
import os, sys, time
born = []
try:
    while len(born) < int(sys.argv[1]):
        pid = os.fork()
        if pid == 0:
            time.sleep(1000)
            os._exit(0)
        born.append(pid)
except BlockingIOError:
    pass
print(len(born))
for pid in born:
    os.kill(pid, 9)
"""
"""Forks so many times, or as often as it may, and says how often."""


@alone
def test_the_bound_is_none_that_root_inside_may_raise() -> None:
    """Root inside may write his own pid namespace's pid_max (namespaced since Linux 6.14); what the agent starts is bounded all the same."""
    with room(processes=FEW) as made:
        made.code("echo 100000 > /proc/sys/kernel/pid_max")
        forked = int(made.sh(f"python3 -I -S -c '{FORKS}' {FEW + 100}"))
        assert MANY < forked < FEW
        assert made.sh("echo still here") == "still here\n"


@alone
def test_a_node_has_no_more_processes_than_a_visitor() -> None:
    """Whoever makes the process that is a node his own (ptrace(2)) takes nothing of what is left to the agent."""
    with room(processes=FEW, containers=["c1"]) as made:
        limits = made.sh("cat /proc/$(pgrep -x sleep)/limits")
        visitors = subprocess.run(
            [*join.command("test", "c1"), "cat", "/proc/self/limits"],
            env={**os.environ, **join.environment("test", "c1")}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True,
        ).stdout  # fmt: skip
        most = [next(line.split()[2:4] for line in own.splitlines() if line.startswith("Max processes")) for own in (limits, visitors)]
        assert most[0] == most[1]
        assert all(int(number) < FEW for number in most[0])


@pytest.mark.parametrize("first", ["true", "echo 100000 > /proc/sys/kernel/pid_max"])
@alone
def test_a_visitors_fork_bomb_leaves_room_for_the_agent(first: str) -> None:
    """A bomb, typed in a shell of the lab, does not keep the agent from running commands meanwhile, nor from ending it."""
    with room(processes=FEW) as made:
        made.code(first)
        bomb = subprocess.Popen(
            [*join.command("test", "host"), "bash", "-c", BOMB],
            env={**os.environ, **join.environment("test", "host")},
            stdin=subprocess.DEVNULL,
        )
        assert eventually(lambda: len(others()) > MANY), "the bomb must have gone off"
        assert made.sh("echo still here") == "still here\n"
        assert ask("test", {"calm": 1}) > MANY / 2
        bomb.kill()
        bomb.wait()
        assert eventually(lambda: "bash" not in made.sh("ps -o comm= -e").split())
