"""The verb that asks why: one packet of a kind, a size and a target of one's own choice, followed from evidence."""

from __future__ import annotations

import ipaddress
import re
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from msgspec.structs import replace

from netless_lab import protocol
from netless_lab.errors import Refusal
from netless_lab.model.addresses import is_address
from netless_lab.model.journey import Explanation
from netless_lab.model.probe import LARGEST, Connect, Fetch, Ping, Probe, Udp
from netless_lab.model.snapshot import Node, Snapshot

from ..options import Namespace
from ..printer import Exit, Printer, Styled
from . import joined

_MEANT_AS_ADDRESS: Final = re.compile(r"[0-9.]+|[0-9.]+/.*|[^/]*:.*")
"""What can be no name: digits and dots, an address with its prefix length, or something with a colon."""
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
    """Send one packet, follow it, and say where and why it died, from evidence."""
    probe = _page(args) if "://" in args.target else None
    with joined(args) as client:
        if probe is None:
            to, port = split(args.target)
            asked = _Asked(to, port, args.udp, args.size, args.df)
            _insist_that_it_fits(asked)
            snapshot = client.ask(protocol.GetSnapshot())
            found = _name(to) if args.name else address(snapshot, to)
            _insist_on_one_receiver(snapshot.node(args.source), found)
            probe = _probe(args.source, asked._replace(to=found))
        return print_explanation(client.ask(protocol.Explain(probe)), printer)


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


def _insist_on_one_receiver(sender: Node | None, to: str) -> None:
    """Raises Refusal for an address of many, and for a link-local one without its link (RFC 4007, section 11). A sender that is none is told later."""
    if sender is None or not is_address(to):
        return
    parsed = ipaddress.ip_address(to)
    links = [link.name for link in sender.links if link.kind != "loopback"]
    if parsed.is_multicast:
        raise Refusal(f"{to} is a group's address (multicast): `netless why` follows a packet to one receiver")
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.is_link_local and parsed.scope_id not in links:
        plain = to.partition("%")[0]
        has = f"{sender.name} has no interface {parsed.scope_id}" if parsed.scope_id else f"{plain} may be on any link of {sender.name}"
        raise Refusal(f"{has}: say on which it is", nearest=tuple(f"{plain}%{link}" for link in links))


def _probe(source: str, asked: _Asked) -> Probe:
    if asked.port is None:
        plain = Ping(source, asked.to, dont_fragment=asked.df)
        return plain if asked.size is None else replace(plain, size=asked.size)
    if asked.udp:
        return Udp(source, asked.to, asked.port, asked.size, asked.df)
    return Connect(source, asked.to, asked.port)


def _name(to: str) -> str:
    """A name that DNS is asked for, whatever node is called so."""
    if is_address(to) or _MEANT_AS_ADDRESS.fullmatch(to):
        raise Refusal(f"{to} is an address, and no name to be looked up: leave --name out")
    return to


def address(snapshot: Snapshot, target: str) -> str:
    """An address as it is; a node's name stands for its first address, IPv4 if it has any; a name with a dot is looked up in the lab."""
    if is_address(target):
        return str(ipaddress.ip_address(target))
    if _MEANT_AS_ADDRESS.fullmatch(target):
        raise Refusal(f"{target} is not an address: {_form(target)}")
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


def _form(target: str) -> str:
    """What an address looks like, for one who tried to write one."""
    if "/" in target:
        return f"a packet goes to one address, without a prefix length: {target.partition('/')[0]}"
    return "IPv6 has eight groups of up to four hexadecimal digits, or fewer with ::" if ":" in target else "IPv4 is four numbers from 0 to 255"


def print_explanation(told: Explanation, printer: Printer, *, flows: bool = True) -> int:
    """Two sentences, the facts with the commands that show them, the lesson, and with ``flows`` conntrack's entries. 0 when it was answered, else 1."""
    printer.document(told)
    printer.say(Styled("good" if told.answered else "bad", told.seen))
    if not told.answered or told.cause:
        printer.say(_cause(told))
    for fact in told.facts:
        printer.say(f"  {fact.text}")
        if fact.look:
            printer.say("      ", Styled("dim", f"$ {fact.look}"))
    if told.fix:
        printer.say(f"  mend it: {told.fix}")
    if told.lesson:
        printer.say(f"  lesson:  {told.lesson}")
    if flows:
        _flows(told, printer)
    return Exit.PASS if told.answered else Exit.FAIL


def _flows(told: Explanation, printer: Printer) -> None:
    for flow in told.flows:
        printer.say("  ", Styled("dim", f"conntrack in {flow.node}: {flow.text}"))
    same = "" if told.code == "stale-flow" else ", treated the same"
    for flow in told.older if told.answered else ():
        printer.say("  ", Styled("dim", f"an older flow in {flow.node}{same}: {flow.text}"))


def _cause(told: Explanation) -> str:
    if not told.cause:
        return "The cause is unknown: no fact names one."
    return told.cause if told.certainty == "certain" else f"Likely cause: {told.cause}"
