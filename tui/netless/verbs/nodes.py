"""The verbs that go into a node: shell, exec, ping."""

from __future__ import annotations

import ipaddress
import os
import re
from argparse import Namespace
from typing import Final, NoReturn

from netless_lab import join, protocol
from netless_lab.client import Client, reply
from netless_lab.errors import Refusal
from netless_lab.model.probe import Outcome, Ping
from netless_lab.model.snapshot import Snapshot

from ..exit_codes import Exit
from ..labs import joined, opened
from ..printer import Printer
from ..shell import command as shell_command

_MEANT_AS_ADDRESS: Final = re.compile(r"[0-9.]+|[0-9.]+/.*|[^/]*:.*")
"""What can be no name: digits and dots, an address with its prefix length, or something with a colon."""


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
    with joined(args) as client:
        probe = Ping(args.source, _address(client, args.target))
        if args.explain:
            from .faults import print_explanation

            return print_explanation(client.ask(protocol.Explain, probe=probe), printer)
        plain = client.ask(protocol.SendProbe, probe=probe)
    outcome = reply(plain, Outcome)
    printer.document(plain)
    printer.say(outcome.text)
    if outcome.result == "error":
        return Exit.MACHINE
    return Exit.PASS if outcome.result == "answered" else Exit.FAIL


def _enter(lab: str, client: Client, node: str, command: list[str]) -> NoReturn:
    """Become a process that carries a command in a node, in place of this one: so every signal and the exit code are the command's own."""
    client.ask(protocol.Enter, node=node)
    argv = (*join.command(lab, node, stay=True), *command)
    os.execve(argv[0], argv, {**os.environ, **join.environment(lab, node)})


def _form(target: str) -> str:
    """What an address looks like, for one who tried to write one."""
    if "/" in target:
        return f"a packet goes to one address, without a prefix length: {target.partition('/')[0]}"
    return "IPv6 has eight groups of up to four hexadecimal digits, or fewer with ::" if ":" in target else "IPv4 is four numbers from 0 to 255"


def _address(client: Client, target: str) -> str:
    """An address as it is; a node's name stands for its first address, IPv4 if it has any; a name with a dot is looked up in the lab."""
    try:
        return str(ipaddress.ip_address(target))
    except ValueError:
        if _MEANT_AS_ADDRESS.fullmatch(target):
            raise Refusal(f"{target} is not an address: {_form(target)}") from None
    snapshot = reply(client.ask(protocol.GetSnapshot), Snapshot)
    node = snapshot.node(target)
    if node is None:
        if "." in target:
            return target
        names = tuple(known.name for known in snapshot.nodes)
        raise Refusal(f"{target} is neither an address nor a node of this lab", nearest=names)
    own = [address for link in node.links if link.name != "lo" for address in link.addresses if address.scope == "global"]
    if own:
        return min(own, key=lambda address: address.family).address
    raise Refusal(f"the node {target} has no address yet, so nothing can be sent to it", code=1)
