"""The log of packets: every probe, what became of it, and its path hop by hop when it was followed: one line a hop with its true time, what was
rewritten, learned and flooded, and where it died.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from netless_lab import protocol

from .cells import cells, padded
from .counted import plural
from .links import ToHop
from .stamps import stamped
from .text import BLANK, Block, Blocks, Looked, Text, blanks, joined, plain

if TYPE_CHECKING:
    from netless_lab.model.journey import Death, Flood, Hop, Journey, Learned
    from netless_lab.model.probe import Outcome, Probe
    from netless_lab.protocol import JourneyEvent, ProbeEvent

ARROWS: Final[Mapping[str, Looked]] = {
    "out": ("→", "accent"),
    "in": ("←", "accent"),
    "broadcast": ("⇇", "muted"),
    "multicast": ("⇇", "muted"),
    "other": ("·", "faint"),
}
"""Leaving, arriving, arriving for everybody, passing by for somebody else."""

INDENT: Final = blanks(1)
UNDER: Final = INDENT + blanks(11)
"""Below the places of hops, behind the column of their times."""


def hops(journey: Journey, sought: str = "") -> Iterable[Block]:
    """Hop by hop; with ``sought`` only the hops that hold all its words. A click on a hop shows its bytes."""
    wide = widest(journey)
    for number, hop in enumerate(journey.hops):
        if not matches(hop, sought):
            continue
        lead = INDENT + where(hop, wide)
        text = plain(hop.text, "muted" if hop.leg == "arp" else None)
        yield Block(text.leading(ToHop(journey.id, number)) if journey.id else text, first=lead)
        if not sought:
            yield from _notes(journey, number)
    if journey.left_out:
        yield Block(plain(f"and {journey.left_out} more", "muted"), first=UNDER)
    if journey.lost_frames:
        yield Block(plain(f"{plural(journey.lost_frames, 'frame was', 'frames were')} missed by the capture", "warn"), first=UNDER)
    elif journey.unheard and not journey.complete:
        yield Block(plain(f"what happens in {', '.join(journey.unheard)} cannot be seen", "warn"), first=UNDER)
    elif journey.death is not None and not journey.complete:
        yield Block(plain(death_words(journey.death)), first=UNDER.part(2) + joined(("✗ ", "strong", "bad")), rest=UNDER)


def widest(journey: Journey) -> int:
    """Cells of the longest place that the packet came by."""
    return max((cells(f"{hop.node} {hop.link}") for hop in journey.hops), default=0)


def where(hop: Hop, wide: int) -> Text:
    """When, where and in which direction, in columns: a place takes ``wide`` cells."""
    return joined((f"{hop.at_us:>7.1f} us ", "faint"), (padded(f"{hop.node} {hop.link}", wide), "chip"), " ", ARROWS[hop.direction], " ")


def matches(hop: Hop, sought: str) -> bool:
    """Whether a hop holds every word: of its node, link, kind, or text."""
    text = f"{hop.node} {hop.link} {hop.node}:{hop.link} {protocol_of(hop)} {hop.kind} {hop.text}".lower()
    return all(word in text for word in sought.lower().split())


def protocol_of(hop: Hop) -> str:
    """What a learner calls it: ``icmp`` for an echo as well, ``nd`` for what IPv6 has in place of ARP."""
    return "icmp" if hop.kind.startswith(("echo", "icmp")) else hop.kind.partition("-")[0]


def _notes(journey: Journey, number: int) -> Iterable[Block]:
    """What happened at or right after a hop."""
    notes = [
        *(joined((f"{own.what} rewritten: ", "bridge"), f"{own.before} → {own.after}") for own in journey.rewrites if own.after_hop == number),
        *(plain(learned_words(own), "bridge") for own in journey.learned if own.at_hop == number),
        *(plain(flood_words(own), "bridge") for own in journey.floods if own.at_hop == number),
    ]
    for note in notes:
        yield Block(note, first=UNDER)


NO_PACKETS: Blocks = (
    Block(plain("No probe was sent since this screen was opened.", "muted")),
    Block(plain("Probes appear here: who asked whom, what came back, and how long it took.", "faint")),
)
"""What an empty pane says."""
Packet: TypeAlias = "ProbeEvent | JourneyEvent"


def packet(event: Packet, width: int, sought: str = "") -> Blocks:
    """One probe, or one packet of the learner's own; with ``sought`` only what holds its words, or nothing at all."""
    blocks = tuple(_probe(event, width, sought) if isinstance(event, protocol.ProbeEvent) else _own(event, width, sought))
    return blocks if len(blocks) > 1 or not sought else ()


