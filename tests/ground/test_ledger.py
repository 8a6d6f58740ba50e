"""The ledger of a ground: what was begun and not ended counts, the newest is taken back first, and only what the kernel agrees on."""

from __future__ import annotations

import msgspec

from helpers.lab import action
from helpers.snapshots import lab, link, node
from netless_lab.ground.ledger import Begun, Done, Memory, Refused, TakenBack, agreed, standing

MADE = Begun(1, action({"bridge": "br0"}), (action({"delete-link": "br0"}),))
PLUGGED = Begun(2, action({"port": "veth2", "of": "br0"}), (action({"unport": "veth2", "of": "br0"}),))
SWITCHED = Begun(3, action({"up": "br0"}), (action({"down": "br0"}),))


def test_what_was_begun_stands_until_it_is_refused_or_taken_back() -> None:
    """The newest first; a line without an end may have been done, so it stands."""
    kept = Memory()
    for line in (MADE, Done(1), PLUGGED, Refused(2, "no such port"), SWITCHED):
        kept.write(line)
    assert standing(kept.lines()) == (SWITCHED, MADE)
    kept.write(TakenBack(3))
    assert standing(kept.lines()) == (MADE,)
    kept.close()
    assert kept.lines() == ()


def test_only_what_is_as_it_was_left_is_taken_back() -> None:
    """A bridge that somebody deleted is not deleted again; a port that is in another bridge now is not pulled out of that."""
    there = lab(node("host", "host", link("br0", kind="bridge"), link("br1", kind="bridge"), link("veth2", kind="veth", master="br1")))
    assert tuple(agreed(MADE, there)) == MADE.undo
    assert tuple(agreed(MADE, lab(node("host", "host")))) == ()
    assert tuple(agreed(PLUGGED, there)) == ()


def test_lines_are_data() -> None:
    """Each has its kind in it, and the actions as a lesson writes them: nothing of it is a sentence to be read back."""
    told = msgspec.to_builtins(MADE)
    assert told == {"type": "begun", "number": 1, "action": {"bridge": "br0", "in": "host"}, "undo": ({"delete-link": "br0", "in": "host"},)}
