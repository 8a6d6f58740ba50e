"""The screen as a picture: all that is to be seen, where it is, and what a click on the notice does."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from app.driving import opened, rows, screen, until
from netless.app.toolkit import sequences_of
from netless.vt import Terminal

TEXT = "{http://www.w3.org/2000/svg}text"


def pictures(folder: Path) -> list[Path]:
    """The SVG files there."""
    return sorted(folder.glob("netless-default-*.svg"))


def words_of(path: Path) -> str:
    """All that is written in a picture, without blanks."""
    return "".join(element.text or "" for element in ET.parse(path).iter(TEXT))


@pytest.mark.parametrize(("size", "theme"), [((120, 40), "dark"), ((80, 24), "light")])
async def test_what_is_drawn_is_what_is_painted(size: tuple[int, int], theme: str) -> None:
    """The sequences of a picture bring another terminal to the same text, with every ground in 24-bit colour, whatever this terminal has."""
    async with opened(size, theme=theme) as (app, _pilot, _peer):
        terminal = Terminal(*size, 0)
        terminal.feed(sequences_of(app))
        assert [row.plain for row in terminal.screen.rows] == [row.rstrip() for row in rows(app)]
        looks = {terminal.screen.styles[number] for row in terminal.screen.rows for _, number in row.spans()}
        assert all(isinstance(look.bg, tuple) for look in looks)


async def test_a_key_keeps_the_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """F12 writes it where the tutor was started, under a name that is free, and says where; a click on the path copies it."""
    monkeypatch.chdir(tmp_path)
    async with opened() as (app, pilot, _peer):
        await pilot.press("f12")
        await until(pilot, lambda: "The screen is in" in screen(app))
        (first,) = pictures(tmp_path)
        assert "Lesson" in words_of(first) and "Network" in words_of(first) and first.stat().st_mode & 0o777 == 0o644
        y, x = next((y, row.index(str(tmp_path)[:12])) for y, row in enumerate(rows(app)) if str(tmp_path)[:12] in row)
        await pilot.click(offset=(x + 2, y))
        await until(pilot, lambda: app.clipboard == str(first))
        await pilot.press("f12")
        await until(pilot, lambda: len(pictures(tmp_path)) == 2)


async def test_a_window_is_in_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what lies under it; the window stays."""
    monkeypatch.chdir(tmp_path)
    async with opened() as (app, pilot, _peer):
        await pilot.press("question_mark")
        await until(pilot, lambda: "Moving about" in screen(app))
        await pilot.press("f12")
        await until(pilot, lambda: bool(app.view.sayings))
        (picture,) = pictures(tmp_path)
        assert "Network" in words_of(picture) and "shift+Tab" in words_of(picture)
        assert "Moving about" in screen(app)


async def test_what_goes_to_no_terminal_is_not_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a browser: it is said, and no file is left."""
    monkeypatch.chdir(tmp_path)
    async with opened() as (app, pilot, _peer):
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "Only what goes to a terminal" in screen(app))
        assert not app.view.recording and list(tmp_path.iterdir()) == []
