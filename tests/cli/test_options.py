"""Global options stand anywhere before the command of ``exec``; what follows is never ours."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import get_args

import pytest

from helpers.command_line import Cli
from netless.config.schema import GlyphChoice
from netless.options import Words, in_order, plainly
from netless.parser import parser
from netless.say.narration import Kind
from netless.usage.completions import SHELLS
from netless.usage.table import ASKED, GLOBAL, NOTES, VERBS, WORDLESS
from netless_lab import protocol
from netless_lab.primitives.roles import Dialect


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


@pytest.mark.parametrize("verb", [*WORDLESS, ""])
@pytest.mark.parametrize(
    "form",
    [
        "{}", "{} --json", "--lab w {}", "{} --json --lab w", "--lab v {} --lab w --json --json", "--theme dark {} --lab w", "{} --plain --glyphs ascii",
        "--lessons folder {} --lang pt-BR", "{} --record film.cast", "--lang zh --lang es {}",
    ],
)
def test_what_is_plain_is_read_as_the_parser_reads_it(verb: str, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A verb without words, and no verb, with global options, means the same with and without argparse, whatever lab is in hand."""
    for lab in ("", "u"):
        monkeypatch.setenv("NETLESS_LAB", lab)
        given = in_order(form.format(verb).split())
        plain = plainly(given, os.environ)
        assert plain is not None and vars(plain) == vars(parser().parse_args([*given.ours, *given.rest]))


@pytest.mark.parametrize(
    "words",
    ["check", "status w", "status -h", "--help", "status --lab", "status --lab -x", "status --lab --json", "--lab=w status", "--lab= w status",
     "status --glyphs none", "--theme --plain", "--record", "status --", "status --jso", "tutor", "exec c1 -- status", "-V status", "up"],
)  # fmt: skip
def test_all_else_is_the_parsers(words: str) -> None:
    """Words, options of a verb, help, and whatever is wrong: argparse has the rules and the sentences for it."""
    assert plainly(in_order(words.split()), {}) is None


@pytest.mark.parametrize("words", ["statsu", "status --foo", "goto", "up --lease 0", "reset nothing", "--glyphs none status"])
def test_wrong_usage_is_a_document_too(cli: Cli, words: str) -> None:
    """With --json, as every other refusal is; in words it is told beside it."""
    told = cli(*words.split(), "--json", code=2)
    document = json.loads(told.stdout)
    assert document["code"] == 2 and f"netless: {document['error']}" in told.stderr
    assert cli(*words.split(), code=2).stdout == ""


def test_the_verb_that_was_perhaps_meant(cli: Cli) -> None:
    """Of an unknown one."""
    assert "did you mean: status" in cli("statsu", code=2).stderr


def test_the_name_of_a_course_is_no_verb(cli: Cli) -> None:
    """The verb that opens it is named; of a word that no course has it is not."""
    told = cli("container", code=2).stderr
    assert "`netless tutor container` opens it" in told and "no verb" in told
    assert "tutor" not in cli("container-of-mine", code=2).stderr


def test_a_course_may_be_called_as_a_verb_is(cli: Cli, tmp_path: Path) -> None:
    """Settings count for whoever names it."""
    settings = tmp_path / "netless"
    settings.mkdir()
    (settings / "config.toml").write_text("nonsense = 1\nlab = 'w'\n")
    cli.environment["XDG_CONFIG_HOME"] = str(tmp_path)
    told = cli("up", "config", code=2).stderr
    del cli.environment["XDG_CONFIG_HOME"]
    assert "there is no setting nonsense" in told


@pytest.mark.parametrize(
    ("words", "key"), [("man", "page"), ("completions bash", "script"), ("completions zsh", "script"), ("completions fish", "script"), ("complete course", "")]
)
def test_what_a_shell_reads_is_a_document_with_json(cli: Cli, words: str, key: str) -> None:
    """One, with the text as it is printed without it."""
    told = json.loads(cli(*words.split(), "--json").stdout)
    assert (told[key] if key else "\n".join(told)) == cli(*words.split()).stdout.rstrip("\n")


def test_the_choices_of_the_table_are_those_of_what_reads_them() -> None:
    """The table imports nothing that knows them: each is named there once more, and here they are compared."""
    known = {
        ("", "--glyphs"): get_args(GlyphChoice), ("run", "--dialect"): get_args(Dialect), ("reset", "scope"): get_args(protocol.Scope),
        ("follow", "--only"): tuple(kind for kind in get_args(Kind) if kind != "end"), ("complete", "kind"): ASKED, ("completions", "shell"): SHELLS,
    }  # fmt: skip
    said = {("", own.flags[0]): own.choices for own in GLOBAL if own.choices}
    said |= {(verb.name, own.flags[0]): own.choices for verb in VERBS.values() for own in verb.options if own.choices}
    said |= {(verb.name, own.name): own.choices for verb in VERBS.values() for own in verb.words if own.choices}
    ours = {("progress", "what"), ("config", "what")}
    assert {place: set(choices) for place, choices in said.items() if place not in ours} == {place: set(choices) for place, choices in known.items()}


def test_the_note_names_every_option_that_may_stand_anywhere() -> None:
    """It is made of the table; the help and the man page say it."""
    assert all(option.flags[0] in NOTES[1] for option in GLOBAL)
