"""What a person's settings do to the app: other keys, other colours, other signs, no movement."""

from __future__ import annotations

import ast
import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from textual.binding import Binding
from textual.widgets import Input

from app import story
from app.driving import opened, rows, screen, strips, typed_at_once, until
from app.test_windows import kinds
from netless.app.screens.lists import SearchPanel
from netless.app.screens.panel import Panel
from netless.app.screens.places import GotoScreen
from netless.app.screens.rebuild import ResetScreen
from netless.app.screens.tutor import TutorScreen
from netless.app.widgets.lower import ChangesPane, PacketsPane
from netless.app.widgets.picture import Picture
from netless.config.glyphs import ascii_only
from netless.config.keys import COMMANDS, meet
from netless.config.place import settings
from netless.config.schema import Settings
from netless.say.ascii import SIGNS, in_ascii
from netless_lab import protocol
from netless_lab.model.scene import ASCII


def test_every_command_can_have_other_keys_where_keys_are_its_own() -> None:
    """Each that the screen, one of its panes or a window is bound to, by the id of the table; copying and leaving by ctrl+c stays, whatever is set."""
    windows = (own for kind in (Panel, SearchPanel, *kinds()) for own in kind.BINDINGS)  # type: ignore[attr-defined]
    bound = (*TutorScreen.BINDINGS, *Picture.BINDINGS, *PacketsPane.BINDINGS, *ChangesPane.BINDINGS, *windows)
    fixed = {"quit.copy", "window.copy", "gone.stay"}
    assert {own.id for own in bound if isinstance(own, Binding)} - fixed == set(COMMANDS)


async def test_other_keys_in_windows_and_tabs() -> None:
    """A window's bar names the key that is set, and that one acts there, as do the tabs where one pane stands alone."""
    keys: dict[str, tuple[str, ...]] = {"reset.close": ("k",), "pane.network": ("f7",), "list.down": ("ctrl+j",), "goto.end": ("ctrl+k",)}
    async with opened((80, 24), settings=Settings(keys=keys)) as (app, pilot, peer):
        assert "F7 Network" in screen(app) and "F2" not in screen(app)
        await pilot.press("x")
        await until(pilot, lambda: "k Keep" in screen(app))
        await pilot.press("n")
        assert isinstance(app.screen, ResetScreen)
        await pilot.press("k", "g")
        await until(pilot, lambda: "ctrl+k Its end" in screen(app))
        await pilot.press("ctrl+j", "ctrl+k")
        await until(pilot, lambda: any(isinstance(asked, protocol.Goto) for asked in peer.asked))
        gone = next(asked for asked in peer.asked if isinstance(asked, protocol.Goto))
        assert gone.end and gone.target == "container/cable/address"


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("run", "zoom", True), ("run", "packets.save", True), ("packets.save", "export", False), ("run", "reset.yes", False),
        ("reset.yes", "window.close", True), ("reset.yes", "drill.begin", False), ("goto.start", "list.down", True), ("reset.yes", "list.down", False),
    ],
)  # fmt: skip
def test_one_key_may_mean_two_things_where_nobody_can_press_it_for_both(one: str, other: str, together: bool) -> None:
    """Commands of one place, of the main screen and one of its panes, or of all windows and one of them, need keys of their own."""
    assert meet(one, other) is meet(other, one) is together


async def test_other_keys() -> None:
    """A command is on the keys that are set, and on those alone; the others keep theirs, and the bar says so."""
    chosen = Settings(keys={"run": ("f9", "!"), "zoom": ("ctrl+k",), "next": ("comma",), "play": ("ctrl+full_stop",)})
    async with opened((120, 40), settings=chosen) as (app, pilot, peer):
        await pilot.press("r")
        await until(pilot, lambda: " F9 Run " in screen(app))
        assert not [asked for asked in peer.asked if isinstance(asked, protocol.Run)]
        await pilot.press("f9")
        await until(pilot, lambda: any(isinstance(asked, protocol.Run) for asked in peer.asked))
        await pilot.press("f11")
        assert not app.get_default_screen().zoomed
        await pilot.press("ctrl+k")
        assert app.get_default_screen().zoomed
        peer.say(protocol.VerdictEvent(story.PASSED))
        await until(pilot, lambda: ", Next step" in screen(app))
        peer.say(protocol.StatusEvent(story.status(playing=True)))
        await until(pilot, lambda: "Press ctrl+. to leave" in " ".join(screen(app).split()))


