"""Attempts on processes: those outside, and the agent, the one process of the lab that the machine outside listens to."""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import signal
import socket

from hostile.attempt import Refused, attempt
from hostile.bait import Bait
from hostile.calls import NEWUSER, call, checked, write

SEIZE, ATTACH, INTERRUPT, DETACH = 0x4206, 16, 0x4207, 17
NS_GET_USERNS, NS_GET_PARENT = 0xB701, 0xB702
AGENTS_FILES = ("mem", "environ", "maps", "auxv", "pagemap", "syscall", "stack", "personality", "io", "smaps", "numa_maps")
AGENTS_LINKS = ("root", "exe", "cwd")
SIGNALS = ("HUP", "INT", "QUIT", "KILL", "STOP", "SEGV", "ABRT", "USR1", "USR2", "PIPE", "ALRM", "TSTP", "BUS", "SYS")
_libc = ctypes.CDLL(None, use_errno=True)


class _Part(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]


@attempt("refused", over=AGENTS_FILES)
def read_agents(bait: Bait, name: str) -> object:
    """A file of /proc/1 that only who may trace the agent can read."""
    with open(f"/proc/1/{name}", "rb") as file:
        return file.read(1) if name != "mem" else file.fileno()


@attempt("refused", over=AGENTS_LINKS)
def follow_agents(bait: Bait, name: str) -> object:
    """A link of /proc/1 into the agent's own world."""
    return os.stat(f"/proc/1/{name}")


@attempt("refused")
def list_agents_files(bait: Bait) -> object:
    """What files the agent has open."""
    return os.listdir("/proc/1/fd")


@attempt("refused", over=tuple(range(16)))
def open_agents_file(bait: Bait, number: int) -> object:
    """One of the agent's files is opened anew."""
    return os.open(f"/proc/1/fd/{number}", os.O_RDONLY | os.O_NONBLOCK)


@attempt("refused")
def list_agents_mappings(bait: Bait) -> object:
    """What files the agent has in its memory."""
    return os.listdir("/proc/1/map_files")


@attempt("refused")
def write_agents_memory(bait: Bait) -> object:
    """The agent's memory is opened to be written."""
    return os.open("/proc/1/mem", os.O_RDWR)


@attempt("refused")
def read_agents_memory_of_a_thread(bait: Bait) -> object:
    """The same by way of its thread."""
    return os.open("/proc/1/task/1/mem", os.O_RDONLY)


@attempt("refused", over=tuple(range(16)))
def take_agents_file(bait: Bait, number: int) -> object:
    """One of the agent's files is taken (pidfd_getfd): its callers, its words to the keeper."""
    return call("pidfd_getfd", call("pidfd_open", 1, 0), number, 0)


@attempt("refused")
def take_agents_listener(bait: Bait) -> object:
    """The socket at which the agent's callers come in, to answer them in its place."""
    agent = call("pidfd_open", 1, 0)
    for number in range(64):
        try:
            sock = socket.socket(fileno=call("pidfd_getfd", agent, number, 0))
        except OSError:
            continue
        if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return sock.getsockname()
    raise Refused("no listening socket could be taken")


@attempt("refused", over=(SEIZE, ATTACH))
def trace_agent(bait: Bait, request: int) -> object:
    """The agent is traced, and could be stopped and changed."""
    return call("ptrace", request, 1, 0, 0)


@attempt("refused", control="both")
def trace_a_process_outside(bait: Bait) -> object:
    """A process outside is traced."""
    call("ptrace", SEIZE, bait.pid, 0, 0)
    return call("ptrace", INTERRUPT, bait.pid, 0, 0)


@attempt("refused")
def read_agents_words(bait: Bait) -> object:
    """The agent's memory is read (process_vm_readv)."""
    return _words("process_vm_readv", 1)


@attempt("refused")
def write_agents_words(bait: Bait) -> object:
    """The agent's memory is written (process_vm_writev)."""
    return _words("process_vm_writev", 1)


@attempt("refused")
def compare_with_agents_files(bait: Bait) -> object:
    """Whether a file of ours is one of the agent's (kcmp)."""
    return call("kcmp", os.getpid(), 1, 0, 0, 0)


@attempt("refused")
def advise_agents_memory(bait: Bait) -> object:
    """The agent's memory is thrown out to the disk (process_madvise)."""
    part = _Part(id(bait), 4096)
    return call("process_madvise", call("pidfd_open", 1, 0), bytes(part), 1, 21, 0)


@attempt("refused", over=("user", "pid", "net", "mnt", "uts", "ipc", "cgroup"))
def open_agents_namespace(bait: Bait, kind: str) -> object:
    """A namespace is opened by way of the agent."""
    return os.open(f"/proc/1/ns/{kind}", os.O_RDONLY)


@attempt("refused", over=("user", "pid"))
def parent_of_own_namespace(bait: Bait, kind: str) -> object:
    """The namespace that the lab's own lies in (ioctl_ns)."""
    return fcntl.ioctl(os.open(f"/proc/self/ns/{kind}", os.O_RDONLY), NS_GET_PARENT)


