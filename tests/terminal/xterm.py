"""@xterm/headless as a witness: what xterm.js shows after the same output."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec
import pytest

FOLDER = "NETLESS_TESTS_XTERM"
"""The variable in which ``tests/run`` names the folder with the package of ``oracle/package-lock.json``."""
SCROLLBACK = 50
"""Rows kept above the screen."""
_SCRIPT = Path(__file__).parent / "oracle" / "xterm.mjs"


class Shown(msgspec.Struct, frozen=True):
    """One terminal's state after some output; text without the blanks at the ends of lines."""

    lines: tuple[str, ...]
    history: tuple[str, ...]
    x: int
    y: int
    alternate: bool


class XtermGaveUp(Exception):
    """xterm.js itself threw; there is nothing to compare with."""


def installed() -> Path:
    """The folder with the package, which ``tests/run`` fetched. Skips, which is a failure in CI, when it is not there."""
    folder = Path(os.environ.get(FOLDER, ""))
    if not shutil.which("node"):
        pytest.skip("node is needed to compare with xterm.js: apt-get install nodejs npm")
    if not (folder / "node_modules" / "@xterm" / "headless" / "package.json").is_file():
        pytest.skip("@xterm/headless is needed to compare with xterm.js: ./tests/run fetches it by npm, and says why when it cannot")
    return folder


class Xterm:
    """A node process that answers one question a line."""

    def __init__(self) -> None:
        self._node = subprocess.Popen(
            ["node", str(_SCRIPT), str(installed())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
        )  # fmt: skip

    def __enter__(self) -> Xterm:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._node.stdin and self._node.stdout
        self._node.stdin.close()
        self._node.stdout.close()
        self._node.wait(10)

    def show(self, output: str, columns: int, rows: int, sizes: Sequence[tuple[int, int]] = ()) -> Shown:
        """The screen after this output, and then after these sizes, one after the other: rows may take many times as many then."""
        assert self._node.stdin and self._node.stdout
        asked = {"cols": columns, "rows": rows, "scrollback": 100 * SCROLLBACK if sizes else SCROLLBACK, "data": output, "sizes": sizes}
        self._node.stdin.write(json.dumps(asked) + "\n")
        self._node.stdin.flush()
        answer: dict[str, Any] = json.loads(self._node.stdout.readline())
        if "error" in answer:
            raise XtermGaveUp(answer["error"])
        return Shown(
            lines=tuple(line.rstrip() for line in answer["lines"]),
            history=tuple(line.rstrip() for line in answer["history"]),
            x=min(answer["x"], (sizes[-1][0] if sizes else columns) - 1),
            y=answer["y"],
            alternate=answer["alternate"],
        )
