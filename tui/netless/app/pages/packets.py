"""The packets pane: every probe, what became of it, and its path hop by hop when it was followed."""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content

from netless_lab.model.probe import Connect, Fetch, Lookup, Outcome, Ping, Probe
from netless_lab.protocol import ProbeEvent

from ..blocks import Block, Blocks, joined, plain
from ..view import as_wanted
from .changes import NARROW, clock

NOTHING: Blocks = (
    Block(plain("No packet has been sent yet.", "$muted")),
    Block(plain("Probes appear here: who asked whom, what came back, and how long it took.", "$faint")),
)
"""What an empty pane says."""


def packet(event: ProbeEvent, width: int) -> Blocks:
    """One probe."""
    return tuple(_probe(event, width))


def sentence(probe: Probe) -> Content:
    """What was sent: ``ping c1 → 10.0.0.1``."""
    match probe:
        case Ping(node=node, to=to):
            return joined(("ping ", "$muted"), (node, "bold"), (" → ", "$muted"), to)
        case Connect(node=node, to=to, port=port):
            return joined(("tcp ", "$muted"), (node, "bold"), (" → ", "$muted"), f"{to}:{port}")
        case Lookup(node=node, name=name):
            return joined(("name ", "$muted"), (node, "bold"), (" ? ", "$muted"), name)
        case Fetch(node=node, url=url):
            return joined(("http ", "$muted"), (node, "bold"), (" → ", "$muted"), url)


def _probe(event: ProbeEvent, width: int) -> Iterable[Block]:
    outcome = event.outcome
    good = as_wanted(outcome, event.wanted)
    glyph = ("!", "bold $warning") if outcome.result == "error" else ("✓", "bold $success") if good else ("✗", "bold $error")
    lead = joined(glyph, " ") if width < NARROW else joined((clock(event.at), "$faint"), "  ", glyph, " ")
    yield Block(sentence(outcome.probe) + joined("  ", (_took(outcome), "$muted")), first=lead)
    indent = Content(" " * lead.cell_length)
    text = outcome.text
    if good and not event.wanted:
        text = f"{text} (as it should be)" if text else "no answer, as it should be"
    if text:
        yield Block(plain(text, "$muted" if good else ""), first=indent)
    if outcome.seen_as:
        yield Block(joined(("the far end saw ", "$muted"), outcome.seen_as), first=indent)


def _took(outcome: Outcome) -> str:
    """The round trip, in the unit that reads best."""
    if outcome.rtt_us is None:
        return ""
    return f"{outcome.rtt_us:.0f} us" if outcome.rtt_us < 1000 else f"{outcome.rtt_us / 1000:.1f} ms"
