"""A sound page becomes a lesson: prose, steps, actions, probes, in order and unchanged."""

from __future__ import annotations

import pytest

from helpers.pages import FRONT, front, page, step
from netless_lab.course.parse import parse_lesson, parse_translation
from netless_lab.course.problems import BadLesson
from netless_lab.model.probe import Connect, Fetch, Lookup, Ping, Udp
from netless_lab.primitives.cable import CreateVeth, VethPair


def test_a_step_holds_what_its_block_says() -> None:
    """Verbs become actions and expectations, with hints, shell, needs, success and exact as written."""
    text = page(
        step(shell='"c1"', needs='["nft"]', success='"Done."', exact='["veth1"]', undoes='["x"]', hint='"One text is a list of one."')
    )
    (found,) = parse_lesson(text, "02-cable.md").steps
    assert found.do == (CreateVeth(name="veth1", peer="veth2"),)
    assert found.expect == (VethPair(name="veth1", peer="veth2"),)
    assert (found.shell, found.needs, found.success, found.exact, found.undoes) == ("c1", ("nft",), "Done.", ("veth1",), ("x",))
    assert found.hints == ("One text is a list of one.",)
    assert (found.title, found.prose, found.line) == ("Make the cable", "A cable has two ends.", 8)


def test_probes_of_every_kind() -> None:
    """Ping with its options, connect, udp with and without them, lookup, fetch, and a control: each as the value the kernel half sends."""
    probes = """[
      { ping = "10.0.0.2", from = "host", ttl = 3, size = 1400, dont-fragment = true },
      { connect = "198.51.100.10:80", from = "c1" },
      { udp = "198.51.100.10:5000", from = "c1" },
      { udp = "[fd00::10]:5000", from = "c1", size = 1400, dont-fragment = true, source-port = 4000 },
      { lookup = "example.test", from = "c1", answer = "198.51.100.10", server = "198.51.100.53" },
      { fetch = "http://example.test/", from = "c1", seen-as = "203.0.113.2" },
      { ping = "10.0.0.9", from = "c1", reply = false, because = "nobody", control = { ping = "10.0.0.1", from = "c1" } },
    ]"""
    found = parse_lesson(page(step(probe=probes)), "x.md").steps[0].probes
    assert [check.probe for check in found] == [
        Ping("host", "10.0.0.2", 3, 1400, True),
        Connect("c1", "198.51.100.10", 80),
        Udp("c1", "198.51.100.10", 5000),
        Udp("c1", "fd00::10", 5000, 1400, True, 4000),
        Lookup("c1", "example.test", "198.51.100.53"),
        Fetch("c1", "http://example.test/"),
        Ping("c1", "10.0.0.9"),
    ]
    assert found[4].answer == "198.51.100.10" and found[5].seen_as == "203.0.113.2"
    assert (found[6].reply, found[6].because, found[6].control) == (False, "nobody", Ping("c1", "10.0.0.1"))


@pytest.mark.parametrize(
    ("said", "demand"),
    [
        ("", "reply"),
        ("reply = true,", "reply"),
        ('reply = false, because = "b",', "observation"),
        ('silence = "observation", because = "b",', "observation"),
        ('silence = "guard", because = "b",', "guard"),
        ('reply = false, silence = "guard", because = "b",', "guard"),
    ],
)
def test_the_page_says_which_kind_of_silence(said: str, demand: str) -> None:
    """An observation or a guard; a page that only says ``reply = false`` observes."""
    found = parse_lesson(page(step(probe=f'[{{ ping = "10.0.0.2", {said} from = "host" }}]')), "x.md").steps[0].probes
    assert found[0].demand == demand and found[0].reply == (demand == "reply")


def test_a_guard_is_enough_to_check() -> None:
    """A step whose goal is isolation may ask for nothing but silence."""
    text = page(step(expect=None, probe='[{ ping = "10.0.0.2", from = "host", silence = "guard", because = "it is shut out" }]'))
    assert parse_lesson(text, "x.md").steps[0].probes[0].demand == "guard"


def test_probes_over_ipv6() -> None:
    """An address stands alone, with a port or in a URL in brackets, a link-local one with its link."""
    probes = """[
      { ping = "fd00::2", from = "host" }, { ping = "fe80::1%veth1", from = "c1" },
      { connect = "[fd00::10]:80", from = "c1" }, { fetch = "http://[fd00::10]/", from = "c1", seen-as = "fd00::2" },
      { lookup = "example.test", from = "c1", answer = "fd00::10", server = "fd00::53" },
    ]"""
    found = parse_lesson(page(step(probe=probes)), "x.md").steps[0].probes
    assert [check.probe for check in found] == [
        Ping("host", "fd00::2"),
        Ping("c1", "fe80::1%veth1"),
        Connect("c1", "fd00::10", 80),
        Fetch("c1", "http://[fd00::10]/"),
        Lookup("c1", "example.test", "fd00::53"),
    ]


