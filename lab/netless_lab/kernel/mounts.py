"""Names for namespaces as ip(8) makes them: a bind mount of the namespace file on /run/netns/NAME (ip-netns(8), mount(2)).

/run/netns must be a shared mount, so that a name given in one terminal is seen, and can be taken away, in every other.
"""

from __future__ import annotations

import contextlib
import os

from ..room import NETNS
from . import syscalls as sc


def name_by_mount(source: str, name: str) -> None:
    """Mount the namespace file ``source`` on /run/netns/``name``. Raises FileExistsError when the name is taken."""
    share_directory()
    target = f"{NETNS}/{name}"
    os.close(os.open(target, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0))
    try:
        sc.bind(source, target)
    except OSError:
        os.unlink(target)
        raise


def name_by_symlink(source: str, name: str) -> None:
    """The learner's way: a symbolic link. Raises FileExistsError when the name is taken."""
    os.makedirs(NETNS, exist_ok=True)
    os.symlink(source, f"{NETNS}/{name}")


def take_name(name: str) -> None:
    """Take a name of either kind away, and a folder that is none. Raises FileNotFoundError when there is nothing."""
    target = f"{NETNS}/{name}"
    with contextlib.suppress(OSError):  # nothing is left on it
        while True:
            sc.unmount(target, follow=False)
    if os.path.isdir(target) and not os.path.islink(target):
        import shutil  # 2 ms, and seldom needed

        shutil.rmtree(target)
    else:
        os.unlink(target)


def share_directory() -> None:
    """Make /run/netns, and make it a shared mount, as the first ``ip netns add`` after boot does."""
    os.makedirs(NETNS, exist_ok=True)
    with contextlib.suppress(OSError):
        sc.mount(None, NETNS, None, sc.MS_SHARED | sc.MS_REC)
        return
    sc.mount(NETNS, NETNS, None, sc.MS_BIND | sc.MS_REC)
    sc.mount(None, NETNS, None, sc.MS_SHARED | sc.MS_REC)
