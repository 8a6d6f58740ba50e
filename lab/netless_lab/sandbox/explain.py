"""From what failed and what is known about the machine to why, and what to do. Pure: facts in, sentences out.

Sources: user_namespaces(7); rootlesskit's warnings about AppArmor (its pull request 421); Docker's manual on seccomp and masked
paths; WSL issues 8071 and 9772.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import Final

from ..model.needs import Need
from .facts import Facts
from .limits import kernel_version
from .status import Failure, Stage

_EARLY: Final[tuple[Stage, ...]] = ("user namespace", "uid map", "namespaces")
_DENIED: Final = (errno.EPERM, errno.EACCES)


@dataclass(frozen=True, slots=True)
class Advice:
    """Why it does not work, and what to do. Both empty when the cause is not known."""

    why: str = ""
    do: str = ""


UNKNOWN: Final = Advice()


def explain_start(failure: Failure, facts: Facts) -> Advice:
    """Why a room could not be made, as far as the facts tell."""
    if failure.stage == "name" and failure.errno == errno.EADDRINUSE:
        return Advice("a lab of this name runs already", "join it, or choose another name with --lab")
    if failure.stage in _EARLY:
        return _no_user_namespace(failure, facts)
    if failure.stage in ("mounts", "proc and sys", "locked mounts"):
        return _no_mounts(failure, facts)
    if failure.stage == "system calls":
        why = "the kernel grants no filter of system calls, without which no lab is started: some program has used up the machine's memory for filters"
        return Advice(why, "end that program (a lab: `netless down`) and try again; net.core.bpf_jit_limit is how much there is")
    if failure.errno in (errno.EAGAIN, errno.ENOMEM):
        return Advice("the machine has no room for more processes or memory", "end something and try again; `ulimit -u` shows your limit")
    return UNKNOWN


DEVICE_OF_ROOT: Final = Advice("/dev/net/tun of this machine can be opened by root only", "sudo chmod 0666 /dev/net/tun")
"""The lab of an ordinary user is root of its own namespaces, and nobody to a device file of the machine. 0666 is what udev gives it."""


def explain_kernel(errno_: int, module: str, facts: Facts) -> Advice:
    """Why the kernel does not know a kind of device or rule that a lesson needs. ``module`` is what would bring it."""
    if errno_ in _DENIED:
        return _restricted(facts) or Advice("the kernel refused it, though the room is root of its own namespaces", "")
    if facts.wsl and kernel_version(facts.release) < (5, 16):
        return Advice(f"the WSL kernel {facts.release} was built without it", "run `wsl --update` in Windows, then `wsl --shutdown`")
    if facts.modules == "other":
        why = f"the running kernel {facts.release} has no modules on disk: it was upgraded, and the machine not restarted since"
        return Advice(why, "restart the machine")
    if facts.modules == "none":
        why = f"{module} is not in this kernel, and there are no modules here that could bring it"
        return Advice(why, f"in a container: sudo modprobe {module} on the machine that runs it; else take the distribution's own kernel")
    return Advice(f"{module} is neither built into this kernel nor loaded", f"sudo modprobe {module}")


def explain_need(need: Need, errno_: int, facts: Facts) -> Advice:
    """Why this machine does not meet a need that was tried, and what to do. ``errno_`` is what the kernel said, -1 for a program's own words."""
    if need.module == "tun" and errno_ == errno.EACCES:
        return DEVICE_OF_ROOT
    if errno_ > 0 and need.module:
        return explain_kernel(errno_, need.module, facts)
    if errno_ > 0 and need.option and errno_ not in _DENIED:
        return Advice(f"this kernel was built without it ({need.option})", "use the distribution's own kernel")
    return UNKNOWN


def lacks_program(need: Need) -> Advice:
    """What to do where a program is not installed."""
    return Advice(f"it comes with the package {need.package}", f"sudo apt-get install {need.package}")


def apparmor_profile(executable: str) -> str:
    """The commands that allow user namespaces to one interpreter and leave the restriction in force for all else."""
    return (
        "sudo tee /etc/apparmor.d/netless >/dev/null <<'END'\n"
        "abi <abi/4.0>,\n"
        "include <tunables/global>\n"
        f"profile netless {executable} flags=(unconfined) {{\n"
        "  userns,\n"
        "}\n"
        "END\n"
        "sudo apparmor_parser -r /etc/apparmor.d/netless"
    )


def _no_user_namespace(failure: Failure, facts: Facts) -> Advice:
    if facts.max_user_namespaces == 0:
        return Advice("user namespaces are switched off: user.max_user_namespaces is 0", "sudo sysctl user.max_user_namespaces=15000")
    if failure.errno == errno.ENOSPC:
        why = "the limit on user namespaces is reached (user.max_user_namespaces, or 32 levels of nesting)"
        return Advice(why, "end other sandboxes, or: sudo sysctl user.max_user_namespaces=15000")
    if failure.errno == errno.EINVAL:
        return Advice("this kernel was built without user namespaces (CONFIG_USER_NS)", "use the distribution's own kernel")
    if failure.errno not in _DENIED:
        return UNKNOWN
    if facts.userns_clone == 0 and facts.uid != 0:
        why = "only root may make user namespaces here: kernel.unprivileged_userns_clone is 0"
        return Advice(why, "sudo sysctl kernel.unprivileged_userns_clone=1")
    if facts.in_chroot:
        return Advice("this is a chroot, and the kernel refuses user namespaces there", "run netless outside of the chroot")
    return _restricted(facts) or Advice(
        "the kernel gave no reason; it refuses user namespaces to programs in a chroot, and security modules may refuse them too",
        "run netless outside of a chroot or container, or ask whoever administers this machine",
    )


def _no_mounts(failure: Failure, facts: Facts) -> Advice:
    if failure.errno not in _DENIED:
        return UNKNOWN
    if failure.stage == "proc and sys" and not _apparmor(facts):
        why = "parts of /proc are covered here, as container engines do, and the kernel then refuses a new /proc"
        return Advice(why, _container_options(facts))
    return _restricted(facts) or UNKNOWN


def _restricted(facts: Facts) -> Advice | None:
    """The two powers that take rights away after the fact: AppArmor and a container's seccomp filter."""
    if _apparmor(facts):
        why = "AppArmor lets only named programs use user namespaces (kernel.apparmor_restrict_unprivileged_userns is 1)"
        profile = apparmor_profile(facts.executable)
        return Advice(why, f"allow this Python:\n{profile}\nor lift it for all: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0")
    if facts.seccomp == 2:
        where = "GitHub Codespaces" if facts.codespaces else "a container engine"
        return Advice(f"a seccomp filter forbids it, as {where} sets it", _container_options(facts))
    return None


def _apparmor(facts: Facts) -> bool:
    return facts.apparmor_userns == 1 and facts.uid != 0


def _container_options(facts: Facts) -> str:
    options = "--security-opt seccomp=unconfined --security-opt systempaths=unconfined --security-opt apparmor=unconfined"
    if facts.codespaces:
        return f'put this into .devcontainer/devcontainer.json and rebuild: "runArgs": {options.split()!r}'.replace("'", '"')
    if facts.docker_desktop:
        return f"start the container with: docker run {options} ... (Docker Desktop: also as --privileged), or use a Linux VM"
    return f"start the container with: docker run {options} ..., or use a virtual machine"
