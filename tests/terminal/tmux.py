"""tmux as a witness: what its own terminal shows after the same bytes."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from netless.vt import Terminal

COLUMNS, ROWS = 80, 24
_CONF = (
    "set -g status off\nset -g remain-on-exit on\nset -g history-limit 100\nset -g default-terminal tmux-256color\n"
    "set -g default-command 'stty raw -echo; sleep 600'\n"
)


class Pane(msgspec.Struct, frozen=True):
    """A pane's picture: (text, look) pieces of each line, blanks at the ends dropped, and the cursor's place."""

    lines: tuple[str, ...]
    looks: tuple[tuple[object, ...], ...]
    x: int
    y: int
    alternate: bool


class Folded(NamedTuple):
    """What a terminal holds, scrollback and screen: its text, the row of the cursor and the column."""

    text: str
    row: str
    x: int


def pane_of(terminal: Terminal) -> Pane:
    """The same of our own terminal."""
    screen = terminal.screen
    return Pane(
        lines=tuple(row.plain for row in screen.rows),
        looks=looks(terminal),
        x=screen.x,
        y=screen.y,
        alternate=screen.alternate_active,
    )


def looks(terminal: Terminal) -> tuple[tuple[object, ...], ...]:
    """The look of every cell that shows one, letters and blanks with a background, up to the last letter of the line.

    Behind it tmux's capture leaves cells out that were erased with a background.
    """
    styles = terminal.screen.styles
    seen = []
    for row in terminal.screen.rows:
        cells = [(character, styles[number]) for text, number in row.spans() for character in text][: len(row.plain)]
        seen.append(tuple((place, attr) for place, (character, attr) in enumerate(cells) if character != " " or attr.bg is not None))
    return tuple(seen)


class Tmux:
    """A tmux server of our own, ended by its own command."""

    def __init__(self, folder: Path) -> None:
        if not shutil.which("tmux"):
            pytest.skip("tmux is needed to compare with it: apt-get install tmux")
        self._socket, self._folder, self._count = folder / "socket", folder, 0
        (folder / "conf").write_text(_CONF)
        self._call("new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS))

    def _call(self, *words: str) -> str:
        command = ["tmux", "-S", str(self._socket), "-f", str(self._folder / "conf"), *words]
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
        environment.pop("TMUX", None)
        done = subprocess.run(command, capture_output=True, check=True, env=environment, timeout=30)
        return done.stdout.decode("utf-8", "replace")

    def close(self) -> None:
        """End the server."""
        self._call("kill-server")

    def show(self, output: bytes) -> Pane:
        """The pane after these bytes.  The device status report behind them is answered when all of them were carried out."""
        with self._window(output) as name:
            text = self._call("capture-pane", "-p", "-e", "-N", "-t", f":{name}")
            x, y, alternate = self._call("display", "-p", "-t", f":{name}", "#{cursor_x} #{cursor_y} #{alternate_on}").split()
        witness = Terminal(COLUMNS, ROWS + 1)
        witness.feed(text.replace("\n", "\r\n"))
        return Pane(
            lines=tuple(row.plain for row in witness.screen.rows[:ROWS]),
            looks=looks(witness)[:ROWS],
            x=min(int(x), COLUMNS - 1),
            y=int(y),
            alternate=alternate == "1",
        )

    def refolded(self, output: bytes, sizes: Sequence[tuple[int, int]]) -> list[Folded]:
        """What the pane holds after these bytes, at one size after the other."""
        seen = []
        with self._window(output) as name:
            for columns, rows in sizes:
                self._call("resize-window", "-t", f":{name}", "-x", str(columns), "-y", str(rows))
                text = self._call("capture-pane", "-p", "-N", "-S", "-", "-t", f":{name}")
                x, y, above = map(int, self._call("display", "-p", "-t", f":{name}", "#{cursor_x} #{cursor_y} #{history_size}").split())
                lines = [line.rstrip() for line in text.removesuffix("\n").split("\n")]
                seen.append(Folded("\n".join(lines).rstrip("\n"), lines[above + y] if above + y < len(lines) else "", min(x, columns - 1)))
        return seen

    @contextmanager
    def _window(self, output: bytes) -> Iterator[str]:
        """A window in which these bytes were printed."""
        self._count += 1
        name = f"capture{self._count}"
        path = self._folder / name
        path.write_bytes(output)
        quoted = shlex.quote(str(path))
        me = f"tmux -S {shlex.quote(str(self._socket))}"
        script = f"stty raw -echo; cat {quoted}; printf '\\033[5n'; IFS= read -rs -d n answer; {me} wait-for -S {name}; sleep 600"
        self._call("new-window", "-d", "-n", name, "bash", "-c", script)
        self._call("wait-for", name)
        try:
            yield name
        finally:
            self._call("kill-window", "-t", f":{name}")
