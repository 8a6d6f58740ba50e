"""Attempts on the kernel itself: its settings, and the calls that no lesson needs."""

from __future__ import annotations

import ctypes
import os
import struct
import time
from collections.abc import Iterator

from hostile.attempt import Lacking, Refused, attempt
from hostile.bait import Bait
from hostile.calls import Argument, call, read, write

OF_THE_MACHINE = (
    "kernel/core_pattern", "kernel/panic", "kernel/printk", "kernel/modprobe", "kernel/randomize_va_space", "kernel/sysrq", "kernel/kptr_restrict",
    "kernel/unprivileged_bpf_disabled", "kernel/perf_event_paranoid", "kernel/threads-max", "kernel/core_uses_pid", "vm/swappiness",
    "vm/overcommit_memory", "vm/dirty_ratio", "fs/file-max", "fs/suid_dumpable", "fs/protected_hardlinks", "fs/inotify/max_user_watches",
    "dev/tty/legacy_tiocsti", "net/core/rmem_max", "net/core/wmem_max", "net/core/netdev_max_backlog", "net/core/bpf_jit_enable",
    "net/core/default_qdisc", "net/ipv4/tcp_mem", "net/ipv4/inet_peer_threshold", "net/netfilter/nf_log_all_netns",
)  # fmt: skip
"""Settings below /proc/sys of which there is one for the machine. Some kernels do not have all of them."""
OF_THE_LAB = ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/ipv4/conf/lo/rp_filter", "kernel/shmmax", "kernel/msgmax", "fs/mqueue/msg_max")
IN_SYS = (
    "kernel/mm/transparent_hugepage/enabled", "power/state", "kernel/uevent_helper", "kernel/uevent_seqnum", "module/printk/parameters/time",
    "kernel/rcu_expedited", "kernel/profiling", "devices/system/cpu/cpu0/uevent", "bus/pci/rescan",
)  # fmt: skip
ELSEWHERE = ("sysrq-trigger", "mtrr", "irq/default_smp_affinity", "acpi/wakeup", "latency_stats")
_LOG_READ_ALL, _LOG_CLEAR = 3, 5
_BPF_MAP_CREATE, _BPF_PROG_LOAD, _BPF_NEXT_PROG, _BPF_BTF_LOAD = 0, 5, 11, 18


@attempt("refused", over=OF_THE_MACHINE)
def write_setting(bait: Bait, name: str) -> object:
    """A setting of the whole machine's is set to what it is."""
    return _write_own_value(f"/proc/sys/{name}")


@attempt("refused", until="M4")
def write_setting_of_netfilter(bait: Bait) -> object:
    """A setting that looks as if it were the network namespace's and is the machine's is set to what it is."""
    path = "/proc/sys/net/netfilter/nf_hooks_lwtunnel"
    if not os.path.exists(path):
        raise Lacking("this kernel has no such setting")
    return _write_own_value(path)


@attempt("private", over=OF_THE_LAB)
def change_setting(bait: Bait, name: str) -> object:
    """A setting that each namespace has is changed: that of the lab."""
    path = f"/proc/sys/{name}"
    return write(path, str(int(read(path)) ^ 1).encode(), os.O_WRONLY)


@attempt("refused")
def write_any_other_setting(bait: Bait) -> object:
    """Every setting that is no namespace's is set to what it is, the whole tree over."""
    return _succeeded(path for path in _below("/proc/sys") if not path.startswith(_NAMESPACED) and _is_written(path))


@attempt("refused")
def write_settings_of_another(bait: Bait) -> object:
    """Every setting of the network that does not belong to the lab's root is set to what it is."""
    return _succeeded(path for path in _below("/proc/sys/net") if os.stat(path).st_uid != os.geteuid() and _is_written(path))


@attempt("refused")
def write_settings_with_privileges(bait: Bait) -> object:
    """The same through a mount of /proc of one's own."""
    place = f"/tmp/proc-{os.getpid()}"
    os.mkdir(place)
    ctypes.CDLL(None).mount(b"proc", place.encode(), b"proc", ctypes.c_ulong(0), None)
    return _write_own_value(f"{place}/sys/kernel/core_pattern")


@attempt("refused", over=IN_SYS)
def write_in_sys(bait: Bait, name: str) -> object:
    """A file of /sys is opened to be written."""
    return os.open(f"/sys/{name}", os.O_WRONLY)


@attempt("refused")
def write_in_sys_at_all(bait: Bait) -> object:
    """Every file of /sys that is not of the network is opened to be written."""
    return _succeeded(path for path in _below("/sys") if "/net/" not in path and os.stat(path).st_mode & 0o222 and _is_opened(path))


