"""Sentences and lines are fit to be shown: whole, without gaps, and Python that compiles."""

from __future__ import annotations

import msgspec
import pytest

from conformance.cases import CASES, Case
from helpers.lab import action, expectation
from netless_lab.model.snapshot import Node, Snapshot
from netless_lab.primitives.base import DIALECTS, Met, NotMet, Where
from netless_lab.primitives.registry import ACTIONS, EXPECTATIONS
from netless_lab.primitives.roles import roles

WHERES = (Where(), Where("host", {"c1": "c1"}, {"c1": 4711}), Where("host", {}, {"c1": 4711}), Where("c1", {}, {"host": 1}))
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))


@pytest.mark.parametrize("kind", [*ACTIONS.values(), *EXPECTATIONS.values()], ids=lambda kind: kind.__name__)
def test_names_have_roles(kind: type[msgspec.Struct]) -> None:
    """Every field that names a thing of the network can be replaced by the learner's own word."""
    free = {"key", "value", "was", "policy", "kind", "state", "line", "mac", "up", "carrier", "mtu", "size", "on", "kept", "chain"}
    named = {field for field, _ in roles(kind)}
    assert {field.name for field in msgspec.structs.fields(kind)} - free == named


@each_case
def test_a_sentence_is_whole(case: Case) -> None:
    """It starts large, ends with a full stop, and has no gap in it."""
    text = action(case.action).sentence()
    assert text[0].isupper() or text.startswith(("c1", "veth"))
    assert text.endswith(".") or case.name == "run"
    assert "None" not in text and "  " not in text


@each_case
@pytest.mark.parametrize("where", WHERES, ids=("unknown", "named", "pid", "inside"))
def test_every_dialect_has_lines(case: Case, where: Where) -> None:
    """At least one line, no gap in it; what is Python compiles."""
    for dialect in DIALECTS:
        lines = action(case.action).commands(dialect, where)
        assert lines and all(line.strip() and "None" not in line for line in lines)
        if dialect == "pyroute2" and "$PID" not in "".join(lines):
            compile("\n".join(lines), "<shown>", "exec")


@each_case
def test_expectations_of_nothing_are_not_met(case: Case) -> None:
    """In a lab without nodes nothing is true but that names are gone; what is said of it is whole."""
    for snapshot in (Snapshot(), Snapshot((Node("host", "host", 1), Node("c1", "container", 2)))):
        for table in case.expect:
            finding = expectation(table).check(snapshot, Where())
            gone = next(iter(table)) in ("no-netns", "no-link", "no-address", "no-route")
            open_gate = next(iter(table)) == "forward-accept" or table == {"forward-policy": "accept"}
            if isinstance(finding, Met):
                assert gone or open_gate, finding
                continue
            assert isinstance(finding, NotMet), finding
            for text in (finding.claim, finding.expected, finding.seen, finding.near, finding.look):
                assert "None" not in text and "  " not in text


@each_case
def test_outlines_of_nothing_do_not_stumble(case: Case) -> None:
    """A sketch over a lab that lacks what the action needs is some sketch, never an exception."""
    for snapshot in (Snapshot(), Snapshot((Node("host", "host", 1), Node("c1", "container", 2)))):
        assert isinstance(action(case.action).outline(snapshot), Snapshot)


@each_case
def test_actions_survive_a_journey_through_json(case: Case) -> None:
    """They travel between agent and views."""
    wanted = action(case.action)
    assert msgspec.json.decode(msgspec.json.encode(wanted), type=type(wanted)) == wanted


def test_taking_a_name_away_is_not_said_to_end_who_lives_there() -> None:
    """``ip netns delete`` takes the name; a namespace that a process, a mount or an open file holds lives on, and what is in it (ip-netns(8))."""
    said = action({"delete-netns": "decoy"}).sentence()
    assert said.startswith("Take the name decoy off its namespace") and "unless something else holds it" in said
