"""Esc on the main screen: back to where one came from; and what leaves one where one reads."""

from __future__ import annotations

import msgspec
import pytest

from app import story
from app.driving import opened, quiet, rows, screen, until
from netless_lab import protocol
from netless_lab.course.verdict import Verdict


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_escape_goes_back_to_where_one_came_from(size: tuple[int, int]) -> None:
    """Out of a pane that stands alone, then pane by pane the way one came; where one began it is said that there is no way back. Nothing opens."""
    async with opened(size) as (app, pilot, _peer):
        tutor = app.get_default_screen()
        await pilot.press("f2", "f4", "f11")
        assert (tutor.where, tutor.zoomed) == ("packets", True)
        places = []
        for _ in range(4):
            await pilot.press("escape")
            places.append((tutor.where, tutor.zoomed))
        assert places == [("packets", False), ("network", False), ("lesson", False), ("lesson", False)]
        await until(pilot, lambda: "There is no pane to go back to" in screen(app))
        await pilot.press("escape")  # what was said goes first
        tutor.check.focus()
        await until(pilot, lambda: tutor.where == "check")
        await pilot.press("escape")
        assert tutor.where == "lesson" and app.screen is tutor


async def test_there_is_no_way_back_from_where_one_returned_to() -> None:
    """Who comes to a pane once more stands where they stood then: Esc does not swing between two panes."""
    async with opened() as (app, pilot, _peer):
        tutor = app.get_default_screen()
        await pilot.press("f2", "f4", "f2", "escape")
        assert tutor.where == "lesson"
        await pilot.press("escape")
        assert tutor.where == "lesson"


async def test_escape_first_reads_on_in_what_is_told() -> None:
    """Row after row, one notice after the other, so that none is lost unread; and one stays where one is. Where all is read the next Esc goes back."""
    words = ("it was said before", f"The session is in /root/{'a/very/long/way/' * 9}notes.md, and what is not in there is not kept.")
    async with opened((80, 24)) as (app, pilot, peer):
        tutor = app.get_default_screen()
        quiet(app)
        await pilot.press("f2")
        peer.say(*(protocol.Notice("info", own) for own in words))
        await until(pilot, lambda: app.notice is not None and "The session is in" in rows(app)[0])
        read: list[str] = []
        while app.notice is not None:
            told = app.notice.text.plain[2:]
            read.append(told.rpartition("  +")[0] or told.strip())
            await pilot.press("escape")
            assert tutor.where == "network"
        assert "".join(read).replace(" ", "") == "".join(reversed(words)).replace(" ", "") and len(read) > 3
        await pilot.press("escape")
        assert tutor.where == "lesson"


async def test_escape_first_puts_a_notice_away() -> None:
    """And one stays where one is; the next Esc goes back. What was put away is told when it is said again."""
    async with opened() as (app, pilot, peer):
        tutor = app.get_default_screen()
        await pilot.press("f2")
        for _ in range(2):
            peer.say(protocol.Notice("warning", "a notice"))
            await until(pilot, lambda: "a notice" in screen(app))
            await pilot.press("escape")
            await until(pilot, lambda: "a notice" not in screen(app))
            assert tutor.where == "network"
        await pilot.press("escape")
        assert tutor.where == "lesson"


async def test_a_verdict_that_says_the_same_leaves_the_check_where_it_is_read() -> None:
    """Every change in the kernel is judged anew; only where another verdict comes is its beginning shown."""
    async with opened((80, 24)) as (app, pilot, peer):
        check = app.get_default_screen().check
        check.scroll_to(y=check.max_scroll_y, animate=False, immediate=True)
        read = check.scroll_offset.y
        assert read > 0
        again = msgspec.json.decode(msgspec.json.encode(story.PENDING), type=Verdict)
        peer.say(protocol.VerdictEvent(again))
        await until(pilot, lambda: app.view.verdict == again and app.view.verdict is not story.PENDING and app.get_default_screen().shown is app.view)
        assert check.scroll_offset.y == read
        other = msgspec.structs.replace(again, extras=("br7 on the host",))
        peer.say(protocol.VerdictEvent(other))
        await until(pilot, lambda: check.scroll_offset.y == 0)
