"""Recording for real: order, loss, floods, broken frames, interfaces that go; ping(8), ip(8) and kernel counters are the witnesses."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import itertools
import re
import socket
import struct

import pytest

from capture import frames
from capture.watching import busy, watched
from helpers.sandboxed import answers, sandboxed, sh, tun_is_lent
from helpers.wires import inside
from netless_lab.kernel.capture import Recorder, Taps
from netless_lab.kernel.capture.ring import Ring
from netless_lab.kernel.capture.sieve import EVERYTHING, echoes
from netless_lab.kernel.capture.taps import FOLLOWED, PROBED
from netless_lab.kernel.evidence.lookout import sieve_for
from netless_lab.kernel.namespace import call_in, socket_in
from netless_lab.kernel.probe import run
from netless_lab.kernel.read import NodeRef
from netless_lab.model.journeys.decode import decode
from netless_lab.model.journeys.frame import Recording
from netless_lab.model.journeys.packet import ACK, RST, SYN
from netless_lab.model.probe import Connect

PINGS = 2000
REQUEST = ["c1.eth0 out", "host.veth1", "host.br0", "host.up0 out", "net.eth0"]
REPLY = ["net.eth0 out", "host.up0", "host.br0 out", "host.veth1 out", "c1.eth0"]


def journeys_by_sequence(recording: Recording) -> dict[int, list[str]]:
    """Where each echo was seen, in the order of the recording."""
    found: dict[int, list[str]] = {}
    for frame in recording.frames:
        packet = decode(frame.data)
        if packet.kind in ("echo-request", "echo-reply"):
            found.setdefault(packet.seq, []).append(f"{frame.node}.{frame.link}{' out' if frame.direction == 'out' else ''}")
    return found


@pytest.mark.parametrize("load", ["idle", "busy"])
@sandboxed
async def test_two_thousand_pings_in_the_right_order(load: str) -> None:
    """A flood of pings through bridge, router and NAT: every journey has its ten sightings in the true order, and none is lost."""
    async with watched() as lab:
        with busy() if load == "busy" else contextlib.nullcontext():
            recording = await lab.record("ping", "-n", "-f", "-q", "-c", str(PINGS), "198.51.100.10")
        received = re.search(r"(\d+) received", lab.said)
        assert received is not None and int(received[1]) == PINGS, lab.said
        found = journeys_by_sequence(recording)
        right = sum(sightings == REQUEST + REPLY for sightings in found.values())
        assert (right, len(found), recording.lost, recording.left_out) == (PINGS, PINGS, 0, 0)


@sandboxed
async def test_a_ring_in_place_of_another_hears_each_frame_once() -> None:
    """While rings are made larger and smaller and many packets pass, nothing is lost, nothing is heard twice, and the order is true."""
    async with watched() as lab:
        taps = lab.lookout.taps

        async def change() -> None:
            for slots in itertools.cycle((8192, FOLLOWED)):
                taps.slots = slots
                await taps.attend(lab.nodes.values())

        changing = asyncio.create_task(change())
        recording = await lab.record("ping", "-n", "-i0.001", "-q", "-c", "1000", "198.51.100.10")
        changing.cancel()
        assert [sightings for sightings in journeys_by_sequence(recording).values() if sightings != REQUEST + REPLY] == []
        assert recording.complete and len(journeys_by_sequence(recording)) == 1000


@pytest.mark.parametrize("flood", ["ping -nfqc3000 10.0.0.3", "ping -nfqc3000 ::1"])
@sandboxed
async def test_a_flood_of_pings_takes_no_room_from_another_probe(flood: str) -> None:
    """Nobody reads while more echoes pass than a ring holds; a connection beside them is seen whole."""
    async with watched() as lab:
        inside(lab.nodes, "c1", "echo 0 > /proc/sys/net/ipv6/conf/lo/disable_ipv6")
        lab.lookout.taps.slots = PROBED
        await lab.lookout.attend(lab.nodes.values())
        probe = Connect("c1", "198.51.100.10", 80)
        with lab.lookout.watch(sieve_for(probe)) as watching:
            inside(lab.nodes, "c1", flood)
            await run(probe, lab.nodes, deadline_s=1, grace_s=0.06)
            recording = watching.stop().recording
        assert recording.complete
        flags = [packet.flags for frame in recording.frames if frame.node == "net" and (packet := decode(frame.data)).kind == "tcp"]
        assert flags == [SYN, RST | ACK]


@sandboxed
def test_a_full_ring_counts_what_it_drops() -> None:
    """Nobody reads: what the ring holds and what it says it dropped are together what the kernel's own counter saw."""
    sh("ip link set lo up")
    ring = Ring(256)
    ring.hear(EVERYTHING)
    sh("ping -n -f -q -c 300 127.0.0.1")
    kept, dropped = len(ring.take(1000)), ring.dropped()
    with open("/sys/class/net/lo/statistics/tx_packets", encoding="ascii") as file:
        passed = int(file.read())
    assert kept == 256
    assert kept + dropped == 2 * passed >= 1200, "on lo each packet is seen going out and coming in"


