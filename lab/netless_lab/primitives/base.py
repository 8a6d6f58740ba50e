"""What every action and every expectation can do, and how a command is addressed to a node.

Names inside commands: a learner may call a link almost anything, ``a``, ``up``, ``$x;y``, and the lines shown must work all the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from shlex import quote
from typing import ClassVar, Final

import msgspec

from ..model.netfilter.conditions import literally
from ..model.snapshot import Snapshot
from .roles import DIALECTS as DIALECTS
from .roles import Dialect as Dialect

_WORDS_OF_IP: Final = (
    "up", "down", "name", "arp", "dynamic", "multicast", "allmulticast", "promisc", "trailers", "carrier", "txqueuelen", "qlen", "mtu",
    "address", "broadcast", "brd", "peer", "netns", "alias", "vf", "master", "nomaster", "protodown", "protodown_reason", "type", "group",
    "dev", "index", "vrf", "link-netnsid", "addrgenmode", "xdp", "numtxqueues", "numrxqueues",
)  # fmt: skip
"""Words that ``ip link set`` and ``ip link show`` take where a name may stand, shortened as far as one likes (ip-link(8))."""


word: Final = quote
"""A name as a word of a shell line."""


def device(name: str) -> str:
    """An interface for ``ip link``: plainly, or after ``dev`` when ip(8) would take its name for one of its own words."""
    taken = name.startswith("-") or any(own.startswith(name) for own in _WORDS_OF_IP)
    return f"dev {quote(name)}" if taken else quote(name)


def literal(name: str) -> str:
    """A name as a string in Python."""
    return json.dumps(name, ensure_ascii=False)


def nft_word(name: str) -> str:
    """An interface inside a rule of nft(8), which knows no other escapes."""
    return f'"{literally(name)}"'


class Where(msgspec.Struct, frozen=True):
    """Where a command will be typed, and how other nodes can be reached from there.

    ``node`` is the node the shell is in; ``names`` maps a node to one of its names in /run/netns, ``pids`` to a process, and ``held`` a
    (node, link) to the addresses of IPv4 that it has, as CIDR. ``wiped`` are the (node, link) that lost addresses when they were moved there.
    """

    node: str = "host"
    names: Mapping[str, str] = {}
    pids: Mapping[str, int] = {}
    held: Mapping[tuple[str, str], tuple[str, ...]] = {}
    wiped: frozenset[tuple[str, str]] = frozenset()

    def ip(self, node: str, rest: str) -> str:
        """An ip(8) command for ``node``: plain, by ``ip -n NAME`` when it has a name, else through nsenter(1) by pid."""
        if node == self.node:
            return f"ip {rest}"
        if node in self.names:
            return f"ip -n {word(self.names[node])} {rest}"
        return f"nsenter -t {self.pid(node)} -n ip {rest}"

    def run(self, node: str, command: str) -> str:
        """Any command for ``node``, by ``ip netns exec NAME`` (as the post has it) or nsenter(1)."""
        if node == self.node:
            return command
        if node in self.names:
            return f"ip netns exec {word(self.names[node])} {command}"
        return f"nsenter -t {self.pid(node)} -n {command}"

    def python(self, node: str) -> str:
        """The Python expression that opens an IPRoute in ``node``. ``flags=0``: pyroute2 must not create a missing namespace."""
        if node == self.node:
            return "IPRoute()"
        if node in self.names:
            return f"IPRoute(netns={literal(self.names[node])}, flags=0)"
        return f'IPRoute(netns="/proc/{self.pid(node)}/ns/net", flags=0)'

    def shell(self, node: str, script: str) -> str:
        """A line with redirections or pipes for ``node``: typed plainly in its own shell, else handed to ``sh -c``."""
        return script if node == self.node else self.run(node, f"sh -c {word(script)}")

    def files(self, node: str, script: str) -> str:
        """A line that works on the files of ``node`` (its mount namespace), which ``ip netns exec`` does not enter."""
        return script if node == self.node else f"nsenter -t {self.pid(node)} -m sh -c {word(script)}"

    def target(self, node: str) -> str:
        """How ``ip link set ... netns`` names ``node``: by a name, else by a process; process 1 is the host's."""
        return word(self.names[node]) if node in self.names else self.pid(node)

    def python_target(self, node: str) -> tuple[str, str]:
        """The same for pyroute2: the keyword and its value in Python."""
        return ("net_ns_fd", literal(self.names[node])) if node in self.names else ("net_ns_pid", self.pid(node))

    def pid(self, node: str) -> str:
        """A process of ``node``, or a shell variable to fill in when none is known."""
        if node in self.pids:
            return str(self.pids[node])
        return "1" if node == "host" else f"$PID_{''.join(c if c.isascii() and c.isalnum() else '_' for c in node)}"


