"""What people type who learned it elsewhere passes: their order, names, addresses and tools are their own."""

from __future__ import annotations

import pytest

from helpers.post import course
from helpers.running import Running
from helpers.waiting import eventually
from helpers.walks import BY_HAND, BY_MASQUERADE, EVERYTHING, WALKS, Walk
from netless_lab.client import Refused
from netless_lab.course.step import positions

pytestmark = pytest.mark.kernel

SITE = "198.51.100.10"


def named(lab: Running, walk: Walk) -> str:
    """The container's namespace gets the name the walk-through calls it by, and the decoy of the course comes and goes; returns the pid."""
    lab.reset("lab")
    pid = next(node.pid for node in lab.status().nodes if node.name == "c1")
    lab.sh(f"mkdir -p /run/netns; ln -s /proc/{pid}/ns/net /run/netns/{walk.called.format(pid=pid)}")
    lab.next()
    lab.sh("ip netns add decoy")
    lab.next()
    lab.sh("ip netns del decoy")
    lab.next()
    assert lab.status().position == "container/netless/loopback"
    return str(pid)


def links_and_addresses(lab: Running) -> set[tuple[str, str, str]]:
    """(node, link, address) of all that stands, as ip tells it."""
    found = set()
    for node in ("host", "c1"):
        for link in lab.told("ip -j addr", node):
            found |= {(node, link["ifname"], own["local"]) for own in link["addr_info"] if own["family"] == "inet"}
    return found


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.name)
def test_all_at_once_passes_every_step(lab: Running, walk: Walk) -> None:
    """The whole of it is typed before the course is asked: each step passes as it is come to, ``next`` takes nothing away, and packets pass."""
    pid = named(lab, walk)
    for line in walk.commands:
        lab.sh(line.format(pid=pid))
    built = links_and_addresses(lab)
    while True:
        position = lab.status().position
        (entry,) = lab.check().verdicts
        assert entry.verdict.result == "pass", (position, [item for item in entry.verdict.items if item.result != "pass"])
        if position == f"container/{walk.reaches}":
            break
        assert entry.success.startswith("Done, and you are ahead"), (position, entry.success)
        lab.next()
    assert links_and_addresses(lab) == built
    assert lab.pings(SITE) == (walk.reaches == BY_MASQUERADE)


def test_the_whole_course_in_one_go(lab: Running) -> None:
    """Two containers, firewall and names included, in names of one's own, before the course is asked: every step passes as it is come to.

    Only what a step has one take away again has to be done when it is asked for: the decoy, and forwarding.
    """
    lab.reset("lab")
    pid = next(node.pid for node in lab.status().nodes if node.name == "c1")
    lab.sh("setsid unshare --net --mount --uts --ipc sh -c 'hostname c2; exec sleep infinity' >/dev/null 2>&1 &")
    assert eventually(lambda: any(node.name == "c2" for node in lab.status().nodes))
    other = next(node.pid for node in lab.status().nodes if node.name == "c2")
    for line in EVERYTHING:
        lab.sh(line.format(pid=pid, other=other))
    for step in [f"{place.lesson}/{place.step}" for place in positions(course())]:
        assert lab.status().position == f"container/{step}"
        lab.sh(BY_HAND.get(step, "true"))
        (entry,) = lab.check().verdicts
        assert entry.verdict.result == "pass", (step, [item for item in entry.verdict.items if item.result != "pass"])
        if step != "neighbour/everyone":
            lab.next()
    assert lab.pings(SITE) and lab.pings(SITE, "c2")


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.name)
def test_one_command_at_a_time_gets_as_far(lab: Running, walk: Walk) -> None:
    """One goes on to the next step whenever one can, as somebody does who types by another guide: in the end all of it is done."""
    pid = named(lab, walk)
    passed: set[str] = set()
    for line in walk.commands:
        lab.sh(line.format(pid=pid))
        while lab.check().verdicts[0].verdict.result == "pass":
            passed.add(lab.status().position)
            try:
                lab.next()
            except Refused:
                break
    assert f"container/{walk.reaches}" in passed, lab.status().position
    assert eventually(lambda: lab.pings(SITE) == (walk.reaches == BY_MASQUERADE))
