"""Files that the lab puts in place of others are the lab's alone: nobody who comes in from outside runs them outside (H1)."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import netless_lab
from helpers.checkout import as_here
from helpers.waiting import eventually
from netless_lab import join
from sandbox.helpers.alone import alone
from sandbox.helpers.rooms import room

OURS = (
    "__init__", "join", "address", "kernel/__init__", "kernel/syscalls",
    *(f"sandbox/{name}" for name in ("__init__", "enter", "visitor", "carry", "seccomp", "way", "relay", "limits", "find")),
)  # fmt: skip
PYTHONS = ("os", "posixpath", "struct", "signal", "enum", "types", "functools", "re/__init__", "socket", "selectors", "tty", "codecs", "encodings/utf_8")
MARKER = "/tmp/evil-ran"
EVIL = f"""
import os, sys
if any("enter.py" in word for word in sys.orig_argv):
    open("{MARKER}", "w").close()
    try:
        os.kill(BAIT, 9)
    except OSError:
        pass
"""
"""What it does when who enters imports it. Its pid is that of a process outside, which only who is still outside can signal."""


def _bait() -> subprocess.Popen[bytes]:
    """A process outside whose number no process of a lab has."""
    with contextlib.suppress(OSError):  # an ordinary user may not; his numbers are small, and the mark is what tells
        Path("/proc/sys/kernel/ns_last_pid").write_text("30000", encoding="ascii")
    return subprocess.Popen(["sleep", "1000"])


ITSELF = [sys.executable, "-P", "-c", "from netless_lab import join; join.go_in('test', 'host', ['echo', 'entered'])  # as enter.py does"]
"""A process that enters itself, as ``netless exec`` does."""


@pytest.mark.parametrize("itself", [False, True], ids=["by a fresh Python", "by itself"])
@alone
def test_what_covers_a_module_is_not_run_by_who_enters(itself: bool) -> None:
    """Each module of the tutor's and many of Python's are covered inside; who enters afterwards imports none, and a process outside lives."""
    package = Path(netless_lab.__file__).parent
    files = [str(package / f"{name}.py") for name in OURS] + [f"{Path(os.__file__).parent}/{name}.py" for name in PYTHONS]
    with _bait() as bait, room() as made:
        cover = "\n".join(f"mount --bind /tmp/evil.py {shlex.quote(path)} || exit 1" for path in files if os.path.exists(path))
        made.sh(f"cat > /tmp/evil.py <<'END'\n{EVIL.replace('BAIT', str(bait.pid))}\nEND\n{cover}\ncmp -s /tmp/evil.py {shlex.quote(files[0])}")
        for standard in (subprocess.DEVNULL, subprocess.PIPE):
            command = ITSELF if itself else [*join.command(made.lab, "host"), "echo", "entered"]
            done = subprocess.run(command, env={**as_here(), **join.environment(made.lab, "host")}, stdin=standard, capture_output=True, check=False)
            assert done.stdout == b"entered\n", done
        assert made.code(f"test -e {MARKER}") == 1, "it ran inside as who enters"
        assert not os.path.exists(MARKER), "it ran outside"
        assert bait.poll() is None
        bait.kill()


@alone
def test_such_a_module_would_be_seen() -> None:
    """Imported outside by a program of that name, the same file ends the process and leaves its mark."""
    with _bait() as bait:
        Path("/tmp/evil.py").write_text(EVIL.replace("BAIT", str(bait.pid)), encoding="ascii")
        subprocess.run([sys.executable, "-I", "-c", "exec(open('/tmp/evil.py').read())", "enter.py"], check=True)
        assert eventually(lambda: bait.poll() is not None)
        assert os.path.exists(MARKER)

REGISTER = """
import ctypes, os
os.makedirs("/run/kinds", exist_ok=True)
if ctypes.CDLL(None).mount(b"none", b"/run/kinds", b"binfmt_misc", 0, None):
    raise SystemExit("not in a user namespace")  # before Linux 6.7
kind = open("/usr/bin/env", "rb").read(64)[24:48]  # where it begins, and where its tables are (elf(5))
with open("/run/kinds/register", "wb", buffering=0) as file:
    file.write(b":env:M:24:" + b"".join(b"\\\\x%02x" % byte for byte in kind) + b"::/proc/self/exe:")
"""
"""Has the lab's own kernel table say that the program which runs a visitor's command is a script, to be read by whatever runs it: by our Python."""


@pytest.mark.kernel_may_lack
@alone
def test_a_handler_of_programs_gets_nothing_of_ours_run() -> None:
    """Who is inside says by what a program is run (binfmt_misc): a visitor's command is not run then, and neither is the Python of who enters."""
    with room() as made:
        if "not in a user namespace" in made.sh(f"python3 -I -S -c {shlex.quote(REGISTER)} 2>&1 || true"):
            pytest.skip("this kernel has one such table for the whole machine, which no lab can mount")
        done = subprocess.run([*join.command(made.lab, "host"), "echo", "run"], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (127, "") and "No such file" in done.stderr
