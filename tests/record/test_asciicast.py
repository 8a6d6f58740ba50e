"""What the lines of a recording say, by the format's own words (https://docs.asciinema.org/manual/asciicast/v2/)."""

from __future__ import annotations

import json

import pytest

from netless.record.asciicast import header, line


def test_the_header_says_what_a_player_needs() -> None:
    """Version 2, the size, when, a title and the terminal's kind; one line of JSON."""
    said = header(120, 40, 1_700_000_000, "netless: The container", "xterm-256color")
    assert said.count(b"\n") == 1 and said.endswith(b"\n")
    assert json.loads(said) == {
        "version": 2, "width": 120, "height": 40, "timestamp": 1_700_000_000, "title": "netless: The container", "env": {"TERM": "xterm-256color"},
    }  # fmt: skip


def test_an_event_is_a_line_of_json() -> None:
    """Seconds, a letter, the data, in UTF-8; a lone surrogate, which UTF-8 has not, is a question mark."""
    assert json.loads(line(1.23456789, "o", "\x1b[1m中\ud800")) == [1.234568, "o", "\x1b[1m中?"]
    assert line(2.0, "r", "80x24") == b'[2.0,"r","80x24"]\n'
    assert line(3.0, "m", 'Plug "one" end in') == b'[3.0,"m","Plug \\"one\\" end in"]\n'


@pytest.mark.parametrize(
    "asked",
    ["\x1b[?1000h", "\x1b[?1003h", "\x1b[?1006l", "\x1b[?1015h", "\x1b[?1016h", "\x1b[?1004h", "\x1b[?2004h", "\x1b[?2048h",
     "\x1b[?2026$p", "\x1b[?2048$p", "\x1b[>25u", "\x1b[<u", "\x1b]52;c;c2VjcmV0\x07", "\x1b]52;c;c2VjcmV0\x1b\\", "\x1b]22;pointer\x1b\\"],
)  # fmt: skip
def test_the_terminal_of_who_looks_is_left_alone(asked: str) -> None:
    """What asks a terminal for its mouse, keys or modes, and what is copied, is not in it: a player would do the same to whoever looks."""
    assert json.loads(line(0, "o", f"a{asked}b"))[2] == "ab"
    assert line(0, "o", asked) == b""


def test_lines_end_as_the_terminal_gets_them() -> None:
    """The kernel turns a line feed into two characters on its way to a terminal, and a player has no such kernel before it."""
    assert json.loads(line(0, "o", "a\nb"))[2] == "a\r\nb"
