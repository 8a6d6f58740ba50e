"""The table of commands, and all that is printed from it: bindings, bar, help, README and ``netless keys`` say the same."""

from __future__ import annotations

import ast
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from textual.binding import Binding

from app import story
from netless.app.keys import ending, outer
from netless.app.screens.drill import DrillScreen, GiveUpScreen, ToldScreen
from netless.app.screens.help import HelpScreen
from netless.app.screens.leaving import LeavingScreen
from netless.app.screens.lists import SearchPanel
from netless.app.screens.packets import HopsScreen, LayersScreen, SeekScreen
from netless.app.screens.panel import Panel
from netless.app.screens.places import GotoScreen, PickerScreen
from netless.app.screens.rebuild import ConsentScreen, GoneScreen, ResetScreen
from netless.app.screens.tutor import TutorScreen
from netless.app.screens.why import WhyScreen
from netless.app.terminal.widget import LEAVE_KEY
from netless.app.widgets.bars import keys_of
from netless.app.widgets.lower import ChangesPane, PacketsPane
from netless.app.widgets.picture import Picture
from netless.commands.command import PLACES, Place
from netless.commands.doing import DO
from netless.commands.printed import HEADS, MAIN, lines, worded
from netless.commands.table import ACTS, BY_ID, COMMANDS, USUAL, at, bar, key_called, one_by_one
from netless.desk.reduce import Asked, Ended, Joined, reduce
from netless.desk.view import View

CHECKOUT = Path(__file__).resolve().parents[2]


def here() -> View:
    """Somebody who has joined."""
    view = View()
    for event in (Joined("default"), *story.opening()):
        view = reduce(view, event)  # type: ignore[arg-type]
    return view


def test_ids_and_keys_are_unique() -> None:
    """No two commands have one id, and no key means two things where one person can press it."""
    assert len(BY_ID) == len(COMMANDS)
    for place in PLACES:
        around: tuple[Place, ...] = ("tutor", "everywhere") if place in ("network", "packets", "changes") else ("everywhere",) if place == "terminal" else ()
        keys = [key for command in at(place, *around) for key in command.keys]
        assert len(keys) == len(set(keys)), place


def test_every_command_is_done_by_somebody() -> None:
    """What is not done by the window or the pane that has the focus is done under its id, or under that of the command it is the same as; nothing else is."""
    assert {command.does for command in COMMANDS if command.does} == set(DO)
    assert all(not (command.own and command.same) and BY_ID.get(command.same, command).same == "" for command in COMMANDS if command.same)


@pytest.mark.parametrize(
    ("places", "bindings"),
    [
        (("tutor", "everywhere"), TutorScreen.BINDINGS), (("network",), Picture.BINDINGS),
        (("packets",), PacketsPane.BINDINGS), (("changes",), ChangesPane.BINDINGS), (("window",), Panel.BINDINGS), (("list",), SearchPanel.BINDINGS),
        (("help",), HelpScreen.BINDINGS), (("goto",), GotoScreen.BINDINGS), (("courses",), PickerScreen.BINDINGS), (("reset",), ResetScreen.BINDINGS),
        (("consent",), ConsentScreen.BINDINGS), (("leaving",), LeavingScreen.BINDINGS),
        (("drill",), DrillScreen.BINDINGS), (("mend",), GiveUpScreen.BINDINGS), (("told",), ToldScreen.BINDINGS), (("why",), WhyScreen.BINDINGS),
        (("hops",), HopsScreen.BINDINGS), (("packet",), LayersScreen.BINDINGS), (("seek",), SeekScreen.BINDINGS), (("gone",), GoneScreen.BINDINGS),
    ],
)  # fmt: skip
def test_bindings_carry_the_ids(places: tuple[Place, ...], bindings: list[Binding]) -> None:
    """Each command is bound under its id, where it acts and with its keys; nothing else is bound there."""
    bound = {binding.id: tuple(binding.key.split(",")) for binding in bindings}
    assert bound == {command.id: command.keys for command in at(*places)}


def test_the_bar_shows_what_is_in_the_table() -> None:
    """A key of the bar is called as in the table and does the command of that key; one that cannot act is faint, and can be clicked all the same."""
    view = here()
    for key, shown in zip(keys_of(view, "lesson"), bar(view), strict=True):
        assert key.key == key_called(shown.command.keys[0]) and key.action == f"screen.do('{shown.command.id}')"
        assert key.live == (not shown.command.forbids(view))
    assert [shown.command for shown in bar(view)][: len(ACTS)] == list(ACTS)


