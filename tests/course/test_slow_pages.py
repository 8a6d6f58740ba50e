"""Pages of the largest size, made to be slow: a reader that looks at a sign more than a few times takes hours, and these tests do not end."""

from __future__ import annotations

import pytest

from netless_lab.course import markdown
from netless_lab.course.files import MOST
from netless_lab.course.introduced import unintroduced
from netless_lab.course.markdown import Block
from netless_lab.course.problems import Report
from netless_lab.course.step import Course, Lesson, Step
from netless_lab.course.toml_text import read_table
from netless_lab.primitives.run import Run

BLANKS = " " * MOST


def test_a_heading_full_of_blanks() -> None:
    """The title is what stands there, blanks and all, without the closing row of #."""
    page = markdown.split(f"## a{BLANKS}b{BLANKS}##", Report("page.md"))
    assert [section.title for section in page.sections] == [f"a{BLANKS}b"]


def test_nothing_but_headings_without_a_title() -> None:
    """Each of a third of a million problems is told."""
    report = Report("page.md")
    lines = MOST // 3
    markdown.split("+++\n+++\n" + "##\n" * lines, report)
    assert [problem.line for problem in report.problems] == list(range(3, lines + 3))


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        (f'["a{BLANKS}b"]\nkey = 1\n', "key", 2),
        ("a.b = '''\nx = [\n\"\"\"\n" + '\\"""\n' * (MOST // 5) + "'''\nlast = 1\n", "x", 2),
        ("a.b = '''\nx = [" + '"\\' * (MOST // 2) + "\n'''\nlast = 1\n", "x", 2),
        ("last = [" + "\n1," * (MOST // 3) + "]", "last", 1),
    ],
    ids=["a table's name", "unclosed texts", "an unclosed text of quotation marks", "a long list"],
)
def test_toml_that_is_hard_to_scan(text: str, key: str, line: int) -> None:
    """It is read, and the lines of its keys are known."""
    report = Report("page.md")
    table = read_table(Block(text, 1), report)
    assert table is not None and report.clean
    assert table.line(key) == line


def test_every_element_of_a_long_list_has_its_line() -> None:
    """The first stands a line below the key, the last on the last line."""
    count = MOST // 3
    table = read_table(Block("key = [" + "\n1," * count + "]", 7), Report("page.md"))
    assert table is not None
    assert [table.line("key", index) for index in (0, 1, count - 1)] == [8, 9, 7 + count]


def test_an_error_full_of_blanks() -> None:
    """What tomllib says of a table that is there twice holds the table's name; the line is found behind it."""
    report = Report("page.md")
    assert read_table(Block(f'["a{BLANKS}b"]\n["a{BLANKS}b"]\n', 1), report) is None
    assert [problem.line for problem in report.problems] == [2]


def test_a_line_of_prose_that_nearly_shows_a_command() -> None:
    """A hundred thousand times the command's first two words, and never its third."""
    step = Step("a", "A", "", (Run("ip link add x"),), ())
    lesson = Lesson("a", "A", "ip link " * (MOST // 8), (step,))
    (found,) = unintroduced(Course("c", "C", "", (lesson,)))
    assert "`ip link add`" in found.what
