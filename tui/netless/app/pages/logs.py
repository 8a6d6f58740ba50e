"""What the two logs say.

Changes: what the tutor did, in the chosen dialect, and what changed in the kernel, in words; time and who beside it. Packets: every probe,
what became of it, and its path hop by hop when it was followed: one line a hop with its true time, what was rewritten, learned and
flooded, and where it died.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from textual.content import Content

from netless_lab.model.journey import Death, Flood, Hop, Journey, Learned
from netless_lab.model.probe import Connect, Fetch, Lookup, Outcome, Ping, Probe, Udp
from netless_lab.primitives.base import Dialect
from netless_lab.protocol import ActionEvent, ChangesEvent, JourneyEvent, ProbeEvent

from ..blocks import Block, Blocks, clickable, joined, plain
from ..view import as_wanted

WHO = {"tutor": ("tutor ", "$muted"), "learner": ("you   ", "bold $accent"), "kernel": ("kernel", "$faint")}
NARROW = 48
"""Below this many cells the time is left out."""
Entry = ActionEvent | ChangesEvent

NO_CHANGES: Blocks = (
    Block(plain("Nothing has changed yet.", "$muted")),
    Block(plain("Whatever changes in the kernel appears here, from whichever terminal it was done.", "$faint")),
)
"""What an empty pane says."""


def change(entry: Entry, before: Entry | None, dialect: Dialect, width: int) -> Blocks:
    """One entry. Time and who are left out when they are those of the entry before it."""
    first = _lead(entry.at, who(entry), width)
    if before is not None and who(before) == who(entry) and clock(before.at) == clock(entry.at):
        first = Content(" " * first.cell_length)
    return tuple(_action(entry, first, dialect) if isinstance(entry, ActionEvent) else _changes(entry, first))


def who(entry: Entry) -> str:
    """Who did it: tutor or learner."""
    return "tutor" if isinstance(entry, ActionEvent) else entry.who


def clock(at: float) -> str:
    """The wall clock, to the second."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def _lead(at: float, who: str, width: int) -> Content:
    return _stamped(at, width, WHO[who], "  ")


def _stamped(at: float, width: int, *parts: tuple[str, str] | str) -> Content:
    """The parts, with the time before them where there is room for it."""
    return joined(*parts) if width < NARROW else joined((clock(at), "$faint"), "  ", *parts)


def _action(entry: ActionEvent, first: Content, dialect: Dialect) -> Iterable[Block]:
    yield Block(plain(entry.sentence), first=first)
    indent = Content(" " * first.cell_length)
    for commands in entry.commands:
        if commands.dialect == dialect:
            for line in commands.lines:
                yield Block(plain(line, "$code"), first=indent, rest=indent + Content("  "))
    if entry.error:
        yield Block(plain(entry.error, "$error"), first=indent + joined(("✗ ", "bold $error")))


def _changes(entry: ChangesEvent, first: Content) -> Iterable[Block]:
    indent = Content(" " * first.cell_length)
    for number, line in enumerate(entry.lines):
        style = "$faint" if line.quiet else "$muted" if entry.who == "tutor" else ""
        yield Block(plain(line.sentence, style), first=first if number == 0 else indent)


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
    notes = [
        *(joined((f"{own.what} rewritten: ", "$bridge"), f"{own.before} → {own.after}") for own in journey.rewrites if own.after_hop == number),
        *(plain(learned_words(own), "$bridge") for own in journey.learned if own.at_hop == number),
        *(plain(flood_words(own), "$bridge") for own in journey.floods if own.at_hop == number),
    ]
    for note in notes:
        yield Block(note, first=INDENT + Content(" " * 11))


NO_PACKETS: Blocks = (
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
    title = plain(journey.title) if journey.title else joined((journey.source, "bold"), (" → ", "$muted"), journey.target)
    skipped = joined((f"  {event.skipped} frames before it were left out", "$warning")) if event.skipped else Content("")
    yield Block(joined(("yours ", "bold $accent")) + title + skipped, first=_stamped(event.at, width, glyph, " "))
    yield from hops(journey, sought)


def sentence(probe: Probe) -> Content:
    """What was sent: ``ping c1 → 10.0.0.1``."""
    match probe:
        case Ping():
            kind, sign, to = "ping", "→", probe.to
        case Connect() | Udp():
            kind, sign, to = "tcp" if isinstance(probe, Connect) else "udp", "→", f"{probe.to}:{probe.port}"
        case Lookup():
            kind, sign, to = "name", "?", probe.name
        case Fetch():
            kind, sign, to = "http", "→", probe.url
    return joined((f"{kind} ", "$muted"), (probe.node, "bold"), (f" {sign} ", "$muted"), to)


def _probe(event: ProbeEvent, width: int, sought: str) -> Iterable[Block]:
    outcome = event.outcome
    good = as_wanted(outcome, event.wanted)
    glyph = ("!", "bold $warning") if outcome.result == "error" else ("✓", "bold $success") if good else ("✗", "bold $error")
    lead = _stamped(event.at, width, glyph, " ")
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
