"""Pages of the largest size, made to be slow: a reader that looks at a sign more than a few times takes hours, and these tests do not end."""

from __future__ import annotations

import pytest

from helpers.introduced import unintroduced
from netless_lab.course import markdown
from netless_lab.course.files import MOST
from netless_lab.course.folder import read_course
from netless_lab.course.markdown import Block, read_table
from netless_lab.course.problems import Report
from netless_lab.course.step import Course, Lesson, Step
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
        (f'["a{BLANKS}b"]\nkey = 1\n', f"a{BLANKS}b", 1),
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


def test_keys_under_a_name_full_of_blanks() -> None:
    """Those of a table are asked for in it, by their own lines; the name is not written once more for each of them."""
    count = MOST // 20
    table = read_table(Block(f'["a{BLANKS}b"]\n' + "".join(f"k{number} = 1\n" for number in range(count)), 1), Report("page.md"))
    assert table is not None
    assert table.inner(f"a{BLANKS}b").line(f"k{count - 1}") == count + 1


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


@pytest.mark.parametrize(
    "text",
    [
        "a." * (MOST // 2) + "b = 1\n", "[" + "a . " * (MOST // 4) + "b]\n",
        "x = { " + '"a b".' * (MOST // 6) + "c = 1 }\n", "k = 1\nx." + "'a'\t." * (MOST // 6) + "b = 1",
    ],
    ids=["bare", "a table's name", "quoted, in braces", "the second"],
)  # fmt: skip
def test_a_key_of_very_many_parts(text: str) -> None:
    """It is refused with its line: tomllib looks at each part once more for every part before it."""
    report = Report("page.md")
    assert read_table(Block(text, 5), report) is None
    (problem,) = report.problems
    assert "parts" in problem.what and problem.line == (6 if text.startswith("k") else 5)


@pytest.mark.parametrize("text", ["a.b = 1", '[x.y]\n"v.1.2.3.4" = "' + "1." * 99 + '1"', "version = '" + "a." * 99 + "b'"])
def test_dots_in_texts_are_no_parts_of_keys(text: str) -> None:
    """Keys of two parts, and texts of any number of dots."""
    report = Report("page.md")
    assert read_table(Block(text, 1), report) is not None and report.clean


@pytest.mark.parametrize(("lessons", "containers"), [(1, MOST // 30), (MOST // 15, 1)], ids=["containers", "lessons"])
def test_a_course_of_very_many_things(lessons: int, containers: int) -> None:
    """It is read no further than a course can go, and told so."""
    names, nodes = (", ".join(f'"{kind}{number}"' for number in range(count)) for kind, count in (("l", lessons), ("c", containers)))
    text = f'format = 1\nid = "x"\ntitle = "T"\nabout = "A."\nlessons = [{names}]\n\n[world]\ncontainers = [{nodes}]\n'
    reading = read_course({"course.toml": text})
    assert [problem.what for problem in reading.problems if "more than" in problem.what]
