"""What somebody throws away, replaces or covers of the room itself comes back with a reset, and only what came back is said to. sh, stat and ls
are the witnesses.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpers.running import Running, running
from helpers.waiting import eventually
from netless_lab.protocol import Notice, Scope

pytestmark = pytest.mark.kernel

FOLDERS = ("/run/lock", "/run/netns", "/run/netless/containers", "/etc/netns")


@pytest.fixture(scope="module")
def lab() -> Iterator[Running]:
    """One lab for this file; each test leaves it as a reset does."""
    with running() as own:
        yield own


def told(lab: Running, scope: Scope) -> str:
    """What a reset lists before, what it answers, and what every view is told meanwhile."""
    before = lab.what_goes(scope)
    lab.events.clear()
    answer = lab.reset(scope).text
    assert eventually(lambda: lab.status().busy == "")
    return "\n".join((*before.going, *before.coming, answer, *(event.text for event in lab.events if isinstance(event, Notice))))


@pytest.mark.parametrize("scope", ["step", "lab"])
@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("instead", ["", "touch {0}", "ln -s /tmp {0}"], ids=["nothing", "a file", "a link"])
def test_a_folder_of_the_room_that_is_gone(lab: Running, folder: str, instead: str, scope: Scope) -> None:
    """It is there again, whatever is in its place; that nothing else differs is no fault; what a link leads to is nobody's but the learner's."""
    lab.goto("netless/name")
    lab.sh(f"touch /tmp/mine; rm -rf {folder}; {instead.format(folder)}")
    assert folder in told(lab, scope)
    assert lab.sh(f"stat -c %F {folder}; ls /tmp/mine") == "directory\n/tmp/mine\n"



def test_a_folder_below_var_that_became_a_file(lab: Running) -> None:
    """It is a folder again when the lab starts over."""
    lab.reset("lab")
    lab.sh("rmdir /var/cache; touch /var/cache; rm /var/lock; mkdir /var/lock")
    lab.reset("lab")
    assert lab.sh("stat -c %F /var/cache; readlink /var/lock") == "directory\n/run/lock\n"


@pytest.mark.parametrize("scope", ["step", "lab"])
def test_what_cannot_be_put_back_is_not_said_to_be(lab: Running, scope: Scope) -> None:
    """Where /run is full, a program of the lab's is still missing: a reset says that and why, and the next one, when there is room, has it."""
    lab.goto("netless/name")
    lab.sh("rm /run/netless/bin/sudo; dd if=/dev/zero of=/run/lab/big bs=64k 2>/dev/null; dd if=/dev/zero of=/run/lab/rest bs=1 2>/dev/null; true")
    said = told(lab, scope)
    assert "/run/netless/bin/sudo: No space left on device" in said and "were put back" not in said, said
    assert lab.sh("test -s /run/netless/bin/sudo && echo there", check=False) == ""
    lab.sh("rm /run/lab/big /run/lab/rest")
    assert "/run/netless/bin/sudo" in told(lab, scope)
    assert lab.sh("sudo echo there") == "there\n"


@pytest.mark.parametrize("damage", ["rm /etc/hosts", "umount /etc/hosts"])
def test_a_container_sees_its_own_files_again(lab: Running, damage: str) -> None:
    """Removed in the host, which takes it off in every node, or taken off in c1: c1 has its own file after a reset of the step, and it is told."""
    lab.goto("netless/name")
    own = lab.sh("cat /etc/hosts", "c1")
    lab.sh(damage, "c1" if damage.startswith("umount") else "host")
    assert lab.sh("cat /etc/hosts", "c1", check=False) != own
    assert "/etc/hosts in c1" in told(lab, "step")
    assert lab.sh("cat /etc/hosts", "c1") == own
