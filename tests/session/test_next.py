"""``next`` moves on; what a learner built it takes away only when told to."""

from __future__ import annotations

import pytest

from helpers.running import Running
from helpers.waiting import eventually
from netless_lab.client import Refused
from netless_lab.protocol import Next, Play, Run, StatusEvent

pytestmark = pytest.mark.kernel


def fresh(lab: Running, place: str, *, end: bool = False) -> None:
    """The clean start of a step, or its end, in the lesson's own words."""
    lab.reset("lab")
    lab.goto(place, end=end)


def refused(lab: Running) -> Refused:
    """What ``next`` says when it will not move."""
    with pytest.raises(Refused) as told:
        lab.next()
    assert told.value.code == 1
    return told.value


def test_a_step_that_is_not_done_is_not_left_by_taking_away(lab: Running) -> None:
    """It says what is missing, what would go and the two ways on; nothing moves, and what the learner has is there."""
    fresh(lab, "cable/pair")
    lab.sh("ip link add keepme type bridge; ip addr add 203.0.113.77/32 dev lo")
    told = refused(lab)
    assert "veth" in str(told) and "`run`" in str(told) and "`goto container/cable/plug`" in str(told)
    assert told.going is not None and any("keepme" in line for line in told.going) and any("203.0.113.77" in line for line in told.going)
    assert lab.status().position == "container/cable/pair"
    assert "keepme" in lab.links()


def test_the_judge_goes_on_after_a_refusal(lab: Running) -> None:
    """A refused ``next`` leaves the step as watched as it was: done by hand it is noticed by itself."""
    fresh(lab, "cable/pair")
    refused(lab)
    lab.sh("ip link add veth1 type veth peer name veth2")
    assert eventually(lambda: (verdict := lab.status().verdict) is not None and verdict.passed)


def test_told_to_it_rebuilds(lab: Running) -> None:
    """With force the next step starts from a right lab, whatever was there; no tick is earned by it."""
    fresh(lab, "cable/pair")
    lab.sh("ip link add keepme type bridge")
    assert "rebuilt" in lab.next(force=True).text
    assert lab.status().position == "container/cable/plug"
    assert "keepme" not in lab.links() and {"veth1", "veth2"} <= lab.links()


def test_only_the_position_moves_when_the_next_step_can_start(lab: Running) -> None:
    """Done by hand, own names, with things of the learner's own beside: all of it stays, force or not."""
    for force in (False, True):
        fresh(lab, "cable/pair")
        lab.sh("ip link add keepme type bridge; ip link add left type veth peer name right")
        lab.next(force=force)
        assert lab.status().position == "container/cable/plug"
        assert {"keepme", "left", "right"} <= lab.links()


def test_what_is_missing_from_an_earlier_step_is_named(lab: Running) -> None:
    """The step itself holds, an earlier one does not: that one is named, and ``run`` is not offered, for it would rebuild."""
    fresh(lab, "switch/bridge", end=True)
    lab.sh("ip addr flush dev veth1", "c1")
    told = refused(lab)
    assert "10.0.0.2" in str(told) and "`run`" not in str(told) and "`goto " in str(told)


def test_a_refused_next_does_not_end_play_mode(lab: Running) -> None:
    """Leaving play mode puts the step back, so what is refused must not leave it."""
    fresh(lab, "cable/pair")
    lab.client.ask(Play(on=True))
    refused(lab)
    assert lab.status().playing
    lab.client.ask(Play(on=False))


def test_every_view_hears_that_play_mode_began_and_ended(lab: Running) -> None:
    """The status that says so is told before the answer: to the tutor whose key it was, and to every other view; also when nothing is rebuilt."""
    last = "neighbour/everyone"
    fresh(lab, last)
    for asked, playing in ((Play(on=True), True), (Next(), False)):
        lab.events.clear()
        told = lab.client.ask(asked).text
        assert [event.status.playing for event in lab.events if isinstance(event, StatusEvent)][-1:] == [playing]
    assert told.startswith("Play mode is over: the lab stays as you made it"), "nothing is rebuilt, though leaving play mode by its own key does that"
    assert "Play mode" not in lab.next().text


def test_who_has_the_step_done_hears_that_play_mode_is_over(lab: Running) -> None:
    """And that only when it was on."""
    fresh(lab, "cable/pair")
    lab.client.ask(Play(on=True))
    assert lab.client.ask(Run()).text.startswith("Play mode is over. ")
    assert "Play mode" not in lab.client.ask(Run()).text


def test_what_was_done_just_before_is_judged_before_it_is_left(lab: Running) -> None:
    """However soon one goes on: the step's tick is earned, and later pages speak in the learner's names."""
    for name in ("blue", "green", "grey", "pink", "plum", "red", "teal", "white"):
        fresh(lab, "netless/name")
        pid = next(node.pid for node in lab.status().nodes if node.name == "c1")
        lab.sh(f"mkdir -p /run/netns; ln -s /proc/{pid}/ns/net /run/netns/{name}")
        lab.next()
        assert lab.status().bindings == {"c1": name}
        assert lab.status().course.lessons[0].steps[0].earned


def test_what_a_rebuild_takes_away_is_told_as_it_is(lab: Running) -> None:
    """A cable's end that is called in the container like the host's uplink leaves that alone, in deed and in word."""
    fresh(lab, "cable/plug")
    lab.sh("ip link set veth1 netns c1 name eth0; ip link add mine type bridge")
    assert lab.check().verdicts[0].verdict.passed
    lab.next()
    told = lab.what_goes("step")
    assert any("mine" in line for line in told.going) and not any("eth0" in line and "host" in line for line in told.going), told
