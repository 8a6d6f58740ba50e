"""A course folder: lessons in order, problems by file, and a broken lesson that leaves the others whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.pages import course, front, page, step
from netless_lab.course.files import MOST, MOST_IN_ALL, MOST_PAGES, read_folder, read_root
from netless_lab.course.folder import Reading, mistranslated, read_course, translated
from netless_lab.course.step import taught
from netless_lab.course.words import bad_id, objection

HEAD = 'format = 1\nid = "post"\ntitle = "The post"\nabout = "It."\nlessons = ["cable"]\n'


def told(reading: Reading) -> str:
    """Every problem, one a line."""
    return "\n".join(map(str, reading.problems))


def test_lessons_come_in_the_order_of_the_course() -> None:
    """The list in course.toml decides, not the file names; ``world`` is read."""
    reading = read_course(course(cable=page(), switch=page(front=front("switch"))), "lessons/post")
    assert reading.course is not None and not reading.problems
    assert [lesson.id for lesson in reading.course.lessons] == ["cable", "switch"]
    assert reading.course.world.containers == ("c1",) and reading.course.path == "lessons/post"


def test_a_broken_lesson_leaves_the_others() -> None:
    """Two sound lessons around a broken one: both work, and the course tells of the third."""
    reading = read_course(
        course(
            cable=page(),
            broken=page(step(do='[{ nope = "x" }]'), front=front("broken")),
            switch=page(step(do='[{ move = "veth1", to = "c1" }]'), front=front("switch")),
        )
    )
    assert reading.course is not None
    assert [lesson.id for lesson in reading.course.lessons] == ["cable", "switch"]
    assert len(reading.course.problems) == 1 and reading.course.problems[0].startswith(
        '02-broken.md:14: there is no action "nope"'
    )


@pytest.mark.parametrize(
    ("head", "line", "what", "advice"),
    [
        (HEAD + 'colour = "red"\n', 6, 'a course has no key "colour"', "Keys: "),
        (HEAD.replace("format = 1", "format = 9"), 1, "format 9", "newer netless"),
        (HEAD.replace('id = "post"\n', ""), 1, '"id" is missing', "Write id"),
        (HEAD.replace('["cable"]', "[]"), 5, "lists no lessons", "Write lessons"),
        (HEAD + '[world]\ncontainers = ["host"]\n', 7, '"host" is always there', "Call the container"),
        (HEAD + '[world]\ncontainers = ["c1", "c1"]\n', 7, "listed twice", "unique"),
        (HEAD + "[world]\nnodes = []\n", 7, 'a world has no key "nodes"', "containers"),
        (HEAD + "world = = 1\n", 6, "this is not TOML", ""),
        ("", 1, "does not say its format", "Write format = 1"),
    ],
)
def test_a_broken_course_file_is_named_by_line(head: str, line: int, what: str, advice: str) -> None:
    """Mistakes in course.toml itself: nothing can be used, and the line is told."""
    reading = read_course(course(head, cable=page()))
    assert reading.course is None
    assert any(
        p.line == line and p.file == "course.toml" and what in p.what and advice in p.advice for p in reading.problems
    ), told(reading)


@pytest.mark.parametrize(
    ("files", "what"),
    [
        (
            course(HEAD.replace('"cable"', '"cable", "cabel"'), cable=page()),
            'no page for the lesson "cabel". Did you mean "cable"?',
        ),
        (course(HEAD.replace('"cable"', '"cable", "names"'), cable=page()), "Write the page 02-names.md."),
        (course(HEAD.replace('"cable"', '"cable", "cable"'), cable=page()), 'the lesson "cable" is listed twice'),
        (course(HEAD, cable=page(), stray=page(front=front("stray"))), "the page 02-stray.md is in no lesson list"),
        (course(HEAD, cable=page(front=front("other"))), 'the page calls itself "other", its file says "cable"'),
        (course(cable=page(step(undoes='["pari"]'))), '"undoes" names "pari"'),
        (course(HEAD, cable=page(front=front("other")).replace("format = 1", "title2 = 1\nformat = 1")), '01-cable.md:4: the page calls itself "other"'),
        (course(HEAD, cable=page(front=front("other"))) | {"02-cable.md": page()}, '02-cable.md:1: "cable" is the page 01-cable.md already'),
        ({}, "this folder has no course.toml"),
    ],
)
def test_what_does_not_fit_together_is_told(files: dict[str, str], what: str) -> None:
    """Lessons without pages, pages without lessons, ids that disagree, steps that are undone and never were."""
    assert what in told(read_course(files))


def test_of_two_pages_of_one_name_none_is_taken() -> None:
    """Nobody can know which is meant: each but the first is told, the lesson is left out, and the others are sound."""
    files = course(cable=page(), switch=page(front=front("switch")))
    reading = read_course({**files, "03-cable.md": page(intro="Other words."), "cable.md": page()})
    assert reading.course is not None and [lesson.id for lesson in reading.course.lessons] == ["switch"]
    assert [(problem.file, problem.line) for problem in reading.problems] == [("03-cable.md", 1), ("cable.md", 1)]


def test_of_two_translations_into_one_language_none_is_taken(tmp_path: Path) -> None:
    """The lesson is told as it was written, and whoever asks for what is wrong is told of the second page."""
    files = course(cable=page())
    reading = read_course(files)
    assert reading.course is not None
    files |= dict.fromkeys(("01-cable.zh.md", "02-cable.zh.md"), page('## 做\n\n好。\n\n```toml step\nid = "pair"\n```'))
    other = translated(files, reading.course, "zh")
    assert other.course is not None and other.course.lessons == reading.course.lessons
    said = '02-cable.zh.md:1: "cable" is the page 01-cable.zh.md already.'
    assert said in told(other) and said in "\n".join(map(str, mistranslated(files, reading.course)))


def test_undoes_is_written_in_full() -> None:
    """A bare id means the own lesson first, then earlier ones; a step cannot undo what comes later."""
    first = page(step(), step("B", id='"plug"'))
    second = page(
        step(id='"plug"'), step("D", id='"last"', undoes='["plug", "pair", "cable/plug"]'), front=front("switch")
    )
    reading = read_course(course(cable=first, switch=second))
    assert reading.course is not None and not reading.problems, told(reading)
    assert reading.course.lessons[1].steps[1].undoes == ("switch/plug", "cable/pair", "cable/plug")
    later = read_course(course(cable=page(step(undoes='["plug"]'), step("B", id='"plug"'))))
    assert '"undoes" names "plug", and no earlier step is called so' in told(later)


def test_a_cause_is_taught_by_one_step() -> None:
    """Why sends whoever meets a cause to the step that names it; a second step that names it too is told, with the first."""
    reading = read_course(
        course(cable=page(step(teaches='["link-down", "no-route"]')), switch=page(step(teaches='["bridge-down"]'), front=front("switch")))
    )
    assert reading.course is not None and not reading.problems
    assert taught([reading.course]) == {code: f"post/{step}/pair" for code, step in (("link-down", "cable"), ("no-route", "cable"), ("bridge-down", "switch"))}
    twice = course(cable=page(step(teaches='["link-down"]')), switch=page(step(teaches='["link-down"]'), front=front("switch")))
    assert '"teaches" names "link-down", which cable/pair teaches already' in told(read_course(twice))


def test_nodes_made_by_earlier_steps_are_known() -> None:
    """A container started in one lesson can be spoken of in the next, and not before."""
    starts = page(step(do='[{ start = "c2" }]', expect='[{ container = "c2" }]'))
    uses = page(step(do='[{ up = "lo", in = "c2" }]', expect='[{ up = "lo", in = "c2" }]'), front=front("use"))
    assert not read_course(course(cable=starts, use=uses)).problems
    assert 'there is no node "c2" at this step' in told(read_course(course(use=uses, cable=starts)))


def test_words_are_known_from_the_step_after_the_one_that_brings_them() -> None:
    """The first step finds only the world's words known, the second also the first one's."""
    reading = read_course(course(cable=page(step(), step("B", id='"plug"'))))
    assert reading.course is not None
    first, second = reading.course.lessons[0].steps
    assert ("link", "eth0") in first.known and ("link", "veth1") not in first.known
    assert ("link", "veth1") in second.known
    assert first.known.every is second.known.every, "what is known is kept once, however many steps there are"


def test_translations_replace_page_by_page() -> None:
    """A translated page is used, a missing one leaves the original, a broken one is told and leaves the original."""
    files = course(cable=page(), switch=page(front=front("switch")))
    reading = read_course(files)
    assert reading.course is not None
    files["01-cable.zh.md"] = page('## 做\n\n好。\n\n```toml step\nid = "pair"\n```')
    files["02-switch.zh.md"] = page("## 做\n\n好。", front=front("switch"))
    other = translated(files, reading.course, "zh")
    assert other.course is not None
    assert [lesson.steps[0].title for lesson in other.course.lessons] == ["做", "Make the cable"]
    assert "02-switch.zh.md" in told(other)


@pytest.mark.parametrize(("language", "title"), [("pt-BR", "Faz"), ("pt", "Faça"), ("pt-PT", "Faça"), ("zh", "Make the cable"), ("", "Make the cable")])
def test_the_nearest_translation_is_told(tmp_path: Path, language: str, title: str) -> None:
    """That of the very country, else that of the language, else the page as it was written."""
    files = course(cable=page())
    for own, heading in (("pt", "Faça"), ("pt-BR", "Faz")):
        files[f"01-cable.{own}.md"] = page(f'## {heading}\n\nUm.\n\n```toml step\nid = "pair"\n```')
    reading = read_folder(laid(tmp_path / "post", files), language)
    assert reading.course is not None and reading.problems == ()
    assert reading.course.lessons[0].steps[0].title == title


def test_every_translation_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    """Of pages in whatever language: one with another step, and one of no lesson. Who only wants to learn is not told of other languages'."""
    files = course(cable=page())
    files["01-cable.zh.md"] = page('## 做\n\n好。\n\n```toml step\nid = "pear"\n```')
    files["07-rope.pt.md"] = page(front=front("rope"))
    folder = laid(tmp_path / "post", files)
    assert read_folder(folder).problems == () and read_folder(folder, "fr").problems == ()
    problems = told(read_folder(folder, translations=True))
    assert '01-cable.zh.md:13: the original has no step "pear". Did you mean "pair"?' in problems
    assert '07-rope.pt.md:1: this page translates the lesson "rope", and there is none. Lessons: cable.' in problems
    own = read_course(files).course
    assert own is not None and {problem.file for problem in mistranslated(files, own)} == {"01-cable.zh.md", "07-rope.pt.md"}


