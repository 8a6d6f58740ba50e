"""Writing to the real kernel: every line stands before its act, a plan that cannot end does not begin, and what was done can be taken back."""

from __future__ import annotations

import pytest

from conformance.cases import POST
from conformance.meaning import meaning
from helpers.lab import Lab, Table, action, lab
from helpers.sandboxed import sandboxed_once
from netless_lab.errors import ApplyError
from netless_lab.ground.ledger import Begun, Done, Line, Memory, Refused, standing
from netless_lab.ground.plan import missed, plan
from netless_lab.ground.writing import Writer
from netless_lab.primitives.run import Run

LOOK = "ip -o link; ip -o addr; ip route; ls /run/netns 2>/dev/null || :"


class Witnessing(Memory):
    """A ledger that looks with ip(8) at each line that it is given."""

    def __init__(self, own: Lab) -> None:
        super().__init__()
        self._own = own
        self.seen: list[tuple[Line, str]] = []

    def write(self, line: Line) -> None:
        """Keep it, with what is there at that moment."""
        self.seen.append((line, self._own.shell("host", LOOK)))
        super().write(line)


def write(own: Lab, writer: Writer, *tables: Table) -> tuple[str, ...]:
    """Plan and do these; what did not come."""
    made = plan([action(table) for table in tables], own.snapshot())
    writer.write(made)
    return missed(made, own.snapshot())


@sandboxed_once
def test_every_line_stands_before_its_act() -> None:
    """When an action is written down as begun its mark is not there yet; when as done, it is."""
    with lab() as own:
        ledger = Witnessing(own)
        writer = Writer(lambda name: own.refs()[name], own, ledger)
        assert write(own, writer, {"bridge": "br0"}, {"address": "10.0.0.1/24", "dev": "br0"}) == ()
        begun, done, then, last = ledger.seen
        assert isinstance(begun[0], Begun) and " br0:" not in begun[1]
        assert isinstance(done[0], Done) and " br0:" in done[1]
        assert isinstance(then[0], Begun) and "10.0.0.1/24" not in then[1]
        assert isinstance(last[0], Done) and "10.0.0.1/24" in last[1]
        writer.close()


@sandboxed_once
def test_a_plan_that_cannot_end_does_not_begin() -> None:
    """The third action needs a bridge that is not there: refused as the kernel would, with nothing touched and nothing written down."""
    with lab() as own:
        ledger = Memory()
        writer, before = Writer(lambda name: own.refs()[name], own, ledger), own.shell("host", LOOK)
        with pytest.raises(ApplyError) as told:
            write(own, writer, {"bridge": "br0"}, {"up": "br0"}, {"port": "eth0", "of": "br1"})
        assert told.value.errno == "ENODEV" and "br1" in str(told.value)
        assert own.shell("host", LOOK) == before and ledger.lines() == ()
        writer.close()


@sandboxed_once
def test_what_the_kernel_refuses_is_written_down_as_refused() -> None:
    """No plan knows everything: a gateway out of reach. What was done before it stands, and can be taken back."""
    with lab() as own:
        ledger = Memory()
        writer, before = Writer(lambda name: own.refs()[name], own, ledger), own.shell("host", LOOK)
        with pytest.raises(ApplyError):
            write(own, writer, {"bridge": "br0"}, {"route": "10.9.0.0/16", "via": "192.0.2.77"}, {"up": "br0"})
        assert [type(line) for line in ledger.lines()] == [Begun, Done, Begun, Refused]
        writer.take_back(0, own.snapshot())
        assert own.shell("host", LOOK) == before and standing(ledger.lines()) == ()
        writer.close()


@sandboxed_once
def test_a_whole_network_comes_as_planned_and_is_taken_back() -> None:
    """Everything of the course's network: nothing planned is missing, and undone by the ledger the lab means what it did."""
    with lab() as own:
        ledger = Memory()
        writer, before = Writer(lambda name: own.refs()[name], own, ledger), meaning(own.snapshot())
        assert write(own, writer, *POST) == ()
        assert meaning(own.snapshot()) != before
        writer.take_back(0, own.snapshot())
        assert meaning(own.snapshot()) == before
        writer.close()


@sandboxed_once
def test_what_somebody_else_has_changed_is_left_to_him() -> None:
    """A bridge that was made and that somebody has deleted, and a name of his that is not: neither is in the way, and his stays."""
    with lab() as own:
        ledger = Memory()
        writer = Writer(lambda name: own.refs()[name], own, ledger)
        write(own, writer, {"bridge": "br0"}, {"bridge": "br1"})
        own.shell("host", "ip link del br1; ip link add his type bridge")
        writer.take_back(0, own.snapshot())
        links = own.shell("host", "ip -o link")
        assert " his:" in links and " br0:" not in links
        writer.close()


@sandboxed_once
def test_what_is_typed_is_written_down_as_the_command_that_it_is() -> None:
    """Before it is typed; then that it is done, or how it ended. The command that stands there does the same."""
    with lab() as own:
        ledger = Witnessing(own)
        writer = Writer(lambda name: own.refs()[name], own, ledger)
        assert writer.type_in("ip link add br0 type bridge\nip link set br0 up", python=False) == ""
        assert "7" in writer.type_in("import os\nos.system(\"ip link del br0\")\nraise SystemExit(7)", python=True)
        (begun, done, again, refused) = ledger.seen
        assert isinstance(begun[0], Begun) and begun[0].undo == () and " br0:" not in begun[1]
        assert isinstance(done[0], Done) and " br0:" in done[1]
        assert isinstance(again[0], Begun) and isinstance(refused[0], Refused) and " br0:" not in refused[1]
        assert isinstance(begun[0].action, Run)
        assert " br0:" in own.shell("host", f"{begun[0].action.line}; {LOOK}")
        writer.close()
