"""Files of a node: its symbolic links lead where they lead its own programs, and never to a file of whoever reads or writes them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.lab import action, lab
from helpers.sandboxed import sandboxed, sandboxed_once, sh
from netless_lab.kernel.read import hosts_of
from netless_lab.kernel.rooted import read_text, write_text
from netless_lab.primitives.base import Dialect

FILE = "/etc/resolv.conf"
OWN_ETC = """mount -t tmpfs none /etc; cd /etc; echo 'nameserver 10.0.0.7' > other; echo '10.0.0.7 example.test' > names
             ln -s /etc/other resolv.conf; ln -s /etc/names hosts"""
"""In a container: an /etc of its own, in which both files are links to files that the host has too, with other words in them."""
HOST_ETC = "echo 'nameserver 10.0.0.9' > /etc/other; echo '10.0.0.9 example.test' > /etc/names"


@sandboxed
def test_what_a_container_has_for_a_link_is_read_where_its_own_programs_read_it() -> None:
    """The file of the same name in the host is another."""
    with lab() as own:
        c1 = own.refs()["c1"]
        sh(f"{HOST_ETC}; nsenter -t {c1.pid} -m sh -ec \"{OWN_ETC}\"")
        assert sh(f"nsenter -t {c1.pid} -m cat /etc/resolv.conf") == "nameserver 10.0.0.7\n"
        node = own.snapshot().node("c1")
        assert node is not None and node.resolvers == ("10.0.0.7",)
        assert hosts_of(c1, "example.test") == "10.0.0.7"


@sandboxed
def test_what_a_container_has_for_a_link_is_written_where_its_own_programs_read_it() -> None:
    """By an action, and by a reset: the host's file of that name stays as it is."""
    with lab() as own:
        c1 = own.refs()["c1"].pid
        sh(f"{HOST_ETC}; nsenter -t {c1} -m sh -ec \"{OWN_ETC}\"")
        own.do({"resolver": "198.51.100.53", "in": "c1"})
        assert sh(f"nsenter -t {c1} -m cat /etc/other") == "nameserver 198.51.100.53\n"
        assert sh("cat /etc/other") == "nameserver 10.0.0.9\n"
        assert own.purge() == ()
        assert sh(f"nsenter -t {c1} -m cat /etc/other") == "# no name server yet\n"
        assert sh("cat /etc/other") == "nameserver 10.0.0.9\n"


@pytest.mark.parametrize("dialect", ["ip", "legacy", "pyroute2"])
@sandboxed_once
def test_what_is_shown_writes_where_it_is_read_too(dialect: Dialect) -> None:
    """The commands, typed on the host, change what the container's programs read and no file of the host's: to set the server, and to clear it."""
    with lab() as own:
        c1 = own.refs()["c1"].pid
        sh(f"{HOST_ETC}; nsenter -t {c1} -m sh -ec \"{OWN_ETC}\"")
        for verb, said in (("resolver", "nameserver 198.51.100.53\n"), ("unresolver", "")):
            own.type(action({verb: "198.51.100.53", "in": "c1"}), dialect, own.where())
            assert sh(f"nsenter -t {c1} -m cat /etc/other") == said
            assert sh("cat /etc/other") == "nameserver 10.0.0.9\n"


@sandboxed_once
def test_a_file_that_is_no_file_is_neither_waited_for_nor_written() -> None:
    """A FIFO, which nobody reads, and a terminal, whose lines are for whoever sits at it."""
    with lab() as own:
        c1 = own.refs()["c1"].pid
        sh(f"nsenter -t {c1} -m sh -ec 'mount -t tmpfs none /etc; mkfifo /etc/resolv.conf'")
        with pytest.raises(Exception, match="no regular file"):
            own.do({"resolver": "198.51.100.53", "in": "c1"})
        near, far = os.openpty()
        os.write(near, b"nameserver 10.0.0.7\n")
        os.unlink(FILE)
        os.symlink(os.ttyname(far), FILE)
        assert read_text("", FILE) == ""
        assert os.read(far, 100) == b"nameserver 10.0.0.7\n"


@pytest.mark.parametrize(
    "links",
    [
        {"etc/resolv.conf": "other"},
        {"etc/resolv.conf": "/run/there"},
        {"etc/resolv.conf": "../run/there"},
        {"etc/resolv.conf": "../../../../../run/./there"},
        {"etc/resolv.conf": "../etc/../run//there"},
        {"etc/resolv.conf": "/run/loop"},
        {"etc/resolv.conf": "resolv.conf"},
        {"etc/resolv.conf": "/run"},
        {"etc/resolv.conf": "/"},
        {"etc/resolv.conf": "/run/there/deeper"},
        {"etc/resolv.conf": "/run/none"},
        {"etc/resolv.conf": "/none/there"},
        {"etc/resolv.conf": "/usr/there", "usr": "/run"},
        {"etc/resolv.conf": "/usr/down/../there", "usr": "run"},
        {"etc": "/run", "run/resolv.conf": "/run/there"},
        {"etc/resolv.conf": "/out", "out": "../../../../tmp/outside"},
    ],
    ids=lambda links: "-".join(f"{name.replace('/', '.')}={said}" for name, said in links.items()),
)
@sandboxed_once
def test_a_link_leads_where_it_leads_below_that_root(links: dict[str, str]) -> None:
    """Absolute, relative, up beyond the root, in rings, to nothing: as for a program whose root it is (chroot(2)); nothing beyond is touched."""
    root = Path("/tmp/root")
    for folder in ("run/down", *(() if "etc" in links else ("etc",))):
        (root / folder).mkdir(parents=True)
    for path in (root / "run/there", Path("/tmp/outside"), *(() if "etc" in links else (root / "etc/other",))):
        path.write_text(f"{path.name}\n")
    (root / "run/loop").symlink_to("/run/loop")
    for name, said in links.items():
        (root / name).symlink_to(said)
    inside = _chrooted(root, "print(end=open('/etc/resolv.conf').read())")
    assert read_text(str(root), FILE) == inside
    try:
        write_text(str(root), FILE, "new\n")
    except OSError:
        with pytest.raises(AssertionError):
            _chrooted(root, "open('/etc/resolv.conf', 'w').close()", must=True)
    else:
        assert _chrooted(root, "print(end=open('/etc/resolv.conf').read())") == "new\n"
    assert Path("/tmp/outside").read_text() == "outside\n"


def _chrooted(root: Path, program: str, *, must: bool = False) -> str:
    """What a program prints whose root directory this is; "" when it fails, unless it must not."""
    done = subprocess.run([sys.executable, "-c", f"import os; os.chroot({str(root)!r}); {program}"], capture_output=True, text=True, check=False)
    assert not must or done.returncode == 0
    return done.stdout
