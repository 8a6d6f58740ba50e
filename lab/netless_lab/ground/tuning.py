"""Devices that appear get what the ground has for new ones, each once."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from ..kernel.read import NodeRef
from ..model.snapshot import Snapshot
from .ground import Ground


class Tuning:
    """Which devices have been tuned already."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._tuned: set[tuple[int, int]] = set()

    def begin_again(self, baseline: Snapshot) -> None:
        """Everything is as in this picture, and as it was then."""
        self._tuned = {(node.netns, link.ifindex) for node in baseline.nodes for link in node.links}

    def appeared(self, snapshot: Snapshot, refs: Mapping[str, NodeRef]) -> None:
        """Tune what was in no picture before this one."""
        self._tuned &= {(node.netns, link.ifindex) for node in snapshot.nodes for link in node.links}
        for node in snapshot.nodes:
            new = [link for link in node.links if (node.netns, link.ifindex) not in self._tuned]
            names = tuple(link.name for link in new if link.kind != "loopback")
            with contextlib.suppress(OSError):  # out of files, or the node has gone: if it is there at the next look, then
                if new:
                    self._ground.tune(names, refs[node.name], new=len(names) < len(new))
                self._tuned |= {(node.netns, link.ifindex) for link in new}
