"""The ``[faults]`` of a course.toml: which nodes a fault can be in, and what the placeholders of fault files stand for in each.

    [faults.c1]
    link = "veth1"                                a fault file speaks of ``{link}``, and of ``{node}``, which is c1 here
    other = "c2"

Every node has the same placeholders: a file that can be had in one can be had in all.
"""

from __future__ import annotations

from . import fields
from .fields import objection
from .markdown import Table
from .problems import Report
from .step import FaultNode

MOST_NODES = 8
"""More than a drill has use for; what is more than that was written by a program, to keep its readers busy."""


def read_fault_nodes(course: Table, report: Report) -> tuple[FaultNode, ...]:
    """The nodes in the order of the file; what is wrong with them is in the report, with its line."""
    table = fields.inner(course, "faults", report, 'Write [faults.c1] and link = "veth1".')
    if table is None:
        return ()
    if len(table.values) > MOST_NODES:
        report.add(course.line("faults"), f"{len(table.values)} nodes are more than faults can be in.", f"At most {MOST_NODES} are.")
        return ()
    found: list[FaultNode] = []
    for node in table.values:
        own = fields.inner(table, node, report, f'Write [faults.{node}] and link = "veth1".')
        if own is None:
            continue
        if refused := objection("node", node):
            report.add(table.line(node), refused.what, refused.advice)
        words = {"node": node} | {key: fields.text(own, key, report, required=f'Write {key} = "...".') for key in own.values}
        if found and words.keys() != found[0].words.keys():
            odd = sorted(words.keys() ^ found[0].words.keys())
            report.add(table.line(node), f'"{node}" and "{found[0].node}" do not have the same placeholders: {", ".join(odd)}.', "Give every node all of them.")
        found.append(FaultNode(node, words))
    return tuple(found)
