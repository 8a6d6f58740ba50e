"""What is said of shells that a lab keeps, in their terminals and beside them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import groupby
from typing import Final

from netless_lab.harmless import harmless
from netless_lab.model.telling import the

from ..desk.shells import Owner, Shell
from .counted import listed, plural
from .text import BLANK, Look, Row, blanks, joined, plain

ENDED_HERE: Final = "enter starts a new shell"


def another(owner: Owner) -> str:
    """Another tutor, as one knows it again."""
    return f"another tutor (process {owner.process}{f' on {owner.terminal}' if owner.terminal else ''})"


def elsewhere(shells: Sequence[Shell], key: str) -> str:
    """That there are such, for who has just come, and the key that lists them; "" when there are none."""
    found = [f"{_shells([shell.node for shell in own])} from {another(owner)}" for owner, own in _by_owner(shells) if owner is not None]
    if found:
        return f"{key} takes over {listed(found)}."
    return f"{key} lists {plural(len(shells), 'more shell')} left from before, to go on with {'it' if len(shells) == 1 else 'them'}." if shells else ""


def also_here(shells: Sequence[Shell], node: str, key: str) -> str:
    """In the terminal of a new shell of a node, that another one of that node is elsewhere; "" when none is."""
    for shell in shells:
        if shell.node == node and shell.at is None:
            whose = f"{another(shell.owner)} has a shell of {the(node)} too" if shell.owner else f"another shell of {the(node)} is left from before"
            return f"this is a new shell, and {whose}: {key}, pressed outside of terminals, takes that one over"
    return ""


def _shells(nodes: Sequence[str]) -> str:
    return f"the shell{'s' * (len(nodes) > 1)} of {listed([the(node) for node in nodes])}"


def taken_over(by: Owner) -> str:
    """In the terminal of a shell that somebody else has now."""
    return f"{another(by)} has taken this shell over, and it goes on there"


def taken_from(node: str, by: Owner, key: str) -> str:
    """The same in passing."""
    return f"{another(by).capitalize()} has taken over your shell of {the(node)}: {key} lists it, to have it back."


def rows_of(shells: Sequence[Shell]) -> list[Row]:
    """Whose they are, as headings, and a choice for each by its number; then what choosing one does."""
    out: list[Row] = []
    room = max(len(shell.node) for shell in shells)
    for owner, own in _by_owner([shell for shell in shells if shell.at is None]):
        head = f"{another(owner).capitalize()} has these, and is told when you take one:" if owner else "Nobody is at these:"
        out.append(Row(plain(head, "strong")))
        out += [_choice(shell, room, f"runs {', '.join(shell.runs)}") if shell.runs else _choice(shell, room, "no program runs in it", "muted") for shell in own]
    ended = [shell for shell in shells if shell.at is not None]
    if ended:
        out.append(Row(plain("These are over; what they printed last is still there:", "strong")))
        out += [_choice(shell, room, ended_alone(shell.at or 0, time.time(), shell.code), "muted") for shell in ended]
    return [*out, Row(BLANK), Row(plain("A shell of your own in the same node makes room: it is left as it is, and is listed here then.", "muted"))]


def _by_owner(shells: Sequence[Shell]) -> list[tuple[Owner | None, list[Shell]]]:
    """Those that somebody has come first, each owner's together."""
    ordered = sorted(shells, key=lambda own: (own.owner is None, own.owner or (), own.node))
    return [(owner, list(own)) for owner, own in groupby(ordered, key=lambda own: own.owner)]


def _choice(shell: Shell, room: int, what: str, *looks: Look) -> Row:
    return Row(joined((what, *looks)), str(shell.number), plain(f"  {shell.node.ljust(room)}  "), blanks(room + 4))


def taken_here(nodes: Sequence[str]) -> str:
    """Shells that are here now, since they were asked for."""
    shells = _shells(nodes)
    return f"{shells[0].upper()}{shells[1:]} {'is' if len(nodes) == 1 else 'are'} here now, as {'it was' if len(nodes) == 1 else 'they were'}."


def built_anew(node: str) -> str:
    """A node is another one than it was: the beginning of a sentence. A name is as it is written."""
    called = the(node)
    return f"{called if called == node else called[0].upper() + called[1:]} was built anew"


def as_left(nodes: Sequence[str]) -> str:
    """Shells that were left behind by a tutor that ended, and are there again."""
    subject = "The shell" if len(nodes) == 1 else "The shells"
    return f"{subject} of {listed([the(node) for node in nodes])} {'is' if len(nodes) == 1 else 'are'} as you left {'it' if len(nodes) == 1 else 'them'}."


def started_again(node: str) -> str:
    """A node was built anew, and the shell that was in it begins anew there."""
    return f"{built_anew(node)}; its shell was started again there."


def begins_again(node: str, *, anew: bool) -> str:
    """Line by line: the shell of a node had ended, or its node was built ``anew``."""
    return f"{built_anew(node)}: its shell begins again there." if anew else f"The shell of {node} had ended: it begins again."


def not_had(node: str) -> str:
    """One that was asked for and is not there any more."""
    return f"The shell of {the(node)} was not taken over: it has ended or gone to somebody else meanwhile."


def in_the_way(node: str) -> str:
    """One of our own is where another one was to come, and cannot be left behind."""
    return f"Your own shell of {the(node)} is not kept by the lab, and would end: `exit` it, then take the other one over."


def ended_alone(at: float, now: float, code: int | None) -> str:
    """Of a shell that ended while nobody was there: when that was, and how, as far as it is known."""
    day = "%H:%M" if time.localtime(at)[:3] == time.localtime(now)[:3] else "%H:%M on %Y-%m-%d"
    how = "" if code is None else f" with exit code {code}" if code >= 0 else f", killed by signal {-code}"
    return f"ended at {time.strftime(day, time.localtime(at))}{how}, while nobody was at it"


def over(node: str, at: float, now: float, code: int | None) -> str:
    """The same in passing, of the shell of a node."""
    return f"The shell of {the(node)} {ended_alone(at, now, code)}: its terminal shows what it printed last."


def not_kept(most: int) -> str:
    """In the terminal of a shell that ends with the tutor: so ``most`` are kept at once, and all of those are in use."""
    return f"this shell ends with the tutor, for the lab keeps {most} at once and all are in use: end one of those, then this one, and the next is kept"


def refused(why: str) -> str:
    """The same of one that is not kept for another reason, which may be unknown."""
    return f"this shell ends with the tutor, for it is not kept by the lab{why and f': {harmless(why)}'}"
