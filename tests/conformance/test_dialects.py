"""What is shown is what is done: every action by the product and by every dialect ends in the same state of the same kernel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformance.cases import CASES, Case
from conformance.meaning import drawn, meaning
from helpers.lab import Lab, Table, action, expectation, lab
from helpers.sandboxed import sandboxed
from helpers.waiting import eventually
from netless_lab.primitives.base import DIALECTS, Action, Dialect, Met, NotMet, Where
from netless_lab.primitives.fuse import beside
from netless_lab.primitives.registry import ACTIONS

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))


def ways(own: Lab, wanted: Action) -> Iterator[tuple[Dialect, Where]]:
    """Every way to say it that gives different lines: from the host by name and by process, and in the node's own shell."""
    said = set()
    nodes = {getattr(wanted, field, None) for field in ("node", "peer_node", "target", "source")} - {None}
    shells = ["host"] if nodes != {"c1"} or not hasattr(wanted, "node") or wanted.verb.startswith("name-") else ["host", "c1"]
    for dialect in DIALECTS:
        for shell in shells:
            for names in (True, False):
                where = own.where(shell, names=names)
                lines = (shell, dialect == "pyroute2", wanted.commands(dialect, where))
                if lines not in said and (shell == "host" or dialect != "pyroute2"):
                    said.add(lines)
                    yield dialect, where


def prepare(own: Lab, case: Case, *, named: bool, dialect: Dialect = "ip") -> None:
    """The lab before the action; c1 has a name too when ``named`` and the case does not give or take one itself.

    Who speaks iptables has also made the rules that were there before by iptables.
    """
    assert own.purge() == ()
    for table in case.before:
        if dialect == "legacy" and "iptables" in str(action(table).commands("legacy", Where())):
            own.type(action(table), "legacy", Where())
        else:
            own.do(table)
    if named:
        own.do({"name-symlink": "box", "of": "c1"})


def names_itself(case: Case) -> bool:
    """Whether the case is about names, so that it must not be given another one."""
    return any(verb in str(case.action) + str(case.before) for verb in ("name", "netns"))


def witnessed(case: Case, own: Lab) -> bool:
    """What the witness says; one that stumbles over what is not there says no."""
    try:
        return case.witness(own)
    except (AssertionError, LookupError, OSError):
        return False


def test_every_action_has_a_case() -> None:
    """A new action cannot be forgotten here."""
    assert ACTIONS.keys() == {next(iter(case.action)) for case in CASES}


@each_case
@sandboxed
def test_every_dialect_ends_in_the_same_state(case: Case) -> None:
    """The product's way, with what it does besides in that dialect, is the measure; the witness (``ip``, ``nft`` ...) must agree after each."""
    with lab() as own:
        wanted, named = action(case.action), not names_itself(case)
        prepare(own, case, named=named)
        assert not witnessed(case, own), "the witness cannot fail"
        own.apply(wanted)
        assert case.witness(own), "the product's own way"
        measures: dict[tuple[Action, ...], object] = {(): meaning(own.snapshot())}
        for besides in {beside(wanted, dialect) for dialect in DIALECTS} - measures.keys():
            prepare(own, case, named=named)
            own.apply(wanted, *besides)
            measures[besides] = meaning(own.snapshot())
        prepare(own, case, named=named)
        for dialect, where in ways(own, wanted):
            prepare(own, case, named=named, dialect=dialect)
            where = own.where(where.node, names=bool(where.names))  # processes may be others now
            own.type(wanted, dialect, where)
            said = f"{dialect} in the shell of {where.node}: {wanted.commands(dialect, where)}"
            assert eventually(lambda: witnessed(case, own)), said
            assert meaning(own.snapshot()) == measures[beside(wanted, dialect)], said


KNOW_TOO_LITTLE = ("down", "unaddress", "stop", "another forward policy", "unmasquerade one of two", "unaccept from the bridge")
"""Actions that take away more than they know: routes, a name, the former policy, a rule's place among others."""


@each_case
@sandboxed
def test_there_and_back(case: Case) -> None:
    """On the kernel itself: the expectations fail before and hold after; the outline sketches what then comes; the inverse undoes it."""
    with lab() as own:
        own.do(*case.before)
        wanted, expected = action(case.action), [expectation(table) for table in case.expect]
        before, where = own.snapshot(), own.where()
        for need in wanted.needs():
            assert isinstance(need.check(before, where), Met), need
        for one in expected:
            finding = one.check(before, where)
            assert isinstance(finding, NotMet) and finding.expected and finding.seen and finding.look, finding
            own.shell("host", f"{finding.look} >/tmp/looked 2>&1 || test -s /tmp/looked")
        own.apply(wanted)
        after = own.snapshot()
        for one in expected:
            assert isinstance(one.check(after, own.where()), Met), one
        if wanted.verb != "run":
            assert drawn(wanted.outline(before)) == drawn(after)
        if wanted.inverse() and case.name not in KNOW_TOO_LITTLE:
            own.apply(*wanted.inverse())
            assert meaning(own.snapshot()) == meaning(before)


@pytest.mark.parametrize("dialect", DIALECTS)
@sandboxed
def test_odd_names_work_in_every_line(dialect: Dialect) -> None:
    """A learner's own names may be words of ip(8), or hold what a shell and Python make something of."""
    near, far, bridge, box = "a", "$x;'y", "up", "we ird"
    tables: tuple[Table, ...] = (
        {"name-attach": box, "of": "c1"},
        {"veth": near, "peer": far},
        {"move": near, "to": "c1"},
        {"address": "10.0.0.2/24", "dev": near, "in": "c1"},
        {"up": near, "in": "c1"},
        {"bridge": bridge},
        {"port": far, "of": bridge},
        {"address": "10.0.0.1/24", "dev": bridge},
        {"up": bridge},
        {"up": far},
        {"mtu": 1400, "dev": near, "in": "c1"},
        {"route": "default", "via": "10.0.0.1", "dev": near, "in": "c1"},
        {"masquerade": "10.0.0.0/24", "except": bridge},
        {"forward-policy": "drop"},
        {"forward-accept": far},
        {"forward-accept": "established"},
        {"unforward-accept": far},
        {"unport": far, "of": bridge},
        {"rename": near, "to": "dev", "in": "c1"},
        {"delete-link": bridge},
    )
    with lab() as own:
        own.do(*tables)
        measure = meaning(own.snapshot())
        own.purge()
        for table in tables:
            own.type(action(table), dialect, own.where())
        assert meaning(own.snapshot()) == measure


@pytest.mark.parametrize("also", ["add rule ip lab postrouting ip daddr 10.9.9.9 accept", "add set ip lab mychain { type ipv4_addr; }"], ids=["rule", "set"])
@sandboxed
def test_the_chain_of_the_lessons_goes_when_no_rule_is_left(also: str) -> None:
    """A rule of somebody's own keeps it, whether it counts or not, and a set does not, whatever it is called: by the product and by the lines."""
    wanted = action({"unmasquerade": "10.0.0.0/24", "except": "br0"})
    stays = "add rule" in also
    with lab() as own:
        for dialect in (None, "ip", "pyroute2"):
            assert own.purge() == ()
            own.do({"masquerade": "10.0.0.0/24", "except": "br0"}, {"run": f"nft '{also}'"})
            if dialect is None:
                own.apply(wanted)
            else:
                own.type(wanted, dialect, Where())
            listed = own.shell("host", "nft list ruleset")
            assert ("ip daddr 10.9.9.9 accept" in listed) == ("table ip lab" in listed) == stays, dialect
            assert "masquerade" not in listed
