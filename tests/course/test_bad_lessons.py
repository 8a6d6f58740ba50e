"""Malformed lessons: every mistake is named with its file and line, and with what to write instead."""

from __future__ import annotations

import pytest

from helpers.pages import FRONT, WORLD, front, page, refused, step
from netless_lab.course.parse import parse_lesson
from netless_lab.course.problems import BadLesson

CASES = {
    "unknown verb": (
        page(step(do='[{ vetth = "veth1", peer = "veth2" }]')),
        14,
        'no action "vetth"',
        'Did you mean "veth"',
    ),
    "verb not first": (
        page(step(do='[{ peer = "veth2", veth = "veth1" }]')),
        14,
        'no action "peer"',
        "The first key is the verb",
    ),
    "expectation in do": (
        page(step(do='[{ pair = "veth1", peer = "veth2" }]')),
        14,
        'no action "pair"',
        'It belongs in "expect"',
    ),
    "action in expect": (
        page(step(expect='[{ move = "veth1", to = "c1" }]')),
        15,
        'no expectation "move"',
        'It belongs in "do"',
    ),
    "probe in expect": (
        page(step(expect='[{ ping = "10.0.0.2", from = "c1" }]')),
        15,
        'no expectation "ping"',
        'It belongs in "probe"',
    ),
    "unknown key of an action": (
        page(step(do='[{ veth = "veth1", pear = "veth2" }]')),
        14,
        'the action "veth" has no key "pear"',
        'Did you mean "peer"',
    ),
    "missing key of an action": (
        page(step(do='[{ veth = "veth1" }]')),
        14,
        'the action "veth" lacks the key "peer"',
        'For example: { veth = "veth1", peer = "veth2" }',
    ),
    "wrong kind of value": (
        page(step(do='[{ veth = 1, peer = "veth2" }]')),
        14,
        '"veth" of the action "veth" must be a text, not a number',
        "For example:",
    ),
    "second element of a list over several lines": (
        page(step(do='[\n  { veth = "veth1", peer = "veth2" }, # fine\n  { upp = "veth1" },\n]')),
        16,
        'no action "upp"',
        'Did you mean "up"',
    ),
    "unknown key of a step": (page(step(hints='["x"]')), 17, 'a step has no key "hints"', 'Did you mean "hint"'),
    "unknown key of the front matter": (
        page(front=FRONT.replace('title = "A cable"', 'title = "A cable"\ntitel = "x"')),
        5,
        'has no key "titel"',
        'Did you mean "title"',
    ),
    "no id": (page(step(id=None)), 13, '"id" is missing', "progress is kept by it"),
    "an id with capitals": (page(step(id='"Make It"')), 13, '"Make It" is no id', '"make-it"'),
    "the same id twice": (
        page(step(), step("Again")),
        24,
        'the id "pair" is used twice; the first is on line 13',
        "another id",
    ),
    "a link name of 16 bytes": (
        page(step(do='[{ veth = "container-veth01", peer = "veth2" }]')),
        14,
        'the link name "container-veth01" has 16 bytes',
        'at most 15: try "container-veth0"',
    ),
    "a link name of 16 bytes in 9 letters": (
        page(step(exact='["x"]', do='[{ veth = "кабель-один", peer = "v" }]')),
        14,
        "has 21 bytes",
        "at most 15",
    ),
    "a link name with a slash": (
        page(step(do='[{ veth = "a/b", peer = "veth2" }]')),
        14,
        '"a/b" cannot name a link',
        "no slash",
    ),
    "an address without prefix": (
        page(step(do='[{ address = "10.0.0.2", dev = "veth1" }]')),
        14,
        '"10.0.0.2" has no prefix length',
        'Write "10.0.0.2/24"',
    ),
    "no address at all": (
        page(step(do='[{ address = "10.0.0.300/24", dev = "veth1" }]')),
        14,
        "is no address with a prefix",
        '"10.0.0.2/24"',
    ),
    "an address for a network": (
        page(step(do='[{ masquerade = "10.0.0.1/24", except = "br0" }]')),
        14,
        "is an address inside a network",
        '"10.0.0.0/24"',
    ),
    "a gateway with a prefix": (
        page(step(do='[{ route = "default", via = "10.0.0.1/24", in = "c1" }]')),
        14,
        "has a prefix, and here stands one address",
        'Write "10.0.0.1"',
    ),
    "a need that nobody knows": (page(step(needs='["vxlan", "nft-briges"]')), 17, 'nobody knows the need "nft-briges"', 'Did you mean "nft-bridge"'),
    "no hint": (page(step(hint=None)), 13, 'the step "pair" has no hint', 'Write hint = ["..."]'),
    "an empty hint": (page(step(hint='[""]')), 16, '"hint" holds an empty text', 'hint = ["...", "..."]'),
    "neither expect nor probe": (page(step(expect=None)), 13, "checks nothing, so everybody passes it", "Add expect"),
    "only silence is checked": (
        page(step(expect=None, probe='[{ ping = "10.0.0.2", from = "host", reply = false, because = "b" }]')),
        16,
        "only observes that packets do not arrive",
        'silence = "guard"',
    ),
    "nothing to do": (page(step(do=None)), 13, "does nothing", "Add do ="),
    "an unknown node in an action": (
        page(step(do='[{ move = "veth1", to = "c11" }]')),
        14,
        'there is no node "c11"',
        'Did you mean "c1"',
    ),
    "an unknown node in a probe": (
        page(step(probe='[{ ping = "10.0.0.2", from = "hots" }]')),
        17,
        'no node "hots"',
        'Did you mean "host"',
    ),
    "an unknown shell": (page(step(shell='"c9"')), 17, 'no node "c9"', "Nodes: c1, host, internet"),
    "an exact name nobody speaks of": (page(step(exact='["br0"]')), 17, '"exact" names "br0"', ""),
    "a cause that nobody knows": (
        page(step(teaches='["no-rout"]')), 17, '"teaches" names "no-rout", which is no cause that Why knows', 'Did you mean "no-route"'
    ),
    "a table instead of a list": (
        page(step(do='{ veth = "veth1", peer = "veth2" }')),
        14,
        '"do" is a list, even of one',
        "Put brackets",
    ),
    "a text instead of a list": (
        page(step(do='"ip link add"')),
        14,
        '"do" must be a list of tables, not a text',
        "Write do =",
    ),
    "a format of tomorrow": (
        page(front=FRONT.replace("1", "2")),
        2,
        "format 2, and this netless reads format 1",
        "A newer netless",
    ),
    "no format": (page(front=FRONT.replace("format = 1\n", "")), 2, "does not say its format", "Write format = 1"),
    "no title": (page(front=FRONT.replace('title = "A cable"\n', "")), 2, '"title" is missing', 'title = "..."'),
    "no front matter": ("## A step\n\nWords.\n", 1, "no front matter", "Start the page with +++"),
    "front matter of another kind": (page().replace("+++", "---"), 1, "no front matter", "not ---"),
    "front matter without an end": ('+++\nid = "cable"\n\n## A\n', 1, "never closed", "+++"),
    "TOML that is none, in the front matter": (
        page(front=FRONT.replace('"A cable"', '"A cable')),
        4,
        "this is not TOML",
        "quotation mark",
    ),
    "TOML that is none, in a step": (
        page(step(do='[{ veth = "veth1" peer = "veth2" }]')),
        14,
        "this is not TOML",
        "missing comma",
    ),
    "a table in braces over two lines": (
        page(step(do='[{ veth = "veth1",\n  peer = "veth2" }]')),
        14,
        "this is not TOML",
        "stays on one line",
    ),
    "a heading without a block": (
        page(step(), "## Read on\n\nOnly words."),
        19,
        '"Read on" has no step block',
        "make it ###",
    ),
    "a block before any heading": (
        page(intro='```toml step\nid = "x"\n```'),
        6,
        "stands before the first heading",
        "Put a ## heading",
    ),
    "two blocks under one heading": (
        page(step() + '\n\n```toml step\nid = "y"\n```'),
        19,
        "has a second step block",
        "a ## heading of its own",
    ),
    "a block with a wrong mark": (
        page(step().replace("toml step", "toml steps")),
        12,
        'marked "toml steps" is only shown',
        'Mark it "toml step"',
    ),
    "a block that never ends": (page(step()[:-4]), 12, "never closed", "```"),
    "no steps": (page("Only words."), 1, "has no steps", "Every ## heading"),
    "no prose": (page(step(prose="")), 8, 'the step "pair" has no prose', "Say in a sentence"),
    "a heading without a title": (page(step(heading="")), 8, "has no title", "Plug one end in"),
    "an empty table": (page(step(expect="[{}]")), 15, '"expect" holds an empty table', "Write expect ="),
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_mistake_is_named_with_its_line_and_a_way_out(case: str) -> None:
    """One thing is wrong with the page: the problem stands at its line, says what it is, and what to write."""
    refused(*CASES[case])


def test_all_mistakes_of_a_page_come_at_once() -> None:
    """Three spoiled steps give three problems, in the order of their lines."""
    text = page(
        step(id='"a"', hint=None), step(id='"b"', expect=None), step(id='"c"', do="[{ nope = 1 }]"), front=front("x")
    )
    with pytest.raises(BadLesson) as caught:
        parse_lesson(text, "x.md", WORLD)
    assert [problem.line for problem in caught.value.problems] == sorted(
        problem.line for problem in caught.value.problems
    )
    assert len(caught.value.problems) == 3


def test_all_mistakes_of_a_step_come_at_once() -> None:
    """What is missing is told beside what is wrong, and a node that nobody knows beside either; so is a step's mistake beside its page's."""
    text = page(
        step(prose="", colour='"red"', hint=None, shell='"c9"', probe='[{ ping = "10.0.0.2", from = "c8" }, { pong = "10.0.0.2" }]'),
        step("Then", id='"then"', do=None, expect='[{ up = "lo", in = "c7" }]'),
        front=FRONT.replace('"A cable"', '"A cable'),
    )
    with pytest.raises(BadLesson) as caught:
        parse_lesson(text, "x.md", WORLD)
    told = str(caught.value)
    assert [problem.line for problem in caught.value.problems] == sorted(problem.line for problem in caught.value.problems)
    for what in ("not TOML", "has no prose", 'no key "colour"', "has no hint", 'no node "c9"', 'no node "c8"', 'no probe "pong"', "does nothing", 'no node "c7"'):
        assert told.count(what) == 1, told
    assert len(caught.value.problems) == 9


def test_without_a_world_nodes_are_not_checked() -> None:
    """A page read alone cannot know which containers its course has."""
    assert parse_lesson(page(step(do='[{ move = "veth1", to = "c77" }]')), "x.md").steps[0].id == "pair"
