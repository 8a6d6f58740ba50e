"""What a reset would do, as it is told before somebody says yes to it. ip(8) and nft(8) are the witnesses."""

from __future__ import annotations

import pytest

from helpers.running import running
from helpers.waiting import eventually
from netless_lab.client import Client
from netless_lab.protocol import Break, Hello, Leave, Mend, Parting, Play, WhatLeaves
from netless_lab.sandbox import find

pytestmark = pytest.mark.kernel


def test_what_is_listed_is_so_afterwards() -> None:
    """Somebody raised a link, took lo of the host down, and set how long a queue is: each is told as it is after the reset, which ip(8) confirms."""
    with running() as lab:
        lab.goto("cable/plug")
        lab.sh("ip link set veth2 up; ip link set lo down; ip link set lo txqueuelen 7; nft add table ip mine")
        told = lab.what_goes()
        options = "lo on the host has no options any more (was txqueuelen 7)"
        assert set(told.going) == {"veth2 on the host is down", options, "gone: the changed txqueuelen of lo in the host", "gone: the table ip mine in the host"}
        assert "lo on the host is up" in told.coming
        lab.reset("step")
        flags = {link["ifname"]: link["flags"] for link in lab.told("ip -j link")}
        assert "UP" not in flags["veth2"] and "UP" in flags["lo"] and "mine" not in lab.sh("nft list tables")


def test_a_lab_that_is_not_as_it_was_is_never_told_to_be() -> None:
    """A table that was put to sleep, another MAC of the way out, an address that is only for a link: a reset tells of them and takes them back."""
    with running() as lab:
        lab.goto("internet", end=True)
        lab.reset("step")
        assert not lab.what_goes()
        mac = lab.sh("cat /sys/class/net/eth0/address").strip()
        lab.sh("nft add table ip lab '{ flags dormant; }'; ip link set eth0 address 02:00:00:00:00:77; ip addr add 10.9.0.1/24 dev br0 scope link")
        told = lab.what_goes()
        assert told.going == ("the host lost the address 10.9.0.1/24 on br0",)
        assert set(told.coming) == {
            "table ip lab on the host is dormant no longer: its chains are asked", f"the MAC address of eth0 on the host is now {mac} (was 02:00:00:00:00:77)",
        }  # fmt: skip
        lab.reset("step")
        assert "dormant" not in lab.sh("nft list ruleset") and "10.9.0.1" not in lab.sh("ip addr")
        assert lab.sh("cat /sys/class/net/eth0/address").strip() == mac


def test_a_mac_that_was_given_by_hand_goes() -> None:
    """To the ends of a cable, one of them in a container, and to the bridge: each is told of, and ip(8) shows another after the reset. One that was
    taken back, the one that a bridge has from its port, and those that a reset deals are nobody's doing.
    """
    with running() as lab:
        lab.goto("switch/port-up")
        assert lab.reset("step").text.startswith("Nothing to reset")
        where = {"veth1": "c1", "veth2": "host", "br0": "host"}
        for number, (link, node) in enumerate(where.items()):
            lab.sh(f"ip link set {link} address 02:00:00:00:00:7{number}", node)
        told, spoken = lab.what_goes(), {"c1": "c1", "host": "the host"}
        assert told.going == ()
        assert set(told.coming) == {
            f"the MAC address of {link} on {spoken[node]} is one that the kernel deals (was 02:00:00:00:00:7{number})"
            for number, (link, node) in enumerate(where.items())
        }
        assert lab.reset("step").text.startswith("Reset: ")
        for link, node in where.items():
            assert not lab.told(f"ip -j link show {link}", node)[0]["address"].startswith("02:00:00:00:00:7")
        assert not lab.what_goes()
        dealt = lab.told("ip -j link show veth2")[0]["address"]
        lab.sh("ip link set veth2 address 02:00:00:00:00:77")
        assert lab.what_goes()
        lab.sh(f"ip link set veth2 address {dealt}")
        assert not lab.what_goes()


def test_frames_for_a_device_above_another_come_and_go_with_it() -> None:
    """A macvlan in the container has eth0 take in frames for its MAC, as ``bridge fdb`` shows. No list and no script tells of that beside the
    device itself; of a MAC that somebody added they do.
    """
    with running() as lab:
        pid = next(node.pid for node in lab.status().nodes if node.name == "c1")
        lab.sh(f"ip netns attach x {pid}")
        lab.sh("ip link add mv link eth0 type macvlan mode bridge; ip link set mv netns x; ip -n x link set mv up")
        mac = lab.told("ip -n x -j link show mv")[0]["address"]
        assert mac in [entry["mac"] for entry in lab.told("bridge -j fdb show dev eth0")]
        assert not [told for told in lab.what_goes("lab").going if "fdb" in told]
        assert "has not made all of it" not in lab.history().script
        lab.sh("bridge fdb add 02:00:00:00:00:55 dev eth0 self")
        assert "gone: 1 of bridge fdb in the host" in lab.what_goes("lab").going


