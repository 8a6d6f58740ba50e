"""What others do while the lab is rebuilt, or did to the lab itself, is told, tried again, and put right. ip and ls are the witnesses."""

from __future__ import annotations

import pytest

from helpers.hands import hands
from helpers.running import running
from helpers.waiting import eventually
from netless_lab.client import Refused

pytestmark = pytest.mark.kernel


def test_who_makes_a_link_again_and_again_is_named() -> None:
    """A loop in the lab makes veth4 as soon as it is gone: goto says that it came back and which process may be at it; without it goto works."""
    with running() as lab, hands(lab) as shell:
        shell.type("yes link add veth4 type bridge | ip -force -batch - 2>/dev/null & echo $! > /tmp/loop")  # no process has to start for it
        assert eventually(lambda: "veth4" in lab.links())
        with pytest.raises(Refused) as refused:
            for _ in range(20):  # the loop may be late a few times
                lab.goto("neighbour", end=True)
        assert refused.value.code == 4
        assert "EEXIST" in str(refused.value)
        assert "makes it again and again" in str(refused.value)
        assert f"(pid {lab.sh('cat /tmp/loop').strip()})" in str(refused.value)
        shell.type("kill $(cat /tmp/loop); wait")
        lab.goto("neighbour", end=True)
        assert lab.pings("10.0.0.3")


def test_a_link_that_comes_back_once_is_taken_away_once_more() -> None:
    """Somebody makes veth4 between purge and replay, once: nobody hears of it, and the lab is as it should be."""
    with running() as lab, hands(lab) as shell:
        lab.goto("switch", end=True)
        for _ in range(5):
            shell.type("(while ip link show br0 >/dev/null 2>&1; do :; done; ip link add br0 type veth peer name other) >/dev/null 2>&1 &")
            lab.goto("switch", end=True)
            shell.type("kill $! 2>/dev/null; wait")  # a machine that is busy with else may not have let it see the gap
            assert lab.told("ip -d -j link show br0")[0]["linkinfo"]["info_kind"] == "bridge"
            assert "other" not in lab.links()


EARLY = """python3 - <<'END' &
import socket, time
said = False
while True:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        try:
            own.connect(("10.0.0.1", 9))
            there = own.getsockname()[0] == "10.0.0.2"
            if there and not said:
                own.send(b"hello")
            said = there
        except OSError:
            said = False
    time.sleep(0.001)
END"""


def test_who_speaks_before_all_is_built_keeps_no_packet_from_its_way() -> None:
    """A program in c1 says one word to its gateway as soon as it has an address, when nobody can hear it: each goto passes its own check all the same."""
    with running() as lab:
        lab.goto("neighbour", end=True)
        with hands(lab, "c1") as shell:
            shell.type(EARLY)
            for _ in range(6):
                lab.goto("neighbour", end=True)
            assert lab.pings("10.0.0.1")


@pytest.mark.parametrize("place", ["/dev/pts", "/run/netns", "/etc/netns", "/dev"])
def test_what_was_mounted_over_the_lab_goes_though_nothing_else_changed(place: str) -> None:
    """A file system over a place of the lab is no change of the network: a reset takes it away all the same, and says so."""
    with running() as lab:
        lab.goto("netless/name")
        before = lab.sh(f"ls {place}; cat /proc/self/mountinfo | wc -l")
        lab.sh(f"mount -t tmpfs over {place}")
        assert place in lab.reset("step").text
        assert lab.sh(f"ls {place}; cat /proc/self/mountinfo | wc -l") == before
        assert "Nothing to reset" in lab.reset("step").text


def test_the_inner_socket_comes_back_when_it_is_removed() -> None:
    """Who removes /run/netless and all in it can still speak to the lab from inside, again and again, with no reset in between."""
    with running() as lab, hands(lab) as shell:
        path = lab.sh("ls /run/netless/*.sock").strip()
        for gone in (path, "/run/netless/*", path):
            shell.type(f"rm -rf {gone} 2>/dev/null")
            assert eventually(lambda: lab.sh(f"ls {path}", check=False).strip() == path)
            answer = lab.sh(
                f"""python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect("{path}"); """
                """s.sendall(b"junk\\n"); print(s.recv(999).decode())'"""
            )
            assert "failed" in answer
        lab.reset("step")
        assert lab.sh(f"ls {path}").strip() == path
