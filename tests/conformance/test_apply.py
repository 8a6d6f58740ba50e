"""The Applier's manners: errors that name the thing, say why and what to do; and sockets that never keep a container alive."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.cases import POST
from helpers.lab import Table, action, lab, told
from helpers.sandboxed import sandboxed
from helpers.waiting import eventually
from netless_lab.errors import ApplyError
from netless_lab.kernel.apply import DOERS
from netless_lab.primitives.base import Action
from netless_lab.primitives.registry import ACTIONS

WRONG: dict[str, tuple[Table, str, str]] = {
    "a name that is taken": ({"bridge": "br0"}, "EEXIST", "br0"),
    "an address that is there": ({"address": "10.0.0.1/24", "dev": "br0"}, "EEXIST", "10.0.0.1/24"),
    "an address that is not": ({"unaddress": "10.0.0.9/24", "dev": "br0"}, "EADDRNOTAVAIL", "10.0.0.9/24"),
    "no such link": ({"up": "veth9"}, "ENODEV", "veth9 in host"),
    "a name of 16 characters": ({"up": "abcdefghijklmnop"}, "ENODEV", "15 bytes"),
    "a new name of 16 characters": ({"bridge": "abcdefghijklmnop"}, "ERANGE", "abcdefghijklmnop"),
    "a move of what is not there": ({"move": "veth9", "to": "c1"}, "ENODEV", "veth9"),
    "a move onto a name that is taken": ({"move": "eth0", "to": "internet"}, "EEXIST", "eth0"),
    "no such node": ({"up": "lo", "in": "c7"}, "", "no node c7"),
    "a gateway out of reach": ({"route": "default", "via": "192.0.2.77", "in": "c1"}, "ENETUNREACH", "gateway"),
    "a route that is not there": ({"unroute": "10.77.0.0/16", "via": "10.0.0.1"}, "ESRCH", "10.77.0.0/16"),
    "no chain to put a rule in": ({"forward-accept": "br0"}, "ENOENT", "br0"),
    "no rule to delete": ({"unmasquerade": "10.0.0.0/24", "except": "br0"}, "ENOENT", "no such rule"),
    "a bridge in a bridge": ({"port": "br0", "of": "br0"}, "ELOOP", "br0"),
    "a setting that does not exist": ({"sysctl": "net.ipv4.nonsense", "value": "1"}, "ENOENT", "nonsense"),
    "a value that is none": ({"sysctl": "net.ipv4.ip_forward", "value": "perhaps"}, "EINVAL", "perhaps"),
    "a name that leads somewhere already": ({"name-attach": "c1", "of": "c1"}, "EEXIST", "/run/netns/c1"),
    "a link where a name is": ({"name-symlink": "c1", "of": "c1"}, "EEXIST", "File exists: /run/netns/c1 ("),
    "no such name": ({"unname": "nobody"}, "ENOENT", "nobody"),
    "a command that fails": ({"run": "echo one; echo two >&2; exit 3"}, "", "exit status 3: two"),
    "a command that is none": ({"run": "no-such-program"}, "", "exit status 127: "),
    "a container that does not run": ({"stop": "c7"}, "", "c7"),
    "a resolver of no process": ({"resolver": "9.9.9.9", "in": "decoy"}, "", "no process lives in it"),
}


def kinds(of: type[Action]) -> Iterator[type[Action]]:
    """Every kind of action, those that no page can name among them."""
    for own in of.__subclasses__():
        yield own
        yield from kinds(own)


def test_every_action_is_done_by_somebody() -> None:
    """A new action cannot be forgotten in the table, nor one that a page names."""
    assert set(kinds(Action)) == DOERS.keys() > set(ACTIONS.values())


@pytest.mark.parametrize("what", WRONG)
@sandboxed
def test_what_is_refused_is_explained(what: str) -> None:
    """The sentence of the action, the thing, the kernel's word and its errno, and nothing was changed by the way."""
    table, errno, words = WRONG[what]
    with lab() as own:
        own.do(*POST, {"netns": "decoy"}, {"name-symlink": "c1", "of": "c1"})
        look = "ip -4 -o addr; ip -o link | wc -l; ip route; nft list ruleset; ls /run/netns"
        before = own.shell("host", look)
        with pytest.raises(ApplyError) as refused:
            own.do(table)
        text = str(refused.value)
        assert refused.value.errno == errno, text
        assert words in text and action(table).sentence() in text
        assert refused.value.advice or not errno, text
        assert own.shell("host", look) == before


