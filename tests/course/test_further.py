"""Being further on: what is there before its step, and what a later step rightly took away or silenced."""

from __future__ import annotations

import msgspec
import pytest

from helpers.post import course, step
from helpers.snapshots import edit, lab_with
from netless_lab.course.bindings import UNBOUND, Bindings
from netless_lab.course.further import Lacking, Standing, ahead, difference, excused, past
from netless_lab.course.judge import state_holds
from netless_lab.course.outline import outline, start
from netless_lab.course.step import Position, positions, step_at
from netless_lab.course.verdict import Item, ItemResult, Verdict
from netless_lab.model.snapshot import Snapshot

WORLD = start(course().world)


def place(text: str) -> Position:
    """A position in the course of the product."""
    lesson, _, own = text.partition("/")
    return Position("container", lesson, own)


def built(until: str) -> Snapshot:
    """The sketch of a step's end."""
    sketch = WORLD
    for own in positions(course()):
        sketch = outline(sketch, step_at(course(), own).do)
        if own == place(until):
            break
    return sketch


def titles(at: str, snapshot: Snapshot, names: Bindings = UNBOUND) -> list[str]:
    """The ids of the steps that are there already."""
    return [own.id for own, _ in ahead(course(), place(at), snapshot, names, WORLD)]


@pytest.mark.parametrize("until", ["netless/name", "cable/plug", "switch/port-up", "internet/masquerade"])
def test_what_each_step_lacks_is_known_from_one_look(until: str) -> None:
    """For the live marks, and for what the next step waits for: the same as when each of them asks for itself."""
    known, seen = {own.key for own in positions(course())}, built(until)
    assert until in known
    lacking = Lacking(course(), seen)
    for own in positions(course()):
        assert (lacking.at(own) is None) == state_holds(step_at(course(), own), seen)
        assert tuple(lacking.before(own)) == difference(course(), known, seen, until=own)


def test_what_steps_lacked_is_asked_anew_of_another_look() -> None:
    """Of one like it too, in other words, and of another course."""
    seen, words = built("cable/plug"), Bindings(links={"veth1": "left"})
    lacking = Lacking(course(), seen)
    assert lacking.is_of(course(), seen, UNBOUND)
    assert not lacking.is_of(course(), msgspec.structs.replace(seen), UNBOUND)
    assert not lacking.is_of(course(), seen, words)
    assert not lacking.is_of(msgspec.structs.replace(course()), seen, UNBOUND)


def test_nobody_is_ahead_who_did_as_the_page_says() -> None:
    """At the end of every step, done as the course does it, no later step counts, though some hold by themselves."""
    for own in positions(course()):
        assert titles(f"{own.lesson}/{own.step}", built(f"{own.lesson}/{own.step}")) == []


@pytest.mark.parametrize(
    ("at", "until", "found"),
    [("cable/pair", "cable/plug", ["plug"]), ("switch/bridge", "switch/bridge-up", ["port", "gateway", "bridge-up"])],
)
def test_what_is_there_early_is_named(at: str, until: str, found: list[str]) -> None:
    """The later steps that hold and would not hold at this step's end, in order."""
    assert titles(at, built(until)) == found


def test_ahead_in_names_of_the_learner() -> None:
    """The search for the learner's own words goes on into the later steps."""
    own = edit(lab_with(1, forwarding=False, nat=False), "host", "br0", name="lan")
    own = edit(own, "host", "veth2", master="lan")
    assert "port-up" in titles("switch/bridge", own, Bindings(links={"br0": "lan"}))


def standing(here: str, snapshot: Snapshot, *, done: bool = True) -> Standing:
    """A learner at this step."""
    return Standing(course(), place(here), done, snapshot)


def test_what_a_later_step_took_away_is_rightly_gone() -> None:
    """Only for who stands behind that step, and only while it is not there."""
    learner = standing("neighbour/everyone", lab_with(1))
    by = learner.taken_away(place("netless/decoy"))
    assert by is not None and by.id == "tidy"
    verdict = past(step("netless/decoy"), by)
    assert verdict.passed and [item.result for item in verdict.items] == ["ahead"] and verdict.told("A second namespace.") != "A second namespace."
    assert standing("netless/decoy", lab_with(1)).taken_away(place("netless/decoy")) is None
    assert standing("neighbour/everyone", WORLD).taken_away(place("cable/plug")) is None


@pytest.mark.parametrize(
    ("here", "done", "gone"),
    [("neighbour/no-router", False, True), ("neighbour/no-router", True, True), ("neighbour/everyone", False, True), ("neighbour/everyone", True, False)],
)
def test_what_was_given_back_and_is_gone_again_is_missed(here: str, done: bool, gone: bool) -> None:
    """Forwarding is off: rightly, until the step that turns it on again is done."""
    learner = standing(here, lab_with(1, forwarding=False), done=done)
    assert (learner.taken_away(place("internet/forwarding")) is not None) == gone
    assert (learner.cut(place("internet/names")) is not None) == gone


def failing(name: str, *results: ItemResult) -> Verdict:
    """A verdict on a step whose state holds, with these results of its probes."""
    own = step(name)
    state = tuple(Item("pass", "so it is") for _ in own.expect)
    probes = tuple(Item(result, "it is answered", "probe", "e", "s", "l") for result in results)
    return Verdict(own.id, "fail", state + probes)


@pytest.mark.parametrize(
    ("name", "here", "result"),
    [
        ("internet/masquerade", "internet/firewall", "pass"),
        ("internet/masquerade", "internet/door-out", "pass"),
        ("internet/masquerade", "internet/door-back", "fail"),
        ("internet/masquerade", "internet/masquerade", "fail"),
    ],
)
def test_packets_that_a_later_step_silenced_are_not_blamed(name: str, here: str, result: str) -> None:
    """The last step up to where one stands that speaks of the packet decides which way is right."""
    verdict = failing(name, "fail", "fail")
    assert excused(verdict, step(name), standing(here, built(here)).since(place(name))).result == result


def test_a_step_that_is_not_done_silences_nothing() -> None:
    """Standing at the firewall before it is there, a packet that is lost was not silenced by it."""
    verdict = failing("internet/masquerade", "fail", "fail")
    before = standing("internet/firewall", built("internet/masquerade"), done=False)
    assert excused(verdict, step("internet/masquerade"), before.since(place("internet/masquerade"))).result == "fail"


def test_a_guard_is_overruled_by_doors_that_are_there() -> None:
    """Who opened the firewall again as a later step asks is ahead; an answer without these doors is a failure."""
    verdict = failing("internet/firewall", "pass", "fail")
    doors = (step("internet/door-out"), step("internet/door-back"))
    told = excused(verdict, step("internet/firewall"), doors)
    assert told.passed and told.items[-1].result == "ahead" and "A door for answers" in told.items[-1].claim
    assert excused(verdict, step("internet/firewall"), ()).result == "fail"
    assert excused(verdict, step("internet/firewall"), doors[:1]).result == "fail"


def test_packets_whose_way_was_rightly_cut() -> None:
    """With forwarding off, as the step before the last asks, a page from outside is not missed."""
    learner = standing("neighbour/no-router", lab_with(1, forwarding=False))
    by = learner.cut(place("internet/names"))
    assert by is not None and by.id == "no-router"
    assert excused(failing("internet/names", "fail", "fail"), step("internet/names"), (), by).passed
    assert learner.cut(place("cable/plug")) is None
