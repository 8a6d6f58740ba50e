"""@xterm/headless as a witness: what xterm.js shows after the same output."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec
import pytest

PACKAGE = "@xterm/headless@6.0.0"
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
    """The folder with the package, installed by npm into a cache on first use."""
    if not (shutil.which("node") and shutil.which("npm")):
        missing = "node and npm are needed to compare with xterm.js: apt-get install nodejs npm"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "netless-tests" / "xterm"
    if not (cache / "node_modules" / "@xterm" / "headless").is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--prefix", str(cache), "--no-audit", "--no-fund", "--loglevel=error", PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if done.returncode:
            pytest.fail(f"npm could not install {PACKAGE}: {done.stderr[-500:]}")
    shutil.copy(_SCRIPT, cache / "xterm.mjs")
    return cache


class Xterm:
    """A node process that answers one question a line."""

    def __init__(self) -> None:
        self._node = subprocess.Popen(
            ["node", str(installed() / "xterm.mjs")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
        )  # fmt: skip

    def __enter__(self) -> Xterm:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._node.stdin and self._node.stdout
        self._node.stdin.close()
        self._node.stdout.close()
        self._node.wait(10)

    def show(self, output: str, columns: int, rows: int) -> Shown:
        """The screen after this output."""
        assert self._node.stdin and self._node.stdout
        self._node.stdin.write(json.dumps({"cols": columns, "rows": rows, "data": output}) + "\n")
        self._node.stdin.flush()
        answer: dict[str, Any] = json.loads(self._node.stdout.readline())
        if "error" in answer:
            raise XtermGaveUp(answer["error"])
        return Shown(
            lines=tuple(line.rstrip() for line in answer["lines"]),
            history=tuple(line.rstrip() for line in answer["history"]),
            x=min(answer["x"], columns - 1),
            y=answer["y"],
            alternate=answer["alternate"],
        )