def test_prose_keeps_everything_but_the_step_block() -> None:
    """Other fences are prose, and a ## inside a fence is no heading."""
    prose = "Look:\n\n```\n## not a heading\n$ ip link\n```\n\nDone."
    lesson = parse_lesson(page(step(prose=prose)), "x.md")
    assert lesson.steps[0].prose == prose
    assert lesson.intro == "Words."


def test_line_ends_and_a_byte_order_mark_do_not_matter() -> None:
    """A page saved on another system reads the same."""
    plain = parse_lesson(page(), "x.md")
    assert parse_lesson("\ufeff" + page().replace("\n", "\r\n"), "x.md") == plain


def test_a_translation_brings_prose_only() -> None:
    """The ids are the same, the actions are the original's, title, prose, hints and success are the translator's."""
    original = parse_lesson(page(step(), step("Plug", id='"plug"')), "02-cable.md")
    translated = page(
        '## 做一根线\n\n线有两端。\n\n```toml step\nid = "pair"\nhint = ["两端一起做。"]\nsuccess = "好。"\n```',
        '## 插上\n\n插。\n\n```toml step\nid = "plug"\n```',
    )
    lesson = parse_translation(translated, "02-cable.zh.md", original)
    assert [own.title for own in lesson.steps] == ["做一根线", "插上"]
    assert lesson.steps[0].hints == ("两端一起做。",) and lesson.steps[1].hints == original.steps[1].hints
    assert [own.do for own in lesson.steps] == [own.do for own in original.steps]


@pytest.mark.parametrize(
    ("block", "what"),
    [
        ('id = "pear"', 'the original has no step "pear"'),
        ('id = "pair"\ndo = []', 'a translated step has no key "do"'),
    ],
)
def test_a_translation_must_fit(block: str, what: str) -> None:
    """Unknown ids and actions of its own are refused, and a missing step is named."""
    original = parse_lesson(page(), "02-cable.md")
    with pytest.raises(BadLesson, match=what):
        parse_translation(page(f"## A\n\nB.\n\n```toml step\n{block}\n```"), "02-cable.zh.md", original)
    with pytest.raises(BadLesson, match='the step "pair" is not translated'):
        parse_translation(page("### nothing"), "02-cable.zh.md", original)
    with pytest.raises(BadLesson, match="translates another lesson"):
        parse_translation(page(front=front("other")), "02-cable.zh.md", original)


def test_all_mistakes_of_a_translation_come_at_once() -> None:
    """A step that is translated twice, one without prose, one that nobody knows and those that are missing: each with its line."""
    original = parse_lesson(page(step(), step("Plug", id='"plug"'), step("Up", id='"up"'), step("Down", id='"down"')), "02-cable.md")

    def own(name: str, prose: str = "B.") -> str:
        return f'## A\n\n{prose}\n\n```toml step\nid = "{name}"\n```'

    with pytest.raises(BadLesson) as caught:
        parse_translation(page(own("pair"), own("pair"), own("plug", ""), own("pear")), "02-cable.zh.md", original)
    assert [(problem.line, problem.what) for problem in caught.value.problems] == [
        (1, 'the step "up" is not translated.'),
        (1, 'the step "down" is not translated.'),
        (21, 'the step "pair" is translated twice; the first is on line 13.'),
        (24, 'the step "plug" has no prose.'),
        (37, 'the original has no step "pear".'),
    ]


@pytest.mark.parametrize(("written", "what"), [("format = 2", "in format 2"), ("", "does not say its format")])
def test_a_translation_says_its_format(written: str, what: str) -> None:
    """As the page it translates: one of tomorrow may mean other things by the same words."""
    original = parse_lesson(page(), "02-cable.md")
    with pytest.raises(BadLesson, match=what):
        parse_translation(page(front=FRONT.replace("format = 1", written)), "02-cable.zh.md", original)


def test_an_introduction_that_is_not_translated_stays() -> None:
    """What a translation leaves out is told as it was written, as hints are."""
    original = parse_lesson(page(intro="Before you begin."), "02-cable.md")
    found = parse_translation(page('## A\n\nB.\n\n```toml step\nid = "pair"\n```', intro=""), "02-cable.zh.md", original)
    assert found.intro == "Before you begin."
