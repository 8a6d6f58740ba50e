"""The worst a learner can type: the lab goes on or can be put back by one verb, and nothing outside it changes."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helpers.checkout import CHECKOUT, environment
from helpers.hands import hands, passed
from helpers.running import Running, running
from helpers.waiting import eventually
from netless_lab import labs
from netless_lab.client import Refused
from netless_lab.model.probe import Ping
from netless_lab.protocol import Notice, SendProbe
from netless_lab.sandbox.limits import means_for
from sandbox.helpers.alone import alone_as_root
from scenarios.door import open_the_door, stands_at_the_door, with_a_door

pytestmark = pytest.mark.kernel


@pytest.fixture
def sentinel() -> Iterator[Path]:
    """Something dear to somebody outside, in a place that can be seen from inside."""
    path = Path.home() / f".netless-sentinel-{uuid.uuid4().hex}"
    path.write_text("precious")
    yield path
    path.unlink()


def attack(lab: Running, command: str, *, node: str = "host", seconds: float = 30) -> subprocess.CompletedProcess[bytes]:
    """Type something terrible, after making sure that it is typed inside the lab."""
    assert lab.sh("hostname").strip() == "host" and lab.sh("cat /proc/1/comm").strip() == "netless-agent"
    entry = lab.entry(node)
    return subprocess.run(
        [*entry.argv, "sh", "-c", command], env={**os.environ, **entry.env}, capture_output=True, timeout=seconds, check=False
    )


def newcomer(lab: Running) -> str:
    """What somebody is told who wants to start something: "no room" when nothing more may start, and never a traceback."""
    entry = lab.entry("host")
    argv = [*entry.argv, "sh", "-c", "for i in 1 2 3 4 5; do sleep 0.1 & done; wait"]
    done = subprocess.run(argv, env={**os.environ, **entry.env}, capture_output=True, text=True, timeout=30, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return "no room" if "fork" in done.stderr or "no other process" in done.stderr else done.stderr


def machine(*files: Path) -> str:
    """What of the machine must not change: some files, its /etc, its host name, its switches."""
    told = [path.read_bytes() for path in (*files, CHECKOUT / "README.md", Path("/proc/sys/net/ipv4/ip_forward"))]
    etc = sorted(f"{entry.name} {entry.stat(follow_symlinks=False).st_mtime_ns}" for entry in os.scandir("/etc"))
    pids = Path("/proc/sys/kernel/pid_max").read_text()
    return hashlib.sha256(b"".join(told) + repr((etc, os.uname().nodename, pids)).encode()).hexdigest()


def whole(lab: Running) -> bool:
    """Whether one verb brings everything back: the lab is built to the end of the internet, and packets prove it."""
    lab.goto("container/internet", end=True)
    return lab.pings("198.51.100.10") and "198.51.100.10" in lab.sh("getent hosts example.test", "c1")


def test_everything_is_removed(lab: Running, sentinel: Path) -> None:
    """``rm -rf /``: the machine keeps every file, shells can still be opened, goto puts the lab's own files back and says so."""
    lab.goto("switch", end=True)
    before = machine(sentinel)
    attack(lab, "rm -rf --no-preserve-root /etc /run /tmp /dev /var/tmp /home; timeout 3 rm -rf --no-preserve-root /")
    assert machine(sentinel) == before
    assert lab.sh("/bin/echo still here").strip() == "still here"
    assert "hosts" not in lab.sh("ls /etc").split()
    lab.events.clear()
    assert whole(lab)
    assert any(isinstance(event, Notice) and "put back" in event.text for event in lab.events)
    assert lab.sh("id -un").strip() == "root" and "default" in lab.sh("netless --version; ip route")


def test_everybody_is_killed(lab: Running) -> None:
    """``kill -9 -1``: containers and shells end, the lab does not; it says who was killed and what helps, and that does help."""
    lab.goto("switch", end=True)
    with hands(lab) as shell:
        attack(lab, "kill -9 -1")
        assert eventually(lambda: not shell.alive)
    assert eventually(lambda: sum("was killed" in notice for notice in lab.status().notices) == 2)
    assert all("reset" in notice for notice in lab.status().notices)
    assert whole(lab)
    assert lab.status().notices == ()


