"""The judge on bad days: slow ports, probes that cannot run, foreign tongues, a fault of its own. Never a false word, never silence."""

from __future__ import annotations

import subprocess
import time

import pytest

from helpers import checkout
from helpers.hands import accepted, passed
from helpers.running import Running, running
from helpers.waiting import eventually
from netless_lab import labs
from netless_lab.client import Refused
from netless_lab.course.verdict import Verdict
from netless_lab.protocol import GetFaults, Play

pytestmark = pytest.mark.kernel


def netless(lab: Running, *words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A verb of the command line, in a process of its own."""
    return checkout.netless(*words, lab=lab.name, env=env)


def test_a_port_under_stp_is_waited_for(lab: Running) -> None:
    """C2: with spanning tree a port listens and learns first; the verdict says what is waited for, fails nobody, and then passes."""
    lab.goto("switch/port-up")
    lab.sh("ip link set br0 type bridge stp_state 1 forward_delay 300; ip link set veth2 up")
    assert eventually(lambda: "listening" in lab.sh("bridge link show dev veth2"))
    seen: list[Verdict] = []
    end = time.monotonic() + 60
    while (verdict := lab.status().verdict) is None or not verdict.passed:
        assert time.monotonic() < end, seen[-1:]
        if verdict is not None and all(item.result == "pass" for item in verdict.items[:2]):
            seen.append(verdict)
            assert verdict.result == "waiting", verdict
        time.sleep(0.1)
    assert any("STP" in item.claim and " s more" in item.claim for verdict in seen for item in verdict.items)
    assert lab.pings("10.0.0.1")


@pytest.mark.parametrize("verb", ["goto nowhere", "check cable/pair", "break no-such-fault"])
def test_a_verb_that_judges_nothing_here_ends_no_waiting(lab: Running, verb: str) -> None:
    """Whoever asks for something else while a port ripens, or for what there is not, gets his answer; the step passes by itself all the same."""
    lab.goto("switch/port-up")
    lab.sh("ip link set br0 type bridge stp_state 1 forward_delay 200; ip link set veth2 up")
    assert eventually(lambda: (verdict := lab.status().verdict) is not None and verdict.result == "waiting")
    assert netless(lab, *verb.split()).returncode in (0, 2)
    assert eventually(lambda: passed(lab), 60), lab.status().verdict


MUTE = "nft add table ip mute; nft 'add chain ip mute o { type filter hook output priority 0; policy drop; }'"


def test_silence_that_is_the_goal_and_cannot_be_asked_for_is_an_error(lab: Running) -> None:
    """C3: the container that had to ask may not send on that way, or is dead: where silence is the goal that is an error (3), never a pass."""
    lab.goto("neighbour/no-router", end=True)
    lab.sh(MUTE + "; nft insert rule ip mute o ip daddr 10.0.0.3 accept", "c1")
    checked = netless(lab, "check")
    assert checked.returncode == 3, checked
    assert "✓ 198.51.100.10 does not answer c1" not in checked.stdout and "proves nothing" in checked.stdout
    lab.goto("neighbour/no-router", end=True)
    lab.sh(f"kill -9 {next(node.pid for node in lab.status().nodes if node.name == 'c1')}")
    checked = netless(lab, "check")
    assert checked.returncode in (1, 3) and "c1" in checked.stdout, checked
    assert not passed(lab)


def test_silence_that_was_only_to_be_seen_and_cannot_be_is_no_tick(lab: Running) -> None:
    """C3: what only shows why a step is needed decides nothing; but that nobody answered is not claimed when nobody could ask."""
    lab.goto("switch/bridge")
    lab.sh(MUTE, "c1")
    lab.sh("brctl addbr br0")
    checked = netless(lab, "check")
    assert checked.returncode == 0 and "✓ br0 on the host is a bridge" in checked.stdout, checked
    assert "✓ 10.0.0.1 does not answer c1" not in checked.stdout and "- 10.0.0.1 does not answer c1" in checked.stdout


def test_ping_that_lies_convinces_nobody(lab: Running) -> None:
    """C11, C6: no verdict is read from what ping(8) prints: a ping that always claims success, and one that speaks German."""
    liar = "#!/bin/sh\necho '1 packets transmitted, 1 received, 0% packet loss'"
    lab.goto("switch/port-up")
    lab.sh(f"printf '%s\\n' \"{liar}\" > /run/netless/bin/ping; chmod +x /run/netless/bin/ping; ip link set br0 down; ip link set veth2 up")
    assert "1 received" in lab.sh("ping 10.0.0.2")
    assert eventually(lambda: (verdict := lab.status().verdict) is not None and verdict.result == "fail" and "br0" in str(verdict.items))
    lab.sh("ip link set br0 up; rm /run/netless/bin/ping")
    accepted(lab, "the bridge is up again")


def test_the_language_of_the_machine_matters_not() -> None:
    """C11: started under a German locale, every lesson's end passes all its checks."""
    tongue = {"LANG": "de_DE.UTF-8", "LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de:fr", "LC_NUMERIC": "de_DE.UTF-8"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in tongue.items():
            patch.setenv(name, value)
        with running() as lab:
            for lesson in lab.status().course.lessons:
                lab.goto(lesson.id, end=True)
                assert all(answer.verdict.result == "pass" for answer in lab.check(lesson.id).verdicts), lesson.id


def test_a_check_cannot_hang(lab: Running) -> None:
    """C9: every packet is swallowed without a word; check, fetch and lookup included, still ends, and says what it saw."""
    lab.goto("internet", end=True)
    lab.sh("nft add table ip hole; nft 'add chain ip hole p { type filter hook prerouting priority -400; policy drop; }'")
    items = lab.check().verdicts[0].verdict.items
    assert [item.result for item in items] == ["pass", "fail", "fail"]
    assert all(item.seen for item in items[1:])


def test_a_fault_of_ours_is_called_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """C10: when netless itself fails it says that it was netless, with code 4, and the lab, its progress and its verbs go on."""
    monkeypatch.setattr(labs, "ENTRY", "helpers.faulty:main")
    with running(keep_progress=False) as lab:
        with pytest.raises(Refused, match=r"netless failed.*a fault of ours") as told:
            lab.client.ask(GetFaults())
        assert told.value.code == 4
        assert lab.run().verdicts[0].verdict.result == "pass"


def test_a_break_shows_at_once_and_the_tick_stays(lab: Running) -> None:
    """C12, C7: a cable pulled by hand later: the live mark of its step goes off by itself and comes back by itself; the tick stays."""
    lab.goto("switch", end=True)
    lab.next()

    def step() -> tuple[bool, bool | None]:
        lessons = {lesson.id: lesson for lesson in lab.status().course.lessons}
        found = next(own for own in lessons["cable"].steps if own.id == "switch-on")
        return found.earned, found.live

    lab.goto("cable/switch-on", end=True)
    lab.goto("internet/default-route")
    assert step() == (True, True)
    lab.sh("ip -n c1 link set veth1 down")
    assert eventually(lambda: step() == (True, False))
    lab.sh("ip -n c1 link set veth1 up")
    assert eventually(lambda: step() == (True, True))


def test_every_solution_passes_its_own_check(lab: Running) -> None:
    """C17, C1: from a cold lab run through all lessons, each step is checked the moment it is done, none is left out, all pass."""
    lab.reset("lab")
    for lesson in lab.status().course.lessons:
        answers = lab.run(f"{lesson.id}/{lesson.steps[0].id}", rest=True).verdicts
        assert [answer.verdict.result for answer in answers] == ["pass"] * len(lesson.steps), lesson.id


def test_the_control_of_a_silence_gets_the_time_of_an_answer(lab: Running) -> None:
    """The path a silence is compared with loses its first three packets: that is no broken path, and the step still passes."""
    lab.goto("internet/forwarding", end=True)
    lab.client.ask(Play(on=True))  # nobody else is to send the packets that get lost
    lab.sh("nft 'add table ip lossy; add chain ip lossy input { type filter hook input priority 0; };"
           " add rule ip lossy input ip daddr 203.0.113.2 icmp type echo-request quota until 110 bytes counter drop'")  # fmt: skip
    verdict = lab.check().verdicts[0].verdict
    assert verdict.result == "pass", verdict
    assert "counter packets 3 " in lab.sh("nft list chain ip lossy input")
