"""What can be read about this machine without trying anything: the switches that decide whether a room can be made."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Facts:
    """None means that this machine has no such switch, or does not show it to this user.

    ``container`` is docker, podman, codespaces or ""; it is a hint for wording only: such marks also lie on machines that
    can do everything. ``modules_missing``: there are kernel modules on disk, but none for the kernel that runs.
    """

    uid: int
    release: str
    executable: str = "/usr/bin/python3"
    max_user_namespaces: int | None = None
    userns_clone: int | None = None
    apparmor_userns: int | None = None
    seccomp: int = 0
    in_chroot: bool = False
    container: str = ""
    wsl: bool = False
    docker_desktop: bool = False
    modules_missing: bool = False


def gather() -> Facts:
    """Read them here and now; about 0.3 ms."""
    release = os.uname().release
    return Facts(
        uid=os.geteuid(),
        release=release,
        executable=os.path.realpath(sys.executable),
        max_user_namespaces=_number("/proc/sys/user/max_user_namespaces"),
        userns_clone=_number("/proc/sys/kernel/unprivileged_userns_clone"),
        apparmor_userns=_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
        seccomp=_seccomp(),
        in_chroot=_in_chroot(),
        container=_container(),
        wsl="microsoft" in release.lower(),
        docker_desktop="linuxkit" in release.lower(),
        modules_missing=_modules_missing(release),
    )


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _number(path: str) -> int | None:
    text = _text(path)
    return int(text) if text.isdigit() else None


def _seccomp() -> int:
    """0 off, 1 strict, 2 filter (proc(5), Seccomp)."""
    for line in _text("/proc/self/status").splitlines():
        if line.startswith("Seccomp:"):
            return int(line.split()[1])
    return 0


def _in_chroot() -> bool:
    """Whether our root is not the root of our mount namespace: the kernel then refuses user namespaces (user_namespaces(7), EPERM).

    The first line of mountinfo that is mounted on "/" shows it: in a chroot into a plain directory there is none.
    """
    lines = _text("/proc/self/mountinfo").splitlines()
    return bool(lines) and not any(line.split()[4] == "/" for line in lines)


def _container() -> str:
    if os.environ.get("CODESPACES"):
        return "codespaces"
    if os.path.exists("/run/.containerenv"):
        return "podman"
    return "docker" if os.path.exists("/.dockerenv") else ""


def _modules_missing(release: str) -> bool:
    try:
        installed = os.listdir("/lib/modules")
    except OSError:
        return False
    return bool(installed) and release not in installed
