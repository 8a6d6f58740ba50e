"""Records what a real lab says at the moments that the tests of the app are about: ``PYTHONPATH=tests:lab:tui python -m app.record``.

It starts a lab of its own, works in it as a learner does, and writes each exchange to ``recordings/``, in the order of the wire. What is
different by chance in every lab is rewritten (``same_each_time``), so that recording anew shows what netless says otherwise than before.
"""

from __future__ import annotations

import os
import select
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from app.recordings import FOLDER, Exchange, read, written
from app.same_each_time import Rewriting
from helpers.running import Running, running
from netless_lab import labs, protocol
from netless_lab.model.probe import Ping
from netless_lab.model.snapshot import Node, Snapshot

QUIET_S = 0.6
"""How long nothing is said before a moment is taken to be over."""
PATIENCE_S = 60.0
"""How long a lab may take to come to rest; only one that never does takes so long."""
_PASSING = ("delay", "probe", "incomplete")
"""What a neighbour entry is only for a while (ip-neighbour(8))."""
OUTSIDE = "198.51.100.10"

Moment = tuple[str, Exchange]


class Conversation:
    """A client that keeps every line it hears. ``hands`` is another one, which works in the lab and asks for nothing that is told."""

    def __init__(self, hands: Running) -> None:
        sock = labs.connect(hands.name)
        assert sock is not None
        self._sock, self._file = sock, sock.makefile("rb", buffering=0)
        self._hands = hands
        self._number = 0
        self._snapshot: Snapshot | None = None
        self._status: protocol.Status | None = None
        self._send(protocol.Hello(client="test", lab=hands.name))
        self._file.readline()

    def ask(self, request: protocol.Request[Any], *, then: type[protocol.Message] | None = None) -> Exchange:
        """A request and all that is said until the lab is at rest: its reply, and after it a message of the kind ``then``."""
        self._number += 1
        numbered = msgspec.structs.replace(request, id=self._number)
        self._send(numbered)
        return self._until_rest(numbered, (protocol.Done | protocol.Failed, *((then,) if then else ())))

    def elsewhere(self, command: str, node: str = "host", *, then: type[protocol.Message] = protocol.ChangesEvent) -> Exchange:
        """What is said when somebody runs a command in a node."""
        self._hands.sh(command, node)
        return self._until_rest(None, (then,))

    def unheard(self, command: str, node: str) -> None:
        """Run a command whose consequences are of no moment."""
        self._hands.sh(command, node)
        self._until_rest(None, ())

    def _send(self, message: protocol.Message) -> None:
        self._sock.sendall(protocol.encode(message))

    def _until_rest(self, request: Any, awaited: tuple[Any, ...]) -> Exchange:
        said: list[protocol.AgentMessage] = []
        end = time.monotonic() + PATIENCE_S
        while True:
            assert time.monotonic() < end, f"the lab does not come to rest after {request}: {[type(message).__name__ for message in said]}"
            if select.select([self._sock], [], [], QUIET_S)[0]:
                line = self._file.readline()
                if not line:
                    break
                message = protocol.decode_event(line)
                assert protocol.encode(message) == line, "what was read is not all that was written"
                said.append(message)
                self._look(message)
                if awaited and isinstance(message, awaited[0]):
                    awaited = awaited[1:]
            elif not awaited and self._at_rest():
                break
        return Exchange(request, tuple(without_what_came_by_itself(said)))

    def _look(self, message: protocol.AgentMessage) -> None:
        if isinstance(message, protocol.SnapshotEvent):
            self._snapshot = message.snapshot
        elif isinstance(message, protocol.StatusEvent):
            self._status = message.status

    def _at_rest(self) -> bool:
        """Nothing is being done or judged, every address is ready and every neighbour known or not."""
        status = self._status
        nodes: tuple[Node, ...] = self._snapshot.nodes if self._snapshot else ()
        waiting = status is not None and (status.busy or (status.verdict is not None and status.verdict.result == "waiting"))
        tentative = any(address.tentative for node in nodes for link in node.links for address in link.addresses)
        return not waiting and not tentative and not any(entry.state in _PASSING for node in nodes for entry in node.neighbours)


def without_what_came_by_itself(said: list[protocol.AgentMessage]) -> list[protocol.AgentMessage]:
    """The messages but for the kernel's own doings at their end: they come when they come, and belong to no moment."""
    left = list(said)
    while left and isinstance(last := left[-1], protocol.ChangesEvent) and last.who == "kernel":
        left.pop()
        if left and isinstance(left[-1], protocol.SnapshotEvent):
            left.pop()
    return left


def at_the_cable(lab: Conversation) -> Iterator[Moment]:
    """A cable is made, looked at too early, and plugged in: cable/pair and cable/plug."""
    lab.ask(protocol.Subscribe())
    lab.ask(protocol.Run(rest=True))
    lab.ask(protocol.Next(), then=protocol.VerdictEvent)
    yield "pair-opening", lab.ask(protocol.Subscribe())
    yield "pair-run", lab.ask(protocol.Run())
    yield "pair-next", lab.ask(protocol.Next(), then=protocol.VerdictEvent)
    yield "plug-touched", lab.elsewhere("ip link set veth2 up")
    yield "plug-check", lab.ask(protocol.Check())
    yield "plug-run", lab.ask(protocol.Run())


