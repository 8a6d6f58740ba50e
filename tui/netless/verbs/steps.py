"""The verbs that work through a course: run, check, back, next, hint, goto, reset."""

from __future__ import annotations

from netless_lab import protocol
from netless_lab.client import OnEvent

from ..options import Namespace
from ..printer import Exit, Printer
from ..say import check as told
from ..say.changes import typed
from ..say.counted import plural
from ..say.text import Block, ticked
from . import joined, opened
from .consent import agreed, left, list_going, moves, with_consent


def run(args: Namespace, printer: Printer) -> int:
    """Do the current step (or the named one, or all that remain in the lesson) and judge it."""
    with opened(args, printer, events=_narrator(printer)) as client:
        if args.dialect is not None:
            client.ask(protocol.SetDialect(args.dialect))
        return _judged(client.ask(protocol.Run(args.step, args.rest, wait=True)), printer)


def check(args: Namespace, printer: Printer) -> int:
    """Judge the current step, or every step of the target."""
    with joined(args, _narrator(printer)) as client:
        return _judged(client.ask(protocol.Check(args.step, wait=True)), printer)


def back(args: Namespace, printer: Printer) -> int:
    """Undo the last step, or the learner's own last change. What else would go with it is listed, and goes only after a yes."""
    with joined(args, _narrator(printer)) as client:
        return with_consent(client, protocol.Back(args.yes), protocol.Back(True), "going back", _moved, printer)


def next(args: Namespace, printer: Printer) -> int:
    """Move on to the next step. What would have to go for it is listed, and goes only after a yes."""
    with joined(args, _narrator(printer)) as client:
        return with_consent(client, protocol.Next(args.yes), protocol.Next(True), "rebuilding the lab for the next step", _moved, printer)


def goto(args: Namespace, printer: Printer) -> int:
    """Rebuild the lab for the start of the target, or its end."""
    with opened(args, printer, events=_narrator(printer)) as client:
        return _moved(client.ask(protocol.Goto(args.step, args.end)), printer)


def hint(args: Namespace, printer: Printer) -> int:
    """Open the next rung of help."""
    with joined(args) as client:
        answer = client.ask(protocol.Hint(None if args.rung is None else args.rung - 1))
    printer.document(answer)
    printer.say(answer.text)
    if answer.left:
        printer.narrate(f"{plural(answer.left, 'hint')} left: `netless hint` opens the next")
    return Exit.PASS


def reset(args: Namespace, printer: Printer) -> int:
    """List what goes, ask, and rebuild."""
    with joined(args, _narrator(printer)) as client:
        seen = None if args.yes else moves(client)
        told = client.ask(protocol.WhatGoes(args.scope))
        if told:
            list_going(f"resetting the {args.scope}", told.going, told.coming, printer)
            if not args.yes and not agreed(printer):
                return left(f"a reset of the {args.scope} wants a yes", Exit.FAIL, told.going, told.coming, printer)
        return _moved(client.ask(protocol.Reset(args.scope, seen=seen)), printer)


def _moved(answer: protocol.Moved, printer: Printer) -> int:
    printer.document(answer)
    for text in filter(None, (answer.text, answer.ended)):
        printer.say(text)
    return Exit.PASS


def _narrator(printer: Printer) -> OnEvent:
    def narrate(message: protocol.AgentMessage) -> None:
        if isinstance(message, protocol.ActionEvent):
            printer.tell(typed(message), indent=2, aside=True)
        elif isinstance(message, protocol.Notice) and message.level != "info":  # what is no warning stands in the answer
            printer.narrate(message.text)

    return narrate


def _judged(answer: protocol.Judgement, printer: Printer) -> int:
    printer.document(answer)
    results = []
    for judged in answer.verdicts:
        verdict = judged.verdict
        if judged.besides:
            printer.narrate(judged.besides)
        results.append(verdict.result)
        printer.tell([told.judged(judged.title, judged.position, verdict)])
        printer.tell((*told.claims(verdict), *told.extras(verdict)), indent=2)
        if verdict.passed and judged.success:
            printer.tell([Block(ticked(judged.success, "strong"))], indent=2)
    if answer.text:
        printer.say(answer.text)
    if "error" in results:
        return Exit.MACHINE
    return Exit.PASS if all(result == "pass" for result in results) else Exit.FAIL