@sandboxed
async def test_a_flood_is_bounded_and_told() -> None:
    """A recording keeps its limit, counts the rest, and the loop goes on meanwhile."""
    async with watched() as lab:
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0.005)
                turns += 1

        counting = asyncio.create_task(count())
        recording = await lab.record("ping", "-n", "-f", "-q", "-c", "5000", "10.0.0.3", limit=1000)
        counting.cancel()
        assert len(recording.frames) == 1000 and recording.left_out > 1000 and not recording.complete
        assert turns > 5


@sandboxed
async def test_nothing_is_heard_between_recordings() -> None:
    """Frames that pass while nobody records are neither kept nor counted as lost."""
    async with watched() as lab:
        inside(lab.nodes, "c1", "ping -nqc3 -i0.01 10.0.0.1")
        recording = await lab.record("true")
        assert [frame for frame in recording.frames if decode(frame.data).kind == "echo-request"] == []
        assert recording.lost == 0


@sandboxed
async def test_an_interface_that_goes_keeps_its_name() -> None:
    """Deleted, renamed or moved away before anybody read its frames: each frame still says where it was seen, in the right node."""
    async with watched() as lab:
        recorder = Recorder(lab.lookout.taps)
        recorder.start()
        inside(lab.nodes, "c1", "ping -nqc1 -W1 10.0.0.3")  # the loop stands still until all three have happened
        sh("ip link del veth1; ip link set veth2 down; ip link set veth2 name other")
        sh(f"ip link set up0 netns {lab.nodes['c2'].pid}")
        recording = recorder.stop()
        seen = {(frame.node, frame.link) for frame in recording.frames if decode(frame.data).kind == "echo-request"}
        assert seen == {("c1", "eth0"), ("host", "veth1"), ("host", "other"), ("c2", "eth0")}


@sandboxed
async def test_interfaces_made_later_are_heard() -> None:
    """A cable plugged in while the recording runs is heard at both ends, under the names of its own nodes."""
    async with watched() as lab:
        recorder = Recorder(lab.lookout.taps)
        recorder.start()
        sh(f"ip link add late type veth peer name eth9 netns {lab.nodes['c2'].pid}; ip addr add 10.9.0.1/24 dev late; ip link set late up")
        inside(lab.nodes, "c2", "ip addr add 10.9.0.2/24 dev eth9; ip link set eth9 up")
        assert answers("10.9.0.1", lab.nodes["c2"].pid)
        links = {(frame.node, frame.link) for frame in recorder.stop().frames}
        assert {("host", "late"), ("c2", "eth9")} <= links


@sandboxed
async def test_frames_bigger_than_a_slot_are_whole() -> None:
    """A full packet is recorded to its last byte, although the ring's slots only hold headers."""
    async with watched() as lab:
        recording = await lab.record("ping", "-n", "-q", "-c", "3", "-i", "0.01", "-s", "1400", "-p", "5a", "198.51.100.10")
        heard = [frame for frame in recording.frames if decode(frame.data).kind.startswith("echo")]
        assert len(heard) == 30
        assert {(len(frame.data), frame.length) for frame in heard} == {(1442, 1442)}
        assert all(frame.data.endswith(b"\x5a" * 1300) for frame in heard)


@sandboxed
async def test_broken_frames_pass_through() -> None:
    """Garbage on the wire is recorded byte for byte and stops nothing."""
    async with watched() as lab:
        sent = [frame for frame in frames.broken(seed=11, count=300) if len(frame) >= 14]
        recorder = Recorder(lab.lookout.taps)
        recorder.start()
        with socket_in(lab.nodes["c1"].namespace, socket.AF_PACKET, socket.SOCK_RAW) as raw:
            for frame in sent:
                with contextlib.suppress(OSError):
                    raw.sendto(frame, ("eth0", 0))
        inside(lab.nodes, "c1", "ping -nqc1 -W1 10.0.0.1")
        recording = recorder.stop()
        heard = [frame.data for frame in recording.frames if (frame.node, frame.direction) == ("c1", "out")]
        assert sum(frame in heard for frame in sent) > 200
        assert any(decode(frame.data).kind == "echo-reply" for frame in recording.frames)


@pytest.mark.kernel_may_lack
@sandboxed
async def test_a_device_without_ethernet_is_read_as_well() -> None:
    """A tun device carries bare IP: its packets get the header everything here expects."""
    if not tun_is_lent():
        return
    async with watched() as lab:
        with open("/dev/net/tun", "r+b", buffering=0) as tun:
            fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", b"tun7", 0x1001))
            sh("ip addr add 10.7.0.1/24 dev tun7; ip link set tun7 up")
            recorder = Recorder(lab.lookout.taps)
            recorder.start()
            sh("ping -nqc1 -W0.2 10.7.0.2 || true")
            recording = recorder.stop()
            kinds = {decode(frame.data).kind for frame in recording.frames if frame.link == "tun7"}
            assert "echo-request" in kinds


