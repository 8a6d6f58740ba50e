"""Whatever a thing is called, its name stands whole in the lines that are shown: for a shell it is one word or a part of one, and nothing else.

The measure is the same line about a thing with a plain name: with the odd name, each command is called just so, but for the name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
import pytest

from conformance.cases import CASES
from helpers.lab import action, expectation
from helpers.sandboxed import sandboxed
from helpers.snapshots import bridge, container, host, lab, veth
from helpers.typed_words import left_behind, words
from netless_lab.model.changes import done_by_somebody
from netless_lab.model.diff import diff
from netless_lab.model.snapshot import BridgePort, FdbEntry, Neighbour, Node, PolicyRule, Route, Snapshot
from netless_lab.primitives.base import Action, Dialect, Expectation, Met, Where
from netless_lab.primitives.doors import ESTABLISHED
from netless_lab.primitives.retell import retell
from netless_lab.primitives.roles import roles
from netless_lab.session.history import InAnyLab

ODD = {
    "link": ("$(>x)`>x`'\";>x", "-é&>x|*\\#!~$y"),
    "node": ("c $(>x)`>x`;'>x;'\";>x;\"\n>x #\\", "-F&>x|* \x1b[0m\t"),
    "netns": ("n $(>x)`>x`;'>x;'\";>x;\"\n>x #\\", "-a&>x|* ü\\'\\\"\t"),
}
"""What the kernel lets such a thing be called, and a shell reads more into: of a link at most 15 bytes without blanks and slashes."""
_PLAIN = {"link": "qlink", "node": "qnode", "netns": "qnetns"}
_Named = TypeVar("_Named", Action, Expectation)


def called(own: _Named, names: Mapping[str, str]) -> _Named:
    """The same about things that are called so: each field that names a link, a node or a namespace names this one."""
    changed: dict[str, Any] = {}
    for field, role in roles(type(own)):
        word = getattr(own, field)
        if role in names and word not in (None, "host", ESTABLISHED):
            changed[field] = names[role]
    if hasattr(own, "key"):
        changed["key"] = f"net/ipv4/conf/{names['link']}/forwarding"
        changed |= {"value": f"1 {names['link']}"} if hasattr(own, "value") else {}
    return msgspec.structs.replace(own, **changed)


def wheres(names: Mapping[str, str]) -> Iterator[Where]:
    """The host's shell that knows the node by name, by process, or by what a script finds out; and the node's own shell."""
    node = names["node"]
    yield Where("host", {node: names["netns"]}, {node: 4711})
    yield Where("host", {}, {node: 4711})
    yield InAnyLab("host")
    yield Where(node, {}, {"host": 1, node: 4711})


def plainly(calls: list[list[str]], names: Mapping[str, str]) -> list[list[str]]:
    """The calls as they were for plain names: ``dev`` and ``--``, by which some tools know that a name follows, stand nowhere, and no line that
    is handed to another shell, which comes to its words by itself.
    """
    plain = []
    for call in calls:
        for role, name in names.items():
            call = [word.replace(name, _PLAIN[role]) for word in call]
        plain.append([word for before, word in zip(["", *call], call, strict=False) if word not in ("dev", "--") and before != "-c"])
    return plain


def strings(program: str) -> list[str]:
    """The strings of a Python program, in order."""
    return [own.value for own in ast.walk(ast.parse(program)) if isinstance(own, ast.Constant) and isinstance(own.value, str)]


def compare(said: Sequence[str], names: Mapping[str, str], *, python: bool = False) -> None:
    """Of lines said about a thing of a plain name and one of an odd name: nothing but the name is other, and nothing was left behind by it."""
    plain, odd = said
    if python:
        for one, other in zip(strings(plain), strings(odd), strict=True):
            if plainly([[other]], names) != plainly([[one]], names):
                compare((one, other), names)  # a line for a shell
        return
    assert plainly(words(odd), names) == plainly(words(plain), names), (odd, plain)
    assert left_behind() == [], odd


def each(number: int) -> dict[str, str]:
    """The odd name of each role at this place of the list."""
    return {role: found[number] for role, found in ODD.items()}


each_number = pytest.mark.parametrize("number", range(len(ODD["link"])))
each_dialect = pytest.mark.parametrize("dialect", ["ip", "legacy", "pyroute2"])


@each_number
@each_dialect
@sandboxed
def test_a_name_is_one_word_of_every_command(number: int, dialect: Dialect) -> None:
    """Of every action, in every dialect, wherever it is typed."""
    names = each(number)
    for case in CASES:
        wanted = action(case.action)
        for plain, odd in zip(wheres(_PLAIN), wheres(names), strict=True):
            if dialect == "pyroute2" and isinstance(odd, InAnyLab):
                continue  # a script is for a shell
            lines = ["\n".join(called(wanted, own).commands(dialect, where)) for own, where in ((_PLAIN, plain), (names, odd))]
            compare(lines, names, python=dialect == "pyroute2" and case.name != "run")


@each_number
@sandboxed
def test_a_name_is_one_word_of_every_look(number: int) -> None:
    """The command to look with, of every expectation that a bare lab does not meet."""
    names = each(number)
    for own in (expectation(table) for case in CASES for table in case.expect):
        for plain, odd in zip(wheres(_PLAIN), wheres(names), strict=True):
            looks = []
            for called_so, where in ((_PLAIN, plain), (names, odd)):
                bare = Snapshot((Node("host", "host", 1), Node(called_so["node"], "container", 2)))
                finding = called(own, called_so).check(bare, where)
                looks.append("true" if isinstance(finding, Met) else finding.look)
            compare(looks, names)


def lived(names: Mapping[str, str]) -> Snapshot:
    """A lab in which everything that has a name has one of these."""
    link, node, netns = names["link"], names["node"], names["netns"]
    mac = "02:00:00:00:00:07"
    here = host(
        bridge("br0", mac=mac),
        veth(link, f"{node}:{link}", "10.0.0.1/24", master="br0", port=BridgePort(), alias=netns, altnames=(netns,), mtu=1400, mac=mac),
        routes=(Route("10.9.0.0/24", "10.0.0.9", link), Route("10.8.0.0/24", None, link, scope="link", share=1), Route("10.8.0.0/24", None, "lo", share=1)),
        policy=(PolicyRule(9, iif=link, oif=link, table=9),),
        neighbours=(Neighbour("10.0.0.9", link, mac, "permanent"),),
        fdb=(FdbEntry(mac, link, "br0", "static"),),
        resolvers=(netns,),
    )
    return lab(
        msgspec.structs.replace(here, sysctls={"ip_forward": "0", f"forwarding/{link}": "1", f"rp_filter/{link}": "2"}),
        container(node, veth(link, f"host:{link}", "10.0.0.2/24", mac=mac), names=(netns,), pid=4711),
        msgspec.structs.replace(container(f"x{netns}", bridge(link, "10.1.0.1/24", mac=mac)), role="unknown", names=(f"x{netns}",)),
    )


@each_number
@sandboxed
def test_a_name_is_one_word_of_everything_that_is_told_again(number: int) -> None:
    """What made such a lab, and what takes it away, by the commands of a script."""
    names = each(number)
    bare = lab(host())
    made = [retell(filter(done_by_somebody, diff(*way)), *way) for called_so in (_PLAIN, names) for way in ((bare, lived(called_so)), (lived(called_so), bare))]
    for plain, odd in ((made[0], made[2]), (made[1], made[3])):
        assert len(plain) == len(odd) > 10
        for one, other in zip(plain, odd, strict=True):
            assert one.doings is not None and other.doings is not None, (one, other)
            for this, that in zip(one.doings, other.doings, strict=True):
                compare(["\n".join(doing.commands("ip", InAnyLab("host"))) for doing in (this, that)], names)
