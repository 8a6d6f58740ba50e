"""Faults in a lab whose learner has called things otherwise than the lessons do: what is told of them speaks of what is there."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from helpers.own_words import LESSONS_WORDS, build
from helpers.running import Running, running
from helpers.waiting import eventually
from netless_lab.protocol import Break, GetFaults, Hint, Mend, Notice, StatusEvent

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def lab() -> Iterator[Running]:
    """One lab for this file."""
    with running() as own:
        build(own)
        yield own


@pytest.fixture(autouse=True)
def _mended(lab: Running) -> Iterator[None]:
    """Each test begins without a fault and without news of the one before."""
    lab.status()
    lab.events.clear()
    yield
    lab.client.ask(Mend())


def said(*told: object) -> str:
    """All that was told, as it travels; in it no word of the lessons for what the learner has called otherwise."""
    text = msgspec.json.encode(told).decode()
    assert not LESSONS_WORDS.search(text), text
    return text


def told_meanwhile(lab: Running) -> tuple[object, ...]:
    """What every view heard, unasked."""
    notices = [event.text for event in lab.events if isinstance(event, Notice)]
    return (notices, [event.status.fault for event in lab.events if isinstance(event, StatusEvent)])


def test_a_drill_speaks_the_learners_words(lab: Running) -> None:
    """From its beginning over its check and its hints to its end by the learner's hand, and in the history."""
    broke = lab.client.ask(Break(fault="gateway-on-the-port", drill=True))
    assert "192.168.7.1" in broke.text
    said(broke, lab.check(), lab.status().fault, *(lab.client.ask(Hint()) for _ in range(5)))
    lab.sh("ip addr del 192.168.7.1/24 dev right; ip addr add 192.168.7.1/24 dev sw0")
    assert eventually(lambda: (fault := lab.status().fault) is not None and fault.healthy)
    ended = said(lab.check(), lab.status().fault, *told_meanwhile(lab), lab.history().entries[-3:])
    assert "192.168.7.1 is on right instead of sw0" in ended


def test_the_list_to_choose_from_speaks_the_learners_words(lab: Running) -> None:
    """Titles, for whoever looks for them in the picture."""
    titles = {fault.id: fault.title for fault in lab.client.ask(GetFaults())}
    assert titles["bridge-down"] == "sw0 is down" and titles["door-shut"] == "No rule lets out what comes from sw0"
    assert not [title for title in titles.values() if "br0" in title.split()]


@pytest.mark.parametrize("how", ["mend", "goto"])
def test_giving_up_tells_it_in_the_learners_words(lab: Running, how: str) -> None:
    """What it was, when it is taken away and when a rebuild ends it."""
    lab.client.ask(Break(fault="gateway-on-the-port", drill=True))
    ended: object = lab.client.ask(Mend()) if how == "mend" else lab.goto("container/neighbour", end=True)
    assert "192.168.7.1 is on right instead of sw0" in said(ended, *told_meanwhile(lab), lab.history().entries[-3:])


def test_starting_over_tells_it_in_words_that_end_with_it(lab: Running) -> None:
    """The learner's words end when the lab is started over, and the fault is told in them before."""
    build(lab)
    lab.client.ask(Break(fault="gateway-on-the-port", drill=True))
    lab.reset("lab")
    notices, _ = told_meanwhile(lab)
    for told in (notices, [entry.text for entry in lab.history().entries[-3:]]):
        assert "192.168.7.1 is on right instead of sw0" in str(told)
