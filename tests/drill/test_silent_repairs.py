"""Repairs that the kernel tells nobody of are noticed when the command ends that brought them about, and nobody has to ask for a check."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from helpers.running import Running
from helpers.waiting import eventually
from netless_lab import join
from netless_lab.protocol import Break, FaultStatus, Mend, ProbeEvent

pytestmark = pytest.mark.kernel

REPAIRS = {
    "path-remembered": "ip netns exec c1 ip route flush cache",
    "old-flow": "conntrack -D -p udp --dport 5000 2>/dev/null",
}


def broken(lab: Running, name: str) -> None:
    """The lab with this fault in it, and the judge at rest, who looks again a few times after a change: a check that finds it ill ends that."""
    lab.client.ask(Break(name, node="c1" if name == "path-remembered" else "", drill=True, force=True))
    assert lab.check().verdicts[0].verdict.result == "fail"


def fault(lab: Running) -> FaultStatus:
    """What is told of the drill."""
    told = lab.status().fault
    assert told is not None
    return told


@contextmanager
def at_a_prompt(lab: Running, *shell: str) -> Iterator[int]:
    """A shell of somebody's own on a terminal of the lab, as the app's terminals are; what is written to this is typed."""
    entry = lab.entry("host")
    near, far = pty.openpty()
    running = subprocess.Popen([*entry.argv, *shell], env={**os.environ, **entry.env}, stdin=far, stdout=far, stderr=far, start_new_session=True)
    os.close(far)
    try:
        yield near
    finally:
        running.kill()
        running.wait()
        os.close(near)


@pytest.mark.parametrize("shell", ["sh -i", "bash --norc -i", "sh -c bash"])
@pytest.mark.parametrize("name", REPAIRS)
def test_a_command_at_a_terminal(lab: Running, name: str, shell: str) -> None:
    """In any shell, also one that another has started."""
    with at_a_prompt(lab, *shell.split()) as typed:
        assert eventually(lambda: b"#" in os.read(typed, 4096))
        broken(lab, name)
        os.write(typed, f"{REPAIRS[name]}\n".encode())
        assert eventually(lambda: fault(lab).healthy)
    lab.client.ask(Mend())


def test_while_commands_go_on(lab: Running) -> None:
    """One command after the other ends at a terminal, faster than a silence is judged: what was repaired meanwhile is judged all the same."""
    lab.goto("internet/firewall", end=True)
    lab.sh("nft 'add table ip deaf; add chain ip deaf input { type filter hook input priority 0; policy drop; }'", node="c1")
    assert not lab.check().verdicts[0].verdict.passed
    with at_a_prompt(lab, "sh", "-c", "while :; do /bin/true; echo '#'; done") as going:
        assert eventually(lambda: b"#" in os.read(going, 4096))
        lab.sh("nft delete table ip deaf", node="c1")
        assert eventually(lambda: os.read(going, 65536) and (verdict := lab.status().verdict) is not None and verdict.passed)


def test_packets_sent_for_commands_that_brought_nothing_about_are_not_shown(lab: Running) -> None:
    """In a lesson whose packet is lost each command that ends has it sent again (c1's own counter says so); it is told only when something became of it."""

    def heard() -> int:
        return int(lab.sh("nft list chain ip deaf input", node="c1").split("packets ")[1].split()[0])

    def rises(before: int) -> bool:
        return eventually(lambda: heard() > before)

    def told() -> list[ProbeEvent]:
        lab.status()
        return [event for event in lab.events if isinstance(event, ProbeEvent)]

    lab.goto("internet/firewall", end=True)
    lab.sh("nft 'add table ip deaf; add chain ip deaf input { type filter hook input priority 0; policy accept; }; add rule ip deaf input counter drop'", node="c1")
    for _ in ("the change is seen by this check, and a reason to judge again", "all that was changed is judged"):
        assert not lab.check().verdicts[0].verdict.passed
    with at_a_prompt(lab, "sh", "-i") as typed:
        assert eventually(lambda: b"#" in os.read(typed, 4096))
        lab.status()
        lab.events.clear()
        for _ in ("sent", "told of, if it were, before it is sent once more"):
            before = heard()
            os.write(typed, b"/bin/true\n")
            assert rises(before)
        assert told() == []
    lab.sh("nft flush chain ip deaf input", node="c1")
    assert eventually(told)


@pytest.mark.parametrize("name", REPAIRS)
def test_a_command_that_is_run_from_outside(lab: Running, name: str) -> None:
    """``netless exec``, on no terminal."""
    broken(lab, name)
    entry = join.command(lab.name, "host", stay=True)
    subprocess.run([*entry, "sh", "-c", REPAIRS[name]], env={**os.environ, **join.environment(lab.name, "host")}, stdin=subprocess.DEVNULL, check=True)
    assert eventually(lambda: fault(lab).healthy)
    lab.client.ask(Mend())
