"""What the app keeps in memory: what is remembered is bounded, and what was freed is given back when nothing happens."""

from __future__ import annotations

import gc
import weakref

import pytest
from textual.strip import Strip

from app import story
from app.driving import opened, screen, until
from app.test_toolkit import in_a_process
from netless.app import memory
from netless.app.memory import BOUNDS, Rest, bound_caches, remembering, tidy
from netless.app.terminal import painter
from netless.app.terminal.painter import Painter
from netless.app.widgets import document
from netless.app.widgets.lower import ChangesPane
from netless.say.changes import Entry
from netless.say.text import Blocks
from netless.vt import Row, StyleTable
from netless_lab import protocol


def test_all_that_is_to_be_bounded_is_found() -> None:
    """The installed Textual and Rich remember where they are thought to, and with the names they are thought to use; more than they then may."""
    told = in_a_process("""
from netless.app.memory import BOUNDS, bound_caches, remembering
before = [remembering(cache.owner, cache.names[0]).cache_info().maxsize for cache in BOUNDS]
print(len(bound_caches()) == len(BOUNDS))
print(all(most > cache.most for most, cache in zip(before, BOUNDS)))
print(all(remembering(cache.owner, name).cache_info().maxsize == cache.most for cache in BOUNDS for name in cache.names))
""")
    assert told.split() == ["True", "True", "True"]


def test_what_has_no_end_is_remembered_to_a_bound() -> None:
    """Styles that say where they stand, regions, and what is written: however many there were, so many are kept, and the answers are right."""
    told = in_a_process("""
from fractions import Fraction
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.css.scalar import Scalar
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.style import Style
from netless.app.memory import BOUNDS, bound_caches, remembering
bound_caches()
bold = Style(bold=True)
for n in range(5000):
    assert Strip.render_ansi(RichStyle(color="#010203", meta={"n": n}), ColorSystem.TRUECOLOR) == "38;2;1;2;3"
    assert (bold + Style.from_meta({"n": n})).meta == {"n": n}
    assert Segment(f"\\u7f51{n}").split_cells(2) == (Segment("\\u7f51"), Segment(str(n)))
    assert Scalar.parse("50%").resolve(Size(n, 2), Size(n, 2)) == Fraction(n, 2)
    region = Region(n, 0, 4, 4)
    assert (n, 0) in region and region.union(region) == region.intersection(region) == region
    assert region.grow((1, 1, 1, 1)).shrink((1, 1, 1, 1)) == region
print(all(0 < remembering(cache.owner, cache.names[0]).cache_info().currsize <= cache.most for cache in BOUNDS))
""")
    assert told == "True"


async def test_an_app_that_has_shown_a_lesson_is_bounded() -> None:
    """From its first lesson on; the collector of garbage runs by then."""
    async with opened() as (app, pilot, _peer):
        await until(pilot, lambda: app._rest is not None)
        bound = next(cache for cache in BOUNDS if cache.owner is Strip)
        assert remembering(Strip, "render_ansi").cache_info().maxsize == bound.most
        assert gc.isenabled()


def test_another_textual_keeps_what_it_remembers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not there, or remembers nothing, is left alone."""
    monkeypatch.setattr(memory, "BOUNDS", (memory.Cache(Strip, ("no_such_thing",), 1), memory.Cache(Strip, ("crop",), 1)))
    assert bound_caches() == ()


async def test_who_scrolls_through_a_log_keeps_what_a_screen_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the rows that were seen so many are kept as they were painted, and each is painted right."""
    monkeypatch.setattr(document, "MOST_PAINTED", 64)
    many = [protocol.ChangesEvent(story.NOON + n, "kernel", (protocol.ChangeLine(f"change number {n}."),)) for n in range(200)]
    async with opened(opening=story.opening(log=many)) as (app, pilot, _peer):
        await pilot.press("f5")
        log = app.screen.query_one(ChangesPane)
        await until(pilot, lambda: len(log.lines) == len(many))
        for row in range(0, len(many), 5):
            log.scroll_to(y=row, animate=False, force=True)
            await pilot.pause()
            assert f"change number {log.scroll_offset.y}." in screen(app)
            assert 0 < len(log._strips) <= 64


