"""The packets pane: every probe, what became of it, and its path hop by hop when it was followed."""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content

from netless_lab.model.probe import Connect, Fetch, Lookup, Outcome, Ping, Probe, Udp
from netless_lab.protocol import JourneyEvent, ProbeEvent

from ..blocks import Block, Blocks, joined, plain
from ..view import as_wanted
from .changes import NARROW, clock
from .journey import hops

NOTHING: Blocks = (
    Block(plain("No packet has been sent yet.", "$muted")),
    Block(plain("Probes appear here: who asked whom, what came back, and how long it took.", "$faint")),
)
"""What an empty pane says."""


Packet = ProbeEvent | JourneyEvent


def packet(event: Packet, width: int, sought: str = "") -> Blocks:
    """One probe, or one packet of the learner's own; with ``sought`` only what holds its words, or nothing at all."""
    blocks = tuple(_probe(event, width, sought) if isinstance(event, ProbeEvent) else _own(event, width, sought))
    return blocks if len(blocks) > 1 or not sought else ()


def _own(event: JourneyEvent, width: int, sought: str) -> Iterable[Block]:
    """A packet of the learner's own traffic."""
    journey = event.journey
    glyph = ("✓", "bold $success") if journey.complete else ("✗", "bold $error") if journey.death else ("·", "$muted")
    lead = joined(glyph, " ") if width < NARROW else joined((clock(event.at), "$faint"), "  ", glyph, " ")
    title = plain(journey.title) if journey.title else joined((journey.source, "bold"), (" → ", "$muted"), journey.target)
    skipped = joined((f"  {event.skipped} frames before it were left out", "$warning")) if event.skipped else Content("")
    yield Block(joined(("yours ", "bold $accent")) + title + skipped, first=lead)
    yield from hops(journey, sought)


def sentence(probe: Probe) -> Content:
    """What was sent: ``ping c1 → 10.0.0.1``."""
    match probe:
        case Ping(node=node, to=to):
            return joined(("ping ", "$muted"), (node, "bold"), (" → ", "$muted"), to)
        case Connect(node=node, to=to, port=port):
            return joined(("tcp ", "$muted"), (node, "bold"), (" → ", "$muted"), f"{to}:{port}")
        case Udp(node=node, to=to, port=port):
            return joined(("udp ", "$muted"), (node, "bold"), (" → ", "$muted"), f"{to}:{port}")
        case Lookup(node=node, name=name):
            return joined(("name ", "$muted"), (node, "bold"), (" ? ", "$muted"), name)
        case Fetch(node=node, url=url):
            return joined(("http ", "$muted"), (node, "bold"), (" → ", "$muted"), url)


def _probe(event: ProbeEvent, width: int, sought: str) -> Iterable[Block]:
    outcome = event.outcome
    good = as_wanted(outcome, event.wanted)
    glyph = ("!", "bold $warning") if outcome.result == "error" else ("✓", "bold $success") if good else ("✗", "bold $error")
    lead = joined(glyph, " ") if width < NARROW else joined((clock(event.at), "$faint"), "  ", glyph, " ")
    yield Block(sentence(outcome.probe) + joined("  ", (_took(outcome), "$muted")), first=lead)
    indent = Content(" " * lead.cell_length)
    text = outcome.text
    if good and not event.wanted:
        text = f"{text} (as it should be)" if text else "no answer, as it should be"
    if text and not sought:
        yield Block(plain(text, "$muted" if good else ""), first=indent)
    if event.journey is not None:
        yield from hops(event.journey, sought)
    if outcome.seen_as and not sought:
        yield Block(joined(("the far end saw ", "$muted"), outcome.seen_as), first=indent)


def _took(outcome: Outcome) -> str:
    """The round trip, in the unit that reads best."""
    if outcome.rtt_us is None:
        return ""
    return f"{outcome.rtt_us:.0f} us" if outcome.rtt_us < 1000 else f"{outcome.rtt_us / 1000:.1f} ms"
