"""A cause: what a rule of the ladder answers with, always with the facts it rests on. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from ..model.journey import Fact
from .case import Case

Gate = Literal["fwd", "fw", "NAT", "routing", "neighbour", "names", "service"]
"""Places inside a node that are no link: forwarding, firewall, address translation, routing, neighbour table, names, listening programs."""


class Cause(msgspec.Struct, frozen=True):
    """Why the packet died. ``place`` is a node, ``node:link`` or ``node:gate``.

    ``certain``: a fact proves it, not only the state that suggests it. ``fix`` is a command that would mend it, "" when it depends.
    """

    code: str
    place: str
    text: str
    facts: tuple[Fact, ...] = ()
    certain: bool = False
    fix: str = ""


Rule = Callable[[Case], Cause | None]
"""One rung: the cause when the evidence shows it, None when it does not."""


def at_link(node: str, link: str) -> str:
    """``host:veth2``"""
    return f"{node}:{link}"


def at_gate(node: str, gate: Gate) -> str:
    """``host:fwd``"""
    return f"{node}:{gate}"


def listed(words: tuple[str, ...] | list[str]) -> str:
    """``a, b and c``"""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + f" and {words[-1]}" if words else ""


def owner_words(node: str) -> str:
    """``the host`` or ``c1``"""
    return "the host" if node == "host" else "the internet" if node == "internet" else node


def of_node(node: str) -> str:
    """``the host's`` or ``c1's``"""
    return f"{owner_words(node)}'s"
