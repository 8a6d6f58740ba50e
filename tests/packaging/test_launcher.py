"""``./netless`` on a machine that has never seen it: it makes its environment, survives being interrupted, and says what is missing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
TOOLS = ("sh", "dirname", "readlink", "id", "uname", "touch", "cat", "mkdir", "rm", "flock", "sed", "tail", "ls")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the launcher needs, without any environment."""
    top = tmp_path_factory.mktemp("clone") / "check out"
    top.mkdir()
    for name in ("netless", "pyproject.toml"):
        shutil.copy2(CHECKOUT / name, top / name)
    for name in ("tui", "lab", "lessons"):
        shutil.copytree(CHECKOUT / name, top / name, ignore=shutil.ignore_patterns("__pycache__"))
    return top


@pytest.fixture(scope="module")
def started(clone: Path) -> Path:
    """The copy after its first start."""
    done = start(clone, "--version")
    assert done.stdout.startswith("netless "), done.stderr
    return clone


def environment(**more: str) -> dict[str, str]:
    """The environment of a person who has never heard of Python."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | more


def start(clone: Path, *words: str, cwd: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the launcher to its end."""
    command = [str(clone / "netless"), *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment(**more), cwd=cwd, timeout=300, check=False)


def begin(clone: Path) -> subprocess.Popen[str]:
    """Begin a first start in a session of its own and return once it is at work."""
    process = subprocess.Popen(
        [str(clone / "netless"), "--version"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(), start_new_session=True,
    )  # fmt: skip
    end = time.monotonic() + 60
    while not (clone / ".venv" / "netless-building").exists():
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.02)
    return process


def test_a_first_start_that_is_killed_is_repaired_by_the_next(clone: Path, tmp_path: Path) -> None:
    """SIGKILL in the middle; then two at once: one makes it, the other waits; both answer."""
    clone = _without_environment(clone, tmp_path)
    killed = begin(clone)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert (clone / ".venv" / "netless-building").exists()

    first = begin(clone)
    second = start(clone, "--version")
    out, err = first.communicate(timeout=300)
    assert out.startswith("netless ") and second.stdout == out, err + second.stderr
    assert "interrupted" in err + second.stderr
    assert "waiting" in err + second.stderr
    assert not (clone / ".venv" / "netless-building").exists()


def test_a_later_start_runs_no_pip(started: Path) -> None:
    """Once made, the environment is used as it is: nothing is said, nothing in it changes."""
    log = started / ".venv" / "netless-install.log"
    before = log.stat().st_mtime_ns
    done = start(started, "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert log.stat().st_mtime_ns == before


def test_an_edit_of_the_project_file_that_changes_no_dependency_costs_nothing(started: Path) -> None:
    """A newer pyproject.toml with the same dependencies does not wake pip."""
    os.utime(started / "pyproject.toml", (time.time() + 5, time.time() + 5))
    done = start(started, "--version")
    assert (done.returncode, done.stderr) == (0, "")


def test_words_and_exit_codes_pass_through(started: Path, tmp_path: Path) -> None:
    """Arguments reach the program as they are, from any folder, even one with modules of our names in it; so do exit codes."""
    (tmp_path / "rich.py").write_text("raise SystemExit('the wrong rich')\n")
    (tmp_path / "msgspec.py").write_text("raise SystemExit('the wrong msgspec')\n")
    assert start(started, "courses", "--json", cwd=tmp_path).returncode == 0
    done = start(started, "no such verb", cwd=tmp_path)
    assert done.returncode == 2 and "no such verb" in done.stderr


def test_it_can_be_reached_by_a_link(started: Path, tmp_path: Path) -> None:
    """A symbolic link in a folder of the PATH works."""
    (tmp_path / "nl").symlink_to(started / "netless")
    done = subprocess.run([str(tmp_path / "nl"), "--version"], capture_output=True, text=True, env=environment(), check=False)
    assert done.stdout.startswith("netless "), done.stderr


def test_ctrl_c_during_the_first_start_says_so(clone: Path, tmp_path: Path) -> None:
    """SIGINT ends it with 130 and a sentence, no traceback."""
    fresh = _without_environment(clone, tmp_path)
    process = begin(fresh)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in err and "Traceback" not in err


def test_a_missing_venv_module_names_the_package(clone: Path, tmp_path: Path) -> None:
    """Debian without python3-venv: exit 3 and the command to type."""
    fresh = _without_environment(clone, tmp_path)
    (tmp_path / "ensurepip.py").write_text("raise ModuleNotFoundError('ensurepip')\n")
    done = start(fresh, PYTHONPATH=str(tmp_path))
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    assert done.returncode == 3
    assert "lacks its venv module" in done.stderr and "python3" in done.stderr
    assert version in done.stderr or "python3." in done.stderr


@pytest.mark.parametrize(("python", "said"), [(None, "python3 is missing"), ("3.9.2", "python3 here is 3.9.2")])
def test_no_python_or_an_old_one_names_the_command(clone: Path, tmp_path: Path, python: str | None, said: str) -> None:
    """Without a Python that is new enough: exit 3, what is there, and what to run."""
    fresh = _without_environment(clone, tmp_path)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in TOOLS:
        (tools / name).symlink_to(shutil.which(name) or "/bin/false")
    if python:
        (tools / "python3").write_text(f'#!/bin/sh\ncase "$*" in *platform*) echo {python} ;; *) exit 1 ;; esac\n')
        (tools / "python3").chmod(0o755)
    done = start(fresh, PATH=str(tools))
    assert done.returncode == 3
    assert said in done.stderr and "python3" in done.stderr
    assert not (fresh / ".venv").exists()


def test_no_network_is_explained(clone: Path, tmp_path: Path) -> None:
    """pip cannot reach its index: exit 3, the end of its log, and the next start tries again."""
    fresh = _without_environment(clone, tmp_path)
    done = start(fresh, "--version", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path))
    assert done.returncode == 3
    assert "No matching distribution" in done.stderr and "start again" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder that somebody else may not write")
def test_a_checkout_of_somebody_else_is_left_alone(clone: Path, tmp_path: Path) -> None:
    """An ordinary user's environment lies in their own cache; nothing is written into the checkout."""
    fresh = _without_environment(clone, tmp_path)
    place = Path("/var/tmp") / f"netless-{os.getpid()}"
    shutil.copytree(fresh, place / "netless tree")
    cache = place / "cache"
    cache.mkdir(mode=0o777)
    cache.chmod(0o777)
    try:
        before = sorted(str(path) for path in (place / "netless tree").rglob("*"))
        command = ["runuser", "-u", "learner", "--", str(place / "netless tree" / "netless"), "--version"]
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment(XDG_CACHE_HOME=str(cache)), cwd="/", timeout=300, check=False
        )
        assert done.stdout.startswith("netless "), done.stderr
        assert sorted(str(path) for path in (place / "netless tree").rglob("*")) == before
    finally:
        shutil.rmtree(place)


def _without_environment(clone: Path, tmp_path: Path) -> Path:
    """A second copy, never started."""
    fresh = tmp_path / "fresh"
    shutil.copytree(clone, fresh, ignore=shutil.ignore_patterns(".venv*", "__pycache__"))
    return fresh
