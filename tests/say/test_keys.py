"""Sentences that name a key name the person's own."""

from __future__ import annotations

from msgspec.structs import replace

from app import story
from netless.desk.reduce import reduce
from netless.desk.view import View
from netless.say.check import check
from netless.say.drill import drill
from netless.say.plain import rows
from netless.say.rebuild import gone
from netless.say.text import Blocks
from netless_lab import protocol
from netless_lab.course.verdict import Item, Verdict
from netless_lab.protocol import FaultStatus

OWN = {"play": ("f8",), "next": ("f9",), "goto": ("ctrl+g",), "mend": ("ctrl+k",), "gone.rebuild": ("f7",)}


def read(blocks: Blocks) -> str:
    """As one text."""
    return "\n".join(row.plain for row in rows(blocks))


def at(status: protocol.Status) -> View:
    """What is known of a lab that stands so."""
    return reduce(View(joined=True), protocol.StatusEvent(status))


def test_keys_in_sentences_are_those_of_the_keymap() -> None:
    """Leaving play, the next step, the way on from a drill, a lab that is gone: each names the key that does it."""
    passed = Verdict("plug", "pass", (Item("pass", "veth1 is in `c1`"),))
    fault = FaultStatus("c1 is not reached", healthy=True, title="br0 is down", teaches="container/switch/bridge-up")
    for keymap, keys in (({}, "p n g m r"), (OWN, "F8 F9 ctrl+g ctrl+k F7")):
        play, on, learn, done, again = keys.split()
        assert f"Press {play} to leave" in read(check(at(story.status(playing=True)), 60, keymap))
        assert f"{on} Next step" in read(check(at(replace(story.status(), verdict=passed)), 60, keymap))
        over = read(drill(at(replace(story.status(), fault=fault)), 0.0, keymap))
        assert f"{learn} goes there" in over and f"{done} Done" in over
        assert f"{again} builds it again" in read(gone("it was ended", "Plug", keymap))
