"""A command in a sentence acts, typed as it stands, on the lab one is in."""

from __future__ import annotations

import io
import json

import pytest

from netless.called import Called, called
from netless.printer import Printer

HERE = {"PATH": "/usr/bin:/opt/netless", "NETLESS_CALLED": "/opt/netless/netless"}


@pytest.mark.parametrize(
    ("environment", "lab", "down"),
    [
        ({}, "default", "netless down"),
        ({}, "w", "netless --lab w down"),
        ({"NETLESS_LAB": "w"}, "w", "netless down"),
        ({"NETLESS_LAB": "w"}, "default", "netless --lab default down"),
        ({"NETLESS_LAB": ""}, "w", "netless --lab w down"),
        ({"NETLESS_CALLED": "./netless"}, "w", "./netless --lab w down"),
        (HERE, "default", "netless down"),
        ({**HERE, "PATH": "/usr/bin"}, "default", "/opt/netless/netless down"),
        ({"NETLESS_CALLED": "/opt/my own/netless"}, "w", "'/opt/my own/netless' --lab w down"),
        ({"NETLESS_CALLED": r"/opt/a\d/netless"}, "default", r"'/opt/a\d/netless' down"),
    ],
)
def test_the_lab_is_named_when_a_bare_command_would_miss_it(environment: dict[str, str], lab: str, down: str) -> None:
    """``--lab`` stands right after the program, and only where it is needed; the program is called as one called it, for a
    shell to read.
    """
    assert called(lab, environment).typed("end it with `netless down` first") == f"end it with `{down}` first"


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("`netless` opens the tutor", "`nl --lab w` opens the tutor"),
        ("`netless doctor` and `netless labs`, see `netless --help`", "`nl doctor` and `nl labs`, see `nl --help`"),
        ("`netless lint lessons/mine`", "`nl lint lessons/mine`"),
        ("`netless exec NODE -- CMD ...`", "`nl --lab w exec NODE -- CMD ...`"),
        ("`netless-agent` is PID 1, `next` goes on, netless is a program", "`netless-agent` is PID 1, `next` goes on, netless is a program"),
        ("", ""),
    ],
)
def test_only_commands_that_act_on_a_lab_name_it(text: str, typed: str) -> None:
    """What acts on no lab gets the program only; what is no command of ours stays as it is."""
    assert Called("nl", "w").typed(text) == typed


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("`run` does it for you, `goto cable/plug` rebuilds", "`r` does it for you, `ctrl+g` (cable/plug) rebuilds"),
        ("let `netless mend` take it away; `reset lab` starts over", "let `netless --lab w mend` take it away; `x` (lab) starts over"),
        ("ask `netless why FROM TO`, or `why`; `netless goto a --end`", "ask `netless --lab w why FROM TO`, or `w`; `netless --lab w goto a --end`"),
        ("the rule `goto lab` of a firewall, `type filter`", "the rule `goto lab` of a firewall, `type filter`"),
        ("`netless down` ends it; `nextdoor`, `run.sh` and run are others", "`netless --lab w down` ends it; `nextdoor`, `run.sh` and run are others"),
    ],
)
def test_where_a_key_does_what_a_word_does_the_key_is_told(text: str, told: str) -> None:
    """With what a window is to be told behind it; a command that says more than a key can, or that no key does, is a command."""
    keys = (("run", "r"), ("goto", "ctrl+g"), ("reset", "x"), ("why", "w"))
    assert Called("netless", "w", keys).told(text) == told
    assert Called("netless", "w").told(text) == Called("netless", "w").typed(text)


def test_every_stream_of_a_command_words_it_alike() -> None:
    """Result, narration and every text of the JSON document, lists and refusals included."""
    out, err = io.StringIO(), io.StringIO()
    printer = Printer(called=Called("netless", "w"), out=out, err=err)
    printer.say("`netless down`")
    printer.narrate("`netless up`")
    assert (out.getvalue(), err.getvalue()) == ("`netless --lab w down`\n", "`netless --lab w up`\n")
    out = io.StringIO()
    printer = Printer(as_json=True, called=Called("netless", "w"), out=out, err=err)
    printer.document({"text": "`netless next`", "notices": ["`netless reset`"], "number": 3})
    told = json.loads(out.getvalue())
    assert told["text"] == "`netless --lab w next`" and told["notices"] == ["`netless --lab w reset`"] and told["number"] == 3
