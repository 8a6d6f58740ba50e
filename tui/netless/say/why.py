"""Why a packet died: what was seen, the likely cause, the facts it rests on, how to look for oneself, and the step that teaches it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from netless_lab.model.journey import Explanation
from netless_lab.model.telling import the

from .hints import taught
from .links import Copy
from .text import EMPTY, Block, Blocks, Looked, blanks, joined, labelled, plain, ticked

CERTAINTY: Final[Mapping[str, tuple[Looked, str]]] = {
    "certain": (("● ", "strong", "good"), "certain: a fact proves it"),
    "likely": (("◐ ", "strong", "warn"), "likely: the state suggests it"),
    "unknown": (("○ ", "strong", "muted"), "unknown: no fact names a cause"),
}
"""Shape and words."""
UNKNOWN: Final = f"The cause is {CERTAINTY['unknown'][1]}."
"""What is said where no cause is."""
GATES: Final[Mapping[str, str]] = {
    "fwd": "the forwarding of {}",
    "fw": "the firewall rules of {}",
    "NAT": "the address translation of {}",
    "routing": "the routes and routing rules of {}",
    "neighbour": "the neighbour table of {}",
    "names": "the name lookup of {}",
    "service": "the listening programs of {}",
}
"""Places inside a node, by the word after the colon; any other word there is a link."""


def why(explanation: Explanation, lesson: str, *, fix_shown: bool) -> Blocks:
    """An explanation as blocks; ``lesson`` is how the step that teaches it is called."""
    glyph: Looked = ("✓ ", "strong", "good") if explanation.answered else ("✗ ", "strong", "bad")
    blocks = [Block(ticked(explanation.seen, "strong"), first=joined(glyph))]
    if explanation.cause or not explanation.answered:
        blocks += _cause(explanation)
    if explanation.facts:
        blocks += [EMPTY, Block(plain("The facts", "muted"))]
    for fact in explanation.facts:
        blocks.append(Block(ticked(fact.text), first=joined(("• ", "accent"))))
        if fact.look:
            blocks += _commands(fact.look)
    if explanation.fix and fix_shown:
        blocks += [EMPTY, *(labelled("mend it  ", plain(line, "command").leading(Copy(line))) for line in explanation.fix.splitlines())]
    if explanation.lesson:
        blocks += [EMPTY, taught(explanation.lesson, lesson)]
    return tuple(blocks)


def flows(explanation: Explanation) -> Iterator[Block]:
    """What conntrack knows of the packet, and of others like it before."""
    for flow in explanation.flows:
        yield Block(plain(f"conntrack in {flow.node}: {flow.text}", "muted"))
    same = "" if explanation.code == "stale-flow" else ", treated the same"
    for flow in explanation.older if explanation.answered else ():
        yield Block(plain(f"an older flow in {flow.node}{same}: {flow.text}", "muted"))


def _cause(explanation: Explanation) -> Iterator[Block]:
    shape, words = CERTAINTY[explanation.certainty]
    yield EMPTY
    if explanation.cause:
        yield Block(ticked(explanation.cause, "strong"), first=joined(shape))
        yield Block(plain(words, "muted"), first=blanks(2))
    else:
        yield Block(plain(UNKNOWN, "strong"), first=joined(shape))
    if explanation.place:
        yield Block(plain(place_words(explanation.place), "muted"), first=blanks(2))


def place_words(place: str) -> str:
    """``host:fwd`` as "place: the forwarding of the host"."""
    node, _, rest = place.partition(":")
    where = the(node)
    if rest in GATES:
        return f"place: {GATES[rest].format(where)}"
    return f"place: {rest} in {where}" if rest else f"place: {where}"


def _commands(text: str) -> Iterator[Block]:
    for line in text.splitlines():
        yield Block(plain(line, "command").leading(Copy(line)), first=blanks(2), rest=blanks(4))
