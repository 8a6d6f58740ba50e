"""What windows tell before anything is done in them. Pure."""

from __future__ import annotations

from netless.say.rebuild import gone


def test_a_lab_that_never_came_says_when_trying_again_helps() -> None:
    """Trying again mends nothing by itself: what has to be done first is the reason's own word, here a command."""
    blocks = gone("this lab speaks protocol 1: end the lab with `netless down` and start it anew", "")
    told = [block.content.plain for block in blocks]
    assert told[0].startswith("This lab speaks protocol 1") and told[-1] == "r tries again: once that is mended, in another terminal."
    assert "r builds it again" in gone("the lab ended", "Plug one end in")[-1].content.plain
