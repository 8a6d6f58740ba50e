"""What stands in a room: the machine's root, read-only, and private directories on top of it.

``set_up`` runs as root of user namespace A in the room's first mount namespace; ``mount_proc_and_sys`` in a process that has also
entered the room's pid and net namespaces. Nothing is created outside: every directory used exists on any Linux machine, and
what is built is built on memory file systems that belong to the room.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
import stat
from collections.abc import Iterator
from typing import Final

from ..kernel import syscalls as sc
from ..room import BIN, HOME, NETLESS, NETNS, PROGRAM_PATH
from .plan import PROGRAMS, Plan
from .staged import Staged

MACHINE_ETC: Final = f"{NETLESS}/etc"
"""The machine's own /etc, read-only: where ``room_files`` finds what was thrown away of the room's."""
CONTAINERS: Final = f"{NETLESS}/containers"
_NO_GROUPS: Final = os.path.join(os.path.dirname(os.path.abspath(__file__)), "nogroups.py")
EMPTY_RESOLV_CONF: Final = "# no name server yet\n"
_PRIVATE: Final = (("/run", 0o755, "16m"), ("/tmp", 0o1777, "64m"), ("/var", 0o755, "16m"))
_OF_VAR: Final = ("cache", "lib", "local", "log", "mail", "opt", "spool")
"""hier(7)"""
_THE_KERNELS: Final = ("/proc", "/sys", "/dev")
_DEVICES: Final = ("null", "zero", "full", "random", "urandom", "tty", "net/tun")
DEVICE_LINKS: Final = (
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
)
_KEPT_FLAGS: Final = {
    "nosuid": sc.MS_NOSUID,
    "nodev": sc.MS_NODEV,
    "noexec": sc.MS_NOEXEC,
    "noatime": sc.MS_NOATIME,
    "nodiratime": sc.MS_NODIRATIME,
    "relatime": sc.MS_RELATIME,
}


def set_up(plan: Plan, staged: Staged) -> None:
    """Everything but /proc and /sys. Raises OSError naming the call and the path."""
    os.umask(0o022)
    sc.mount(None, "/", None, sc.MS_REC | sc.MS_PRIVATE)
    make_read_only()
    with _held((*plan.keep, *(f"/dev/{name}" for name in _DEVICES)), staged) as held:
        machine_etc = os.open("/etc", os.O_PATH | os.O_CLOEXEC | os.O_DIRECTORY)
        stage = staging_place()
        _set_up_dev(stage, held)
        _set_up_etc(stage, plan.node)
        covered = _cover_what_is_not_shown()
        for path, mode, size in _private_places():
            sc.mount("tmpfs", path, "tmpfs", sc.MS_NOSUID | sc.MS_NODEV, f"mode={mode:o},size={size}")
        _set_up_var()
        for path in plan.keep:
            if path in held:
                _show_again(path, held[path])
        for path in covered:
            sc.mount(None, path, None, sc.MS_BIND | sc.MS_REMOUNT | sc.MS_RDONLY | sc.MS_NOSUID | sc.MS_NODEV)
    _set_up_run()
    _write_commands(plan.path, plan.executable)
    os.mkdir(MACHINE_ETC)
    sc.bind(f"/proc/self/fd/{machine_etc}", MACHINE_ETC)
    os.close(machine_etc)


def _cover_what_is_not_shown() -> tuple[str, ...]:
    """Put an empty directory over every directory of the machine that holds no programs, homes among them; answers which."""
    apart = {*PROGRAMS, *_THE_KERNELS, *(path for path, _, _ in _PRIVATE)}
    with os.scandir("/") as entries:
        found = sorted(entry.path for entry in entries if entry.is_dir(follow_symlinks=False) and entry.path not in apart)
    for path in found:
        sc.mount("tmpfs", path, "tmpfs", sc.MS_NOSUID | sc.MS_NODEV, "mode=755,size=64k")
    return tuple(found)


def _set_up_var() -> None:
    for name in _OF_VAR:
        os.mkdir(f"/var/{name}")
    os.mkdir("/var/tmp")
    os.chmod("/var/tmp", 0o1777)
    os.symlink("/run", "/var/run")
    os.symlink("/run/lock", "/var/lock")


def make_read_only() -> None:
    """Every mount of this mount namespace becomes read-only and has no devices: by one call, or one by one before Linux 5.12."""
    try:
        sc.close_below("/")
    except OSError as error:
        if error.errno not in (errno.ENOSYS, errno.EPERM):
            raise
        remount_read_only_one_by_one()


def remount_read_only_one_by_one() -> None:
    """The long way. A mount that cannot be reached because another one covers it cannot be written either, and is passed over."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        lines = [line.split() for line in file]
    for fields in lines:
        target = unescape(fields[4])
        flags = sum(_KEPT_FLAGS.get(option, 0) for option in fields[5].split(","))
        try:
            sc.mount(None, target, None, sc.MS_BIND | sc.MS_REMOUNT | sc.MS_RDONLY | sc.MS_NODEV | flags)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOENT, errno.ENOTDIR, errno.EACCES):
                raise