@sandboxed
async def test_a_tag_is_where_it_was_on_the_wire() -> None:
    """The kernel takes the tag of a VLAN out of a frame that comes in and keeps it beside it: recorded are the bytes that were sent."""
    async with watched() as lab:
        recorder = Recorder(lab.lookout.taps)
        sent = frames.tagged(frames.ip4(1, frames.echo(ident=4242)), vlan=7)
        recorder.start()
        with socket_in(lab.nodes["c1"].namespace, socket.AF_PACKET, socket.SOCK_RAW, 0) as raw:
            raw.bind(("eth0", 0))
            raw.send(sent)
        heard = [frame for frame in recorder.stop().frames if (frame.node, frame.link) == ("host", "veth1")]
        ours = [frame for frame in heard if frame.data[:12] == sent[:12]]  # the kernel speaks too, of groups that somebody joined
        assert [(frame.data, frame.length) for frame in ours] == [(sent, len(sent))]


@sandboxed
async def test_a_frame_for_everybody_is_told_from_one_for_a_group() -> None:
    """A broadcast and a multicast, by the destination that the frame itself carries (IEEE 802), and what leaves from what comes in."""
    async with watched() as lab:
        recorder = Recorder(lab.lookout.taps)
        recorder.start()
        inside(lab.nodes, "c1", "ping -nqc1 -W0.2 -I eth0 224.0.0.1 || true; ping -nqc1 -W0.2 -b 10.0.0.255 || true")
        echo_requests = [frame for frame in recorder.stop().frames if decode(frame.data).kind == "echo-request"]
        told = {(frame.data[:6].hex(":"), frame.direction) for frame in echo_requests if (frame.node, frame.link) == ("c2", "eth0")}
        assert told == {("01:00:5e:00:00:01", "multicast"), ("ff:ff:ff:ff:ff:ff", "broadcast")}
        assert {frame.direction for frame in echo_requests if frame.node == "c1"} == {"out"}


@sandboxed
async def test_a_sieve_lets_through_the_ids_it_was_given_and_no_others() -> None:
    """Both ends of the range belong to it: the last attempt of a probe must be seen like the first."""
    async with watched() as lab:
        recorder = Recorder(lab.lookout.taps, sieve=echoes(100, 102))
        recorder.start()
        for ident in range(98, 105):
            inside(lab.nodes, "c1", f"ping -nqc1 -W5 -e {ident} 10.0.0.1")
        idents = {packet.sport for frame in recorder.stop().frames if (packet := decode(frame.data)).kind == "echo-request"}
        assert idents == {100, 101, 102}


@sandboxed
async def test_a_sieve_for_a_ping_lets_through_tunnels_in_pieces() -> None:
    """A frame in a tunnel that is too big for the link goes in pieces, of which only the first says whose it is. Other people's UDP does not pass."""
    async with watched() as lab:
        recorder = Recorder(lab.lookout.taps, sieve=echoes(100, 102))
        recorder.start()
        with socket_in(lab.nodes["c1"].namespace, socket.AF_INET, socket.SOCK_DGRAM) as tunnel:
            tunnel.sendto(b"\xff" * 4000, ("10.0.0.1", 4789))
            tunnel.sendto(b"\xff" * 500, ("10.0.0.1", 4790))
        sent = [frame for frame in recorder.stop().frames if (frame.node, frame.link, frame.direction) == ("c1", "eth0", "out")]
        created = inside(lab.nodes, "c1", "nstat -asz IpFragCreates | grep -o '[0-9]\\+' | head -1")
        pieces = [frame for frame in sent if frame.data[12:14] == b"\x08\x00" and frame.data[23] == socket.IPPROTO_UDP]  # else it is a byte of ARP's
        assert len(pieces) == int(created) == 3


@sandboxed
async def test_a_node_that_comes_and_goes() -> None:
    """A tap is opened for a new node while recording, and an open tap does not outlive its node's place in the lab."""
    async with watched() as lab:
        taps, nodes = lab.lookout.taps, dict(lab.nodes)
        gone = nodes.pop("c2")
        recorder = Recorder(taps)
        recorder.start()
        await taps.attend(nodes.values())
        assert "c2" not in taps.nodes
        inside(lab.nodes, "c1", "ping -nqc1 -W1 10.0.0.3")
        await taps.attend((*nodes.values(), gone))
        inside(lab.nodes, "c1", "ping -nqc1 -W1 10.0.0.3")
        asked = [frame.node for frame in recorder.stop().frames if decode(frame.data).kind == "echo-request"]
        assert (asked.count("c1"), asked.count("c2")) == (2, 1)


@sandboxed
async def test_a_node_that_cannot_be_entered_is_named() -> None:
    """A namespace handle that was closed is passed over; one that lost its rights is named, and the others are heard."""
    async with watched() as lab:
        closed = NodeRef("c9", "container", lab.nodes["c2"].namespace.dup())
        closed.namespace.close()
        taps = Taps()
        await taps.attend((lab.nodes["c1"], closed))
        assert taps.nodes == {"c1"}
        await taps.close()
        packets = call_in(lab.nodes["c1"].namespace, lambda: sh("cat /proc/thread-self/net/packet")).splitlines()
        assert len(packets) - 1 == 1, "only the lab's own tap is left"
