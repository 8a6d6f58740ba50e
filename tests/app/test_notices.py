"""What is told in passing: in one row, and what comes of it when there is more of it than anybody reads."""

from __future__ import annotations

import asyncio

import pytest
from textual._xterm_parser import XTermParser

from app import story
from app.driving import opened, quiet, rows, screen, until
from app.helpers import Answer
from app.recordings import recorded
from netless.app import app as app_module
from netless.app.screens.tutor import TutorScreen
from netless.app.widgets.notice import NoticeRow
from netless.desk.view import KEPT_SAYINGS, Saying
from netless_lab import protocol


async def test_notices_that_come_too_fast_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lab that says notices without end fills no screen with them: so many are told, and of all the others it is said how many they were."""
    monkeypatch.setattr(app_module, "LATELY_S", 3600.0)
    sent = 10 * KEPT_SAYINGS
    shown: list[str] = []
    async with opened() as (app, pilot, peer):
        tell = app.notices.tell

        def watched(saying: Saying) -> None:
            shown.append(saying.text)
            tell(saying)

        monkeypatch.setattr(app.notices, "tell", watched)
        before = app.view.sayings[-1].serial if app.view.sayings else 0
        for number in range(sent):
            peer.say(protocol.Notice("info", f"notice {number}"))
            await pilot.pause()
        await until(pilot, lambda: app.view.sayings[-1].serial == before + sent and app._told == before + sent)
        assert 0 < len(shown) <= KEPT_SAYINGS
        told = len(shown)
        app._tell_unsaid()
        assert shown[-1] == f"Notices that came too fast to be shown: {sent - told}"


WORDS = "Not now. No packet was lost in this step: there is nothing to explain."
LONG = f"The session is in /root/{'a/very/long/way/' * 6}notes.md and in /root/{'another/one/as/long/' * 5}session.sh, and what is in neither is not kept."


def told(app: app_module.TutorApp) -> str:
    """The row that is told, without its edges."""
    return "" if app.notice is None else app.notice.text.plain[2:].rpartition("  +")[0] or app.notice.text.plain[2:].strip()


@pytest.mark.parametrize("words", [WORDS, LONG], ids=["a sentence", "a long one"])
@pytest.mark.parametrize("size", [(40, 12), (48, 16), (80, 24), (100, 30), (120, 40), (160, 50)], ids=str)
async def test_a_notice_hides_nothing_that_is_read(size: tuple[int, int], words: str) -> None:
    """It takes the place of the line that says where one is, whole and row after row; all else on the screen is as it was."""
    async with opened(size) as (app, pilot, peer):
        quiet(app)
        await pilot.pause()
        before = rows(app)
        peer.say(protocol.Notice("warning", words))
        await until(pilot, lambda: app.notice is not None and "! " in rows(app)[0])
        assert rows(app)[1:] == before[1:]
        read: list[str] = []
        while app.notice is not None:
            await until(pilot, lambda: app.notice is not None and app.notice.text.plain.rstrip() in rows(app)[0])
            read.append(told(app))
            assert app.screen.query_one(NoticeRow).region.height == 1
            app.notices.over()
        assert "".join(read).replace(" ", "") == f"! {words}".replace(" ", "")
        assert rows(app)[1:] == before[1:]


async def test_the_newest_is_told_at_once_and_the_one_before_it_afterwards() -> None:
    """It answers the last key. How many rows are still to come is said; what is still to be read is not told a second time."""
    async with opened((80, 24)) as (app, pilot, peer):
        for words in ("the first of them", LONG, "the first of them", "the newest"):
            peer.say(protocol.Notice("info", words))
        await until(pilot, lambda: "the newest  +" in screen(app))
        further = int(app.notice.text.plain.rpartition("+")[2]) if app.notice is not None else 0
        read: list[str] = []
        while app.notice is not None:
            read.append(told(app))
            app.notices.over()
        assert (read[0], read[-1], len(read)) == ("the newest", "the first of them", further + 1)
        assert "".join(read[1:-1]).replace(" ", "") == LONG.replace(" ", "")


async def test_what_was_interrupted_is_told_again_from_its_beginning() -> None:
    """The rest of a sentence alone says nothing to who read its first row a while ago."""
    async with opened((80, 24)) as (app, pilot, peer):
        peer.say(protocol.Notice("info", LONG))
        await until(pilot, lambda: told(app).startswith("The session is in"))
        app.notices.over()
        assert not told(app).startswith("The session is in")
        peer.say(protocol.Notice("info", "the newest"))
        await until(pilot, lambda: told(app) == "the newest")
        app.notices.over()
        assert told(app).startswith("The session is in")


async def test_why_a_key_cannot_act_is_void_after_the_next_thing_that_is_told() -> None:
    """What has happened since may have changed it: it is not told again, neither whole nor in part."""
    async with opened((80, 24)) as (app, pilot, peer):
        quiet(app)
        await pilot.press("n")
        await until(pilot, lambda: told(app).startswith("Not now.") and "  +" in rows(app)[0])
        app.notices.over()
        peer.say(protocol.Notice("info", "the newest"))
        await until(pilot, lambda: told(app) == "the newest")
        app.notices.over()
        assert app.notice is None


async def test_what_was_told_of_a_step_goes_with_it() -> None:
    """Why a key could not act there is not so on the next page."""
    async with opened((80, 24)) as (app, pilot, peer):
        quiet(app)
        peer.say(protocol.Notice("info", "news from elsewhere"))
        await until(pilot, lambda: told(app) == "news from elsewhere")
        await pilot.press("n")
        await until(pilot, lambda: told(app).startswith("Not now."))
        peer.say(protocol.StatusEvent(recorded("masquerade-opening").status))
        await until(pilot, lambda: "Borrow the host's address" in screen(app))
        assert told(app) == "news from elsewhere"


@pytest.mark.parametrize("said", ["checked", "refused", "waited", "late"])
async def test_nothing_that_was_told_of_a_step_outlives_it(said: str) -> None:
    """What a check found there, why the lab would not, and what it waited for are void on the next page, and what comes only then is not told at all."""
    refused: Answer = lambda request: [protocol.Failed(request.id, 1, "it cannot be judged")]  # noqa: E731
    async with opened((80, 24), answers={protocol.Check: refused} if said == "refused" else {}) as (app, pilot, peer):
        quiet(app)
        peer.say(protocol.Notice("info", "news from elsewhere"))
        await until(pilot, lambda: told(app) == "news from elsewhere")
        onward = protocol.StatusEvent(recorded("masquerade-opening").status)
        if said == "late":
            app.desk.tell("info", "Checked.", lapses=True)
            app.desk.take(onward)
        else:
            if said == "waited":
                peer.say(protocol.Notice("warning", "Waiting until the network is ready", lapses=True))
            else:
                await pilot.press("c")
            await until(pilot, lambda: told(app) not in ("news from elsewhere", ""))
            peer.say(onward)
        await until(pilot, lambda: "Borrow the host's address" in screen(app))
        assert told(app) == "news from elsewhere"


@pytest.mark.parametrize("first", [True, False], ids=["first time", "again"])
async def test_a_step_that_is_done_takes_away_why_it_was_not(first: bool) -> None:
    """Who does what was lacking is not told any longer that it lacks, also where the check is in sight and nothing else is told."""
    async with opened() as (app, pilot, peer):
        quiet(app)
        await pilot.press("n")
        await until(pilot, lambda: told(app).startswith("Not now."))
        peer.say(protocol.VerdictEvent(story.PASSED, completed=first))
        await until(pilot, lambda: "✓ done" in screen(app))
        assert app.notice is None


async def test_everything_that_is_told_is_shown() -> None:
    """Of notices that come together the last is told first, and none is swallowed by it."""
    async with opened() as (app, pilot, peer):
        peer.say(*(protocol.Notice("info", f"notice number {number}") for number in (1, 2, 3)))
        for number in (3, 2, 1):
            await until(pilot, lambda number=number: f"notice number {number}" in screen(app))  # type: ignore[misc]
            app.notices.over()


async def test_a_notice_is_told_over_a_window_too() -> None:
    """And goes on there at another width."""
    async with opened() as (app, pilot, peer):
        peer.say(protocol.Notice("info", LONG))
        await until(pilot, lambda: "The session is in" in rows(app)[0])
        await pilot.press("question_mark")
        await until(pilot, lambda: not isinstance(app.screen, TutorScreen) and "The session is in" in rows(app)[0])
        await pilot.resize_terminal(60, 20)
        await until(pilot, lambda: "The session is in" in rows(app)[0] and rows(app)[0].rstrip()[-3:-1] == " +")


@pytest.mark.parametrize("turns", range(7))
async def test_a_notice_may_be_clicked_again_and_again(turns: int) -> None:
    """However many turns of the loop lie between the clicks: each reads one row, and one where none is any more does nothing."""
    async with opened() as (app, pilot, peer):
        peer.say(protocol.Notice("warning", WORDS), protocol.Notice("warning", LONG))
        await until(pilot, lambda: app.notice is not None and app.screen.query_one(NoticeRow).region.height == 1)
        x, y = app.screen.query_one(NoticeRow).region.offset + (4, 1)
        driver, parser = app._driver, XTermParser()
        assert driver is not None
        for _ in range(8):
            for message in parser.feed(f"\x1b[<0;{x};{y}M\x1b[<32;{x + 1};{y}M\x1b[<0;{x};{y}m"):
                driver.process_message(message)
            for _ in range(turns):
                await asyncio.sleep(0)
        await until(pilot, lambda: app.notice is None and not app.screen.query_one(NoticeRow).region)
        assert app.leaving is None