def unescape(field: str) -> str:
    r"""A path of /proc/self/mountinfo, where blanks and backslashes are ``\040`` and the like (proc(5))."""
    for code in ("\\040", "\\011", "\\012"):
        field = field.replace(code, chr(int(code[1:], 8)))
    return field.replace("\\134", "\\")


def mount_proc_and_sys() -> tuple[str, ...]:
    """The room's own /proc and /sys; answers notes on what could not be had.

    Where who is root inside is uid 0 to the kernel as well (the root of a namespace that maps the machine's root, who has no other user
    to be), he may write what the files' modes allow: then /sys is read-only, and so is all of /proc that does not belong to a process,
    except /proc/sys/net, which is the room's own. Whether it is so is tried, not concluded.
    """
    notes: list[str] = []
    flags = sc.MS_NOSUID | sc.MS_NODEV | sc.MS_NOEXEC
    sc.mount("proc", "/proc", "proc", flags)
    obeyed = _the_kernel_obeys()
    try:
        sc.mount("sysfs", "/sys", "sysfs", flags | (sc.MS_RDONLY if obeyed else 0))
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        notes.append("/sys is the machine's: this kernel lets no container mount its own, so `ls /sys/class/net` does not show the lab")
    if obeyed:
        _close_proc()
    return tuple(notes)


