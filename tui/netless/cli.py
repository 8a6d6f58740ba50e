"""The command line: one table of verbs, errors as sentences and exit codes. Never imports the screen."""

from __future__ import annotations

import gc
import importlib
import os
import sys

import netless_lab.lean  # noqa: F401  (before all that imports msgspec)
from netless_lab.course.places import LANGUAGE, LESSONS

from .called import called
from .early import drop_result, lab_in
from .options import Namespace, in_order, plainly
from .printer import Exit, Printer

_MODULES = {
    "tutor": ("tutor",), "look": ("courses", "snapshot", "diagram"), "lab": ("up", "down", "status", "labs", "doctor"),
    "steps": ("run", "check", "back", "next", "hint", "goto", "reset"), "nodes": ("shell", "exec", "ping"), "why": ("why",),
    "authors": ("lint",), "progress": ("progress", "history"), "faults": ("break", "faults", "mend"),
}  # fmt: skip
VERBS = {verb: module for module, verbs in _MODULES.items() for verb in verbs}
"""Verb -> module of ``netless.verbs`` whose function of that name (``exec_`` for keywords) does it."""


def run(words: list[str]) -> int:
    """Parse, do, and turn every error a person can meet into a sentence and an exit code."""
    given = in_order(words)
    if given.verb and given.verb not in VERBS:
        return _offer_verbs(given.verb)
    args = plainly(given, os.environ)
    if args is None:
        from .parser import parser  # takes as long to import as it may take to do what is plain to read

        args = parser(given.verb if given.rest[:1] == (given.verb,) else "").parse_args([*given.ours, *given.rest], Namespace())
    args.verb, args.command = args.verb or "tutor", list(given.command)
    if args.lessons:
        os.environ[LESSONS] = args.lessons  # for this process and those it starts, as if it had been said there
    if args.lang:
        os.environ[LANGUAGE] = args.lang
    printer = Printer(as_json=args.json, called=called(args.lab, os.environ))
    from netless_lab.client import LabGone, Refused
    from netless_lab.errors import Refusal

    try:
        module = importlib.import_module(f".verbs.{VERBS[args.verb]}", __package__)
        gc.freeze()
        gc.enable()
        code = int(getattr(module, args.verb if args.verb not in ("exec", "break") else f"{args.verb}_")(args, printer))
        sys.stdout.flush()
        return code
    except (Refused, Refusal) as refused:
        return printer.failure(str(refused), int(refused.code), refused.nearest)
    except LabGone as gone:
        return printer.failure(f"{gone}. `netless down` ends what may be left of it, `netless up` starts a new lab; your ticks are kept.", Exit.OURS)
    except BrokenPipeError:
        drop_result()
        return Exit.PASS
    except KeyboardInterrupt:
        printer.narrate("")
        return 130
    except OSError as error:
        code = printer.failure(f"{error.filename or args.verb}: {error.strerror or error}", Exit.USAGE if error.filename else Exit.MACHINE)
        drop_result()
        return code
    except Exception as error:
        import traceback

        traceback.print_exc()
        return printer.failure(f"this is a fault of netless itself ({type(error).__name__}); please report what is above", Exit.OURS)


def _offer_verbs(word: str) -> int:
    """An unknown verb gets the nearest ones instead of argparse's list of all."""
    import difflib  # most words are verbs

    near = difflib.get_close_matches(word, VERBS, n=3)
    text = f"there is no verb {word!r}." + (f" Did you mean: {', '.join(near)}?" if near else "")
    return Printer(called=called(lab_in(os.environ), os.environ)).failure(f"{text}\n`netless --help` lists them all.", Exit.USAGE)
