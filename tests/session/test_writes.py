"""What the tutor does for somebody is looked at as a whole before its first command: a step that cannot end does not begin."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.running import Running, running
from netless_lab.client import Refused

pytestmark = pytest.mark.kernel

COURSE = """
format = 1
id = "mine"
title = "A course of one's own"
about = "A step that cannot be done."
lessons = ["bridges"]
[world]
containers = []
"""
PAGE = """+++
format = 1
id = "bridges"
title = "Bridges"
summary = "One bridge."
+++
A bridge.

## Make it

It is made.

```toml step
id = "one"
do = [{ bridge = "br1" }, { up = "br1" }, { port = "eth0", of = "br2" }]
expect = [{ link = "br1", kind = "bridge" }]
hint = ["What makes a link?"]
```
"""


def next_index(lab: Running) -> int:
    """The number that the kernel gives a new interface of the host: one more for each that was ever made."""
    return int(lab.sh("ip link add numbered type bridge && cat /sys/class/net/numbered/ifindex && ip link del numbered"))


def test_a_step_that_cannot_end_touches_nothing(tmp_path: Path) -> None:
    """Its last action needs a bridge that nobody makes: it is refused with that, and no bridge was made, not even for a moment."""
    (tmp_path / "course.toml").write_text(COURSE)
    (tmp_path / "01-bridges.md").write_text(PAGE)
    with running(folder=str(tmp_path)) as lab:
        before = next_index(lab)
        with pytest.raises(Refused) as told:
            lab.run()
        assert "br2" in str(told.value)
        assert next_index(lab) == before + 1