async def test_a_key_may_be_written_by_its_sign_or_in_another_order() -> None:
    """The screen's toolkit has one name for each; whatever a person writes for it in the file acts, and is called by its sign."""
    file = Path(os.environ["XDG_CONFIG_HOME"], "netless", "config.toml")
    file.parent.mkdir(parents=True)
    file.write_text('[keys]\nrun = "!"\nhint = "ctrl+."\ngoto = "+"\ncopy = "shift+ctrl+down"\n', encoding="utf-8")
    async with opened((120, 40), settings=settings(os.environ, {})) as (app, pilot, peer):
        assert " ! Run " in screen(app) and " + Go to " in screen(app)
        typed_at_once(app, "!")
        await until(pilot, lambda: peer.kinds() == ["Run"] and not app.view.busy)
        typed_at_once(app, "ctrl+full_stop")
        await until(pilot, lambda: peer.kinds() == ["Run", "Hint"] and not app.view.busy)
        typed_at_once(app, "ctrl+shift+down")
        await until(pilot, lambda: "Copied: " in screen(app))
        typed_at_once(app, "+")
        await until(pilot, lambda: isinstance(app.screen, GotoScreen))


async def test_other_keys_act_in_a_terminal_too() -> None:
    """Where the command acts everywhere; the usual key then goes to the program, as does one that types something."""
    chosen = Settings(keys={"zoom": ("ctrl+k", "k")})
    async with opened((120, 40), settings=chosen) as (app, pilot, _peer):
        tutor = app.get_default_screen()
        terminal = tutor.shells.open("host")
        terminal.begin(("sleep", "60"), {})
        tutor.lower.choose("host")
        tutor.show_pane("lower")
        await until(pilot, lambda: tutor.where == "terminal")
        await pilot.press("f11", "k")
        assert not tutor.zoomed
        await pilot.press("ctrl+k")
        assert tutor.zoomed


async def test_a_theme_of_ones_own_is_turned_to(tmp_path: Path) -> None:
    """After the two that come along; what is wrong in a file is told and the next one taken; what can hardly be read is told."""
    folder = Path(os.environ["XDG_CONFIG_HOME"], "netless", "themes")
    folder.mkdir(parents=True)
    (folder / "bad.toml").write_text("acent = 1\n", encoding="utf-8")
    (folder / "sea.toml").write_text('background = "#001122"\nmuted = "#223344"\n', encoding="utf-8")
    async with opened((120, 40), theme="light") as (app, pilot, _peer):
        await pilot.press("T")
        await until(pilot, lambda: "Theme sea: muted on" in screen(app))
        told = ""
        while app.notice is not None:
            told += app.notice.text.plain[2:].partition("  +")[0] + " "
            app.notices.over()
        assert "Theme sea" in told and "did you mean accent?" in " ".join(told.split())
        assert app.screen.styles.background.hex == "#001122"
        await pilot.press("T")
        assert app.theme == "dark"


async def test_a_terminal_is_told_of_the_new_colours() -> None:
    """Its palette and what it answers to OSC 10 and 11 are those of the theme that is on."""
    from netless.app.terminal import PtyTerminal
    from netless.app.terminal.painter import palette

    async with opened((120, 40), theme="dark") as (app, pilot, _peer):
        terminal = PtyTerminal(("sleep", "60"))
        app.get_default_screen().lower.add_terminal("host", terminal)
        app.get_default_screen().lower.choose("host")
        await pilot.pause()
        before = terminal.terminal.background
        app.action_turn_theme()
        await until(pilot, lambda: terminal.terminal.background != before)
        assert terminal.terminal.background.lower() == "#fbfaf7"
        assert terminal.terminal.foreground.lower() == "#1f2530"
        assert terminal.display_model.painter._palette == palette(dark=False)


async def test_without_animations_nothing_moves() -> None:
    """The packet is shown where it ends."""
    async with opened((120, 40), settings=Settings(animations=False)) as (app, _pilot, _peer):
        assert app.animation_level == "none"


async def test_what_is_selected_is_told_without_a_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """By reverse video; and code in a sentence by bold."""
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened() as (app, pilot, _peer):
        y = next(y for y, row in enumerate(rows(app)) if "a time, and most can move" in row)
        await pilot.mouse_down(offset=(2, y))
        await pilot.hover(offset=(8, y))
        await pilot.mouse_up(offset=(8, y))
        await until(pilot, lambda: any(own.style.reverse and own.text.startswith("a time") for own in strips(app)[y] if own.style))
        assert any(own.style.bold and own.text.strip() == "ip link set veth1 netns c1" for strip in strips(app) for own in strip if own.style)