def test_a_file_that_is_no_text_is_one_problem(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 spoil their own lesson only; folders without course.toml are no courses."""
    for name, text in course(cable=page(), switch="x").items():
        (tmp_path / "post").mkdir(exist_ok=True)
        (tmp_path / "post" / name).write_text(text)
    (tmp_path / "post" / "02-switch.md").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "drafts").mkdir()
    reading = read_folder(tmp_path / "post")
    assert reading.course is not None and [lesson.id for lesson in reading.course.lessons] == ["cable"]
    assert "02-switch.md:1: this file cannot be read" in told(reading)
    assert [own.course.id for own in read_root(tmp_path) if own.course] == ["post"]


def laid(folder: Path, files: dict[str, str]) -> Path:
    """The files of a course in a folder of their own."""
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def test_so_many_pages_and_no_more(tmp_path: Path) -> None:
    """A folder of as many pages as a course may have is read whole; of one with more, the first that is not read is a problem, once."""
    files = course(cable=page())
    full = {**files, **{f"{number:03d}-page.md": "" for number in range(101, 100 + MOST_PAGES)}}
    assert "not read" not in told(read_folder(laid(tmp_path / "full", full)))
    more = {f"{number:03d}-page.md": "" for number in range(900, 910)}
    reading = read_folder(laid(tmp_path / "more", {**full, **more}))
    assert reading.course is not None and [lesson.id for lesson in reading.course.lessons] == ["cable"]
    (problem,) = (problem for problem in reading.problems if "not read" in problem.what)
    assert str(problem).startswith(f"900-page.md:1: this page and those after it are not read: the pages of this course are more than {MOST_PAGES}.")


def test_so_much_and_no_more(tmp_path: Path) -> None:
    """Pages that are together larger than a course may be are not read, though each is small enough, and were they one file with many names."""
    folder = laid(tmp_path / "post", course(cable=page()))
    largest = tmp_path / "largest"
    largest.write_bytes(b"x" * MOST)
    fit = MOST_IN_ALL // MOST - 1
    for number in range(101, 101 + fit):
        (folder / f"{number}-page.md").symlink_to(largest)
    assert "not read" not in told(read_folder(folder))
    for number in range(900, 910):
        (folder / f"{number}-page.md").symlink_to(largest)
    reading = read_folder(folder)
    assert reading.course is not None and [lesson.id for lesson in reading.course.lessons] == ["cable"]
    (problem,) = (problem for problem in reading.problems if "not read" in problem.what)
    assert str(problem).startswith("900-page.md:1: ") and f"larger than {MOST_IN_ALL >> 20} MiB together" in problem.what


def test_a_name_does_not_end_in_a_line_feed() -> None:
    """An id, a node and a link are one word to the last sign."""
    for name, refused in (("c1", False), ("c1\n", True), ("c1\nc2", True)):
        found = (bad_id(name), objection("node", name), objection("link", name))
        assert [one is not None for one in found] == [refused] * 3
