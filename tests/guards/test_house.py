"""The house rules that a machine can hold: file sizes, folders that must not become packages, words that must not appear."""

from __future__ import annotations

import ast
import re
import stat
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
CODE = (CHECKOUT / "lab", CHECKOUT / "tui")
CEILING = 400
TOP = frozenset(
    {".ci", ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "assets", "lab", "lessons", "lock.txt", "netless",
     "pyproject.toml", "tests", "tui"}
)  # fmt: skip
BANNED = {
    r"\bpkill\b|\bkillall\b": "ends processes by name, also other people's; signal the pid you started",
    r"nft flush ruleset|[\"']flush ruleset": "deletes everybody's firewall rules; delete the lab's own table",
    r"\bpushns\b|\bpopns\b": "keeps process-wide state; use a namespace handle",
    r"\.isdigit\(": "is true of characters that int() refuses, such as ²; isdecimal() is not",
    r"shell=True(?!, check=True\)\")": "runs text as a shell; pass a list of words",
}


def tracked() -> list[Path]:
    """What belongs to the repository: git's list, or in a copy without .git every file outside caches."""
    done = subprocess.run(
        ["git", "-C", str(CHECKOUT), "ls-files", "-z", "--cached"], capture_output=True, text=True, check=False
    )
    if done.returncode == 0 and done.stdout:
        return [path for name in done.stdout.split("\0") if name and (path := CHECKOUT / name).is_file()]
    return [path for path in CHECKOUT.rglob("*") if path.is_file() and not _is_cache(path)]


def _is_cache(path: Path) -> bool:
    parts = path.relative_to(CHECKOUT).parts
    return any(part == "__pycache__" or part.endswith("_cache") or part.startswith(".venv") or part == ".git" for part in parts)


def python_files() -> list[Path]:
    """Every Python file of product and tests."""
    return [path for path in tracked() if path.suffix == ".py"]


def test_no_file_outgrows_its_idea() -> None:
    """No Python file is longer than 400 lines."""
    long = {str(path.relative_to(CHECKOUT)): count for path in python_files() if (count := _lines(path)) > CEILING}
    assert not long, f"split these: {long}"


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("root", ["tui", "lab", "lessons"])
def test_source_roots_are_no_packages(root: str) -> None:
    """``tui`` and ``lab`` are folders that hold packages; an __init__.py in them breaks editable installs."""
    assert not (CHECKOUT / root / "__init__.py").exists()


def test_every_package_says_what_it_is_for() -> None:
    """Each product module begins with a docstring."""
    silent = [str(path.relative_to(CHECKOUT)) for root in CODE for path in root.rglob("*.py") if not _has_docstring(path)]
    assert not silent


def _has_docstring(path: Path) -> bool:
    return path.read_text(encoding="utf-8").lstrip().startswith(('"""', 'r"""'))


def test_nothing_strays_at_the_top() -> None:
    """The top level holds what the README and CONTRIBUTING speak of, and nothing else."""
    assert {path.relative_to(CHECKOUT).parts[0] for path in tracked()} <= TOP


def test_no_leftovers() -> None:
    """No scratch files, no compiled files, no empty files but package markers."""
    odd = [
        str(path.relative_to(CHECKOUT))
        for path in tracked()
        if path.suffix in (".pyc", ".orig", ".rej", ".bak", ".swp", ".log") or path.name.endswith("~") or path.name == "utils.py"
    ]
    assert not odd


@pytest.mark.parametrize("pattern", BANNED, ids=lambda pattern: pattern.replace("\\", ""))
def test_product_code_never_says(pattern: str) -> None:
    """Words that have harmed people's machines elsewhere stay out of the product."""
    product = [path for path in tracked() if path.suffix == ".py" and path.relative_to(CHECKOUT).parts[0] in ("lab", "tui")]
    found = [
        f"{path.relative_to(CHECKOUT)}:{number}"
        for path in (*product, CHECKOUT / "netless")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(pattern, line) and not line.lstrip().startswith("#")
    ]
    assert not found, f"{BANNED[pattern]}: {found}"


def test_what_is_told_in_passing_is_worded_in_say() -> None:
    """Whoever tells something at a desk tells words of ``say``, of the lab, or of what went wrong: none stand where they are told."""
    rooms = [CHECKOUT / "tui/netless" / room for room in ("app", "commands", "desk", "linear")]
    found = [
        f"{path.relative_to(CHECKOUT)}:{call.lineno}"
        for path in python_files()
        if any(room in path.parents for room in rooms)
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "tell"
        for words in call.args[1:2]
        if any(isinstance(part, ast.Constant) and isinstance(part.value, str) and re.search("[a-z]{2} ", part.value) for part in ast.walk(words))
    ]
    assert not found


@pytest.mark.parametrize("script", ["netless", "tests/run", ".ci/run"])
def test_scripts_can_be_run(script: str) -> None:
    """The commands of the README are executable, for everybody, and plain sh."""
    path = CHECKOUT / script
    assert path.stat().st_mode & (stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH) == 0o111
    assert path.read_text(encoding="utf-8").startswith("#!/bin/sh\n")


def test_no_emoji() -> None:
    """State is told by shape and colour; no character in product or lessons lies in the emoji planes."""
    loud = [
        str(path.relative_to(CHECKOUT))
        for path in tracked()
        if path.suffix in (".py", ".md", ".toml", ".tcss", ".sh") and path.relative_to(CHECKOUT).parts[0] != "tests"
        and any(0x1F300 <= ord(char) <= 0x1FAFF for char in path.read_text(encoding="utf-8"))
    ]
    assert not loud