def _own(event: JourneyEvent, width: int, sought: str) -> Iterable[Block]:
    """A packet of the learner's own traffic."""
    journey = event.journey
    glyph: Looked = ("✓", "strong", "good") if journey.complete else ("✗", "strong", "bad") if journey.death else ("·", "muted")
    title = plain(journey.title) if journey.title else joined((journey.source, "strong"), (" → ", "muted"), journey.target)
    skipped = joined((f"  {plural(event.skipped, 'frame before it was', 'frames before it were')} left out", "warn")) if event.skipped else BLANK
    yield Block(joined(("yours ", "strong", "accent")) + title + skipped, first=stamped(event.at, width, glyph, " "))
    yield from hops(journey, sought)


def sentence(probe: Probe) -> Text:
    """What was sent: ``ping c1 → 10.0.0.1``."""
    from netless_lab.model.probe import Connect, Fetch, Lookup, Ping, Udp

    match probe:
        case Ping():
            kind, sign, to = "ping", "→", probe.to
        case Connect() | Udp():
            kind, sign, to = "tcp" if isinstance(probe, Connect) else "udp", "→", f"{probe.to}:{probe.port}"
        case Lookup():
            kind, sign, to = "name", "?", probe.name
        case Fetch():
            kind, sign, to = "http", "→", probe.url
    return joined((f"{kind} ", "muted"), (probe.node, "strong"), (f" {sign} ", "muted"), to)


def _probe(event: ProbeEvent, width: int, sought: str) -> Iterable[Block]:
    outcome = event.outcome
    good = event.as_wanted
    glyph: Looked = ("!", "strong", "warn") if outcome.result == "error" else ("✓", "strong", "good") if good else ("✗", "strong", "bad")
    lead = stamped(event.at, width, glyph, " ")
    yield Block(sentence(outcome.probe) + joined("  ", (_took(outcome), "muted")), first=lead)
    indent = blanks(lead.cells)
    text = outcome.text
    if good and not event.wanted:
        text = f"{text} (as it should be)" if text else "no answer, as it should be"
    if text and not sought:
        yield Block(plain(text, "muted" if good else None), first=indent)
    if event.journey is not None:
        yield from hops(event.journey, sought)
    if outcome.seen_as and not sought:
        yield Block(joined(("the far end saw ", "muted"), outcome.seen_as), first=indent)


def _took(outcome: Outcome) -> str:
    """The round trip, in the unit that reads best."""
    if outcome.rtt_us is None:
        return ""
    return f"{outcome.rtt_us:.0f} us" if outcome.rtt_us < 1000 else f"{outcome.rtt_us / 1000:.1f} ms"


def learned_words(learned: Learned) -> str:
    """What a bridge learned, in words."""
    return f"{learned.bridge} learned: {learned.mac} is behind {learned.port}"


def flood_words(flood: Flood) -> str:
    """Where a bridge sent a frame for everybody, in words."""
    why = "it does not know the MAC" if flood.unknown_mac else "it is for everybody"
    return f"{flood.bridge} sends it out of {', '.join(flood.ports)}: {why}"


def death_words(death: Death) -> str:
    """Where a packet was last seen, in words."""
    place = f"last seen at {death.link} in {death.node}" if death.link else f"last seen in {death.node}"
    return place + (f", before the gate {death.gate}" if death.gate else "")
