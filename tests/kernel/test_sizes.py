"""Twice as many links or namespaces cost twice as much, not four times: messages to the kernel, files and comparisons are counted."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import msgspec
import pytest

from helpers.lab import lab
from helpers.sandboxed import sandboxed
from netless_lab.kernel.netlink.link import DUMP_BODY, RTM_GETLINK
from netless_lab.kernel.netlink.socket import NetlinkSocket
from netless_lab.kernel.watch import Watch
from netless_lab.model.changes import LinkMoved
from netless_lab.model.diff import diff
from netless_lab.model.loops import loops
from netless_lab.model.snapshot import BridgePort, Link, Node, Peer, Snapshot
from netless_lab.room import NETNS

FEW = 12
SPARE = 1.2
"""Besides what grows there is what does not; what is quadratic grows fourfold."""


class Count:
    """How often something was done."""

    def __init__(self) -> None:
        self.of = 0


class Word(str):
    """A name that counts how often it is compared."""

    compared = Count()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Word.compared.of += 1
        return str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        Word.compared.of += 1
        return str.__ne__(self, other)


@contextmanager
def messages() -> Iterator[Count]:
    """Counts requests and dumps of every netlink socket."""
    count = Count()
    plain = NetlinkSocket._send

    def send(self: NetlinkSocket, kind: int, flags: int, body: bytes) -> int:
        count.of += 1
        return plain(self, kind, flags, body)

    NetlinkSocket._send = send  # type: ignore[method-assign]
    try:
        yield count
    finally:
        NetlinkSocket._send = plain  # type: ignore[method-assign]


def batch(*lines: str) -> None:
    """``ip -batch``"""
    subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), text=True, check=True)


def cables(number: int) -> None:
    """So many namespaces with a name, each at the end of a cable from the host."""
    batch(*(f"netns add n{own}" for own in range(number)), *(f"link add q{own} type veth peer name p{own} netns n{own}" for own in range(number)))


def compared(work: Callable[[Snapshot], object], make: Callable[[int], Snapshot]) -> tuple[int, int]:
    """How many names are compared for a size, and for twice that."""
    found = []
    for number in (100, 200):
        made = make(number)
        Word.compared.of = 0
        work(made)
        found.append(Word.compared.of)
    return found[0], found[1]


def plugged(number: int) -> Snapshot:
    """So many containers on one bridge."""
    port = BridgePort("forwarding")
    ends = [
        Link(Word(f"v{own}"), own + 3, "veth", up=True, carrier=True, mtu=1500, master=Word("br0"), port=port, peer=Peer(Word(f"c{own}"), Word("e0"), 2))
        for own in range(number)
    ]
    bridge = Link(Word("br0"), 2, "bridge", up=True, carrier=True, mtu=1500)
    far = [
        Node(Word(f"c{own}"), "container", own + 2, links=(Link(Word("e0"), 2, "veth", up=True, carrier=True, mtu=1500, peer=Peer(Word("host"), end.name, end.ifindex)),))
        for own, end in enumerate(ends)
    ]
    return Snapshot((Node(Word("host"), "host", 1, links=(bridge, *ends)), *far))


def test_loops_are_found_in_as_many_looks_as_there_are_ports() -> None:
    """For each port its bridge and the other end of its cable are looked up, not looked for."""
    few, many = compared(loops, plugged)
    assert many <= 2 * few * SPARE + 10


def test_links_that_moved_are_matched_by_what_tells_them() -> None:
    """Every cable's end moves to another namespace at once: each finds itself by its MAC."""

    def scattered(snapshot: Snapshot) -> Snapshot:
        host, *rest = snapshot.nodes
        links = tuple(msgspec.structs.replace(link, mac=Word(f"02:00:00:00:{link.ifindex // 256:02x}:{link.ifindex % 256:02x}")) for link in host.links)
        return Snapshot((msgspec.structs.replace(host, links=links), *rest))

    def gathered(snapshot: Snapshot) -> Snapshot:
        host, first, *rest = snapshot.nodes
        moved = tuple(msgspec.structs.replace(link, ifindex=link.ifindex + 1000, master=None) for link in host.links[1:])
        return Snapshot((msgspec.structs.replace(host, links=host.links[:1]), msgspec.structs.replace(first, links=first.links + moved), *rest))

    def work(snapshot: Snapshot) -> None:
        before = scattered(snapshot)
        changes = diff(before, gathered(before))
        assert sum(isinstance(change, LinkMoved) for change in changes) == len(before.nodes) - 1

    few, many = compared(work, plugged)
    assert many <= 2 * few * SPARE + 10


