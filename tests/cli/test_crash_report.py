"""A fault of netless itself: a report that holds what is needed to find it, and nothing of the learner's."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.checkout import environment
from netless.crash import report
from netless.desk.trail import KEPT, Trail
from netless_lab.protocol import Goto, SetDialect

FAILING = """
import sys
from netless_lab import labs
def running():
    raise RuntimeError("the list broke")
labs.running = running
from netless.__main__ import main
sys.exit(main())
"""


def test_a_verb_that_fails_says_where_its_report_is(tmp_path: Path) -> None:
    """One sentence and exit 4, no traceback on the terminal; the report has it, the verb and the versions, and only its owner reads it."""
    env = {**environment(), "XDG_STATE_HOME": str(tmp_path), "TERM": "xterm-256color"}
    done = subprocess.run([sys.executable, "-P", "-c", FAILING, "labs"], capture_output=True, text=True, env=env, check=False)
    (written,) = (tmp_path / "netless/reports").glob("*.txt")
    assert done.returncode == 4
    assert "failed in a way it should not (RuntimeError: the list broke)" in done.stderr and str(written) in done.stderr
    assert "Traceback" not in done.stderr
    text = written.read_text()
    assert "Traceback (most recent call last)" in text and "the list broke" in text and "\nverb: labs\n" in text
    assert "TERM=xterm-256color" in text and "msgspec " in text
    assert stat.S_IMODE(written.stat().st_mode) == 0o600


def test_a_report_tells_kinds_and_no_contents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked is told by its kind: no step, no name, no text; of variables that hold something of the learner's, that they are set."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("SSH_TTY", "/dev/pts/secret")
    trail = Trail()
    trail.asked(Goto("container/secret/step"))
    trail.asked(SetDialect("ip"))
    for number in range(KEPT + 10):
        trail.event("secret" if number % 2 else 5)
    written = report(ValueError("x"), size=(80, 24), before=trail.lines())
    assert written is not None
    text = written.read_text()
    assert "asked of the lab: Goto, SetDialect\n" in text
    assert text.count("str") + text.count("int,") >= KEPT - 1
    assert "80x24" in text and "SSH_TTY is set" in text
    assert "secret" not in text


def test_what_repeats_is_said_once() -> None:
    """A storm of one kind does not push what came before it out of sight of whoever reads."""
    trail = Trail()
    for _ in range(7):
        trail.event(5)
    trail.event("x")
    assert trail.lines() == ("asked of the lab: nothing", "events: int x7, str")
