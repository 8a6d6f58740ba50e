"""Attempts to reach those outside by sockets, FIFOs and shared memory."""

from __future__ import annotations

import os
import socket
import struct

from hostile.attempt import Refused, attempt
from hostile.bait import Bait
from hostile.calls import call

_CREATE, _EXCLUSIVE = 0o1000, 0o2000
"""IPC_CREAT and IPC_EXCL, shmget(2)"""
_UEVENTS, _AUDIT = 15, 9
OF_THE_MACHINE = {"selinux": 7, "iscsi": 8, "audit": 9, "connector": 11, "scsi": 18, "rdma": 20}
"""Protocols of netlink(7), by what they are about."""


@attempt("refused", control="both")
def connect_to_an_abstract_name(bait: Bait) -> object:
    """A program of the machine's that listens at an abstract name, as desktops' do."""
    return _connect(f"\0{bait.abstract}")


@attempt("refused", control="both")
def send_to_an_abstract_name(bait: Bait) -> object:
    """A datagram to one."""
    return socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"x", f"\0{bait.abstract}-datagrams")


@attempt("refused", control="both")
def connect_to_the_lab_from_inside(bait: Bait) -> object:
    """The keeper, which stays outside."""
    return _connect(f"\0{bait.lab}")


@attempt("refused", control="both")
def connect_in_owners_home(bait: Bait) -> object:
    """A program that listens at a socket in the owner's home, as agents for keys and language servers do."""
    return _connect(f"{bait.home}/socket")


@attempt("refused", control="both")
def send_in_owners_home(bait: Bait) -> object:
    """A datagram to a socket in the owner's home."""
    return socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"x", f"{bait.home}/datagrams")


@attempt("refused", control="both")
def write_owners_fifo(bait: Bait) -> object:
    """Somebody outside waits at the other end of a FIFO in the owner's home."""
    return os.write(os.open(f"{bait.home}/fifo", os.O_WRONLY | os.O_NONBLOCK), b"x")


@attempt("refused", control="both")
def read_owners_fifo(bait: Bait) -> object:
    """What somebody outside writes into a FIFO in the owner's home is taken from whom it is for."""
    return os.open(f"{bait.home}/fifo", os.O_RDONLY | os.O_NONBLOCK)


@attempt("refused", over=(0, 1, 2), control="both")
def connect_by_path(bait: Bait, number: int) -> object:
    """A program that listens in the machine's own /tmp, /run or /var/tmp."""
    return _connect(bait.path_sockets[number])


@attempt("refused", over=("/run/docker.sock", "/run/containerd/containerd.sock", "/run/dbus/system_bus_socket", "/run/systemd/private"))
def connect_to_a_service(bait: Bait, path: str) -> object:
    """A service that does what root may do."""
    return _connect(path)


@attempt("refused", control="both")
def find_shared_memory(bait: Bait) -> object:
    """Shared memory of programs outside (System V)."""
    return call("shmget", bait.ipc_key, 4096, 0)


@attempt("private")
def make_shared_memory(bait: Bait) -> object:
    """Shared memory under the key of that outside: another one."""
    return call("shmget", bait.ipc_key, 4096, _CREATE | _EXCLUSIVE | 0o600)


@attempt("refused", control="both")
def find_a_message_queue(bait: Bait) -> object:
    """A message queue of programs outside (POSIX)."""
    return call("mq_open", f"hostile-{bait.ipc_key}".encode(), os.O_RDWR, 0, None)


@attempt("private")
def make_a_message_queue(bait: Bait) -> object:
    """A message queue under that name: another one."""
    return call("mq_open", f"hostile-{bait.ipc_key}".encode(), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600, None)


@attempt("refused", control="both")
def find_shared_memory_by_name(bait: Bait) -> object:
    """Shared memory of programs outside (POSIX)."""
    return os.open(f"/dev/shm/{bait.mark}-shared", os.O_RDWR)


@attempt("refused")
def speak_to_audit(bait: Bait) -> object:
    """The machine's audit log gets a line."""
    sock = _netlink(_AUDIT)
    sock.send(struct.pack("=IHHII4s", 20, 1107, 5, 1, 0, b"hi\0\0"))
    return _answered(sock)


@attempt("private")
def make_up_a_device(bait: Bait) -> object:
    """Those who listen hear that a device has come (uevent): in this network namespace."""
    sock = _netlink(_UEVENTS)
    return sock.sendto(b"add@/devices/hostile\0ACTION=add\0", (0, 2))


@attempt("refused", control="both")
def see_sockets_outside(bait: Bait) -> object:
    """The kernel's list of Unix sockets shows those outside."""
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as file:
        if bait.abstract not in file.read():
            raise Refused("it is not in the list")
    return bait.abstract


@attempt("refused", control="both")
def socket_past_the_network(bait: Bait) -> object:
    """A socket of a kind that knows no network namespaces: of virtual machines and their hosts (AF_VSOCK)."""
    return socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM).fileno()


@attempt("refused", over=("selinux", "iscsi", "audit", "connector", "scsi", "rdma"))
def netlink_of_the_machine(bait: Bait, protocol: str) -> object:
    """A netlink socket of what is the machine's: who begins and ends processes there, who logs in, its disks."""
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, OF_THE_MACHINE[protocol]).fileno()


@attempt("refused")
def pretend_to_be_another_process(bait: Bait) -> object:
    """A message that says it is from a process and user outside (SCM_CREDENTIALS)."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    its.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    return ours.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, struct.pack("=iII", bait.pid, 4242, 4242))])


def _connect(name: str) -> object:
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(1)
    sock.connect(name)
    return sock.send(b"x")


def _netlink(protocol: int) -> socket.socket:
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)


def _answered(sock: socket.socket) -> bytes:
    """What the kernel answers, its error raised (netlink(7), NLMSG_ERROR)."""
    sock.settimeout(1)
    answer = sock.recv(4096)
    (error,) = struct.unpack_from("=i", answer, 16)
    if error:
        raise OSError(-error, os.strerror(-error))
    return answer