@pytest.mark.kernel
@sandboxed
def test_a_purge_sends_as_many_messages_as_there_are_namespaces_and_cables() -> None:
    """Which namespace holds the other end of a cable is asked of a few, not of all, and one end takes the other along."""
    found = []
    with lab() as own:
        own.purge()
        for number in (FEW, 2 * FEW):
            cables(number)
            own.snapshot()
            with messages() as count:
                assert own.purge() == ()
            found.append(count.of)
            assert not [link for link in os.listdir("/sys/class/net") if link.startswith("q")]
            assert os.listdir(NETNS) == []
    assert found[1] <= 2 * found[0] * SPARE


@pytest.mark.kernel
@sandboxed
def test_a_snapshot_sends_as_many_messages_as_there_are_namespaces_and_cables() -> None:
    """When nothing is new, an id of a namespace is asked for once for all cables that lead there."""
    found = []
    with lab() as own:
        for number in (FEW, 2 * FEW):
            cables(number)
            batch(*(f"link add s{end} type veth peer name t{end} netns n0" for end in range(number)))
            own.snapshot()
            with messages() as count:
                snapshot = own.snapshot()
            host = snapshot.node("host")
            assert host is not None
            assert {link.peer.node for link in host.links if link.peer is not None and link.name.startswith("q")} == {f"n{end}" for end in range(number)}
            found.append(count.of)
            own.purge()
    assert found[1] <= 2 * found[0] * SPARE
    nodes = 2 * FEW + 3
    assert found[1] <= 13 * nodes, "a dozen messages a node and one for each neighbour, none for each cable"


@pytest.mark.kernel
@sandboxed
def test_a_socket_takes_as_much_memory_as_it_heard() -> None:
    """A lab keeps dozens of netlink sockets open; whatever the longest answer may be, an empty socket takes next to nothing."""
    with ExitStack() as held:
        held.enter_context(NetlinkSocket()).dump(RTM_GETLINK, DUMP_BODY)
        before = resident_kib()
        for _ in range(FEW):
            assert held.enter_context(NetlinkSocket()).dump(RTM_GETLINK, DUMP_BODY)
        assert resident_kib() - before <= 32 * FEW


def resident_kib() -> int:
    """Memory of this process that no file backs, in KiB (proc_pid_status(5))."""
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon:"))


@pytest.mark.kernel
@sandboxed
async def test_a_look_for_silent_changes_reads_each_name_once() -> None:
    """However many namespaces have a name, their names are read once for all of them."""
    opened = Count()
    counting = False

    def hook(event: str, args: tuple[object, ...]) -> None:
        if counting and event == "open" and str(args[0]).startswith(f"{NETNS}/"):
            opened.of += 1

    sys.addaudithook(hook)
    found = []
    with lab() as own:
        watch = Watch(asyncio.get_running_loop(), lambda: None)
        watch.attend(True)
        for number in (FEW, 2 * FEW):
            cables(number)
            for ref in own.refs().values():
                watch.add(ref)
            opened.of, counting = 0, True
            watch._beat()
            counting = False
            found.append(opened.of)
            own.purge()
        watch.close()
    assert found[0] > 0
    assert found[1] <= 2 * found[0] * SPARE
