"""What is left out until somebody wants it is whole for whoever wants it, also when two do at the same time; and a lab that cannot have it yet goes on."""

from __future__ import annotations

import asyncio
import errno
import importlib
import sys
import threading
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import pytest

from netless_lab import inside, lean
from netless_lab.session.world import World

SLOW = "import gate_of_slow as gate\ngate.begun.set()\ngate.go.wait(20)\nfrom slow import before\nanswer = before + 1\n"


def test_two_threads_that_want_a_module_at_once_both_get_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one waits until it has been read; a module that asks for a part of its own while it is read is answered as ever."""
    gate = types.ModuleType("gate_of_slow")
    begun, go = threading.Event(), threading.Event()
    gate.__dict__.update(begun=begun, go=go)
    monkeypatch.setitem(sys.modules, "gate_of_slow", gate)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "slow.py").write_text(f"before = 6\n{SLOW}", encoding="utf-8")
    lean._import_when_used("slow")
    try:
        with ThreadPoolExecutor(2) as threads:
            first = threads.submit(lambda: importlib.import_module("slow").answer)
            assert begun.wait(20)
            second = threads.submit(lambda: importlib.import_module("slow").answer)
            with pytest.raises(TimeoutError):
                second.result(0.2)
            go.set()
            assert (first.result(20), second.result(20)) == (7, 7)
        with pytest.raises(AttributeError, match="nothing"):
            importlib.import_module("slow").nothing  # noqa: B018  (that it is not there is the question)
    finally:
        go.set()
        sys.modules.pop("slow", None)


def test_a_module_that_cannot_be_read_now_is_read_by_the_next_who_wants_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an import that failed is tried again."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "flaky.py").write_text("import os\nif 'FLAKY' in os.environ:\n    raise OSError('not now')\nanswer = 7\n", encoding="utf-8")
    monkeypatch.setenv("FLAKY", "1")
    lean._import_when_used("flaky")
    try:
        with pytest.raises(OSError, match="not now"):
            importlib.import_module("flaky").answer  # noqa: B018
        monkeypatch.delenv("FLAKY")
        assert importlib.import_module("flaky").answer == 7
    finally:
        sys.modules.pop("flaky", None)


class _OutOfFiles:
    """A world that cannot open a file just now."""

    async def warm_up(self, modules: object) -> None:
        """As ``World.warm_up``."""
        raise OSError(errno.EMFILE, "no more files")


def test_what_cannot_be_read_ahead_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Out of files, or of threads, when a lab warms up: nobody asked for anything yet, and whoever does is told then."""
    monkeypatch.setattr(inside, "WARM_UP_S", 0)
    asyncio.run(inside._when_greeted(cast(World, _OutOfFiles())))
