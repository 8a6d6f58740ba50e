"""Every window over the main screen, as text in one file: a new one is looked at too, or this fails."""

from __future__ import annotations

import gc
import importlib
import pkgutil
import weakref
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from textual._styles_cache import StylesCache
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from app import journeys, story
from app.driving import opened, rows, screen, until
from app.looks import FOLDER, same
from app.recordings import recorded
from netless.app import screens
from netless.app.app import TutorApp
from netless.app.screens import drill
from netless.app.screens.drill import DrillScreen, GiveUpScreen, ToldScreen
from netless.app.screens.help import HelpScreen
from netless.app.screens.leaving import LeavingScreen
from netless.app.screens.lists import ListPanel, SearchPanel
from netless.app.screens.packets import HopsScreen, LayersScreen, SeekScreen
from netless.app.screens.palette import Palette
from netless.app.screens.panel import Panel
from netless.app.screens.places import GotoScreen, PickerScreen
from netless.app.screens.rebuild import ConsentScreen, GoneScreen, ResetScreen
from netless.app.screens.shells import ShellsScreen
from netless.app.screens.why import WhyScreen
from netless.app.toolkit import let_painted_go
from netless.config.schema import DEFAULTS, Settings
from netless.desk.shells import Owner, Shell
from netless.desk.view import known_courses
from netless_lab import protocol
from netless_lab.model.clearing import Clearing

FAULT = "The accept stands in a chain of its own, and another chain of the same hook drops what comes after it."
LAYERS = protocol.Packet((("Ethernet", (("source", "02:42:0a:00:00:05"), ("type", "IPv4"))), ("IPv4", (("TTL", "64"),))), bytes(range(32, 74)))
CLEARING = Clearing(going=("the namespace mine is gone", "c1 lost its route to 198.51.100.0/24 by way of a very long name"), coming=("br0 on the host is up",))
SHELLS = (Shell(3, "host", Owner(4711, "pts/3"), ("ping 10.0.0.2", "tcpdump -ni any")), Shell(5, "c1", Owner(4711, "pts/3")), Shell(7, "host", None, ("vi notes",)))
Window = Callable[[TutorApp], Screen[Any]]
WINDOWS: dict[type[Screen[Any]], Window] = {
    GotoScreen: lambda app: GotoScreen(known_courses(app.view), "container/cable/plug", "container/cable/plug"),
    PickerScreen: lambda app: PickerScreen(app.view),
    ResetScreen: lambda app: ResetScreen(app.desk),
    ConsentScreen: lambda _: ConsentScreen("Go to", "More would go than the tutor itself has made.", CLEARING),
    LeavingScreen: lambda app: LeavingScreen(protocol.Parting(going=CLEARING.going, onlookers=2), app.view.called),
    GoneScreen: lambda _: GoneScreen("the agent ended", "Plug one end into the container"),
    DrillScreen: lambda app: DrillScreen(app.desk),
    GiveUpScreen: lambda _: GiveUpScreen(),
    ToldScreen: lambda _: ToldScreen(FAULT, "You looked for 1 min 5 s, with no help.", "container/internet/door-out", "The way to the internet ▸ A door out"),
    HopsScreen: lambda app: HopsScreen(app.view.packets, ""),
    LayersScreen: lambda _: LayersScreen(LAYERS),
    SeekScreen: lambda _: SeekScreen("10.0"),
    WhyScreen: lambda app: WhyScreen(story.WHY, "A virtual cable ▸ Plug one end into the container"),
    HelpScreen: lambda _: HelpScreen("network"),
    Palette: lambda _: Palette(),
    ShellsScreen: lambda _: ShellsScreen(SHELLS),
}
"""Each kind of window, as somebody may meet it."""
ANSWERS = {
    protocol.WhatGoes: recorded("plug-reset-dry").answer,
    protocol.GetFaults: recorded("drill-faults").answer,
}


