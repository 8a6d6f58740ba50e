"""Global options stand anywhere before the command of ``exec``; what follows is never ours."""

from __future__ import annotations

import os

import pytest

from netless.options import WORDLESS, Words, in_order, plainly
from netless.parser import parser


@pytest.mark.parametrize(
    "words",
    [
        "--lab w --json exec host -- ip -j link",
        "exec --lab w --json host -- ip -j link",
        "exec host --lab w --json -- ip -j link",
        "exec --lab=w host --json ip -j link",
        "--json exec host --lab=w ip -j link",
    ],
)
def test_the_command_of_exec_begins_after_our_options(words: str) -> None:
    """Before the verb, between verb and NODE, between NODE and ``--``; without ``--`` the first foreign word begins the command."""
    order = in_order(words.split())
    assert order.rest == ("exec", "host") and order.command == ("ip", "-j", "link")
    assert sorted(" ".join(order.ours).replace("=", " ").split()) == ["--json", "--lab", "w"]


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("exec host -- sh --lab w --json", "sh --lab w --json"),
        ("exec host sh --lab w", "sh --lab w"),
        ("exec host -- --lab w", "--lab w"),
        ("exec host -- sh -c true -- --json", "sh -c true -- --json"),
        ("exec host sh -c true -- --json", "sh -c true -- --json"),
        ("exec host -x", "-x"),
        ("exec host", ""),
    ],
)
def test_words_of_the_command_are_its_own(words: str, command: str) -> None:
    """An option of ours after ``--``, or in the command, belongs to the command; only the first ``--`` is ours."""
    assert in_order(words.split()) == Words((), ("exec", "host"), tuple(command.split()))


@pytest.mark.parametrize(
    ("words", "rest"),
    [
        ("progress export --lab w FILE", "progress export FILE"),
        ("ping c1 --json --lab w 10.0.0.1 --explain", "ping c1 10.0.0.1 --explain"),
        ("goto --end --lab w switch", "goto --end switch"),
        ("tutor --theme dark --lab w", "tutor"),
        ("--lab w", ""),
        ("reset lab -- --lab w", "reset lab -- --lab w"),
    ],
)
def test_every_verb_keeps_its_own_words_in_order(words: str, rest: str) -> None:
    """Whatever stands between the words of a verb, they stay together."""
    assert in_order(words.split()).rest == tuple(rest.split())


def test_help_of_exec_is_ours_and_not_a_command() -> None:
    """``exec host --help`` asks us."""
    assert in_order(["exec", "host", "--help"]) == Words((), ("exec", "host", "--help"), ())


def test_the_verb_is_the_first_word_that_is_no_option() -> None:
    """With options of ours in front of it, and "" without one."""
    assert in_order(["--lab", "check", "--json", "status"]).verb == "status"
    assert in_order(["--lab", "check"]).verb == ""


@pytest.mark.parametrize("verb", WORDLESS)
@pytest.mark.parametrize("form", ["{}", "{} --json", "--lab w {}", "{} --json --lab w", "--lab v {} --lab w --json --json"])
def test_what_is_plain_is_read_as_the_parser_reads_it(verb: str, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A verb without words, with --json and --lab alone, means the same with and without argparse, whatever lab is in hand."""
    for lab in ("", "u"):
        monkeypatch.setenv("NETLESS_LAB", lab)
        given = in_order(form.format(verb).split())
        plain = plainly(given, os.environ)
        assert plain is not None and vars(plain) == vars(parser().parse_args([*given.ours, *given.rest]))


@pytest.mark.parametrize(
    "words",
    ["", "check", "status w", "status -h", "--help", "status --lab", "status --lab -x", "status --lab --json", "--lab=w status", "--lab= w status",
     "status --lang zh", "status --theme dark", "status --", "status --jso", "tutor", "exec c1 -- status", "-V status", "up"],
)  # fmt: skip
def test_all_else_is_the_parsers(words: str) -> None:
    """Words, other options, help, and whatever is wrong: argparse has the rules and the sentences for it."""
    assert plainly(in_order(words.split()), {}) is None
