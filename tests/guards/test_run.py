"""``tests/run`` on a machine that lacks something: it says what, and never passes for want of it."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

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


def locked(name: str) -> dict[str, Version]:
    """The packages of a lock and their versions, by their names as PyPI compares them."""
    lines = re.findall(r"(?m)^([A-Za-z0-9_.-]+)(?:\[[a-z,]+\])?==([0-9][0-9A-Za-z.]*)", (CHECKOUT / name).read_text(encoding="utf-8"))
    assert len(lines) == len({canonicalize_name(package) for package, _ in lines})
    return {canonicalize_name(package): Version(version) for package, version in lines}


def test_the_locks_name_every_tool_and_library_once() -> None:
    """What pyproject.toml asks for has one exact version of its range, in lock.txt or in tests/lock.txt, so a quiet day changes nothing."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ours, tools = locked("lock.txt"), locked("tests/lock.txt")
    assert not set(ours) & set(tools)
    for text in project["dependencies"]:
        wanted = Requirement(text)
        assert ours[canonicalize_name(wanted.name)] in wanted.specifier, text
    for text in project["optional-dependencies"]["test"]:
        wanted = Requirement(text)
        assert tools[canonicalize_name(wanted.name)] in wanted.specifier, text


def test_what_a_first_start_installs_is_held_to_its_hashes() -> None:
    """lock.txt has nothing but exact versions, each with the hashes of its files; all that netless imports here is of these versions."""
    text = re.sub(r"(?m)^#.*\n", "", (CHECKOUT / "lock.txt").read_text(encoding="utf-8")).replace("\\\n", "")
    for line in text.splitlines():
        assert re.fullmatch(r"[a-z0-9.-]+(\[[a-z,]+\])?==[0-9.]+ ( *--hash=sha256:[0-9a-f]{64})+", line), line
    for name, version in locked("lock.txt").items():
        assert Version(importlib.metadata.version(name)) == version, name
