"""A lab whose learner has called everything otherwise than the lessons do: cables, bridge, network and addresses."""

from __future__ import annotations

import re

from helpers.broken import START
from helpers.running import Running
from helpers.waiting import eventually

LESSONS_WORDS = re.compile(r"\b(veth[12]|br0|10\.0\.0\.\d+)\b")
"""What nothing is called there."""
_TYPED = (
    "ip link add left type veth peer name right", "ip link set left netns c1", "ip -n c1 addr add 192.168.7.2/24 dev left", "ip -n c1 link set left up",
    "ip link add sw0 type bridge", "ip link set right master sw0", "ip addr add 192.168.7.1/24 dev sw0",
)  # fmt: skip


def build(lab: Running) -> None:
    """The network with two containers and a way out, in the learner's own words."""
    lab.reset("lab")
    lab.goto("cable/pair")
    for command in _TYPED:
        lab.sh(command)
        assert eventually(lambda: _passed(lab)), (command, lab.check())
        lab.next()
    lab.goto(START, end=True)
    assert not LESSONS_WORDS.search(lab.sh("ip address; ip route; bridge link; ip -n c1 address; ip -n c1 route"))


def _passed(lab: Running) -> bool:
    verdict = lab.status().verdict
    return verdict is not None and verdict.passed