@sandboxed
def test_a_failed_batch_of_actions_stops_at_the_failure() -> None:
    """What came before is done, what comes after is not."""
    with lab() as own:
        with pytest.raises(ApplyError):
            own.do({"bridge": "one"}, {"bridge": "one"}, {"bridge": "two"})
        assert {"one"} == {entry["ifname"] for entry in told(own, "host", "ip -j link")} - {"lo", "eth0"}


@sandboxed
def test_a_container_can_end() -> None:
    """No socket of ours keeps a namespace: with the process the cable's other end goes, as the kernel does it."""
    with lab() as own:
        own.do(*POST, {"masquerade": "10.0.0.0/24", "except": "eth9", "in": "c1"})
        pid = own.refs()["c1"].pid
        assert pid is not None
        own.stop("c1")
        own.snapshot()
        assert not os.path.exists(f"/proc/{pid}/ns/net")
        assert eventually(lambda: "veth2" not in {entry["ifname"] for entry in told(own, "host", "ip -j link")})


@sandboxed
def test_one_batch_may_speak_of_what_it_makes() -> None:
    """Start a container, name it, cable it and address it, all in one."""
    with lab() as own:
        own.do(
            {"start": "c2"},
            {"name-attach": "c2", "of": "c2"},
            {"netns": "spare"},
            {"veth": "a", "peer": "b", "in": "c2", "peer-in": "spare"},
            {"address": "10.3.0.1/24", "dev": "a", "in": "c2"},
            {"delete-netns": "spare"},
        )
        assert [entry["ifname"] for entry in told(own, "c2", "ip -j link")] == ["lo"]


@sandboxed
def test_a_running_command_is_stopped_with_its_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command line that never ends does not hold the lab for ever."""
    monkeypatch.setattr("netless_lab.kernel.actions.LONGEST_S", 0.3)
    with lab() as own:
        with pytest.raises(ApplyError, match="did not end within"):
            own.do({"run": "sleep 987 & sleep 986"})
        assert eventually(lambda: "98" not in own.shell("host", "ps -o args= -C sleep | grep ' 98[67]' || true"))


@sandboxed
def test_a_command_waits_for_what_was_just_built() -> None:
    """One batch builds the post and pings at once, ten times: no first packet is lost in a port that does not forward yet."""
    with lab() as own:
        for _ in range(10):
            own.purge()
            own.do(*POST, {"run": "ping -n -c1 -W1 10.0.0.1 >/tmp/said", "in": "c1"})
            with open("/tmp/said", encoding="ascii") as said:
                assert " 0% packet loss" in said.read()


@sandboxed
def test_a_command_finds_the_kernel_caught_up() -> None:
    """A bridge whose only cable dies is told of as live for most of a second; what runs next in the batch reads the truth at once."""
    with lab() as own:
        own.do(*POST, {"down": "veth1", "in": "c1"}, {"run": "ip -o link show type bridge >/tmp/said"})
        with open("/tmp/said", encoding="ascii") as said:
            assert "NO-CARRIER" in said.read()


@sandboxed
def test_a_line_may_leave_something_running() -> None:
    """What a line starts in the background, with the line's own output still open, is not waited for and goes on running."""
    with lab() as own:
        own.do({"run": "sleep 1000 & echo $! > /tmp/left", "in": "c1"})
        with open("/tmp/left", encoding="ascii") as file:
            left = int(file.read())
        assert eventually(lambda: Path(f"/proc/{left}/comm").read_text(encoding="ascii") == "sleep\n")
        assert os.stat(f"/proc/{left}/ns/net").st_ino == own.refs()["c1"].namespace.inode


@sandboxed
def test_a_line_is_heard_though_something_of_it_is_left() -> None:
    """Failure and last words of a line are told when it ends, not when the process that it left behind does."""
    with lab() as own, pytest.raises(ApplyError) as refused:
        own.do({"run": "sleep 1000 & echo one; echo two >&2; exit 3"})
    assert "exit status 3: two" in str(refused.value)