async def test_where_one_types_and_what_one_is_at_is_told_without_a_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """In every window with a line to type in: the cursor and the chosen row by reverse video, what is selected of the line by a stroke below it."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(Input, "_toggle_cursor", lambda _: None)
    async with opened((80, 24)) as (app, pilot, _peer):

        def told(words: str, **look: bool) -> bool:
            runs = [(own.text, own.style) for strip in strips(app) for own in strip if own.style]
            return any(words in text and all(getattr(style, name) is on for name, on in look.items()) for text, style in runs)

        await pilot.press("ctrl+p")
        await until(pilot, lambda: told("Run", reverse=True) and told("t", reverse=True))
        await pilot.press("down")
        await until(pilot, lambda: told("Type it", reverse=True) and not told("Run", reverse=True))
        await pilot.press("escape", "g", "c", "a", "b", "left")
        await until(pilot, lambda: told("b", reverse=True))
        await pilot.press("shift+left")
        await until(pilot, lambda: told("a", underline=True))


@pytest.mark.parametrize(
    ("choice", "environment", "plain"),
    [
        ("auto", {"LANG": "en_US.UTF-8"}, False),
        ("auto", {"LC_ALL": "C", "LANG": "en_US.UTF-8"}, True),
        ("auto", {"LC_CTYPE": "de_DE.ISO-8859-1"}, True),
        ("auto", {"LC_ALL": "", "LANG": "C.utf8"}, False),
        ("auto", {}, False),
        ("ascii", {"LANG": "C.UTF-8"}, True),
        ("unicode", {"LC_ALL": "C"}, False),
    ],
)
def test_which_signs(choice: str, environment: dict[str, str], plain: bool) -> None:
    """As it is set; else as the locale can. A locale that is not set is not told against."""
    assert ascii_only(choice, environment) == plain  # type: ignore[arg-type]


def test_signs_keep_their_cells() -> None:
    """One for one; letters of other scripts stay where the terminal has them, and are as many question marks where it has not."""
    assert in_ascii("╭─ ✓ 网，「é」 ☃", letters=True) == "+- v 网，「é」 ?"
    assert in_ascii("╭─ ✓ 网，「é」 ☃", letters=False) == "+- v ??, < e>  ?"
    assert all(len(other) == 1 and other.isascii() for other in SIGNS.values())


def test_what_a_program_draws_keeps_its_meaning() -> None:
    """Lines, arrows, ticks and bars of programs that run in the terminal, none of which the app itself writes."""
    assert in_ascii("├──╴a ╠═══╣ ┄┄ ⇒ ⟵ ▓▓░ ✔ ✘ ■ e\u0301", letters=False) == "+---a #===# -- > < ### v x * e"


_RANGES: Final = {"lab/netless_lab/course/bindings.py", "lab/netless_lab/harmless.py", "lab/netless_lab/course/markdown.py"}
"""Here characters beyond ASCII are the ends of ranges and are never printed."""


def written_by_the_project() -> Iterator[tuple[str, str]]:
    """(sign, file) of every sign in a string that is no docstring, and of every one in a lesson."""
    root = Path(__file__).parents[2]
    sources = [path for room in ("tui/netless", "lab/netless_lab") for path in (root / room).rglob("*.py") if str(path.relative_to(root)) not in _RANGES]
    assert len(sources) > 200
    for path in sources:
        nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
        told = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        for node in nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
                yield from ((one, path.name) for one in node.value)
    lessons = [path for path in (root / "lessons").rglob("*") if path.suffix in (".md", ".toml")]
    assert len(lessons) > 20
    for path in lessons:
        yield from ((one, path.name) for one in path.read_text("utf-8"))


def test_every_sign_that_can_be_written_has_one_in_ascii() -> None:
    """What stands in sources and lessons, besides letters, is some sign of its own in ASCII, and never a question mark."""
    signs = {(one, where) for one, where in written_by_the_project() if not one.isascii() and unicodedata.category(one)[0] in "PSZ"}
    assert signs
    unknown = {(one, where) for one, where in signs if "?" in in_ascii(one, letters=False) and one != "\N{FULLWIDTH QUESTION MARK}"}
    assert not unknown


def test_the_picture_has_the_same_signs_as_that_of_the_command_line() -> None:
    """But for the dot between words, which stands for a dashed wire nowhere."""
    differ = {chr(one) for one in ASCII.swap if SIGNS.get(one) != ASCII.swap[one]}
    assert differ <= {"·"}