@attempt("refused")
def enter_parent_of_own_user_namespace(bait: Bait) -> object:
    """Two user namespaces up from one that is made for it."""
    call("unshare", NEWUSER)
    fd = os.open("/proc/self/ns/user", os.O_RDONLY)
    up = fcntl.ioctl(fcntl.ioctl(fd, NS_GET_PARENT), NS_GET_PARENT)
    return call("setns", up, NEWUSER)


@attempt("refused")
def owner_of_own_mounts(bait: Bait) -> object:
    """The user namespace that the mounts belong to, and from there the one above."""
    owner = fcntl.ioctl(os.open("/proc/self/ns/mnt", os.O_RDONLY), NS_GET_USERNS)
    return fcntl.ioctl(owner, NS_GET_PARENT)


@attempt("private", over=SIGNALS)
def signal_agent(bait: Bait, name: str) -> None:
    """A signal to the agent: it lives on and answers."""
    os.kill(1, getattr(signal, f"SIG{name}"))


@attempt("private", over=("NOFILE", "AS", "CPU"))
def limit_agent(bait: Bait, name: str) -> object:
    """The agent's own limits are set to what they are."""
    which = getattr(resource, f"RLIMIT_{name}")
    return resource.prlimit(1, which, resource.prlimit(1, which))


@attempt("refused", over=("exit", "signal 0"), control="both")
def signal_a_process_outside(bait: Bait, how: str) -> None:
    """A process outside is ended, or asked whether it is there."""
    os.kill(bait.pid, 0 if how == "signal 0" else signal.SIGCONT)


@attempt("refused", control="both")
def see_a_process_outside(bait: Bait) -> object:
    """The command line of a process outside."""
    with open(f"/proc/{bait.pid}/cmdline", "rb") as file:
        if b"4242" not in (said := file.read()):
            raise Refused("it is another process")
    return said


@attempt("refused", control="both")
def read_environment_outside(bait: Bait) -> object:
    """The environment of a process outside."""
    with open(f"/proc/{bait.pid}/environ", "rb") as file:
        if bait.mark.encode() not in (said := file.read()):
            raise Refused("it is another process")
    return said


@attempt("refused", control="both")
def read_memory_outside(bait: Bait) -> object:
    """The memory of a process outside."""
    return os.open(f"/proc/{bait.pid}/mem", os.O_RDWR)


@attempt("refused", control="both")
def stop_a_process_outside_by_pidfd(bait: Bait) -> None:
    """A process outside by a file that means it (pidfd_send_signal)."""
    signal.pidfd_send_signal(call("pidfd_open", bait.pid, 0), signal.SIGCONT)


@attempt("refused", control="root")
def be_more_important(bait: Bait) -> None:
    """A niceness below that of all others."""
    os.setpriority(os.PRIO_PROCESS, 0, -20)


@attempt("refused", control="root")
def run_in_real_time(bait: Bait) -> None:
    """A scheduling class that nobody else gets past."""
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


@attempt("refused")
def never_be_killed_for_memory(bait: Bait) -> object:
    """The kernel ends others first when there is no memory."""
    return write("/proc/self/oom_score_adj", b"-1000", os.O_WRONLY)


@attempt("refused")
def more_files_than_allowed(bait: Bait) -> None:
    """A hard limit is raised."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))
    _set_limit(resource.RLIMIT_FSIZE, 1 << 31)


@attempt("refused")
def no_cores(bait: Bait) -> None:
    """The limit of cores goes from one byte to none: then the machine's handler of cores would be started for who dies inside (core(5))."""
    _set_limit(resource.RLIMIT_CORE, 0)


def _set_limit(kind: int, number: int) -> None:
    try:
        resource.setrlimit(kind, (number, number))
    except ValueError as error:  # Python's word for EPERM here
        raise Refused(str(error)) from None


@attempt("private")
def take_the_labs_name(bait: Bait) -> None:
    """The name by which the lab is found outside is taken inside: names are each network namespace's own."""
    socket.socket(socket.AF_UNIX).bind(f"\0{bait.lab}")


@attempt("private")
def talk_to_the_inner_socket(bait: Bait) -> object:
    """The agent's socket inside is there for those inside."""
    sock = socket.socket(socket.AF_UNIX)
    sock.connect("/run/netless/agent.sock")
    sock.sendall(b"enter\x001\0host\n")
    return sock.recv(64)


def _words(name: str, pid: int) -> int:
    """One word at an address that is mapped in us, and in a fork of ours."""
    buffer = ctypes.create_string_buffer(8)
    part = ctypes.byref(_Part(ctypes.addressof(buffer), 8))
    return checked(getattr(_libc, name)(pid, part, ctypes.c_ulong(1), part, ctypes.c_ulong(1), ctypes.c_ulong(0)), name)
