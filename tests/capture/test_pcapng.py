"""pcapng files: tcpdump reads them back frame by frame, tshark (where there is one) with names, comments and direction."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

from capture import frames
from capture.watching import watched
from helpers.sandboxed import sandboxed, sh
from netless_lab.kernel.capture.pcapng import pcapng
from netless_lab.model.journeys.frame import Frame


def some() -> list[Frame]:
    """Frames of two links of one name in two nodes, one of them cut."""
    samples = frames.samples()
    return [
        Frame(1_700_000_000_123_456_789, "c1", "eth0", 2, "out", samples["echo"], len(samples["echo"])),
        Frame(1_700_000_000_123_456_790, "net", "eth0", 2, "in", samples["echo"], len(samples["echo"])),
        Frame(1_700_000_001_000_000_001, "c1", "eth0", 2, "in", samples["http"][:60], 4000),
    ]


def blocks(data: bytes) -> list[tuple[int, bytes]]:
    """(type, body) of each block; every length stands twice and is a multiple of four."""
    found, at = [], 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        assert length % 4 == 0 and struct.unpack_from("<I", data, at + length - 4)[0] == length
        found.append((kind, data[at + 8 : at + length - 4]))
        at += length
    assert at == len(data)
    return found


def test_blocks_and_names() -> None:
    """One section, one interface for each link of each node, with nanoseconds; each frame says which, when, which way and how long."""
    found = blocks(pcapng(some(), lost=3))
    assert [kind for kind, _ in found] == [0x0A0D0D0A, 1, 6, 1, 6, 6]
    assert b"3 frames passed too fast" in found[0][1]
    assert b"c1:eth0" in found[1][1] and b"net:eth0" in found[3][1]
    assert all(b"\x09\x00\x01\x00\x09" in body for kind, body in found if kind == 1)
    number, high, low, kept, length = struct.unpack_from("<IIIII", found[5][1])
    assert (number, kept, length) == (0, 60, 4000)
    assert high << 32 | low == 1_700_000_001_000_000_001
    assert found[5][1].endswith(struct.pack("<HHI", 2, 4, 1 | 1 << 2) + bytes(4))


def test_tcpdump_reads_it(tmp_path: Path) -> None:
    """Every frame, with its nanoseconds."""
    path = tmp_path / "some.pcapng"
    path.write_bytes(pcapng(some()))
    command = ["tcpdump", "-nn", "-tt", "--nano", "-r", str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.split()[0] for line in told] == ["1700000000.123456789", "1700000000.123456790", "1700000001.000000001"]
    assert "echo request, id 77, seq 1" in told[0] and "HTTP" in told[2]


if shutil.which("tshark"):  # one witness more where it is installed; tcpdump reads the same files everywhere

    def test_tshark_knows_node_and_link(tmp_path: Path) -> None:
        """Wireshark's own reader shows ``node:link`` for each frame, its direction, and no complaint."""
        path = tmp_path / "some.pcapng"
        path.write_bytes(pcapng(some()))
        fields = ["-e", "frame.interface_name", "-e", "frame.packet_flags_direction", "-e", "frame.len"]
        done = subprocess.run(["tshark", "-r", str(path), "-T", "fields", *fields], capture_output=True, text=True, check=True)
        rows = [line.split("\t") for line in done.stdout.splitlines()]
        assert [(row[0], int(row[1], 16), row[2]) for row in rows] == [("c1:eth0", 2, "50"), ("net:eth0", 1, "50"), ("c1:eth0", 1, "4000")]


@sandboxed
async def test_what_was_recorded_is_what_tcpdump_reads() -> None:
    """A real ping saved and read back: as many frames as were recorded, no warning."""
    async with watched() as lab:
        recording = await lab.record("ping", "-nqc2", "-i0.01", "198.51.100.10")
        with open("/tmp/ping.pcapng", "wb") as file:
            file.write(pcapng(recording.frames))
        told = sh("unshare --user tcpdump -nn -r /tmp/ping.pcapng")  # as root it would want to become user tcpdump, who is not here
        assert len(told.splitlines()) == len(recording.frames) > 20
        assert told.count("ICMP echo request") == 10
