"""A file of settings: what is right is taken, what is wrong is told with its line and the nearest word."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from netless.config.keys import is_key
from netless.config.reading import Wrong, line_of, read, taken_as
from netless.config.schema import SETTINGS, Settings, example
from netless.config.shared import NAMES, VARIABLES
from netless.vt import SCROLLBACK


def told(text: str) -> list[str]:
    """What is wrong with a file, a line each."""
    return [own.told("f") for own in read(text).problems]


def test_what_is_right_is_taken_with_its_line() -> None:
    """Values as TOML has them; a key may be one or a list."""
    found = read('# mine\ntheme = "light"\n\nmouse = false\nscrollback = 100\n[keys]\nrun = "f9"\ncheck = ["c", "ctrl+k", "!"]\n')
    assert not found.problems
    assert found.said == {"theme": "light", "mouse": False, "scrollback": 100, "keys": {"run": ("f9",), "check": ("c", "ctrl+k", "!")}}
    assert found.lines == {"theme": 2, "mouse": 4, "scrollback": 5, "keys": 6}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('lab = "a"\nthme = "x"', "f:2: there is no setting thme; did you mean theme?"),
        ('glyphs = "asci"', 'f:1: glyphs = "asci": it can be auto, unicode, ascii; did you mean ascii?'),
        ("mouse = 1", "f:1: mouse = 1: it is true or false"),
        ('animations = "no"', 'f:1: animations = "no": it is true or false'),
        ("scrollback = -1", "f:1: scrollback = -1: it is a whole number from 0 to 100000"),
        ("scrollback = 2.5", "f:1: scrollback = 2.5: it is a whole number from 0 to 100000"),
        ("theme = 3", 'f:1: theme = 3: it is a text, in quotes: "..."'),
        ("[key]\n", "f:1: there is no setting [key]; did you mean keys?"),
        ("keys = 4", "f:1: keys is a table: a line [keys], and below it COMMAND = KEY"),
        ('[keys]\nrum = "f9"', "f:2: there is no command rum to give a key; did you mean run?"),
        ('keys.rum = "f9"', "f:1: there is no command rum to give a key; did you mean run?"),
        ('keys = { hint = "j", rum = "f9" }', "f:1: there is no command rum to give a key; did you mean run?"),
        ('[keys]\nrun = "f99"', 'f:2: run = "f99": it is a key or a list of keys, such as "r", "f9", "ctrl+k"'),
        ("[keys]\nrun = []", 'f:2: run = []: it is a key or a list of keys, such as "r", "f9", "ctrl+k"'),
        ('[keys]\nrun = "j"\n\nhint = ["k", "j"]', 'f:4: hint = ["k","j"]: the key j is that of run already'),
        ("a = \n", "f:1: this is no TOML: invalid value"),
        ('\n\ntheme = "x', 'f:3: this is no TOML: '),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, words: str) -> None:
    """Each kind of mistake, in words that say what would be right."""
    (one,) = told(text)
    assert one.startswith(words)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    """In the order of lines, and what is right beside it is still read."""
    found = read('glyphs = "x"\ntheme = "dark"\nnope = 1\n')
    assert [own.line for own in found.problems] == [1, 3]
    assert found.said == {"theme": "dark"}


def test_a_key_of_a_table_is_not_that_of_the_file() -> None:
    """``lab`` below ``[other]`` is another one."""
    assert line_of('[other]\nlab = 1\n', "lab") == 1
    assert line_of('x = 1\n"lab" = 1\n', "lab") == 2


@pytest.mark.parametrize(
    "word", ["r", "?", "+", "ctrl+k", "ctrl++", "f1", "f24", "pageup", "shift+tab", "ctrl+shift+up", "question_mark", "slash", "ctrl+right_square_bracket"]
)
def test_keys(word: str) -> None:
    """How keys are written."""
    assert is_key(word)


def test_commands_of_different_panes_may_have_one_key() -> None:
    """Only one of them can be meant; one that acts in all panes has its key alone."""
    assert told('[keys]\nexport = "j"\npackets.follow = "j"\n') == []
    assert told('[keys]\nrun = "j"\npackets.follow = "j"\n') == ['f:3: packets.follow = "j": the key j is that of run already']


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ('run = "c"', 'f:2: run = ["c"]: the key c is that of check, which stays on it unless it is given another one'),
        ('hint = ["h", "?"]', 'f:2: hint = ["h","?"]: the key ? is that of help, which stays on it unless it is given another one'),
        ('hint = "question_mark"\nwhy = "?"', "f:3: why = \"?\": the key ? is that of hint already"),
        ('why.close = "f12"', 'f:2: why.close = ["f12"]: the key f12 is that of window.screenshot, which stays on it unless it is given another one'),
        ('run = "c"\ncheck = "r"', ""),
        ('goto.close = "escape"\nreset.close = ["n", "escape"]', ""),
        ('packets.save = "r"\nreset.yes = "c"', 'f:2: packets.save = ["r"]: the key r is that of run, which stays on it unless it is given another one'),
    ],
)
def test_a_key_that_another_command_stays_on_is_no_key_to_give(keys: str, problem: str) -> None:
    """One press cannot do two things; two commands may change places, and what does the same may have the same key."""
    first, *_ = [*told(f"[keys]\n{keys}\n"), ""]
    if "already" in problem:
        assert problem in told(f"[keys]\n{keys}\n")
    else:
        assert first == problem


def test_a_command_with_a_dot_may_stand_with_quotes_or_without() -> None:
    """TOML takes the one for a table in a table."""
    found = read('[keys]\npane.next = "f7"\n"pane.before" = "f8"\npane.nxt = "f9"\n')
    assert found.said["keys"] == {"pane.next": ("f7",), "pane.before": ("f8",)}
    assert [own.told("f") for own in found.problems] == ["f:4: there is no command pane.nxt to give a key; did you mean pane.next?"]


@pytest.mark.parametrize("word", ["", "rr", "f0", "f25", "ctrl+", "hyper+x", "Page", "é", " ", "esc", "del", "ctrl+null", "nbsp"])
def test_no_keys(word: str) -> None:
    """What is none; that Unicode has such a name for what no key types makes it none."""
    assert not is_key(word)


def test_words_of_the_environment_are_read_as_values() -> None:
    """There all is text."""
    known = {own.name: own for own in SETTINGS}
    assert taken_as(known["mouse"], "false", strict=False) is False
    assert taken_as(known["scrollback"], "500", strict=False) == 500
    assert isinstance(taken_as(known["scrollback"], "many", strict=False), Wrong)


def test_the_example_sets_nothing_and_with_its_marks_taken_away_is_right() -> None:
    """Every setting stands in it, with its default."""
    assert tomllib.loads(example()) == {}
    bare = re.sub(r"(?m)^# (?=[a-z]+ = |\[)", "", example())
    found = read(bare)
    assert not found.problems
    defaults = {own.name: own.default for own in SETTINGS}
    assert {name: value for name, value in found.said.items() if name != "keys"} == {name: value for name, value in defaults.items() if name != "keys"}
    assert set(found.said) == set(defaults)


def test_defaults_are_those_of_the_parts_that_have_them() -> None:
    """And what is handed on early is what the schema says."""
    assert Settings().scrollback == SCROLLBACK
    assert {own.name for own in SETTINGS} == NAMES
    assert {own.name: own.variable for own in SETTINGS if own.name in VARIABLES} == VARIABLES


def test_the_readme_lists_every_setting(checkout: Path) -> None:
    """As the schema has it."""
    rows = [
        f"| `{own.name}` | {f'`{own.variable}`' if own.variable else ''} | {f'`{own.option}`' if own.option else ''} | "
        f"{'' if own.name == 'keys' else f'`{own.default}`' if own.default != '' else ''} | {own.about} |".replace("`True`", "`true`").replace("`False`", "`false`")
        for own in SETTINGS
    ]
    page = (checkout / "README.md").read_text(encoding="utf-8")
    table = re.search(r"(?s)\| setting \| .*?\|\n\|-[-|]+\n(.*?)\n\n", page)
    assert table is not None
    assert table[1].splitlines() == rows
