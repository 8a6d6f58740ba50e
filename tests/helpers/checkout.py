"""The checkout that is tested, and the environment in which another process runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def environment(checkout: Path = CHECKOUT) -> dict[str, str]:
    """Ours, with the product of this checkout (or another) importable."""
    return {**os.environ, "PYTHONPATH": f"{checkout / 'tui'}{os.pathsep}{checkout / 'lab'}"}


def as_here(*first: Path | str) -> dict[str, str]:
    """Ours, with everything importable that is importable here, the helpers of the tests too, and before it what ``first`` names."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join((*map(str, first), *(path for path in sys.path if path)))}


def netless(*words: str, lab: str, checkout: Path = CHECKOUT, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """``netless --lab LAB WORDS...`` as a person calls it, and what it said."""
    argv = [sys.executable, "-m", "netless", "--lab", lab, *words]
    ours = {**environment(checkout=checkout), **(env or {})}
    return subprocess.run(argv, env=ours, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
