"""The ``[faults]`` of a course.toml: in which nodes a fault can be."""

from __future__ import annotations

import pytest

from helpers.checkout import CHECKOUT
from netless_lab.course.files import read_folder
from netless_lab.course.folder import read_course
from netless_lab.course.step import FaultNode

HEAD = """format = 1
id = "one"
title = "One"
about = "One."
lessons = ["one"]
"""


def read(text: str) -> list[str]:
    """The problems of a course that says this, which begins in line 6, beside that its one page is missing."""
    return [told for told in map(str, read_course({"course.toml": HEAD + text}).problems) if "no page" not in told]


def test_a_course_names_the_nodes_and_the_placeholders() -> None:
    """They come in the order of the file, each with its own name as a placeholder; a course may name none."""
    reading = read_course({"course.toml": HEAD + '[faults.front]\nlink = "eth0"\n[faults.back]\nlink = "eth1"\n'})
    assert reading.course is not None
    assert reading.course.fault_nodes == (FaultNode("front", {"node": "front", "link": "eth0"}), FaultNode("back", {"node": "back", "link": "eth1"}))
    shop = read_folder(CHECKOUT / "tests" / "courses" / "shop").course
    assert shop is not None and shop.fault_nodes == ()


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("faults = 3\n", 6, "must be a table"),
        ("[faults]\nc1 = 3\n", 7, "must be a table"),
        ("[faults.c1]\nlink = 3\n", 7, "must be a text"),
        ('[faults."c 1"]\nlink = "eth0"\n', 6, "cannot name a node"),
        ('[faults.c1]\nlink = "eth0"\n[faults.c2]\nport = "eth0"\n', 8, "same placeholders: link, port"),
        ("".join(f'[faults.c{number}]\nlink = "eth0"\n' for number in range(9)), 6, "9 nodes are more"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, says: str) -> None:
    """A course with a table of faults that cannot be used is not read, and the author is told where and why."""
    found = read(text)
    assert any(told.startswith(f"course.toml:{line}:") and says in told for told in found), found
