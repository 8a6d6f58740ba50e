"""The packets pane: every probe, what became of it, and its path hop by hop when it was followed.

A journey in words: one line a hop with its true time, what was rewritten, learned and flooded, and where it died.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content

from netless_lab.model.journey import Hop, Journey
from netless_lab.model.probe import Connect, Fetch, Lookup, Outcome, Ping, Probe, Udp
from netless_lab.protocol import JourneyEvent, ProbeEvent

from ..blocks import Block, Blocks, clickable, joined, plain
from ..replay import death_words, flood_words, learned_words
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

INDENT = Content(" ")


def hops(journey: Journey, sought: str = "") -> Iterable[Block]:
    """Hop by hop; with ``sought`` only the hops that hold all its words. A click on a hop shows its bytes."""
    wide = max((len(hop.node) + len(hop.link) + 1 for hop in journey.hops), default=0)
    for number, hop in enumerate(journey.hops):
        if not matches(hop, sought):
            continue
        place = f"{hop.node} {hop.link}".ljust(wide)
        arrow, style = ARROWS[hop.direction]
        lead = INDENT + joined((f"{hop.at_us:>7.1f} us ", "$faint"), (place, "$chip"), " ", (arrow, style), " ")
        text = plain(hop.text, "$muted" if hop.leg == "arp" else "")
        yield Block(clickable(text, "look_at_hop", journey.id, number) if journey.id else text, first=lead)
        if not sought:
            yield from _notes(journey, number)
    if journey.left_out:
        yield Block(plain(f"and {journey.left_out} more", "$muted"), first=INDENT)
    if journey.lost_frames:
        yield Block(plain(f"{journey.lost_frames} frames were missed by the capture", "$warning"), first=INDENT)
    elif journey.unheard and not journey.complete:
        yield Block(plain(f"what happens in {', '.join(journey.unheard)} cannot be seen", "$warning"), first=INDENT)
    elif journey.death is not None and not journey.complete:
        yield Block(plain(death_words(journey.death)), first=INDENT + joined(("✗ ", "bold $error")))


def matches(hop: Hop, sought: str) -> bool:
    """Whether a hop holds every word: of its node, link, kind, or text."""
    text = f"{hop.node} {hop.link} {hop.node}:{hop.link} {protocol_of(hop)} {hop.kind} {hop.text}".lower()
    return all(word in text for word in sought.lower().split())


def protocol_of(hop: Hop) -> str:
    """What a learner calls it: ``icmp`` for an echo as well, ``nd`` for what IPv6 has in place of ARP."""
    return "icmp" if hop.kind.startswith(("echo", "icmp")) else hop.kind.partition("-")[0]


def _notes(journey: Journey, number: int) -> Iterable[Block]:
    """What happened at or right after a hop."""
    lead = INDENT + Content(" " * 11)
    for rewrite in journey.rewrites:
        if rewrite.after_hop == number:
            words = joined((f"{rewrite.what} rewritten: ", "$bridge"), f"{rewrite.before} → {rewrite.after}")
            yield Block(words, first=lead)
    for learned in journey.learned:
        if learned.at_hop == number:
            yield Block(plain(learned_words(learned), "$bridge"), first=lead)
    for flood in journey.floods:
        if flood.at_hop == number:
            yield Block(plain(flood_words(flood), "$bridge"), first=lead)


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
