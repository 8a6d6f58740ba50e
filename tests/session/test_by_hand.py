"""Typing counts as much as running: steps done from another terminal, with names and a subnet of one's own, and mistakes on the way."""

from __future__ import annotations

import functools

import pytest

from helpers.running import Running, running
from helpers.waiting import eventually
from netless_lab.protocol import GetHistory, VerdictEvent

pytestmark = pytest.mark.kernel


@pytest.fixture
def lab(lab: Running) -> Running:
    """Started over for each test: names that one has chosen are not those of the next."""
    lab.reset("lab")
    return lab


def passed(lab: Running) -> bool:
    """Whether the watching judge has passed the current step, without being asked."""
    verdict = lab.status().verdict
    return verdict is not None and verdict.passed


def _longer_than(lab: Running, known: int) -> bool:
    """Whether the history has grown."""
    return len(lab.client.ask(GetHistory()).entries) > known


@pytest.mark.rootless
def test_typed_step_passes_without_being_asked(lab: Running) -> None:
    """A step typed in another terminal is judged by itself, its tick is earned, and nothing advances."""
    lab.goto("cable/pair")
    lab.events.clear()
    lab.sh("ip link add veth1 type veth peer name veth2")
    assert eventually(lambda: passed(lab))
    status = lab.status()
    assert status.position == "container/cable/pair"
    step = next(step for lesson in status.course.lessons if lesson.id == "cable" for step in lesson.steps if step.id == "pair")
    assert step.earned
    assert any(isinstance(event, VerdictEvent) and event.completed for event in lab.events)


def test_own_names_and_subnet(lab: Running) -> None:
    """Names and a subnet of the learner's own choice pass, and later steps speak of them."""
    lab.goto("cable/pair")
    lab.sh("ip link add left type veth peer name right")
    assert eventually(lambda: passed(lab))
    lab.next()
    lab.sh("ip link set left netns c1")
    assert eventually(lambda: passed(lab))
    lab.next()
    lab.sh("ip -n c1 addr add 192.168.7.2/24 dev left")
    assert eventually(lambda: passed(lab))
    lab.next()
    lab.sh("ip -n c1 link set left up")
    assert eventually(lambda: passed(lab))
    for command in (
        "brctl addbr sw0",
        "brctl addif sw0 right",
        "ip addr add 192.168.7.1/24 dev sw0",
        "ip link set sw0 up",
        "ip link set right up",
    ):
        lab.next()
        lines = " ".join(line for commands in lab.status().page.commands for line in commands.lines)
        assert "veth1" not in lines and "10.0.0." not in lines, lines
        lab.sh(command)
        assert eventually(lambda: passed(lab)), (command, lab.check())
    assert lab.pings("192.168.7.1")
    assert lab.status().bindings


def test_extra_objects_are_mentioned_not_punished(lab: Running) -> None:
    """A typo that made something else first does not fail the step; the verdict mentions it."""
    lab.goto("cable/pair")
    lab.sh("ip link add veht1 type veth peer name veht2; ip netns add oops; ip link add veth1 type veth peer name veth2")
    assert eventually(lambda: passed(lab))
    verdict = lab.check().verdicts[0].verdict
    assert verdict.result == "pass"
    assert any("oops" in extra for extra in verdict.extras)


def test_address_before_the_move_is_explained(lab: Running) -> None:
    """An address set before the move is wiped by it; the verdict of the address step says so (C15)."""
    lab.goto("cable/plug")
    lab.sh("ip addr add 10.0.0.2/24 dev veth1")
    lab.snapshot()
    lab.sh("ip link set veth1 netns c1")
    assert eventually(lambda: passed(lab))
    lab.next()
    items = lab.check().verdicts[0].verdict.items
    assert any("had an address before the move" in item.near for item in items if item.result == "fail"), items


def test_no_address_before_the_move_is_spoken_of_as_a_condition(lab: Running) -> None:
    """Who may have given one before the move, between two looks, is told what came of it as a condition, and not that it was so."""
    lab.goto("cable/address")
    items = lab.check().verdicts[0].verdict.items
    assert not any("had an address before the move" in item.near for item in items), items
    assert any("If you gave veth1 its address before the move" in item.near for item in items), items


def test_a_broken_earlier_step_shows_and_its_tick_stays(lab: Running) -> None:
    """A link taken down by hand turns the earlier step's live mark off at once; the earned tick stays (C12)."""
    lab.goto("switch", end=True)
    lab.next()
    lab.sh("ip link set veth2 down")

    def step() -> tuple[bool, bool | None]:
        lessons = lab.status().course.lessons
        found = next(step for lesson in lessons if lesson.id == "switch" for step in lesson.steps if step.id == "port-up")
        return found.earned, found.live

    assert eventually(lambda: step() == (True, False)), step()


