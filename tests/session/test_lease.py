"""When a lab ends by itself: the rule, with times as data, and what counts as use, in a real lab."""

from __future__ import annotations

import math
import time
import uuid
from pathlib import Path

import msgspec
import pytest

from helpers.desk import Desk
from helpers.waiting import eventually
from netless_lab import labs
from netless_lab.client import Client, LabGone
from netless_lab.lease import LASTING, OF_A_TUTOR, Lease
from netless_lab.protocol import AgentMessage, Bye, GetStatus, Hello, Leave, Status, Subscribe
from netless_lab.sandbox import find


def test_the_lease_is_counted_from_the_last_use() -> None:
    """A tutor's lab outlives its last client by 30 minutes, one that is to last by a day; when it was started does not matter."""
    assert OF_A_TUTOR.ends(1_000.0, 0) == 1_000.0 + 30 * 60
    assert LASTING.ends(1_000.0, 0) == 1_000.0 + 24 * 3600
    assert OF_A_TUTOR.ends(90_000.0, 0) - OF_A_TUTOR.ends(0.0, 0) == 90_000.0


@pytest.mark.parametrize("clients", [1, 2, 30])
def test_nothing_ends_while_a_client_is_connected(clients: int) -> None:
    """However long ago the last one hung up."""
    assert OF_A_TUTOR.ends(0.0, clients) == math.inf
    assert Lease(0.001).ends(0.0, clients) == math.inf


def clients(client: Client) -> int:
    """How many clients the lab says it has."""
    return msgspec.convert(client.ask(GetStatus()), Status).clients


def gone(lab: str) -> bool:
    """Whether the kernel knows no socket of this lab."""
    return f"/{lab}\n" not in Path("/proc/net/unix").read_text(encoding="utf-8", errors="replace")


@pytest.mark.kernel
def test_what_runs_on_in_the_lab_is_no_use_of_it(tmp_path: Path) -> None:
    """A ``sleep &``, and a container made by hand with ``setsid unshare``, do not keep a lab that nobody is connected to."""
    desk = Desk(tmp_path)
    with Client(labs.start(desk.lab), Hello(client="test", lease=Lease(1.0))) as client:
        assert desk.netless("exec", "c1", "--", "sh", "-c", "sleep 4321 >/dev/null 2>&1 </dev/null &").returncode == 0
        made = "setsid unshare --net --mount --uts --ipc sh -c 'hostname c2; exec sleep 4322' >/dev/null 2>&1 </dev/null &"
        assert desk.netless("exec", "host", "--", "sh", "-c", made).returncode == 0

        def both_run() -> bool:
            seen = desk.netless("exec", "host", "--", "ps", "-eo", "args").stdout
            return "\nsleep 4321" in seen and "\nsleep 4322" in seen

        assert eventually(both_run)
        assert clients(client) == 1
        assert not gone(desk.lab)
    assert eventually(lambda: gone(desk.lab)), "what runs on in it keeps the lab"


@pytest.mark.kernel
def test_the_lease_begins_when_the_last_client_hangs_up() -> None:
    """A client that stayed longer than the lease leaves the whole of it behind: a tutor of many hours that loses its ssh finds its lab again.

    The witness is a connection that is no client: one of another version is told so, and hangs on until the lab has ended.
    """
    lab, lease_s = f"last-use-{uuid.uuid4().hex[:10]}", 0.8
    with Client(labs.start(lab), Hello(client="test", lease=Lease(lease_s))) as client, find.connect(lab) as witness:
        witness.settimeout(20)
        witness.sendall(b'{"type":"hello","version":999999}\n')
        assert witness.recv(4096)
        assert eventually(lambda: msgspec.convert(client.ask(GetStatus()), Status).uptime_s > lease_s)
        hung_up = time.monotonic()
        client.close()
        while witness.recv(4096):
            pass
        assert time.monotonic() - hung_up >= lease_s, "it was counted from an earlier moment"
    assert eventually(lambda: gone(lab))


@pytest.mark.kernel
def test_a_command_in_a_node_uses_the_lab_as_long_as_it_lasts(tmp_path: Path) -> None:
    """``exec`` is a client until its command has ended, and no longer, whatever that command leaves running."""
    desk = Desk(tmp_path)
    with Client(labs.start(desk.lab), Hello(client="test")) as client:
        try:
            with desk.begin("exec", "c1", "--", "sh", "-c", "sleep 4321 >/dev/null 2>&1 & echo here; cat") as process:
                assert process.stdout is not None and process.stdout.readline() == b"here\n"
                assert clients(client) == 2
                process.communicate()
            assert eventually(lambda: clients(client) == 1)
        finally:
            labs.end(desk.lab)


@pytest.mark.kernel
def test_who_only_looks_on_is_no_use_of_it(tmp_path: Path) -> None:
    """The lease runs while an onlooker is connected, and an onlooker that leaves does not begin it anew; who quits the tutor ends the lab for both."""
    desk, heard = Desk(tmp_path), list[AgentMessage]()
    with Client(labs.start(desk.lab), Hello(client="test", lease=Lease(0.5))) as client:
        onlooker = Client(find.connect(desk.lab), Hello(client="test", onlooker=True), heard.append)
        onlooker.ask(Subscribe(("bye",)))
        assert clients(client) == 2
    with pytest.raises(LabGone):
        while True:
            onlooker.ask(GetStatus())
    assert [message.text for message in heard if isinstance(message, Bye)] == ["its lease was up: nobody had used it for so long"]
    quit_by = Client(labs.start(desk.lab), Hello(client="test"))
    with Client(find.connect(desk.lab), Hello(client="test", onlooker=True)), quit_by:
        assert quit_by.ask(Leave(agreed=True)) == ""
    assert eventually(lambda: gone(desk.lab))


@pytest.mark.kernel
def test_a_command_leaves_the_lease_as_it_is_and_up_makes_it_last(tmp_path: Path) -> None:
    """``status``, ``check``, ``snapshot`` and ``exec`` are use for a moment and change nothing; ``up`` on a lab that runs lets it last."""
    short, lasting = Desk(tmp_path), Desk(tmp_path)
    with Client(labs.start(short.lab), Hello(client="test", lease=Lease(0.5))):
        for words in (("status",), ("check",), ("snapshot",), ("exec", "host", "true")):
            short.netless(*words)
        with Client(labs.start(lasting.lab), Hello(client="test", lease=Lease(0.5))):
            assert lasting.netless("up", "--lease", "1").returncode == 0
    assert eventually(lambda: gone(short.lab)), "a command has prolonged the lease"
    assert not gone(lasting.lab), "it was hung up first, so its first lease would have ended first"
    assert labs.end(lasting.lab) is not None
