"""Names that were given inside a lab do nothing outside: neither to the terminal that shows them nor in a script that tells of them."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

from helpers.snapshots import container, host, lab, link, veth
from netless.printer import Printer
from netless.say.text import Block, Span, Text
from netless_lab.model.diff import diff
from netless_lab.model.printers import dot, mermaid, svg, text
from netless_lab.model.scene import lay_out
from netless_lab.model.telling import sentence
from netless_lab.protocol import Entry
from netless_lab.session.history import notes, script

TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Every bidirectional control of Unicode: what stands behind one may be read in another order than it was written in."""
NAMES = ("a\x1b[31mb", "\x1b]0;owned\x07", "\x9b5n", "\x7f\x08\r", "\x1b[2;1m", "\x00", "\u2028\u2029", "\ufffe", *TURNING)
"""What an interface, a namespace or a process may be called."""


@pytest.mark.parametrize("name", NAMES)
def test_no_control_character_is_said(name: str) -> None:
    """Of all that a verb prints for people and programs nothing acts on a terminal, and the rest stands there."""
    for as_json in (False, True):
        out, err = io.StringIO(), io.StringIO()
        printer = Printer(as_json=as_json, out=out, err=err)
        printer.say(f"before {name} after")
        printer.tell([Block(Text((Span(f"before {name} after"),)))], aside=True)
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


@pytest.mark.parametrize("text", ["中文", "b\u00e9", "\u05d0\u05d1", "10\u00a0ms", "\U0001f468\u200d\U0001f469", "a\tb\nc"])
def test_what_does_not_act_is_said_as_it_is(text: str) -> None:
    """Words of any script, whichever way they run, blanks that hold, joined signs, tabs and lines."""
    out = io.StringIO()
    Printer(out=out).say(text)
    assert out.getvalue() == f"{text}\n"


@pytest.mark.parametrize("colour", [True, False])
@pytest.mark.parametrize("name", ["a\u202eb", *(f"\x1b[{code}mx" for code in ("36", "33;1", "2", "1", "34;1", "0", "31"))], ids=ascii)
def test_a_style_is_ours_and_nobody_elses(name: str, colour: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Colour around a name is colour where it is wanted, and the name does nothing, beside it or in it: be it a style as we write them."""
    out, err = io.StringIO(), io.StringIO()
    for stream in (out, err):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    if not colour:
        monkeypatch.setenv("NO_COLOR", "1")
    printer = Printer(out=out, err=err)
    printer.say(Text((Span(name, ("good",)),)), f" {name}")
    printer.raw(name)
    printer.narrate(name)
    plain = name.replace("\u202e", "?").replace("\x1b", "?")
    styled = f"\x1b[36m{plain}\x1b[0m" if colour else plain
    assert (out.getvalue(), err.getvalue()) == (f"{styled} {plain}\n{plain}\n", f"{plain}\n")


@pytest.mark.parametrize("name", NAMES)
def test_no_drawing_passes_a_name_on(name: str) -> None:
    """A link and a namespace of that name, in every form a drawing is written in: nothing of it acts."""
    odd = lab(host(veth("v1", f"{name}:w"), link(name)), container(name, veth("w", "host:v1")))
    scene = lay_out(odd, width=120, height=30)
    for drawn in (svg(scene), text(scene), dot(odd), mermaid(odd)):
        assert [sign for sign in drawn if not sign.isprintable() and sign != "\n"] == []
    assert ElementTree.fromstring(svg(scene)).tag.endswith("svg")


def test_a_name_is_no_command_of_the_script(tmp_path: Path) -> None:
    """A shell that runs the history as a script runs no line of a namespace's name, nor has the Markdown one more line."""
    mark = tmp_path / "ran"
    entry = Entry(0.0, "learner", f"a new namespace appeared: a\n: > {mark}\r\n#", ("true",), "a step")
    subprocess.run(["sh"], input=script((entry,)), text=True, check=True)
    assert not mark.exists()
    assert sum(str(mark) in line and not line.startswith("* ") for line in notes((entry,)).splitlines()) == 0


NAMESPACE = "x\n# Owned\n\n<script>alert(1)</script>\r## Too\u202e\x1b[31m"


def test_a_name_is_no_markdown_of_the_notes() -> None:
    """Every line of a command stands in its block of code, whatever ends it, and a sentence is text: read by a Markdown parser, the notes
    have the headings and the HTML that they have without the name.
    """
    entries = tuple(
        Entry(0.0, "learner", f"a new namespace appeared: {name}", (f"ip netns add '{name}'", "true"), "a/step") for name in ("x", NAMESPACE)
    )
    plain, odd = (MarkdownIt("commonmark").parse(notes((entry,))) for entry in entries)
    assert [token.type for token in odd] == [token.type for token in plain]
    kinds = [{child.type for token in tokens for child in token.children or ()} for tokens in (plain, odd)]
    assert kinds[0] == kinds[1]
    (code,) = (token.content for token in odd if token.type == "code_block")
    assert code == "ip netns add 'x\n# Owned\n\n<script>alert(1)</script>?## Too??[31m'\ntrue\n"
    assert "<script>alert(1)</script>" in "".join(child.content for token in odd for child in token.children or ())


@pytest.mark.parametrize("quoted", [f"'{NAMESPACE}'", f'"{NAMESPACE}"', f"'it'\"'\"'{NAMESPACE}'", f"\\\\\"{NAMESPACE}\""])
def test_a_command_of_the_script_keeps_the_name(quoted: str) -> None:
    """The script does to a name what the command did, whatever quotes it stands in, also as it is printed; and nothing in it acts."""
    out = io.StringIO()
    Printer(out=out).raw(script((Entry(0.0, "learner", "said", (f"printf %s {quoted}",), "a/step"),)))
    assert [sign for sign in out.getvalue() if not sign.isprintable() and sign != "\n"] == []
    said, meant = (subprocess.run(["sh", "-c", text], capture_output=True, check=True).stdout for text in (out.getvalue(), f"printf %s {quoted}"))
    assert said == meant and NAMESPACE.encode() in meant


@pytest.mark.parametrize("name", [*NAMES, NAMESPACE])
def test_a_change_is_one_sentence(name: str) -> None:
    """A namespace of that name comes and goes: each change is one line, in which nothing acts."""
    plain, odd = lab(host()), lab(host(), container(name, veth(f"v{name}", "host:w")))
    changes = [*diff(plain, odd), *diff(odd, plain)]
    assert len(changes) > 1
    assert [sign for change in changes for sign in sentence(change) if not sign.isprintable()] == []


@pytest.mark.parametrize("name", [*NAMES, NAMESPACE])
def test_a_row_is_one_line(name: str) -> None:
    """What a verb says of one thing among others stays on its line, whatever that is called, in a style or not."""
    out = io.StringIO()
    Printer(out=out).row(f"before {name}", Text((Span(name, ("strong",)),)), " after")
    assert out.getvalue().count("\n") == 1 and out.getvalue().endswith(" after\n")
