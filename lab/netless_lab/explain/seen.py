"""The first sentence: what was seen, and nothing but that. Pure."""

from __future__ import annotations

from ..model.addresses import is_address
from .case import Case
from .cause import owner_words


def seen(case: Case) -> str:
    """Where the packet was last seen, and what came back."""
    if case.outcome.result != "failed":
        return f"{case.outcome.text}."
    return f"{sentence(case, _place(case))}{_said(case)}.{_lost(case)}"


def _place(case: Case) -> str:
    spot = case.spot
    what = "the answer" if spot.leg == "return" else "the question for a name" if case.talks_dns else "the packet"
    where = f"{spot.link} of {owner_words(spot.node)}"
    match spot.stage:
        case "unsent":
            return f"nothing left {owner_words(spot.node)}"
        case "asking":
            return _asked(case, what)
        case "crossing":
            return f"{what} left {owner_words(spot.node)} by {spot.link} and was not seen at the other end"
        case "bridging":
            return f"{what} was last seen at {where}, a {_role(case)}, and came out of no other port"
        case "stray":
            return f"{what} came to {where}, but for another MAC ({spot.hop.mac_dst if spot.hop else ''}), so it was not taken in"
        case "routing":
            return f"{what} came into {owner_words(spot.node)} by {spot.link} and left by no interface"
        case "delivered":
            return f"{what} arrived in {owner_words(spot.node)} at {spot.link}, and {'no answer left it' if spot.leg == 'forward' else 'went no further'}"
        case "home":
            return f"the answer came back to {owner_words(spot.node)} at {spot.link}, and was not taken"
        case _:
            return f"{what} reached {owner_words(spot.node)}"


def _asked(case: Case, what: str) -> str:
    spot = case.spot
    begin = (
        ""
        if spot.node == case.probe.node and spot.leg == "forward"
        else f"{what} came as far as {owner_words(spot.node)}, which "
    )
    who = f"{owner_words(spot.node)} " if not begin else ""
    heard = spot.hop
    last = (
        f"; the question was last heard at {heard.link} of {owner_words(heard.node)}"
        if heard is not None and heard.node != spot.node
        else ""
    )
    return f"{begin}{who}asked on {spot.link} who has {spot.asked}, and nobody answered{last}"


def _role(case: Case) -> str:
    link = case.link(case.spot.node, case.spot.link)
    return (
        "bridge"
        if link is not None and link.kind == "bridge"
        else f"port of {link.master}"
        if link is not None and link.master
        else "link"
    )


def _said(case: Case) -> str:
    """What came back, or what the kernel told the sender."""
    outcome = case.outcome
    if outcome.reason in ("silence", "no-neighbour"):
        return "; silence" if case.spot.stage == "unsent" else ""
    return f": {outcome.text}"


def _lost(case: Case) -> str:
    count = case.evidence.lost or case.evidence.journey.lost_frames
    if count:
        return f" The capture itself missed {count} frame{'s' if count != 1 else ''}, so nothing can be declared dead from what was not seen."
    unheard = case.evidence.journey.unheard
    return f" Packets of {' and '.join(unheard)} cannot be seen, so it may have gone on there." if unheard else ""


_COMMON = ("host", "internet")
"""Names of nodes that are words as well: "the host"."""


def sentence(case: Case, text: str) -> str:
    """A sentence begins with a capital; names of nodes and links, and addresses, do not change."""
    word = text.partition(" ")[0].strip(",:;").removesuffix("'s")
    names = {node.name for node in case.before.nodes if node.name not in _COMMON}
    names |= {link.name for node in case.before.nodes for link in node.links}
    return text if word in names or is_address(word) else text[:1].upper() + text[1:]
