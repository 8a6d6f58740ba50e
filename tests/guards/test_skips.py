"""The rule that a skip fails in CI is itself tested: a run of pytest inside pytest."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).resolve().parents[1] / "conftest.py"
SAMPLE = '''
import pytest

def test_passes(): ...
def test_skips(): pytest.skip("no time")
@pytest.mark.kernel_may_lack
def test_lacking(): pytest.skip("no vxlan")
@pytest.mark.xfail
def test_known(): raise AssertionError
'''


@pytest.mark.parametrize(("ci", "line"), [("true", "1 failed, 1 passed, 1 skipped, 1 xfailed"), ("", "1 passed, 2 skipped, 1 xfailed")])
def test_a_skip_fails_in_ci_only(tmp_path: Path, ci: str, line: str) -> None:
    """With CI set a skip is a failure, whatever it says; what a kernel may lack and a known failure are not."""
    shutil.copy(CONFTEST, tmp_path / "conftest.py")
    (tmp_path / "test_sample.py").write_text(SAMPLE)
    env = {**os.environ, "CI": ci}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(tmp_path), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert line in done.stdout, done.stdout


SHARED = """
import os, pytest

@pytest.fixture(scope="module")
def lab():
    return os.getpid()

@pytest.mark.parametrize("number", range(8))
def test_shares(lab, number):
    print("MADE IN", lab)
"""


def test_what_shares_a_lab_stays_in_one_process(tmp_path: Path) -> None:
    """A fixture of a whole file is made once, however many processes there are."""
    shutil.copy(CONFTEST, tmp_path / "conftest.py")
    (tmp_path / "test_sample.py").write_text(SHARED)
    command = [sys.executable, "-m", "pytest", "-rP", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(tmp_path), str(tmp_path)]
    done = subprocess.run([*command, "-n", "2", "--dist", "loadgroup"], capture_output=True, text=True, check=False)
    made = [line for line in done.stdout.splitlines() if line.startswith("MADE IN")]
    assert len(made) == 8 and len(set(made)) == 1, done.stdout


def test_a_skipped_module_fails_in_ci(tmp_path: Path) -> None:
    """A whole file that skips itself does not go unseen."""
    shutil.copy(CONFTEST, tmp_path / "conftest.py")
    (tmp_path / "test_sample.py").write_text('import pytest\npytest.skip("later", allow_module_level=True)\n')
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(tmp_path), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "CI": "true"}, check=False)
    assert done.returncode != 0
    assert "later" in done.stdout
