"""The verb that tells the settings: what counts and who says it, where the file lies, what is wrong with it, how one is written."""

from __future__ import annotations

import os

from netless_lab.errors import Refusal

from ..config.place import check, resolve
from ..config.schema import example, toml
from ..config.shared import path
from ..options import Namespace
from ..printer import Exit, Printer
from ..say.text import joined


def config(args: Namespace, printer: Printer) -> int:
    """Show, check or print an example; needs no lab."""
    file = path(args.environment)
    if args.example:
        printer.document({"path": file, "example": example()})
        printer.say(example().rstrip("\n"))
        return Exit.PASS
    if not file:
        raise Refusal("there is no folder for settings: HOME is not set. Set it, or XDG_CONFIG_HOME to a folder of yours", code=3)
    if args.what == "path":
        printer.document({"path": file})
        printer.say(file)
        return Exit.PASS
    return _check(file, args, printer) if args.what == "check" else _show(file, args, printer)


def _show(file: str, args: Namespace, printer: Printer) -> int:
    found = resolve(args.environment, args.options)
    printer.document({"path": file, "settings": [{"name": own.name, "value": own.value, "origin": own.origin} for own in found]})
    for own in found:
        said = own.origin != "default"
        printer.row(joined(f"{own.name:<11} ", (f"{toml(own.value):<12}", "strong" if said else "muted"), (f"  {own.origin}", "muted")))
    printer.narrate(f"{f'the file is {file}' if os.path.exists(file) else f'there is no {file} yet'}; `netless config --example` prints one")
    return Exit.PASS


def _check(file: str, args: Namespace, printer: Printer) -> int:
    """As a compiler does: a line for each thing that is wrong, and exit code 2 when there is one."""
    checked = check(args.environment)
    found = os.path.exists(file)
    wrong = [{"path": own.file, "line": one.line, "text": one.text, "nearest": one.nearest} for own in checked for one in own.problems]
    hard = [{"path": own.file, "text": words} for own in checked for words in own.hard]
    printer.document({"path": file, "found": found, "problems": wrong, "hard_to_read": hard})
    if not found:
        printer.say(f"{file}: there is no such file, so defaults count")
    for own in checked:
        for problem in own.problems:
            printer.row(problem.told(own.file))
        if not own.problems:
            printer.say(f"{own.file}: nothing is wrong")
        for words in own.hard:
            printer.narrate(f"{own.file}: {words}")
    return Exit.USAGE if wrong else Exit.PASS