def looked_at_too_early(lab: Conversation) -> Iterator[Moment]:
    """Everything that can be asked at cable/plug before it is done."""
    yield "plug-probe-itself", lab.ask(protocol.SendProbe(probe=Ping("c1", "127.0.0.1")))
    yield "plug-probe-from-host", lab.ask(protocol.SendProbe(probe=Ping("host", "10.0.0.2"), must_reply=False))
    yield "plug-probe-gateway", lab.ask(protocol.SendProbe(probe=Ping("c1", "10.0.0.1")))
    yield "plug-opening", lab.ask(protocol.Subscribe())
    yield "plug-courses", lab.ask(protocol.GetCourses())
    yield "plug-why", lab.ask(protocol.Explain(probe=Ping("c1", "10.0.0.1")))
    yield "plug-reset-dry", lab.ask(protocol.WhatGoes())
    yield "plug-reset-lesson-dry", lab.ask(protocol.WhatGoes(scope="lesson"))
    yield "plug-next-refused", lab.ask(protocol.Next())
    yield "plug-goto-refused", lab.ask(protocol.Goto(target="plugg"))
    yield "plug-legacy", lab.ask(protocol.SetDialect(dialect="legacy"))
    yield "plug-ip", lab.ask(protocol.SetDialect(dialect="ip"))
    for number in range(4):
        yield f"plug-hint-{number}", lab.ask(protocol.Hint())
    yield "plug-play", lab.ask(protocol.Play(on=True))
    yield "plug-play-over", lab.ask(protocol.Play(on=False, force=True), then=protocol.VerdictEvent)
    lab.unheard("ip link set veth2 up", "host")
    yield "plug-reset", lab.ask(protocol.Reset(), then=protocol.VerdictEvent)


def further_on(lab: Conversation) -> Iterator[Moment]:
    """Undone, gone on to the switch, to the internet, and to a neighbour."""
    yield "plug-back", lab.ask(protocol.Back(), then=protocol.VerdictEvent)
    yield "port-up-goto", lab.ask(protocol.Goto(target="switch/port-up"), then=protocol.VerdictEvent)
    yield "port-up-check", lab.ask(protocol.Check())
    yield "port-up-opening", lab.ask(protocol.Subscribe())
    yield "port-up-hint-0", lab.ask(protocol.Hint())
    yield "port-up-hint-1", lab.ask(protocol.Hint())
    yield "port-up-pyroute2", lab.ask(protocol.SetDialect(dialect="pyroute2"))
    lab.ask(protocol.SetDialect(dialect="ip"))
    yield "port-up-run", lab.ask(protocol.Run())
    lab.ask(protocol.Goto(target="internet/masquerade", end=True))
    yield "masquerade-opening", lab.ask(protocol.Subscribe())
    lab.unheard("ip neigh flush dev veth1", "c1")
    yield "masquerade-probe", lab.ask(protocol.SendProbe(probe=Ping("c1", OUTSIDE)))
    yield "masquerade-closed", lab.elsewhere("sysctl -qw net.ipv4.ip_forward=0", then=protocol.VerdictEvent)
    lab.unheard("ip neigh flush dev veth1", "c1")
    yield "masquerade-probe-dead", lab.ask(protocol.SendProbe(probe=Ping("c1", OUTSIDE)))
    lab.unheard("sysctl -qw net.ipv4.ip_forward=1", "host")
    yield "masquerade-port-down", lab.elsewhere("ip link set veth2 down", then=protocol.VerdictEvent)
    lab.ask(protocol.Goto(target="neighbour/everyone", end=True))
    yield "everyone-opening", lab.ask(protocol.Subscribe())


def in_a_drill(lab: Conversation) -> Iterator[Moment]:
    """Broken on purpose at the end of the course, explained, repaired by hand, and left."""
    yield "drill-faults", lab.ask(protocol.GetFaults())
    yield "drill-start", lab.ask(protocol.Break(fault="forwarding-off", drill=True))
    yield "drill-check", lab.ask(protocol.Check())
    yield "drill-opening", lab.ask(protocol.Subscribe())
    yield "drill-hint", lab.ask(protocol.Hint())
    lab.unheard("ip neigh flush dev veth1", "c1")
    yield "drill-probe", lab.ask(protocol.SendProbe(probe=Ping("c1", OUTSIDE)))
    yield "drill-why", lab.ask(protocol.Explain(probe=Ping("c1", OUTSIDE)))
    yield "drill-mended", lab.elsewhere("sysctl -qw net.ipv4.ip_forward=1", then=protocol.Notice)
    yield "drill-stop", lab.ask(protocol.Mend())
    yield "bye", lab.ask(protocol.Down())


def moments(hands: Running) -> Iterator[Moment]:
    """Every moment, as this lab tells it."""
    lab, rewriting = Conversation(hands), Rewriting()
    for part in (at_the_cable, further_on, in_a_drill):
        for name, exchange in part(lab):
            yield name, rewriting.exchange(exchange)
            if name == "plug-check":
                yield from ((early, rewriting.exchange(told)) for early, told in looked_at_too_early(lab))


def main() -> None:
    """Write all recordings anew."""
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(XDG_STATE_HOME=home, TZ="UTC", LC_ALL="C.UTF-8")
        with running() as hands:
            for name, exchange in moments(hands):
                lines = written(exchange)
                assert read(lines) == exchange
                (FOLDER / f"{name}.jsonl").write_bytes(lines)
                print(f"{name}: {len(exchange.said)} messages, {len(lines)} bytes")


if __name__ == "__main__":
    main()
