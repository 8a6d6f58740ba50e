"""``tests/run`` on a machine that lacks something: it says what, and never passes for want of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
BARE = ("sh", "id", "dirname", "getent", "cut", "env", "mktemp", "tail", "cat", "rm", "runuser", "pwd")
"""What a bare system has, as far as ``tests/run`` uses it. Not among them: a package manager, sudo, and all that the tests use."""


@pytest.fixture
def bare_path(tmp_path: Path) -> str:
    """A PATH with the bare programs and this Python, and nothing else but /usr/sbin, where no such program lies."""
    tmp_path.chmod(0o755)
    for name in BARE:
        found = shutil.which(name)
        if found is not None:
            (tmp_path / name).symlink_to(found)
    (tmp_path / "python3").symlink_to(sys.executable)
    return str(tmp_path)


@pytest.mark.parametrize("words", [(), ("long",)], ids=["everything", "long"])
def test_a_run_without_its_programs_ends_before_it_begins(bare_path: str, words: tuple[str, ...]) -> None:
    """Nothing is tried, nothing passes: exit 3, with the packages that are missing by name."""
    env = {"PATH": bare_path, "HOME": os.environ["HOME"]}
    done = subprocess.run([str(CHECKOUT / "tests" / "run"), *words], capture_output=True, text=True, env=env, check=False, timeout=60)
    assert done.returncode == 3, done.stderr
    assert "tmux" in done.stderr and "tcpdump" in done.stderr
    assert "passed" not in done.stdout


def test_the_lock_names_every_tool_and_library_once() -> None:
    """What pyproject.toml asks for is in tests/lock.txt with one exact version, so a quiet day changes nothing."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    names = {re.split(r"[<>=~ ]", text, maxsplit=1)[0].lower().replace("_", "-") for text in asked}
    lines = [line for line in (CHECKOUT / "tests" / "lock.txt").read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9A-Za-z.]*", line) for line in lines)
    locked = [line.partition("==")[0].lower().replace("_", "-") for line in lines]
    assert len(locked) == len(set(locked)) and names <= set(locked)