def kinds() -> set[type[Screen[Any]]]:
    """All kinds of windows that there are."""
    found = [importlib.import_module(f"{screens.__name__}.{own.name}") for own in pkgutil.iter_modules(screens.__path__)]
    windows: set[type[Screen[Any]]] = {own for module in found for own in vars(module).values() if isinstance(own, type) and issubclass(own, Panel)}
    return windows - {Panel, ListPanel, SearchPanel}


def test_every_window_is_looked_at() -> None:
    """None is left out below."""
    assert kinds() <= WINDOWS.keys()


@pytest.fixture(autouse=True)
def _the_same_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """One seed, and a cursor that does not blink."""
    monkeypatch.setattr(drill, "drawn", lambda: 1234)
    monkeypatch.setattr(Input, "_toggle_cursor", lambda _: None)


async def looked_at(size: tuple[int, int], settings: Settings = DEFAULTS) -> dict[str, str]:
    """Name of each window -> the screen with it."""
    found: dict[str, str] = {}
    opening = [*story.opening("masquerade-opening", log=()), journeys.probe(msgspec.structs.replace(journeys.HOME, id=7, title="ping 198.51.100.10 from c1"), True)]
    async with opened(size, opening=opening, answers=ANSWERS, settings=settings) as (app, pilot, peer):  # type: ignore[arg-type]
        for kind, window in WINDOWS.items():
            asked = len(peer.asked)
            shown = window(app)
            app.push_screen(shown)
            await until(pilot, lambda shown=shown: app.screen is shown and bool(shown.query("#panel-body, #search, CommandList, Input")))  # type: ignore[misc]
            if kind in (ResetScreen, DrillScreen):
                await until(pilot, lambda asked=asked: len(peer.asked) > asked)  # type: ignore[misc]
            last: list[str] = []
            while last != (last := rows(app)):
                await pilot.pause(0.05)
            found[kind.__name__] = screen(app)
            shown.dismiss(None)
            await until(pilot, lambda shown=shown: app.screen is not shown)  # type: ignore[misc]
    return found


async def test_windows_where_they_have_least_room() -> None:
    """At 80x24, one below the other."""
    found = await looked_at((80, 24))
    text = "\n".join(f"== {name}\n" + "\n".join(row.rstrip() for row in shown.split("\n")) for name, shown in found.items())
    same(text + "\n", FOLDER / "windows-80.txt")


def kept_of(known: list[tuple[str, weakref.ref[Any]]]) -> list[str]:
    """What of these is kept by anybody: a window is taken down after it was closed, by tasks of its own."""
    gc.collect()
    return [name for name, reference in known if reference() is not None]


@pytest.mark.parametrize("kind", WINDOWS, ids=lambda kind: kind.__name__)
async def test_of_a_window_that_was_closed_nothing_is_kept(kind: type[Screen[Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """None of its widgets, and nothing that was painted of them: whoever opens a thousand windows has no more of them than who opens one."""
    monkeypatch.setattr(StylesCache, "get_inner_outer", StylesCache.get_inner_outer)
    assert let_painted_go()
    async with opened(answers=ANSWERS) as (app, pilot, _peer):  # type: ignore[arg-type]
        app.push_screen(WINDOWS[kind](app))
        await until(pilot, lambda: isinstance(app.screen, kind) and bool(app.screen.query("#panel-body, #search, CommandList, Input")))
        widgets = app.screen.query("*").results(Widget)
        kept = [(str(widget), weakref.ref(what)) for widget in (app.screen, *widgets) for what in (widget, widget._styles_cache)]
        del widgets
        app.pop_screen()
        await until(pilot, lambda: not isinstance(app.screen, kind))
        app.push_screen(Screen())  # what was done last in the loop is held by it
        await until(pilot, lambda: not kept_of(kept))


async def test_windows_in_ascii() -> None:
    """Every sign of every window is ASCII, and none is a question mark that stands for something else."""
    plain, found = await looked_at((80, 24), Settings(glyphs="ascii")), await looked_at((80, 24))
    for name, shown in plain.items():
        assert shown.isascii(), name
        assert shown.count("?") == found[name].count("?"), name
