"""How long a whole command takes: without a lab the price of every start, and in a lab that runs already."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.row import Row, median_ms
from helpers.running import running

CHECKOUT = Path(__file__).resolve().parents[2]


def rows() -> Iterator[Row]:
    """``--version``, ``courses``, and in a warm lab ``status --json`` and ``exec``, each beside a Python that does nothing."""
    environment = {"PYTHONPATH": f"{CHECKOUT / 'tui'}:{CHECKOUT / 'lab'}", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}

    def run(*words: str) -> None:
        subprocess.run([sys.executable, "-P", *words], env=environment, capture_output=True, check=True)

    def row(what: str, reach: str, *words: str) -> Row:
        """The reference in the same moments, since machines change their speed."""
        netless = ("-c", "import sys; from netless.__main__ import main; sys.exit(main())")  # as the launcher starts it
        pairs = [(median_ms(lambda: run(*netless, *words), 1), median_ms(lambda: run("-c", ""), 1)) for _ in range(15)]
        ours, bare = (sorted(times)[7] for times in zip(*pairs, strict=True))
        return Row(what, ours, reach, "python3 -c ''", bare, f"{ours / bare:.1f} times as long")

    yield row("netless --version", "<= 100 ms", "--version")
    yield row("netless courses", "", "courses")
    with running() as lab:
        yield row("netless status --json, warm", "<= 4 times", "--lab", lab.name, "status", "--json")
        yield row("netless exec c1 -- true, warm", "<= 2.5 times", "--lab", lab.name, "exec", "c1", "--", "true")
