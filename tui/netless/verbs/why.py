"""The verb that asks why: one packet of a kind, a size and a target of one's own choice, followed from evidence."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from msgspec.structs import replace

from netless_lab import protocol
from netless_lab.errors import Refusal
from netless_lab.model.journey import Explanation
from netless_lab.model.probe import LARGEST, Connect, Fetch, Ping, Probe, Udp

from ..options import Namespace
from ..printer import Exit, Printer
from ..say import why as say
from . import joined

_ITS_PORT: Final = re.compile(r"(?P<to>\[[^\]]*\]|[^:\[\]]+):(?P<port>[^:]*)")
"""``198.51.100.10:80``, ``[fd00::1]:80``, ``c2:80``; a bare IPv6 address has more than one colon and no port."""


class _Asked(NamedTuple):
    """What stands behind FROM on the command line. ``port`` None for none."""

    to: str
    port: int | None
    udp: bool
    size: int | None
    df: bool


def why(args: Namespace, printer: Printer) -> int:
    """Send one packet, the one that was lost last in this step when none is named, follow it, and say where and why it died, from evidence."""
    probe = _named(args)
    with joined(args) as client:
        return print_explanation(client.ask(protocol.Explain(probe, args.name)), printer)


def _named(args: Namespace) -> Probe | None:
    """The packet of the command line; None for the one that was lost last, whoever sent it. Raises Refusal for half of one."""
    if args.source is None:
        if args.udp or args.df or args.size is not None or args.name:
            raise Refusal("FROM and TO are missing: --udp, --size, --df and --name are about a packet that is named")
        return None
    if args.target is None:
        raise Refusal("TO[:PORT] is missing: a node, an address, a name or a page")
    return _page(args) if "://" in args.target else _packet(args)


def _packet(args: Namespace) -> Probe:
    """One packet to a node, an address or a name, which the lab makes an address of."""
    to, port = split(args.target)
    asked = _Asked(to, port, args.udp, args.size, args.df)
    _insist_that_it_fits(asked)
    return _probe(args.source, asked)


def split(target: str) -> tuple[str, int | None]:
    """``198.51.100.10:80`` as ("198.51.100.10", 80); without a port (..., None). Raises Refusal for what is no port."""
    if not target or (target.startswith(":") and not target.startswith("::")):
        raise Refusal(f"TO is missing{f' before {target}' if target else ''}: a node, an address, a name or a page")
    found = _ITS_PORT.fullmatch(target)
    if found is None:
        if target.startswith("[") != target.endswith("]"):
            raise Refusal(f"{target} is no address: IPv6 stands in brackets before a port, as in [fd00::1]:80")
        return (target[1:-1] if target.startswith("[") else target), None
    port = found["port"]
    if not (port.isascii() and port.isdecimal() and 1 <= int(port) <= 65535):
        raise Refusal(f"{port or 'nothing'} is not a port, in {target}: ports are 1 to 65535")
    return found["to"].strip("[]"), int(port)


def _page(args: Namespace) -> Probe:
    """A page to be fetched: there is nothing to choose about its packets."""
    try:
        parts = urlsplit(args.target)
        sound = parts.scheme == "http" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise Refusal(f"{args.target} cannot be fetched: only http works here, as in http://198.51.100.10/")
    if args.udp or args.df or args.size is not None or args.name:
        raise Refusal("a page is fetched by TCP, which sizes its packets itself, and a name in it is looked up anyway: leave --udp, --size, --df and --name out")
    return Fetch(args.source, args.target)


def _insist_that_it_fits(asked: _Asked) -> None:
    """Raises Refusal for options that say nothing together."""
    if asked.udp and asked.port is None:
        raise Refusal(f"--udp needs a port: {f'[{asked.to}]' if ':' in asked.to else asked.to}:53")
    if asked.size is not None and asked.size > LARGEST:
        raise Refusal(f"a packet carries 0 to {LARGEST} bytes, not {asked.size}")
    if asked.port is not None and not asked.udp and (asked.size is not None or asked.df):
        raise Refusal("TCP sizes its packets itself, and none of them may be cut: --size and --df are for a ping (no port) or a datagram (--udp)")


def _probe(source: str, asked: _Asked) -> Probe:
    if asked.port is None:
        plain = Ping(source, asked.to, dont_fragment=asked.df)
        return plain if asked.size is None else replace(plain, size=asked.size)
    if asked.udp:
        return Udp(source, asked.to, asked.port, asked.size, asked.df)
    return Connect(source, asked.to, asked.port)


def print_explanation(told: Explanation, printer: Printer, *, flows: bool = True) -> int:
    """Two sentences, the facts with the commands that show them, the lesson, and with ``flows`` conntrack's entries. 0 when it was answered, else 1."""
    printer.document(told)
    printer.tell(say.why(told, told.lesson, fix_shown=True))
    if flows:
        printer.tell(say.flows(told), indent=2)
    return Exit.PASS if told.answered else Exit.FAIL
