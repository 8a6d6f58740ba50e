"""The command line: one table of verbs, errors as sentences and exit codes. Never imports the screen."""

from __future__ import annotations

import gc
import importlib
import os
import sys

import netless_lab.lean  # noqa: F401  (before all that imports msgspec)
from netless_lab.course.places import LANGUAGE, LESSONS

from .called import called
from .config.shared import hand_on
from .early import drop_result, lab_in
from .options import HELP, in_order, plainly, said
from .printer import Exit, Printer
from .usage.table import SHOWN, VERBS


def run(words: list[str]) -> int:
    """Parse, do, and turn every error a person can meet into a sentence and an exit code."""
    given = in_order(words)
    options = said(given.ours)
    early = Printer(as_json="--json" in options, called=called(lab_in(os.environ), os.environ))
    if given.verb and given.verb not in VERBS:
        return _offer_verbs(given.verb, early)
    environment = dict(os.environ)
    if given.verb != "config" and not {*given.rest} & {*HELP} and (refused := hand_on(os.environ)):
        return early.failure(str(refused), int(refused.code), refused.nearest)
    args = plainly(given, os.environ)
    if args is None:
        from .parser import WrongUsage, read  # takes as long to import as it may take to do what is plain to read

        try:
            args = read(given)
        except WrongUsage as wrong:
            early.narrate(wrong.usage)
            return early.failure(str(wrong), Exit.USAGE)
    args.verb, args.command = args.verb or "tutor", list(given.command)
    args.environment, args.options = environment, options
    if args.lessons:
        os.environ[LESSONS] = args.lessons  # for this process and those it starts, as if it had been said there
    if args.lang:
        os.environ[LANGUAGE] = args.lang
    printer = Printer(as_json=args.json, called=called(args.lab, os.environ))
    from netless_lab.client import LabGone, Refused
    from netless_lab.errors import Refusal

    try:
        if args.record is not None and args.verb != "tutor":
            raise Refusal(f"--record is for the tutor: `{args.verb}` shows nothing that could be recorded")
        module = importlib.import_module(f".verbs.{VERBS[args.verb].module}", __package__)
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
        from . import crash

        return printer.failure(crash.sentence(error, crash.report(error, before=(f"verb: {args.verb}",))), Exit.OURS)


def _offer_verbs(word: str, printer: Printer) -> int:
    """An unknown verb gets the nearest ones instead of argparse's list of all, and the name of a course the verb that opens it."""
    import difflib  # most words are verbs

    near = difflib.get_close_matches(word, [verb.name for verb in SHOWN], n=3)
    if _is_course(word):
        return printer.failure(f"{word!r} is a course and no verb: `netless tutor {word}` opens it", Exit.USAGE)
    return printer.failure(f"there is no verb {word!r}: `netless --help` lists them all", Exit.USAGE, tuple(near))


def _is_course(word: str) -> bool:
    from netless_lab.errors import Refusal

    from .verbs import courses

    try:
        return any(own.id == word for own in courses().courses)
    except Refusal:  # of a folder that is none: it is no matter here
        return False
