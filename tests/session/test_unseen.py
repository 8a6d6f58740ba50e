"""What no picture shows can decide a packet too: who changes it is judged again, hears what he changed, and can take it back."""

from __future__ import annotations

import pytest

from helpers.running import Running
from helpers.waiting import eventually
from netless_lab.protocol import ChangesEvent, ProbeEvent

pytestmark = pytest.mark.kernel

STALE = {
    "a policy of IPsec": ("ip xfrm policy add src 10.0.0.0/24 dst 10.0.0.0/24 dir out action block", "host", "1 of ip xfrm policy in the host",
                          "ip xfrm policy", "fail"),
    "a setting": ("sysctl -qw net.ipv4.conf.all.arp_announce=2", "c1", "net.ipv4.conf.all.arp_announce = 2 (was 0) in c1",
                  "sysctl -n net.ipv4.conf.all.arp_announce", "pass"),
}  # fmt: skip
"""What is typed, where, what is told of it, the command that shows it, and how its packets fare then."""


def result(lab: Running) -> str:
    """How the shown verdict stands."""
    verdict = lab.status().verdict
    return verdict.result if verdict is not None else ""


def judged_again(lab: Running, told: str) -> bool:
    """Whether views were told of the change, as the learner's, and a probe was sent after that."""
    lab.status()
    for at, event in enumerate(lab.events):
        if isinstance(event, ChangesEvent) and event.who == "learner" and told in [line.sentence for line in event.lines]:
            return any(isinstance(later, ProbeEvent) for later in lab.events[at:])
    return False


@pytest.mark.parametrize("what", STALE)
def test_a_verdict_does_not_go_stale(lab: Running, what: str) -> None:
    """A passed step is judged again, packets and all, when what no snapshot holds has changed; `back` takes the change away."""
    typed, node, told, look, then = STALE[what]
    lab.goto("switch/port-up", end=True)
    before = lab.sh(look, node)
    assert eventually(lambda: result(lab) == "pass")
    lab.sh(typed, node)
    assert eventually(lambda: judged_again(lab, told)), lab.events
    assert eventually(lambda: result(lab) == then), lab.status().verdict
    lab.back()
    assert lab.sh(look, node) == before


def told(lab: Running, *names: str) -> bool:
    """Whether views were told of changes of the learner's that speak of these."""
    lab.status()
    lines = [line.sentence for event in lab.events if isinstance(event, ChangesEvent) and event.who == "learner" for line in event.lines]
    return all(any(name in line for line in lines) for name in names)


def test_what_was_changed_first_is_not_forgotten_for_what_is_taken_back(lab: Running) -> None:
    """A setting that no picture shows, then a bridge: the first `back` takes the bridge away, the second the setting, and not the step before."""
    lab.goto("switch/port-up")
    lab.sh("sysctl -qw net.ipv4.conf.all.arp_ignore=1", "c1")
    assert eventually(lambda: told(lab, "arp_ignore"))
    lab.sh("ip link add mine type bridge")
    assert eventually(lambda: told(lab, "mine"))
    assert "mine" in lab.back().text and "mine" not in lab.links()
    assert lab.sh("sysctl -n net.ipv4.conf.all.arp_ignore", "c1").strip() != "0"
    moved = lab.back()
    assert moved.position == "container/switch/port-up" and "What you changed last" in moved.text, moved
    assert lab.sh("sysctl -n net.ipv4.conf.all.arp_ignore", "c1").strip() == "0"


@pytest.mark.kernel_may_lack
def test_a_verdict_does_not_outlive_a_filter(lab: Running) -> None:
    """A passed step is judged again when a filter of tc takes its packets, and once more when the filter is gone."""
    steal = "protocol all u32 match u32 0 0 action mirred egress redirect dev lo"
    if said := lab.sh(f"tc qdisc add dev lo clsact 2>&1 && tc filter add dev lo ingress {steal} 2>&1 || true"):
        pytest.skip(f"this kernel has no such filters: {said.strip()}")
    lab.goto("switch/port-up", end=True)
    assert eventually(lambda: result(lab) == "pass")
    lab.events.clear()
    lab.sh(f"tc qdisc add dev veth2 clsact; tc filter add dev veth2 ingress {steal}")
    assert eventually(lambda: judged_again(lab, "beside the rules, packets of veth2 on the host are decided over by a filter of tc on the way in"))
    lab.events.clear()
    lab.sh("tc qdisc del dev veth2 clsact")
    assert eventually(lambda: judged_again(lab, "nothing but rules decides over packets of veth2 on the host any more"))
    assert eventually(lambda: result(lab) == "pass"), lab.status().verdict