def test_what_the_course_brings_back_is_not_lost_with_a_lab() -> None:
    """A step that was half done or done by hand, what was taken away, and what runs, is no loss; what no step makes is one, also from before, in play mode,
    and out of sight. ip(8) and nft(8) made it.
    """
    with running() as lab:

        def lost() -> tuple[str, ...]:
            return lab.client.ask(WhatLeaves()).going

        lab.goto("cable/plug")
        lab.sh("sleep 4713 >/dev/null 2>&1 </dev/null &", "c1")
        assert lost() == ()
        lab.sh("ip link set veth1 netns c1")
        assert lost() == ()
        lab.check()
        lab.sh("ip link set lo down")
        assert lost() == ()
        lab.sh("ip link add mine type bridge")
        assert lost() == ("mine is gone from the host",)
        lab.next()
        assert lost() == ("mine is gone from the host",)
        lab.sh("ip link del mine")
        lab.client.ask(Play(True))
        assert lost() == ()
        lab.sh("nft add table ip mine")
        assert lost() == ("gone: the table ip mine in the host",)


def test_files_that_were_made_in_a_lab_are_lost_with_it() -> None:
    """In its home, in /tmp and in what is of the machine, from whichever node; what programs keep for themselves, and what the course wrote, is no loss."""
    with running() as lab:

        def lost() -> tuple[str, ...]:
            return lab.client.ask(WhatLeaves()).going

        lab.goto("neighbour", end=True)
        lab.sh("touch ~/.bash_history ~/.lesshst /tmp/.X0-lock")
        assert lost() == ()
        lab.sh("echo mine > ~/notes.txt; mkdir -p /tmp/mine/deep", "c1")
        lab.sh("echo mine > /etc/mine; echo mine >> /etc/hosts; echo mine > /var/mine")
        told = ("gone: ~/notes.txt", "gone: /tmp/mine", "gone: /etc/mine in the host", "gone: /var/mine in the host", "gone: what is written in /etc/hosts in the host")
        assert set(lost()) == set(told)
        lab.sh("touch ~/a ~/b ~/c")
        assert "gone: 4 files in ~" in lost() and "gone: ~/notes.txt" not in lost()
        lab.reset("lab")
        assert set(lost()) == {"gone: 4 files in ~", "gone: /tmp/mine"}


def test_a_drill_that_is_open_is_lost_with_a_lab_and_not_given_away() -> None:
    """As long as nothing is mended; a healthy network, which a rebuild makes, is no loss."""
    with running() as lab:
        lab.goto("internet", end=True)
        lab.client.ask(Break("forwarding-off", drill=True))
        assert lab.client.ask(WhatLeaves()).going == ("gone: what is broken on purpose, and what you changed since",)
        lab.client.ask(Mend())
        assert lab.client.ask(WhatLeaves()).going == ()


def test_who_else_is_there_decides_what_leaving_ends() -> None:
    """Who only looks on is counted; who uses the lab keeps it, as ``Leave`` says too."""
    with running() as lab, Client(find.connect(lab.name), Hello(client="test", onlooker=True)):
        assert lab.client.ask(WhatLeaves()) == Parting(onlookers=1)
        with Client(find.connect(lab.name), Hello(client="test")):
            asked = lab.client.ask(WhatLeaves())
            assert asked.stays == lab.client.ask(Leave()) == "somebody else uses it"


def test_who_was_not_asked_takes_nothing_along() -> None:
    """Whoever was told that nothing goes, or that somebody else keeps the lab, may leave when that is no longer so: then the lab goes on."""
    with running() as lab:
        lab.sh("ip link add mine type bridge")
        assert lab.client.ask(Leave()) == "it has what no step of the course brings back"
        lab.sh("ip link del mine")
        with Client(find.connect(lab.name), Hello(client="test", onlooker=True)):
            assert lab.client.ask(Leave()) == "somebody looks on"
        assert eventually(lambda: lab.client.ask(WhatLeaves()) == Parting())
        assert lab.client.ask(Leave()) == ""


def test_who_was_asked_and_agreed_ends_it() -> None:
    """With all that goes, and under the eyes of who looks on."""
    with running() as lab, Client(find.connect(lab.name), Hello(client="test", onlooker=True)):
        lab.sh("ip link add mine type bridge")
        assert lab.client.ask(Leave(agreed=True)) == ""
