"""The screens of real programs, whole and cut in the middle, are those of tmux: text, looks and cursor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import get_character_cell_size

from netless.vt import Terminal
from terminal.tmux import COLUMNS, ROWS, Pane, Tmux, pane_of

CAPTURES = sorted((Path(__file__).parent / "captures").glob("*.bytes"))
PARTS = {"whole": 1.0, "cut": 0.55}
STATUS_QUESTION = "\x1b[5n"


@pytest.fixture(scope="module")
def tmux(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tmux]:
    """One server for all captures."""
    server = Tmux(tmp_path_factory.mktemp("tmux"))
    yield server
    server.close()


def ours(output: bytes, chunk: int) -> Pane:
    """Our terminal after the same bytes and the same question behind them, read in pieces."""
    terminal = Terminal(COLUMNS, ROWS, width=get_character_cell_size)
    text = output.decode("utf-8", "replace") + STATUS_QUESTION
    for at in range(0, len(text), chunk):
        terminal.feed(text[at : at + chunk])
    return pane_of(terminal)


def test_there_are_eighteen() -> None:
    """Nine programs, each whole and cut; every file stays small."""
    assert len(CAPTURES) * len(PARTS) == 18
    assert all(path.stat().st_size <= 60_000 for path in CAPTURES)


@pytest.mark.tmux
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_same_screen_as_tmux(tmux: Tmux, capture: Path, part: str) -> None:
    """Letter for letter, look for look, and the cursor in the same place; the reading's chunks make no difference."""
    text = capture.read_bytes().decode()
    output = text[: int(len(text) * PARTS[part])].encode()
    shown = tmux.show(output)
    assert any(shown.lines), "tmux shows nothing at all: the capture is no test"
    for chunk in (1 << 16, 61):
        mine = ours(output, chunk)
        assert mine.lines == shown.lines
        assert (mine.x, mine.y, mine.alternate) == (shown.x, shown.y, shown.alternate)
        assert mine.looks == shown.looks
