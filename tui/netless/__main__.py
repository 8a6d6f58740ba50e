"""Where `netless` and `python -m netless` begin. Nothing heavy is imported before the verb is known."""

from __future__ import annotations

import gc
import os
import sys

from . import __version__
from .early import drop_result, enter, settle


def main(argv: list[str] | None = None) -> int:
    """Run one command line; returns the exit code."""
    settle()
    words = sys.argv[1:] if argv is None else argv
    try:
        return _run(words)
    except OSError as error:  # of the parser's own help, or of a result that is longer than what Python holds back
        if not isinstance(error, BrokenPipeError):
            import contextlib  # nobody waits for it any more

            with contextlib.suppress(OSError):  # a terminal that has gone takes neither
                print(f"netless: stdout: {error.strerror}", file=sys.stderr)
        return 0 if isinstance(error, BrokenPipeError) else 3
    finally:
        drop_result()
        gc.freeze()  # Python looks through all that is there for garbage when it ends, which takes as long as a verb may take


def _run(words: list[str]) -> int:
    if words in (["--version"], ["-V"]):
        print(f"netless {__version__}")
        return 0
    from .config.shared import hand_on

    if "exec" in words[:3] and hand_on(os.environ) is None:
        enter(words)
    gc.disable()  # until all is imported that stays (``cli.run``): that is no garbage
    from .cli import run

    return run(words)


if __name__ == "__main__":
    sys.exit(main())
