"""What a terminal answers after nobody waits for it any more is no key that was typed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from textual import events

from helpers.checkout import as_here
from helpers.seat import seated
from netless.app.toolkit import KeysAlone

COLOUR, KIND = "\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\", "\x1b[?62;1;c"
"""The answers to "which background?" and "what are you?" (xterm's ctlseqs, OSC 11 and DA1)."""


def keys(*reads: str) -> list[str]:
    """The keys in what was read, one read after the other."""
    parser = KeysAlone()
    return [event.key for data in reads for event in parser.feed(data) if isinstance(event, events.Key)]


@pytest.mark.parametrize("answer", [COLOUR, COLOUR.replace("\x1b\\", "\x07"), KIND, COLOUR + KIND])
def test_an_answer_is_no_key(answer: str) -> None:
    """However the reading cuts it, and with keys before and after it."""
    assert keys(f"a{answer}b") == ["a", "b"]
    for cut in range(1, len(answer)):
        if answer[:cut].endswith(("\x1b[", "\x1b]")):
            continue  # alt and a bracket is a key
        assert keys("a", answer[:cut], answer[cut:], "b") == ["a", "b"]


def test_keys_are_heard_as_ever() -> None:
    """Escape, alt and a bracket, arrows, a paste and a mode report are none of it; nothing is kept back for long."""
    assert keys("\x1b[A", "\x1b[?2026;2$y", "x") == ["up", "x"]
    assert keys("\x1b", "\x1b[A") == ["escape", "up"]
    assert keys("\x1b]" + "1" * 100, "x")[-1] == "x"
    parser = KeysAlone()
    assert [type(event).__name__ for event in parser.feed("\x1b[200~" + COLOUR + "text\x1b[201~x")] == ["Paste", "Key"]


@pytest.mark.parametrize(("control", "key"), [("\x10", "ctrl+p"), ("\x12", "ctrl+r"), ("\x03", "ctrl+c"), ("\r", "enter")])
def test_escape_and_what_is_pressed_behind_it_are_two_keys(control: str, key: str) -> None:
    """In one read or in two: Textual takes them for one, and leaves the escape out."""
    assert keys(f"\x1b{control}x") == keys("\x1b", f"{control}x") == keys("\x1b", control, "x") == ["escape", key, "x"]
    assert keys(f"a\x1b{control}\x1b{control}\x1b[A") == ["a", "escape", key, "escape", key, "up"]


def test_what_terminals_send_with_an_escape_for_one_key_is_one() -> None:
    """Shift and tab, and what erases a word: an escape would close a window in which something is typed."""
    assert keys("\x1b\t", "a\x1b\x7f", "b") == ["shift+tab", "a", "ctrl+w", "b"]


def told(*reads: str) -> list[str]:
    """The keys and what was pasted, one read after the other."""
    parser = KeysAlone()
    events_ = [event for data in reads for event in parser.feed(data)]
    return [event.text if isinstance(event, events.Paste) else event.key for event in events_ if isinstance(event, events.Paste | events.Key)]


@pytest.mark.parametrize("text", ["plain", "a\x1b[Ab\r", "\x1b\x03x", "x\x1b", COLOUR, "\x1b[200~in\x1b[20"])
def test_an_escape_in_what_is_pasted_ends_nothing(text: str) -> None:
    """However the reading cuts it: it is left out, and nothing behind it is typed."""
    read, want = f"a\x1b[200~{text}\x1b[201~b", ["a", text.replace("\x1b", ""), "b"]
    assert told(read) == want
    for cut in range(1, len(read)):
        assert told(read[:cut], read[cut:]) == want
    assert told(*read.replace("\x1b[20", "\x1b[20|").split("|")) == want
    assert told(read + read) == want * 2


def test_a_slow_terminal_types_nothing(tmp_path: Path) -> None:
    """The tutor asks for the background and begins without an answer; the letters of the one that comes then open and run nothing."""
    environment = {**as_here(), "XDG_STATE_HOME": str(tmp_path), "TERM": "xterm-256color"}
    with seated([sys.executable, "-P", "-m", "app.child_app", "asks"], environment) as seat:
        seat.read_until(b"Plug one end")
        seat.type((COLOUR + KIND).encode())
        seat.type(b"q")
        assert seat.ended() == 0, "a letter of the answer opened something that takes q as a letter"


def test_what_was_typed_before_there_was_a_screen_is_heard(tmp_path: Path) -> None:
    """It is read along with the answer, and the tutor that begins then does it."""
    environment = {**as_here(), "XDG_STATE_HOME": str(tmp_path), "TERM": "xterm-256color"}
    with seated([sys.executable, "-P", "-m", "app.child_app", "asks"], environment) as seat:
        seat.read_until(b"\x1b]11;?")
        seat.type(b"q" + (COLOUR + KIND).encode())
        assert seat.ended() == 0
