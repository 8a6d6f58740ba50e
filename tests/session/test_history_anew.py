"""A lab that is built anew: what was told of it before has no part in what is told since."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from netless_lab.course.step import Position
from netless_lab.model.diff import diff
from netless_lab.model.snapshot import Node, Snapshot
from netless_lab.protocol import Entry
from netless_lab.session.history import History

PLACE = Position("container", "cable", "pair")
HOST = Node("host", "host", netns=1, pid=1)
BARE = Snapshot((HOST,))
NAMED = Snapshot((HOST, Node("c9", "container", netns=9, pid=7)))


def nameless(inode: int) -> Snapshot:
    """With a namespace that nobody gave a host name: it is called by its process, whose number another has later."""
    return Snapshot((HOST, Node("ns-7", "unknown", netns=inode, pid=7)))


def told(history: History) -> list[tuple[str, tuple[str, ...], bool]]:
    """What a script is made of, since it began anew."""
    entries: tuple[Entry, ...] = history.entries
    begun = max(number for number, entry in enumerate(entries) if entry.anew)
    return [(entry.text, entry.lines, entry.unsaid) for entry in entries[begun:]]


@pytest.mark.parametrize(
    "anew",
    [lambda history: history.rebuilt((), PLACE, end=False), lambda history: history.not_built(BARE, BARE, PLACE)],
    ids=["rebuilt", "not built"],
)
def test_a_namespace_that_went_with_the_lab_is_none_that_is_there_now(anew: Callable[[History], None]) -> None:
    """Another that is called as it was, and gets a host name, is made by the script that tells of it."""
    knowing, fresh = History(), History()
    knowing.saw(diff(BARE, nameless(7)), BARE, nameless(7), str(PLACE))
    for history in (knowing, fresh):
        anew(history)
        history.saw(diff(nameless(9), NAMED), nameless(9), NAMED, str(PLACE))
    assert told(knowing) == told(fresh)
    assert any("hostname c9" in line for _, lines, _ in told(knowing) for line in lines)
