"""The world of a course.toml as text: what is left out is as usual, and everything wrong with it is said with its line and a way out."""

from __future__ import annotations

import pytest

from helpers.checkout import CHECKOUT
from netless_lab.course.files import read_folder
from netless_lab.course.folder import read_course
from netless_lab.course.outline import owners, start
from netless_lab.course.step import World
from netless_lab.model.outside import USUAL, Outside

HEAD = 'format = 1\nid = "own"\ntitle = "Own"\nabout = "One."\nlessons = ["one"]\n'
PAGE = """+++
format = 1
id = "one"
title = "One"
summary = "One."
+++
One.

## One

One.

```toml step
id = "one"
do = [{ up = "lo", in = "c1" }]
expect = [{ up = "lo", in = "c1" }]
hint = ["One."]
```
"""


def read(world: str) -> tuple[World | None, list[str]]:
    """The world of a course that says this, which begins in line 6; and its problems."""
    reading = read_course({"course.toml": HEAD + world, "01-one.md": PAGE})
    return reading.course.world if reading.course else None, [str(problem) for problem in reading.problems]


def test_what_is_left_out_is_as_usual() -> None:
    """A course that says nothing of its outside has the usual one, and one that says a part has the rest of it."""
    assert read('[world]\ncontainers = ["c1"]\n') == (World(("c1",)), [])
    world, problems = read('[world]\ncontainers = ["c1"]\n[world.outside]\nsite = "198.51.100.7"\n')
    assert world is not None and world.outside == Outside(site="198.51.100.7") and not problems
    assert USUAL.every_name == {"example.test": "198.51.100.10", "www.example.test": "198.51.100.10", "ns.example.test": "198.51.100.53"}


def test_a_whole_world_is_read_and_sketched() -> None:
    """Everything that ``tests/courses/shop`` says of its world is in it, and in the sketch of its first moment."""
    course = read_folder(CHECKOUT / "tests" / "courses" / "shop").course
    assert course is not None and not course.problems
    outside = course.world.outside
    assert (outside.uplink, outside.host_address, outside.prefix, outside.router) == ("up0", "203.0.113.66", 26, "203.0.113.65")
    assert outside.every_name["api.shop.test"] == outside.every_name["shop.test"] == "198.51.100.80"
    assert dict(outside.pages)["/price"] == "Three coins."
    sketch = start(course.world)
    assert [node.name for node in sketch.nodes] == ["host", "internet", "front", "back"]
    assert owners(sketch) == {"203.0.113.66": "host", "10.0.0.1": "host", "203.0.113.65": "internet", "10.0.0.2": "front"}