def _the_kernel_obeys() -> bool:
    """Whether a setting of the whole machine can be opened for writing; nothing is written."""
    try:
        os.close(os.open("/proc/sys/kernel/printk", os.O_WRONLY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def _close_proc() -> None:
    """Make read-only what in /proc is the machine's and not a process's.

    The price: a /proc that is covered in part cannot be mounted anew inside (mount_namespaces(7)), so in such a room
    ``unshare --mount-proc`` and a lab inside the lab do not work.
    """
    for name in sorted(os.listdir("/proc")):
        path = f"/proc/{name}"
        mode = os.lstat(path).st_mode
        if name.isdecimal() or not (stat.S_ISDIR(mode) or (stat.S_ISREG(mode) and mode & 0o222)):
            continue
        sc.bind(path, path, read_only=True)
    sc.bind("/proc/sys/net", "/proc/sys/net")
    sc.mount(None, "/proc/sys/net", None, sc.MS_BIND | sc.MS_REMOUNT | sc.MS_NOSUID | sc.MS_NODEV | sc.MS_NOEXEC)


def _private_places() -> Iterator[tuple[str, int, str]]:
    """The directories to cover, each once: one may be a link to another."""
    seen = set()
    for path, mode, size in _PRIVATE:
        real = os.path.realpath(path)
        if os.path.isdir(real) and real not in seen:
            seen.add(real)
            yield real, mode, size


def staging_place() -> str:
    """A directory to build on that will be covered in the end anyway."""
    return next(path for path, _, _ in _private_places())


@contextlib.contextmanager
def _held(paths: tuple[str, ...], staged: Staged) -> Iterator[dict[str, int]]:
    """Descriptors, by path, of what is about to be covered."""
    held = {path: os.open(staged.source(path), os.O_PATH | os.O_CLOEXEC) for path in paths if os.path.exists(staged.source(path))}
    try:
        yield held
    finally:
        for fd in held.values():
            os.close(fd)


def _show_again(path: str, fd: int) -> None:
    if stat.S_ISDIR(os.fstat(fd).st_mode):
        os.makedirs(path, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        _touch(path)
    sc.mount(f"/proc/self/fd/{fd}", path, None, sc.MS_BIND | sc.MS_REC)


def _set_up_dev(stage: str, held: dict[str, int]) -> None:
    """A small /dev: the devices every program expects, terminals of its own, shared memory of its own."""
    sc.mount("tmpfs", stage, "tmpfs", sc.MS_NOSUID, "mode=755,size=1m")
    os.mkdir(f"{stage}/net")
    for name in _DEVICES:
        if f"/dev/{name}" in held:
            _touch(f"{stage}/{name}")
            sc.bind(f"/proc/self/fd/{held[f'/dev/{name}']}", f"{stage}/{name}")
            sc.mount(None, f"{stage}/{name}", None, sc.MS_BIND | sc.MS_REMOUNT | sc.MS_RDONLY | sc.MS_NOSUID | sc.MS_NOEXEC)
    for name, target in DEVICE_LINKS:
        os.symlink(target, f"{stage}/{name}")
    os.mkdir(f"{stage}/pts")
    sc.mount("devpts", f"{stage}/pts", "devpts", sc.MS_NOSUID | sc.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620")
    os.mkdir(f"{stage}/shm")
    sc.mount("tmpfs", f"{stage}/shm", "tmpfs", sc.MS_NOSUID | sc.MS_NODEV, "mode=1777,size=16m")
    sc.mount(stage, "/dev", None, sc.MS_MOVE)


def _set_up_etc(stage: str, node: str) -> None:
    """A writable /etc: an overlay on memory (Linux 5.11 for user namespaces), else a directory of links to a copy of the mount."""
    sc.mount("tmpfs", stage, "tmpfs", sc.MS_NOSUID | sc.MS_NODEV, "mode=755,size=8m")
    for name in ("upper", "work"):
        os.mkdir(f"{stage}/{name}")
    _write_own_etc(f"{stage}/upper", node)
    try:
        sc.mount("overlay", "/etc", "overlay", 0, f"lowerdir=/etc,upperdir={stage}/upper,workdir={stage}/work,userxattr")
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EINVAL, errno.ENODEV, errno.EACCES):
            raise
        sc.unmount(stage)
        link_etc(node)
    else:
        sc.unmount(stage)


def link_etc(node: str) -> None:
    """Where there is no overlay: /etc on memory, each entry a link into ``/etc/.machine``, the machine's own."""
    original = os.open("/etc", os.O_PATH | os.O_CLOEXEC | os.O_DIRECTORY)
    names = os.listdir("/etc")
    sc.mount("tmpfs", "/etc", "tmpfs", sc.MS_NOSUID | sc.MS_NODEV, "mode=755,size=8m")
    _write_own_etc("/etc", node)
    os.mkdir("/etc/.machine")
    sc.bind(f"/proc/self/fd/{original}", "/etc/.machine")
    os.close(original)
    for name in names:
        with contextlib.suppress(FileExistsError):
            os.symlink(f"/etc/.machine/{name}", f"/etc/{name}")


def _write_own_etc(directory: str, node: str) -> None:
    _write(f"{directory}/hostname", f"{node}\n")
    _write(f"{directory}/hosts", f"127.0.0.1\tlocalhost {node}\n::1\tlocalhost\n")
    _write(f"{directory}/resolv.conf", EMPTY_RESOLV_CONF)
    os.mkdir(f"{directory}/netns")


def _set_up_run() -> None:
    for path in (NETNS, NETLESS, BIN, CONTAINERS):
        os.makedirs(path, exist_ok=True)
    os.makedirs("/run/lock", exist_ok=True)
    os.makedirs(HOME, 0o700, exist_ok=True)
    _write(f"{HOME}/.bashrc", "PS1='\\[\\e[1m\\]\\u@\\h\\[\\e[0m\\]:\\w\\$ '\nalias ls='ls --color=auto' grep='grep --color=auto'\n")


_SUDO: Final = """
user=root shell='' quiet=''
while :; do
    case ${1-} in
    --) shift; break ;;
    --user=*) user=${1#*=} ;;
    --user) user=${2-}; shift ;;
    --group|--host|--prompt|--chdir|--chroot|--role|--type|--other-user|--close-from|--command-timeout) shift ;;
    --login|--shell) shell=yes ;;
    --*) ;;
    -?*)
        letters=${1#-} flags=${1#-}
        flags=${flags%%[CDghpRrTtUu]*} value=${letters#"${letters%%[CDghpRrTtUu]*}"}
        case $flags in *[is]*) shell=yes ;; *[Kkv]*) quiet=yes ;; esac
        case $value in ?) shift; value=$value${1-} ;; esac
        case $value in u*) user=${value#u} ;; esac ;;
    *) break ;;
    esac
    [ $# -gt 0 ] && shift
done
case $user in root|'#0') ;; *) echo "sudo: there is no user $user in a lab, only root" >&2; exit 1 ;; esac
[ $# -gt 0 ] && exec env -- "$@"
[ -n "$shell" ] && exec "${SHELL:-/bin/sh}"
[ -n "$quiet" ] && exit 0
echo "usage: sudo COMMAND" >&2
exit 1
"""
"""sudo(8) for pages that are copied from elsewhere: one is root in here already, and sudo itself refuses to run in a user namespace."""


def _write_commands(path: tuple[str, ...], executable: str) -> None:
    """Commands that would fail in a room without help, in a directory at the head of the room's PATH."""
    _write_script("netless", f'PYTHONPATH={shlex.quote(":".join(path))} exec {shlex.quote(executable)} -m netless "$@"')
    # The machine's own python3 knows no pyroute2, which a whole dialect of the lessons is written in; ours does.
    _write_script("python3", f'exec {shlex.quote(executable)} "$@"')
    _write_script("sudo", _SUDO)
    tcpdump = program("tcpdump")
    if tcpdump:
        # tcpdump would become the user tcpdump, who does not exist in a user namespace that maps one user; and see ``nogroups``.
        words = (executable, "-I", "-S", _NO_GROUPS, tcpdump, "-Z", "root")
        _write_script("tcpdump", f'exec {shlex.join(words)} "$@"')


def program(name: str) -> str | None:
    """Where a program of the machine's lies, by its name; None where there is none. As ``shutil.which`` does it, whose import takes 2 ms."""
    places = (f"{folder}/{name}" for folder in PROGRAM_PATH.split(":"))
    return next((place for place in places if os.path.isfile(place) and os.access(place, os.X_OK)), None)


def _write_script(name: str, body: str) -> None:
    _write(f"{BIN}/{name}", f"#!/bin/sh\n{body}\n")
    os.chmod(f"{BIN}/{name}", 0o755)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _touch(path: str) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))
