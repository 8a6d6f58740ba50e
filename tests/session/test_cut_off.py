"""A verb comes while what somebody changed is still being judged: it goes by what is so now, not by what was judged before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.pages import course, front, page, step
from helpers.running import Running, running
from helpers.waiting import eventually
from netless_lab import labs
from netless_lab.protocol import ChangesEvent, Play

pytestmark = pytest.mark.kernel

CABLE = (
    '[{ veth = "veth1", peer = "veth2" }, { move = "veth1", to = "c1" }, { address = "10.0.0.2/24", dev = "veth1", in = "c1" }, '
    '{ address = "10.0.0.1/24", dev = "veth2" }, { up = "veth1", in = "c1" }, { up = "veth2" }, { run = "sysctl -qw net.ipv4.icmp_echo_ignore_all=1", in = "c1" }]'
)
ANSWERS = '[{ run = "sysctl -qw net.ipv4.icmp_echo_ignore_all=0", in = "c1" }, { run = "test ! -e /tmp/wait || cat /tmp/wait" }]'
STEPS = (
    step(id='"cable"', do=CABLE, expect='[{ pair = "veth1", peer = "veth2" }, { up = "veth2" }]'),
    step(id='"answers"', do=ANSWERS, expect='[{ pair = "veth1", peer = "veth2" }]', probe='[{ ping = "10.0.0.2", from = "host" }]'),
    step(id='"last"', do='[{ bridge = "br0" }]', expect='[{ bridge = "br0" }]'),
)
HERE = "post/pings/answers"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Running]:
    """A lab of a course whose second step holds when a container answers pings, which no state but a packet tells."""
    for name, text in course(pings=page(*STEPS, front=front("pings"))).items():
        (tmp_path / name).write_text(text)
    with running(folder=str(tmp_path)) as own:
        yield own


def silenced(lab: Running) -> None:
    """The step had passed; the container answers no more, and a packet is on its way to find that out."""
    lab.goto("pings/answers", end=True)
    lab.events.clear()
    lab.sh("sysctl -qw net.ipv4.icmp_echo_ignore_all=1", "c1")
    assert eventually(lambda: lab.status() and any(isinstance(event, ChangesEvent) and event.who == "learner" for event in lab.events))


def test_run_does_the_step_that_holds_no_more(lab: Running) -> None:
    """Not the one after it, on what is broken."""
    silenced(lab)
    (answer,) = lab.run().verdicts
    assert (answer.position, answer.verdict.result) == (HERE, "pass")
    assert "1 received" in lab.sh("ping -nqc1 -W1 10.0.0.2")


def test_play_puts_back_what_was(lab: Running) -> None:
    """The step did not hold when play mode began, so when it is over the lab is at its start."""
    silenced(lab)
    lab.client.ask(Play(on=True))
    assert "start of" in lab.client.ask(Play(on=False, force=True)).text
    assert lab.sh("sysctl -n net.ipv4.icmp_echo_ignore_all", "c1").strip() == "1"


def test_what_run_had_to_rebuild_first_is_not_the_learners(lab: Running) -> None:
    """The step before was gone: ``run`` builds the lab anew and does the step, slowly. It passes in the meantime, and it is the tutor's."""
    lab.goto("pings/answers")
    answered = "until ping -nqc4 -i0.3 -W1 10.0.0.2 | grep -q '4 received'; do sleep 0.1; done; echo >/tmp/wait"
    lab.sh(f"mkfifo /tmp/wait; ip link del veth2; ({answered}) >/dev/null 2>&1 &")
    (answer,) = lab.run().verdicts
    assert answer.verdict.passed
    record = labs.progress_of(lab.name).step("pings/answers", "post")
    assert (record.by_tutor, record.by_hand) == (1, 0)


def test_back_undoes_what_is_done_and_not_ready() -> None:
    """The tutor's step waits for a bridge with STP: it is that step which ``back`` undoes, and not the one before it too."""
    with running() as lab:
        lab.goto("switch/port-up")
        lab.sh("ip link set br0 type bridge stp_state 1 forward_delay 3000")
        assert lab.run().verdicts[0].verdict.result == "waiting"
        moved = lab.back()
        assert moved.position == "container/switch/port-up" and moved.text.startswith("Undone: "), moved
        assert "UP" not in lab.told("ip -j link show veth2")[0]["flags"]
