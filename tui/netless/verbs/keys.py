"""The verb that prints the tutor's keys."""

from __future__ import annotations

from ..commands.printed import lines, views
from ..config.place import settings
from ..options import Namespace
from ..printer import Exit, Printer


def keys(args: Namespace, printer: Printer) -> int:
    """Every key there is, as this person has them, and where it acts. Needs no lab."""
    keymap = settings(args.environment, args.options).keys
    printer.document(views(keymap))
    for line in lines(keymap=keymap):
        printer.say(line)
    return Exit.PASS
