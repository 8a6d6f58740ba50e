"""What differs from one lab to the next by chance, rewritten so that a lab recorded anew gives the same lines: pids, inodes, clocks, MACs.

The tables that the kernel keeps in no order are put in one.
Only values of known fields are set, and in texts only what was met in such a field or has an unmistakable form (a MAC, a time in ms).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any

import msgspec

from app.recordings import Exchange
from netless_lab import protocol
from netless_lab.model.journey import Hop, Journey
from netless_lab.model.probe import Outcome
from netless_lab.model.snapshot import Name, Node, Snapshot

NOON = 1_700_000_000.0
"""When every recording begins."""
_TIMED = protocol.ChangesEvent | protocol.ActionEvent | protocol.ProbeEvent | protocol.JourneyEvent
_MAC = re.compile(r"\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b")
_CHOSEN_MACS = ("02:00:cb:", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "33:33:", "01:")
"""MACs that are the same in every lab: given by the product, or by a standard."""
_OWN_ADDRESS = re.compile(r"\bfe80::[0-9a-f:]+")
_PROC = re.compile(r"/proc/(\d+)/")
_WORDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\bin \d+\.\d+ ms\b"), "in 0.04 ms"), (re.compile(r"\bwithin \d{2,3} ms\b"), "within 80 ms"),
    (re.compile(r"\bwithin \d{4} ms\b"), "within 1000 ms"), (re.compile(r"\bseq \d+\b"), "seq 1"),
    (re.compile(r"\bafter \d+ s\b"), "after 4 s"), (re.compile(r"(?<=\.\d):[3-6]\d{4}\b"), ":40000"), (re.compile(r"(?<=\.\d\d):[3-6]\d{4}\b"), ":40000"),
)  # fmt: skip


class Rewriting:
    """One lab's accidents and what stands for them; the same thing met again, in whatever exchange, gets the same stand-in."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Any], Any] = {}
        self._exchanges = 0
        self._moments: dict[float, float] = {}

    def exchange(self, exchange: Exchange) -> Exchange:
        """An exchange of this lab: ten seconds after the one before, and in it a quarter of a second from each thing said to the next."""
        times = sorted(message.at for message in exchange.said if isinstance(message, _TIMED))
        self._moments = {at: NOON + 10 * self._exchanges + number / 4 for number, at in enumerate(times)}
        self._exchanges += 1
        for message in exchange.said:
            if isinstance(message, protocol.SnapshotEvent):
                self._number(message.snapshot)
        return Exchange(exchange.request, tuple(self._message(exchange.request, message) for message in exchange.said))

    def _number(self, snapshot: Snapshot) -> None:
        """Number the MACs by the order of the interfaces: other lists are in no order of their own."""
        for node in snapshot.nodes:
            for link in node.links:
                self.mac(link.mac)

    def _message(self, request: protocol.ClientMessage | None, message: protocol.AgentMessage) -> protocol.AgentMessage:
        """One message; a reply is rewritten as what its request declares."""
        if isinstance(message, protocol.Done) and isinstance(request, protocol.Request):
            return request.done(self._any(request.reply(message)))
        rewritten: protocol.AgentMessage = self._any(message)
        return rewritten

    def _any(self, value: Any) -> Any:
        if isinstance(value, msgspec.Struct):
            changed = {field: self._any(getattr(value, field)) for field in value.__struct_fields__}
            changed |= {field: make(self, value) for (kind, field), make in _FIELDS.items() if isinstance(value, kind)}
            if isinstance(value, Journey):
                changed["hops"] = tuple(msgspec.structs.replace(hop, at_us=10.0 * number) for number, hop in enumerate(changed["hops"]))
            if isinstance(value, Node):
                changed["neighbours"] = tuple(sorted(changed["neighbours"], key=lambda entry: (entry.dev, entry.address)))
                changed["fdb"] = tuple(sorted(changed["fdb"], key=lambda entry: (entry.dev, entry.mac)))
            return msgspec.structs.replace(value, **changed)
        if isinstance(value, tuple | list):
            return type(value)(self._any(item) for item in value)
        if isinstance(value, dict):
            return {self._any(key): self._any(item) for key, item in value.items()}
        return self._text(value) if isinstance(value, str) else value

    def stand_in(self, family: str, value: Any, make: Callable[[int], Any]) -> Any:
        """What stands for a value of a family: made of its number, in the order in which they are met."""
        met = sum(kind == family for kind, _ in self._known)
        return self._known.setdefault((family, value), make(met))

    def pid(self, value: int | None) -> int | None:
        """A process in the lab."""
        return value if value is None or value == 1 else self.stand_in("pid", value, lambda met: 31 + met)

    def outside(self, value: int | None) -> int | None:
        """A process as the machine sees it."""
        return value if value is None else self.stand_in("outside", value, lambda met: 4242 + met)

    def inode(self, value: int | None) -> int | None:
        """A namespace."""
        return value if value is None else self.stand_in("inode", value, lambda met: 4026532001 + met)

    def moment(self, at: float) -> float:
        """When something of this exchange was said."""
        return self._moments[at]

    def journey(self, value: int) -> int:
        """A journey: told by its exchange and its number there."""
        family = f"journey {self._exchanges}"
        if ("journey", value) not in self._known:
            self._known["journey", value] = self.stand_in(family, value, lambda met: 100 * self._exchanges + met)
        number: int = self._known["journey", value]
        return number

    def mac(self, value: str) -> str:
        """A MAC that the kernel made up."""
        if value.startswith(_CHOSEN_MACS):
            return value
        stand_in: str = self.stand_in("mac", value, lambda met: f"02:42:0a:00:00:{met + 1:02x}")
        return stand_in

    def _text(self, text: str) -> str:
        for pattern, instead in _WORDS:
            text = pattern.sub(instead, text)
        text = _MAC.sub(lambda found: self.mac(found[0]), text)
        text = _OWN_ADDRESS.sub(lambda found: self._own_address(found[0]), text)
        text = _PROC.sub(lambda found: f"/proc/{self.pid(int(found[1]))}/", text)
        return re.sub(r"\b40265\d{5}\b", lambda found: str(self.inode(int(found[0]))), text)

    def _own_address(self, text: str) -> str:
        """An address that was made of a MAC (RFC 4291, appendix A), made of the MAC that stands for it; any other stays."""
        last = ipaddress.IPv6Address(text).packed[8:]
        if last[3:5] != b"\xff\xfe":
            return text
        mac = self.mac(bytes((last[0] ^ 2, *last[1:3], *last[5:])).hex(":"))
        first, second, third, *rest = bytes.fromhex(mac.replace(":", ""))
        return str(ipaddress.IPv6Address(b"\xfe\x80" + bytes(6) + bytes((first ^ 2, second, third, 0xFF, 0xFE, *rest))))


