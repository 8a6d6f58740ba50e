"""Colour is for a person who looks and wants it: on a terminal, and not where NO_COLOR is set (no-color.org)."""

from __future__ import annotations

import pytest

from helpers.command_line import Cli

ESCAPE = "\x1b["


def test_a_person_at_a_terminal_sees_styles(cli: Cli) -> None:
    """The ids of the faults stand out."""
    shown = cli.on_a_terminal("faults", answer="")
    assert f"{ESCAPE}1mforwarding-off" in shown


@pytest.mark.parametrize("value", ["1", "0"])
def test_whoever_sets_no_color_sees_none(cli: Cli, value: str) -> None:
    """Whatever its value, as soon as it has one."""
    cli.environment["NO_COLOR"] = value
    shown = cli.on_a_terminal("faults", answer="")
    assert "forwarding-off" in shown and ESCAPE not in shown


@pytest.mark.parametrize(("name", "value", "coloured"), [("NO_COLOR", "", True), ("TERM", "dumb", False)])
def test_an_empty_word_asks_for_nothing_and_a_terminal_may_have_none(cli: Cli, name: str, value: str, coloured: bool) -> None:
    """NO_COLOR counts "when present and not an empty string"; what TERM calls dumb takes no sequence."""
    cli.environment[name] = value
    assert (ESCAPE in cli.on_a_terminal("faults", answer="")) == coloured


def test_a_pipe_and_a_document_have_none(cli: Cli) -> None:
    """What a program reads is plain, also where it reads from a terminal."""
    assert ESCAPE not in cli("faults").stdout
    assert ESCAPE not in cli.on_a_terminal("faults", "--json", answer="")