@attempt("refused", over=ELSEWHERE)
def write_in_proc(bait: Bait, name: str) -> object:
    """A file of /proc that is no process's is opened to be written."""
    return os.open(f"/proc/{name}", os.O_WRONLY)


@attempt("refused")
def write_in_proc_at_all(bait: Bait) -> object:
    """Every file of /proc that is no process's and no setting is opened to be written; in ``pressure`` everybody may ask to be told."""
    names = (name for name in os.listdir("/proc") if not name.isdecimal() and name not in ("sys", "self", "thread-self", "net", "mounts", "pressure"))
    return _succeeded(path for name in names for path in (*_below(f"/proc/{name}"), f"/proc/{name}") if _is_for_writing(path) and _is_opened(path))


@attempt("refused", over=("kcore", "kmsg"))
def read_kernel(bait: Bait, name: str) -> object:
    """The kernel's memory and what it says."""
    return os.open(f"/proc/{name}", os.O_RDONLY | os.O_NONBLOCK)


@attempt("refused", over=("vmallocinfo", "kpageflags", "kpagecgroup", "kpagecount", "slabinfo", "timer_list"))
def read_what_is_roots(bait: Bait, name: str) -> object:
    """What of the kernel's memory only root may know."""
    if not os.path.exists(f"/proc/{name}"):
        raise Lacking("this kernel does not tell it")
    return os.open(f"/proc/{name}", os.O_RDONLY)


@attempt("refused")
def empty_the_kernels_log(bait: Bait) -> object:
    """What the kernel has said is forgotten."""
    return call("syslog", _LOG_CLEAR, None, 0)


@attempt("refused")
def read_the_kernels_log(bait: Bait) -> object:
    """What the kernel has said: addresses, devices, other people's programs."""
    if int(read("/proc/sys/kernel/dmesg_restrict")):
        raise Lacking("this machine shows it to root alone")
    return call("syslog", _LOG_READ_ALL, ctypes.create_string_buffer(64), 64)


@attempt("refused")
def set_the_clock(bait: Bait) -> None:
    """The machine's clock is set to what it shows."""
    time.clock_settime(time.CLOCK_REALTIME, time.clock_gettime(time.CLOCK_REALTIME))


@attempt("refused")
def set_the_time_of_day(bait: Bait) -> object:
    """The same by the older call."""
    return call("settimeofday", None, bytes(8))


@attempt("refused")
def bend_the_clock(bait: Bait) -> object:
    """The speed of the machine's clock."""
    return call("adjtimex", ctypes.create_string_buffer(struct.pack("=I", 0x4000), 208))


@attempt("refused", over=("init_module", "finit_module", "delete_module"))
def load_code(bait: Bait, name: str) -> object:
    """Code is put into the kernel, or taken out of it."""
    fd = os.open("/usr/bin/env", os.O_RDONLY)
    arguments: dict[str, tuple[Argument, ...]] = {"init_module": (b"x", 1, b""), "finit_module": (fd, b"", 0), "delete_module": (b"hostile", 0)}
    return call(name, *arguments[name])


@attempt("refused", over=("kexec_load", "kexec_file_load"))
def load_another_kernel(bait: Bait, name: str) -> object:
    """Another kernel is loaded, to be started at the next chance. What is loaded here is nothing."""
    return call(name, 0, 0, None, 0) if name == "kexec_load" else call(name, -1, -1, 0, None, 0)


@attempt("refused")
def forbid_a_restart_by_keys(bait: Bait) -> object:
    """reboot(2), with the request that does least."""
    return call("reboot", 0xFEE1DEAD, 672274793, 0, None)


@attempt("refused", over=("swapon", "swapoff", "acct"))
def use_a_file_for_the_machine(bait: Bait, name: str) -> object:
    """A file of the lab becomes swap space, or the log of all that ends."""
    return call(name, write(f"/tmp/{bait.mark}-{name}").encode(), *(() if name == "acct" else (0,)))


@attempt("refused")
def set_disk_quotas(bait: Bait) -> object:
    """How much everybody may write is looked up on the machine's disk."""
    return call("quotactl", 0x80000700, b"/dev/vda", 0, ctypes.create_string_buffer(256))


@attempt("refused", over=("iopl", "ioperm"))
def speak_to_the_hardware(bait: Bait, name: str) -> object:
    """Input and output ports."""
    return call(name, 3) if name == "iopl" else call(name, 0x80, 1, 1)


@attempt("refused")
def watch_a_filesystem(bait: Bait) -> object:
    """All that anybody opens on the machine's disk (fanotify), with the right to answer."""
    fd = call("fanotify_init", 4, os.O_RDONLY)
    return call("fanotify_mark", fd, 1 | 0x100, 0x00010000, -100, b"/usr")


