"""The course typed by hand: every command the lessons show, in a plain shell, with ping and curl as the only witnesses.

Nothing of the lab's kernel half takes part. What the prose claims about replies and silence must be true on this kernel.
"""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from helpers.sandboxed import container, sandboxed, sh
from netless_lab.course.folder import read_course
from netless_lab.course.step import Course, ProbeCheck, Step
from netless_lab.model.probe import Fetch, Ping
from netless_lab.primitives.base import Dialect, Where
from netless_lab.primitives.namespace import StartContainer
from netless_lab.primitives.resolver import SetResolver

FOLDER = Path(__file__).resolve().parents[2] / "lessons" / "container"
SITE = "198.51.100.10"
SERVER = f"""
import http.server
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.client_address[0].encode())
    def log_message(self, *words): ...
server = http.server.ThreadingHTTPServer(("{SITE}", 80), Page)
print("ready", flush=True)
server.serve_forever()
"""


def course() -> Course:
    """The course ``container``."""
    found = read_course({path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}).course
    assert found is not None
    return found


@contextmanager
def machine() -> Iterator[dict[str, int]]:
    """A pretend host with its way out: a router that does not know 10.0.0.0/24, and a web page behind it. Yields pids by node."""
    sh("ip link set lo up; mkdir -p /run/netns")
    with container("internet") as internet, container("c1") as c1:
        sh(f"""
            ip link add eth0 type veth peer name up0
            ip link set up0 netns {internet}
            ip addr add 203.0.113.2/24 dev eth0
            ip link set eth0 up
            nsenter -t {internet} -n sh -ec 'ip link set lo up; ip addr add 203.0.113.1/24 dev up0; ip link set up0 up
                ip addr add {SITE}/32 dev lo; sysctl -qw net.ipv4.ip_forward=1'
            ip route add default via 203.0.113.1
            sysctl -qw net.ipv4.ip_forward=0
        """)
        page = subprocess.Popen(["nsenter", "-t", str(internet), "-n", sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
        assert page.stdout is not None and page.stdout.readline() == "ready\n"
        try:
            yield {"internet": internet, "c1": c1}
        finally:
            page.kill()
            page.wait()
            page.stdout.close()


def type_in(step: Step, dialect: Dialect, pids: dict[str, int]) -> None:
    """Do a step as a learner does. The file of a container's name servers is left alone: these containers share the machine's."""
    for action in step.do:
        if isinstance(action, SetResolver):
            continue
        where = Where(names={name.name: name.name for name in Path("/run/netns").iterdir()}, pids=pids)
        for line in action.commands(dialect, where):
            sh(line.replace(" &", " >/dev/null 2>&1 &"))
        if isinstance(action, StartContainer):
            pids[action.node] = _pid_of(action.node)


def _pid_of(hostname: str) -> int:
    """The process that runs under a host name of its own."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if (folder / "comm").read_text() == "sleep\n" and sh(f"nsenter -t {folder.name} -u hostname").strip() == hostname:
                    return int(folder.name)
        time.sleep(0.02)
    raise AssertionError(f"no process under the host name {hostname}")


def answered(check: ProbeCheck, pids: dict[str, int]) -> bool | None:
    """Whether a packet of this kind is answered now; None for what this machine does not serve."""
    enter = f"nsenter -t {pids[check.probe.node]} -n " if check.probe.node in pids else ""
    match check.probe:
        case Ping(to=to):
            return _succeeds(f"{enter}ping -n -c1 -W0.3 {to}")
        case Fetch(url=url) if SITE in url:
            page = _output(f"{enter}curl -s -m2 {url}")
            return page == (check.seen_as or page) != ""
    return None


def _succeeds(command: str) -> bool:
    return subprocess.run(command.split(), capture_output=True, check=False).returncode == 0


def _output(command: str) -> str:
    return subprocess.run(command.split(), capture_output=True, text=True, check=False).stdout


def holds(check: ProbeCheck, pids: dict[str, int]) -> bool:
    """Whether the lesson told the truth; a reply may take until the port forwards."""
    end = time.monotonic() + 3
    while True:
        result = answered(check, pids)
        if result is None or result == check.reply:
            return True
        if not check.reply or time.monotonic() > end:
            return False


@pytest.mark.parametrize("dialect", ["ip", "legacy"])
@sandboxed
def test_what_the_lessons_say_happens(dialect: Dialect) -> None:
    """Typed from first step to last, every ping is answered or not answered as the step says, in both dialects."""
    with machine() as pids:
        for lesson in course().lessons:
            for step in lesson.steps:
                type_in(step, dialect, pids)
                controls = [ProbeCheck(check.control) for check in step.probes if check.control]
                for check in (*step.probes, *controls):
                    assert holds(check, pids), f"{lesson.id}/{step.id}: {check}"


@sandboxed
def test_the_hand_on_the_prose() -> None:
    """The indented commands of the prose, the looks included, all work where they stand (the names filled in)."""
    with machine() as pids:
        for lesson in course().lessons:
            for step in lesson.steps:
                type_in(step, "ip", pids)
                for line in _looks(step):
                    assert "usage" not in _attempt(line.replace("PID", str(pids["c1"]))).lower(), f"{lesson.id}/{step.id}: {line}"


def _looks(step: Step) -> list[str]:
    """The lines of a step's prose that only look."""
    lines = [line.strip() for line in re.findall(r"(?m)^ {4}(\S.*)$", textwrap.dedent(step.prose))]
    only = re.compile(r"^(ip (-\S+ )*(-n c1 )?(-br )?(addr|link|neigh|route get \S+)$|stat |bridge |nstat |ip netns pids)")
    return [line for line in lines if only.match(line)]


def _attempt(line: str) -> str:
    """What a command says when it fails, else nothing."""
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""
