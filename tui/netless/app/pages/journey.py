"""A journey in words: one line a hop with its true time, what was rewritten, learned and flooded, and where it died."""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content

from netless_lab.model.journey import Hop, Journey

from ..blocks import Block, clickable, joined, plain
from ..replay import death_words, flood_words, learned_words

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
