"""The kernel's own drop reasons: loaded outside by real root, aimed at one sandbox, read inside it by who could never have loaded them."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import pytest

from capture.watching import watched
from helpers.sandboxed import run_in_sandbox, sh
from netless_lab.kernel.evidence.drops import DropEar, DropRing
from netless_lab.model.evidence import Drop
from netless_lab.model.probe import Connect, Ping, Probe
from netless_lab.sandbox.drops import btf
from netless_lab.sandbox.drops.load import CannotListen, Loaded, load
from netless_lab.watching.gather import gather

pytestmark = pytest.mark.kernel
SITE = "198.51.100.10"
Investigate = Callable[[Probe], Awaitable[tuple[Drop, ...] | None]]


@contextmanager
def aimed() -> Iterator[tuple[Loaded, socket.socket]]:
    """The program, and a socket on which a sandbox says that it is there and is told that the program is aimed at it.

    Its user namespace is held until the end, as an agent does that hears of its drops: the inode of one that is gone is given to another.
    """
    loaded = load()
    held: list[int] = []
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)

    def aim() -> None:
        _, ancillary, _, _ = ours.recvmsg(1, 64)
        (pid, _, _) = struct.unpack("3i", ancillary[0][2][:12])
        held.append(os.open(f"/proc/{pid}/ns/user", os.O_RDONLY))
        loaded.aim(pid)
        ours.send(b"x")

    threading.Thread(target=aim, daemon=True).start()
    try:
        yield loaded, theirs
    finally:
        loaded.close()
        for namespace in held:
            os.close(namespace)
        ours.close()
        theirs.close()


def in_sandbox(test: Callable[[Investigate], Awaitable[None]]) -> None:
    """Run a test in a wired sandbox that hears its own drops."""
    with aimed() as (loaded, door):

        async def inside() -> None:
            door.send(b"x")
            door.recv(1)
            async with watched() as lab:
                ear = DropEar(DropRing(loaded.ring, loaded.ring_size, loaded.layout), loaded.reasons)

                async def drops(probe: Probe) -> tuple[Drop, ...] | None:
                    return (await gather(probe, lab.nodes, lab.lookout, lab.reader, ear)).evidence.drops

                await test(drops)
                ear.close()

        failure = run_in_sandbox(inside, "root")
    assert not failure, failure


@pytest.mark.root
def test_the_kernel_says_why() -> None:
    """TTL, forwarding off, a firewall, nobody listening: reason, node, interface and function, and nothing for a ping that is answered."""

    async def test(drops: Investigate) -> None:
        assert await drops(Ping("c1", SITE)) == ()
        assert brief(await drops(Ping("c1", SITE, ttl=1))) == [("host", "br0", "IP_INHDR")]
        assert brief(await drops(Connect("c1", SITE, 81))) == [("net", "eth0", "NO_SOCKET")]
        sh("sysctl -qw net.ipv4.ip_forward=0")
        assert brief(await drops(Ping("c1", SITE))) == [("host", "br0", "IP_INADDRERRORS")]
        sh("sysctl -qw net.ipv4.ip_forward=1; nft add table ip t")
        sh("nft add chain ip t f '{ type filter hook forward priority 0; policy drop; }'")
        found = await drops(Ping("c1", SITE))
        assert brief(found) == [("host", "br0", "NETFILTER_DROP")] and found is not None
        assert found[0].words == "a firewall rule or policy dropped it" and found[0].text == f"10.0.0.2 > {SITE} echo request seq 1"
        assert found[0].function and "0x" not in found[0].function

    in_sandbox(test)


def brief(drops: tuple[Drop, ...] | None) -> list[tuple[str, str, str]]:
    """Where and why."""
    assert drops is not None
    return [(drop.node, drop.link, drop.reason) for drop in drops]


@pytest.mark.root
def test_nothing_is_heard_of_other_namespaces() -> None:
    """Packets thrown away elsewhere on the machine, in a sandbox the program is not aimed at, never reach the ring."""
    with aimed() as (loaded, door):

        def refused() -> None:
            sh("ip link set lo up")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"nobody listens there", ("127.0.0.1", 9))

        def mine() -> None:
            door.send(b"x")
            door.recv(1)
            refused()

        ring = DropRing(loaded.ring, loaded.ring_size, loaded.layout)
        assert not run_in_sandbox(refused, "root")
        assert not run_in_sandbox(mine, "root")
        assert [dropped.packet.dport for dropped in ring.take()] == [9], "one of two, the one in our own sandbox"
        assert not run_in_sandbox(refused, "root")
        assert list(ring.take()) == []
        ring.close()


def test_who_may_not_is_told() -> None:
    """Inside a sandbox even root is refused, in words."""

    def inside() -> None:
        with pytest.raises(CannotListen, match="only the machine's root"):
            load()

    assert not run_in_sandbox(inside, "root" if os.geteuid() == 0 else "self")


@pytest.mark.parametrize("data", [b"", b"\0" * 64, struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, 0, 0, 0)])
def test_what_is_no_type_information(data: bytes) -> None:
    """Too short, another magic, or empty: an error that the loader turns into words, never a wrong offset."""
    with pytest.raises((ValueError, KeyError)):
        btf.Btf(data).find("sk_buff")


@pytest.mark.kernel_may_lack
def test_offsets_are_those_of_this_kernel() -> None:
    """The name of a network device comes first in its structure, as it has since there is one."""
    try:
        with open(btf.PATH, "rb") as file:
            types = btf.Btf(file.read())
    except FileNotFoundError:
        pytest.skip("this kernel has no type information")
    assert types.offset("net_device", "name") % 8 == 0
    assert types.offset("sk_buff", "head") < types.offset("sk_buff", "data")
    assert "SKB_DROP_REASON_NETFILTER_DROP" in types.names("skb_drop_reason").values()
