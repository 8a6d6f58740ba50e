"""Attempts on the machine's network: to reach it, to see it, to change it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess

from hostile.attempt import Refused, attempt
from hostile.bait import Bait
from hostile.calls import call

NEWNET = 0x40000000
SIOCGSKNS, SIOCSIFFLAGS = 0x894C, 0x8914
TABLE = "hostile"
"""A table of firewall rules that the machine has."""


@attempt("refused", over=("127.0.0.1", "own", "::1"), control="both")
def connect(bait: Bait, where: str) -> object:
    """A server of the machine's, at its loopback and its own address."""
    return socket.create_connection((bait.address if where == "own" else where, bait.port), 1).fileno()


@attempt("refused", over=("127.0.0.1", "own"))
def send_a_datagram(bait: Bait, where: str) -> object:
    """The same with a datagram: nobody out there has it, which is said by an answer or by none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.3)
        sock.connect((bait.address if where == "own" else where, bait.port))
        sock.send(bait.mark.encode())
        return sock.recv(16)


@attempt("refused", control="both")
def see_an_interface(bait: Bait) -> object:
    """The machine's interfaces are listed."""
    return _held(bait.link in {name for _, name in socket.if_nameindex()})


@attempt("refused", control="both")
def see_an_interface_in_sys(bait: Bait) -> object:
    """The same by way of /sys."""
    return os.stat(f"/sys/class/net/{bait.link}")


@attempt("refused", control="both")
def see_an_interface_in_proc(bait: Bait) -> object:
    """The same by way of /proc."""
    with open("/proc/net/dev", encoding="ascii") as file:
        return _held(bait.link in file.read())


@attempt("refused", control="root")
def remove_an_interface(bait: Bait) -> object:
    """An interface of the machine's is removed."""
    return _run("ip", "link", "del", bait.link)


@attempt("refused", control="root")
def add_an_interface_outside(bait: Bait) -> object:
    """An interface is made in the network namespace of a process outside."""
    return _run("ip", "link", "add", "hostile1", "type", "veth", "peer", "name", "hostile2", "netns", str(bait.pid))


@attempt("refused")
def move_an_interface_outside(bait: Bait) -> object:
    """An interface of the lab's goes into the network namespace of a process outside."""
    _run("ip", "link", "add", "hostile3", "type", "bridge")
    try:
        return _run("ip", "link", "set", "hostile3", "netns", str(bait.pid))
    finally:
        subprocess.run(["ip", "link", "del", "hostile3"], capture_output=True, check=False)


@attempt("private", over=(0, 1, 2, 7))
def add_an_interface_by_number(bait: Bait, number: int) -> object:
    """An interface is made in a network namespace that is known by a number alone: those of the lab have some."""
    return _run("ip", "link", "add", f"hostile4{number}", "link-netnsid", str(number), "type", "veth")


@attempt("refused", control="root")
def enter_the_machines_network(bait: Bait) -> object:
    """The network namespace of a process outside."""
    return call("setns", os.open(f"/proc/{bait.pid}/ns/net", os.O_RDONLY), NEWNET)


@attempt("refused")
def enter_by_a_name_outside(bait: Bait) -> object:
    """A network namespace that has a name outside."""
    return os.open(f"/run/netns/{bait.mark}", os.O_RDONLY)


@attempt("refused")
def network_of_a_standard_file(bait: Bait) -> object:
    """The network namespace in which a standard file was made, if it is a socket."""
    return [os.stat(number) for number in (0, 1, 2) if _is_socket(number)] or _held(False)


@attempt("refused", control="root")
def see_the_firewall(bait: Bait) -> object:
    """The machine's firewall rules are listed."""
    return _run("nft", "list", "table", "inet", TABLE)


@attempt("refused", control="root")
def open_the_firewall(bait: Bait) -> object:
    """A table of the machine's firewall rules is removed."""
    return _run("nft", "delete", "table", "inet", TABLE)


@attempt("private")
def have_a_firewall(bait: Bait) -> object:
    """The lab has rules of its own."""
    return _run("nft", "add", "table", "inet", f"{TABLE}-{bait.node}")


@attempt("private")
def have_a_route(bait: Bait) -> object:
    """The lab has routes of its own."""
    return _run("ip", "route", "add", "blackhole", "203.0.113.240/28")


@attempt("private")
def take_the_machines_address(bait: Bait) -> object:
    """The machine's own address is the lab's."""
    try:
        return _run("ip", "addr", "add", f"{bait.address}/32", "dev", "lo")
    finally:
        subprocess.run(["ip", "addr", "del", f"{bait.address}/32", "dev", "lo"], capture_output=True, check=False)


@attempt("private")
def listen_on_the_machines_port(bait: Bait) -> None:
    """The port of a server of the machine's is free in the lab."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.bind(("127.0.0.1", bait.port))
        sock.listen()


@attempt("private")
def take_packets(bait: Bait) -> object:
    """Packets are listened to on all interfaces: those of the node."""
    return socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)).fileno()


@attempt("refused")
def have_a_wireless_device(bait: Bait) -> object:
    """A wireless device of the machine's is moved into the lab."""
    phy = os.listdir("/sys/class/ieee80211")
    return _held(bool(phy))


def _run(*words: str) -> str:
    """Run a program; what it printed. Raises Refused with its words when it says no."""
    program = shutil.which(words[0], path="/usr/sbin:/usr/bin:/sbin:/bin")
    if program is None:
        raise FileNotFoundError(2, f"no {words[0]}")
    done = subprocess.run([program, *words[1:]], capture_output=True, text=True, check=False, timeout=5)
    if done.returncode:
        raise Refused(done.stderr.strip().partition("\n")[0])
    return done.stdout


def _held(true: bool) -> bool:
    if not true:
        raise Refused("there is none")
    return true


def _is_socket(number: int) -> bool:
    return os.readlink(f"/proc/self/fd/{number}").startswith("socket:")
