"""What a write would come to is known before it is done: what it changes, what takes it back, and what cannot be."""

from __future__ import annotations

from helpers.lab import action
from helpers.snapshots import lab, link, lo, node
from netless_lab.ground.plan import missed, plan
from netless_lab.model.snapshot import Snapshot
from netless_lab.model.telling import sentence

HERE = lab(node("host", "host", link("eth0", "203.0.113.2/24", kind="physical")), node("c1", "container", lo()))
BRIDGE = (action({"bridge": "br0"}), action({"address": "10.0.0.1/24", "dev": "br0"}), action({"up": "br0"}))


def told(before: Snapshot) -> list[str]:
    """The changes that the bridge's actions would be seen by, in words."""
    return [sentence(change) for step in plan(BRIDGE, before).steps for change in step.changes]


def test_each_step_says_what_it_changes_and_what_takes_it_back() -> None:
    """In the words in which the change will be told when it is seen; the opposite is an action too."""
    made = plan(BRIDGE, HERE)
    assert [step.action for step in made.steps] == list(BRIDGE)
    assert "br0 appeared on the host: a bridge" in told(HERE) and "br0 on the host is up" in told(HERE)
    assert made.steps[0].undo == (action({"delete-link": "br0"}),)
    assert made.lacking is None and made.goal is not None


def test_what_a_later_action_needs_is_looked_for_before_anything_is_done() -> None:
    """A port of a bridge that no action makes: the plan says so, with what it would have done until then."""
    made = plan((*BRIDGE, action({"port": "eth0", "of": "br1"})), HERE)
    assert made.lacking is not None and "br1" in made.lacking.why
    assert len(made.steps) == len(BRIDGE)
    again = plan((action({"up": "eth0"}), *BRIDGE, BRIDGE[0]), HERE)
    assert again.lacking is not None and again.lacking.action == BRIDGE[0] and "br0" in again.lacking.why


def test_the_first_action_is_the_kernels_own_business() -> None:
    """It says best whether that can be done, and touches nothing when it cannot."""
    assert plan((action({"up": "veth9"}),), HERE).lacking is None


def test_nothing_is_foretold_of_what_follows_a_command_line() -> None:
    """Whatever it makes, a later action may need it; and what is there at the end nobody can tell."""
    made = plan((BRIDGE[0], action({"run": "ip link add br1 type bridge"}), action({"port": "eth0", "of": "br1"})), HERE)
    assert made.lacking is None and made.goal is None
    assert missed(made, HERE) == ()


def test_what_has_not_come_is_told() -> None:
    """Of what was planned only that which is not there; what somebody else has done besides is no part of it."""
    made = plan(BRIDGE, HERE)
    assert made.goal is not None
    assert missed(made, made.goal) == ()
    assert set(missed(made, HERE)) == set(told(HERE))
    half = BRIDGE[0].outline(HERE)
    words = missed(made, half)
    assert "br0 on the host is up" in words and not any("appeared" in line for line in words)
    assert missed(made, action({"bridge": "mine"}).outline(made.goal)) == ()
