"""The Python that a lab is run by, when it is its user's own file: nobody inside can change it, and it is the same Python."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.checkout import as_here
from hostile.helpers.climber import ENTRY
from sandbox.helpers.alone import alone, alone_as_ordinary

BEGIN = f"""
import os, sys
from netless_lab.sandbox.start import start
started = start("test", {ENTRY!r})
print(started.log())
print(os.readlink("/proc/%d/exe" % started.keeper), open("/proc/%d/comm" % started.keeper).read())
os.kill(started.pid, 9)
"""
FLAGS = ("-I", "-S", "-X", "utf8")
"""With which a lab is begun. Without site, a virtual environment's prefix is that of the Python it was made of."""
TELL = "import json, os, sys; print(json.dumps([sys.executable, sys.prefix, sys.base_prefix, sys.exec_prefix, os.__file__]))"


def own_python() -> Path:
    """A virtual environment of this user's with a copy of the interpreter in it, as ``venv --copies`` makes it."""
    program = Path(os.environ["HOME"], "its own", "bin", "python3")
    program.parent.mkdir(parents=True)
    shutil.copy(os.path.realpath(sys.executable), program)
    home = os.path.dirname(os.path.realpath(sys._base_executable))  # type: ignore[attr-defined]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    program.parent.with_name("pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = false\nversion = {version}\n", encoding="utf-8")
    program.parent.with_name("lib").joinpath(f"python{version}", "site-packages").mkdir(parents=True)
    return program


def state(program: Path) -> object:
    """What of a file could be changed."""
    is_ = program.stat()
    return is_.st_mode, is_.st_mtime_ns, is_.st_ctime_ns, hashlib.sha256(program.read_bytes()).hexdigest()


def said_by(program: Path, *words: str) -> str:
    """What a program says on its standard output, run with our own code and packages to be imported."""
    path = ":".join(entry for entry in sys.path if entry)
    done = subprocess.run([program, *words], env={**as_here(), "PYTHONPATH": path}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@alone
def test_an_agent_cannot_change_its_users_python() -> None:
    """Neither its bytes nor its mode or times, though the lab is begun with it; the agent is that Python, with its own home."""
    program = own_python()
    before, expected = state(program), json.loads(said_by(program, *FLAGS, "-c", TELL))
    log, _, keepers = said_by(program, "-c", BEGIN).strip().rpartition("\n")
    assert state(program) == before
    assert json.loads(log.strip().splitlines()[-1]) == [*expected, []]
    assert os.geteuid() == 0 or "memfd" in keepers
    assert keepers.endswith(" netless-keeper"), "ps names it, whatever it is run from"


@alone_as_ordinary
def test_where_nothing_is_run_from_memory_the_lab_says_so() -> None:
    """What cannot be copied, here because files may not be so large (RLIMIT_FSIZE), runs all the same, and the lab's notes name the file."""
    program = own_python()
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 14, 1 << 14))
    log, _, keepers = said_by(program, "-c", BEGIN).strip().rpartition("\n")
    (note,) = json.loads(log.strip().splitlines()[-1])[-1]
    assert str(program) in note and "not run from memory" in note
    assert keepers.startswith(f"{program} ")


@pytest.mark.parametrize("link", [True, False])
@alone
def test_a_python_that_is_out_of_reach_is_run_as_it_is(link: bool) -> None:
    """A virtual environment's link to the machine's Python, and that one itself: root's file, of which no copy is made."""
    program = own_python()
    if os.stat(os.path.realpath(sys.executable)).st_uid == os.geteuid() != 0:
        pytest.skip("there is no Python here but this user's own")
    if link:
        program.unlink()
        program.symlink_to(os.path.realpath(sys.executable))
    else:
        program = Path(os.path.realpath(sys.executable))
    expected = json.loads(said_by(program, *FLAGS, "-c", TELL))
    log, _, keepers = said_by(program, "-c", BEGIN).strip().rpartition("\n")
    assert json.loads(log.strip().splitlines()[-1]) == [*expected, []]
    assert keepers.startswith(f"{os.path.realpath(sys.executable)} ")
