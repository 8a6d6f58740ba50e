"""Lessons in the language of whoever reads them: ``--lang`` or the locale, from the list of courses to the page in the lab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.command_line import Cli, own
from helpers.pages import course, page

pytestmark = [pytest.mark.kernel, pytest.mark.rootless]

CHINESE = """## 做一条线

线有两端。

```toml step
id = "pair"
hint = ["看看两端。"]
success = "好了。"
```"""


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    """A lab to be, with one course of its own that has a Chinese page."""
    folder = tmp_path / "post"
    folder.mkdir()
    for name, text in {**course(cable=page()), "01-cable.zh.md": page(CHINESE, intro="你好。")}.items():
        (folder / name).write_text(text, encoding="utf-8")
    with own(tmp_path / "state", folder) as typed:
        yield typed


def title(cli: Cli, *words: str) -> str:
    """Of the first step of the course, as the list of courses has it."""
    (course,) = (known for known in cli.json(*words, "courses") if known["id"] == "post")
    return str(course["lessons"][0]["steps"][0]["title"])


def test_the_list_of_courses_is_told_in_it(cli: Cli) -> None:
    """By option, by variable, by locale; without any of them the page is as it was written, and so in a language without a page."""
    assert title(cli) == title(cli, "--lang", "fr") == "Make the cable"
    assert title(cli, "--lang", "zh") == title(cli, "--lang=zh-TW") == "做一条线"
    cli.environment["LANG"] = "zh_CN.UTF-8"
    assert title(cli) == "做一条线"
    assert "no language" in cli("--lang", "Chinese", "courses", code=2).stderr


def test_a_lab_tells_its_lessons_in_it(cli: Cli) -> None:
    """Page, hint and success are the translation's, what is done and judged the original's. Once it runs, another language is refused by saying so."""
    cli("up", "post", "--lang", "zh")
    told = cli.json("status")
    assert told["language"] == "zh" and told["page"]["title"] == "做一条线" and told["page"]["prose"] == "你好。\n\n线有两端。"
    assert cli("hint").stdout == "看看两端。\n"
    assert "好了。" in cli("run").stdout
    refused = cli("goto", "post/cable/pair", "--lang", "pt", code=2).stderr
    assert "tells its lessons in zh" in refused and "netless down" in refused
    cli("goto", "post/cable/pair", "--lang", "zh")


def test_lint_reads_every_translation(cli: Cli) -> None:
    """A page in another language that lacks a step is a problem, whatever the language of the author."""
    folder = Path(cli.environment["NETLESS_LESSONS"])
    cli("lint", "--static", str(folder))
    (folder / "01-cable.zh.md").write_text(page(CHINESE.replace('"pair"', '"pear"')), encoding="utf-8")
    assert '01-cable.zh.md:13: the original has no step "pear"' in cli("lint", "--static", str(folder), code=2).stdout
