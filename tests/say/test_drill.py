"""What is read of a drill, and of one that is over. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from app import story
from netless.desk.view import View
from netless.say.drill import drill
from netless.say.text import lay_out
from netless_lab.protocol import FaultStatus


def test_a_drill_that_is_over_is_told_as_it_was_told() -> None:
    """A command in what was noticed, and in what it was, looks as it did while the network was ill: no backtick is left."""
    fault = FaultStatus("`nft list ruleset` shows nothing wrong", healthy=True, title="`docker0` is down", teaches="")
    told = "\n".join(line.content.plain for line in lay_out(drill(View(status=replace(story.status(), fault=fault)), 0.0), 60))
    assert "nft list ruleset shows nothing wrong" in told and "docker0 is down" in told and "`" not in told
