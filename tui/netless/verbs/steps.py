"""The verbs that work through a course: run, check, back, next, hint, goto, reset."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import msgspec

from netless_lab import protocol
from netless_lab.client import Client, OnEvent, Refused
from netless_lab.course.verdict import Item

from ..options import Namespace
from ..printer import Exit, Printer, Styled, plural
from . import joined, opened

RIPE_S = 90.0
"""How long a check waits for a network that is still getting ready, at most; STP with its longest forward delay takes 60 s."""
_MARKS = {
    "pass": Styled("good", "✓"), "fail": Styled("bad", "✗"), "error": Styled("bad", "!"),
    "waiting": Styled("dim", "…"), "unknown": Styled("dim", "-"), "ahead": Styled("accent", "»"),
    "lapsed": Styled("accent", "«"),
}  # fmt: skip


def run(args: Namespace, printer: Printer) -> int:
    """Do the current step (or the named one, or all that remain in the lesson) and judge it."""
    with opened(args, printer, events=_narrator(printer)) as client:
        if args.dialect is not None:
            client.ask(protocol.SetDialect(args.dialect))
        answer = client.ask(protocol.Run(args.step, args.rest))
        if _unripe(answer):
            answer = msgspec.structs.replace(answer, verdicts=(*answer.verdicts[:-1], *_ripe(client, None, printer).verdicts))
        return _judged(answer, printer)


def check(args: Namespace, printer: Printer) -> int:
    """Judge the current step, or every step of the target."""
    with joined(args) as client:
        return _judged(_ripe(client, args.step, printer), printer)


def _ripe(client: Client, target: str | None, printer: Printer) -> protocol.Judgement:
    """The verdicts, once the network is ready for packets: a bridge with STP lets its ports wait for half a minute."""
    told: set[str] = set()
    end = time.monotonic() + RIPE_S
    while True:
        answer = client.ask(protocol.Check(target))
        if not _unripe(answer) or time.monotonic() > end:
            return answer
        waiting = {item.claim for judged in answer.verdicts for item in judged.verdict.items if item.result == "waiting"}
        for line in sorted(waiting - told):
            printer.narrate(f"waiting: {line}")
        told |= waiting


def _unripe(answer: protocol.Judgement) -> bool:
    return any(judged.verdict.result == "waiting" for judged in answer.verdicts)


def back(args: Namespace, printer: Printer) -> int:
    """Undo the last step, or the learner's own last change."""
    with joined(args) as client:
        return _moved(client.ask(protocol.Back()), printer)


def next(args: Namespace, printer: Printer) -> int:
    """Move on to the next step. What would have to go for it is listed, and goes only after a yes."""
    with joined(args) as client:
        try:
            return _moved(client.ask(protocol.Next(args.yes)), printer)
        except Refused as refused:
            if refused.going is None:
                raise
            printer.narrate(f"netless: {refused}")
            _list_going("rebuilding the lab for the next step", refused.going, refused.coming, printer)
            if _agreed(printer):
                return _moved(client.ask(protocol.Next(force=True)), printer)
            printer.document({"error": str(refused), "code": refused.code, "nearest": (), "going": refused.going, "coming": refused.coming})
            printer.narrate("nothing was changed")
            return refused.code


def goto(args: Namespace, printer: Printer) -> int:
    """Rebuild the lab for the start of the target, or its end."""
    with opened(args, printer) as client:
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
    with joined(args) as client:
        told = client.ask(protocol.WhatGoes(args.scope))
        if told:
            _list_going(f"resetting the {args.scope}", told.going, told.coming, printer)
            if not args.yes and not _agreed(printer):
                printer.narrate("nothing was changed")
                return Exit.USAGE
        return _moved(client.ask(protocol.Reset(args.scope)), printer)


def _list_going(doing: str, going: Sequence[str], coming: Sequence[str], printer: Printer) -> None:
    """Every line is true afterwards."""
    printer.narrate(f"after {doing}:")
    for sign, lines in (("-", going), ("+", coming)):
        for line in lines:
            printer.narrate(f"  {sign} {line}")


def _agreed(printer: Printer) -> bool:
    if not sys.stdin.isatty():
        printer.narrate("add --yes to go on without being asked")
        return False
    printer.narrate("go on? [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _moved(answer: protocol.Moved, printer: Printer) -> int:
    printer.document(answer)
    for text in filter(None, (answer.text, answer.ended)):
        printer.say(text)
    return Exit.PASS


def _narrator(printer: Printer) -> OnEvent:
    def narrate(message: protocol.AgentMessage) -> None:
        if isinstance(message, protocol.ActionEvent):
            for line in message.commands[0].lines if message.commands else ():  # in the dialect in force
                printer.narrate(f"  $ {line}")
            if message.error:
                printer.narrate(f"  {message.error}")

    return narrate


def _judged(answer: protocol.Judgement, printer: Printer) -> int:
    printer.document(answer)
    results = []
    for judged in answer.verdicts:
        verdict = judged.verdict
        results.append(verdict.result)
        printer.say(_MARKS[verdict.result], " ", Styled("bold", judged.title), "  ", Styled("dim", judged.position))
        for item in verdict.items:
            _item(item, printer)
        for extra in verdict.extras:
            printer.say("  ", Styled("dim", f"+ {extra}"))
        if verdict.passed and judged.success:
            printer.say(f"  {judged.success}")
    if answer.text:
        printer.say(answer.text)
    if "error" in results:
        return Exit.MACHINE
    return Exit.PASS if all(result == "pass" for result in results) else Exit.FAIL


def _item(item: Item, printer: Printer) -> None:
    printer.say("  ", _MARKS[item.result], f" {item.claim}")
    if item.result in ("unknown", "lapsed"):
        printer.say("      ", Styled("dim", item.seen))
    for name, text in (("expected", item.expected), ("seen", item.seen), ("", item.near), ("look", item.look)):
        if text and item.result in ("fail", "error"):
            printer.say(f"      {name + ': ' if name else ''}{text}")