@pytest.mark.parametrize("where", ["lesson", "network", "packets", "changes", "terminal"])
def test_help_tells_every_key_that_acts_there(where: Place) -> None:
    """The help of a pane holds the lines of all commands of that pane and of the tutor."""
    told = "\n".join(block.content.plain for block in HelpScreen(where).text(200))
    own = at(where) if where in PLACES else ()
    assert all(worded(same[0]) in told for same in one_by_one((*own, *at("tutor", "everywhere"))))


def test_a_terminal_leaves_the_keys_that_act_everywhere_to_the_screen() -> None:
    """On whichever keys a person has them; but a key that types something is the shell's. The key that leads out is the one of the table."""
    assert outer(USUAL) == {key for command in at("everywhere") for key in command.keys} - {"tab"}
    assert outer({"zoom": ("ctrl+k", "k"), "screenshot": ("f9",)}) == {"f6", "ctrl+k", "f9"}
    assert BY_ID["terminal.leave"].keys == (LEAVE_KEY,)


def test_what_ends_the_tutor_is_known_from_the_keymap() -> None:
    """The key to quit, wherever it is, and ctrl+c; the window that says that the lab is gone has keys of its own."""
    assert ending(USUAL) == ending(USUAL, gone=True) == {"q", "ctrl+c"}
    assert ending({"quit": ("f10",)}) == {"f10", "ctrl+c"}
    assert ending({"gone.quit": ("f10",)}, gone=True) == {"f10", "ctrl+c"}


def test_the_readme_shows_the_table() -> None:
    """README's list of keys is what ``netless keys`` prints of the main screen, to the letter."""
    assert "\n".join(f"    {line}".rstrip() for line in lines(MAIN)) in (CHECKOUT / "README.md").read_text(encoding="utf-8")


def test_no_sentence_has_a_key_written_by_hand() -> None:
    """What is said names keys by the table and a person's keymap, or not at all: the same sentences are told where there are no keys."""
    rooms = [CHECKOUT / "tui/netless" / room for room in ("say", "desk", "commands", "linear")]
    for file in (file for room in rooms for file in room.rglob("*.py") if file.name not in ("table.py", "windows.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not re.search(r"\b([Pp]ress|with) (?!a\b)\w\b(?!')", node.value), (file.name, node.value)
            if isinstance(node, ast.Tuple) and len(node.elts) > 1 and all(isinstance(own, ast.Constant) for own in node.elts):
                first, *looks = (own.value for own in node.elts if isinstance(own, ast.Constant))
                assert not (isinstance(first, str) and re.fullmatch(r"\w", first) and "accent" in looks), (file.name, first)


def test_every_command_stands_under_one_heading() -> None:
    """Nothing is left out of the printed table, nothing stands in it twice."""
    assert sorted(command.id for _, commands in HEADS for command in commands) == sorted(BY_ID)


def test_the_verb_prints_the_table() -> None:
    """``netless keys`` for people, ``--json`` for programs; neither needs a lab or loads the screen."""

    def said(*words: str) -> str:
        env = {"PYTHONPATH": f"{CHECKOUT / 'tui'}:{CHECKOUT / 'lab'}", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
        command = [sys.executable, "-P", "-X", "importtime", "-m", "netless", *words]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=60)
        assert "textual" not in done.stderr
        return done.stdout

    assert said("keys").splitlines() == list(lines())
    told = json.loads(said("keys", "--json"))
    assert {own["id"]: (tuple(own["keys"]), own["where"]) for own in told} == {own.id: (own.keys, own.where) for own in COMMANDS}


def test_what_cannot_be_done_says_why_in_a_sentence() -> None:
    """Whatever the state, a command can be done or has a sentence that says why not."""
    views = [View(), here(), reduce(here(), Asked("Checking")), reduce(here(), Ended("gone"))]
    for view, command in itertools.product(views, COMMANDS):
        reason = command.forbids(view)
        assert reason == "" or (not reason[0].islower() and reason[-1] == ".")
    assert BY_ID["run"].forbids(views[2]) == "The lab is busy: checking."
    assert {command.forbids(views[3]) for command in ACTS} == {"The lab is gone."}
