"""Make a sequence of actions cheaper without changing where it ends: for goto and reset, never for a step that is watched.

A cable whose end is moved right after its birth is born with that end in place: moving an end costs the kernel 25 ms (it waits for
every CPU to let go), creating it elsewhere costs nothing. A namespace that is made and deleted again is not made: the kernel would still be
at work on its end, and hold up what is done next.

What the command of a dialect does besides what was asked: who shows that command and does the action does this too.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from .address import AddAddress
from .base import Action, Dialect
from .cable import CreateVeth, MoveLink
from .namespace import AddNetns, DeleteNetns
from .run import Run
from .updown import LinkUp


def fuse(actions: Sequence[Action]) -> tuple[Action, ...]:
    """The same final state with as few moves as can be shown to be unnecessary."""
    left = _without_passing(actions)
    for at, action in enumerate(left):
        if isinstance(action, CreateVeth):
            _absorb(left, at)
    return tuple(left)


def _without_passing(actions: Sequence[Action]) -> list[Action]:
    """The actions without namespaces that are made, and deleted before anything has to do with them."""
    left = list(actions)
    for made in (action for action in actions if isinstance(action, AddNetns)):
        begin = left.index(made)
        end = next((at for at in range(begin + 1, len(left)) if _speaks_of(left[at], made.name)), None)
        if end is not None and left[end] == DeleteNetns(name=made.name):
            del left[end], left[begin]
    return left


def _absorb(actions: list[Action], at: int) -> None:
    """Take into the birth at ``at`` every later move of one of its ends that nothing in between has to do with."""
    moved: set[str] = set()
    later = at + 1
    while later < len(actions):
        birth, action = actions[at], actions[later]
        assert isinstance(birth, CreateVeth)
        if isinstance(action, MoveLink) and action.name not in moved:
            placed = _placed(birth, action)
            if placed is not None and not any(_touches(between, birth, action.target) for between in actions[at + 1 : later]):
                actions[at] = placed
                del actions[later]
                moved.add(action.name)
                continue
        later += 1


def _placed(birth: CreateVeth, move: MoveLink) -> CreateVeth | None:
    """The birth with one end born where the move takes it; None when the move is of something else."""
    far = birth.peer_node or birth.node
    if move.name == birth.name and move.source == birth.node:
        return replace(birth, node=move.target, peer_node=None if far == move.target else far)
    if move.name == birth.peer and move.source == far:
        return replace(birth, peer_node=None if birth.node == move.target else move.target)
    return None


def _touches(action: Action, birth: CreateVeth, target: str) -> bool:
    """Whether an action may see the difference: it names an end of the cable or the node it goes to."""
    return _speaks_of(action, birth.name, birth.peer, target)


def _speaks_of(action: Action, *names: str) -> bool:
    """Whether an action has to do with what is called so, as far as anybody knows what it does."""
    words = {getattr(action, field) for field in action.__struct_fields__}
    return isinstance(action, Run) or not words.isdisjoint(names)


def beside(action: Action, dialect: Dialect) -> tuple[Action, ...]:
    """The actions that come with this one, in order. ifconfig(8) switches a link on when it gives it an address of IPv4."""
    if dialect == "legacy" and isinstance(action, AddAddress) and ":" not in action.cidr:
        return (LinkUp(name=action.link, node=action.node),)
    return ()
