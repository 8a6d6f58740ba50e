"""A typed line: a word for the tutor, or a line for a shell; and what a program prints, made plain."""

from __future__ import annotations

import pytest

from netless.commands.doing import DO
from netless.commands.table import BY_ID
from netless.linear.clean import Cleaner, Mark
from netless.linear.words import HERE, OWN, WORDS, Said, Typed, read, worded

NODES = ("host", "c1", "internet")


@pytest.mark.parametrize(
    ("line", "means"),
    [
        ("check", Said("check")),
        ("  ", None),
        ("goto cable/plug end", Said("go", "cable/plug end")),
        ("go", Said("go")),
        ("reset lesson", Said("reset", "lesson")),
        ("exit", Said("quit")),
        ("in c1", Said("in", "c1")),
        ("in c1 ip addr", Typed("ip addr", "c1")),
        ("in", Said("in")),
        ("sh c1", Said("sh", "c1")),
        ("sh -c true", Typed("sh -c true")),
        ("ip netns add next", Typed("ip netns add next")),
        ("type ls", Typed("type ls")),
        ("next door", Typed("next door")),
        ("!check", Typed("check")),
        (" check", Typed("check")),
        ("in nowhere", Typed("in nowhere")),
    ],
)
def test_a_line_is_a_word_or_the_shells(line: str, means: Said | Typed | None) -> None:
    """Words mean something alone, or with what answers them; a mark or a blank in front makes any line the shell's."""
    assert read(line, NODES) == means


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("`netless mend` gives up", "`mend` gives up"),
        ("`netless goto cable/plug` goes", "`goto cable/plug` goes"),
        ("`netless down` ends it, `netless reset --yes` too", "`netless down` ends it, `netless reset --yes` too"),
    ],
)  # fmt: skip
def test_commands_that_are_words_here_are_told_as_words(text: str, told: str) -> None:
    """So that one need not leave the tutor to type them; the others stay commands."""
    assert worded(text) == told


def test_every_word_does_what_a_key_does() -> None:
    """By the table of commands, with its help; what words are told of otherwise here there is."""
    for command in WORDS.values():
        assert BY_ID[command].does in DO and BY_ID[command].help
    assert HERE.keys() <= WORDS.keys() and not OWN.keys() & WORDS.keys()


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_who_draws_on_a_whole_screen_is_told(size: int) -> None:
    """Whoever writes to a place of it, or on the other one that terminals have; a cleared screen alone is none."""
    printed = b"\x1b[H\x1b[2Ja\x1b[?1049hb\x1b[24;1Hc\x1b[?1049l"
    cleaner = Cleaner()
    parts = [part for at in range(0, len(printed), size) for part in cleaner.feed(printed[at : at + size])]
    assert parts == ["a", Mark("screen"), "b", Mark("screen"), "c"]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_what_acts_is_taken_out_and_marks_are_told(size: int) -> None:
    """However the bytes are cut: colours, titles, cursors, a line written over; letters of more than a byte stay whole."""
    printed = "\x1b]133;C\x07\x1b[1;31mré\x1b[0md\x1b]0;title\x1b\\\r\n50%\r100%\r\n\x1b]133;D;1\x1b\\\x07a\x1b(Bb".encode()
    cleaner = Cleaner()
    parts = [part for at in range(0, len(printed), size) for part in cleaner.feed(printed[at : at + size])]
    assert "".join(part for part in parts if isinstance(part, str)) == "réd\n50%\n100%\nab"
    assert [part for part in parts if isinstance(part, Mark)] == [Mark("C"), Mark("D;1")]
