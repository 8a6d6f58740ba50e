"""Names that were given inside a lab do nothing outside: neither to the terminal that shows them nor in a script that tells of them."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path

import pytest

from netless.printer import Printer
from netless_lab.session.history import Entry, notes, script

NAMES = ("a\x1b[31mb", "\x1b]0;owned\x07", "\x9b5n", "\x7f\x08\r", "\x1b[2;1m", "\x00")
"""What an interface, a namespace or a process may be called."""


@pytest.mark.parametrize("name", NAMES)
def test_no_control_character_is_said(name: str) -> None:
    """Of all that a verb prints for people and programs nothing acts on a terminal, and the rest stands there."""
    for as_json in (False, True):
        out, err = io.StringIO(), io.StringIO()
        printer = Printer(as_json=as_json, out=out, err=err)
        printer.say(f"before {name} after")
        printer.raw(f"before {name} after")
        printer.narrate(f"before {name} after")
        printer.document({"name": name})
        printer.failure(f"before {name} after", 1, (name,))
        said = out.getvalue() + err.getvalue()
        assert "before " in said and " after\n" in said
        assert [sign for sign in said if not sign.isprintable() and sign != "\n"] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_document_keeps_the_name(name: str) -> None:
    """What a program reads is the name as it is."""
    out = io.StringIO()
    Printer(as_json=True, out=out).document({"name": name})
    assert json.loads(out.getvalue())["name"] == name


def test_a_name_is_no_command_of_the_script(tmp_path: Path) -> None:
    """A shell that runs the history as a script runs no line of a namespace's name, nor has the Markdown one more line."""
    mark = tmp_path / "ran"
    entry = Entry(0.0, "learner", f"a new namespace appeared: a\n: > {mark}\r\n#", ("true",), "a step")
    subprocess.run(["sh"], input=script((entry,)), text=True, check=True)
    assert not mark.exists()
    assert sum(str(mark) in line and not line.startswith("* ") for line in notes((entry,)).splitlines()) == 0
