"""``./tests/run bench [NAME...]``: run the benchmark modules of this folder and print one table.

A module takes part when it has ``rows() -> Iterator[Row]``. Nothing is asserted: the table is to be read, before and after a change.
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:1] = [str(HERE.parent), str(HERE.parents[1] / "tui"), str(HERE.parents[1] / "lab")]

from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from bench.row import Row  # noqa: E402  (the folder above must be on the path first)


def modules(wanted: list[str]) -> list[str]:
    """The benchmark modules, or those whose names hold one of ``wanted``."""
    names = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in ("__main__", "row"))
    return [name for name in names if not wanted or any(word in name for word in wanted)]


def rows_of(name: str, console: Console) -> Iterator[Row]:
    """The rows of one module; a module that fails becomes a row that says so, and the others still run."""
    try:
        module = importlib.import_module(f"bench.{name}")
        if hasattr(module, "rows"):
            yield from module.rows()
    except Exception as error:
        console.print(traceback.format_exc(), style="dim", markup=False)
        yield Row(f"{name}: {type(error).__name__}", float("nan"), "", note=str(error)[:80])


def number(value: float | None, unit: str) -> str:
    """``12.3 ms``; three digits that matter."""
    if value is None or value != value:
        return "-"
    return f"{value:.3g} {unit}" if value < 100 else f"{value:.0f} {unit}"


def main() -> int:
    """Print the table; 0 unless a module could not run. Nobody's own settings count in it, and no progress is left behind by it."""
    with tempfile.TemporaryDirectory(prefix="netless-bench-") as home:
        os.environ.update({name: f"{home}/{name}" for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")})
        return measured()


def measured() -> int:
    """The same, with the homes that there are."""
    console = Console(width=None if sys.stdout.isatty() else 150)
    errors = Console(stderr=True)
    release = platform.release()
    title = f"netless, medians on {os.cpu_count()} cores, Linux {release}, Python {platform.python_version()}"
    table = Table("what", "ours", "reach", "reference", "", "note", title=title, title_justify="left")
    failed = False
    for name in modules(sys.argv[1:]):
        errors.print(f"measuring {name} ...", style="dim")
        for row in rows_of(name, errors):
            failed |= row.ours_ms != row.ours_ms
            table.add_row(row.what, number(row.ours_ms, row.unit), row.reach, row.reference, number(row.reference_ms, row.unit), row.note)
    console.print(table)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