def test_back_undoes_own_changes_first(lab: Running) -> None:
    """``back`` first takes away what the learner changed since the step began, then the step before it."""
    lab.goto("switch/port")
    for command in ("ip link add stray type bridge", "ip link set br0 mtu 1400"):
        lab.sh(command)
        lab.snapshot()
    lab.back()
    lab.back()
    assert "stray" not in lab.links()
    assert lab.told("ip -j link show br0")[0]["mtu"] == 1500
    lab.back()
    assert lab.status().position == "container/switch/bridge"
    assert "br0" not in lab.links()


def test_back_undoes_one_change_at_a_time(lab: Running) -> None:
    """Of several own changes ``back`` takes away only the last, and what was typed before it stays; looking changes nothing (D12)."""
    lab.goto("switch/gateway")
    lab.sh("ip addr add 10.0.0.1/24 dev br0")
    assert eventually(lambda: "10.0.0.1" in str(lab.snapshot()))
    lab.sh("ip link set br0 up")
    assert eventually(lambda: lab.status().verdict is not None and "br0" in str(lab.snapshot()))
    lab.sh("ip addr; bridge link; nft list ruleset")
    text = lab.back().text
    assert "br0" in text and "up" in text
    assert "UP" not in lab.told("ip -j link show br0")[0]["flags"]
    assert lab.told("ip -j addr show br0")[0]["addr_info"][0]["local"] == "10.0.0.1"


def test_what_goes_beyond_the_last_change_is_told(lab: Running) -> None:
    """A process in a namespace of its own has no plain opposite: the lab is rebuilt for the step, whatever was there before it, and that is
    said. So it is of a step that was done by the tutor.
    """
    lab.goto("neighbour/second")
    lab.sh("unshare --net sleep 600 >/dev/null 2>&1 & until lsns -nt net -o COMMAND | grep -q 'sleep 600'; do sleep 0.02; done")
    assert eventually(lambda: any(node.role == "unknown" for node in lab.snapshot().nodes))
    text = lab.back().text
    assert "cannot be undone by itself" in text and "the lab was rebuilt for the start of container/neighbour/second" in text
    lab.goto("neighbour/second", end=True)
    assert "The lab was rebuilt for the start of container/neighbour/second" in lab.back().text


def test_what_hangs_on_another_is_undone_first(lab: Running) -> None:
    """One command line gave an address and a route by way of it: both are undone one by one, and what was made before stays."""
    lab.goto("switch", end=True)
    lab.sh("ip link add mine type bridge")
    assert eventually(lambda: "mine" in str(lab.snapshot()))
    lab.sh("ip link set mine up; ip addr add 10.9.0.1/24 dev mine; ip route add 10.8.0.0/16 via 10.9.0.2")
    assert eventually(lambda: "10.8.0.0/16" in str(lab.snapshot()))
    while "10.9.0.1" in lab.sh("ip -4 addr show mine"):
        lab.back()
    assert "mine" in lab.links(), "nothing was rebuilt"
    assert "10.8.0.0/16" not in lab.sh("ip route")


def test_history_tells_what_somebody_did(lab: Running) -> None:
    """Taking a port down is one thing done; that a carrier went and a port stopped forwarding is its consequence, and nobody's doing."""
    lab.goto("switch", end=True)
    before = len(lab.client.ask(GetHistory()).entries)
    lab.sh("ip link set veth2 down")
    assert eventually(functools.partial(_longer_than, lab, before))
    lab.status()
    did = [(entry.who, entry.lines) for entry in lab.client.ask(GetHistory()).entries[before:]]
    assert did == [("learner", ("ip link set veth2 down",))]


def test_history_holds_every_line_of_what_the_tutor_did(lab: Running) -> None:
    """A step of several commands is written down whole, as script and as notes."""
    lab.goto("internet/masquerade")
    lab.run()
    history = lab.client.ask(GetHistory())
    lines = [line for entry in history.entries if entry.who == "tutor" for line in entry.lines]
    assert len([line for line in lines if line.startswith("nft ")]) > 1
    for line in lines:
        assert f"\n{line}\n" in history.script and line in history.markdown


def test_history_replays_in_a_fresh_lab(lab: Running) -> None:
    """The session written down as a shell script makes the same links, addresses and rules in another lab."""
    lab.goto("cable/pair")
    for command in (
        "ip link add left type veth peer name right",
        "ip link add sw0 type bridge",
        "ip link set right master sw0",
        "ip addr add 192.168.9.1/24 dev sw0",
        "nft add table ip mine; nft 'add chain ip mine post { type nat hook postrouting priority 100; }'",
        "nft add rule ip mine post ip saddr 192.168.9.0/24 masquerade",
    ):
        before = len(lab.client.ask(GetHistory()).entries)
        lab.sh(command)
        lab.snapshot()  # all that the command did, and not only the first part of it
        assert _longer_than(lab, before), command
    script = lab.client.ask(GetHistory()).script
    own = script[script.rindex("rebuilt") :].partition("\n")[2]
    with running() as other:
        other.sh(own)
        assert {"left", "right", "sw0"} <= other.links()
        assert other.told("ip -j addr show sw0")[0]["addr_info"][0]["local"] == "192.168.9.1"
        assert "masquerade" in other.sh("nft list ruleset")


