"""One moment of the screen as files: always SVG, and PNG where this machine has what draws it.

resvg draws the PNG, in a process of its own: it holds Python's lock while it reads fonts and draws, for tenths of a second, and nothing else of
the app would go on meanwhile.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from typing import Final, NamedTuple

from ..vt import Terminal
from .svg import FONTS, Ink, svg

_LETTER: Final = f'<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><text y="15" font-family="{FONTS}">M</text></svg>'
_NO_FONT: Final = 3
_PROGRAM: Final = f"""
import sys
from resvg_py import svg_to_bytes
letter = {_LETTER!r}
if svg_to_bytes(svg_string=letter) == svg_to_bytes(svg_string=letter, skip_system_fonts=True):
    sys.exit({_NO_FONT})
sys.stdout.buffer.write(svg_to_bytes(svg_string=sys.stdin.buffer.read().decode(), zoom=2.0))
"""
"""SVG in, PNG out, with two pixels for one: sharp on every display. Without a font letters would be left out in silence."""
_PATIENCE_S: Final = 60


class Sight(NamedTuple):
    """A screen: its size, and what paints it on a terminal in 24-bit colour."""

    columns: int
    rows: int
    sequences: str
    ink: Ink


class Still(NamedTuple):
    """Two pictures of it. ``png`` is empty where it cannot be made, and ``lacking`` says in a sentence why."""

    svg: bytes
    png: bytes = b""
    lacking: str = ""


def drawn(sight: Sight, title: str) -> Still:
    """The pictures. Takes some tenths of a second, most of it for the PNG."""
    terminal = Terminal(sight.columns, sight.rows, 0)
    terminal.feed(sight.sequences)
    text = svg(terminal.screen, sight.ink, title).encode()
    if find_spec("resvg_py") is None:
        return Still(text, lacking=f"For a PNG too: {sys.executable} -m pip install 'resvg-py>=0.5,<0.6'")
    try:
        done = subprocess.run([sys.executable, "-P", "-c", _PROGRAM], input=text, capture_output=True, timeout=_PATIENCE_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Still(text, lacking=f"There is no PNG: {error}")
    if done.returncode == _NO_FONT:
        return Still(text, lacking="There is no PNG: this machine has no font to draw it with. In Debian, fonts-dejavu-core has one.")
    if done.returncode:
        return Still(text, lacking=f"There is no PNG: resvg ended with {done.returncode}. {_last(done.stderr)}")
    return Still(text, done.stdout)


def _last(told: bytes) -> str:
    return told.decode(errors="replace").strip().rpartition("\n")[2][:200]
