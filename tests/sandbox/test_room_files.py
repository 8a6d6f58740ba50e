"""What somebody throws away, replaces or covers of the room itself comes back with a reset, and only what came back is said to. sh, stat and ls
are the witnesses.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from helpers.running import Running
from helpers.sandboxed import sandboxed_once, sh
from helpers.waiting import eventually
from netless_lab.protocol import Notice, Scope
from netless_lab.sandbox.machines_etc import MachinesEtc
from netless_lab.sandbox.rootfs import MACHINE_ETC

pytestmark = pytest.mark.kernel

FOLDER = "netless-own"
FOLDERS = ("/run/lock", "/run/netns", "/run/netless/containers", "/etc/netns")


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


ASK = (
    """python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect("/run/netless/agent.sock"); """
    """s.sendall(b"junk\\n"); print(s.recv(999).decode())'"""
)


@pytest.mark.parametrize("scope", ["step", "lab"])
@pytest.mark.parametrize("instead", ["true", "mkdir /run/netless; touch /run/netless/mine", "touch /run/netless", "rm /run/other/agent.sock"])
def test_a_folder_of_the_room_that_was_moved(lab: Running, instead: str, scope: Scope) -> None:
    """It is where it was, with all that was in it: what the machine has in /etc, the lab's programs, and its door for those inside."""
    lab.goto("netless/name")
    look = "cd /run/netless; ls . *; ls containers/*"
    before = lab.sh(look)
    lab.sh(f"mv /run/netless /run/other; {instead}")
    assert "/run/netless" in told(lab, scope)
    assert eventually(lambda: lab.sh(look, check=False) == before)
    assert "failed" in lab.sh(ASK) and lab.sh("test -e /run/other || echo gone; netless status").startswith("gone\n")
    assert "Nothing to reset" in told(lab, scope)


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


CHANGED = {
    "a file that is another": ("rm /etc/nsswitch.conf; echo 'hosts: files' >/etc/nsswitch.conf", "cat /etc/nsswitch.conf"),
    "a file with a line more": ("cp /etc/passwd /tmp/p; echo mine:x:1:1::/:/bin/sh >>/tmp/p; rm /etc/passwd; cp /tmp/p /etc/passwd", "cat /etc/passwd"),
    "a file edited": ("sed -i s/tcp/pct/ /etc/services", "cat /etc/services"),
    "a file of another mode": ("cp /etc/services /tmp/s; rm /etc/services; cp /tmp/s /etc/services; chmod 600 /etc/services", "stat -Lc %a /etc/services"),
    "a file that is away": ("rm /etc/protocols", "cat /etc/protocols"),
    "a folder in place of a file": ("rm /etc/protocols; mkdir /etc/protocols", "cat /etc/protocols"),
    "a link in place of a file": ("ln -sf /dev/null /etc/protocols", "cat /etc/protocols"),
}  # fmt: skip
"""What somebody may do to what the machine has in /etc, and the command that shows it."""


@pytest.mark.parametrize("what", CHANGED)
def test_the_machines_own_etc_is_given_back(lab: Running, what: str) -> None:
    """A lab that starts over reads it as a fresh one does; it is listed before, and then nothing is. Twice: what was given back may be changed again."""
    typed, look = CHANGED[what]
    lab.reset("lab")
    before = lab.sh(look)
    for _ in range(2):
        lab.sh(typed)
        assert lab.sh(look, check=False) != before
        assert "/etc/" in str(lab.what_goes("lab"))
        lab.reset("lab")
        assert lab.sh(look, check=False) == before
        assert "/etc/" not in str(lab.what_goes("lab"))


def test_what_was_only_written_again_is_no_difference(lab: Running) -> None:
    """A file of the machine's that holds what it held is not listed."""
    lab.reset("lab")
    lab.sh("cp /etc/services /tmp/was; rm /etc/services; cp /tmp/was /etc/services")
    assert "/etc/" not in str(lab.what_goes("lab"))


@sandboxed_once
def test_what_may_be_written_below_is_given_back_too() -> None:
    """Where the machine's files belong to somebody the room knows: a file changed or taken away in a folder, a folder of another mode, and what was
    added to it.
    """
    for folder in (f"/etc/{FOLDER}", f"{MACHINE_ETC}/{FOLDER}"):
        sh(f"mkdir -p {folder}; cd {folder}; mkdir sub; for file in a b sub/c; do echo $file >$file; done; chmod 755 . sub")
    look, listing = f"cd /etc/{FOLDER}; cat a b sub/c; stat -c %a . sub; ls . sub", Path("/etc", FOLDER)
    before = sh(look)
    etc = MachinesEtc()
    assert etc.differing() == ((), ())
    for _ in range(2):
        sh(f"cd /etc/{FOLDER}; rm a; echo other >a; rm b; rm sub/c; echo mine >sub/c; chmod 700 sub; touch new")
        found = etc.differing()
        assert set(found.changed) == {listing / "a", listing / "b", listing / "sub", listing / "sub/c"}
        assert found.added == (listing / "new",)
        os.unlink(listing / "new")
        etc.give_back(found.changed)
        assert sh(look) == before and etc.differing() == ((), ())
