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
    last = case.last
    what = "the answer" if last.leg == "return" else "the question for a name" if case.talks_dns else "the packet"
    where = f"{last.link} of {owner_words(last.node)}"
    match last.stage:
        case "unsent":
            return f"nothing left {owner_words(last.node)}"
        case "asking":
            return _asked(case, what)
        case "crossing":
            return f"{what} left {owner_words(last.node)} by {last.link} and was not seen at the other end"
        case "bridging":
            return f"{what} was last seen at {where}, a {_role(case)}, and came out of no other port"
        case "stray":
            return f"{what} came to {where}, but for another MAC ({last.hop.mac_dst if last.hop else ''}), so it was not taken in"
        case "routing":
            return f"{what} came into {owner_words(last.node)} by {last.link} and left by no interface"
        case "delivered":
            return f"{what} arrived in {owner_words(last.node)} at {last.link}, and {'no answer left it' if last.leg == 'forward' else 'went no further'}"
        case "home":
            return f"the answer came back to {owner_words(last.node)} at {last.link}, and was not taken"
        case _:
            return f"{what} reached {owner_words(last.node)}"


def _asked(case: Case, what: str) -> str:
    last = case.last
    begin = (
        ""
        if last.node == case.probe.node and last.leg == "forward"
        else f"{what} came as far as {owner_words(last.node)}, which "
    )
    who = f"{owner_words(last.node)} " if not begin else ""
    heard = last.hop
    tail = (
        f"; the question was last heard at {heard.link} of {owner_words(heard.node)}"
        if heard is not None and heard.node != last.node
        else ""
    )
    return f"{begin}{who}asked on {last.link} who has {last.asked}, and nobody answered{tail}"


def _role(case: Case) -> str:
    link = case.link(case.last.node, case.last.link)
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
        return "; silence" if case.last.stage == "unsent" else ""
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
