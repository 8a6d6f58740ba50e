"""Where `netless` and `python -m netless` begin. Nothing heavy is imported before the verb is known."""

from __future__ import annotations

import sys

from . import __version__


def main(argv: list[str] | None = None) -> int:
    """Run one command line; returns the exit code."""
    words = sys.argv[1:] if argv is None else argv
    if words in (["--version"], ["-V"]):
        print(f"netless {__version__}")
        return 0
    from .cli import run

    return run(words)


if __name__ == "__main__":
    sys.exit(main())