def as_python(*lines: str) -> tuple[str, ...]:
    """The same lines of a shell from Python: for what pyroute2 has no call for."""
    return ("import subprocess", *(f"subprocess.run({line!r}, shell=True, check=True)" for line in lines))


class _Verb:
    """What an action or expectation is called: the first key of it in a lesson, which is that of its first field."""

    def __get__(self, own: object, kind: type[msgspec.Struct]) -> str:
        return kind.__struct_encode_fields__[0]


class Action(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One change to the kernel. Subclasses are plain data, and say of a method only what this does not; ``kernel/actions`` applies them.

    ``verb`` is the first key of the action in a lesson: ``{ move = "veth1", to = "c1" }`` has the verb ``move``.
    """

    verb: ClassVar[_Verb] = _Verb()

    def sentence(self) -> str:
        """What happens, in one sentence a learner understands."""
        raise NotImplementedError

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """The lines to type in this dialect: shell lines, or for ``pyroute2`` the lines of one Python program."""
        raise NotImplementedError

    def inverse(self) -> tuple[Action, ...]:
        """The actions that undo it, in order; empty when undoing needs a rebuild, for what was there before is not known here."""
        return ()

    def needs(self) -> tuple[Expectation, ...]:
        """What must be true before it can work."""
        return ()

    def placed(self, snapshot: Snapshot) -> Action:
        """The same as it is done where this is there: what it builds on may be somebody else's, and called otherwise."""
        return self

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with this action's mark on the picture, for drawing what is to come. Never used to judge."""
        return snapshot


class Met(msgspec.Struct, frozen=True):
    """An expectation that is true of the snapshot: its claim, a sentence without a full stop."""

    claim: str


class NotMet(msgspec.Struct, frozen=True):
    """An expectation that is not true: its claim, what was expected, what was seen, and one command to look with.

    ``near`` is the sentence for a near miss (right thing, wrong place), "" when nothing near was seen.
    """

    claim: str
    expected: str
    seen: str
    look: str
    near: str = ""


class CannotTell(msgspec.Struct, frozen=True):
    """An expectation that the snapshot does not decide, so packets have to: its claim, and why netless cannot tell.

    ``why`` is a clause without a full stop (``netless cannot read the rule `...` ``). ``expected`` and ``look`` are what would be said
    if it were not met.
    """

    claim: str
    expected: str
    why: str
    look: str


Finding = Met | NotMet | CannotTell
"""What an expectation found. Never only true or false: what cannot be read is neither."""


class Expectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that must be true of the snapshot. ``verb`` is its first key in a lesson: ``{ link = "veth1", in = "c1" }``.

    ``learned``: whether it speaks of neighbours or FDB entries, which come from packets and go by themselves.
    ``passing``: whether it speaks of packets that its node passes on, and of no others.
    """

    verb: ClassVar[_Verb] = _Verb()
    learned: ClassVar[bool] = False
    passing: ClassVar[bool] = False

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """Look for it. ``where`` only serves to word the command to look with."""
        raise NotImplementedError

    def kinds(self) -> Mapping[str, str]:
        """Of which kind the links must be that it speaks of, by name; one that may be of any kind is left out."""
        return {}


def python_program(where: Where, node: str, *calls: str) -> tuple[str, ...]:
    """A complete pyroute2 program of ``calls`` on ``ipr`` in ``node``, ready for ``python3 -``."""
    return ("from pyroute2 import IPRoute", f"with {where.python(node)} as ipr:", *(f"    {call}" for call in calls))


def on_link(where: Where, node: str, link: str, *calls: str) -> tuple[str, ...]:
    """A pyroute2 program whose ``calls`` speak of ``index``, the ifindex of ``link``; IndexError says there is no such link."""
    return python_program(where, node, f"index = ipr.link_lookup(ifname={literal(link)})[0]", *calls)


def in_host(node: str) -> str:
    """`` in c1`` for any node but the host, whose name needs no saying."""
    return "" if node == "host" else f" in {node}"
