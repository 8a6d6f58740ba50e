r"""Random sequences end on the same screen as in xterm.js: text, scrollback, cursor, which screen is shown.

At least 95 in 100 must be identical.  The others must come from one of these five differences and nothing else, which the test proves
by taking the construct out of the sequence and comparing again:

* a saved cursor (``ESC 7``, ``CSI s``, 1048, 1049): xterm.js ties it to the text, so it moves up when the screen scrolls between saving
  and restoring; DEC's terminals, xterm and tmux keep the place on the screen, and so do we.  Restoring without having saved also resets
  the character sets and origin mode here, as the VT510 manual has it; xterm.js keeps them.
* origin mode with relative movements: xterm.js adds the top margin a second time when the cursor moves by CUF, CUU, CNL...
* ``ESC # 8``: we reset the margins first, as the VT510 manual says and tmux does; xterm.js keeps them.
* tab stops: xterm.js has one set for each screen, the alternate one with fresh stops; here, as in xterm, there is one set.
* back tab (CBT) right after a character in the last column: xterm.js does not move; we and tmux do.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netless.vt import Terminal
from terminal.sequences import COLUMNS, ROWS, pieces_of, random_output
from terminal.xterm import FOLDER, SCROLLBACK, Shown, Xterm, installed

EXPLAINED = {
    "saved cursor": r"\x1b[78]|\x1b\[[su]|\x1b\[\?104[89][hl]",
    "origin mode": r"\x1b\[\?6[hl]",
    "alignment": r"\x1b#8",
    "tab stops": r"\x1b\[3?g|\x1bH",
    "back tab": r"\x1b\[\d*Z",
}


def ours(pieces: list[str]) -> Shown:
    """What our terminal shows."""
    terminal = Terminal(COLUMNS, ROWS, SCROLLBACK)
    for piece in pieces:
        terminal.feed(piece)
    screen = terminal.screen
    history = () if screen.alternate_active else tuple(row.plain for row in screen.main.history)
    return Shown(tuple(row.plain for row in screen.rows), history, screen.x, screen.y, screen.alternate_active)


def explanation(xterm: Xterm, output: str) -> str | None:
    """The construct without which both agree; all of them together when one alone does not do; None when even that does not."""
    for name, pattern in (*EXPLAINED.items(), ("several", "|".join(EXPLAINED.values()))):
        without = re.sub(pattern, "", output)
        if xterm.show(without, COLUMNS, ROWS) == ours([without]):
            return name
    return None


@pytest.mark.parametrize("seeds", [range(300), pytest.param(range(300, 2000), marks=pytest.mark.long)], ids=["few", "many"])
def test_random_sequences(seeds: range) -> None:
    """At least 95 % identical, however the output is cut into reads; every other one explained."""
    different: dict[int, str | None] = {}
    with Xterm() as xterm:
        for seed in seeds:
            output = random_output(seed)
            if xterm.show(output, COLUMNS, ROWS) != ours(pieces_of(output, seed)):
                different[seed] = explanation(xterm, output)
    assert [seed for seed, why in different.items() if why is None] == []
    assert len(different) <= len(seeds) * 0.05


def test_a_missing_witness_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package the comparison is skipped, a failure in CI, with words that say what is missing and who fetches it."""
    monkeypatch.setenv(FOLDER, str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match=r"@xterm/headless is needed to compare with xterm.js: ./tests/run fetches it"):
        installed()


def test_a_wrong_screen_would_be_seen() -> None:
    """The witness is not blind: one letter more is another screen."""
    with Xterm() as xterm:
        assert xterm.show("one\r\ntwo", COLUMNS, ROWS) == ours(["one\r\ntwo"])
        assert xterm.show("one\r\ntwo", COLUMNS, ROWS) != ours(["one\r\ntwo!"])