@attempt("refused", control="both")
def watch_what_others_open(bait: Bait) -> object:
    """The same without that right, which the kernel gives to everybody (since Linux 5.13), on a file that is shown."""
    fd = call("fanotify_init", 0x200, os.O_RDONLY)  # FAN_REPORT_FID
    return call("fanotify_mark", fd, 1, 0x20, -100, b"/usr/bin/env")


@attempt("refused", control="both")
def take_the_machines_asynchronous_input(bait: Bait) -> object:
    """io_setup(2): the machine has so many requests for all of its users together (fs.aio-max-nr)."""
    return call("io_setup", 1, ctypes.create_string_buffer(8))


@attempt("refused")
def load_a_program_into_the_kernel(bait: Bait) -> object:
    """bpf(2): a socket filter that does nothing."""
    code = ctypes.create_string_buffer(struct.pack("=BBhi", 0xB7, 0, 0, 0) + struct.pack("=BBhi", 0x95, 0, 0, 0))
    licence = ctypes.create_string_buffer(b"GPL")
    what = struct.pack("=IIQQIIQ", 1, 2, ctypes.addressof(code), ctypes.addressof(licence), 0, 0, 0)
    _bpf_is_for_root()
    return call("bpf", _BPF_PROG_LOAD, what + bytes(128 - len(what)), 128)


@attempt("refused")
def make_a_map_in_the_kernel(bait: Bait) -> object:
    """bpf(2): a small array."""
    _bpf_is_for_root()
    return call("bpf", _BPF_MAP_CREATE, struct.pack("=IIII", 2, 4, 8, 1) + bytes(112), 128)


@attempt("refused")
def list_programs_in_the_kernel(bait: Bait) -> object:
    """bpf(2): the programs that others have loaded."""
    return call("bpf", _BPF_NEXT_PROG, ctypes.create_string_buffer(128), 128)


@attempt("refused")
def watch_a_processor(bait: Bait) -> object:
    """perf_event_open(2): whatever a processor of the machine does."""
    return call("perf_event_open", struct.pack("=IIQ", 1, 112, 0) + bytes(96), -1, 0, -1, 0)


@attempt("refused", control="both")
def ring_of_calls(bait: Bait) -> object:
    """io_uring_setup(2), which does what other calls do past a filter of calls."""
    return call("io_uring_setup", 1, ctypes.create_string_buffer(120))


@attempt("refused", control="both")
def handle_ones_page_faults(bait: Bait) -> object:
    """userfaultfd(2), by which the kernel is kept waiting where it must not wait."""
    return call("userfaultfd", 1)


@attempt("refused")
def handle_the_kernels_page_faults(bait: Bait) -> object:
    """userfaultfd(2), for faults of the kernel's too."""
    if read("/proc/sys/vm/unprivileged_userfaultfd").strip() == b"1":
        raise Lacking("this machine lets everybody")
    return call("userfaultfd", 0)


@attempt("private", over=("sethostname", "setdomainname"))
def rename_the_machine(bait: Bait, name: str) -> object:
    """Another name: that of the node."""
    return call(name, bait.mark.encode(), len(bait.mark))


def _bpf_is_for_root() -> None:
    if read("/proc/sys/kernel/unprivileged_bpf_disabled").strip() == b"0":
        raise Lacking("this machine lets everybody")


_NAMESPACED = ("/proc/sys/net/", "/proc/sys/user/", "/proc/sys/fs/mqueue/", "/proc/sys/kernel/shm", "/proc/sys/kernel/msg", "/proc/sys/kernel/sem",
               "/proc/sys/kernel/auto_msgmni", "/proc/sys/kernel/hostname", "/proc/sys/kernel/domainname", "/proc/sys/kernel/ns_last_pid",
               "/proc/sys/kernel/pid_max", "/proc/sys/kernel/cad_pid")  # fmt: skip
"""Of network, user, ipc, uts and pid namespaces, as their manual pages list them."""


def _below(top: str) -> Iterator[str]:
    for folder, _, names in os.walk(top):
        for name in names:
            if not os.path.islink(path := f"{folder}/{name}"):
                yield path


def _write_own_value(path: str) -> str:
    value = read(path)
    write(path, value.replace(b"\0", b""), os.O_WRONLY)
    return value.decode(errors="replace")


def _is_written(path: str) -> bool:
    try:
        _write_own_value(path)
    except OSError:
        return False
    return True


def _is_for_writing(path: str) -> bool:
    return os.path.isfile(path) and bool(os.stat(path).st_mode & 0o222)


def _is_opened(path: str) -> bool:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


def _succeeded(paths: Iterator[str]) -> list[str]:
    found = list(paths)
    if not found:
        raise Refused("none could be written")
    return found
