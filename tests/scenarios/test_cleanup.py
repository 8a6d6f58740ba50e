"""Reset and back: everything of the lab goes or is put back, nothing else is touched, and what will go is said beforehand."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest

from helpers.hands import hands
from helpers.running import Running
from helpers.waiting import eventually

pytestmark = pytest.mark.kernel


def everything(lab: Running) -> Any:
    """What the host has, as iproute2 and nft tell it; the beginning of every lab looks the same."""
    links = sorted((link["ifname"], "UP" in link["flags"]) for link in lab.told("ip -j link"))
    return links, lab.sh("nft -s list ruleset"), lab.sh("ls /run/netns", check=False), lab.sh("cat /proc/sys/net/ipv4/ip_forward")


def test_reset_and_rebuild_twenty_times(lab: Running) -> None:
    """A2: reset, build, reset, build, twenty times without a pause: never a "File exists", and the network works each time."""
    for _ in range(20):
        lab.reset("lab")
        lab.goto("switch/port-up")
        assert lab.run().verdicts[0].verdict.result == "pass"
    assert lab.pings("10.0.0.1")


def test_a_second_reset_finds_nothing(lab: Running) -> None:
    """A3: the second of two resets says that there is nothing to reset."""
    lab.goto("internet", end=True)
    lab.reset("lab")
    clean = everything(lab)
    assert "Nothing to reset" in lab.reset("lab").text
    assert everything(lab) == clean


def test_what_goes_is_said_beforehand_and_no_more(lab: Running) -> None:
    """A13: at the end of a step the list of what a reset takes away names that step's own doing, whatever way one came there."""
    for way in ("goto", "run", "next"):
        lab.reset("lab")
        if way == "goto":
            lab.goto("switch/gateway", end=True)
        else:
            lab.goto("switch/port", end=True)
            if way == "next":
                lab.next()
            lab.run()
        assert lab.status().position == "container/switch/gateway"
        going = lab.what_goes("step").going
        assert len(going) == 1 and "10.0.0.1/24" in going[0] and "br0" in going[0], (way, going)
    going = lab.what_goes("lesson").going
    assert any("br0" in line for line in going) and not any("veth1" in line for line in going), going
    lab.sh("ip link add mine type bridge")
    assert any("mine" in line for line in lab.what_goes("step").going)
    assert "mine" in lab.links(), "a dry reset changes nothing"


def test_odd_names_and_bridges_go_too(lab: Running) -> None:
    """A9: bridges, tunnels and interfaces with odd names that a learner made are gone after a reset."""
    lab.reset("lab")
    clean = everything(lab)
    lab.sh("""ip link add 'b!x' type bridge; ip link add '[x]' type veth peer name 'é'; ip link set 'é' master 'b!x' up
        ip link add vx0 type vxlan id 9 dstport 4789 dev eth0
        ip link add mv0 link eth0 type macvlan; ip netns add 'a b'; ip netns add c1x; ip link add inside netns c1x type bridge
        nft add table inet 'w'; sysctl -qw net.ipv4.ip_forward=1""", check=False)  # fmt: skip
    assert {"b!x", "[x]", "é", "vx0", "mv0"} <= lab.links()
    lab.reset("lab")
    assert everything(lab) == clean


def test_what_was_started_is_gone_after_a_reset(lab: Running) -> None:
    """A8: processes that the tutor or a learner put into namespaces of their own are gone with the reset; the lab's own go on."""
    lab.goto("neighbour/second", end=True)
    lab.sh("setsid unshare -n sleep 4242 >/dev/null 2>&1 & sleep 0.2; ip netns exec c2 setsid sleep 4243 >/dev/null 2>&1 &")
    assert eventually(lambda: lab.sh("pgrep -fx 'sleep (4242|4243)'", check=False).count("\n") == 2)
    lab.reset("lab")
    assert lab.sh("pgrep -fx 'sleep (4242|4243)'", check=False) == ""
    assert lab.sh("pgrep -cfx 'sleep infinity'").strip() == "1"


def test_a_shell_inside_does_not_keep_a_cable_alive(lab: Running) -> None:
    """A10: with a shell in c1 and one in a named namespace, going back to the start leaves no veth behind, and the shell in c1 still works."""
    lab.goto("neighbour", end=True)
    with hands(lab, "c1") as shell:
        holder = lab.entry("host")
        inside = subprocess.Popen(
            [*holder.argv, "ip", "netns", "exec", "c2", "sleep", "4244"], env={**os.environ, **holder.env}, stdout=subprocess.DEVNULL
        )
        assert eventually(lambda: lab.sh("pgrep -fx 'sleep 4244'", check=False) != "")
        lab.goto("netless/name")
        assert not [name for name in lab.links() if "veth" in name]
        assert [link["ifname"] for link in json.loads(shell.type("ip -j link"))] == ["lo"]
        inside.kill()
        inside.wait()


def test_a_name_that_leads_nowhere(lab: Running) -> None:
    """A11: the container dies and its name stays behind: it is told of, run mends it, and a learner's own dead names go with a reset."""
    lab.goto("netless/name", end=True)
    pid = next(node.pid for node in lab.status().nodes if node.name == "c1")
    lab.sh(f"kill -9 {pid}")
    assert eventually(lambda: any("c1" in notice for notice in lab.status().notices))
    assert lab.sh("ls /run/netns").split().count("c1") == 1 and "c1" not in lab.sh("ip netns pids c1 2>&1", check=False).split()
    (item,) = lab.check().verdicts[0].verdict.items
    assert item.result == "fail" and ("no node called c1" in item.seen or "nowhere" in item.seen)
    assert lab.run("netless/name").verdicts[0].verdict.result == "pass"
    assert lab.sh("ip netns exec c1 hostname").strip() == "host"
    lab.sh("ln -s /proc/99999/ns/net /run/netns/99999")
    lab.reset("lab")
    assert "99999" not in lab.sh("ls /run/netns", check=False).split()


def test_nat_is_put_back(lab: Running) -> None:
    """A12: back over the steps of the firewall takes rules away and puts forwarding back to what it was before."""
    lab.goto("internet/masquerade", end=True)
    assert "masquerade" in lab.sh("nft list ruleset") and lab.sh("cat /proc/sys/net/ipv4/ip_forward").strip() == "1"
    lab.back()
    assert "masquerade" not in lab.sh("nft list ruleset") and lab.sh("cat /proc/sys/net/ipv4/ip_forward").strip() == "1"
    lab.back()
    assert lab.sh("cat /proc/sys/net/ipv4/ip_forward").strip() == "0"


def test_doing_it_again_shows_nothing_old(lab: Running) -> None:
    """A14: after a reset of a passed step its verdict is new: it fails, and no item of the earlier pass is shown."""
    lab.goto("switch/bridge", end=True)
    assert lab.check().verdicts[0].verdict.result == "pass"
    lab.reset("step")
    assert eventually(lambda: lab.status().verdict is not None)
    verdict = lab.status().verdict
    assert verdict is not None and verdict.result == "fail"
    assert [item.result for item in verdict.items] == ["fail", "waiting"]
    assert lab.run().verdicts[0].verdict.result == "pass"