def test_every_link_and_rule_is_deleted(lab: Running) -> None:
    """``ip link del`` of everything in every namespace, ``nft flush ruleset``, renamed and stolen interfaces: one goto mends all."""
    for damage in (
        "for i in $(ls /sys/class/net); do ip link del $i; done; ip -n c1 link del veth1; nft flush ruleset",
        "ip link set eth0 netns c1; ip link set lo down; ip addr flush dev lo; nft flush ruleset",
        "ip link set eth0 down; ip link set eth0 name weird0; ip -n c1 link set lo down; ip route flush table all; ip rule flush",
    ):
        lab.goto("internet", end=True)
        attack(lab, damage)
        assert whole(lab), damage


BOMB = """
import os, time
while True:
    try:
        os.fork()
    except OSError:
        time.sleep(0.3)
"""


THREADS = """
import threading, time
threading.stack_size(65536)
while True:
    try:
        threading.Thread(target=time.sleep, args=(1e6,)).start()
    except RuntimeError:
        time.sleep(0.3)
"""


@contextmanager
def bombed(lab: Running, gone_off: Callable[[], bool], bomb_of: str = BOMB) -> Iterator[None]:
    """A fork bomb, typed in the host, that has gone off. Who started it is killed at the end, which does not end the bomb."""
    entry = lab.entry("host")
    with subprocess.Popen(
        [*entry.argv, "python3", "-c", bomb_of],
        env={**os.environ, **entry.env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as bomb:  # fmt: skip
        try:
            assert eventually(gone_off)
            yield
        finally:
            bomb.kill()


@pytest.mark.rootless
def test_a_fork_bomb_is_bounded(lab: Running) -> None:
    """A fork bomb stops at the pid limit, which the status names; the agent answers meanwhile, and the bomb can be cleared away."""
    lab.goto("switch", end=True)
    assert "1500 processes" in lab.status().limits
    with bombed(lab, lambda: "no room" in newcomer(lab)):
        assert lab.status().position == "container/switch/port-up", "looking goes on"
    assert whole(lab)


@pytest.mark.parametrize("bomb", [BOMB, THREADS], ids=["of processes", "of threads"])
def test_what_fills_the_lab_ends_with_a_reset_of_the_step_which_says_so_before(lab: Running, bomb: str) -> None:
    """Though nothing else differs from the step's start: what runs is in the list of what goes, and then there is room again."""
    lab.goto("netless/name")
    with bombed(lab, lambda: "no room" in newcomer(lab), bomb):
        assert [line for line in lab.what_goes().going if "the program `python" in line and line.endswith(" in host")]
        assert lab.reset("step").text.startswith("Reset:")
        assert newcomer(lab) == "" and lab.what_goes().going == ()


def nothing_starts() -> bool:
    """Whether the kernel refuses another process to us, outside the lab."""
    try:
        subprocess.run(["true"], check=True)
    except BlockingIOError:
        return True
    return False


@alone_as_root
def test_a_fork_bomb_that_meets_the_machines_bound_first() -> None:
    """Where less may run around the lab than it may have itself, a bomb fills it long before its own limit: what cannot be done for
    want of a thread says so, and is no fault of ours; goto clears that away too.
    """
    if means_for(os.uname().release) != "pid_max":
        pytest.skip("before Linux 6.14 this number is the whole machine's")
    Path("/proc/sys/kernel/pid_max").write_text("700", encoding="ascii")
    with running() as lab:
        lab.goto("switch", end=True)
        assert "1500 processes" in lab.status().limits
        with bombed(lab, nothing_starts):
            assert sum(name.isdecimal() for name in os.listdir("/proc")) < 700, "far fewer than the lab itself may have"
            with pytest.raises(Refused) as told:
                lab.client.ask(SendProbe(Ping("c1", "10.0.0.1"), True))
            assert told.value.code == 3 and "nothing more can be started" in str(told.value) and "RuntimeError" not in str(told.value)
        assert whole(lab)


def test_floods_of_output(lab: Running) -> None:
    """A line of 10 MB and binary rubbish pass through ``exec`` unchanged, and the lab answers after it."""
    done = attack(lab, "head -c 10000000 /dev/zero | tr '\\0' x; echo; head -c 1000000 /dev/urandom")
    line, _, binary = done.stdout.partition(b"\n")
    assert len(line) == 10_000_000 and len(binary) == 1_000_000
    assert lab.status().lab == lab.name


def test_a_request_of_ten_megabytes(lab: Running) -> None:
    """A client that sends a line too long, binary rubbish or nothing is cut off or told; others do not notice."""
    for rubbish in (b"x" * 10_000_000 + b"\n", os.urandom(100_000) + b"\n", b"\n\n\n", b'{"type":"hello","version":99}\n'):
        sock = labs.connect(lab.name)
        assert sock is not None
        with sock:
            sock.settimeout(5)
            try:
                sock.sendall(rubbish)
                answer = sock.recv(65536)
            except OSError:
                answer = b""
        assert answer == b"" or b'"failed"' in answer
    assert lab.status().lab == lab.name


def test_things_mounted_over_the_lab(lab: Running, sentinel: Path) -> None:
    """File systems mounted over /run, /proc and /etc, full ones, another host name, a frozen everything: one goto mends all."""
    before = machine(sentinel)
    for damage in (
        "mount -t tmpfs none /run; mount -t tmpfs none /etc; mount -t tmpfs none /proc; umount -l /sys /dev",
        "dd if=/dev/zero of=/tmp/big bs=1M count=500; dd if=/dev/zero of=/etc/big bs=1M count=100",
        "hostname evil; chmod 000 /run/netless /etc; chroot /proc",
        "for p in $(ls /proc | grep '^[0-9]*$'); do [ $p = $$ ] || kill -STOP $p; done",
    ):
        lab.goto("switch", end=True)
        attack(lab, damage)
        assert whole(lab), damage
        assert lab.sh("hostname").strip() == "host"
    assert machine(sentinel) == before


def netless(name: str, *words: str) -> subprocess.Popen[str]:
    """A verb of the command line, started."""
    argv = [sys.executable, "-m", "netless", "--lab", name, *words]
    return subprocess.Popen(argv, env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.rootless
def test_the_lab_is_killed_under_a_verb(tmp_path: Path) -> None:
    """SIGKILL of the agent while a command waits for it: a sentence and the way on, no traceback, exit code 4; and shells end."""
    with running(folder=with_a_door(tmp_path)) as lab, hands(lab) as shell:
        with netless(lab.name, "run", "--all") as verb:
            assert stands_at_the_door(lab) and "running" in lab.status().busy
            os.kill(lab.status().agent_pid, signal.SIGKILL)
            _, said = verb.communicate(timeout=20)
        assert verb.returncode == 4 and "up` starts a new lab" in said and "Traceback" not in said, said
        assert eventually(lambda: not shell.alive)


def test_ctrl_c_during_a_verb(tmp_path: Path) -> None:
    """A5: ctrl-c while a step runs: no traceback, exit code 130, the step is done to its end, and the lab is in order."""
    with running(folder=with_a_door(tmp_path)) as lab:
        with netless(lab.name, "run", "--all") as verb:
            assert stands_at_the_door(lab)
            verb.send_signal(signal.SIGINT)
            _, said = verb.communicate(timeout=20)
        assert verb.returncode == 130 and "Traceback" not in said, said
        assert "running" in lab.status().busy
        open_the_door(lab)
        assert eventually(lambda: lab.status().busy == "" and passed(lab))
        assert lab.links() >= {"late", "veth1"}
        lab.reset("lab")
        assert lab.links() == {"lo", "eth0"} and lab.run().verdicts[0].verdict.result == "pass"
