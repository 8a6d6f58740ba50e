"""Fused actions end where the plain ones end, with fewer moves; what cannot be shown to be the same is left alone."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from conformance.cases import POST
from conformance.meaning import meaning
from helpers.lab import Lab, Table, action, lab
from helpers.sandboxed import sandboxed
from netless_lab.course.files import read_folder
from netless_lab.primitives.base import Action
from netless_lab.primitives.cable import MoveLink
from netless_lab.primitives.fuse import fuse
from netless_lab.primitives.namespace import AddNetns

SEQUENCES: dict[str, tuple[Table, ...]] = {
    "the post": POST,
    "both ends move": (
        {"veth": "a", "peer": "b"},
        {"move": "a", "to": "c1"},
        {"start": "c2"},
        {"move": "b", "to": "c2"},
        {"address": "10.1.1.2/32", "dev": "b", "in": "c2"},
    ),
    "an end moves twice": ({"veth": "a", "peer": "b"}, {"move": "a", "to": "c1"}, {"move": "a", "to": "host", "from": "c1"}),
    "both ends to the same node": ({"veth": "a", "peer": "b"}, {"move": "a", "to": "c1"}, {"move": "b", "to": "c1"}),
    "used before it moves": ({"veth": "a", "peer": "b"}, {"up": "a"}, {"address": "10.5.0.1/24", "dev": "a"}, {"move": "a", "to": "c1"}),
    "renamed before it moves": ({"veth": "a", "peer": "b"}, {"rename": "a", "to": "z"}, {"move": "z", "to": "c1"}),
    "the target comes later": ({"veth": "a", "peer": "b"}, {"start": "c2"}, {"move": "b", "to": "c2"}),
    "two cables with one name": (
        {"veth": "a", "peer": "b"},
        {"move": "a", "to": "c1"},
        {"delete-link": "b"},
        {"veth": "a", "peer": "b"},
        {"move": "b", "to": "c1"},
    ),
    "a command in between": ({"veth": "a", "peer": "b"}, {"run": "ip link set dev a mtu 1400"}, {"move": "a", "to": "c1"}),
    "a namespace that passes": ({"netns": "decoy"}, {"bridge": "br0"}, {"delete-netns": "decoy"}, {"netns": "decoy"}),
    "a namespace that is used": ({"netns": "decoy"}, {"veth": "a", "peer": "b"}, {"move": "a", "to": "decoy"}, {"delete-netns": "decoy"}),
    "a namespace that a command may use": ({"netns": "decoy"}, {"run": "ip -n decoy link set lo up"}, {"delete-netns": "decoy"}),
    "the name is taken where it goes": (
        {"bridge": "a", "in": "c1"},
        {"veth": "x", "peer": "b"},
        {"delete-link": "a", "in": "c1"},
        {"rename": "x", "to": "a"},
        {"move": "a", "to": "c1"},
    ),
}
MOVES_LEFT = {"the post": 0, "both ends move": 1, "both ends to the same node": 0, "used before it moves": 1, "a command in between": 1}


NAMESPACES_LEFT = {"a namespace that passes": 1, "a namespace that is used": 1, "a namespace that a command may use": 1}


def moves(actions: tuple[Action, ...]) -> int:
    """How many moves are in it."""
    return sum(isinstance(one, MoveLink) for one in actions)


@pytest.mark.parametrize("name", SEQUENCES)
@sandboxed
def test_fused_means_the_same(name: str) -> None:
    """Both ways on the real kernel, compared by snapshot."""
    actions = tuple(action(table) for table in SEQUENCES[name])
    with lab() as own:
        own.apply(*actions)
        plain = meaning(own.snapshot())
        own.purge()
        own.apply(*fuse(actions))
        assert meaning(own.snapshot()) == plain


@pytest.mark.parametrize("name", MOVES_LEFT)
def test_moves_that_are_left(name: str) -> None:
    """Moves of untouched fresh cables are gone, all others stay."""
    assert moves(fuse(tuple(action(table) for table in SEQUENCES[name]))) == MOVES_LEFT[name]


@pytest.mark.parametrize("name", NAMESPACES_LEFT)
def test_namespaces_that_are_left(name: str) -> None:
    """One that is made and deleted with nothing in between that may see it is not made; any other is."""
    fused = fuse(tuple(action(table) for table in SEQUENCES[name]))
    assert sum(isinstance(one, AddNetns) for one in fused) == NAMESPACES_LEFT[name]


def test_the_course_needs_no_move_at_all(checkout: Path) -> None:
    """Going to the end of the course never pays for a move, nor for the decoy that goes again."""
    course = read_folder(checkout / "lessons" / "container").course
    assert course is not None
    done = tuple(one for lesson in course.lessons for step in lesson.steps for one in step.do)
    assert moves(done) >= 2
    assert moves(fuse(done)) == 0
    assert any(isinstance(one, AddNetns) for one in done) and not any(isinstance(one, AddNetns) for one in fuse(done))


@sandboxed
def test_random_sequences_mean_the_same() -> None:
    """Fifteen sequences of births, moves, ups and renames, as they come; those the kernel refuses are refused either way."""
    dice = random.Random(7)
    with lab() as own:
        own.do({"start": "c2"})
        for _ in range(15):
            actions = tuple(action(table) for table in _sequence(dice))
            plain = _outcome(own, actions)
            fused = _outcome(own, fuse(actions))
            assert plain == fused, actions


def _sequence(dice: random.Random) -> list[Table]:
    nodes = ("host", "c1", "c2")
    where = {"a": "host", "b": "host"}
    made: list[Table] = [{"veth": "a", "peer": "b"}]
    for _ in range(dice.randint(1, 5)):
        end = dice.choice("ab")
        match dice.randint(0, 4):
            case 0 | 1 | 2:
                target = dice.choice([node for node in nodes if node != where[end]])
                made.append({"move": end, "to": target, "from": where[end]})
                where[end] = target
            case 3:
                made.append({"up": end, "in": where[end]})
            case 4:
                made.append({"bridge": f"br{len(made)}", "in": dice.choice(nodes)})
    return made


def _outcome(own: Lab, actions: tuple[Action, ...]) -> dict[str, Any]:
    """What these actions come to; then everything they made is deleted."""
    own.apply(*actions)
    after = own.snapshot()
    for node in after.nodes:
        for link in node.links:
            if link.kind == "bridge" or link.name == "a":
                own.do({"delete-link": link.name, "in": node.name})
    return meaning(after)
