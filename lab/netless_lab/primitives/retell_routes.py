"""The commands that bring changes of routes about (see ``retell``): of single ones, and of those that share a destination."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from msgspec.structs import replace

from ..model import changes as c
from ..model.snapshot import Node, Route, Snapshot
from .base import word
from .typed import Doing, Typed

_MAIN: Final = 254
_DEAD_ENDS: Final = ("blackhole", "unreachable", "prohibit", "throw")
_OF_A_WAY: Final = ("realm ", "encap ")
"""How those further words of a route begin that each of its ways has for itself."""


Crowds = dict[c.Change, tuple[Doing, ...] | None]
"""What brings changes of routes about that are about several ways."""


class Place(NamedTuple):
    """Where routes compete: of those in one place the kernel takes one, or shares packets out among the ways of one."""

    node: str
    family: int
    table: int
    dst: str
    metric: int


def route(node: str, verb: str, wanted: Route) -> tuple[Doing, ...] | None:
    """``ip route VERB`` with everything that tells this route from others; None when it cannot be said to ip(8)."""
    return (Typed(node, _line(verb, (wanted,))),) if _sayable(wanted) else None


def given_back(node: str, wanted: Route) -> tuple[Doing, ...]:
    """A route of the kernel's own that somebody took away. Beside others of its network, as the kernel adds it, which may have done so."""
    return (_if_possible(node, _line("append", (wanted,))),)


def rerouted(node: str, lost: Route, got: Route, *, gone: bool) -> tuple[Doing, ...] | None:
    """In its place where the kernel can; else what was goes first, unless it is ``gone`` with its link."""
    if lost.type == got.type and got.family == 4:
        return route(node, "replace", got)
    away, here = () if gone else route(node, "del", lost), route(node, "add", got)
    return None if away is None or here is None else (*away, *here)


def crowds(seen: Sequence[c.Change], before: Snapshot, after: Snapshot) -> Crowds:
    """Of changes of routes that share their place, or of one with several ways, what brings them about: all of a place go and come again.

    The first of those that come, or else the first of those that go, has it all, and nothing is left for the others of the place.
    """
    found: Crowds = {}
    renamed = {(own.node, own.before): own.after for own in seen if isinstance(own, c.LinkRenamed)}
    touched: dict[Place, list[c.RouteAdded | c.RouteRemoved | c.RouteChanged]] = {}
    for change in seen:
        if isinstance(change, c.RouteChanged | c.RouteRemoved) or (isinstance(change, c.RouteAdded) and change.route.protocol != "kernel"):
            touched.setdefault(_place(change.node, change.after if isinstance(change, c.RouteChanged) else change.route), []).append(change)
    for place, changes in touched.items():
        now = after.node(place.node)
        was = before.by_netns(now.netns) if now is not None else before.node(place.node)
        old = tuple(replace(own, dev=renamed.get((place.node, own.dev or ""), own.dev)) for own in _there(place, was))
        new = _there(place, now)
        replaced = [(own.before, own.after) for own in changes if isinstance(own, c.RouteChanged)]
        gone = [own.route for own in changes if isinstance(own, c.RouteRemoved)]
        lost = tuple(own for own in (*(was for was, _ in replaced), *gone) if own.protocol == "kernel")
        again = tuple(own for _, own in replaced if own.protocol == "kernel")
        if max(len(old) + len(lost), len(new) + len(again)) < 2 or (was is None and not new):
            continue
        found |= dict.fromkeys(changes, ())
        first = next((own for own in changes if not isinstance(own, c.RouteRemoved)), changes[0])
        anew = _all_anew(place.node, (*lost, *old), new)
        found[first] = None if anew is None else (*anew, *(doing for own in again for doing in given_back(place.node, own)))
    return found


def _place(node: str, own: Route) -> Place:
    return Place(node, own.family, own.table, own.dst, own.metric)


def _there(place: Place, node: Node | None) -> tuple[Route, ...]:
    """The routes of a place that somebody made, in the order in which the kernel tries them."""
    there = node.routes if node is not None else ()
    return tuple(replace(own, linkdown=False) for own in there if _place(place.node, own) == place and own.protocol != "kernel")


def _all_anew(node: str, old: Sequence[Route], new: Sequence[Route]) -> tuple[Doing, ...] | None:
    """What was goes, as far as it has not gone with a link; what is comes in its order.

    Where the kernel can, the first takes the place of the last that was: by that one a gateway may be reached that is asked for now.
    """
    if not all(map(_sayable, (*old, *new))):
        return None
    was, now = list(_wholes(old)), list(_wholes(new))
    takes = bool(was and now and new[0].family == 4 and _tos(was[0][0]) == _tos(now[0][0]))
    return (
        *(_if_possible(node, _line("del", whole)) for whole in was[takes:]),
        *(Typed(node, _line("replace", whole)) for whole in now[:takes]),
        *(Typed(node, _line("append", whole)) for whole in now[takes:]),
    )


def _tos(own: Route) -> tuple[str, ...]:
    return tuple(said for said in own.others if said.startswith("tos "))


def _wholes(routes: Collection[Route]) -> Iterator[tuple[Route, ...]]:
    """Routes with all their ways: those that have a share are ways of one, if they are alike in everything else."""
    for ways, found in groupby(routes, key=lambda own: replace(_without_way(own), share=min(own.share, 1))):
        together = tuple(found)
        yield from (together,) if ways.share and ways.family == 4 else ((own,) for own in together)


def _without_way(own: Route) -> Route:
    return replace(own, via=None, dev=None, onlink=False, others=tuple(word for word in own.others if not word.startswith(_OF_A_WAY)))


def _sayable(own: Route) -> bool:
    """Whether all of a route can be said: not that its ways are an object of their own, nor what is not decoded of what packets are put into."""
    return not any(said.startswith("nhid ") or (said.startswith("encap ") and said.count(" ") == 1) for said in own.others)


def _line(verb: str, ways: Sequence[Route]) -> str:
    """One command for a route with all its ways."""
    wanted = ways[0]
    words = [] if wanted.type == "unicast" else [wanted.type]
    words.append(wanted.dst)
    if not wanted.share:
        words += _way(wanted)
    words += [f"table {wanted.table}"] * (wanted.table != _MAIN) + [f"metric {wanted.metric}"] * bool(wanted.metric)
    words += [f"proto {wanted.protocol}"] * (wanted.protocol != "boot") + [f"src {wanted.src}"] * (wanted.src is not None)
    usual = "global" if wanted.via is not None or wanted.type in _DEAD_ENDS else "host" if wanted.type == "local" else "link"
    words += [f"scope {wanted.scope}"] * (wanted.family == 4 and wanted.scope != usual)
    words += [said for said in wanted.others if not said.startswith(_OF_A_WAY)]
    for own in ways if wanted.share else ():
        words += ["nexthop", *_way(own), *([f"weight {own.share}"] if own.share > 1 else [])]
    return f"{'-6 ' * (wanted.family == 6)}route {verb} {' '.join(words)}"


def _way(own: Route) -> Iterator[str]:
    yield from (said for said in own.others if said.startswith("encap "))
    if own.via is not None:
        yield f"via {'inet6 ' if own.family == 4 and ':' in own.via else ''}{own.via}"
    if own.dev is not None and not (own.type in _DEAD_ENDS and own.dev == "lo"):
        yield f"dev {word(own.dev)}"
    if own.onlink:
        yield "onlink"
    yield from (said for said in own.others if said.startswith("realm "))


def _if_possible(node: str, line: str) -> Typed:
    return Typed(node, f"ip {line} 2>/dev/null || :", "shell")
