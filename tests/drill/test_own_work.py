"""A drill that has to rebuild the lab takes nothing of the learner's own away unasked. ip(8) is the witness."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.running import Running
from helpers.waiting import eventually
from netless_lab.client import Refused
from netless_lab.protocol import Break, Broke, Mend

pytestmark = pytest.mark.kernel


def refused(lab: Running, **wanted: Any) -> Refused:
    """What a drill says that takes nothing away."""
    with pytest.raises(Refused) as told:
        lab.client.ask(Break(**wanted, drill=True))
    assert told.value.code == 1 and told.value.going is not None
    assert lab.status().fault is None
    return told.value


def made(lab: Running, link: str) -> None:
    """A bridge of the learner's own, once it was seen."""
    lab.sh(f"ip link add {link} type bridge")
    assert eventually(lambda: link in str(lab.snapshot()))


def begins(lab: Running, **wanted: Any) -> Broke:
    """A drill that nobody has to agree to; it is over afterwards."""
    told = lab.client.ask(Break(**wanted, drill=True))
    lab.client.ask(Mend())
    return told


@pytest.mark.parametrize("wanted", [{"fault": "forwarding-off"}, {"seed": 7}])
def test_what_goes_with_a_rebuild_is_asked_about(lab: Running, wanted: dict[str, Any]) -> None:
    """It is listed, with no word about the fault and none about what the course brings back; nothing is touched, and a yes does it."""
    lab.goto("pair")
    made(lab, "brx")
    told = refused(lab, **wanted)
    assert told.going == ("brx is gone from the host",) and told.coming == ()
    assert "brx" in lab.links() and lab.status().position == "container/cable/pair"
    lab.client.ask(Break(**wanted, drill=True, force=True))
    assert "brx" not in lab.links()
    lab.client.ask(Mend())


def test_nothing_of_ones_own_is_not_asked_about(lab: Running) -> None:
    """From a clean step, from one that is half done by hand, and where something of the course's was taken away."""
    lab.goto("pair")
    begins(lab, fault="forwarding-off")
    lab.goto("pair")
    lab.sh("ip link add veth1 type veth peer name veth2")
    begins(lab, fault="forwarding-off")
    lab.goto("plug")
    lab.sh("ip link del veth1")
    begins(lab, fault="forwarding-off")


def test_programs_and_what_no_picture_shows_are_ones_own_too(lab: Running) -> None:
    """A program in a namespace of its own, and an entry of a bridge's table."""
    lab.goto("pair")
    lab.sh("unshare --net sleep 600 >/dev/null 2>&1 & until lsns -nt net -o COMMAND | grep -q 'sleep 600'; do sleep 0.02; done")
    assert eventually(lambda: any(node.role == "unknown" for node in lab.snapshot().nodes))
    assert any("sleep 600" in line for line in refused(lab, fault="forwarding-off").going or ())
    lab.goto("pair")
    lab.sh("bridge fdb add 02:00:00:00:00:55 dev eth0 self")
    assert refused(lab, fault="forwarding-off").going == ("gone: 1 of bridge fdb in the host",)
    lab.goto("pair")


@pytest.mark.parametrize("fault", ["service-on-loopback", "cable-gone"])
def test_what_only_a_rebuild_mends_is_asked_about_before_it_is_broken(lab: Running, fault: str) -> None:
    """It needs things beside the course, or nothing undoes it: so the lab is rebuilt in any case, which is asked and done at the beginning."""
    lab.goto("names", end=True)
    begins(lab, fault=fault)
    lab.goto("names", end=True)
    lab.goto(lab.client.ask(Break(fault, drill=True)).position, end=True)
    made(lab, "brx")
    assert refused(lab, fault=fault).going == ("brx is gone from the host",)
    assert "brx" in lab.links()
    lab.client.ask(Break(fault, drill=True, force=True))
    assert "brx" not in lab.links()
    lab.client.ask(Mend())


def test_a_lab_that_resists_is_not_rebuilt_unasked(lab: Running) -> None:
    """The step's state holds, but what the learner made beside it keeps the network ill: that goes only after a yes, and the fault is not left in."""
    lab.goto("everyone", end=True)
    lab.sh("nft 'add table ip mine; add chain ip mine f { type filter hook forward priority -5; policy drop; }'")
    assert eventually(lambda: "mine" in str(lab.snapshot()))
    assert all("mine" in line for line in refused(lab, fault="forwarding-off").going or ("",))
    assert "mine" in lab.sh("nft list ruleset") and lab.sh("sysctl -n net.ipv4.ip_forward").strip() == "1"
    lab.client.ask(Break("forwarding-off", drill=True, force=True))
    assert "mine" not in lab.sh("nft list ruleset")
    lab.client.ask(Mend())
