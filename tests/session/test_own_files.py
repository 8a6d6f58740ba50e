"""The files of a container's own: a rebuild gives them their text back, and what was written there is told before. cat(1) is the witness."""

from __future__ import annotations

import pytest

from helpers.running import Running

pytestmark = pytest.mark.kernel

TOLD = "gone: what is written in /etc/hosts in c1"


def written(lab: Running) -> None:
    """A name of the learner's own in c1."""
    lab.sh("echo 1.2.3.4 example.test >> /etc/hosts", "c1")


@pytest.mark.parametrize("end", [False, True])
def test_a_rebuild_gives_a_container_its_files_back(lab: Running, end: bool) -> None:
    """In place: what else in the container has the file open or mounted sees the same."""
    lab.goto("names", end=True)
    before = lab.sh("cat /etc/hosts; stat -c %i /etc/hosts; cat /etc/hostname", "c1")
    written(lab)
    lab.sh("echo other > /etc/hostname", "c1")
    lab.goto("names", end=end)
    assert lab.sh("cat /etc/hosts; stat -c %i /etc/hosts; cat /etc/hostname", "c1") == before
    assert lab.sh("cat /etc/hosts", "c2", check=False) != before


def test_what_was_written_there_is_told_before(lab: Running) -> None:
    """Of every reset; a fresh container has nothing to tell."""
    lab.goto("names", end=True)
    assert TOLD not in lab.what_goes("lab").going
    written(lab)
    assert all(TOLD in lab.what_goes(scope).going for scope in ("step", "lesson", "lab"))
    lab.reset("step")
    assert "1.2.3.4" not in lab.sh("cat /etc/hosts", "c1") and TOLD not in lab.what_goes("step").going