@pytest.mark.rootless
def test_killed_container_is_named_and_comes_back(lab: Running) -> None:
    """``kill -9 -1`` inside the lab ends the containers, not the lab; it says so, and ``reset`` brings them back."""
    lab.goto("switch", end=True)
    pid = next(node.pid for node in lab.status().nodes if node.name == "c1")
    lab.sh("kill -9 -1", check=False)
    assert eventually(lambda: any("c1" in notice for notice in lab.status().notices))
    lab.reset("lesson")
    assert next(node.pid for node in lab.status().nodes if node.name == "c1") != pid
    assert lab.run("container/switch/bridge").verdicts[0].verdict.result == "pass"


def test_everything_deleted_is_rebuilt(lab: Running) -> None:
    """``ip link del`` of everything, the uplink too, and ``nft flush ruleset``: goto still ends in a lab that works."""
    lab.goto("container/internet", end=True)
    lab.sh(
        "for i in $(ls /sys/class/net); do ip link del $i 2>/dev/null; done; nft flush ruleset; rm -rf /run/netns/* /etc/netns", check=False
    )
    lab.goto("container/internet", end=True)
    assert lab.pings("198.51.100.10")


@pytest.mark.parametrize("name", ["c1", "host", "-e c1"])
def test_a_decoy_is_entered_whatever_it_is_called(lab: Running, name: str) -> None:
    """A namespace named as another node is, or oddly, is entered by the lab's own word for it; ``stat`` says it is that one."""
    lab.goto("netless/name")
    path = f"/run/netns/{name}"
    lab.sh(f"mkdir -p /run/netns && touch '{path}' && unshare --net='{path}' true")
    wanted = int(lab.sh(f"stat -L -c %i '{path}'"))
    assert eventually(lambda: any(node.netns == wanted for node in lab.status().nodes))
    called = next(node.name for node in lab.status().nodes if node.netns == wanted)
    assert called != "c1"
    assert int(lab.sh("stat -L -c %i /proc/self/ns/net", called)) == wanted
    assert lab.sh("ls /sys/class/net", called).split() == ["lo"]
    lab.reset("step")


def test_the_kernel_has_caught_up_before_a_packet_is_sent(lab: Running) -> None:
    """A bridge whose only cable dies is told of as live for most of a second, but not once the judge has sent its packets."""
    lab.goto("neighbour", end=True)
    lab.sh("""ip link add br9 type bridge; ip link set br9 up; ip link add p9 type veth peer name q9; ip link set p9 master br9 up
        ip link set q9 up; ip link show dev br9; ip link set q9 down""")
    lab.check()
    assert "NO-CARRIER" in lab.sh("ip -o link show type bridge | grep br9")


def test_a_route_that_was_taken_away_is_named(lab: Running) -> None:
    """Packets to a neighbour that go by the default route instead get lost out there: the verdict says where they go, and what is missing."""
    lab.goto("switch/port-up", end=True)
    lab.sh("ip route del 10.0.0.0/24 dev br0")
    near = [item.near for item in lab.check().verdicts[0].verdict.items if item.result == "fail"]
    led = "and not by br0, in whose network it is: the route 10.0.0.0/24 dev br0 is gone."
    assert near == [f"The host sends packets to 10.0.0.2 by eth0 via 203.0.113.1, {led}"] * 2


def test_an_answer_of_another_container_is_not_ahead(lab: Running) -> None:
    """Before the gateway has its address a neighbour may have the one that will stand for it: he answers, and nobody is further on for that."""
    lab.goto("cable/address")
    lab.sh("ip -n c1 addr add 192.168.15.3/24 dev veth1; ip -n c1 link set veth1 up")
    for _ in range(2):
        assert eventually(lambda: passed(lab)), lab.check()
        lab.next()
    assert lab.status().position == "container/switch/bridge"
    lab.sh("""setsid unshare --net --uts sh -c 'hostname c2; exec sleep 998' >/dev/null 2>&1 & until ip netns attach c2 $(pgrep -xf 'sleep 998'); do :; done
        ip link add veth3 type veth peer name veth4; ip link set veth3 netns c2; ip -n c2 addr add 192.168.15.1/24 dev veth3; ip -n c2 link set veth3 up
        ip link add br0 type bridge; ip link set br0 up; ip link set veth2 master br0 up; ip link set veth4 master br0 up""")
    assert eventually(lambda: lab.pings("192.168.15.1", "c1"))
    item = next(own for own in lab.check().verdicts[0].verdict.items if own.kind == "probe")
    assert (item.result, item.seen) == ("unknown", "an answer came, but from the wrong place: 192.168.15.1 belongs to c2 here, not to the host.")
