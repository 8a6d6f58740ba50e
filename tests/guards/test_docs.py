"""What the documents promise exists: verbs of the command line, words of the lessons, files they link to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netless.parser import parser
from netless_lab.primitives.registry import ACTIONS, EXPECTATIONS

CHECKOUT = Path(__file__).resolve().parents[2]
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")


def text(name: str) -> str:
    """A document of the top level."""
    return (CHECKOUT / name).read_text(encoding="utf-8")


def verbs() -> frozenset[str]:
    """The verbs that the command line takes."""
    choices = next(action.choices for action in parser()._actions if action.dest == "verb")
    assert choices is not None
    return frozenset(choices)


def test_every_verb_of_the_readme_exists() -> None:
    """The command table, and every `netless VERB` in the prose."""
    table = re.findall(r"(?m)^ {4}netless +([a-z| ]+?)(?= {2,}| [A-Z\[(-]|$)", text("README.md"))
    named = {word for cell in table for word in re.split(r"[ |]+", cell) if word} - {"the", "tutor"}
    named |= set(re.findall(r"`(?:\./)?netless ([a-z]+)", text("README.md") + text("CONTRIBUTING.md")))
    assert len(named) > 12
    assert named <= verbs()


def test_every_shipped_verb_is_in_the_readme() -> None:
    """What a learner can do is written down; the verbs for drills are not part of this version."""
    assert verbs() - {word for word in verbs() if re.search(rf"\b{word}\b", text("README.md"))} <= {"progress", "faults", "mend", "break"}


@pytest.mark.parametrize(("kind", "known"), [("Actions", ACTIONS), ("Expectations", EXPECTATIONS)])
def test_the_words_of_the_lessons_are_documented(kind: str, known: dict[str, type]) -> None:
    """CONTRIBUTING lists the verbs a lesson may use: none that does not exist, and only inverses are left out."""
    block = re.search(rf"(?ms)^{kind}: (.*?)\.$", text("CONTRIBUTING.md"))
    assert block is not None
    listed = set(re.findall(r"`([a-z-]+)`", block[1]))
    assert listed <= set(known)
    assert {word for word in set(known) - listed if not word.startswith("un")} == set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    """Relative links and pictures exist; anchors are headings of the page."""
    page = text(name)
    headings = {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"(?m)^#+ (.+)$", page)}
    for target in re.findall(r"\]\(([^)]+)\)", page):
        if target.startswith("#"):
            assert target[1:] in headings, target
        elif not target.startswith("http"):
            assert (CHECKOUT / target).exists(), target


def test_every_dependency_has_its_reason() -> None:
    """CONTRIBUTING says of each package what it replaces."""
    import tomllib

    project = tomllib.loads(text("pyproject.toml"))["project"]
    names = [re.match(r"[A-Za-z0-9-]+", line) for line in project["dependencies"]]
    for name in names:
        assert name is not None and f"| {name[0]} |" in text("CONTRIBUTING.md")