@pytest.mark.parametrize(
    ("world", "line", "words"),
    [
        ('world = "c1"\n', 6, 'must be a table'),
        ('[world]\ncontainer = ["c1"]\n', 7, 'Did you mean "containers"'),
        ('[world]\ncontainers = ["c1", "host"]\n', 7, "always there"),
        ('[world]\ncontainers = [\n  "c1",\n  "c1",\n]\n', 9, "listed twice"),
        ('[world]\ncontainers = ["c1"]\ndo = [\n  { up = "lo", in = "c1" },\n  { up = "lo", in = "c2" },\n]\n', 10, 'no node "c2"'),
        ('[world]\ncontainers = ["c1"]\ndo = [{ start = "c2" }]\n', 8, "List what runs in containers"),
        ('[world]\ncontainers = ["c1"]\ndo = [{ bridge = "a-name-beyond-15-bytes" }]\n', 8, "bytes"),
        ('[world]\ncontainers = ["c1"]\noutside = 3\n', 8, "must be a table"),
        ('[world]\ncontainers = ["c1"]\n\n[world.outside]\nsight = "198.51.100.7"\n', 10, 'Did you mean "site"'),
        ('[world]\ncontainers = ["c1"]\n\n[world.outside]\nuplink = "lo"\n', 10, "loopback"),
        ('[world]\ncontainers = ["c1"]\n\n[world.outside]\nsite = 7\n', 10, "must be a text"),
        ('[world]\ncontainers = ["c1"]\n\n[world.outside]\nsite = "198.51.100.700"\n', 10, "no IP address"),
        ('[world]\ncontainers = ["c1"]\n\n[world.outside]\nsite = "fd00::1"\n', 10, "speaks IPv4"),
        ('[world]\ncontainers = ["c1"]\n\n[world.outside]\naddress = "203.0.113.2"\n', 10, "no prefix"),
        ('[world]\ncontainers = ["c1"]\n\n[world.outside]\naddress = "203.0.113.2/31"\n', 10, "at most 30"),
        ('[world]\ncontainers = ["c1"]\n\n[world.outside]\naddress = "203.0.113.2/24"\nrouter = "203.0.114.1"\n', 11, 'router = "203.0.113.1"'),
        ('[world]\ncontainers = ["c1"]\n\n[world.outside]\naddress = "203.0.114.2/24"\n', 10, 'router = "203.0.114.1"'),
        ('[world]\ncontainers = ["c1"]\n\n[world.outside]\naddress = "203.0.113.0/24"\n', 10, "no host's address"),
        ('[world]\ncontainers = ["c1"]\n\n[world.outside]\nname-server = "203.0.113.7"\n', 10, "network of the uplink"),
        ('[world]\ncontainers = ["c1"]\n\n[world.outside]\ndomain = "Shop test"\n', 10, "no domain name"),
        ('[world]\ncontainers = ["c1"]\n\n[world.outside.names]\n"a.shop.test" = "198.51.100.7"\n', 10, '"a.example.test"'),
        ('[world]\ncontainers = ["c1"]\n\n[world.outside.names]\n"a.example.test" = "here"\n', 10, "no IP address"),
        ('[world]\ncontainers = ["c1"]\n\n[world.outside.names]\n"a.example.test" = ["198.51.100.7"]\n', 10, "must be a text"),
        ('[world]\ncontainers = ["c1"]\n\n[world.outside.pages]\n"/" = "x"\nabout = "y"\n', 11, "no path"),
        ('[world]\ncontainers = ["c1"]\n\n[world.outside.pages]\n"/" = ""\n', 10, "empty"),
        ('[world]\ncontainers = ["c1"]\n[world.outside]\npages = ["x"]\n', 9, "[world.outside.pages]"),
        ('[world]\ncontainers = ["c1"]\nhosts = ["far"]\n', 8, "[world.hosts.far]"),
        ('[world]\ncontainers = ["c1"]\n[world.hosts.far]\naddress = "203.0.114.2/24"\n', 8, '"router" is missing'),
        ('[world]\ncontainers = ["c1"]\n[world.hosts.far]\naddress = "203.0.114.2/24"\nrouter = "203.0.115.1"\n', 10, 'router = "203.0.114.1"'),
        ('[world]\ncontainers = ["c1"]\n[world.hosts.far]\naddress = "203.0.113.9/24"\nrouter = "203.0.113.8"\n', 9, "network of its own"),
        ('[world]\ncontainers = ["c1"]\n[world.hosts.c1]\naddress = "203.0.114.2/24"\nrouter = "203.0.114.1"\n', 8, "a host and a container"),
        ('[world]\ncontainers = ["c1"]\n[world.hosts.eth0]\naddress = "203.0.114.2/24"\nrouter = "203.0.114.1"\n', 8, "is taken"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line_and_a_way_out(world: str, line: int, words: str) -> None:
    """Each mistake, alone in a course.toml, is one problem; the course is not to be had until it is mended."""
    course, problems = read(world)
    assert course is None and len(problems) == 1
    assert problems[0].startswith(f"course.toml:{line}: ") and words in problems[0], problems


def test_keys_of_one_name_in_two_tables_keep_their_lines() -> None:
    """``address`` of the outside is not a key of the course, and its line is its own."""
    _, problems = read('[world]\ncontainers = ["c1"]\n[world.outside]\ntitle = "x"\n')
    assert problems[0].startswith("course.toml:9: ")
    reading = read_course({"course.toml": HEAD.replace('title = "Own"', "title = 1") + '[world.outside]\ntitle = "x"\n', "01-one.md": PAGE})
    assert [problem.line for problem in reading.problems] == [3, 7]


def test_the_host_of_a_node_is_the_one_its_cable_leads_to() -> None:
    """In a sketch of two hosts each container has its own; a container without a cable has the first, a host itself."""
    course = read_folder(CHECKOUT / "tests" / "courses" / "pair").course
    assert course is not None and not course.problems
    sketch = start(course.world)
    hosts = {node.name: host.name for node in sketch.nodes if (host := sketch.host_of(node)) is not None}
    assert hosts == {"host": "host", "internet": "host", "far": "far", "c1": "host", "c2": "far"}
    assert owners(sketch)["203.0.113.129"] == "internet" and owners(sketch)["10.0.2.1"] == "far"
