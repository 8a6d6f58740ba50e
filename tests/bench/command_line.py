"""How long a command takes that needs no lab: the price of every start."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.row import Row, median_ms

CHECKOUT = Path(__file__).resolve().parents[2]


def rows() -> Iterator[Row]:
    """``--version`` and ``courses``, beside a Python that does nothing."""
    environment = {"PYTHONPATH": f"{CHECKOUT / 'tui'}:{CHECKOUT / 'lab'}", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}

    def run(*words: str) -> None:
        subprocess.run([sys.executable, "-P", *words], env=environment, capture_output=True, check=True)

    bare = median_ms(lambda: run("-c", ""))
    yield Row("netless --version", median_ms(lambda: run("-m", "netless", "--version")), "<= 100 ms", "python3 -c ''", bare)
    yield Row("netless courses", median_ms(lambda: run("-m", "netless", "courses")), "", "python3 -c ''", bare)
