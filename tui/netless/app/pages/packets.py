"""The packets pane: every probe, what became of it, and its path hop by hop when it was followed."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from textual.content import Content

from netless_lab.model.journey import Journey
from netless_lab.model.probe import Connect, Fetch, Lookup, Outcome, Ping, Probe
from netless_lab.protocol import ProbeEvent

from ..blocks import Block, Blocks, joined, plain
from ..replay import death_words
from ..view import as_wanted
from .changes import NARROW, clock

ARROWS = {
    "out": ("→", "$accent"),
    "in": ("←", "$accent"),
    "broadcast": ("⇇", "$muted"),
    "multicast": ("⇇", "$muted"),
    "other": ("·", "$faint"),
}
"""Leaving, arriving, arriving for everybody, passing by for somebody else."""

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
    if event.journey is not None:
        yield from _journey(msgspec.convert(event.journey, Journey))
    if outcome.seen_as:
        yield Block(joined(("the far end saw ", "$muted"), outcome.seen_as), first=indent)


def _journey(journey: Journey) -> Iterable[Block]:
    """Hop by hop, with the true time since the first sighting; rewrites and the death where they happened."""
    indent = Content(" ")
    rewrites = {rewrite.after_hop: rewrite for rewrite in journey.rewrites}
    wide = max((len(hop.node) + len(hop.link) + 1 for hop in journey.hops), default=0)
    for number, hop in enumerate(journey.hops):
        place = f"{hop.node} {hop.link}".ljust(wide)
        arrow, style = ARROWS[hop.direction]
        lead = indent + joined((f"{hop.at_us:>7.1f} us ", "$faint"), (place, "$chip"), " ", (arrow, style), " ")
        yield Block(plain(hop.text, "$muted" if hop.leg == "arp" else ""), first=lead)
        if number in rewrites:
            rewrite = rewrites[number]
            words = joined((f"{rewrite.what} rewritten: ", "$bridge"), f"{rewrite.before} → {rewrite.after}")
            yield Block(words, first=indent + Content(" " * 12))
    if journey.lost_frames:
        yield Block(plain(f"{journey.lost_frames} frames were missed by the capture", "$warning"), first=indent)
    elif journey.death is not None and not journey.complete:
        yield Block(plain(death_words(journey.death)), first=indent + joined(("✗ ", "bold $error")))


def _took(outcome: Outcome) -> str:
    """The round trip, in the unit that reads best."""
    if outcome.rtt_us is None:
        return ""
    return f"{outcome.rtt_us:.0f} us" if outcome.rtt_us < 1000 else f"{outcome.rtt_us / 1000:.1f} ms"
