"""``back`` that the kernel refuses halfway: the refusal is true of the lab, and so is what is known of it. ip is the witness."""

from __future__ import annotations

import os
import signal

import pytest

from helpers.hands import hands
from helpers.running import Running, running
from helpers.waiting import eventually
from netless_lab.client import Refused
from netless_lab.protocol import ChangesEvent

pytestmark = pytest.mark.kernel

MINE = "ip link add mine type bridge && ip addr add 10.9.9.1/24 dev mine && ip -6 addr add fd00:9::1/64 dev mine nodad"
NO_MORE_IPV6 = "sysctl -qw net.ipv6.conf.default.disable_ipv6=1"
"""Links that come after it take no address of IPv6; no picture shows that."""
OTHER = "ip link add other type bridge && sysctl -qw net.ipv6.conf.other.disable_ipv6=0 && ip -6 addr add fd00:8::1/64 dev other nodad"
"""One that has such an address all the same, which nobody can give it a second time."""


def told(lab: Running, who: str, what: str) -> bool:
    """Whether every view was told of this change, as somebody's."""
    lab.status()
    events = [event for event in lab.events if isinstance(event, ChangesEvent) and event.who == who]
    return any(what in line.sentence for event in events for line in event.lines)


def refused(lab: Running) -> str:
    """What ``back`` says when it rebuilds nothing."""
    with pytest.raises(Refused) as said:
        lab.back(force=False)
    assert said.value.code == 1
    return str(said.value)


def with_mine(lab: Running) -> None:
    """The learner has made a bridge with two addresses, and no link that comes later can have one of them."""
    lab.goto("switch/port")
    lab.sh(MINE)
    assert eventually(lambda: "fd00:9::1" in str(lab.snapshot()))
    lab.sh(NO_MORE_IPV6)
    assert eventually(lambda: told(lab, "learner", "default.disable_ipv6"))
    lab.events.clear()


def test_what_was_undone_before_the_kernel_refused_is_put_back() -> None:
    """The learner's bridge has gone; made again it has one of its addresses, and cannot have the other. ``back`` asks before it rebuilds the lab for
    that, and until then all is as it was: the bridge is not there.
    """
    with running() as lab:
        with_mine(lab)
        lab.sh("ip link del mine")
        assert eventually(lambda: told(lab, "learner", "mine"))
        assert "would be rebuilt" in refused(lab)
        assert told(lab, "tutor", "mine"), "it was not tried"
        assert "mine" not in lab.links()


def test_what_cannot_be_put_back_is_told_and_known() -> None:
    """Beside it the learner made another bridge, which ``back`` takes away first: to put it back it is made again, without its address. The refusal
    says so, and so does the account. The next ``back`` goes by what is there now, all of which can be put back.
    """
    with running() as lab, hands(lab) as shell:
        with_mine(lab)
        agent = lab.status().agent_pid
        os.kill(agent, signal.SIGSTOP)  # it sees all of that at once
        try:
            shell.type(f"ip link del mine; {OTHER}")
        finally:
            os.kill(agent, signal.SIGCONT)
        assert eventually(lambda: told(lab, "learner", "other"))
        said = refused(lab)
        assert "fd00:8::1" in said and "mine" not in said, said
        assert "mine" not in lab.links() and "other" in lab.links()
        assert "fd00:8::1" not in lab.sh("ip addr show other")
        assert "fd00:8::1/64" in lab.history().entries[-1].text
        lab.events.clear()
        assert refused(lab).startswith("The lab would be rebuilt")
        assert told(lab, "tutor", "mine"), "it was not tried again"
        assert "mine" not in lab.links() and "other" in lab.links()
