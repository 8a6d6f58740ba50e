"""What is told of packets beside their way."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from netless.commands.export import write_packets
from netless.say.packets import packet
from netless.say.plain import rows
from netless_lab.model.journey import Death, Hop, Journey
from netless_lab.protocol import Capture, JourneyEvent


@pytest.mark.parametrize(("count", "missed", "left_out"), [(1, "1 frame was", "1 frame before it was"), (2, "2 frames were", "2 frames before it were")])
def test_one_frame_and_several(count: int, missed: str, left_out: str) -> None:
    """What the capture missed, and what was left out because more passed than can be told."""
    journey = Journey("c1", "c2", (), lost_frames=count)
    first, last = (row.plain for row in rows(packet(JourneyEvent(0.0, journey, count), 40)))
    assert f"{left_out} left out" in first and f"{missed} missed by the capture" in last


ENDS: list[dict[str, Any]] = [{"death": Death("host", "br0", 0, "forward")}, {"lost_frames": 2}, {"unheard": ("c2",)}, {"left_out": 3}]


@pytest.mark.parametrize("ends", ENDS, ids=lambda ends: next(iter(ends)))
def test_how_it_ended_stands_below_where_the_hops_say_where_they_are(ends: dict[str, Any]) -> None:
    """Times have a column of their own at the left; a mark may stand at its end."""
    hop = Hop(at_us=1.0, node="c1", link="veth1", direction="out", kind="echo-request", text="10.0.0.2 > 10.0.0.1 echo request")
    _, way, last = (row.plain for row in rows(packet(JourneyEvent(0.0, Journey("c1", "c2", (hop,), **ends)), 80)))
    assert len(last) - len(last.lstrip(" ✗")) == way.index("c1 veth1")


@pytest.mark.parametrize(("count", "are"), [(1, "1 packet is in "), (2, "2 packets are in ")])
def test_a_file_says_how_many_packets_it_has(count: int, are: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One or several."""
    monkeypatch.chdir(tmp_path)
    assert write_packets(Capture(b"", count), "w").text.startswith(are)
    assert len([name for name in os.listdir(tmp_path) if re.fullmatch(r"netless-w-.*\.pcapng", name)]) == 1
