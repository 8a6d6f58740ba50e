"""Making a cause: an entry of the catalogue, a place, and facts. The mend is only offered when nothing speaks against it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from ..model.journey import Fact
from ..model.snapshot import Snapshot
from .case import Case
from .catalogue import CATALOGUE, Site
from .cause import Cause, at_link, of_node, owner_words
from .mends import heals

_NONE: Final[Mapping[str, object]] = {}
Mended = Callable[[Snapshot], Snapshot]
"""What a mend would make of the lab."""


def blame(
    case: Case,
    code: str,
    node: str,
    link: str = "",
    *,
    facts: Iterable[Fact],
    how: str = "",
    site: Site | None = None,
    fix: str | None = None,
    mended: Mended | None = None,
    more: Mapping[str, object] = _NONE,
    **words: object,
) -> Cause:
    """The cause ``code`` in ``node``. ``how`` picks another of its sentences, ``site`` another part of the node than the usual one.

    ``fix`` is a whole command, "" for none; without it the entry's own is used. ``mended`` is the lab as the command would leave it: when
    the packet gets no further there, the command heals nothing and is not offered. ``more`` are words that somebody else has gathered.
    """
    entry = CATALOGUE[code]
    here = case.link(node, link)
    none = case.lacking(here) if here is not None else "no address"
    names = {"who": owner_words(node), "whose": of_node(node), "link": link, "none": none} | words | dict(more)
    where = site or entry.site
    place = node if where == "node" else (at_link(node, link) if link else node) if where == "link" else f"{node}:{where}"
    command = case.run(node, entry.fix.format_map(names)) if fix is None and entry.fix else fix or ""
    offered = command if mended is None or heals(case, node, mended(case.before)) else ""
    return Cause(code, place, entry.words[how].format_map(names), tuple(facts), offered)