async def test_a_log_is_never_laid_out_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """When it gets another width the rows of the old one are gone before the new ones come: that would be the most the app ever needs."""
    held: list[int] = []
    real = ChangesPane.entry

    def entry(self: ChangesPane, entry: Entry, before: Entry | None, width: int) -> Blocks:
        held.append(len(self.lines) + sum(map(len, self._laid.values())) + len(self._kept))
        return real(self, entry, before, width)

    async with opened() as (app, pilot, _peer):
        await pilot.press("f5")
        assert app.screen.query_one(ChangesPane).lines
        monkeypatch.setattr(ChangesPane, "entry", entry)
        await pilot.resize_terminal(100, 30)
        await until(pilot, lambda: bool(held))
        assert set(held) == {0}


def test_who_scrolls_through_a_terminal_keeps_what_a_screen_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the rows that were seen the last so many remember how they were painted; the others are painted again, and the same."""
    monkeypatch.setattr(painter, "MOST_PAINTED", 16)
    paints, rows = Painter(StyleTable()), [Row(f"row {number}") for number in range(64)]
    first = [paints.line(row, 20).text for row in rows]
    assert [row for row in rows if row.paint is not None] == rows[-16:]
    assert [paints.line(row, 20).text for row in rows] == first == [f"row {number}".ljust(20) for number in range(64)]


@pytest.mark.parametrize("key", ["h", "f9"])
async def test_at_rest_an_app_is_tidied(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some time after the last key, whether it did something or not; then nothing more is waited for."""
    told: list[bool] = []
    monkeypatch.setattr(memory, "REST_S", 0.0)
    monkeypatch.setattr(memory, "tidy", told.append)
    async with opened() as (app, pilot, _peer):
        await until(pilot, lambda: app._rest is not None and app._rest._clock is None)
        told.clear()
        await pilot.press(key)
        await until(pilot, lambda: told[:1] == [True] and app._rest is not None and app._rest._clock is None)


async def test_what_never_rests_gives_back_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a look at what lives, and not each time that something happens."""
    told: list[bool] = []
    rest = Rest(told.append)
    monkeypatch.setattr(memory, "REST_S", 3600.0)
    rest.stirred()
    rest._look()
    assert told == []
    monkeypatch.setattr(memory, "AT_LEAST_S", 0.0)
    rest._look()
    assert told == [False]
    rest.close()


class _Ring:
    """Refers to itself."""

    def __init__(self) -> None:
        self.itself = self


def test_garbage_is_looked_for_at_rest_whatever_switched_that_off() -> None:
    """A scroll that was cut off leaves the collector switched off, by Textual's wish."""
    garbage = weakref.ref(_Ring())
    gc.disable()
    try:
        tidy(False)
        assert garbage() is not None and not gc.isenabled()
        tidy(True)
        assert garbage() is None and gc.isenabled()
    finally:
        gc.enable()


def test_what_was_freed_is_given_back_to_the_system() -> None:
    """The C library keeps what lies below something that lives; the kernel is asked how much the process has."""
    told = in_a_process("""
from pathlib import Path
from netless.app.memory import trim
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4 // 1024
held = [bytes(2000) for _ in range(32_000)]
last = held.pop()
del held[:]
before = resident()
print(trim(), before - resident() > 40)
""")
    assert told == "True True"


def test_a_large_block_goes_back_at_once() -> None:
    """Though one of its size was freed before, and small ones were taken behind it that stay; the kernel is asked how much the process has."""
    told = in_a_process("""
from pathlib import Path
from netless.app.memory import keep_large_apart
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4 // 1024
print(keep_large_apart())
del_me = bytes(b"x") * 20_000_000
del del_me
large = [b"x" * 300_000 for _ in range(100)]
small = [b"x" * 2000 for _ in range(1000)]
before = resident()
large.clear()
print(before - resident() > 25)
""")
    assert told.split() == ["True", "True"]
