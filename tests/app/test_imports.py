"""What the screen's process loads: never the kernel's half, and before the first frame nothing it does not need for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "import sys, netless.app, netless.app.app; print('\\n'.join(sys.modules))"


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """The modules after importing everything the first frame needs."""
    environment = {"PYTHONPATH": f"{ROOT / 'tui'}:{ROOT / 'lab'}", "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-P", "-c", PROGRAM], capture_output=True, text=True, check=True, env=environment)
    return set(done.stdout.split())


@pytest.mark.parametrize("name", ["pyroute2", "netless_lab.kernel", "netless_lab.sandbox", "netless_lab.session", "netless_lab.agent"])
def test_the_screen_never_touches_the_kernel(loaded: set[str], name: str) -> None:
    """The app talks to the agent and loads nothing of what the agent is made of."""
    assert not [module for module in loaded if module == name or module.startswith(f"{name}.")]


@pytest.mark.parametrize("name", ["markdown_it", "netless_lab.model.scene", "importlib.metadata", "rich.traceback", "pygments"])
def test_the_first_frame_waits_for_nothing(loaded: set[str], name: str) -> None:
    """What is needed later is imported later (each of these costs 10 to 60 ms)."""
    assert name not in loaded
