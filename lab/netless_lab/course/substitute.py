"""Putting the learner's words into actions, expectations, probes and prose."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from ..model.probe import Connect, Fetch, Lookup, Ping, Probe, Udp
from ..primitives.base import Action, Expectation
from ..primitives.roles import roles
from ..primitives.run import Run
from .bindings import Bindings
from .step import ProbeCheck

BoundT = TypeVar("BoundT", Action, Expectation, Ping, Connect, Udp, Lookup, Fetch, ProbeCheck)

_ADDRESS = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?!\d|\.\d)")
_ADDRESS_6 = re.compile(r"(?<![\w:.])(?=[\da-fA-F]*:[\da-fA-F]*:)[\da-fA-F:]*(?:[\da-fA-F]|::)(?:/\d{1,3})?(?!\w|:\w|\.\d)")
"""Also finds the MAC of a link; ``Bindings`` leaves alone what is no address."""
_NETNS = r"(?:(?:-n|-netns|netns(?:\s+(?:exec|add|del|delete|attach|pids|set|identify))?)\s+|/(?:run|etc)/netns/)"


def apply(item: BoundT, bindings: Bindings) -> BoundT:
    """The same action, expectation, probe or check in the learner's words."""
    if not bindings.words():
        return item
    match item:
        case ProbeCheck():
            return _check(item, bindings)  # type: ignore[return-value]
        case Ping() | Connect() | Udp() | Lookup() | Fetch():
            return _probe(item, bindings)  # type: ignore[return-value]
        case Run():
            return msgspec.structs.replace(item, line=apply_text(item.line, bindings))
        case _:
            return _item(item, bindings)  # type: ignore[return-value]


def apply_text(text: str, bindings: Bindings) -> str:
    """Prose, a hint or a command line in the learner's words. Only whole words change.

    The name of a namespace may also be a node's, which keeps it; so it changes only where a command or a path asks for a name.
    """
    if not bindings.words():
        return text
    text = _ADDRESS.sub(lambda found: _address(found[0], bindings), text)
    text = _ADDRESS_6.sub(lambda found: _address(found[0], bindings), text)
    links = _different(bindings.links)
    if links:
        text = re.sub(_whole(links), lambda found: links[found[0]], text)
    netns = _different(bindings.netns)
    if netns:
        text = re.sub(f"({_NETNS})({_whole(netns)})", lambda found: found[1] + netns[found[2]], text)
    return text


def _item(item: Action | Expectation, bindings: Bindings) -> Action | Expectation:
    changes: dict[str, object] = {}
    for field, role in roles(type(item)):
        value = getattr(item, field)
        if isinstance(value, str):
            changes[field] = bindings.word(role, value)
        elif isinstance(value, tuple):
            changes[field] = tuple(bindings.word(role, text) if isinstance(text, str) else text for text in value)
    return msgspec.structs.replace(item, **changes) if changes else item


def _probe(probe: Probe, bindings: Bindings) -> Probe:
    match probe:
        case Ping() | Connect() | Udp():
            return msgspec.structs.replace(probe, to=bindings.address(probe.to))
        case Lookup():
            return msgspec.structs.replace(probe, server=bindings.address(probe.server) if probe.server else None)
        case Fetch():
            return msgspec.structs.replace(probe, url=apply_text(probe.url, bindings))


def _check(check: ProbeCheck, bindings: Bindings) -> ProbeCheck:
    return msgspec.structs.replace(
        check,
        probe=_probe(check.probe, bindings),
        because=apply_text(check.because, bindings),
        seen_as=bindings.address(check.seen_as) if check.seen_as else None,
        answer=bindings.address(check.answer) if check.answer else None,
        control=_probe(check.control, bindings) if check.control else None,
    )


def _address(text: str, bindings: Bindings) -> str:
    if "/" not in text:
        return bindings.address(text)
    return bindings.net(text) if text in bindings.nets else bindings.cidr(text)


def _different(words: dict[str, str]) -> dict[str, str]:
    return {canonical: own for canonical, own in words.items() if canonical != own}


def _whole(words: dict[str, str]) -> str:
    longest = sorted(words, key=len, reverse=True)
    return r"(?<![\w-])(?:" + "|".join(map(re.escape, longest)) + r")(?![\w-])"
