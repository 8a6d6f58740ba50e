"""Pictures of a screen: what stands in the SVG, and that lines join."""

from __future__ import annotations

import struct
import subprocess
import sys
import unicodedata
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from helpers.checkout import as_here
from netless.record.box import HEIGHT, WIDTH, Rect, shape
from netless.record.still import Sight, drawn
from netless.record.svg import Ink, svg
from netless.vt import Terminal

INK = Ink("#e0e0e0", "#101010", tuple(f"#0000{number:02x}" for number in range(16)))
SVG = "{http://www.w3.org/2000/svg}"
MIDDLES = {"up": (WIDTH // 2, 0), "down": (WIDTH // 2, HEIGHT - 1), "left": (0, HEIGHT // 2), "right": (WIDTH - 1, HEIGHT // 2)}
DOUBLES = {"up": (WIDTH // 2 - 2, 0), "down": (WIDTH // 2 - 2, HEIGHT - 1), "left": (0, HEIGHT // 2 - 2), "right": (WIDTH - 1, HEIGHT // 2 - 2)}
SIDES = {"VERTICAL": ("up", "down"), "HORIZONTAL": ("left", "right"), "UP": ("up",), "DOWN": ("down",), "LEFT": ("left",), "RIGHT": ("right",)}


def document(text: str, columns: int = 20, rows: int = 3) -> ET.Element:
    """What a terminal shows, as a document."""
    terminal = Terminal(columns, rows, 0)
    terminal.feed(text)
    return ET.fromstring(svg(terminal.screen, INK, "a <title>"))


def letters(root: ET.Element) -> list[tuple[str, str, dict[str, str]]]:
    """Each text with its places and the look of its group."""
    return [(text.text or "", text.attrib["x"], group.attrib) for group in root.iter(f"{SVG}g") for text in group.findall(f"{SVG}text")]


def covers(rects: tuple[Rect, ...], x: int, y: int) -> bool:
    """Whether the pixel there is filled."""
    return any(own.x <= x + 0.5 < own.x + own.width and own.y <= y + 0.5 < own.y + own.height for own in rects)


def test_every_sign_stands_at_its_place() -> None:
    """A place a sign, also behind a wide one; what has several parts stands alone; blanks are not written; markup is text."""
    root = document("a<b  中c\r\n e\u0301!")
    assert [(text, places) for text, places, _ in letters(root)] == [("a<b中c", "0 9 18 45 63"), ("e\u0301", "9"), ("!", "18")]
    assert root.findtext(f"{SVG}title") == "a <title>"


def test_looks_are_told() -> None:
    """Bold, italic, faint and colours: 24-bit, of xterm's cube, its greys, the sixteen that the theme names; reverse swaps letters and ground."""
    root = document("\x1b[1;38;2;1;2;3mb\x1b[0;3;38;5;196mi\x1b[0;2mf\x1b[0;38;5;232mg\x1b[0;34mn\x1b[0;7mr\x1b[0m")
    told = {text: look for text, _, look in letters(root)}
    assert told["b"] == {"fill": "#010203", "font-weight": "bold"}
    assert told["i"] == {"fill": "#ff0000", "font-style": "italic"}
    assert told["f"] == {"fill": "#e0e0e0", "opacity": "0.6"}
    assert [told[one]["fill"] for one in "gnr"] == ["#080808", "#000004", "#101010"]
    assert 'fill="#e0e0e0" d="M45 0h9v19h-9z"' in ET.tostring(root, "unicode").replace("ns0:", "")


def test_lines_under_and_through() -> None:
    """Underlined and struck cells have a line as wide as they are."""
    paths = [path.attrib["d"] for path in document("\x1b[4mu\x1b[0;9m中").iter(f"{SVG}path")]
    assert paths == ["M0 17h9v1h-9zM9 9h18v1h-18z"]


@pytest.mark.parametrize("code", range(0x2500, 0x2580))
def test_a_line_reaches_the_edges_that_its_name_says(code: int) -> None:
    """And no other edge: so two cells that are meant to join do, and two that are not do not."""
    name = unicodedata.name(chr(code))
    found = shape(chr(code))
    assert found is not None
    if any(word in name for word in ("DASH", "DIAGONAL", "ARC")):
        assert found.line or len(found.rects) in (2, 3, 4)
        return
    named = {side for word in name.split() for side in SIDES.get(word, ())}
    reached = {side for side in MIDDLES if covers(found.rects, *MIDDLES[side]) or covers(found.rects, *DOUBLES[side])}
    assert reached == named
    assert all(own.x >= 0 and own.y >= 0 and own.x + own.width <= WIDTH and own.y + own.height <= HEIGHT for own in found.rects)


@pytest.mark.parametrize(
    ("sign", "drawing"),
    [
        ("╔", ["         ", "  #######", "  #      ", "  #      ", "  #   ###", "  #   #  "]),
        ("╠", ["  #   #  ", "  #   ###", "  #      ", "  #      ", "  #   ###", "  #   #  "]),
        ("╦", ["         ", "#########", "         ", "         ", "###   ###", "  #   #  "]),
        ("╖", ["         ", "         ", "         ", "#######  ", "  #   #  ", "  #   #  "]),
        ("╟", ["  #   #  ", "  #   #  ", "  #   #  ", "  #   ###", "  #   #  ", "  #   #  "]),
        ("╒", ["         ", "    #####", "    #    ", "    #    ", "    #####", "    #    "]),
        ("┏", ["         ", "         ", "   ######", "   ######", "   ###   ", "   ###   "]),
    ],
)
def test_corners_of_double_and_heavy_lines(sign: str, drawing: list[str]) -> None:
    """Drawn in pixels around the middle, as every font has them."""
    found = shape(sign)
    assert found is not None
    middle = HEIGHT // 2
    rows = (middle - 4, middle - 2, middle - 1, middle, middle + 2, middle + 4)
    assert ["".join(" #"[covers(found.rects, x, y)] for x in range(WIDTH)) for y in rows] == drawing


@pytest.mark.parametrize(("sign", "part"), [("█", 1), ("▀", 0.5), ("▄", 0.5), ("▁", 1 / 8), ("▏", 1 / 8), ("▎", 0.25), ("▐", 0.5), ("▙", 0.75), ("▚", 0.5), ("▔", 1 / 8)])
def test_blocks_fill_their_part(sign: str, part: float) -> None:
    """As much of the cell as the name says."""
    found = shape(sign)
    assert found is not None and sum(own.width * own.height for own in found.rects) == pytest.approx(part * WIDTH * HEIGHT)


def test_png_shows_the_same_at_twice_the_size() -> None:
    """Where the machine has a font; else it is said that there is none. The SVG is there either way."""
    still = drawn(Sight(10, 2, "hi", INK), "t")
    assert ET.fromstring(still.svg).attrib["width"] == str(10 * WIDTH + 18)
    if still.lacking:
        assert "no font" in still.lacking and not still.png
    else:
        assert still.png.startswith(b"\x89PNG\r\n\x1a\n")
        assert struct.unpack(">II", still.png[16:24]) == (2 * (10 * WIDTH + 18), 2 * (2 * HEIGHT + 18))


def test_without_what_draws_a_png_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SVG alone, and the command for this very Python."""
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    still = drawn(Sight(10, 2, "hi", INK), "t")
    assert still.svg and not still.png and f"{sys.executable} -m pip install" in still.lacking


@pytest.mark.kernel
@pytest.mark.rootless
def test_without_a_font_there_is_no_picture_without_letters(tmp_path: Path) -> None:
    """On a machine that has no font a PNG would show lines and grounds alone: none is made, and it is said why. Here fonts are hidden by a mount."""
    hide = "".join(f"[ ! -d {folder} ] || mount -t tmpfs none {folder} && " for folder in ("/usr/share/fonts", "/usr/local/share/fonts"))
    program = (
        "from netless.record.still import Sight, drawn\nfrom netless.record.svg import Ink\n"
        "still = drawn(Sight(10, 2, 'hi', Ink('#ffffff', '#000000', ())), 't')\nprint(len(still.png), bool(still.svg), still.lacking)\n"
    )
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", f'{hide} exec "$@"', "sh", sys.executable, "-P", "-c", program]
    done = subprocess.run(command, env={**as_here(), "HOME": str(tmp_path)}, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("0 True There is no PNG: this machine has no font")