_FIELDS: dict[tuple[type, str], Callable[[Rewriting, Any], Any]] = {
    (protocol.Status, "lab"): lambda lab, it: "default",
    (protocol.Status, "agent_pid"): lambda lab, it: 77,
    (protocol.Status, "uptime_s"): lambda lab, it: 60.0,
    (protocol.Status, "clients"): lambda lab, it: 1,
    (protocol.NodeStatus, "pid"): lambda lab, it: lab.pid(it.pid),
    (protocol.NodeStatus, "outside_pid"): lambda lab, it: lab.outside(it.outside_pid),
    (protocol.NodeStatus, "netns"): lambda lab, it: lab.inode(it.netns),
    (protocol.FaultStatus, "began"): lambda lab, it: NOON if it.began else 0.0,
    (protocol.FaultStatus, "seconds"): lambda lab, it: 4.0 if it.seconds else 0.0,
    (protocol.ChangesEvent, "at"): lambda lab, it: lab.moment(it.at),
    (protocol.ActionEvent, "at"): lambda lab, it: lab.moment(it.at),
    (protocol.ProbeEvent, "at"): lambda lab, it: lab.moment(it.at),
    (protocol.JourneyEvent, "at"): lambda lab, it: lab.moment(it.at),
    (Snapshot, "taken"): lambda lab, it: 0,
    (Node, "pid"): lambda lab, it: lab.pid(it.pid),
    (Node, "netns"): lambda lab, it: lab.inode(it.netns),
    (Name, "netns"): lambda lab, it: lab.inode(it.netns),
    (Name, "pid"): lambda lab, it: lab.pid(it.pid),
    (Outcome, "rtt_us"): lambda lab, it: None if it.rtt_us is None else 40.0,
    (Outcome, "waited_ms"): lambda lab, it: 1000.0 if it.waited_ms > 900 else 1.0,
    (Outcome, "ident"): lambda lab, it: None if it.ident is None else 1,
    (Outcome, "id"): lambda lab, it: 1 if it.id else 0,
    (Hop, "at_us"): lambda lab, it: 0.0,
    (Journey, "started"): lambda lab, it: NOON if it.started else 0.0,
    (Journey, "id"): lambda lab, it: lab.journey(it.id) if it.id else 0,
}  # fmt: skip
"""Each field that is never twice the same, and what it becomes."""
