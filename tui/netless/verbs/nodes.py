"""The verbs that go into a node: shell, exec, ping."""

from __future__ import annotations

from typing import NoReturn

from netless_lab import join, protocol
from netless_lab.client import Client
from netless_lab.errors import Refusal
from netless_lab.model.probe import Ping

from ..options import Namespace
from ..printer import Exit, Printer
from ..shell import command as shell_command
from . import joined, opened


def shell(args: Namespace, printer: Printer) -> int:
    """A shell in a node. It ends with the lab."""
    return _enter(args.lab, opened(args, printer), args.node, list(shell_command()))


def exec_(args: Namespace, printer: Printer) -> int:
    """Run a command in a node; its exit code is ours."""
    if not args.command:
        raise Refusal("exec needs a command: `netless exec NODE -- CMD ...`")
    return _enter(args.lab, joined(args), args.node, args.command)


def ping(args: Namespace, printer: Printer) -> int:
    """Send one ping from a node and say what became of it."""
    from .why import print_explanation  # what only it needs: `exec` is to begin at once

    with joined(args) as client:
        probe = Ping(args.source, args.target)
        if args.explain:
            return print_explanation(client.ask(protocol.Explain(probe)), printer, flows=False)
        outcome = client.ask(protocol.SendProbe(probe))
    printer.document(outcome)
    printer.say(outcome.text)
    if outcome.result == "error":
        return Exit.MACHINE
    return Exit.PASS if outcome.result == "answered" else Exit.FAIL


def _enter(lab: str, client: Client, node: str, command: list[str]) -> NoReturn:
    """Become a process that carries a command in a node. Raises Refused when it cannot be entered."""
    client.ask(protocol.Enter(node))
    join.become(lab, node, command)
