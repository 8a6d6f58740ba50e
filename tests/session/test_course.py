"""The whole course by ``run``, step by step, with iproute2, nft and ping as witnesses of what each step claims."""

from __future__ import annotations

import pytest

from helpers.running import Running

pytestmark = pytest.mark.kernel


@pytest.mark.rootless
def test_every_step_passes_in_order(lab: Running) -> None:
    """Run after run walks through all lessons; each step passes with its own check, none is left out."""
    lab.reset("lab")
    wanted = [f"{lesson.id}/{step.id}" for lesson in lab.status().course.lessons for step in lesson.steps]
    passed = []
    for _ in wanted:
        (answer,) = lab.run().verdicts
        assert answer.verdict.result == "pass", answer
        passed.append(answer.position.split("/", 1)[1])
    assert passed == wanted
    assert lab.run().verdicts == ()


@pytest.mark.rootless
def test_end_of_internet_is_real(lab: Running) -> None:
    """After ``goto internet --end`` iproute2, nft, ping and a real resolver agree that the container reaches the site, masqueraded."""
    lab.goto("container/internet", end=True)
    assert {"eth0", "br0", "veth2"} <= lab.links()
    assert lab.told("ip -j addr show veth1", "c1")[0]["addr_info"][0]["local"] == "10.0.0.2"
    assert "masquerade" in lab.sh("nft list ruleset")
    assert lab.sh("cat /proc/sys/net/ipv4/ip_forward").strip() == "1"
    assert lab.pings("198.51.100.10")
    assert "198.51.100.10" in lab.sh("getent hosts example.test", "c1")
    page = lab.sh("""python3 -c 'import urllib.request as u; print(u.urlopen("http://example.test/").read().decode())'""", "c1")
    assert "203.0.113.2" in page


def test_goto_start_is_before_the_step(lab: Running) -> None:
    """At the start of a step its own result is not there, and everything before it is."""
    lab.goto("internet/masquerade")
    assert "masquerade" not in lab.sh("nft list ruleset")
    assert lab.sh("cat /proc/sys/net/ipv4/ip_forward").strip() == "1"
    assert lab.check().verdicts[0].verdict.result == "fail"


def test_goto_in_both_directions_equals_a_clean_run(lab: Running) -> None:
    """Wherever one comes from, the links, addresses, routes and rules of a step's start are the same."""

    def state() -> tuple[object, ...]:
        links = sorted((link["ifname"], link.get("master"), "UP" in link["flags"]) for link in lab.told("ip -j link"))
        inside = sorted((link["ifname"], "UP" in link["flags"]) for link in lab.told("ip -j link", "c1"))
        routes = sorted((route["dst"], route.get("gateway")) for route in lab.told("ip -j route", "c1"))
        return links, inside, routes, lab.sh("nft -s list ruleset"), lab.sh("ls /run/netns", check=False)

    lab.reset("lab")
    lab.goto("internet/firewall")
    clean = state()
    for other in ("neighbour/no-router", "cable/plug", "internet/names", "netless/decoy"):
        lab.goto(other)
        lab.goto("internet/firewall")
        assert state() == clean, other


def test_check_of_a_lesson_judges_all_of_it(lab: Running) -> None:
    """``check switch`` passes at the lesson's end, and names the step that no longer holds when something is broken."""
    lab.goto("switch", end=True)
    assert all(answer.verdict.result == "pass" for answer in lab.check("switch").verdicts)
    lab.sh("ip link set veth2 nomaster")
    failing = {answer.title for answer in lab.check("switch").verdicts if answer.verdict.result != "pass"}
    assert "Plug the cable in" in failing


def test_a_failing_verdict_has_reasons(lab: Running) -> None:
    """A verdict that fails always says what was expected, what was seen and one command to look with."""
    lab.goto("switch/port")
    items = lab.check().verdicts[0].verdict.items
    failing = [item for item in items if item.result == "fail"]
    assert failing
    for item in failing:
        assert item.claim and item.expected and item.seen and item.look
