"""The main screen under the mouse, and under more events than anybody can read."""

from __future__ import annotations

import asyncio
from typing import Literal

import msgspec
import pytest

from app import story
from app.driving import opened, rows, screen, until
from app.recordings import recorded
from netless_lab import protocol


async def test_mouse_selects_text_and_ctrl_c_copies_it() -> None:
    """Prose can be selected with the mouse; ctrl+c then copies instead of quitting."""
    async with opened() as (app, pilot, _peer):
        y = next(y for y, row in enumerate(rows(app)) if "a time, and most can move" in row)
        await pilot.mouse_down(offset=(2, y))
        await pilot.hover(offset=(8, y))
        await pilot.mouse_up(offset=(8, y))
        await pilot.press("ctrl+c")
        await until(pilot, lambda: "a time" in app.clipboard)
        assert app.is_running


@pytest.mark.parametrize(
    ("key", "words"), [("question_mark", "run: does the step"), ("w", "Nothing left c1"), ("x", "To the start")], ids=["help", "why", "reset"]
)
async def test_ctrl_c_copies_in_a_small_screen_too(key: str, words: str) -> None:
    """What is selected in a small screen is copied by ctrl+c, and that is said; with nothing selected it quits."""
    async with opened(answers={protocol.Explain: recorded("plug-why").answer}) as (app, pilot, _peer):
        await pilot.press(key)
        await until(pilot, lambda: words in screen(app))
        y = next(y for y, row in enumerate(rows(app)) if words in row)
        x = rows(app)[y].index(words)
        await pilot.mouse_down(offset=(x, y))
        await pilot.hover(offset=(x + len(words), y))
        await pilot.mouse_up(offset=(x + len(words), y))
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert app.is_running
        assert words in app.clipboard
        await until(pilot, lambda: f"Copied: {app.clipboard}"[:40] in screen(app))
        assert app.screen is not app.get_default_screen()
        await pilot.press("ctrl+c")
        await until(pilot, lambda: not app.is_running)
    assert app.return_code == 0


async def test_an_entry_that_comes_late_stands_in_its_place() -> None:
    """A change that is heard of after a later one goes above it, and each line tells time and doer where they differ from the line above."""

    def change(at: float, who: Literal["tutor", "learner"], text: str) -> protocol.ChangesEvent:
        return protocol.ChangesEvent(story.NOON + at, who, (protocol.ChangeLine(text, "host"),))

    async with opened() as (app, pilot, peer):
        peer.say(change(200, "learner", "the first"), change(200.4, "learner", "the third"))
        await until(pilot, lambda: "the third" in screen(app))
        assert not next(row for row in rows(app) if "the third" in row).split("the third")[0].rstrip().endswith("you")
        peer.say(change(200.2, "tutor", "the second"))
        await until(pilot, lambda: "the second" in screen(app))
        log = [row.split("│")[-2] for row in rows(app) if "the first" in row or "the second" in row or "the third" in row]
        assert [line.split()[-3:] for line in log] == [["you", "the", "first"], ["tutor", "the", "second"], ["you", "the", "third"]]


async def test_a_storm_of_changes_is_painted_in_few_goes() -> None:
    """Many events that come in one go change the view one by one and are painted once; so many as a lab can send arrive all."""
    async with opened() as (app, pilot, peer):
        painted = 0
        paint = app._paint

        def counted() -> None:
            nonlocal painted
            painted += 1
            paint()

        app._paint = counted  # type: ignore[method-assign]
        storm = [protocol.ChangesEvent(story.NOON + 100 + n, "learner", (protocol.ChangeLine(f"storm {n}"),)) for n in range(500)]
        for event in storm[:250]:
            app.desk.take(event)
        await until(pilot, lambda: "storm 249" in screen(app))
        assert painted == 1
        await asyncio.to_thread(peer.say, *storm[250:])
        await until(pilot, lambda: "storm 499" in screen(app))
        came = [entry for entry in app.view.entries if isinstance(entry, protocol.ChangesEvent) and entry.at >= story.NOON + 100]
        assert came == storm


async def test_a_click_on_another_tab_takes_no_shell_away() -> None:
    """While the lab is asked whether a node may be entered another tab is clicked, and the first once more: both nodes get their shells."""
    async with opened() as (app, pilot, peer):
        gate = peer.hold(protocol.Enter)
        lower = app.get_default_screen().lower

        async def click(node: str) -> None:
            y, title = next((y, row) for y, row in enumerate(rows(app)) if "┊ Packets" in row)
            await pilot.click(offset=(title.index(f" {node} ", title.index("Terminal")) + 1, y))
            await until(pilot, lambda: lower.tab == node and node in entered())

        def entered() -> list[str]:
            return [own.node for own in peer.asked if isinstance(own, protocol.Enter)]

        for node in ("host", "c1", "host"):
            await click(node)
        gate.set()
        for node in ("host", "c1"):
            await click(node)
            await until(pilot, lambda: (terminal := lower.shown_terminal) is not None and (terminal.running or terminal.offers_restart))
        assert entered() == ["host", "c1"]


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=str)
async def test_a_container_may_be_called_as_a_pane_is(size: tuple[int, int]) -> None:
    """Its tab is the one of its terminal, and the pane's own stays the pane's."""
    names = ("packets", "changes", "lesson", "network")
    nodes = tuple(protocol.NodeStatus(name, "container", pid=number, netns=number) for number, name in enumerate(names, 1000))
    async with opened(size) as (app, pilot, peer):
        assert app.view.status is not None
        peer.say(protocol.StatusEvent(msgspec.structs.replace(app.view.status, nodes=nodes)))
        tutor = app.get_default_screen()
        await until(pilot, lambda: tutor.lower.nodes == names)
        for name in names:
            y, row = next((y, row) for y, row in enumerate(rows(app)) if " ".join(names) in row)
            await pilot.click(offset=(row.index(" ".join(names)) + " ".join(names).index(name), y))
            await until(pilot, lambda name=name: tutor.where == "terminal" and tutor.lower.current is tutor.lower.terminal(name))  # type: ignore[misc]
        assert {own.node for own in peer.asked if isinstance(own, protocol.Enter)} == set(names)
        await pilot.press("ctrl+right_square_bracket")
        await until(pilot, lambda: tutor.where == "lesson")
        for key, where in (("f4", "packets"), ("f5", "changes"), ("f1", "lesson"), ("f2", "network")):
            await pilot.press(key)
            assert tutor.where == where
            assert not tutor.lower.in_terminal or where in ("lesson", "network")


async def test_what_is_copied_in_a_terminal_is_said() -> None:
    """As everywhere else: a double click takes a word, and a notice says which."""
    async with opened() as (app, pilot, _peer):
        await pilot.press("f3")
        await until(pilot, lambda: "enter starts a new shell" in screen(app))
        y = next(y for y, row in enumerate(rows(app)) if "enter starts a new shell" in row)
        await pilot.click(offset=(rows(app)[y].index("starts") + 1, y), times=2)
        await until(pilot, lambda: "Copied: starts" in screen(app))
        assert app.clipboard == "starts"
