"""``back`` undoes what was done last; what else the learner made it takes away only when told to."""

from __future__ import annotations

import pytest

from helpers.running import Running
from helpers.waiting import eventually
from netless_lab.client import Refused
from netless_lab.primitives.roles import Dialect
from netless_lab.protocol import Break, Mend, Moved, SetDialect

pytestmark = pytest.mark.kernel


def refused(lab: Running) -> Refused:
    """What ``back`` says when it takes nothing away."""
    with pytest.raises(Refused) as told:
        lab.back(force=False)
    assert told.value.code == 1 and told.value.going is not None
    return told.value


def made(lab: Running, command: str, look: str) -> None:
    """A change of the learner's, once it was seen."""
    lab.sh(command)
    assert eventually(lambda: look in str(lab.snapshot()))


def unheard_of(lab: Running) -> None:
    """Something that has no plain opposite: a process in a namespace of its own."""
    lab.sh("unshare --net sleep 600 >/dev/null 2>&1 & until lsns -nt net -o COMMAND | grep -q 'sleep 600'; do sleep 0.02; done")
    assert eventually(lambda: any(node.role == "unknown" for node in lab.snapshot().nodes))


def test_what_was_made_before_the_last_change_is_asked_about(lab: Running) -> None:
    """The last change cannot be undone by itself: the refusal lists what a rebuild takes with it, nothing is touched, and a yes does it."""
    lab.goto("switch/port")
    made(lab, "ip link add mine type veth peer name other", "mine")
    unheard_of(lab)
    told = refused(lab)
    assert any("mine" in line for line in told.going or ()) and any("sleep" in line for line in told.going or ())
    assert "mine" in lab.links() and lab.status().position == "container/switch/port"
    assert "cannot be undone by itself" in lab.back().text
    assert "mine" not in lab.links()


def test_the_only_change_goes_unasked(lab: Running) -> None:
    """A rebuild undoes just that."""
    lab.goto("switch/port")
    unheard_of(lab)
    assert "cannot be undone by itself" in lab.back(force=False).text


def test_what_the_tutor_built_on_stays(lab: Running) -> None:
    """The step that the tutor ran is undone, and not what the learner had made before it; the step before that is another's."""
    lab.goto("switch/bridge")
    made(lab, "ip link add mine type veth peer name other", "mine")
    lab.run()
    assert "What you made is there still" in lab.back(force=False).text
    assert "mine" in lab.links() and "br0" not in lab.links() and lab.status().position == "container/switch/bridge"
    assert any("mine" in line for line in refused(lab).going or ())


def test_also_from_the_step_after_it(lab: Running) -> None:
    """Then the learner stands at the start of the one that was undone."""
    lab.goto("switch/bridge")
    made(lab, "ip link add mine type veth peer name other", "mine")
    lab.run()
    lab.next()
    assert lab.back(force=False).position == "container/switch/bridge"
    assert "mine" in lab.links() and "br0" not in lab.links() and not lab.check().verdicts[0].verdict.passed


def test_what_the_tutor_built_on_is_asked_about(lab: Running) -> None:
    """Where somebody has changed since what the tutor did, it is undone by a rebuild, which would take what the learner had made before it."""
    lab.goto("switch/bridge")
    made(lab, "ip link add mine type veth peer name other", "mine")
    lab.run()
    unheard_of(lab)
    assert any("mine" in line for line in refused(lab).going or ())
    assert "mine" in lab.links() and "br0" in lab.links()
    assert lab.back().position == "container/switch/bridge" and "mine" not in lab.links()


def test_what_only_a_rebuild_undoes_is_not_said_to_be_undone(lab: Running) -> None:
    """A step that leaves nothing but what comes and goes by itself: who has been asked for stays known."""
    lab.goto("neighbour/first-words")
    made(lab, "ip link add mine type bridge", "mine")
    lab.run()
    assert any("mine" in line for line in refused(lab).going or ())
    assert "lladdr" in lab.sh("ip -n c1 neigh show 10.0.0.3")


def test_so_it_is_of_the_step_before(lab: Running) -> None:
    """Also when the learner stands at the start of the next step: the refusal says where one would be."""
    lab.goto("switch/port")
    made(lab, "ip link add mine type veth peer name other", "mine")
    lab.run()
    lab.next()
    lab.back(force=False)
    told = refused(lab)
    assert any("mine" in line for line in told.going or ()) and any("back at container/switch/bridge" in line for line in told.going or ())
    assert lab.status().position == "container/switch/port"


def test_what_was_taken_back_again_is_not_asked_about(lab: Running) -> None:
    """Nothing of the learner's is left beside the lesson."""
    lab.goto("switch/bridge")
    made(lab, "ip link add mine type veth peer name other", "mine")
    lab.sh("ip link del mine")
    assert eventually(lambda: "mine" not in str(lab.snapshot()))
    lab.run()
    assert "Undone" in lab.back(force=False).text


def test_a_drill_is_not_given_up_unasked(lab: Running) -> None:
    """What is broken stays a secret in the refusal, and is there still."""
    told_by = lab.client.ask(Break("forwarding-off", drill=True, force=True)).text
    told = refused(lab)
    assert "forward" not in " ".join((str(told), *(told.going or ()), *told.coming)) or "forward" in told_by
    assert lab.sh("sysctl -n net.ipv4.ip_forward").strip() == "0"
    ended = lab.back().ended
    assert "given up" in ended and lab.sh("sysctl -n net.ipv4.ip_forward").strip() == "1"
    lab.client.ask(Mend())


@pytest.mark.parametrize("dialect", ["ip", "legacy", "pyroute2"])
def test_what_the_tutor_did_alone_is_undone_unasked(lab: Running, dialect: Dialect) -> None:
    """Step after step, in whatever dialect."""
    lab.client.ask(SetDialect(dialect))
    lab.goto("internet")
    steps = len(lab.run("container/internet", rest=True).verdicts)
    told: list[Moved] = [lab.back(force=False) for _ in range(steps)]
    assert told[-1].position.startswith("container/internet/"), told
    lab.client.ask(SetDialect("ip"))
